// SPDX-License-Identifier: BSD-3-Clause
//
// The node: cores, hardware threads, NUMA domains, caches (hwloc), and which CPUs this process may
// use (cgroup cpuset, affinity mask, CPU quota). Synthetic topologies make placement testable.
#ifndef PL_TOPOLOGY_H
#define PL_TOPOLOGY_H
#include "base/err.h"

typedef struct pl_cpu {
  int os;     // number the kernel gives it
  int core;   // index of its core
  int thread; // 0 first hardware thread of the core, 1 second ..
  int numa;   // index of its NUMA domain
} pl_cpu;

typedef struct pl_topology {
  int ncpus;    // CPUs of the node that the cpuset allows (not: the narrower mask of a launcher)
  pl_cpu *cpus; // in order numa, thread, core: taking the first n takes whole cores first; *owned*
  int ncores, nnuma;
  int nmask;         // CPUs in the affinity mask as it was found
  int *mask;         // their os numbers, ascending; *owned*
  double quota;      // CPUs' worth of time that the cgroup allows; 0 no limit
  size_t l1, l2, l3; // bytes of data cache: per core, per core, per domain that shares it
  int l3_cores;      // cores that share it
} pl_topology;

// `synthetic`: an hwloc synthetic description ("pack:2 core:64 pu:2") in place of this machine, or
// NULL. Errors: PLAIT_USAGE (a description that hwloc refuses), PLAIT_MEMORY, PLAIT_BUG.
plait_err pl_topology_find(const char *synthetic, pl_topology *topology);
void pl_topology_free(pl_topology *topology);
// Bytes of memory that this process may use: the least of machine, cgroups upwards, Slurm.
int64_t pl_memory_limit(void);
int64_t pl_memory_most(void); // the same with nothing else running: of all that there is
#endif
