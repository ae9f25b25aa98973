// SPDX-License-Identifier: BSD-3-Clause
//
// Checksums of snapshots: the same however the grid is cut, another one for whatever is damaged.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h wants the four above
#include <cmocka.h>

#include "engine/snapshot.h"
#include <string.h>

enum { NZ = 3, NY = 4, NX = 10, CELLS = NZ * NY * NX };

static pl_march march_of(plait_type type) {
  pl_march m = {.grid = {.ndim = 3, .shape = {NZ, NY, NX}, .nfields = 1}};
  m.grid.field[0].type = type;
  return m;
}

// The sum of the cells of `all` that lie in a part.
static uint64_t sum_of(const pl_march *m, const char *all, const int64_t lo[3],
                       const int64_t n[3]) {
  size_t size = plait_type_size(m->grid.field[0].type), at = 0;
  pl_snapshots s = {.march = m, .nfields = 1, .stride = 1, .cells = n[0] * n[1] * n[2]};
  uint64_t room[CELLS];
  memcpy(s.lo, lo, sizeof s.lo);
  memcpy(s.n, n, sizeof s.n);
  for (int64_t k = lo[0]; k < lo[0] + n[0]; k++)
    for (int64_t j = lo[1]; j < lo[1] + n[1]; j++) {
      size_t row = (size_t)((k * NY + j) * NX + lo[2]) * size, bytes = (size_t)n[2] * size;
      memcpy((char *)room + at, all + row, bytes);
      at += bytes;
    }
  return pl_snapshots_sum(&s, 0, room);
}

static uint64_t whole(const pl_march *m, const void *all) {
  return sum_of(m, all, (int64_t[3]){0}, (int64_t[3]){NZ, NY, NX});
}

static void fill(uint64_t all[CELLS]) {
  uint64_t x = 1;
  for (int i = 0; i < CELLS; i++) all[i] = x = x * 6364136223846793005u + 1442695040888963407u;
}

static void cuts_do_not_show(void **state) {
  uint64_t all[CELLS];
  (void)state;
  fill(all);
  for (int wide = 0; wide < 2; wide++) {
    pl_march m = march_of(wide ? PLAIT_F64 : PLAIT_F32);
    for (int axis = 0; axis < 3; axis++)
      for (int64_t cut = 1; cut < m.grid.shape[axis]; cut++) {
        int64_t lo[3] = {0}, n[3] = {NZ, NY, NX};
        n[axis] = cut;
        uint64_t sum = sum_of(&m, (const char *)all, lo, n);
        lo[axis] = cut;
        n[axis] = m.grid.shape[axis] - cut;
        sum += sum_of(&m, (const char *)all, lo, n);
        assert_int_equal(sum, whole(&m, all));
      }
  }
}

static void every_bit_shows(void **state) {
  uint64_t all[CELLS];
  (void)state;
  fill(all);
  pl_march m = march_of(PLAIT_F64);
  uint64_t good = whole(&m, all);
  for (int i = 0; i < CELLS; i++)
    for (int bit = 0; bit < 64; bit++) {
      all[i] ^= (uint64_t)1 << bit;
      assert_int_not_equal(whole(&m, all), good);
      all[i] ^= (uint64_t)1 << bit;
    }
}

// What a disk loses and mixes up: words that are zero, words in each other's place, signs.
static void pairs_show(void **state) {
  uint64_t all[CELLS];
  uint32_t *word = (uint32_t *)all;
  (void)state;
  fill(all);
  pl_march m = march_of(PLAIT_F32);
  uint64_t good = whole(&m, all);
  for (int i = 0; i < CELLS; i++)
    for (int j = i + 1; j < CELLS; j++) {
      uint32_t a = word[i], b = word[j];
      word[i] = b, word[j] = a;
      assert_int_not_equal(whole(&m, all), good);
      word[i] = a ^ 1u << 31, word[j] = b ^ 1u << 31;
      assert_int_not_equal(whole(&m, all), good);
      word[i] = word[j] = 0;
      assert_int_not_equal(whole(&m, all), good);
      word[i] = a, word[j] = b;
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cuts_do_not_show),
                                     cmocka_unit_test(every_bit_shows),
                                     cmocka_unit_test(pairs_show)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
