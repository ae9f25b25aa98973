// SPDX-License-Identifier: BSD-3-Clause
//
// The watchdog bites when nothing moves, and only then; the lock keeps a second run out, and no
// longer than the first lives.
#include "base/clock.h"
#include "base/path.h"
#include "engine/identity.h"
#include "engine/watchdog.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char place[] = "/tmp/plait-watchdog-XXXXXX", output[64], file[80];

static void say(void *data, const char *line) {
  dprintf(*(int *)data, "%s", line);
}

typedef enum how { IDLE, STUCK, BUSY, OPENING, MOVING } how;

// In a child: 0.4 s of `way` under a watchdog of 0.1 s. What it said, its exit status.
static int watch(how way, double stall, char *said, size_t room) {
  int ends[2], status = 0;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    pl_comm *comm = NULL;
    pl_watchdog *dog = NULL;
    if (pl_comm_start(false, 1, &comm) != PLAIT_OK) _exit(9);
    pl_watchdog_plan plan = {.comm = comm, .stall = stall, .stalled = say, .data = &ends[1]};
    if (pl_watchdog_start(&plan, &dog) != PLAIT_OK) _exit(9);
    if (way == STUCK) pl_watchdog_begin(dog, PL_WATCH_READ, 17);
    if (way == OPENING || way == MOVING) pl_watchdog_begin(dog, PL_WATCH_FILES, -1);
    for (int i = 0; i < 20; i++) {
      if (way == BUSY) pl_watchdog_begin(dog, PL_WATCH_TEAM, i);
      if (way == MOVING) pl_moves_note();
      pl_sleep(0.02);
      if (way == BUSY) pl_watchdog_end(dog, PL_WATCH_TEAM);
    }
    pl_watchdog_stop(&dog);
    _exit(0);
  }
  close(ends[1]);
  ssize_t n = read(ends[0], said, room - 1);
  said[n > 0 ? n : 0] = 0;
  close(ends[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void it_bites_what_is_stuck(void **state) {
  (void)state;
  char said[600];
  assert_int_equal(watch(STUCK, 0.1, said, sizeof said), 1);
  assert_non_null(strstr(said, "the reader reads block 17 since"));
  assert_non_null(strstr(said, "the team waits"));
  assert_int_equal(watch(OPENING, 0.1, said, sizeof said), 1);
  assert_non_null(strstr(said, "this rank opens files since"));
  assert_null(strstr(said, "waits"));
}

static void it_lets_others_be(void **state) {
  (void)state;
  char said[600];
  assert_int_equal(watch(IDLE, 0.1, said, sizeof said), 0);
  assert_int_equal(watch(BUSY, 0.2, said, sizeof said), 0);
  assert_int_equal(watch(MOVING, 0.2, said, sizeof said), 0);
  assert_int_equal(watch(STUCK, 0, said, sizeof said), 0); // run.stall: 0
  assert_string_equal(said, "");
  pl_watchdog_begin(NULL, PL_WATCH_READ, 1);
  pl_watchdog_end(NULL, PL_WATCH_READ);
}

static void what_it_says(void **state) {
  (void)state;
  char line[300];
  const double waits[PL_WATCHED] = {-1, -1, -1, 12, -1};
  const int64_t at[PL_WATCHED] = {-1, -1, -1, -1, -1};
  pl_watchdog_line(0, "node7", 12, waits, at, line, sizeof line);
  assert_non_null(strstr(line, "rank 0 (node7)"));
  assert_non_null(strstr(line, "waits for the others"));
}

// A child that holds the lock until it is killed.
static pid_t hold(void) {
  int ends[2];
  char byte;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    pl_lock *lock = NULL;
    if (pl_lock_take(output, "here", &lock) != PLAIT_OK) _exit(1);
    pl_lock_beat(lock);
    (void)!write(ends[1], "x", 1);
    pause();
    _exit(0);
  }
  assert_int_equal(read(ends[0], &byte, 1), 1);
  close(ends[0]);
  close(ends[1]);
  return child;
}

static void one_run_at_a_time(void **state) {
  (void)state;
  pl_lock *lock = NULL;
  pid_t child = hold();
  double start = pl_now();
  assert_int_equal(pl_lock_take(output, "here", &lock), PLAIT_OUTPUT);
  assert_true(pl_now() - start > 3); // it might have been about to end
  char number[32];
  snprintf(number, sizeof number, "process %ld on here", (long)child);
  assert_non_null(strstr(pl_message(), number));
  assert_null(lock);
  kill(child, SIGKILL); // not waited for: a zombie still has its number
  start = pl_now();
  assert_int_equal(pl_lock_take(output, "here", &lock), PLAIT_OK);
  assert_true(pl_now() - start < 3);
  assert_int_equal(waitpid(child, NULL, 0), child);
  pl_lock_give(&lock);
  assert_null(lock);
  assert_int_not_equal(access(file, F_OK), 0);
  pl_lock_give(&lock);
  pl_lock_beat(NULL);
}

static void write_lock(const char *text) {
  int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static void stale_locks(void **state) {
  (void)state;
  pl_lock *lock = NULL;
  static const char *const texts[] = {"", "nonsense", "here 1 1 another-boot\n"};
  for (int i = 0; i < 3; i++) {
    write_lock(texts[i]);
    assert_int_equal(pl_lock_take(output, "here", &lock), PLAIT_OK);
    pl_lock_give(&lock);
  }
  unlink(file);
  assert_int_equal(symlink("/dev/null", file), 0);
  assert_int_equal(pl_lock_take(output, "here", &lock), PLAIT_OUTPUT);
  unlink(file);
}

// Another machine, where flock does not reach: alive while the time of its lock moves.
static void a_lock_of_another_machine(void **state) {
  (void)state;
  pl_lock *lock = NULL;
  write_lock("there 77 1 another-boot\n");
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 10; i++) {
      pl_sleep(0.5);
      int fd = open(file, O_RDWR);
      (void)!futimens(fd, NULL);
      close(fd);
    }
    _exit(0);
  }
  assert_int_equal(pl_lock_take(output, "here", &lock), PLAIT_OUTPUT);
  assert_non_null(strstr(pl_message(), "process 77 on there"));
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  assert_int_equal(pl_lock_take(output, "here", &lock), PLAIT_OK); // after 3 beats
  pl_lock_give(&lock);
}

