// SPDX-License-Identifier: BSD-3-Clause
//
// Rows of values between types, and the rows of a block.
#include "plait.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { N = 37 }; // not a multiple of any vector

// Small whole numbers pass through every type unchanged, by float32 and by float64.
static void every_type_round_trip(void **state) {
  (void)state;
  for (plait_type type = PLAIT_I8; type < PLAIT_TYPES; type++) {
    double in[N], out[N];
    float in32[N], out32[N];
    char stored[N * 8];
    for (int i = 0; i < N; i++) in[i] = i * 3, in32[i] = (float)(i * 3);
    plait_row_from_f64(type, in, N, stored);
    plait_row_to_f64(type, stored, N, out);
    plait_row_to_f32(type, stored, N, out32);
    for (int i = 0; i < N; i++) assert_true(out[i] == i * 3 && out32[i] == (float)(i * 3));
    memset(stored, 1, sizeof stored);
    plait_row_from_f32(type, in32, N, stored);
    plait_row_to_f64(type, stored, N, out);
    for (int i = 0; i < N; i++) assert_true(out[i] == i * 3);
  }
}

static void rounds_to_nearest_even_and_saturates(void **state) {
  (void)state;
  float row[] = {-1,     -0.5F,  0.5F, 1.5F,     2.5F,      254.49F,
                 254.5F, 255.4F, 300,  INFINITY, -INFINITY, NAN};
  const uint8_t want[] = {0, 0, 0, 2, 2, 254, 254, 255, 255, 255, 0, 0};
  uint8_t got[12];
  plait_row_from_f32(PLAIT_U8, row, 12, got);
  assert_memory_equal(got, want, 12);
  double wide[] = {1e30, -1e30, -2.5, 0x1p62};
  int64_t i64[4];
  plait_row_from_f64(PLAIT_I64, wide, 4, i64);
  assert_true(i64[0] > INT64_MAX - 1024 && i64[1] == INT64_MIN && i64[2] == -2);
  assert_true(i64[3] == INT64_C(1) << 62);
  float f[] = {1e30F, -1};
  uint64_t u64[2];
  plait_row_from_f32(PLAIT_U64, f, 2, u64);
  assert_true(u64[0] >= UINT64_MAX - ((UINT64_C(1) << 40) - 1) && u64[1] == 0);
}

static void missing_values_stay_between_floats(void **state) {
  (void)state;
  float f[] = {NAN, 1, INFINITY};
  double d[3];
  plait_row_to_f64(PLAIT_F32, f, 3, d);
  assert_true(isnan(d[0]) && d[1] == 1 && isinf(d[2]));
  plait_row_from_f64(PLAIT_F32, d, 3, f);
  assert_true(isnan(f[0]) && f[1] == 1 && isinf(f[2]));
  plait_row_to_f64(PLAIT_F32, f, 0, d); // nothing to do
}

static void rows_of_a_block(void **state) {
  (void)state;
  int16_t cells[4 * 5 * 6];
  for (int i = 0; i < 4 * 5 * 6; i++) cells[i] = (int16_t)i;
  plait_block part = {.data = &cells[1 * 30 + 2 * 6 + 3],
                      .type = PLAIT_I16,
                      .ndim = 3,
                      .extent = {3, 2, 2},
                      .stride = {30, 6, 1}};
  assert_int_equal(plait_rows(&part), 6);
  for (int64_t row = 0; row < 6; row++)
    assert_int_equal(*(int16_t *)plait_row(&part, row), (1 + row / 2) * 30 + (2 + row % 2) * 6 + 3);
  plait_block scalar = {.data = cells, .type = PLAIT_I16, .ndim = 0};
  assert_int_equal(plait_rows(&scalar), 1);
  assert_ptr_equal(plait_row(&scalar, 0), cells);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_round_trip),
      cmocka_unit_test(rounds_to_nearest_even_and_saturates),
      cmocka_unit_test(missing_values_stay_between_floats),
      cmocka_unit_test(rows_of_a_block),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
