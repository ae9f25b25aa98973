// SPDX-License-Identifier: BSD-3-Clause
//
// One run of the evolve pattern: what its files share, evolve.c (team and writer) and evolve_meet.c
// (what the ranks do together between two legs).
#ifndef PL_EVOLVE_RUN_H
#define PL_EVOLVE_RUN_H
#include "engine/evolve.h"
#include "engine/evolve_save.h"
#include "engine/strands.h"

enum { PL_TILES_OF_A_LEG = 16 }; // at most

typedef enum pl_filled { PL_FILLED_SNAPSHOT, PL_FILLED_STATE } pl_filled; // what a slot holds

typedef struct pl_evolve_run_state {
  pl_stage *stage;
  pl_evolve *e;
  pl_save save;
  bool saves;        // this run can write checkpoints
  bool met;          // the ranks have heard of each other's start
  bool over;         // no leg follows
  int why;           // the run is to stop (pl_stop_why), the same on every rank
  bool save_now;     // a checkpoint begins behind this leg
  int64_t tiles;     // of the next leg, the same on every rank
  int64_t unchecked; // tiles since all values were looked at
  int64_t looked;    // step after which some were
  double leg_began, saved;
  plait_err error; // the leader's, for its team
  int slot;
  pl_filled filled[PL_SNAPSHOT_SLOTS];
  pl_strands *strands; // of the run
  int late;            // a slot that is ready but not given to the writer yet; -1 none
  plait_raise written; // what went wrong in the writer strand
} pl_evolve_run_state;

int64_t pl_evolve_last_step(const pl_evolve *evolve);
// Leader. Collective: an error of any rank is the error of all.
plait_err pl_evolve_meet(pl_evolve_run_state *run);
// Leader, behind a leg of `tiles` tiles. Collective: errors, signals, the length of the next leg,
// checkpoints that are written or due; the same on every rank.
plait_err pl_evolve_look_around(pl_evolve_run_state *run, int64_t tiles);
plait_err pl_evolve_stopped(const pl_evolve_run_state *run);    // PLAIT_STOPPED, and why
void pl_evolve_wait_for_writer(const pl_evolve_run_state *run); // until the checkpoint is on disk
#endif