static void differences_are_named(void **state) {
  (void)state;
  const char *was = "kernel: a\nparams.x: 1\nsize of the input: 5 bytes\n";
  assert_int_equal(pl_identity_compare("J", was, was), PLAIT_OK);
  assert_int_equal(pl_identity_compare("J", was,
                                       "# words\nkernel: a\nparams.x: 1\n# more\n"
                                       "size of the input: 5 bytes\n"),
                   PLAIT_OK);
  assert_int_equal(pl_identity_compare("J", was, "kernel: a\nparams.x: 2\n"), PLAIT_OUTPUT);
  assert_string_equal(pl_message(),
                      "J belongs to another run: params.x was 1 and is 2 now; --fresh starts over");
  assert_int_equal(pl_identity_compare("J", was, "kernel: a\nparams.y: 2\n"), PLAIT_OUTPUT);
  assert_non_null(strstr(pl_message(), "'params.x: 1', this one 'params.y: 2'"));
  assert_int_equal(pl_identity_compare("J", was, ""), PLAIT_OUTPUT);
  assert_int_equal(pl_identity_compare("J", "", was), PLAIT_OUTPUT);
  assert_int_equal(pl_identity_compare("J", "kernel: a", "kernel: ab"), PLAIT_OUTPUT);
}

static int make_place(void **state) {
  (void)state;
  if (!mkdtemp(place)) return -1;
  snprintf(output, sizeof output, "%s/r.nc", place);
  snprintf(file, sizeof file, "%s.lock", output);
  return 0;
}

static int clear_place(void **state) {
  (void)state;
  unlink(file);
  return rmdir(place);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_bites_what_is_stuck),
      cmocka_unit_test(it_lets_others_be),
      cmocka_unit_test(what_it_says),
      cmocka_unit_test(one_run_at_a_time),
      cmocka_unit_test(stale_locks),
      cmocka_unit_test(a_lock_of_another_machine),
      cmocka_unit_test(differences_are_named),
  };
  return cmocka_run_group_tests(tests, make_place, clear_place);
}
