// SPDX-License-Identifier: BSD-3-Clause
//
// What placement reads from outside: what the user told OpenMP, what was told to the launcher, and
// which CPUs the launcher itself may use.
#ifndef PL_SURROUNDINGS_H
#define PL_SURROUNDINGS_H
#include "host/launch.h"

typedef struct pl_surroundings {
  int omp_threads;  // last number of the user's OMP_NUM_THREADS; 0 none
  int omp_limit;    // OMP_THREAD_LIMIT; 0 none
  bool omp_places;  // the user told OpenMP where threads go (OMP_PLACES, OMP_PROC_BIND, ..)
  bool omp_unbound; // or that they go nowhere (OMP_PROC_BIND=false)
  bool told;        // the launcher was told how to bind
  bool may_bind;    // the launcher binds without being told
  int task_cpus;    // srun --cpus-per-task; 0 none
  int job_cpus;     // CPUs that Slurm gave the job on this node; 0 unknown
  int nouter;       // mask of the launcher's process on this node; 0 unknown
  int *outer;       // os numbers; *owned*
  int nplaces;      // CPUs of the user's places, when there are any: libgomp has already bound the
  int *places;      // first thread to one of them, so the mask says nothing; *owned*
} pl_surroundings;

plait_err pl_surroundings_find(const pl_launch *launch, pl_surroundings *around);
void pl_surroundings_free(pl_surroundings *around);

// The user's value of a variable of OpenMP. pl_placement_enter replaces some before it executes the
// program again and keeps the user's in PL_KEPT NAME; children of that process inherit both.
const char *pl_user_variable(const char *name);
#define PL_PLACED "PLAIT_PLACED" // "PID decision": set by pl_placement_enter
#define PL_KEPT   "PLAIT_KEPT_"
#endif
