// SPDX-License-Identifier: BSD-3-Clause
//
// Every kernel that is built in verifies itself; a kernel that computes something slightly wrong
// does not; bytes do not depend on the size of the team; parameters that make no sense are refused.
#include "base/err.h"
#include "base/mem.h"
#include "engine/registry.h"
#include "engine/task.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const plait_kernel *kernel_of(const char *name) {
  const plait_kernel *kernel = pl_kernel_find(name);
  assert_non_null(kernel);
  return kernel;
}

static void succeeds(plait_err err) {
  if (err != PLAIT_OK) fail_msg("%s", pl_message());
}

// ---- verify -----------------------------------------------------------------------------------
static void every_kernel_verifies(void **state) {
  (void)state;
  for (int i = 0; pl_kernels[i]; i++) {
    plait_lab lab = {.apply = pl_lab_apply, .kernel = pl_kernels[i]};
    if (pl_kernels[i]->verify) succeeds(pl_kernels[i]->verify(&lab));
  }
}

// A lab whose results are wrong in one value of the first array, by a little.
static plait_err spoilt_apply(const plait_lab *lab, const char *settings, const plait_array *in,
                              const void *data, const int64_t *block, void *const out[]) {
  plait_err err = pl_lab_apply(lab, settings, in, data, block, out);
  bool real = in->type == PLAIT_F64 && strcmp(lab->kernel->name, "gaussian") == 0;
  if (real)
    ((double *)out[0])[17] += 1e-6;
  else
    ((unsigned char *)out[0])[4] ^= 1;
  return err;
}

static void a_wrong_result_is_caught(void **state) {
  (void)state;
  static const char *const names[] = {"gaussian", "stats", "template"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    plait_lab lab = {.apply = spoilt_apply, .kernel = kernel_of(names[i])};
    assert_int_equal(lab.kernel->verify(&lab), PLAIT_VERIFY);
    assert_non_null(strstr(pl_message(), names[i]));
  }
}

// ---- teams --------------------------------------------------------------------------------------
enum { NT = 40, NY = 30, NX = 70, HALO = 3, TEAM = 3 };

typedef struct bench { // one block of an array, computed by a team of any size
  const plait_kernel *kernel;
  plait_array array;
  plait_problem problem;
  plait_plan plan;
  void *params, *keep;
  char *scratch[TEAM];
  plait_block in;
} bench;

static void make_bench(const char *name, const char *settings, plait_type type, bench *b) {
  *b = (bench){.kernel = kernel_of(name)};
  b->array = (plait_array){.name = "v",
                           .units = "K",
                           .type = type,
                           .ndim = 3,
                           .shape = {NT, NY, NX},
                           .dims = {"t", "y", "x"},
                           .coord_units = {"", "", ""}};
  b->problem = (plait_problem){.kernel = b->kernel, .input = &b->array};
  succeeds(pl_params_from_text(b->kernel->params, b->kernel->params_size, settings, &b->params,
                               &b->keep));
  succeeds(pl_params_bind(b->kernel->params, b->params, b->keep, &b->array));
  assert_null(b->kernel->check(&b->problem, b->params));
  b->kernel->plan(&b->problem, b->params, &b->plan);
  pl_box box = {.ndim = 3, .n = {NT, NY, NX}};
  void *data;
  size_t bytes = pl_block_bytes(type, &box, b->plan.halo);
  succeeds(pl_alloc(bytes, 1, &data));
  for (size_t i = 0; i < bytes; i++) ((unsigned char *)data)[i] = (unsigned char)(i * 31 % 113);
  b->in = pl_block_over(data, type, &box, b->plan.halo);
  for (int i = 0; i < TEAM; i++) succeeds(pl_alloc(b->plan.scratch_bytes, 1, &b->scratch[i]));
}

static void free_bench(bench *b) {
  char *data = b->in.data;
  for (int d = 0; d < 3; d++)
    data -= b->in.halo[d] * b->in.stride[d] * (ptrdiff_t)plait_type_size(b->in.type);
  pl_free(&data);
  for (int i = 0; i < TEAM; i++) pl_free(&b->scratch[i]);
  pl_params_free(&b->params, &b->keep);
}

static plait_call call_of(const bench *b, int thread, int threads) {
  return (plait_call){.problem = &b->problem,
                      .plan = &b->plan,
                      .params = b->params,
                      .scratch = b->scratch[thread],
                      .thread = thread,
                      .threads = threads};
}

static void map_by_team(const bench *b, int threads, void *results) {
  pl_box box = {.ndim = 3, .n = {NT, NY, NX}};
  plait_block out = pl_block_over(results, b->plan.output[0].type, &box, NULL);
#pragma omp parallel num_threads(threads)
  {
    plait_call call = call_of(b, omp_get_thread_num(), threads);
    b->kernel->map.block(&call, &b->in, &out);
  }
}

