// SPDX-License-Identifier: BSD-3-Clause
//
// What is left: numbered without gaps, in order, none twice.
#include "engine/remaining.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static bool is_left(const void *context, int64_t unit) {
  return ((const char *)context)[unit] == '.';
}

static void check(const char *units, int64_t n) {
  pl_remaining remaining;
  int64_t unit, count, at = 0, expected = 0;
  assert_int_equal(pl_remaining_make(n, is_left, units, &remaining), PLAIT_OK);
  while (at < remaining.total) {
    int64_t most = 1 + at % 5;
    if (most > remaining.total - at) most = remaining.total - at;
    pl_remaining_piece(&remaining, at, most, &unit, &count);
    assert_true(count >= 1 && count <= most);
    for (int64_t i = 0; i < count; i++) {
      while (units[expected] != '.') expected++;
      assert_int_equal(unit + i, expected++);
    }
    at += count;
  }
  while (expected < n) assert_int_equal(units[expected++], '#');
  pl_remaining_free(&remaining);
}

static void pieces(void **state) {
  (void)state;
  check("....##.#....#", 13);
  check("#.#.#.#.#.#.#.#.", 16);
  check("................", 16);
  check("#######", 7);
  check(".", 1);
  check("", 0);
  char many[2000];
  for (int i = 0; i < 2000; i++) many[i] = i * 7919 % 11 < 4 ? '#' : '.';
  check(many, 2000);
}

static void all_of_it(void **state) {
  (void)state;
  pl_remaining remaining = {.total = 10};
  int64_t unit, count;
  pl_remaining_piece(&remaining, 4, 3, &unit, &count);
  assert_int_equal(unit, 4);
  assert_int_equal(count, 3);
  pl_remaining_free(&remaining);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pieces), cmocka_unit_test(all_of_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
