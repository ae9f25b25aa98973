// SPDX-License-Identifier: BSD-3-Clause
//
// The arithmetic of placement. Ranks that outnumber the CPUs are not pinned to one each: 5 ranks
// nailed to 2 cores run as 3 + 2 and finish after the 3, floating they share both cores evenly. Nor
// are 4: measured, two nailed to a core calculate no faster than four floating over both.
#include "host/share.h"
#include <stdlib.h>
#include <string.h>

static int by_core(const void *a, const void *b) {
  const pl_cpu *x = a, *y = b;
  if (x->core != y->core) return x->core < y->core ? -1 : 1;
  return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static int by_thread(const void *a, const void *b) {
  const pl_cpu *x = a, *y = b;
  if (x->thread != y->thread) return x->thread < y->thread ? -1 : 1;
  return x->core < y->core ? -1 : x->core > y->core;
}

static bool starts_core(const pl_cpu *sorted, int i) {
  return i == 0 || sorted[i].core != sorted[i - 1].core;
}

static bool starts_domain(const pl_cpu *sorted, int i) {
  return i == 0 || sorted[i].numa != sorted[i - 1].numa;
}

static int count_cores(const pl_cpu *sorted, int n) {
  int cores = 0;
  for (int i = 0; i < n; i++) cores += starts_core(sorted, i);
  return cores;
}

// Index of the first CPU of the `core`-th core; n for the one behind the last.
static int first_cpu(const pl_cpu *sorted, int n, int core) {
  int i = 0;
  for (; i < n; i++)
    if (starts_core(sorted, i) && core-- == 0) break;
  return i;
}

// The core where the share of `rank` starts.
static int start_core(const pl_cpu *sorted, int n, int cores, int rank, int size) {
  int even = (int)((int64_t)cores * rank / size), reach = cores / size / 8, core = 0, best = -1;
  for (int i = 0; i < n; i++) {
    if (!starts_core(sorted, i)) continue;
    bool nearer = best < 0 || abs(core - even) < abs(best - even);
    if (starts_domain(sorted, i) && abs(core - even) <= reach && nearer) best = core;
    core++;
  }
  return best >= 0 ? best : even;
}

// Shares of whole cores start at a core, others at any hardware thread.
static int start_cpu(const pl_cpu *sorted, int n, int rank, int size) {
  int cores = count_cores(sorted, n);
  if (rank == size) return n;
  if (size > cores) return (int)((int64_t)n * rank / size);
  return first_cpu(sorted, n, start_core(sorted, n, cores, rank, size));
}

int pl_share_cut(const pl_cpu *cpus, int n, int rank, int size, pl_cpu *share, bool *overlaps) {
  *overlaps = size > n;
  memcpy(share, cpus, (size_t)n * sizeof *share);
  qsort(share, (size_t)n, sizeof *share, by_core);
  int from = *overlaps ? 0 : start_cpu(share, n, rank, size);
  int to = *overlaps ? n : start_cpu(share, n, rank + 1, size);
  memmove(share, share + from, (size_t)(to - from) * sizeof *share);
  qsort(share, (size_t)(to - from), sizeof *share, by_thread);
  return to - from;
}

int pl_share_cores(const pl_cpu *cpus, int n) {
  int cores = 0;
  for (int i = 0; i < n; i++) {
    bool seen = false;
    for (int k = 0; k < i && !seen; k++) seen = cpus[k].core == cpus[i].core;
    cores += !seen;
  }
  return cores;
}
