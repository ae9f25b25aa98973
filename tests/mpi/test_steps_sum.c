// SPDX-License-Identifier: BSD-3-Clause
//
// The sums of a step are the binary tree over the lanes, bit for bit, whatever the ranks, in memory
// that they share and by messages (what is left when a rank can open no more files); step after
// step, so that a rank that runs ahead of the others would be seen.
#include "agree.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/steps_sum.h"
#include "host/launch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/resource.h>

enum { LONGEST = 40000, STEPS = 40 };
static pl_comm *comm;
static int rank, size;

static float value(int step, int lane, size_t i) {
  uint32_t r[4];
  plait_random(3, (uint64_t)(step * 64 + lane), i, r);
  return (float)(2 * plait_uniform(r[0], r[1]) - 1);
}

static float tree(int step, int lane, int width, size_t i) {
  if (width == 1) return value(step, lane, i);
  return tree(step, lane, width / 2, i) + tree(step, lane + width / 2, width / 2, i);
}

static void gather(pl_steps_sum *s, int step, size_t n) {
  for (int node = 0; node < s->nodes; node++)
    for (size_t i = 0; i < n; i++)
      s->own[node][i] = tree(step, s->base + s->first[node], s->width[node], i);
}

static bool is_right(const float *total, int lanes, int step, size_t n) {
  for (size_t i = 0; i < n; i += 7)
    if (total[i] != tree(step, 0, lanes, i)) return false;
  return total[n - 1] == tree(step, 0, lanes, n - 1);
}

static void march(int lanes, bool shared) {
  static const size_t lengths[] = {1, 32, 5000, LONGEST};
  pl_steps_sum s;
  pl_meter meter = {0};
  const float *total;
  agree_ok(comm, pl_steps_sum_start(comm, lanes, LONGEST, &s));
  agree_true(comm, size == 1 || (s.shared != NULL) == shared);
  for (int step = 0; step < STEPS; step++) {
    size_t n = lengths[(step * 7 / 2) % 4];
    gather(&s, step, n);
    if (step % 5 == rank) pl_sleep(2e-3); // some rank is late
    agree_ok(comm, pl_steps_sum_all(&s, n, &total, &meter));
    agree_true(comm, is_right(total, lanes, step, n));
  }
  for (int step = 0; step < STEPS; step++) { // nothing in between keeps the ranks together
    gather(&s, step, 64);
    assert_int_equal(pl_steps_sum_all(&s, 64, &total, &meter), PLAIT_OK);
    if (!is_right(total, lanes, step, 64)) s.base = -1;
  }
  agree_true(comm, s.base >= 0);
  agree_true(comm, shared || size == 1 || meter.messages > 0 || s.nodes == 0);
  pl_steps_sum_stop(&s);
}

static void in_shared_memory(void **state) {
  (void)state;
  for (int lanes = 1; lanes <= 16; lanes *= 2) march(lanes, true);
}

// Only rank 0 has no file left: all must do without.
static void by_messages(void **state) {
  (void)state;
  struct rlimit was, none;
  getrlimit(RLIMIT_NOFILE, &was);
  none = (struct rlimit){.rlim_cur = 3, .rlim_max = was.rlim_max};
  for (int lanes = 1; lanes <= 16; lanes *= 2) {
    if (rank == 0) setrlimit(RLIMIT_NOFILE, &none);
    march(lanes, false);
    setrlimit(RLIMIT_NOFILE, &was);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(in_shared_memory),
                                     cmocka_unit_test(by_messages)};
  pl_launch launch;
  pl_launch_find(&launch);
  if (pl_comm_start(launch.launched, launch.size, &comm) != PLAIT_OK) return 1;
  rank = pl_comm_rank(comm);
  size = pl_comm_size(comm);
  agree_quiet(comm);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  pl_comm_stop(&comm);
  return failed;
}
