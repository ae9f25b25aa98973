// SPDX-License-Identifier: BSD-3-Clause
//
// The clocks of POSIX. CLOCK_MONOTONIC costs some 20 ns (no system call).
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

// Field 22 of /proc/self/stat: the start in clock ticks since boot. The name in field 2 may hold
// blanks and brackets, so fields are counted from the last closing bracket.
double pl_process_age(void) {
  char line[1024];
  FILE *file = fopen("/proc/self/stat", "r");
  if (!file) return 0;
  size_t n = fread(line, 1, sizeof line - 1, file);
  fclose(file);
  line[n] = 0;
  const char *at = strrchr(line, ')');
  unsigned long long ticks = 0;
  const char *fields =
      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu";
  if (!at || sscanf(at + 1, fields, &ticks) != 1) return 0;
  return read_clock(CLOCK_BOOTTIME) - (double)ticks / (double)sysconf(_SC_CLK_TCK);
}
