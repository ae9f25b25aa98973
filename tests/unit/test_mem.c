// SPDX-License-Identifier: BSD-3-Clause
//
// Memory: alignment, sizes that overflow, growing, the arena.
#include "base/arena.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

// The sanitizer ends the program on sizes that malloc merely refuses, unless told otherwise.
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "allocator_may_return_null=1";
}

static void aligned(void **state) {
  (void)state;
  for (size_t bytes = 0; bytes < 300; bytes += 7) {
    unsigned char *p;
    assert_int_equal(pl_calloc(bytes, 1, &p), PLAIT_OK);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    for (size_t i = 0; i < bytes; i++) assert_int_equal(p[i], 0);
    pl_free(&p);
    assert_null(p);
    pl_free(&p);
  }
  pl_free(NULL);
}

static void too_much(void **state) {
  (void)state;
  static const size_t sizes[][2] = {
      {SIZE_MAX, 2}, {SIZE_MAX / 2, 3}, {SIZE_MAX, 1}, {PTRDIFF_MAX, 1}, {UINT64_C(1) << 62, 1}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    void *p = &p;
    assert_int_equal(pl_alloc(sizes[i][0], sizes[i][1], &p), PLAIT_MEMORY);
    assert_null(p);
    p = &p;
    assert_int_equal(pl_calloc(sizes[i][0], sizes[i][1], &p), PLAIT_MEMORY);
    assert_null(p);
  }
}

static void growing(void **state) {
  (void)state;
  int32_t *p = NULL;
  assert_int_equal(pl_grow(&p, 0, 3, sizeof *p), PLAIT_OK);
  for (int i = 0; i < 3; i++) p[i] = i;
  assert_int_equal(pl_grow(&p, 3, 1000, sizeof *p), PLAIT_OK);
  for (int i = 0; i < 3; i++) assert_int_equal(p[i], i);
  assert_int_equal(pl_grow(&p, 1000, SIZE_MAX, sizeof *p), PLAIT_MEMORY);
  assert_int_equal(p[2], 2);
  assert_int_equal(pl_grow(&p, 1000, 2, sizeof *p), PLAIT_OK);
  assert_int_equal(p[1], 1);
  pl_free(&p);
}

static void copies(void **state) {
  (void)state;
  char *text;
  assert_int_equal(pl_strdup("", &text), PLAIT_OK);
  assert_string_equal(text, "");
  pl_free(&text);
  assert_int_equal(pl_strdup("abc", &text), PLAIT_OK);
  assert_string_equal(text, "abc");
  pl_free(&text);
}

static void products(void **state) {
  (void)state;
  size_t n;
  int64_t m;
  assert_false(pl_mul_overflows(6, 7, &n));
  assert_int_equal(n, 42);
  assert_true(pl_mul_overflows(SIZE_MAX, 2, &n));
  assert_false(pl_mul_overflows(SIZE_MAX, 1, &n));
  assert_false(pl_mul64_overflows(-6, 7, &m));
  assert_int_equal(m, -42);
  assert_true(pl_mul64_overflows(INT64_MIN, -1, &m));
  assert_true(pl_mul64_overflows(INT64_C(1) << 32, INT64_C(1) << 31, &m));
  assert_false(pl_mul64_overflows(INT64_C(1) << 32, -(INT64_C(1) << 31), &m));
}

static void resident(void **state) {
  (void)state;
  enum { BYTES = 64 << 20 };
  size_t before = pl_current_rss();
  char *p;
  assert_in_range(before, 1 << 16, SIZE_MAX);
  assert_int_equal(pl_alloc(BYTES, 1, &p), PLAIT_OK);
  memset(p, 1, BYTES);
  size_t during = pl_current_rss();
  assert_true(during >= before + BYTES / 2);
  pl_free(&p);
  assert_true(pl_peak_rss() >= during - (4 << 20));
}

static void arena(void **state) {
  (void)state;
  pl_arena arena = {0};
  unsigned char *piece[500];
  const char *text;
  for (size_t i = 0; i < 500; i++) {
    assert_int_equal(pl_arena_get(&arena, i, 3, &piece[i]), PLAIT_OK);
    assert_non_null(piece[i]);
    assert_int_equal((uintptr_t)piece[i] % 16, 0);
    for (size_t k = 0; k < 3 * i; k++) assert_int_equal(piece[i][k], 0);
    memset(piece[i], (int)(i % 251), 3 * i);
  }
  for (size_t i = 0; i < 500; i++) {
    for (size_t k = 0; k < 3 * i; k++) assert_int_equal(piece[i][k], i % 251);
  }
  assert_int_equal(pl_arena_text(&arena, "word", &text), PLAIT_OK);
  assert_string_equal(text, "word");
  assert_int_equal(pl_arena_get(&arena, SIZE_MAX, 2, &text), PLAIT_MEMORY);
  assert_null(text);
  pl_arena_free(&arena);
  assert_null(arena.last);
  pl_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(aligned), cmocka_unit_test(too_much), cmocka_unit_test(growing),
      cmocka_unit_test(copies),  cmocka_unit_test(products), cmocka_unit_test(resident),
      cmocka_unit_test(arena),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
