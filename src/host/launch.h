// SPDX-License-Identifier: BSD-3-Clause
//
// Who started this process, learnt from the environment before MPI starts.
#ifndef PL_LAUNCH_H
#define PL_LAUNCH_H
#include "base/err.h"

typedef struct pl_launch {
  const char *launcher;       // "mpirun", "srun", "mpiexec", or "" when the process stands alone
  bool launched;              // initialise MPI
  int rank, size;             // -1 when the environment does not say
  int local_rank, local_size; // on this node; 0 and 1 when alone
  bool in_slurm;
} pl_launch;

void pl_launch_find(pl_launch *launch);
#endif