// The block is described twice and merged with itself, so that merging is seen too.
static void reduce_by_team(const bench *b, int threads, void *results) {
  pl_box tile = {.ndim = 3, .n = {NT, NY, NX}}, kept;
  plait_block out[PLAIT_OUTPUTS];
  char *at = results;
  void *left, *right;
  int64_t cells = 1;
  for (int d = 0; d < 3; d++) {
    if (b->plan.reduced[d]) tile.n[d] = 1;
    cells *= tile.n[d];
  }
  for (int v = 0; v < b->plan.noutputs; v++) {
    kept = (pl_box){.ndim = b->plan.output[v].ndim};
    memcpy(kept.n, b->plan.output[v].shape, sizeof kept.n);
    out[v] = pl_block_over(at, b->plan.output[v].type, &kept, NULL);
    at += pl_block_bytes(b->plan.output[v].type, &kept, NULL);
  }
  size_t bytes = b->plan.partial_bytes + b->plan.partial_per_cell * (size_t)cells;
  succeeds(pl_alloc(bytes, 1, &left));
  succeeds(pl_alloc(bytes, 1, &right));
  plait_block where = pl_block_over(NULL, b->array.type, &tile, NULL);
#pragma omp parallel num_threads(threads)
  {
    plait_call call = call_of(b, omp_get_thread_num(), threads);
    b->kernel->reduce.block(&call, &b->in, left);
    b->kernel->reduce.block(&call, &b->in, right);
#pragma omp barrier
    b->kernel->reduce.merge(&call, &where, left, right);
#pragma omp barrier
    b->kernel->reduce.finish(&call, &where, left, out);
  }
  pl_free(&left);
  pl_free(&right);
}

static void same_for_any_team(const char *name, const char *settings, plait_type type) {
  enum { BYTES = NT * NY * NX * 8 * 8 };
  bench b;
  void *first, *again;
  make_bench(name, settings, type, &b);
  succeeds(pl_calloc(BYTES, 1, &first));
  succeeds(pl_calloc(BYTES, 1, &again));
  for (int threads = 1; threads <= TEAM; threads++) {
    void *results = threads == 1 ? first : again;
    memset(results, 0, BYTES);
    if (b.kernel->pattern == PLAIT_MAP)
      map_by_team(&b, threads, results);
    else
      reduce_by_team(&b, threads, results);
    if (memcmp(first, threads == 1 ? first : again, BYTES) != 0)
      fail_msg("%s %s: %d threads give other bytes than 1", name, settings, threads);
  }
  pl_free(&first);
  pl_free(&again);
  free_bench(&b);
}

static void teams_of_any_size(void **state) {
  (void)state;
  static const char *const axes[] = {"t", "y", "x", "[t, y]", "[t, x]", "[y, x]", "all"};
  same_for_any_team("gaussian", "sigma=2", PLAIT_F32);
  same_for_any_team("gaussian", "sigma=2 missing=fill axes=all", PLAIT_F64);
  same_for_any_team("gaussian", "sigma=1 axes=t", PLAIT_U8);
  same_for_any_team("template", "axis=y", PLAIT_F32);
  for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
    char settings[200] = "statistics=[count,mean,variance,min,max,sum] axes=";
    strcat(settings, axes[i]);
    for (plait_type type = PLAIT_I8; type < PLAIT_TYPES; type++)
      same_for_any_team("stats", settings, type);
    strcat(settings, " statistics=[quantile,histogram] range=[0,100] bins=9");
    same_for_any_team("stats", strstr(settings, "axes="), PLAIT_I16);
  }
}

// ---- refusals -----------------------------------------------------------------------------------
static void refused(const char *name, const char *settings, const char *why) {
  float in[12] = {0}, out[5][24];
  plait_array array = {.name = "v",
                       .units = "",
                       .type = PLAIT_F32,
                       .ndim = 2,
                       .shape = {3, 4},
                       .dims = {"y", "x"},
                       .coord_units = {"", ""}};
  plait_lab lab = {.apply = pl_lab_apply, .kernel = kernel_of(name)};
  void *const outs[] = {out[0], out[1], out[2], out[3], out[4]};
  assert_int_equal(pl_lab_apply(&lab, settings, &array, in, NULL, outs), PLAIT_JOB);
  if (!strstr(pl_message(), why)) fail_msg("'%s' does not say '%s'", pl_message(), why);
}

static void senseless_parameters(void **state) {
  (void)state;
  refused("gaussian", "sigma=[1, 2, 3]", "sigma");
  refused("gaussian", "sigma=-1", "sigma");
  refused("gaussian", "sigma=4000 truncate=10", "4096");
  refused("gaussian", "axes=z", "z");
  refused("gaussian", "boundary=reflected", "reflect");
  refused("stats", "statistics=quantile quantiles=[]", "quantiles");
  refused("stats", "statistics=quantile quantiles=1.5", "quantiles");
  refused("stats", "statistics=histogram", "range");
  refused("stats", "statistics=histogram range=[2, 1]", "range");
  refused("stats", "weights=cos_lat", "degrees_north");
  refused("stats", "statistics=[]", "statistics");
  refused("stats", "statistics=men", "mean");
  refused("template", "axis=[x, y]", "axis");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kernel_verifies),
      cmocka_unit_test(a_wrong_result_is_caught),
      cmocka_unit_test(teams_of_any_size),
      cmocka_unit_test(senseless_parameters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
