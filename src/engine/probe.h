// SPDX-License-Identifier: BSD-3-Clause
//
// Looks at the machine and measures it, briefly: what `plait doctor` tells and `plait plan` builds
// on.
#ifndef PL_PROBE_H
#define PL_PROBE_H
#include "engine/findings.h"
#include "host/placement.h"

// What this rank stands on. Takes about 0.1 s (how busy the node is). Not collective. Threads: one.
void pl_probe_station(const char *host, int rank, const pl_topology *topology,
                      const pl_placement *placement, pl_station_facts *facts);
// Only what the placement says of it, also of a machine that is not here: limits are none, memory
// and /dev/shm unknown. Pure.
void pl_probe_share(const char *host, int rank, const pl_topology *topology,
                    const pl_placement *placement, pl_station_facts *facts);
// Writes `bytes` into a file of `dir`, makes them durable, removes it; how fast that was, how much
// is free, what file system it is. What goes wrong stands in facts->error.
void pl_probe_storage(const char *dir, int64_t bytes, pl_storage_facts *facts);
// Model name of the CPU and how many: what measurements are kept by.
void pl_probe_cpu(char *name, size_t room);

// ---- measurements that are kept (probe_cache.c)
// A few named numbers under a key, in the user's cache directory (XDG_CACHE_HOME, else ~/.cache):
// plait/KEY.txt, "name value" lines. Losing them costs only measuring again.
typedef struct pl_measured {
  const char *name;
  double value;
} pl_measured;
// Fills the values of all n names. false: nothing is kept, or not all of them.
bool pl_probe_recall(const char *key, pl_measured list[], int n);
// Keeps them; false when it cannot (no home, read-only): nothing is lost but time.
bool pl_probe_keep(const char *key, const pl_measured list[], int n);
#endif
