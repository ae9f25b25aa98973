// SPDX-License-Identifier: BSD-3-Clause
//
// The cut: blocks cover the array once, keep to target, cap, chunks and whole axes, and are the
// same from release to release.
#include "data/split.h"
#include "base/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum { MIB = 1024 * 1024 };

static void check_extent(const pl_cut *cut, int64_t a, int64_t b, int64_t c) {
  const int64_t want[3] = {a, b, c};
  for (int d = 0; d < cut->ndim; d++) assert_int_equal(cut->extent[d], want[d]);
}

// Every cell is in exactly one block, and that block is in the tile that its index says.
static void check_cover(const pl_cut *cut) {
  unsigned char seen[4096] = {0};
  int64_t cells = 1, total = 0, largest[PLAIT_DIMS];
  pl_cut_largest(cut, largest);
  for (int d = 0; d < cut->ndim; d++) cells *= cut->shape[d];
  assert_true(cells <= (int64_t)sizeof seen);
  assert_int_equal(cut->nblocks, cut->ntiles * cut->nreds);
  for (int64_t i = 0; i < cut->nblocks; i++) {
    pl_box box, tile, common;
    pl_cut_block(cut, i, &box);
    pl_cut_tile(cut, i / cut->nreds, &tile);
    assert_true(pl_box_meet(&box, &tile, &common));
    assert_int_equal(pl_box_cells(&common), pl_box_cells(&box));
    int64_t at[PLAIT_DIMS] = {0}, n = pl_box_cells(&box);
    assert_true(n > 0);
    for (int64_t k = 0; k < n; k++) {
      int64_t cell = 0;
      for (int d = 0; d < cut->ndim; d++) cell = cell * cut->shape[d] + box.lo[d] + at[d];
      assert_int_equal(seen[cell]++, 0);
      for (int d = cut->ndim - 1; d >= 0 && ++at[d] == box.n[d]; d--) at[d] = 0;
    }
    for (int d = 0; d < cut->ndim; d++) assert_true(box.n[d] <= largest[d]);
    total += n;
  }
  assert_int_equal(total, cells);
}

static void test_outer_axes_first(void **state) {
  (void)state;
  pl_cut cut;
  pl_cut_wish wish = {.block_bytes = 8 * MIB, .cell_bytes = 4};
  pl_cut_make(3, (int64_t[]){1000, 180, 360}, &wish, &cut); // 32 steps fit; 1000 / 32 evened out
  check_extent(&cut, 32, 180, 360);
  pl_cut_make(3, (int64_t[]){3, 10000, 10000}, &wish, &cut); // a part of one plane
  check_extent(&cut, 1, 209, 10000);
  pl_cut_make(1, (int64_t[]){100000000}, &wish, &cut);
  assert_int_equal(cut.count[0], 48);
  assert_int_equal(cut.extent[0], 2083334);
  pl_cut_make(3, (int64_t[]){1, 5, 1}, &wish, &cut); // less than a block
  check_extent(&cut, 1, 5, 1);
  assert_int_equal(cut.nblocks, 1);
}

static void test_whole_axes(void **state) {
  (void)state;
  pl_cut cut;
  const bool whole[] = {true, false, false};
  pl_cut_wish wish = {.block_bytes = 8 * MIB, .cell_bytes = 4, .whole = whole};
  pl_cut_make(3, (int64_t[]){1000, 180, 360}, &wish, &cut);
  check_extent(&cut, 1000, 5, 360);
  wish.block_bytes = 1; // far too small: still whole
  pl_cut_make(3, (int64_t[]){1000, 180, 360}, &wish, &cut);
  check_extent(&cut, 1000, 1, 1);
}

static void test_chunks(void **state) {
  (void)state;
  pl_cut cut;
  const int64_t chunk[] = {10, 64, 64}, big[] = {1000, 1000, 1000};
  pl_cut_wish wish = {.block_bytes = 8 * MIB, .cell_bytes = 4, .chunk = chunk};
  pl_cut_make(3, (int64_t[]){1000, 1000, 1000}, &wish, &cut);
  check_extent(&cut, 10, 192, 1000); // 2 M cells: 13 chunk rows in 5 parts of 3
  for (int d = 0; d < 3; d++)
    assert_true(cut.extent[d] == cut.shape[d] || cut.extent[d] % chunk[d] == 0);
  wish.chunk = big; // 4 GB a chunk: cut as if there were none
  pl_cut_make(3, (int64_t[]){1000, 1000, 1000}, &wish, &cut);
  check_extent(&cut, 2, 1000, 1000);
  const int64_t wide[] = {1, 3000, 2000}; // 24 MB: less than 4 blocks, so not cut
  wish.chunk = wide;
  pl_cut_make(3, (int64_t[]){10, 3000, 4000}, &wish, &cut);
  check_extent(&cut, 1, 3000, 2000);
}

static void test_reduce_keeps_the_cap(void **state) {
  (void)state;
  pl_cut cut;
  const bool time[] = {true, false, false}, lon[] = {false, false, true};
  pl_cut_wish wish = {.block_bytes = 8 * MIB,
                      .cell_bytes = 4,
                      .partial_bytes = MIB,
                      .partial_per_cell = 24,
                      .reduced = time};
  pl_cut_make(3, (int64_t[]){1000, 180, 360}, &wish, &cut);
  check_extent(&cut, 63, 90, 360);
  assert_int_equal(cut.ntiles, 2);
  assert_int_equal(cut.nreds, 16);
  assert_true(cut.extent[1] * cut.extent[2] * 24 <= MIB);
  wish.reduced = lon; // rows stay whole: the cap falls on the kept axes
  pl_cut_make(3, (int64_t[]){1000, 180, 360}, &wish, &cut);
  assert_int_equal(cut.extent[2], 360);
  assert_int_equal(cut.nreds, 1);
  assert_true(cut.extent[0] * cut.extent[1] * 24 <= MIB);
  wish.partial_bytes = 1; // less than one cell: one cell
  pl_cut_make(3, (int64_t[]){4, 3, 5}, &wish, &cut);
  check_extent(&cut, 1, 1, 5);
  check_cover(&cut);
}

