// SPDX-License-Identifier: BSD-3-Clause
//
// How much memory a node gives us: the least of
//   - MemAvailable of the machine (not MemTotal: what other programs hold is not ours; pages of the
//     file cache count as available, the kernel gives them up),
//   - the memory limits of our control groups, upwards,
//   - what Slurm gave the job on this node, which is not always enforced by a control group:
//     SLURM_MEM_PER_NODE, or SLURM_MEM_PER_CPU for each of SLURM_CPUS_ON_NODE, in MiB.
// Asked once at the start; it changes with time and so must never reach a result.
#include "host/limits.h"
#include "host/topology.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t available(void) {
  int64_t found = -1;
  long long kib = 0;
  char line[256];
  FILE *file = fopen("/proc/meminfo", "re");
  while (file != NULL && found < 0 && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "MemAvailable: %lld", &kib) == 1) found = kib * 1024;
  if (file != NULL) fclose(file);
  return found >= 0 ? found : (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

static int64_t variable(const char *name) {
  const char *text = getenv(name);
  long long value = text == NULL ? 0 : strtoll(text, NULL, 10);
  return value > 0 && value < 1LL << 40 ? value : 0;
}

static int64_t slurm_bytes(void) { // 0 means all of the node
  int64_t node = variable("SLURM_MEM_PER_NODE");
  int64_t cpus = variable("SLURM_MEM_PER_CPU") * variable("SLURM_CPUS_ON_NODE");
  int64_t mib = node > 0 ? node : cpus;
  return mib > 0 && mib < 1LL << 40 ? mib << 20 : INT64_MAX;
}

static int64_t installed(void) {
  return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

int64_t pl_memory_most(void) {
  pl_limits limits;
  pl_limits_find("", &limits);
  return least(installed(), least(limits.memory, slurm_bytes()));
}

int64_t pl_memory_limit(void) {
  pl_limits limits;
  pl_limits_find("", &limits);
  return least(available(), least(limits.memory, slurm_bytes()));
}
