// SPDX-License-Identifier: BSD-3-Clause
//
// What is left: numbered without gaps, in order, none twice.
#include "engine/todo.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static bool is_left(const void *context, int64_t unit) {
  return ((const char *)context)[unit] == '.';
}

static void check(const char *units, int64_t n) {
  pl_todo todo;
  int64_t unit, count, at = 0, expected = 0;
  assert_int_equal(pl_todo_make(n, is_left, units, &todo), PLAIT_OK);
  while (at < todo.total) {
    int64_t most = 1 + at % 5;
    if (most > todo.total - at) most = todo.total - at;
    pl_todo_piece(&todo, at, most, &unit, &count);
    assert_true(count >= 1 && count <= most);
    for (int64_t i = 0; i < count; i++) {
      while (units[expected] != '.') expected++;
      assert_int_equal(unit + i, expected++);
    }
    at += count;
  }
  while (expected < n) assert_int_equal(units[expected++], '#');
  pl_todo_free(&todo);
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
  pl_todo todo = {.total = 10};
  int64_t unit, count;
  pl_todo_piece(&todo, 4, 3, &unit, &count);
  assert_int_equal(unit, 4);
  assert_int_equal(count, 3);
  pl_todo_free(&todo);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pieces), cmocka_unit_test(all_of_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
