// SPDX-License-Identifier: BSD-3-Clause
//
// Boxes, halo sources and boundary rules. The rules are checked on random blocks against a cell by
// cell evaluation of their definition.
#include "data/box.h"
#include "data/value.h"
#include "base/err.h"
#include "base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

static void test_cells_grow_meet(void **state) {
  (void)state;
  const int64_t shape[] = {10, 20}, halo[] = {3, 5};
  pl_box a = {2, {2, 10}, {4, 10}}, common;
  assert_int_equal(pl_box_cells(&a), 40);
  assert_int_equal(pl_box_cells(&(pl_box){0}), 1);
  pl_box g = pl_box_grow(&a, halo, shape);
  assert_int_equal(g.lo[0], 0);
  assert_int_equal(g.n[0], 9);
  assert_int_equal(g.lo[1], 5);
  assert_int_equal(g.n[1], 15);
  pl_box b = {2, {5, 0}, {5, 11}};
  assert_true(pl_box_meet(&a, &b, &common));
  assert_int_equal(common.lo[0], 5);
  assert_int_equal(common.n[0], 1);
  assert_int_equal(common.lo[1], 10);
  assert_int_equal(common.n[1], 1);
  b.n[1] = 10; // ends where `a` begins
  assert_false(pl_box_meet(&a, &b, &common));
}

static void test_block_over_and_part(void **state) {
  (void)state;
  int16_t data[7 * 9] = {0};
  const int64_t halo[] = {2, 1};
  pl_box box = {2, {10, 20}, {3, 7}};
  assert_int_equal(pl_block_bytes(PLAIT_I16, &box, halo), sizeof data);
  assert_int_equal(pl_block_bytes(PLAIT_I16, &box, NULL), 3 * 7 * 2);
  plait_block b = pl_block_over(data, PLAIT_I16, &box, halo);
  assert_ptr_equal(b.data, &data[2 * 9 + 1]);
  assert_int_equal(b.stride[0], 9);
  assert_int_equal(b.stride[1], 1);
  pl_box corner = {2, {8, 26}, {7, 2}}; // reaches into the halo
  plait_block p = pl_block_part(&b, &corner);
  assert_ptr_equal(p.data, &data[7]);
  assert_int_equal(p.halo[0] + p.halo[1], 0);
  assert_int_equal(p.origin[1], 26);
  assert_int_equal(p.extent[0], 7);
}

typedef struct seen {
  int calls, stop_at;
  int64_t cells;
  unsigned char *marks;
} seen;

static plait_err mark(int64_t in_array, int64_t in_box, int64_t cells, void *data) {
  seen *s = data;
  assert_int_equal(in_box, s->cells);
  memset(s->marks + in_array, 1, (size_t)cells);
  s->cells += cells;
  return ++s->calls == s->stop_at ? PLAIT_IO : PLAIT_OK;
}

static void check_runs(pl_box box, const int64_t shape[], int calls) {
  unsigned char marks[4 * 5 * 6] = {0};
  seen s = {.marks = marks};
  assert_int_equal(pl_box_runs(&box, shape, mark, &s), PLAIT_OK);
  assert_int_equal(s.calls, calls);
  assert_int_equal(s.cells, pl_box_cells(&box));
  for (int64_t i = 0; i < 4 * 5 * 6; i++) {
    int64_t at[3] = {i / 30, i / 6 % 5, i % 6};
    bool inside = true;
    for (int d = 0; d < 3; d++) inside &= at[d] >= box.lo[d] && at[d] < box.lo[d] + box.n[d];
    assert_int_equal(marks[i], inside);
  }
}

static void test_runs(void **state) {
  (void)state;
  const int64_t shape[] = {4, 5, 6};
  check_runs((pl_box){3, {0, 0, 0}, {4, 5, 6}}, shape, 1);
  check_runs((pl_box){3, {1, 0, 0}, {2, 5, 6}}, shape, 1);
  check_runs((pl_box){3, {1, 1, 0}, {2, 3, 6}}, shape, 2);
  check_runs((pl_box){3, {1, 1, 2}, {2, 3, 3}}, shape, 6);
  check_runs((pl_box){3, {3, 4, 5}, {1, 1, 1}}, shape, 1);
  check_runs((pl_box){3, {0, 0, 1}, {4, 5, 1}}, shape, 20);
  check_runs((pl_box){3, {0, 0, 0}, {4, 0, 6}}, shape, 0);
  unsigned char marks[120];
  seen s = {.marks = marks, .stop_at = 2};
  assert_int_equal(pl_box_runs(&(pl_box){3, {0, 0, 0}, {4, 5, 1}}, shape, mark, &s), PLAIT_IO);
  assert_int_equal(s.calls, 2);
  s = (seen){.marks = marks};
  assert_int_equal(pl_box_runs(&(pl_box){0}, shape, mark, &s), PLAIT_OK);
  assert_int_equal(s.cells, 1);
}

