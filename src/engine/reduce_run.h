// SPDX-License-Identifier: BSD-3-Clause
//
// A reduction while it runs: what reduce.c (the passes) and reduce_team.c (what is done with a
// block) share. Only they include this.
#ifndef PL_REDUCE_RUN_H
#define PL_REDUCE_RUN_H
#include "engine/feed.h"
#include "engine/merge.h"
#include "engine/pattern.h"
#include "engine/reduce_units.h"
#include "engine/results.h"
#include "engine/strands.h"

typedef struct pl_reduce {
  pl_stage *stage;
  pl_task *task;
  const plait_kernel *kernel;
  pl_scheduler *scheduler;
  pl_feed feed;
  pl_results results;
  pl_scratch scratch;
  plait_raise raise;
  pl_pool pool;
  pl_merger merger;
  void *root; // several passes: the merged partial of the only tile, on its home rank
  void *state;
  pl_units units;
  int pass;
  // what the leader tells its team about the node in work
  pl_node node;
  pl_merge_step step;
  int out;
  bool emitting; // the pass after the last, in which the kernel also writes outputs of its blocks
  plait_err err;
} pl_reduce;

// The root of a pass is kept for `next`, unless there is no other pass.
bool pl_reduce_has_passes(const pl_reduce *run);
// What the journal keeps of this pass. Its number says whether it is one that emits, where that is
// not plain from the kernel.
pl_journal_kept pl_reduce_kept(pl_reduce *run);
// Strands, `context` is a pl_reduce: the team's work on a batch; the writer's on a slot of results.
plait_err pl_reduce_compute(void *context, pl_strands *strands, int slot, int thread);
plait_err pl_reduce_write(void *context, int slot);
// Every thread of a team (call->threads = 1: one alone). Puts run->node into the tree and merges as
// far as siblings are here; run->step.kind is REST or ROOT afterwards, errors are in run->err.
void pl_reduce_climb(pl_reduce *run, const plait_call *call);
// Every thread. The partial of a whole tile becomes results in a slot that the leader holds.
void pl_reduce_finish_tile(pl_reduce *run, const plait_call *call, int slot);
#endif
