// SPDX-License-Identifier: BSD-3-Clause
//
// This rank's share of the node: disjoint from its neighbours', whole cores before hardware
// threads, inside one NUMA domain where it fits. Decided before MPI and OpenMP start.
#ifndef PL_PLACEMENT_H
#define PL_PLACEMENT_H
#include "host/launch.h"
#include "host/topology.h"

typedef struct pl_wish { // what the user asked for; zero: nothing
  int threads;           // --threads N
  bool inherit;          // run.placement: inherit
} pl_wish;

typedef struct pl_placement {
  int threads;         // compute threads of this rank
  int ncpus;           // CPUs of its share
  int *cpus;           // os numbers; compute thread i is bound to cpus[i % ncpus]; *owned*
  bool oversubscribed; // more compute threads on the node than CPUs: wait passively
  bool widened;        // the launcher's narrow default mask was given up
  bool user_places;    // OMP_PLACES / OMP_PROC_BIND of the user are kept
  bool bound;     // compute threads are bound one per core; false: ranks share the CPUs, or the
                  // user's own binding counts
  char note[512]; // one line of what was done or is wrong, "" when all is plain
} pl_placement;

// The rules are at the head of placement.c. Looks at the node and the environment (what the user
// told OpenMP and the launcher); after pl_placement_enter's exec returns what was decided before
// it, without looking again (10 ms). Errors: PLAIT_MEMORY, PLAIT_BUG. Threads: before threads
// start.
plait_err pl_placement_decide(const pl_launch *launch, const pl_wish *wish,
                              pl_placement *placement);
// Where rank `rank` of `ranks` on such a node would compute if its launcher binds nobody and no
// variable says otherwise. Pure. PLAIT_MEMORY.
plait_err pl_placement_imagine(const pl_topology *topology, int rank, int ranks,
                               const pl_wish *wish, pl_placement *placement);
void pl_placement_free(pl_placement *placement);

// Sets the OpenMP environment and the affinity mask and executes the program again, once: libgomp
// reads both when it is loaded. Returns when that has happened already or is not needed.
plait_err pl_placement_enter(const pl_placement *placement, char **argv);
bool pl_placement_entered(void); // this process is the one after the exec
// Called by each compute thread when the team opens: binds it. Strands float over the share.
void pl_placement_bind_thread(const pl_placement *placement, int thread);
// Gives the calling thread the whole share back: a thread that was bound and goes on as a strand.
void pl_placement_float_thread(const pl_placement *placement);
#endif
