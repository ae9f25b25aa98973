// SPDX-License-Identifier: BSD-3-Clause
//
// kmeans beside a plain Lloyd from the same centres, for every type; rows along any axes; rows with
// missing values; clusters that run empty; input that makes no sense; teams of any size.
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { N = 500, D = 7, K = 5 };

static char centers_path[] = "/tmp/plait-test-kmeans-XXXXXX";

typedef struct answer {
  double centers[K * D], inertia;
  int64_t counts[K], iterations, converged, skipped;
  int32_t labels[N];
} answer;

static double noise(int i) {
  uint32_t r[4];
  plait_random(3, 0, (uint64_t)i, r);
  return plait_uniform(r[0], r[1]);
}

static void make_rows(double x[]) {
  for (int i = 0; i < N * D; i++) x[i] = floor(60 * noise(i) + 10.0 * (i / D % 4));
}

// First centres as a file: NPY 1.0, float64.
static void write_centers(const double centers[], int k, int d) {
  char header[128];
  FILE *file = fopen(centers_path, "wb");
  assert_non_null(file);
  memset(header, ' ', sizeof header);
  memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
  int n = snprintf(header + 10, 118,
                   "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", k, d);
  header[10 + n] = ' ';
  header[127] = '\n';
  fwrite(header, 1, sizeof header, file);
  fwrite(centers, sizeof *centers, (size_t)k * (size_t)d, file);
  fclose(file);
}

