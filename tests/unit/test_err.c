// SPDX-License-Identifier: BSD-3-Clause
//
// Errors, what a team raises, the log, types, clocks and the hash.
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/raise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

static void codes(void **state) {
  (void)state;
  assert_int_equal(pl_exit_code(PLAIT_OK), 0);
  assert_int_equal(pl_exit_code(PLAIT_JOB), 2);
  assert_int_equal(pl_exit_code(PLAIT_IO), 1);
  assert_int_equal(pl_exit_code(PLAIT_VERIFY), 3);
  assert_int_equal(pl_exit_code(PLAIT_STOPPED), 75);
  assert_string_equal(pl_err_name(PLAIT_MEMORY), "MEMORY");
  assert_string_equal(pl_err_text(PLAIT_MEMORY), "out of memory");
  assert_string_equal(pl_err_name((plait_err)1000), "BUG");
  assert_string_equal(pl_err_name((plait_err)-1), "BUG");
}

static void messages(void **state) {
  (void)state;
  char longer[2 * PL_MESSAGE_BYTES];
  memset(longer, 'x', sizeof longer);
  longer[sizeof longer - 1] = '\0';
  assert_int_equal(plait_fail(PLAIT_IO, "%s: %d", "a", 3), PLAIT_IO);
  assert_string_equal(pl_message(), "a: 3");
  plait_fail(PLAIT_IO, "again %s", pl_message());
  assert_string_equal(pl_message(), "again a: 3");
  plait_fail(PLAIT_IO, "%s", longer);
  assert_int_equal(strlen(pl_message()), PL_MESSAGE_BYTES - 1);
  pl_message_set(longer);
  assert_int_equal(strlen(pl_message()), PL_MESSAGE_BYTES - 1);
  pl_message_set(pl_message() + PL_MESSAGE_BYTES - 3);
  assert_string_equal(pl_message(), "xx");
  pl_message_set(NULL);
  assert_string_equal(pl_message(), "");
}

static void errno_text(void **state) {
  (void)state;
  errno = ENOENT;
  assert_int_equal(pl_fail_errno(PLAIT_INPUT, "cannot open", "a.nc"), PLAIT_INPUT);
  assert_string_equal(pl_message(), "a.nc: cannot open: No such file or directory");
  errno = EACCES;
  pl_fail_errno(PLAIT_IO, "cannot look", NULL);
  assert_string_equal(pl_message(), "cannot look: Permission denied");
}

static plait_err tried(plait_err code) {
  TRY(code);
  return PLAIT_VERIFY;
}

static plait_err guarded(plait_err code, int *ends) {
  plait_err err = PLAIT_OK;
  GUARD(code);
  *ends += 10;
done:
  *ends += 1;
  return err;
}

static void macros(void **state) {
  (void)state;
  int ends = 0;
  assert_int_equal(tried(PLAIT_OK), PLAIT_VERIFY);
  assert_int_equal(tried(PLAIT_COMM), PLAIT_COMM);
  assert_int_equal(guarded(PLAIT_OK, &ends), PLAIT_OK);
  assert_int_equal(ends, 11);
  assert_int_equal(guarded(PLAIT_COMM, &ends), PLAIT_COMM);
  assert_int_equal(ends, 12);
}

static void *other_thread(void *data) {
  strcpy(data, pl_message());
  plait_fail(PLAIT_IO, "of the other thread");
  return NULL;
}

static void a_message_per_thread(void **state) {
  (void)state;
  char seen[64] = "unset";
  pthread_t thread;
  plait_fail(PLAIT_IO, "mine");
  assert_int_equal(pthread_create(&thread, NULL, other_thread, seen), 0);
  pthread_join(thread, NULL);
  assert_string_equal(seen, "");
  assert_string_equal(pl_message(), "mine");
}

static void raising(void **state) {
  (void)state;
  plait_raise raise = {0};
  plait_call call = {.raise = &raise}, deaf = {0};
  assert_int_equal(pl_raised(&raise), PLAIT_OK);
  plait_call_raise(&deaf, "nobody hears");
  plait_call_raise(&call, "first %d", 1);
  pl_raise(&raise, PLAIT_IO, "second");
  assert_int_equal(pl_raised(&raise), PLAIT_KERNEL);
  assert_string_equal(pl_message(), "first 1");
  assert_int_equal(pl_raised(&raise), PLAIT_KERNEL);
}

