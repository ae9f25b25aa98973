// SPDX-License-Identifier: BSD-3-Clause
//
// Stop signals, in a child each: the flag is for the life of the process.
#include "base/clock.h"
#include "host/stop.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

// Listens, raises `first`, after `pause` seconds `second` (0 none). Exits with 0 when the flag was
// as it should be each time.
static int child_status(int first, double pause, int second) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    if (pl_stop_listen() != PLAIT_OK || pl_stop_asked() || pl_stop_signal() != 0) _exit(1);
    raise(first);
    if (!pl_stop_asked() || pl_stop_signal() != first) _exit(2);
    pl_sleep(pause);
    if (second != 0) raise(second);
    _exit(pl_stop_signal() == first ? 0 : 3); // the first is remembered
  }
  assert_true(waitpid(child, &status, 0) == child);
  return status;
}

static void one_signal_asks(void **state) {
  (void)state;
  unsetenv("SLURM_JOB_ID");
  static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1};
  for (int i = 0; i < 3; i++) assert_int_equal(child_status(numbers[i], 0, 0), 0);
}

static void the_same_request_twice_is_one(void **state) {
  (void)state;
  assert_int_equal(child_status(SIGTERM, 0.05, SIGTERM), 0);
  assert_int_equal(child_status(SIGTERM, 0.7, SIGUSR1), 0); // only ever asks
}

static void a_second_signal_ends(void **state) {
  (void)state;
  int status = child_status(SIGINT, 0.7, SIGTERM);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  status = child_status(SIGTERM, 0.7, SIGINT);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
  assert_int_equal(child_status(SIGUSR1, 0.7, SIGTERM), 0); // the first of its kind
}

// Slurm, srun and the batch script all send it, and on a busy node not at once.
static void in_a_batch_job_terminate_only_asks(void **state) {
  (void)state;
  setenv("SLURM_JOB_ID", "7", 1);
  assert_int_equal(child_status(SIGTERM, 0.7, SIGTERM), 0);
  int status = child_status(SIGTERM, 0.7, SIGINT);
  assert_true(WIFSIGNALED(status) == 0); // the first SIGINT
  status = child_status(SIGINT, 0.7, SIGINT);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
  unsetenv("SLURM_JOB_ID");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_signal_asks),
      cmocka_unit_test(the_same_request_twice_is_one),
      cmocka_unit_test(a_second_signal_ends),
      cmocka_unit_test(in_a_batch_job_terminate_only_asks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
