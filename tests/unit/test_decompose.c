// SPDX-License-Identifier: BSD-3-Clause
//
// Decomposition, tile shapes and fields: every cell belongs to one rank, pieces and seams cover a
// region once, neighbours are mutual, views follow the copies.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h wants the four above
#include <cmocka.h>

#include "engine/decompose.h"
#include "engine/tile.h"
#include "base/err.h"
#include <stdlib.h>
#include <string.h>

static plait_grid grid_of(int ndim, int64_t a, int64_t b, int64_t c) {
  plait_grid g = {.ndim = ndim, .shape = {a, b, c}, .nfields = 2, .nstages = 1};
  g.field[0] = (plait_field){.name = "u", .type = PLAIT_F64, .twice = true};
  g.field[1] = (plait_field){.name = "k", .type = PLAIT_F32, .fixed = true};
  g.stage[0].writes = 1;
  for (int d = 0; d < ndim; d++) g.stage[0].below[d] = g.stage[0].above[d] = 1;
  return g;
}

static void test_every_cell_has_one_rank(void **state) {
  (void)state;
  static unsigned char owner[40][33][50];
  for (int size = 1; size <= 12; size++) {
    if (size == 11) continue; // 5 x 5 x 7 units
    plait_grid g = grid_of(3, 40, 33, 50);
    int ranks[PL_AXES];
    assert_int_equal(pl_decompose_choose(&g, size, ranks), PLAIT_OK);
    assert_int_equal(ranks[0] * ranks[1] * ranks[2], size);
    memset(owner, 0, sizeof owner);
    for (int r = 0; r < size; r++) {
      pl_part p;
      pl_decompose_part(&g, ranks, r, &p);
      for (int a = 0; a < 3; a++) {
        assert_int_equal(p.lo[a] % pl_decompose_unit(&g, a), 0);
        assert_true(p.n[a] >= pl_decompose_least(&g, ranks, a));
      }
      for (int64_t i = 0; i < p.n[0]; i++)
        for (int64_t j = 0; j < p.n[1]; j++)
          for (int64_t k = 0; k < p.n[2]; k++) owner[p.lo[0] + i][p.lo[1] + j][p.lo[2] + k]++;
    }
    for (size_t c = 0; c < sizeof owner; c++) assert_int_equal(((unsigned char *)owner)[c], 1);
  }
}

static void test_neighbours_are_mutual(void **state) {
  (void)state;
  plait_grid g = grid_of(2, 64, 64, 0);
  g.edge[1][0] = g.edge[1][1] = PLAIT_EDGE_PERIODIC;
  const int ranks[PL_AXES] = {2, 3, 1};
  for (int r = 0; r < 6; r++)
    for (int c = 0; c < 9; c++) {
      int way[PL_AXES] = {c / 3 - 1, c % 3 - 1, 0}, back[PL_AXES] = {-way[0], -way[1], 0};
      int other = pl_decompose_neighbour(&g, ranks, r, way);
      bool wall = (r / 3 == 0 && way[0] < 0) || (r / 3 == 1 && way[0] > 0);
      assert_int_equal(other < 0, wall);
      if (other >= 0) assert_int_equal(pl_decompose_neighbour(&g, ranks, other, back), r);
    }
}

static void test_too_many_ranks(void **state) {
  (void)state;
  plait_grid g = grid_of(2, 16, 8, 0);
  int ranks[PL_AXES];
  assert_int_equal(pl_decompose_choose(&g, 4, ranks), PLAIT_JOB); // 2 x 1 units
  assert_non_null(strstr(pl_message(), "too small for 4 ranks"));
  assert_non_null(strstr(pl_message(), "use 2")); // what does fit is said
  assert_int_equal(pl_decompose_choose(&g, 2, ranks), PLAIT_OK);
  g.stage[0].below[0] = g.stage[0].above[0] = 9; // reads more than a part has
  g.stage[0].below[1] = g.stage[0].above[1] = 9;
  assert_int_equal(pl_decompose_choose(&g, 2, ranks), PLAIT_JOB);
}

static pl_tiling tiling_of(const plait_grid *g, pl_fields *fields) {
  const int ranks[PL_AXES] = {1, 1, 1};
  *fields = (pl_fields){.grid = g, .size = {8, 4}};
  pl_decompose_part(g, ranks, 0, &fields->part);
  for (int a = 0; a < g->ndim; a++) fields->part.below[a] = fields->part.above[a] = 1;
  pl_part_lay_out(&fields->part);
  pl_tiling t = {.grid = g, .fields = fields};
  pl_tiling_reach(&t);
  return t;
}