static void test_boundary_index(void **state) {
  (void)state;
  static const char *const expected[] = {// around a b c d, from 6 before to 7 behind
                                         [PLAIT_REFLECT] = "cddcbaabcddcbaabc",
                                         [PLAIT_NEAREST] = "aaaaaaabcdddddddd",
                                         [PLAIT_MIRROR] = "abcdcbabcdcbabcdc",
                                         [PLAIT_CONSTANT] = "kkkkkkabcdkkkkkkk",
                                         [PLAIT_PERIODIC] = "cdabcdabcdabcdabc"};
  for (int rule = PLAIT_REFLECT; rule <= PLAIT_PERIODIC; rule++)
    for (int64_t x = -6; x < 11; x++) {
      int64_t i = pl_boundary_index((plait_boundary)rule, x, 4);
      char got = i < 0 ? 'k' : (char)('a' + i), want = expected[rule][x + 6];
      assert_int_equal(got, want);
    }
  for (int64_t x = -3; x < 4; x++) { // a single cell
    assert_int_equal(pl_boundary_index(PLAIT_MIRROR, x, 1), 0);
    assert_int_equal(pl_boundary_index(PLAIT_REFLECT, x, 1), 0);
    assert_int_equal(pl_boundary_index(PLAIT_PERIODIC, x, 1), 0);
  }
}

static uint64_t next(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return *seed >> 33;
}

typedef struct trial {
  int ndim;
  int64_t shape[PLAIT_DIMS], halo[PLAIT_DIMS];
  plait_boundary rule[PLAIT_DIMS];
  pl_box box;
  plait_type type;
} trial;

static trial draw(uint64_t *seed) {
  trial t = {.ndim = 1 + (int)(next(seed) % 4), .type = (plait_type)(next(seed) % PLAIT_TYPES)};
  t.box.ndim = t.ndim;
  for (int d = 0; d < t.ndim; d++) {
    t.shape[d] = 1 + (int64_t)(next(seed) % 6);
    t.halo[d] = (int64_t)(next(seed) % (next(seed) % 4 == 0 ? 14 : 4));
    t.rule[d] = (plait_boundary)(next(seed) % 5);
    t.box.lo[d] = (int64_t)next(seed) % t.shape[d];
    t.box.n[d] = 1 + (int64_t)next(seed) % (t.shape[d] - t.box.lo[d]);
  }
  return t;
}

static double cell_value(const trial *t, const int64_t at[]) {
  double v = 0;
  for (int d = 0; d < t->ndim; d++) v = v * 3 + (double)at[d];
  return fmod(v, 100) + 1;
}

// Steps `at` through lo .. hi - 1. false after the last.
static bool step(int ndim, const int64_t lo[], const int64_t hi[], int64_t at[]) {
  for (int d = ndim - 1; d >= 0; d--) {
    if (++at[d] < hi[d]) return true;
    at[d] = lo[d];
  }
  return false;
}

static ptrdiff_t place(const plait_block *b, const int64_t at[]) {
  ptrdiff_t p = 0;
  for (int d = 0; d < b->ndim; d++) p += (at[d] - b->origin[d]) * b->stride[d];
  return p;
}

// Puts the cells of a source where the contract says.
static void bring(const trial *t, const plait_block *block, const pl_source *s) {
  plait_block to = pl_block_part(block, &s->at);
  int64_t hi[PLAIT_DIMS], at[PLAIT_DIMS], from[PLAIT_DIMS];
  for (int d = 0; d < t->ndim; d++) {
    assert_true(s->from.lo[d] >= 0 && s->from.lo[d] + s->from.n[d] <= t->shape[d]);
    assert_int_equal(s->from.n[d], s->at.n[d]);
    at[d] = s->at.lo[d];
    hi[d] = at[d] + s->at.n[d];
  }
  do {
    for (int d = 0; d < t->ndim; d++) from[d] = at[d] - s->at.lo[d] + s->from.lo[d];
    ptrdiff_t p = place(&to, at);
    pl_value_set(t->type, (char *)to.data + p * (ptrdiff_t)plait_type_size(t->type), 0,
                 cell_value(t, from));
  } while (step(t->ndim, s->at.lo, hi, at));
}