static double square(const double *a, const double *b, int d) {
  double sum = 0;
  for (int j = 0; j < d; j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

static void plain_labels(const double x[], answer *a) {
  a->inertia = 0;
  memset(a->counts, 0, sizeof a->counts);
  for (int i = 0; i < N; i++) {
    double low = INFINITY;
    for (int c = 0; c < K; c++) {
      double d2 = square(x + i * D, a->centers + c * D, D);
      if (d2 < low) low = d2, a->labels[i] = c;
    }
    a->inertia += low;
    a->counts[a->labels[i]]++;
  }
}

// Lloyd until nothing moves, from the centres that stand in `a`.
static void plain_lloyd(const double x[], answer *a) {
  double moved = 1;
  for (a->iterations = 0; moved > 0; a->iterations++) {
    double mean[K * D] = {0};
    plain_labels(x, a);
    for (int i = 0; i < N; i++)
      for (int j = 0; j < D; j++) mean[a->labels[i] * D + j] += x[i * D + j];
    for (int i = 0; i < K * D; i++) mean[i] /= (double)a->counts[i / D];
    moved = square(mean, a->centers, K * D) > 1e-20;
    memcpy(a->centers, mean, sizeof mean);
  }
  plain_labels(x, a);
}

static plait_err apply(const char *settings, const plait_array *in, const void *x, int64_t rows,
                       int noutputs, void *const out[]) {
  plait_lab lab = {.apply = pl_lab_apply, .kernel = pl_kernel_find("kmeans")};
  int64_t block[PLAIT_DIMS] = {rows, rows, rows, rows};
  (void)noutputs;
  return pl_lab_apply(&lab, settings, in, x, block, out);
}

static plait_array table_of(plait_type type, int64_t n, int64_t d) {
  return (plait_array){.name = "x",
                       .units = "",
                       .type = type,
                       .ndim = 2,
                       .shape = {n, d},
                       .dims = {"row", "column"},
                       .coord_units = {"", ""}};
}

static plait_err run_table(const char *settings, plait_type type, const double x[], int64_t rows,
                           answer *a) {
  static double bytes[N * D];
  float centers[K * D];
  double copy[N * D];
  memcpy(copy, x, sizeof copy);
  plait_row_from_f64(type, copy, N * D, bytes);
  plait_array in = table_of(type, N, D);
  bool narrow = type == PLAIT_F32 || plait_type_size(type) <= 2;
  void *const out[] = {narrow ? (void *)centers : (void *)a->centers,
                       a->counts,
                       &a->inertia,
                       &a->iterations,
                       &a->converged,
                       &a->skipped,
                       a->labels};
  plait_err err = apply(settings, &in, bytes, rows, 5, out);
  for (int i = 0; narrow && i < K * D; i++) a->centers[i] = (double)centers[i];
  return err;
}

static void like_plain_lloyd(void **state) {
  (void)state;
  static double x[N * D];
  answer plain, got;
  char settings[200];
  make_rows(x);
  write_centers(x, K, D);
  memcpy(plain.centers, x, sizeof plain.centers);
  plain_lloyd(x, &plain);
  snprintf(settings, sizeof settings, "k=5 tolerance=0 centers=%s", centers_path);
  for (plait_type type = PLAIT_U8; type < PLAIT_TYPES; type++)
    for (int64_t rows = 500; rows > 6; rows /= 3) {
      memset(&got, 0, sizeof got);
      if (run_table(settings, type, x, rows, &got) != PLAIT_OK) fail_msg("%s", pl_message());
      assert_memory_equal(got.labels, plain.labels, sizeof plain.labels);
      assert_memory_equal(got.counts, plain.counts, sizeof plain.counts);
      assert_int_equal(got.iterations, plain.iterations);
      assert_true(fabs(got.inertia - plain.inertia) <= 1e-9 * plain.inertia);
      for (int i = 0; i < K * D; i++)
        assert_true(fabs(got.centers[i] - plain.centers[i]) <= 1e-5 * fabs(plain.centers[i]));
    }
}

// The same rows stored feature first, and split over two axes: the same clusters.
static void rows_along_any_axes(void **state) {
  (void)state;
  static double x[N * D], turned[N * D];
  answer first = {.inertia = 0}, second = {.inertia = 0};
  make_rows(x);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < D; j++) turned[j * N + i] = x[i * D + j];
  char settings[200];
  write_centers(x, K, D);
  snprintf(settings, sizeof settings, "k=5 features=column centers=%s", centers_path);
  assert_int_equal(run_table(settings, PLAIT_F64, x, N, &first), PLAIT_OK);
  plait_array in = {.name = "x",
                    .units = "",
                    .type = PLAIT_F64,
                    .ndim = 3,
                    .shape = {D, 20, 25},
                    .dims = {"time", "y", "x"},
                    .coord_units = {"", "", ""}};
  void *const out[] = {second.centers,    second.counts,   &second.inertia, &second.iterations,
                       &second.converged, &second.skipped, second.labels};
  snprintf(settings, sizeof settings, "k=5 features=time centers=%s", centers_path);
  if (apply(settings, &in, turned, 9, 5, out) != PLAIT_OK) fail_msg("%s", pl_message());
  assert_memory_equal(first.labels, second.labels, sizeof first.labels);
  assert_true(fabs(first.inertia - second.inertia) <= 1e-9 * first.inertia);
}

static void missing_values(void **state) {
  (void)state;
  static double x[N * D], less[(N - 2) * D];
  answer all = {.inertia = 0}, without = {.inertia = 0};
  make_rows(x);
  write_centers(x, K, D);
  char settings[200];
  snprintf(settings, sizeof settings, "k=5 missing=skip centers=%s", centers_path);
  memcpy(less, x, 100 * D * sizeof *x);
  memcpy(less + 100 * D, x + 101 * D, 398 * D * sizeof *x);
  x[100 * D + 3] = x[499 * D] = NAN;
  assert_int_equal(run_table("k=5", PLAIT_F64, x, 50, &all), PLAIT_REFUSED);
  assert_non_null(strstr(pl_message(), "row 100 "));
  assert_int_equal(run_table(settings, PLAIT_F32, x, 50, &all), PLAIT_OK);
  assert_int_equal(all.labels[100], -1);
  assert_int_equal(all.labels[499], -1);
  assert_int_equal(all.skipped, 2);
  plait_array in = table_of(PLAIT_F64, N - 2, D);
  void *const out[] = {without.centers,    without.counts,   &without.inertia, &without.iterations,
                       &without.converged, &without.skipped, without.labels};
  assert_int_equal(apply(settings, &in, less, 50, 5, out), PLAIT_OK);
  assert_memory_equal(all.counts, without.counts, sizeof all.counts);
  assert_memory_equal(all.labels, without.labels, 100 * sizeof *all.labels);
  assert_memory_equal(all.labels + 101, without.labels + 100, 398 * sizeof *all.labels);
  for (int i = 0; i < N * D; i++) x[i] = NAN;
  assert_int_equal(run_table("k=5 missing=skip", PLAIT_F64, x, 50, &all), PLAIT_REFUSED);
  assert_non_null(strstr(pl_message(), "0 rows"));
}

// Clusters that lie apart are all found, whatever the seed: k-means++ alone leaves two centres in
// one for every eighth seed.
static void every_seed_finds_all(void **state) {
  (void)state;
  enum { SIDE = 5, CLUSTERS = SIDE * SIDE, ROWS = 40 * CLUSTERS, SEEDS = 60 };
  static double x[ROWS * 2], centers[CLUSTERS * 2];
  double inertia;
  int64_t counts[CLUSTERS], iterations, converged, skipped;
  static int32_t labels[ROWS];
  void *const out[] = {centers, counts, &inertia, &iterations, &converged, &skipped, labels};
  plait_array in = table_of(PLAIT_F64, ROWS, 2);
  for (int i = 0; i < ROWS; i++) {
    x[2 * i] = 10.0 * (i % SIDE) + 3 * noise(2 * i);
    x[2 * i + 1] = 10.0 * (i / SIDE % SIDE) + 3 * noise(2 * i + 1);
  }
  for (int seed = 0; seed < SEEDS; seed++) {
    char settings[40];
    snprintf(settings, sizeof settings, "k=25 seed=%d", seed);
    if (apply(settings, &in, x, ROWS, 7, out) != PLAIT_OK) fail_msg("%s", pl_message());
    for (int c = 0; c < CLUSTERS; c++)
      if (counts[c] != 40) fail_msg("seed %d: a cluster of %d rows", seed, (int)counts[c]);
  }
}

// Two of three centres stand where nobody is: the farthest rows become centres.
static void empty_clusters(void **state) {
  (void)state;
  const double x[] = {0, 1, 2, 10, 11, 12, 100}, away[] = {5, 1e6, 2e6};
  double centers[3], inertia;
  int64_t counts[3], iterations, converged, skipped;
  int32_t labels[7];
  char settings[200];
  plait_array in = {.name = "",
                    .units = "",
                    .type = PLAIT_F64,
                    .ndim = 1,
                    .shape = {7},
                    .dims = {"i"},
                    .coord_units = {""}};
  void *const out[] = {centers, counts, &inertia, &iterations, &converged, &skipped, labels};
  write_centers(away, 3, 1);
  snprintf(settings, sizeof settings, "k=3 tolerance=0 centers=%s", centers_path);
  if (apply(settings, &in, x, 3, 5, out) != PLAIT_OK) fail_msg("%s", pl_message());
  assert_true(fabs(inertia - 4) < 1e-9);
  for (int c = 0; c < 3; c++) assert_true(counts[c] > 0);
  assert_int_equal(converged, 1);
  assert_int_equal(skipped, 0);
  assert_int_equal(labels[0], labels[2]);
  assert_int_equal(labels[3], labels[5]);
  assert_int_not_equal(labels[0], labels[3]);
}

static void equal_rows(void **state) {
  (void)state;
  static double x[N * D];
  answer a = {.inertia = 1};
  for (int i = 0; i < N * D; i++) x[i] = 3.5;
  assert_int_equal(run_table("k=5", PLAIT_F64, x, 60, &a), PLAIT_OK);
  assert_true(a.inertia == 0 && a.iterations == 1);
  for (int i = 0; i < N; i++) assert_int_equal(a.labels[i], a.labels[0]);
  for (int i = 0; i < K * D; i++) assert_true(a.centers[i] == 3.5);
  assert_int_equal(run_table("k=5 iterations=0", PLAIT_F64, x, 60, &a), PLAIT_OK);
  assert_int_equal(a.iterations, 0);
}

static void refused(const char *settings, plait_err code, const char *why) {
  static double x[N * D];
  answer a;
  make_rows(x);
  x[0] = INFINITY * (strstr(why, "infinite") != NULL ? 1 : 0);
  if (!strstr(why, "infinite")) x[0] = 1;
  assert_int_equal(run_table(settings, PLAIT_F64, x, 60, &a), code);
  if (!strstr(pl_message(), why)) fail_msg("'%s' does not say '%s'", pl_message(), why);
}

static void senseless(void **state) {
  (void)state;
  char settings[200];
  write_centers((const double[12]){0}, 4, 3);
  snprintf(settings, sizeof settings, "k=5 centers=%s", centers_path);
  refused("k=501", PLAIT_JOB, "501 clusters are asked for, the input has 500 rows");
  refused("k=0", PLAIT_JOB, "k");
  refused("k=5 features=all", PLAIT_JOB, "features");
  refused("k=5 init=kmeans", PLAIT_JOB, "k-means++");
  refused(settings, PLAIT_REFUSED, "5 x 7 values wanted, the file has 4 x 3");
  refused("k=5 centers=/nowhere.npy", PLAIT_INPUT, "nowhere");
  refused("k=5", PLAIT_REFUSED, "infinite");
}

// ---- teams ----------------------------------------------------------------------------------
static void survey_by_team(int threads, void *partial, size_t bytes) {
  static float x[N * D];
  const plait_kernel *kernel = pl_kernel_find("kmeans");
  plait_array in = table_of(PLAIT_F32, N, D);
  plait_problem problem = {.input = &in};
  plait_plan plan = {.noutputs = 0};
  plait_aside aside[PLAIT_ASIDES] = {{.ndim = 0}};
  void *params, *keep, *state, *shared, *scratch[3];
  for (int i = 0; i < N * D; i++) x[i] = (float)noise(i);
  assert_int_equal(
      pl_params_from_text(kernel->params, kernel->params_size, "k=5 seed=2", &params, &keep),
      PLAIT_OK);
  assert_int_equal(pl_params_bind(kernel->params, params, keep, &in), PLAIT_OK);
  kernel->plan(&problem, params, &plan);
  assert_true(plan.partial_bytes <= bytes);
  assert_int_equal(pl_calloc(1, plan.state_bytes, &state), PLAIT_OK);
  assert_int_equal(pl_calloc(1, plan.shared_bytes, &shared), PLAIT_OK);
  for (int t = 0; t < 3; t++) assert_int_equal(pl_calloc(1, plan.scratch_bytes, &scratch[t]), 0);
  pl_box box = {.ndim = 2, .n = {N, D}};
  plait_block block = pl_block_over(x, PLAIT_F32, &box, NULL);
  plait_call call = {.problem = &problem,
                     .plan = &plan,
                     .params = params,
                     .state = state,
                     .shared = shared,
                     .aside = aside,
                     .threads = threads};
  for (; call.pass < 3; call.pass++) {
    memset(partial, 0, bytes);
#pragma omp parallel num_threads(threads) firstprivate(call)
    {
      call.thread = omp_get_thread_num();
      call.scratch = scratch[call.thread];
      kernel->reduce.block(&call, &block, partial);
    }
    call.scratch = scratch[0];
    if (call.pass < 2) assert_true(kernel->reduce.next(&call, partial, state));
  }
  for (int t = 0; t < 3; t++) pl_free(&scratch[t]);
  pl_free(&shared);
  pl_free(&state);
  pl_params_free(&params, &keep);
}

static void teams_of_any_size(void **state) {
  (void)state;
  enum { BYTES = 1 << 20 };
  static char one[BYTES], many[BYTES];
  survey_by_team(1, one, BYTES);
  for (int threads = 2; threads <= 3; threads++) {
    survey_by_team(threads, many, BYTES);
    assert_memory_equal(one, many, BYTES);
  }
}

static int make_file(void **state) {
  (void)state;
  int fd = mkstemp(centers_path);
  return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state) {
  (void)state;
  return unlink(centers_path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(like_plain_lloyd),
      cmocka_unit_test(rows_along_any_axes),
      cmocka_unit_test(missing_values),
      cmocka_unit_test(empty_clusters),
      cmocka_unit_test(every_seed_finds_all),
      cmocka_unit_test(equal_rows),
      cmocka_unit_test(senseless),
      cmocka_unit_test(teams_of_any_size),
  };
  return cmocka_run_group_tests(tests, make_file, remove_file);
}