static void test_pieces_and_seams_cover_once(void **state) {
  (void)state;
  plait_grid g = grid_of(2, 100, 30, 0);
  pl_fields fields;
  pl_tiling t = tiling_of(&g, &fields);
  const int levels = 6;
  pl_region *whole = calloc(1, sizeof *whole), *part = calloc(1, sizeof *part);
  for (int l = 0; l < levels; l++) {
    whole->span[l][0] = (pl_span){0, 100};
    whole->span[l][1] = (pl_span){0, 30};
    whole->span[l][2] = (pl_span){0, 1};
  }
  for (int wanted = 1; wanted <= 9; wanted++) {
    int axis, times[6][100] = {{0}};
    int pieces = pl_region_pieces(&t, whole, levels, wanted, &axis);
    assert_true(pieces <= wanted && (wanted > 7 || pieces == wanted));
    assert_int_equal(axis, 0);
    for (int k = 0; k < 2 * pieces - 1; k++) {
      (k < pieces ? pl_region_piece : pl_region_seam)(&t, whole, levels, axis,
                                                      k < pieces ? k : k - pieces, pieces, part);
      for (int l = 0; l < levels; l++)
        for (int64_t c = part->span[l][0].lo; c < part->span[l][0].hi; c++) times[l][c]++;
    }
    for (int l = 0; l < levels; l++)
      for (int c = 0; c < 100; c++) assert_int_equal(times[l][c], 1);
  }
  free(whole);
  free(part);
}

static void test_lags_of_staggered_stages(void **state) {
  (void)state;
  plait_grid g = grid_of(2, 64, 64, 0);
  g.nstages = 2; // flow reads one below, height one above: a step reads one on each side
  g.stage[0].above[0] = g.stage[0].above[1] = 0;
  g.stage[1].below[0] = 0;
  g.stage[1].above[0] = 1;
  pl_fields fields;
  pl_tiling t = tiling_of(&g, &fields);
  assert_int_equal(pl_tiling_lag(&t, 1, 0, 0), 1);
  assert_int_equal(pl_tiling_lag(&t, 1, 0, 1), 1);
  assert_int_equal(pl_tiling_lag(&t, 19, 0, 0), 10);
  assert_int_equal(pl_decompose_reach(&g, 0, 0), 1);
  assert_int_equal(pl_decompose_reach(&g, 0, 1), 1);
}

static void test_depth_follows_the_cache(void **state) {
  (void)state;
  plait_grid g = grid_of(2, 4000, 2000, 0);
  pl_fields fields;
  pl_tiling t = tiling_of(&g, &fields);
  pl_tiling_choose(&t, 1 << 20, 0, 1000, 2);
  int shallow = t.depth;
  pl_tiling_choose(&t, 2 << 20, 0, 1000, 2);
  assert_true(shallow > 4 && t.depth > shallow);
  pl_tiling_choose(&t, 2 << 20, 0, 3, 2); // a thin part
  assert_int_equal(t.depth, 3);
  pl_tiling_choose(&t, 2 << 20, 1000, 1000, 2); // a wish beyond what levels there are
  assert_int_equal(t.depth, PL_LEVELS);
}

static void test_fields_and_views(void **state) {
  (void)state;
  plait_grid g = grid_of(2, 12, 20, 0);
  pl_fields shape, fields;
  tiling_of(&g, &shape);
  assert_int_equal(pl_fields_start(&g, &shape.part, &fields), PLAIT_OK);
  assert_true(pl_fields_bytes(&g, &shape.part) >= 14 * 22 * (2 * 8 + 4));
  assert_true((uintptr_t)fields.data[0][0] % 64 == 0 && (uintptr_t)fields.data[1][0] % 64 == 0);
  const int64_t cell[2] = {3, 4};
  void *now[PLAIT_FIELDS], *next[PLAIT_FIELDS];
  pl_fields_view(&fields, 0, 0, cell, now, next);
  ((double *)next[0])[0] = 7;
  assert_true(now[0] != next[0] && now[1] == next[1]);
  pl_fields_view(&fields, 1, 0, cell, now, next);
  assert_true(((double *)now[0])[0] == 7);
  double *at = (double *)(void *)pl_fields_at(&fields, 0, 1);
  assert_true(at[pl_part_offset(&fields.part, cell)] == 7);
  pl_fields_stop(&fields);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_cell_has_one_rank),
      cmocka_unit_test(test_neighbours_are_mutual),
      cmocka_unit_test(test_too_many_ranks),
      cmocka_unit_test(test_pieces_and_seams_cover_once),
      cmocka_unit_test(test_lags_of_staggered_stages),
      cmocka_unit_test(test_depth_follows_the_cache),
      cmocka_unit_test(test_fields_and_views),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
