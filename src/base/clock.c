// SPDX-License-Identifier: BSD-3-Clause
//
// The clocks of POSIX. CLOCK_MONOTONIC costs some 20 ns (no system call).
#include "base/clock.h"

#include <errno.h>
#include <time.h>

static double read_clock(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double pl_now(void) {
  return read_clock(CLOCK_MONOTONIC);
}
double pl_cpu_process(void) {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
double pl_cpu_thread(void) {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void pl_sleep(double seconds) {
  if (!(seconds > 0)) return;
  struct timespec t = {.tv_sec = (time_t)seconds};
  t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR) {
  }
}
