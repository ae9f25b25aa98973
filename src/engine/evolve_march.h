// SPDX-License-Identifier: BSD-3-Clause
//
// The march in time: one rank's part of a grid, its fields, and the team function that advances
// them by a time tile. All that a later step depends on is in `fields`, `step` and the tables: a
// checkpoint needs nothing else.
#ifndef PL_EVOLVE_MARCH_H
#define PL_EVOLVE_MARCH_H
#include "base/raise.h"
#include "engine/halo.h"
#include "engine/report.h"

typedef struct pl_march_setup {
  const plait_kernel *kernel;
  const plait_problem *problem; // *borrowed*
  const void *params;           // *borrowed*
  int threads;
  size_t cache;       // bytes that one thread may fill
  int depth;          // steps of a time tile; 0: choose
  int64_t most_depth; // 0: any; the march is never asked for more at once
  bool overlap;       // compute the interior while halos travel
  double most_bytes;  // that the fields may take; 0: any
} pl_march_setup;

typedef struct pl_march {
  pl_comm *comm;
  const plait_kernel *kernel;
  plait_grid grid;
  int ranks[PL_AXES]; // along each axis
  pl_fields fields;
  pl_tiling tiling;
  pl_halo halo;
  int threads;
  plait_call *calls; // *owned*, one per thread
  plait_raise raise;
  void *state;        // *owned*: the kernel's tables
  pl_region *regions; // *owned*, one per thread
  pl_region whole;    // the region that the team works on
  bool overlap;
  // Called by the last thread in every tile that is cut among threads, while the others have a seam
  // to do and it has none. May be NULL.
  void (*idle)(void *context);
  void *idle_context;
  struct pl_watchdog *dog; // told when the leader waits for other ranks; may be NULL
  double dt;               // s
  int64_t step;            // steps done
  plait_err error;         // of the leader's messages
} pl_march;

// Plans, decomposes, agrees on the depth of a tile, allocates. Every rank gets the same answer but
// for PLAIT_MEMORY, and PLAIT_JOB when its fields take more than most_bytes. Collective.
plait_err pl_march_start(pl_comm *comm, const pl_march_setup *setup, pl_march *march);
void pl_march_stop(pl_march *march);
// Largest stable step of this rank's part [s]. Threads: one. The fields from files must be there.
double pl_march_limit(pl_march *march);
// Sets dt, makes the tables and the initial fields. Team function, collective.
plait_err pl_march_initial(pl_march *march, double dt, int thread);
// Fills ghost cells and halos of depth one step with what fields hold (constant ones too). Team,
// collective.
plait_err pl_march_exchange(pl_march *march, int steps, int thread);
// Advances by `steps` <= tiling.depth. Team function, collective; the same error on every thread.
// What a kernel raised waits in `raise`: the ranks must agree on it before one may stop.
plait_err pl_march_tile(pl_march *march, int steps, int thread);
// A box of own cells as diagnose and others see the state after `step` steps: march->step, or the
// next one behind a box that the sweep has completed.
void pl_march_cells(const pl_march *march, int64_t step, const int64_t lo[], const int64_t n[],
                    plait_cells *cells);
// The thread's share of the own cells, a range of axis 0, as pl_march_cells. False: it is empty.
bool pl_march_share(const pl_march *march, int thread, plait_cells *cells);
// Adds what this rank did in `steps` steps.
void pl_march_count(const pl_march *march, int64_t steps, pl_meter *meter);
// Cells that the widest stage reads: the ghost cells kept at a wall.
int64_t pl_march_reach(const plait_grid *grid, int axis, int side);
#endif
