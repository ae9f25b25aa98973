// SPDX-License-Identifier: BSD-3-Clause
//
// Decoding and encoding against one value at a time, for all types, byte orders, with and without
// packing and missing values, in padded blocks, by one to three threads.
#include "data/convert.h"
#include "base/mem.h"
#include "data/box.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

static const int64_t shape[] = {3, 5, 700}; // rows longer than a batch of the loops
enum { CELLS = 3 * 5 * 700 };

static bool is_float(plait_type t) {
  return t == PLAIT_F32 || t == PLAIT_F64;
}

static void swap_one(unsigned char *at, size_t size) {
  for (size_t i = 0; i < size / 2; i++) {
    unsigned char keep = at[i];
    at[i] = at[size - 1 - i];
    at[size - 1 - i] = keep;
  }
}

static double sample(plait_type type, int64_t cell) { // exact in every type
  double v = (double)(cell * 37 % 101);
  if (is_float(type)) return v * 0.25 - 7;
  return type == PLAIT_U8 || type == PLAIT_I8 ? v : v * 3;
}

static size_t index_of(const plait_block *b, int64_t cell) {
  int64_t i = cell / 3500, j = cell / 700 % 5, k = cell % 700;
  return (size_t)(i * b->stride[0] + j * b->stride[1] + k);
}

// Checks every own cell of a decode, and that no halo cell was touched.
static void check_decode(const pl_convert *c, bool in_place, bool padded, int threads) {
  const size_t in = plait_type_size(c->stored), out = plait_type_size(c->type);
  const int64_t halo[] = {padded, padded, 2 * padded};
  pl_box box = {3, {0}, {shape[0], shape[1], shape[2]}};
  size_t bytes = pl_block_bytes(c->type, &box, halo);
  unsigned char *raw, *data;
  assert_int_equal(pl_calloc(CELLS, in, &raw), PLAIT_OK);
  assert_int_equal(pl_alloc(bytes, 1, &data), PLAIT_OK);
  memset(data, 0xa5, bytes);
  plait_block b = pl_block_over(data, c->type, &box, halo);
  for (int64_t i = 0; i < CELLS; i++) {
    pl_value_set(c->stored, raw, (size_t)i, sample(c->stored, i));
    if (c->swap) swap_one(raw + (size_t)i * in, in);
    if (in_place) memcpy((char *)b.data + index_of(&b, i) * out, raw + (size_t)i * in, in);
  }
#pragma omp parallel num_threads(threads)
  pl_decode(c, in_place ? NULL : raw, &b);
  int64_t untouched = 0;
  for (size_t i = 0; i < bytes; i++) untouched += data[i] == 0xa5;
  assert_true(!padded || untouched >= (int64_t)bytes - CELLS * (int64_t)out);
  for (int64_t i = 0; i < CELLS; i++) {
    double stored = sample(c->stored, i), want = stored;
    if (c->packed) want = stored * c->scale + c->offset;
    for (int m = 0; m < c->nmissing; m++)
      if (stored == c->missing[m] && is_float(c->type)) want = NAN;
    if (c->type == PLAIT_F32) want = (double)(float)want;
    double got = pl_value(c->type, b.data, index_of(&b, i));
    if (!(got == want || (isnan(got) && isnan(want)))) fail_msg("cell %d differs", (int)i);
  }
  pl_free(&raw);
  pl_free(&data);
}

static void test_decode(void **state) {
  (void)state;
  int run = 0;
  for (int t = 0; t < PLAIT_TYPES; t++)
    for (int kind = 0; kind < 4; kind++) {
      pl_meta m = {.stored = (plait_type)t, .packed = kind & 1, .scale = 0.1, .offset = 5};
      m.nmissing = kind & 2 ? 2 : 0;
      m.missing[0] = sample(m.stored, 3);
      m.missing[1] = sample(m.stored, 11);
      pl_meta_settle(&m, kind == 1 ? PLAIT_F32 : PLAIT_F64);
      for (int swap = 0; swap < 2; swap++) {
        pl_convert c = pl_convert_of(&m, swap);
        check_decode(&c, false, run % 2, 1 + run % 3);
        if (pl_convert_in_place(&c)) check_decode(&c, true, run % 2, 1 + run % 3);
        run++;
      }
    }
}

static void test_idle(void **state) {
  (void)state;
  pl_meta m = {.stored = PLAIT_F32, .type = PLAIT_F32};
  pl_convert c = pl_convert_of(&m, false);
  assert_true(pl_convert_idle(&c));
  assert_true(pl_convert_in_place(&c));
  c = pl_convert_of(&m, true);
  assert_false(pl_convert_idle(&c));
  m.nmissing = 1;
  c = pl_convert_of(&m, false);
  assert_false(pl_convert_idle(&c));
  m = (pl_meta){.stored = PLAIT_U8, .type = PLAIT_U8};
  c = pl_convert_of(&m, true); // a byte has no order
  assert_true(pl_convert_idle(&c));
  m = (pl_meta){.stored = PLAIT_I16, .packed = true};
  pl_meta_settle(&m, PLAIT_F32);
  c = pl_convert_of(&m, false);
  assert_false(pl_convert_idle(&c));
  assert_false(pl_convert_in_place(&c));
}

