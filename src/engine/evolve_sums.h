// SPDX-License-Identifier: BSD-3-Clause
//
// Sums over the grid (diagnose) at the times of the snapshots, formed behind the sweep that
// completes the step.
#ifndef PL_EVOLVE_SUMS_H
#define PL_EVOLVE_SUMS_H
#include "engine/evolve_march.h"

typedef struct pl_sums {
  pl_march *march;
  int64_t width;                   // cells of a piece of a row
  int64_t lo[PL_AXES], n[PL_AXES]; // the rank's own pieces: rows, and places along the last axis
  int64_t own, pieces;             // their number, and that of the whole grid
  int64_t most;                    // pieces of the rank that has most
  double *mine;                    // *owned*, [most, ndiagnoses]
  unsigned char *formed;           // *owned*, [own]: 1 where the partial of `step` is there
  int64_t step;                    // after which the sums are wanted; -1 none
  double *all;   // *owned*, [ranks, most, ndiagnoses]; NULL but on rank 0 of several
  double *whole; // *owned*, [pieces, ndiagnoses] in the order of the grid; the same
} pl_sums;

// PLAIT_MEMORY.
plait_err pl_sums_start(pl_march *march, pl_sums *sums);
void pl_sums_stop(pl_sums *sums);
int64_t pl_sums_bytes(const pl_sums *sums); // of this rank's memory, but for rank 0's collection
// Leader, the team waiting: the state after `step` steps will be summed.
void pl_sums_aim(pl_sums *sums, int64_t step);
// Forms the partials of the pieces that lie wholly in `box`, whose cells are those after `step`
// steps, if they are wanted then. Any thread, boxes disjoint.
void pl_sums_watch(pl_sums *sums, const plait_call *call, const plait_cells *box, int64_t step);
// This thread's share of what no box held wholly; march->step is the step aimed at. Team function,
// behind a barrier.
void pl_sums_finish(pl_sums *sums, int thread);
// Leader, behind a barrier; collective. Rank 0 gets sum[ndiagnoses]. PLAIT_COMM.
plait_err pl_sums_total(pl_sums *sums, double sum[]);
#endif