static void check_cells(const trial *t, const plait_block *b, double constant) {
  int64_t lo[PLAIT_DIMS], hi[PLAIT_DIMS], at[PLAIT_DIMS], from[PLAIT_DIMS];
  for (int d = 0; d < t->ndim; d++) {
    at[d] = lo[d] = t->box.lo[d] - t->halo[d];
    hi[d] = t->box.lo[d] + t->box.n[d] + t->halo[d];
  }
  do {
    bool outside = false;
    for (int d = 0; d < t->ndim; d++) {
      from[d] = pl_boundary_index(t->rule[d], at[d], t->shape[d]);
      outside |= from[d] < 0;
    }
    const char *cell = (char *)b->data + place(b, at) * (ptrdiff_t)plait_type_size(t->type);
    double want = outside ? constant : cell_value(t, from);
    if (pl_value(t->type, cell, 0) != want) fail_msg("wrong halo cell");
  } while (step(t->ndim, lo, hi, at));
}

static void test_halo_of_random_blocks(void **state) {
  (void)state;
  uint64_t seed = 7;
  for (int i = 0; i < 3000; i++) {
    trial t = draw(&seed);
    void *data;
    pl_source s;
    size_t bytes = pl_block_bytes(t.type, &t.box, t.halo);
    assert_int_equal(pl_alloc(bytes, 1, &data), PLAIT_OK);
    memset(data, 0x7e, bytes);
    plait_block b = pl_block_over(data, t.type, &t.box, t.halo);
    for (int k = 0; pl_box_source(&t.box, t.halo, t.shape, t.rule, k, &s); k++) bring(&t, &b, &s);
#pragma omp parallel num_threads(1 + i % 3)
    pl_block_fill_boundary(&b, t.shape, t.rule, 77);
    check_cells(&t, &b, 77);
    pl_free(&data);
  }
}

static void test_sources_count(void **state) {
  (void)state;
  const int64_t shape[] = {100, 100}, halo[] = {5, 5};
  const plait_boundary periodic[] = {PLAIT_PERIODIC, PLAIT_PERIODIC};
  const plait_boundary reflect[] = {PLAIT_REFLECT, PLAIT_MIRROR};
  pl_box corner = {2, {0, 90}, {10, 10}}, middle = {2, {40, 40}, {10, 10}};
  pl_source s;
  int n = 0;
  while (pl_box_source(&corner, halo, shape, periodic, n, &s)) n++;
  assert_int_equal(n, 4);
  assert_int_equal(s.from.ndim, 2);
  assert_true(pl_box_source(&corner, halo, shape, periodic, 3, &s)); // the far corner
  assert_int_equal(s.from.lo[0], 95);
  assert_int_equal(s.at.lo[0], -5);
  assert_int_equal(s.from.lo[1], 0);
  assert_int_equal(s.at.lo[1], 100);
  assert_false(pl_box_source(&corner, halo, shape, reflect, 1, &s));
  assert_true(pl_box_source(&middle, halo, shape, periodic, 0, &s));
  assert_false(pl_box_source(&middle, halo, shape, periodic, 1, &s));
}

static void test_constant_is_clamped(void **state) {
  (void)state;
  const int64_t shape[] = {1}, halo[] = {1};
  const plait_boundary rule[] = {PLAIT_CONSTANT};
  uint8_t data[3] = {9, 9, 9};
  plait_block b = pl_block_over(data, PLAIT_U8, &(pl_box){1, {0}, {1}}, halo);
  pl_block_fill_boundary(&b, shape, rule, 1e9);
  assert_int_equal(data[0], 255);
  assert_int_equal(data[1], 9);
  pl_block_fill_boundary(&b, shape, rule, NAN);
  assert_int_equal(data[2], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cells_grow_meet),
      cmocka_unit_test(test_block_over_and_part),
      cmocka_unit_test(test_runs),
      cmocka_unit_test(test_boundary_index),
      cmocka_unit_test(test_sources_count),
      cmocka_unit_test(test_halo_of_random_blocks),
      cmocka_unit_test(test_constant_is_clamped),
  };
  return cmocka_run_group_tests_name("box", tests, NULL, NULL);
}
