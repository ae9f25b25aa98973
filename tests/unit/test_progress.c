// SPDX-License-Identifier: BSD-3-Clause
//
// The progress line: what it says, how wide it is, when a log gets one.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "command/progress.h"

static void line_says_percent_rate_and_time_left(void **state) {
  char line[256];
  (void)state;
  pl_bar_line(100, "blocks", 25, 100, 10 << 20, 10.0, line, sizeof line);
  assert_non_null(strstr(line, "25 %"));
  assert_non_null(strstr(line, "25/100 blocks"));
  assert_non_null(strstr(line, "1 MiB/s"));
  assert_non_null(strstr(line, "left 30 s"));
  assert_non_null(strstr(line, "##########......"));
  pl_bar_line(100, "steps", 25, 100, 0, 10.0, line, sizeof line);
  assert_non_null(strstr(line, "25/100 steps, 2.5 steps/s"));
}

static void line_fits_every_width(void **state) {
  char line[256];
  (void)state;
  for (int width = 5; width < 200; width++)
    for (int64_t done = 0; done <= 7; done++) {
      pl_bar_line(width, "blocks", done, 7, done << 30, (double)done * 1e4, line, sizeof line);
      assert_true(strlen(line) <= (size_t)width);
      assert_non_null(strchr(line, '%'));
    }
}

static int cells_of(int width, int64_t done) {
  char line[256];
  pl_bar_line(width, "blocks", done, 1000, 0, (double)done * 0.37, line, sizeof line);
  const char *end = strchr(line, ']');
  return end ? (int)(end - line) - 1 : 0;
}

// A bar that is shorter now and then looks like work that is lost.
static void bar_keeps_its_width(void **state) {
  (void)state;
  for (int64_t done = 0; done <= 1000; done++) {
    assert_int_equal(cells_of(79, done), cells_of(79, 1000));
    assert_int_equal(cells_of(120, done), 40);
  }
  assert_in_range(cells_of(79, 5), 15, 40);
}

static void log_has_no_bar(void **state) {
  char line[256];
  (void)state;
  pl_bar_line(0, "blocks", 123456789, 1234567890, 1LL << 50, 1e6, line, sizeof line);
  assert_string_equal(line, " 10 %  123456789/1234567890 blocks, 1.05 GiB/s, left 104 d 04 h");
}

static void line_survives_the_ends(void **state) {
  char line[256];
  (void)state;
  pl_bar_line(80, "blocks", 0, 0, 0, 0, line, sizeof line);
  assert_non_null(strstr(line, "100 %"));
  pl_bar_line(80, "blocks", 0, 9, 0, 0, line, sizeof line);
  assert_non_null(strstr(line, "  0 %"));
  assert_null(strstr(line, "left"));
  pl_bar_line(80, "blocks", INT64_MAX / 2, INT64_MAX, INT64_MAX, 1, line, sizeof line);
  assert_non_null(strstr(line, "50 %"));
  pl_bar_line(80, "blocks", 9, 9, 1, 1, line, sizeof line);
  assert_null(strstr(line, "left"));
}

static void log_gets_a_line_every_5_percent(void **state) {
  pl_bar bar = {0};
  int lines = 0;
  (void)state;
  for (int i = 1; i <= 1000; i++) lines += pl_bar_due(&bar, i, 1000, i); // a second a block
  assert_int_equal(lines, 20 + 0);
}

static void log_gets_a_line_every_minute_of_slow_work(void **state) {
  pl_bar bar = {0};
  int lines = 0;
  (void)state;
  for (int i = 1; i <= 600; i++) lines += pl_bar_due(&bar, 1, 1000, i);
  assert_int_equal(lines, 10);
}

static void log_is_not_flooded_by_fast_work(void **state) {
  pl_bar bar = {0};
  int lines = 0;
  (void)state;
  for (int i = 1; i <= 1000; i++) lines += pl_bar_due(&bar, i, 1000, i * 0.002);
  assert_true(lines <= 2);
}

static void log_hears_of_later_passes(void **state) {
  pl_bar bar = {0};
  int lines = 0;
  (void)state;
  for (int i = 1; i <= 20; i++) lines += pl_bar_due(&bar, i, 20, i);
  assert_int_equal(lines, 20);
  for (int pass = 1; pass <= 30; pass++) { // of two seconds each
    pl_bar_pass(&bar, pass);
    for (int i = 1; i <= 20; i++) lines += pl_bar_due(&bar, i, 20, 20 + 2 * pass + i * 0.1);
  }
  assert_in_range(lines - 20, 4, 6);
}

// What the bar says of these numbers in a log.
static void told(pl_bar *bar, int64_t done, double seconds, char *text, size_t room) {
  FILE *log = tmpfile();
  int kept = dup(STDERR_FILENO);
  assert_non_null(log);
  fflush(stderr);
  dup2(fileno(log), STDERR_FILENO);
  pl_bar_tell(bar, done, 400, 0, seconds);
  fflush(stderr);
  dup2(kept, STDERR_FILENO);
  close(kept);
  rewind(log);
  size_t n = fread(text, 1, room - 1, log);
  text[n] = 0;
  fclose(log);
}

// 80 blocks are of an earlier run: 20 in 2 s are 10 a second, not 50.
static void rate_is_of_this_run(void **state) {
  pl_bar bar = {.unit = "blocks"};
  char text[256];
  (void)state;
  pl_bar_before(&bar, 80);
  told(&bar, 80, 1, text, sizeof text);
  assert_non_null(strstr(text, "80/400 blocks"));
  assert_null(strstr(text, "blocks/s"));
  assert_null(strstr(text, "left"));
  told(&bar, 100, 2, text, sizeof text);
  assert_non_null(strstr(text, "10 blocks/s"));
  assert_non_null(strstr(text, "left 30"));
}

static void quiet_bar_draws_nothing(void **state) {
  pl_bar bar;
  (void)state;
  setenv("NO_COLOR", "1", 1);
  pl_bar_start(&bar, true);
  assert_true(bar.silent);
  assert_false(bar.color);
  pl_bar_tell(&bar, 1, 2, 3, 100);
  assert_false(bar.drawn);
  pl_bar_clear(&bar);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(line_says_percent_rate_and_time_left),
      cmocka_unit_test(line_fits_every_width),
      cmocka_unit_test(bar_keeps_its_width),
      cmocka_unit_test(log_has_no_bar),
      cmocka_unit_test(line_survives_the_ends),
      cmocka_unit_test(log_gets_a_line_every_5_percent),
      cmocka_unit_test(log_gets_a_line_every_minute_of_slow_work),
      cmocka_unit_test(log_is_not_flooded_by_fast_work),
      cmocka_unit_test(log_hears_of_later_passes),
      cmocka_unit_test(rate_is_of_this_run),
      cmocka_unit_test(quiet_bar_draws_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
