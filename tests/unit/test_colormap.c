// SPDX-License-Identifier: BSD-3-Clause
//
// Colours: what a map promises about lightness, signs and missing values.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>
#include "data/colormap.h"

// Relative luminance by the sRGB standard (IEC 61966-2-1), computed apart from the module's OKLab.
static double luminance(const unsigned char c[3]) {
  static const double weight[3] = {0.2126, 0.7152, 0.0722};
  double y = 0;
  for (int i = 0; i < 3; i++) {
    double v = c[i] / 255.0;
    y += weight[i] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
  }
  return y;
}

static void sequential_maps_get_lighter_evenly(void **state) {
  static const pl_map_kind kinds[] = {PL_MAP_SEQUENTIAL, PL_MAP_GRAY};
  (void)state;
  for (int k = 0; k < 2; k++) {
    pl_colormap map;
    pl_colormap_make(kinds[k], 0, 1, &map);
    double first = cbrt(luminance(map.rgb[0]));
    double last = cbrt(luminance(map.rgb[PL_MAP_COLORS - 1]));
    assert_true(last - first > 0.5);
    for (int i = 64; i < PL_MAP_COLORS; i += 64) {
      double step = cbrt(luminance(map.rgb[i])) - cbrt(luminance(map.rgb[i - 64]));
      assert_true(step > 0.4 * (last - first) / 8 && step < 1.8 * (last - first) / 8);
    }
  }
}

static void diverging_is_pale_at_zero_and_even_on_both_sides(void **state) {
  pl_colormap map;
  unsigned char zero[4], low[4], high[4];
  (void)state;
  pl_colormap_make(PL_MAP_DIVERGING, -1, 10, &map);
  pl_colormap_color(&map, 0, zero);
  assert_true(zero[0] > 235 && zero[1] > 235 && zero[2] > 235);
  pl_colormap_color(&map, -1, low);
  assert_true(luminance(low) > 0.6); // a tenth of the scale is a tenth of the colour
  assert_true(low[2] > low[0]);
  pl_colormap_color(&map, 10, high);
  assert_true(high[0] > high[2] && luminance(high) < 0.1);
  pl_colormap_color(&map, 99, low);
  assert_memory_equal(low, high, 4);
}

static void relief_breaks_at_the_coast(void **state) {
  pl_colormap map;
  unsigned char sea[4], land[4], deep[4], peak[4];
  (void)state;
  pl_colormap_make(PL_MAP_RELIEF, -10000, 8000, &map);
  pl_colormap_color(&map, -0.001, sea);
  pl_colormap_color(&map, 0, land);
  pl_colormap_color(&map, -10000, deep);
  pl_colormap_color(&map, 8000, peak);
  assert_true(sea[2] > sea[0]);   // blue
  assert_true(land[1] > land[2]); // green
  assert_true(luminance(deep) < 0.05 && luminance(sea) > 0.5);
  assert_true(luminance(peak) > 0.8);
  pl_colormap_make(PL_MAP_RELIEF, 10, 8000, &map); // no sea at all
  pl_colormap_color(&map, 10, land);
  assert_true(land[1] > land[2]);
}

static void missing_is_transparent_and_values_are_not(void **state) {
  pl_colormap map;
  unsigned char c[4];
  (void)state;
  for (int kind = 0; pl_map_names[kind]; kind++) {
    pl_colormap_make((pl_map_kind)kind, -1, 1, &map);
    pl_colormap_color(&map, NAN, c);
    assert_int_equal(c[3], 0);
    static const double values[] = {-1, 0, 1, -INFINITY, INFINITY, 5, -5};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
      pl_colormap_color(&map, values[i], c);
      assert_int_equal(c[3], 255);
    }
  }
}

static void odd_ranges_are_fine(void **state) {
  static const double ranges[][2] = {{0, 0}, {5, 5}, {-5, -5}, {-DBL_MAX, DBL_MAX}, {0, DBL_MIN}};
  (void)state;
  for (int kind = 0; pl_map_names[kind]; kind++)
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
      pl_colormap map;
      unsigned char c[4];
      pl_colormap_make((pl_map_kind)kind, ranges[i][0], ranges[i][1], &map);
      pl_colormap_color(&map, ranges[i][0], c);
      assert_int_equal(c[3], 255);
      pl_colormap_color(&map, 0, c);
      assert_int_equal(c[3], 255);
    }
}

static void the_data_choose_the_map(void **state) {
  (void)state;
  assert_int_equal(pl_colormap_choose("m", "height_above_mean_sea_level", "", -1e4, 8e3),
                   PL_MAP_RELIEF);
  assert_int_equal(pl_colormap_choose("m", "", "Relief of the Earth", -1e4, 8e3), PL_MAP_RELIEF);
  assert_int_equal(pl_colormap_choose("K", "height", "", -1e4, 8e3), PL_MAP_DIVERGING);
  assert_int_equal(pl_colormap_choose("m", "sea_surface_height", "", -1, 1), PL_MAP_DIVERGING);
  assert_int_equal(pl_colormap_choose("degC", "sea_surface_temperature", "", -2, 33),
                   PL_MAP_SEQUENTIAL);
  assert_int_equal(pl_colormap_choose("", "", "", 0, 1), PL_MAP_SEQUENTIAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sequential_maps_get_lighter_evenly),
      cmocka_unit_test(diverging_is_pale_at_zero_and_even_on_both_sides),
      cmocka_unit_test(relief_breaks_at_the_coast),
      cmocka_unit_test(missing_is_transparent_and_values_are_not),
      cmocka_unit_test(odd_ranges_are_fine),
      cmocka_unit_test(the_data_choose_the_map),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
