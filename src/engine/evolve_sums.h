// SPDX-License-Identifier: BSD-3-Clause
//
// Sums over the grid (diagnose) at the times of the snapshots. The state must stand still from
// pl_sums_own to the barrier behind it.
#ifndef PL_EVOLVE_SUMS_H
#define PL_EVOLVE_SUMS_H
#include "engine/evolve_march.h"

typedef struct pl_sums {
  pl_march *march;
  int64_t lo[PL_AXES], n[PL_AXES]; // the rank's own blocks along each axis
  int64_t own, blocks;             // their number, and that of the whole grid
  int64_t most;                    // blocks of the rank that has most
  double *mine;                    // *owned*, [most, ndiagnoses]
  double *all;   // *owned*, [ranks, most, ndiagnoses]; NULL but on rank 0 of several
  double *whole; // *owned*, [blocks, ndiagnoses] in the order of the grid; the same
} pl_sums;

// PLAIT_MEMORY.
plait_err pl_sums_start(pl_march *march, pl_sums *sums);
void pl_sums_stop(pl_sums *sums);
// The partials of this thread's share of the rank's blocks. Team function.
void pl_sums_own(pl_sums *sums, int thread);
// Leader, behind a barrier; collective. Rank 0 gets sum[ndiagnoses]. PLAIT_COMM.
plait_err pl_sums_total(pl_sums *sums, double sum[]);
#endif