// A missing value given as float64 in the header of float32 data.
static void test_missing_is_rounded_to_the_stored_type(void **state) {
  (void)state;
  float data[] = {1.0f, 1e20f, 0.1f, -1.0f};
  pl_convert c = {.stored = PLAIT_F32, .type = PLAIT_F32, .nmissing = 2, .missing = {1e20, 0.1}};
  plait_block b = pl_block_over(data, PLAIT_F32, &(pl_box){1, {0}, {4}}, NULL);
  pl_decode(&c, NULL, &b);
  assert_true(data[0] == 1.0f && isnan(data[1]) && isnan(data[2]) && data[3] == -1.0f);
}

// Encoded values stand packed at the front of each piece.
static double encoded(const pl_convert *c, const char *row, int64_t i) {
  size_t in = plait_type_size(c->type), out = plait_type_size(c->stored);
  _Alignas(8) unsigned char value[8];
  const char *piece = row + (size_t)(i / PL_PIECE * PL_PIECE) * in;
  memcpy(value, piece + (size_t)(i % PL_PIECE) * out, out);
  if (c->swap) swap_one(value, out);
  return pl_value(c->stored, value, 0);
}

static void test_encode(void **state) {
  (void)state;
  enum { N = 2 * PL_PIECE + 777 };
  static const plait_type stored[] = {PLAIT_I8,  PLAIT_U8,  PLAIT_I16, PLAIT_U16, PLAIT_I32,
                                      PLAIT_U32, PLAIT_F32, PLAIT_F64, PLAIT_I64};
  for (int run = 0; run < 9 * 4; run++) {
    pl_convert c = {.stored = stored[run % 9],
                    .type = run & 1 ? PLAIT_F64 : PLAIT_F32,
                    .swap = run & 2,
                    .packed = true,
                    .scale = 0.5,
                    .offset = -10,
                    .nmissing = 1,
                    .missing = {99}};
    if (plait_type_size(c.stored) > plait_type_size(c.type)) continue;
    void *data;
    plait_raise raise = {0};
    assert_int_equal(pl_alloc(N, plait_type_size(c.type), &data), PLAIT_OK);
    for (size_t i = 0; i < N; i++)
      pl_value_set(c.type, data, i, i % 10 == 3 ? NAN : (double)(i % 50) * 0.5 - 10);
    plait_block b = pl_block_over(data, c.type, &(pl_box){1, {0}, {N}}, NULL);
#pragma omp parallel num_threads(1 + run % 3)
    pl_encode(&c, "z", &b, &raise);
    assert_int_equal(pl_raised(&raise), PLAIT_OK);
    for (int64_t i = 0; i < N; i++)
      assert_true(encoded(&c, data, i) == (i % 10 == 3 ? 99 : (double)(i % 50)));
    pl_free(&data);
  }
}

static void test_encode_floats_in_place(void **state) {
  (void)state;
  float data[] = {1, NAN, 3};
  plait_raise raise = {0};
  pl_convert c = {.stored = PLAIT_F32, .type = PLAIT_F32, .nmissing = 1, .missing = {-1e20}};
  plait_block b = pl_block_over(data, PLAIT_F32, &(pl_box){1, {0}, {3}}, NULL);
  pl_encode(&c, "z", &b, &raise);
  assert_true(data[0] == 1 && data[1] == -1e20f && data[2] == 3);
  c = (pl_convert){.stored = PLAIT_F32, .type = PLAIT_F32, .swap = true};
  pl_encode(&c, "z", &b, &raise);
  assert_true(encoded(&c, (char *)data, 2) == 3);
}

static void check_refused(double value, int nmissing, const char *text) {
  double data[] = {1, value, 2};
  plait_raise raise = {0};
  pl_convert c = {.stored = PLAIT_I16,
                  .type = PLAIT_F64,
                  .packed = true,
                  .scale = 0.01,
                  .nmissing = nmissing,
                  .missing = {-999}};
  plait_block b = pl_block_over(data, PLAIT_F64, &(pl_box){1, {0}, {3}}, NULL);
  pl_encode(&c, "depth", &b, &raise);
  assert_int_equal(pl_raised(&raise), PLAIT_OUTPUT);
  assert_non_null(strstr(pl_message(), "depth"));
  assert_non_null(strstr(pl_message(), text));
}

static void test_values_that_do_not_fit(void **state) {
  (void)state;
  check_refused(400, 1, "value 400 does not fit int16");
  check_refused(-INFINITY, 1, "does not fit");
  check_refused(NAN, 0, "without _FillValue");
}

static void test_swap(void **state) {
  (void)state;
  unsigned char data[] = {1, 2, 3, 4, 5, 6, 7, 8};
  uint64_t all;
  pl_swap(data, data, 4, 2);
  assert_memory_equal(data, ((unsigned char[]){2, 1, 4, 3, 6, 5, 8, 7}), 8);
  pl_swap(data, data, 2, 4);
  assert_memory_equal(data, ((unsigned char[]){3, 4, 1, 2, 7, 8, 5, 6}), 8);
  pl_swap(&all, data, 1, 8);
  assert_memory_equal(&all, ((unsigned char[]){6, 5, 8, 7, 2, 1, 4, 3}), 8);
  pl_swap(data, &all, 8, 1);
  assert_memory_equal(data, &all, 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_decode),
      cmocka_unit_test(test_idle),
      cmocka_unit_test(test_missing_is_rounded_to_the_stored_type),
      cmocka_unit_test(test_encode),
      cmocka_unit_test(test_encode_floats_in_place),
      cmocka_unit_test(test_values_that_do_not_fit),
      cmocka_unit_test(test_swap),
  };
  return cmocka_run_group_tests_name("convert", tests, NULL, NULL);
}
