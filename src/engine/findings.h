// SPDX-License-Identifier: BSD-3-Clause
//
// What is wrong with a launch, judged from what its ranks tell: the heart of `plait doctor`. Pure
// functions over plain structs, so that every finding is tested on machines that are not here.
#ifndef PL_FINDINGS_H
#define PL_FINDINGS_H
#include "base/text.h"

enum { PL_STATION_CPUS = 8192, PL_FINDINGS = 64 };

typedef struct pl_station_facts { // of one rank; plain bytes that travel
  char host[PLAIT_NAME];
  int rank, pid;
  int threads, ncpus, cores;           // of the rank; cores: that its CPUs are on
  int numa_first, numa_last;           // domains that its CPUs are in
  bool bound;                          // a core for each compute thread; else they float
  uint64_t cpus[PL_STATION_CPUS / 64]; // bit set: in the rank's share
  char note[512];                      // of the placement
  bool widened;
  // the node
  int node_cpus, node_cores, node_numa;
  double quota;   // CPUs' worth of time; 0 no limit
  double others;  // CPUs that other programs used just now
  int64_t memory; // bytes that the processes of the node may use
  int64_t shm;    // bytes free in /dev/shm; -1 unknown
  // the process: -1 no limit
  int64_t files, file_bytes, address_bytes, locked_bytes;
  bool infiniband;
  // the user's own variables that contradict the placement
  bool spins;                // OMP_WAIT_POLICY=active
  int thread_limit;          // OMP_THREAD_LIMIT; 0 none
  char affinity[PLAIT_NAME]; // name of a variable that places threads; "" none
} pl_station_facts;

typedef struct pl_storage_facts { // where the output goes; known to rank 0
  char dir[4096];
  char kind[32];   // of the file system: "ext4", "nfs", "tmpfs", ..
  double rate;     // bytes/s written and on the disk; 0 not measured
  int64_t free;    // bytes
  char error[256]; // why nothing could be written; "" it could
} pl_storage_facts;

typedef struct pl_job_facts { // zero without a job
  bool present;
  int64_t needed, written; // bytes: of each rank's memory; of the output
  char error[1024];        // why the job would not run; "" it would
} pl_job_facts;

typedef struct pl_finding {
  bool problem; // false: worth knowing, but nothing is wrong
  char what[512], cure[512];
} pl_finding;

typedef struct pl_findings {
  int n, problems;
  pl_finding at[PL_FINDINGS]; // what does not fit is counted only
} pl_findings;

// `ranks` [n] in rank order; `launched`: ranks talk through MPI. Problems first.
void pl_findings_judge(const pl_station_facts *ranks, int n, bool launched,
                       const pl_storage_facts *storage, const pl_job_facts *job,
                       pl_findings *findings);
// CPUs of a share as "0-3,8".
void pl_findings_cpus(const pl_station_facts *rank, char *out, size_t room);
#endif
