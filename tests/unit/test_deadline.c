// SPDX-License-Identifier: BSD-3-Clause
//
// When the time is over: what Slurm says, and stopping so much earlier.
#include "base/clock.h"
#include "host/deadline.h"
#include "host/stop.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void times_of_squeue(void **state) {
  (void)state;
  assert_true(pl_deadline_parse("5:00\n") == 300);
  assert_true(pl_deadline_parse("1:02:03") == 3723);
  assert_true(pl_deadline_parse("1-02:03:04\n") == 93784);
  assert_true(pl_deadline_parse("2-03") == 183600);
  assert_true(pl_deadline_parse("0:07") == 7);
  assert_true(isinf(pl_deadline_parse("UNLIMITED\n")));
  assert_true(isinf(pl_deadline_parse("NOT_SET")));
  assert_true(isinf(pl_deadline_parse("")));
  assert_true(isinf(pl_deadline_parse("INVALID")));
}

static void from_the_environment(void **state) {
  (void)state;
  char text[32];
  unsetenv("SLURM_JOB_ID");
  unsetenv("SLURM_JOB_END_TIME");
  assert_true(isinf(pl_deadline_find()));
  snprintf(text, sizeof text, "%lld", (long long)time(NULL) + 100);
  setenv("SLURM_JOB_END_TIME", text, 1);
  double left = pl_deadline_find();
  assert_true(left > 97 && left <= 100);
  setenv("SLURM_JOB_END_TIME", "soon", 1);
  assert_true(isinf(pl_deadline_find()));
  unsetenv("SLURM_JOB_END_TIME");
}

// A squeue of our own, first in the path.
static double ask(const char *dir, const char *script) {
  char path[128];
  snprintf(path, sizeof path, "%s/squeue", dir);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file, "#!/bin/sh\n%s\n", script);
  fclose(file);
  assert_int_equal(chmod(path, 0700), 0);
  double left = pl_deadline_find();
  unlink(path);
  return left;
}

static void from_squeue(void **state) {
  (void)state;
  char dir[] = "/tmp/plait-deadline-XXXXXX", path[4096];
  const char *before = getenv("PATH");
  assert_non_null(mkdtemp(dir));
  snprintf(path, sizeof path, "%s:%s", dir, before ? before : "");
  setenv("PATH", path, 1);
  setenv("SLURM_JOB_ID", "17", 1);
  assert_true(ask(dir, "[ \"$*\" = '-h -j 17 -o %L' ] && echo 12:34") == 754);
  assert_true(isinf(ask(dir, "echo 12:34; exit 1")));
  assert_true(isinf(ask(dir, "exit 0")));
  setenv("SLURM_JOB_ID", "17; touch /tmp/never", 1);
  assert_true(isinf(ask(dir, "echo 12:34")));
  unsetenv("SLURM_JOB_ID");
  rmdir(dir);
}

static void stopping_in_time(void **state) {
  (void)state;
  char text[80];
  assert_int_equal(pl_stop_why(), 0);
  pl_stop_by(pl_now() + 50);
  assert_int_equal(pl_stop_why(), 0);
  pl_stop_margin(60);
  assert_int_equal(pl_stop_why(), PL_STOP_TIME);
  pl_stop_margin(0);
  assert_int_equal(pl_stop_why(), 0);
  pl_stop_by(pl_now());
  assert_int_equal(pl_stop_why(), PL_STOP_TIME);
  pl_stop_by(0);
  assert_int_equal(pl_stop_why(), 0);
  pl_stop_text(PL_STOP_TIME, text);
  assert_string_equal(text, "the end of its time");
  pl_stop_text(15, text);
  assert_non_null(strstr(text, "(signal 15)"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(times_of_squeue),
      cmocka_unit_test(from_the_environment),
      cmocka_unit_test(from_squeue),
      cmocka_unit_test(stopping_in_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