static void test_halo_grows_evenly(void **state) {
  (void)state;
  pl_cut cut;
  const int64_t halo[] = {20, 20}, stack[] = {0, 20, 20};
  pl_cut_wish wish = {.block_bytes = 8 * MIB, .cell_bytes = 4, .halo = halo};
  pl_cut_make(2, (int64_t[]){100000, 100000}, &wish, &cut);
  double read = (double)(cut.extent[0] + 40) * (double)(cut.extent[1] + 40);
  assert_true(read < 1.7 * (double)(cut.extent[0] * cut.extent[1])); // rows alone: 3 times
  assert_true(cut.extent[1] * 4 >= 64 * 1024);                       // and runs are long
  assert_true(cut.extent[0] * cut.extent[1] * 4 <= 8 * MIB);
  wish.cell_bytes = 1;
  wish.halo = stack; // whole images
  pl_cut_make(3, (int64_t[]){64, 2048, 2048}, &wish, &cut);
  check_extent(&cut, 2, 2048, 2048);
}

static uint64_t next(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return *seed >> 33;
}

static void test_random_cuts_cover(void **state) {
  (void)state;
  uint64_t seed = 3;
  for (int i = 0; i < 2000; i++) {
    int64_t shape[4], chunk[4], halo[4];
    bool whole[4], reduced[4];
    int ndim = 1 + (int)(next(&seed) % 4);
    for (int d = 0; d < ndim; d++) {
      shape[d] = 1 + (int64_t)(next(&seed) % 8);
      chunk[d] = 1 + (int64_t)(next(&seed) % 9);
      halo[d] = (int64_t)(next(&seed) % 3);
      whole[d] = next(&seed) % 4 == 0;
      reduced[d] = next(&seed) % 3 == 0;
    }
    pl_cut_wish wish = {.block_bytes = (int64_t)(next(&seed) % 2000),
                        .cell_bytes = 8,
                        .partial_bytes = (int64_t)(next(&seed) % 500),
                        .partial_per_cell = (int64_t)(next(&seed) % 30),
                        .chunk = next(&seed) % 2 ? chunk : NULL,
                        .whole = next(&seed) % 2 ? whole : NULL,
                        .reduced = next(&seed) % 2 ? reduced : NULL,
                        .halo = next(&seed) % 2 ? halo : NULL};
    pl_cut cut;
    pl_cut_make(ndim, shape, &wish, &cut);
    check_cover(&cut);
    for (int d = 0; d < ndim; d++)
      if (wish.whole != NULL && whole[d]) assert_int_equal(cut.count[d], 1);
  }
}

static void test_a_million_tiny_blocks(void **state) {
  (void)state;
  pl_cut cut;
  pl_cut_wish wish = {.block_bytes = 64, .cell_bytes = 4};
  pl_cut_make(2, (int64_t[]){4000, 4000}, &wish, &cut);
  assert_int_equal(cut.nblocks, 1000000);
  double start = pl_now();
  int64_t cells = 0;
  for (int64_t i = 0; i < cut.nblocks; i++) {
    pl_box box;
    pl_cut_block(&cut, i, &box);
    cells += pl_box_cells(&box);
  }
  assert_int_equal(cells, 16000000);
  assert_true(pl_now() - start < 5); // a search would take hours
}

static void test_huge_shapes(void **state) {
  (void)state;
  pl_cut cut;
  const int64_t big = INT64_C(1) << 20;
  pl_cut_wish wish = {.block_bytes = 8 * MIB, .cell_bytes = 8};
  pl_cut_make(3, (int64_t[]){big, big, big}, &wish, &cut); // 2^60 cells
  check_extent(&cut, 1, 1, big);
  assert_int_equal(cut.nblocks, INT64_C(1) << 40);
  pl_box box;
  pl_cut_block(&cut, cut.nblocks - 1, &box);
  assert_int_equal(box.lo[0], big - 1);
  assert_int_equal(box.lo[1], big - 1);
  pl_cut_make(1, (int64_t[]){INT64_MAX}, &wish, &cut);
  pl_cut_block(&cut, cut.nblocks - 1, &box);
  assert_int_equal(box.lo[0] + (box.n[0] - 1), INT64_MAX - 1);
}

static void test_share(void **state) {
  (void)state;
  for (int64_t total = 0; total < 20; total++)
    for (int size = 1; size < 9; size++) {
      int64_t expected = 0;
      for (int rank = 0; rank < size; rank++) {
        int64_t first, count;
        pl_share(total, size, rank, &first, &count);
        assert_int_equal(first, expected);
        assert_true(count == total / size || count == total / size + 1);
        expected += count;
      }
      assert_int_equal(expected, total);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_outer_axes_first),
      cmocka_unit_test(test_whole_axes),
      cmocka_unit_test(test_chunks),
      cmocka_unit_test(test_reduce_keeps_the_cap),
      cmocka_unit_test(test_halo_grows_evenly),
      cmocka_unit_test(test_random_cuts_cover),
      cmocka_unit_test(test_a_million_tiny_blocks),
      cmocka_unit_test(test_huge_shapes),
      cmocka_unit_test(test_share),
  };
  return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
