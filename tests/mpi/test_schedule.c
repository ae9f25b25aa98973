// SPDX-License-Identifier: BSD-3-Clause
//
// The scheduler over many passes, on as many ranks as the launcher starts: every unit of every pass
// goes to one rank, whoever is faster, and a halt reaches all.
#include "agree.h"
#include "base/clock.h"
#include "engine/schedule.h"
#include "host/launch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

enum { MOST = 64 };
static pl_comm *comm;
static int rank;

// Claims until nothing is left; counts, over all ranks, how often each unit was claimed.
static void claim_all(pl_scheduler *s, int pass, int64_t times[MOST]) {
  memset(times, 0, MOST * sizeof *times);
  for (;;) {
    int64_t first = 0, count = 0;
    bool stolen;
    plait_err err = pl_schedule_next(s, &first, &count, &stolen);
    if (err != PLAIT_OK || count == 0) break;
    for (int64_t u = first; u < first + count && u < MOST; u++) times[u]++;
    if ((pass + rank) % 3 == 0) pl_sleep(1e-4); // others steal
  }
  pl_comm_sum_int(comm, times, MOST);
}

static bool once_each(const int64_t times[MOST], int64_t units) {
  for (int64_t u = 0; u < MOST; u++)
    if (times[u] != (u < units)) return false;
  return true;
}

static void every_pass(pl_schedule_kind kind) {
  pl_scheduler *s = NULL;
  int64_t times[MOST];
  agree_ok(comm, pl_schedule_start(comm, kind, 1, 1, &s));
  claim_all(s, 0, times);
  agree_true(comm, once_each(times, 1));
  for (int pass = 1; pass < 60; pass++) {
    int64_t units = (pass * 37) % MOST; // none, too
    agree_ok(comm, pl_schedule_again(s, units, 1 + pass % 5));
    claim_all(s, pass, times);
    agree_true(comm, once_each(times, units));
  }
  pl_schedule_stop(&s);
}

static void each_pass_claims_each_unit_once(void **state) {
  (void)state;
  every_pass(PL_SCHEDULE_DYNAMIC);
  every_pass(PL_SCHEDULE_STATIC);
}

static void counts_what_is_done_in_this_pass(void **state) {
  (void)state;
  pl_scheduler *s = NULL;
  agree_ok(comm, pl_schedule_start(comm, PL_SCHEDULE_DYNAMIC, 8, 1, &s));
  for (int pass = 0; pass < 5; pass++) {
    int64_t total = 0;
    if (pass > 0) agree_ok(comm, pl_schedule_again(s, 8, 1));
    agree_ok(comm, pl_schedule_done(s, 1 + rank, &total));
    pl_comm_barrier(comm);
    agree_ok(comm, pl_schedule_done(s, 0, &total));
    int64_t n = pl_comm_size(comm);
    agree_true(comm, total == n * (n + 1) / 2);
  }
  pl_schedule_stop(&s);
}

static void a_halt_in_a_late_pass_reaches_all(void **state) {
  (void)state;
  pl_scheduler *s = NULL;
  int64_t first, count = 1;
  bool stolen;
  agree_ok(comm, pl_schedule_start(comm, PL_SCHEDULE_DYNAMIC, MOST, 1, &s));
  pl_comm_barrier(comm);
  for (int pass = 1; pass < 4; pass++) agree_ok(comm, pl_schedule_again(s, MOST, 1));
  agree_ok(comm, rank == pl_comm_size(comm) - 1 ? pl_schedule_halt(s) : PLAIT_OK);
  agree_ok(comm, pl_schedule_next(s, &first, &count, &stolen));
  agree_true(comm, count == 0 && pl_schedule_halted(s));
  pl_schedule_stop(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_pass_claims_each_unit_once),
      cmocka_unit_test(counts_what_is_done_in_this_pass),
      cmocka_unit_test(a_halt_in_a_late_pass_reaches_all),
  };
  pl_launch launch;
  pl_launch_find(&launch);
  if (pl_comm_start(launch.launched, launch.size, &comm) != PLAIT_OK) return 1;
  rank = pl_comm_rank(comm);
  agree_quiet(comm);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  pl_comm_stop(&comm);
  return failed;
}
