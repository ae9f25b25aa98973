// SPDX-License-Identifier: BSD-3-Clause
//
// stats: cells are independent, so what a block gives for a cell does not depend on how many cells
// it has. A wide block comes in strips and parts, a narrow one as a whole; every bit must be the
// same, also where values are missing until a later part, or all of them.
#include "base/err.h"
#include "base/mem.h"
#include "engine/registry.h"
#include "engine/task.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { RESULTS = 7 };
static const char *const statistics = "statistics=[count,mean,variance,std,min,max,sum] ";

typedef struct input {
  plait_array array;
  int64_t cells, values; // of the array; of each kept cell
  void *data;
} input;

static uint32_t random_at(int64_t i) {
  uint32_t r[4];
  plait_random(7, 0, (uint64_t)i, r);
  return r[0];
}

// Value v of cell c. Some cells begin with missing values, or have only those; some are infinite.
static double float_at(int64_t c, int64_t v, int64_t i) {
  if (c % 97 == 5 || (c % 3 == 0 && v < c % 61)) return NAN;
  if (c % 101 == 7 && v % 50 < 20) return v % 100 < 50 ? INFINITY : -INFINITY;
  return 280 + (double)(random_at(i) % 4096) / 256;
}

static void set(const input *in, int64_t i, int64_t c, int64_t v, bool gaps) {
  double x = gaps ? float_at(c, v, i) : 280 + (double)(random_at(i) % 4096) / 256;
  switch (in->array.type) {
  case PLAIT_F32:
    ((float *)in->data)[i] = (float)x;
    break;
  case PLAIT_F64:
    ((double *)in->data)[i] = x;
    break;
  case PLAIT_I16:
    ((int16_t *)in->data)[i] = (int16_t)(random_at(i) % 60001 - 30000);
    break;
  default:
    ((uint64_t *)in->data)[i] = UINT64_MAX - random_at(i);
  }
}

static void make_input(plait_type type, const int64_t shape[3], const bool reduced[3], bool gaps,
                       input *in) {
  *in = (input){.array = {.name = "v",
                          .units = "K",
                          .type = type,
                          .ndim = 3,
                          .shape = {shape[0], shape[1], shape[2]},
                          .dims = {"a", "b", "c"},
                          .coord_units = {"", "", ""}},
                .cells = shape[0] * shape[1] * shape[2],
                .values = 1};
  for (int d = 0; d < 3; d++)
    if (reduced[d]) in->values *= shape[d];
  assert_int_equal(pl_alloc((size_t)in->cells, plait_type_size(type), &in->data), PLAIT_OK);
  for (int64_t i = 0; i < in->cells; i++) {
    int64_t at[3] = {i / shape[2] / shape[1], i / shape[2] % shape[1], i % shape[2]}, c = 0, v = 0;
    for (int d = 0; d < 3; d++) *(reduced[d] ? &v : &c) = (reduced[d] ? v : c) * shape[d] + at[d];
    set(in, i, c, v, gaps);
  }
}

static void apply(const input *in, const char *axes, const int64_t block[3], void *out[RESULTS]) {
  char settings[128] = "";
  plait_lab lab = {.apply = pl_lab_apply, .kernel = pl_kernel_find("stats")};
  strcat(strcat(settings, statistics), axes);
  for (int i = 0; i < RESULTS; i++)
    assert_int_equal(pl_calloc((size_t)(in->cells / in->values), 8, &out[i]), PLAIT_OK);
  if (lab.apply(&lab, settings, &in->array, in->data, block, out) != PLAIT_OK)
    fail_msg("%s", pl_message());
}

static void wide_as_narrow(plait_type type, const int64_t shape[3], const bool reduced[3],
                           const char *axes, const int64_t narrow[3], bool gaps) {
  input in;
  void *one[RESULTS], *other[RESULTS];
  make_input(type, shape, reduced, gaps, &in);
  apply(&in, axes, shape, one);
  apply(&in, axes, narrow, other);
  for (int i = 0; i < RESULTS; i++) {
    if (memcmp(one[i], other[i], (size_t)(in.cells / in.values) * 8) != 0)
      fail_msg("%s, %s: result %d differs", plait_type_name(type), axes, i);
    pl_free(&one[i]);
    pl_free(&other[i]);
  }
  pl_free(&in.data);
}

static void over_the_first_axis(void **state) {
  (void)state;
  const int64_t shape[] = {300, 32, 512}, narrow[] = {300, 1, 128};
  const bool reduced[] = {true, false, false};
  wide_as_narrow(PLAIT_F32, shape, reduced, "axes=[0]", narrow, false);
  wide_as_narrow(PLAIT_F32, shape, reduced, "axes=[0]", narrow, true);
  wide_as_narrow(PLAIT_F64, shape, reduced, "axes=[0]", narrow, true);
  wide_as_narrow(PLAIT_I16, shape, reduced, "axes=[0]", narrow, false);
  wide_as_narrow(PLAIT_U64, shape, reduced, "axes=[0]", narrow, false);
}

static void over_two_axes(void **state) {
  (void)state;
  const int64_t shape[] = {90, 10, 4096}, narrow[] = {90, 10, 128};
  const bool reduced[] = {true, true, false};
  wide_as_narrow(PLAIT_F32, shape, reduced, "axes=[0,1]", narrow, true);
  wide_as_narrow(PLAIT_F64, shape, reduced, "axes=[0,1]", narrow, true);
}

static void over_an_axis_in_the_middle(void **state) {
  (void)state;
  const int64_t shape[] = {5, 300, 2048}, narrow[] = {1, 300, 512};
  const bool reduced[] = {false, true, false};
  wide_as_narrow(PLAIT_F32, shape, reduced, "axes=[1]", narrow, true);
  wide_as_narrow(PLAIT_F64, shape, reduced, "axes=[1]", narrow, true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(over_the_first_axis),
      cmocka_unit_test(over_two_axes),
      cmocka_unit_test(over_an_axis_in_the_middle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
