// SPDX-License-Identifier: BSD-3-Clause
//
// What the operating system counts for a process. The delay (run-queue wait) tells an
// oversubscribed core from a thread that waits for something else; Linux keeps it per thread, so
// each thread of a team asks for its own. Where the kernel does not say (no schedstat), it is 0 and
// only the switches speak.
#include "base/clock.h"
#include "base/mem.h"
#include "engine/report.h"
#include <stdio.h>
#include <sys/resource.h>

static int64_t switches(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_nivcsw : 0;
}

// What was in the page cache is not counted, nor is what some network file systems fetch.
static int64_t storage_read(void) {
  char line[128];
  long long bytes = -1;
  FILE *file = fopen("/proc/self/io", "re");
  if (!file) return -1;
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "read_bytes: %lld", &bytes) == 1) break;
  fclose(file);
  return bytes;
}

void pl_meter_start(pl_meter *meter) {
  meter->storage_read = storage_read();
  meter->cpu = -pl_cpu_process();
  meter->switches = -switches();
}

void pl_meter_stop(pl_meter *meter) {
  int64_t before = meter->storage_read, now = storage_read();
  meter->storage_read = before < 0 || now < 0 ? -1 : now - before;
  meter->cpu += pl_cpu_process();
  meter->switches += switches();
  meter->peak_rss = (int64_t)pl_peak_rss();
}

double pl_meter_delay(void) {
  unsigned long long ran = 0, waited = 0;
  FILE *file = fopen("/proc/thread-self/schedstat", "re");
  if (!file) return 0;
  if (fscanf(file, "%llu %llu", &ran, &waited) != 2) waited = 0;
  fclose(file);
  return 1e-9 * (double)waited;
}
