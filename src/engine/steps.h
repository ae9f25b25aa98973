// SPDX-License-Identifier: BSD-3-Clause
//
// The march of a reduction in steps: who brings the rows (files and strands in reduce_steps.c, an
// array in memory in solo_steps.c) hands over one window after another, the team goes through its
// steps: gather, sum over the ranks, update. All ranks are at the same step; that one of them
// failed or is to stop travels with the sums, so that all end at the same step.
#ifndef PL_STEPS_H
#define PL_STEPS_H
#include "engine/pattern.h"
#include "engine/steps_plan.h"
#include "engine/steps_sum.h"

// The rows of one round that a rank has, lane by lane, in the order in which steps take them.
typedef struct pl_window {
  int64_t epoch, round;
  int64_t room;     // of a lane in the two lists
  const void **row; // [lanes here, room]
  int64_t *number;
} pl_window;
size_t pl_window_bytes(const pl_steps_plan *plan, int lanes);
plait_err pl_window_start(const pl_steps_plan *plan, int lanes, pl_window *window);
void pl_window_stop(pl_window *window);
// Puts the rows of a lane in order. `at(context, lane, page)`: the first row of the piece.
typedef const void *pl_window_at(void *context, int lane, int64_t page);
void pl_window_fill(const pl_steps_plan *plan, const int64_t order[], int lane, int first_lane,
                    size_t row_bytes, pl_window_at *at, void *context, pl_window *window);

// Behind the kernel's state: what must survive with it.
typedef struct pl_steps_tail {
  int64_t over; // there is no further epoch
  int64_t spare[7];
} pl_steps_tail;

typedef struct pl_steps {
  pl_steps_plan plan;
  const plait_kernel *kernel;
  const plait_call *calls; // one per thread; *borrowed*
  int first_lane, lanes;   // of this rank
  pl_steps_sum sum;
  pl_meter *meter;
  void *state; // the kernel's, and pl_steps_tail behind it
  size_t kernel_bytes, state_bytes;
  int64_t done; // steps of the run
  int64_t rows; // of the steps done here
  int64_t epoch, round, step;
  int64_t round_steps;
  int64_t *lane_rows; // of each lane of all ranks in this round
  int64_t *order;
  plait_batch batch;
  const void **row;
  int64_t *number, *lane;
  const float *total; // what the leader tells its team
  float *node[64];
  bool go, more;
  int asked;      // some rank asks all to stop
  plait_err err;  // of this rank
  bool elsewhere; // another rank failed
  // Leader, after a step, may be NULL. `closed`: the epoch ends with it, `note` is the kernel's.
  plait_err (*after)(void *context, bool closed, const char *note);
  bool (*stops)(void *context); // leader: whether this rank wants all to stop; may be NULL
  void *context;
} pl_steps;

size_t pl_steps_bytes(const pl_steps_plan *plan, const plait_plan *kernel, int ranks); // of a rank
// Collective but for comm NULL (one rank). Before: plan, kernel, calls, meter. `done`: steps that
// an earlier run did, with `state` read back by the caller afterwards.
plait_err pl_steps_start(pl_steps *s, pl_comm *comm, int64_t done);
void pl_steps_stop(pl_steps *s);
pl_steps_tail *pl_steps_end_of(const pl_steps *s); // behind the state
bool pl_steps_over(const pl_steps *s);             // nothing is left to do
// Every thread of the team, with the window of the next round (others are passed over): its steps.
// `here`: why this rank has no rows in spite of it (the message is the leader's). The error of this
// rank.
plait_err pl_steps_round(pl_steps *s, const pl_window *window, plait_err here, int thread);
#endif