static void refusing_and_warning(void **state) {
  (void)state;
  plait_raise raise = {0};
  plait_call call = {.raise = &raise}, deaf = {0};
  plait_call_warn(&deaf, "nobody hears");
  plait_call_warn(&call, "row %d", 7);
  plait_call_warn(&call, "row %d", 7);
  assert_string_equal(raise.warning, "row 7");
  plait_call_warn(&call, "target");
  assert_string_equal(raise.warning, "row 7; target");
  for (int i = 0; i < 1000; i++) plait_call_warn(&call, "%d of many", i);
  assert_int_equal(strlen(raise.warning), sizeof raise.warning - 1);
  assert_int_equal(pl_raised(&raise), PLAIT_OK);
  plait_call_refuse(&deaf, "nobody hears");
  plait_call_refuse(&call, "row %d", 8);
  assert_int_equal(pl_raised(&raise), PLAIT_REFUSED);
  assert_string_equal(pl_message(), "row 8");
  assert_int_equal(pl_exit_code(PLAIT_REFUSED), 2);
}

static void *raise_once(void *data) {
  pl_raise(data, PLAIT_IO, "0123456789012345678901234567890123456789");
  return NULL;
}

static void one_of_many_wins(void **state) {
  (void)state;
  plait_raise raise = {0};
  pthread_t thread[8];
  for (int i = 0; i < 8; i++) pthread_create(&thread[i], NULL, raise_once, &raise);
  plait_err err;
  while ((err = pl_raised(&raise)) == PLAIT_OK) pl_sleep(1e-4);
  assert_int_equal(err, PLAIT_IO);
  assert_int_equal(strlen(pl_message()), 40);
  for (int i = 0; i < 8; i++) pthread_join(thread[i], NULL);
}

typedef struct heard {
  int lines;
  pl_log_level level;
  char line[64];
} heard;

static void hear(pl_log_level level, const char *line, void *data) {
  heard *h = data;
  h->lines++;
  h->level = level;
  strncpy(h->line, line, sizeof h->line - 1);
}

static void logging(void **state) {
  (void)state;
  heard h = {0};
  pl_log(PL_LOG_NOTE, "nobody listens");
  pl_log_to(hear, &h);
  pl_log(PL_LOG_DEBUG, "line %d", 7);
  assert_int_equal(h.lines, 1);
  assert_int_equal(h.level, PL_LOG_DEBUG);
  assert_string_equal(h.line, "line 7");
  pl_log_to(NULL, NULL);
  pl_log(PL_LOG_WARNING, "nobody listens");
  assert_int_equal(h.lines, 1);
}

static void types(void **state) {
  (void)state;
  assert_int_equal(plait_type_size(PLAIT_I8), 1);
  assert_int_equal(plait_type_size(PLAIT_U16), 2);
  assert_int_equal(plait_type_size(PLAIT_F32), 4);
  assert_int_equal(plait_type_size(PLAIT_U64), 8);
  assert_int_equal(plait_type_size(PLAIT_TYPES), 0);
  assert_string_equal(plait_type_name(PLAIT_U8), "uint8");
  assert_string_equal(plait_type_name(PLAIT_F64), "float64");
  assert_string_equal(plait_type_name((plait_type)-1), "unknown");
  for (int type = 0; type < PLAIT_TYPES; type++) {
    assert_in_range(plait_type_size((plait_type)type), 1, 8);
  }
}

static void clocks(void **state) {
  (void)state;
  double start = pl_now(), cpu = pl_cpu_thread();
  pl_sleep(0.02);
  pl_sleep(0);
  pl_sleep(-1);
  double wall = pl_now() - start;
  assert_true(wall >= 0.02 && wall < 10);
  assert_true(pl_cpu_thread() - cpu < wall);
  double before = pl_cpu_thread(), process = pl_cpu_process();
  while (pl_cpu_thread() - before < 0.01) continue;
  assert_true(pl_cpu_process() - process >= 0.0099);
}

// XXH3_64bits("") and of "abc", as published by `xxhsum -H3`.
static void hashes(void **state) {
  (void)state;
  assert_true(pl_hash("", 0, 0) == UINT64_C(0x2d06800538d394c2));
  assert_true(pl_hash("abc", 3, 0) == UINT64_C(0x78af5f94892f3950));
  assert_true(pl_hash("abc", 3, 1) != pl_hash("abc", 3, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(codes),
      cmocka_unit_test(messages),
      cmocka_unit_test(errno_text),
      cmocka_unit_test(macros),
      cmocka_unit_test(a_message_per_thread),
      cmocka_unit_test(raising),
      cmocka_unit_test(refusing_and_warning),
      cmocka_unit_test(one_of_many_wins),
      cmocka_unit_test(logging),
      cmocka_unit_test(types),
      cmocka_unit_test(clocks),
      cmocka_unit_test(hashes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
