// SPDX-License-Identifier: BSD-3-Clause
//
// Which slice of an array a picture shows.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "base/err.h"
#include "command/slice.h"

static const double up[2] = {-10, 10}, down[2] = {10, -10};
static const plait_array field = {.name = "t",
                                  .units = "K",
                                  .type = PLAIT_F32,
                                  .ndim = 4,
                                  .shape = {5, 3, 2, 7},
                                  .dims = {"time", "level", "lat", "lon"},
                                  .coord = {NULL, NULL, up, NULL},
                                  .coord_units = {"", "", "degrees_north", ""}};

static plait_err choose(const char *word, pl_slice *slice) {
  const char *words[] = {word};
  return pl_slice_choose(&field, word ? 1 : 0, words, slice);
}

static void without_words_the_first_of_the_leading_axes(void **state) {
  pl_slice s;
  (void)state;
  assert_int_equal(choose(NULL, &s), PLAIT_OK);
  assert_int_equal(s.row, 2);
  assert_int_equal(s.column, 3);
  const int64_t n[4] = {1, 1, 2, 7}, lo[4] = {0};
  assert_memory_equal(s.box.n, n, sizeof n);
  assert_memory_equal(s.box.lo, lo, sizeof lo);
  assert_true(s.flip);
}

static void names_numbers_and_ends(void **state) {
  pl_slice s;
  (void)state;
  assert_int_equal(choose("level=2,time=-1", &s), PLAIT_OK);
  assert_int_equal(s.box.lo[0], 4);
  assert_int_equal(s.box.lo[1], 2);
  assert_int_equal(choose("3,1", &s), PLAIT_OK);
  assert_int_equal(s.box.lo[0], 3);
  assert_int_equal(s.box.lo[1], 1);
  assert_int_equal(choose("lon=6", &s), PLAIT_OK);
  assert_int_equal(s.row, 1);
  assert_int_equal(s.column, 2);
  assert_false(s.flip);
  assert_int_equal(s.box.n[3], 1);
  pl_text text = {0};
  pl_slice_add(&s, &field, &text);
  assert_string_equal(text.at, " (time=0, lon=6)");
  pl_text_free(&text);
}

static void north_is_up_only_when_it_is_not_yet(void **state) {
  plait_array a = field;
  pl_slice s;
  (void)state;
  a.coord[2] = down;
  assert_int_equal(pl_slice_choose(&a, 0, NULL, &s), PLAIT_OK);
  assert_false(s.flip);
  a.coord[2] = up;
  a.coord_units[2] = "m";
  a.dims[2] = "y";
  assert_int_equal(pl_slice_choose(&a, 0, NULL, &s), PLAIT_OK);
  assert_false(s.flip);
}

// [a, b, c] of these names, and the axes that are shown.
static void shows(const char *a, const char *b, const char *c, int row, int column) {
  plait_array three = {.name = "q",
                       .units = "",
                       .ndim = 3,
                       .shape = {90, 180, 3},
                       .dims = {a, b, c},
                       .coord_units = {"", "", ""}};
  pl_slice s;
  assert_int_equal(pl_slice_choose(&three, 0, NULL, &s), PLAIT_OK);
  if (s.row != row || s.column != column)
    fail_msg("%s, %s, %s: axes %d and %d are shown", a, b, c, s.row, s.column);
  for (int d = 0; d < 3; d++)
    assert_int_equal(s.box.n[d], d == row || d == column ? three.shape[d] : 1);
}

// Quantiles stand behind the axes of the map: not a strip of three pixels.
static void maps_before_strips(void **state) {
  (void)state;
  shows("lat", "lon", "quantile", 0, 1);
  shows("latitude", "level", "longitude", 0, 2);
  shows("y", "x", "bin", 0, 1);
  shows("y", "x", "time", 0, 1);
  shows("time", "level", "quantile", 1, 2); // two are needed
  shows("dim0", "dim1", "dim2", 1, 2);
  plait_array days = field; // the time by its units
  pl_slice s;
  days.ndim = 3;
  days.coord_units[2] = "days since 2000-01-01";
  days.dims[2] = "epoch";
  assert_int_equal(pl_slice_choose(&days, 0, NULL, &s), PLAIT_OK);
  assert_int_equal(s.row, 1);
  assert_int_equal(s.column, 2); // of time, level and epoch one has to stand beside level
  const char *lat[] = {"lat=0"};
  assert_int_equal(pl_slice_choose(&field, 1, lat, &s), PLAIT_OK); // no map is left: the last two
  assert_int_equal(s.row, 1);
  assert_int_equal(s.column, 3);
}

static void mistakes_name_what_is_meant(void **state) {
  pl_slice s;
  (void)state;
  assert_int_equal(choose("tmie=3", &s), PLAIT_USAGE);
  assert_non_null(strstr(pl_message(), "did you mean 'time'"));
  assert_int_equal(choose("time=5", &s), PLAIT_USAGE);
  assert_non_null(strstr(pl_message(), "indices 0 to 4"));
  assert_int_equal(choose("time=-6", &s), PLAIT_USAGE);
  assert_int_equal(choose("time=", &s), PLAIT_USAGE);
  assert_int_equal(choose("0,0,0", &s), PLAIT_USAGE);
  assert_non_null(strstr(pl_message(), "fewer than two axes"));
  assert_int_equal(choose("0,0,0,0,0", &s), PLAIT_USAGE);
  plait_array line = field;
  line.ndim = 1;
  assert_int_equal(pl_slice_choose(&line, 0, NULL, &s), PLAIT_INPUT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_words_the_first_of_the_leading_axes),
      cmocka_unit_test(names_numbers_and_ends),
      cmocka_unit_test(north_is_up_only_when_it_is_not_yet),
      cmocka_unit_test(maps_before_strips),
      cmocka_unit_test(mistakes_name_what_is_meant),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
