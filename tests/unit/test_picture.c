// SPDX-License-Identifier: BSD-3-Clause
//
// Planes to pixels: means, missing values, orientation, sizes, range, legend.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "data/picture.h"

static void a_pixel_is_the_mean_of_its_cells(void **state) {
  const float plane[4][4] = {
      {1, 2, 5, 5}, {3, 6, 5, 9}, {NAN, 8, NAN, NAN}, {8, NAN, NAN, INFINITY}};
  pl_picture p;
  (void)state;
  assert_int_equal(pl_picture_start(4, 4, 2, &p), PLAIT_OK);
  assert_int_equal(p.height, 2);
  for (int j = 3; j >= 0; j--) pl_picture_add(&p, j, 1, PLAIT_F32, plane[j]); // any order
  pl_picture_finish(&p);
  assert_true(p.sum[0] == 3 && p.sum[1] == 6 && p.sum[2] == 8 && isnan(p.sum[3]));
  pl_picture_free(&p);
}

static void small_planes_are_enlarged_and_flipped(void **state) {
  const int16_t plane[2] = {0, 10}; // 2 rows of 1 cell
  pl_picture p;
  pl_colormap map;
  unsigned char rgba[8 * 4 * 4], first[4], last[4];
  (void)state;
  assert_int_equal(pl_picture_start(2, 1, 4, &p), PLAIT_OK);
  assert_int_equal(p.height, 8);
  pl_picture_add(&p, 0, 2, PLAIT_I16, plane);
  pl_picture_finish(&p);
  pl_colormap_make(PL_MAP_GRAY, 0, 10, &map);
  pl_colormap_color(&map, 0, first);
  pl_colormap_color(&map, 10, last);
  pl_picture_paint(&p, &map, false, rgba);
  assert_memory_equal(rgba, first, 4);
  assert_memory_equal(rgba + 4 * (3 * 4 + 3), first, 4);
  assert_memory_equal(rgba + 4 * 4 * 4, last, 4);
  pl_picture_paint(&p, &map, true, rgba);
  assert_memory_equal(rgba, last, 4);
  assert_memory_equal(rgba + 4 * (7 * 4 + 3), first, 4);
  pl_picture_free(&p);
}

static void natural_sizes(void **state) {
  static const int64_t cases[][4] = {// rows, cols -> width, height
                                     {90, 180, 720, 360},   {1081, 2160, 2160, 1081},
                                     {1, 1, 720, 720},      {8192, 16384, 4096, 2048},
                                     {400, 300, 300, 400},  {1, 100000, 4096, 1},
                                     {100000, 10, 1, 10000}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    pl_picture p;
    assert_int_equal(pl_picture_start(cases[i][0], cases[i][1], 0, &p), PLAIT_OK);
    assert_int_equal(p.width, cases[i][2]);
    assert_int_equal(p.height, cases[i][3]);
    pl_picture_free(&p);
  }
}

static void impossible_sizes_are_errors(void **state) {
  pl_picture p;
  (void)state;
  assert_int_equal(pl_picture_start(0, 5, 0, &p), PLAIT_INPUT);
  assert_int_equal(pl_picture_start(INT64_C(1) << 40, 1, 10, &p), PLAIT_USAGE);
}

static void fill(pl_picture *p, double outlier) {
  double *row = malloc(1000 * sizeof *row);
  assert_int_equal(pl_picture_start(1, 1000, 1000, p), PLAIT_OK);
  for (int i = 0; i < 1000; i++) row[i] = i;
  row[500] = outlier;
  pl_picture_add(p, 0, 1, PLAIT_F64, row);
  pl_picture_finish(p);
  free(row);
}

static void range_is_min_to_max_unless_outliers_spoil_it(void **state) {
  pl_picture p;
  double lo, hi;
  bool any;
  (void)state;
  fill(&p, 1200);
  assert_int_equal(pl_picture_range(&p, &lo, &hi, &any), PLAIT_OK);
  assert_true(any && lo == 0 && hi == 1200);
  pl_picture_free(&p);
  fill(&p, 1e30);
  assert_int_equal(pl_picture_range(&p, &lo, &hi, &any), PLAIT_OK);
  assert_true(any && lo < 20 && hi > 980 && hi < 1000);
  pl_picture_free(&p);
}

static void nothing_but_missing(void **state) {
  const double plane[2] = {NAN, NAN};
  pl_picture p;
  double lo, hi;
  bool any;
  (void)state;
  assert_int_equal(pl_picture_start(1, 2, 2, &p), PLAIT_OK);
  pl_picture_add(&p, 0, 1, PLAIT_F64, plane);
  pl_picture_finish(&p);
  assert_int_equal(pl_picture_range(&p, &lo, &hi, &any), PLAIT_OK);
  assert_false(any);
  pl_picture_free(&p);
}

static void legend_has_the_bar_and_both_numbers(void **state) {
  enum { WIDTH = 200 };
  pl_colormap map;
  unsigned char *rgba = malloc(PL_LEGEND_HEIGHT * WIDTH * 4), c[4];
  int ink[2] = {0, 0};
  (void)state;
  pl_colormap_make(PL_MAP_SEQUENTIAL, -1.5, 2e5, &map);
  pl_legend_paint(&map, WIDTH, rgba);
  pl_colormap_color(&map, map.lo, c);
  assert_memory_equal(rgba + 4 * (6 * WIDTH + 4), c, 4);
  pl_colormap_color(&map, map.hi, c);
  assert_memory_equal(rgba + 4 * (6 * WIDTH + WIDTH - 5), c, 4);
  for (int y = 14; y < PL_LEGEND_HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++) ink[x >= WIDTH / 2] += rgba[4 * (y * WIDTH + x)] < 100;
  assert_true(ink[0] > 15 && ink[1] > 15);
  free(rgba);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_pixel_is_the_mean_of_its_cells),
      cmocka_unit_test(small_planes_are_enlarged_and_flipped),
      cmocka_unit_test(natural_sizes),
      cmocka_unit_test(impossible_sizes_are_errors),
      cmocka_unit_test(range_is_min_to_max_unless_outliers_spoil_it),
      cmocka_unit_test(nothing_but_missing),
      cmocka_unit_test(legend_has_the_bar_and_both_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
