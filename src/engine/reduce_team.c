// SPDX-License-Identifier: BSD-3-Clause
//
// What the team does with the blocks of a reduction (each becomes a partial and climbs the tree as
// far as its siblings are here), and the writer with what comes out of it.
#include "engine/reduce_run.h"
#include "engine/watchdog.h"

bool pl_reduce_has_passes(const pl_reduce *run) {
  return run->kernel->reduce.next != NULL || run->kernel->reduce.emit != NULL;
}

pl_journal_kept pl_reduce_kept(pl_reduce *run) {
  bool after_others = run->emitting && run->kernel->reduce.block;
  return (pl_journal_kept){.nodes = &run->merger,
                           .pass = run->pass | (after_others ? PL_PASS_EMITS : 0),
                           .state = run->state,
                           .state_bytes = run->task->plan.state_bytes};
}

// Every thread. Results that follow the cells of a block: they go to the writer.
static void emit_block(pl_reduce *run, const plait_call *call, pl_strands *strands,
                       const pl_feed_block *in) {
  if (call->thread == 0) {
    if (!pl_strands_take_out(strands, &run->out)) run->out = -1;
    if (run->out >= 0) pl_results_prepare(&run->results, run->out, 0, &in->own);
    if (run->out >= 0) run->results.slots[run->out].first = in->index;
  }
#pragma omp barrier
  if (run->out < 0) return;
  const plait_block *out = run->results.slots[run->out].out;
  run->kernel->reduce.emit(call, &in->block, run->node.partial, out);
#pragma omp barrier
  pl_results_encode(&run->results, run->out, 0, &run->raise);
#pragma omp barrier
  if (call->thread == 0 && pl_raised(&run->raise) == PLAIT_OK)
    pl_strands_give_out(strands, run->out);
}

void pl_reduce_finish_tile(pl_reduce *run, const plait_call *call, int slot) {
  pl_box box;
  plait_block tile;
  pl_tile_block(run->task, run->node.tile, &box, &tile);
  if (call->thread == 0) {
    run->results.slots[slot].first = run->node.tile;
    pl_results_prepare(&run->results, slot, 0, &box);
  }
#pragma omp barrier
  run->kernel->reduce.finish(call, &tile, run->node.partial, run->results.slots[slot].out);
#pragma omp barrier
  pl_results_encode(&run->results, slot, 0, &run->raise);
#pragma omp barrier
}

// Every thread. A root inside the pipeline: to the writer; with several passes it is kept.
static void root_in_pipeline(pl_reduce *run, const plait_call *call, pl_strands *strands) {
  bool leader = call->thread == 0;
  if (pl_reduce_has_passes(run)) {
    if (leader) run->root = run->node.partial;
#pragma omp barrier
    return;
  }
  if (leader && !pl_strands_take_out(strands, &run->out)) run->out = -1;
#pragma omp barrier
  if (run->out < 0) return;
  pl_reduce_finish_tile(run, call, run->out);
  if (leader && pl_raised(&run->raise) == PLAIT_OK) {
    pl_strands_give_out(strands, run->out);
    pl_pool_give(&run->pool, run->node.partial);
  }
}

void pl_reduce_climb(pl_reduce *run, const plait_call *call) {
  for (;;) {
    if (call->thread == 0) run->err = pl_merge_place(&run->merger, &run->node, &run->step);
#pragma omp barrier
    if (run->err != PLAIT_OK || run->step.kind != PL_MERGE_PAIR) return;
    pl_box box;
    plait_block tile;
    pl_tile_block(run->task, run->node.tile, &box, &tile);
    run->kernel->reduce.merge(call, &tile, run->step.left, run->step.right);
#pragma omp barrier
    if (call->thread == 0) pl_pool_give(&run->pool, run->step.right);
  }
}

static void new_node(pl_reduce *run, int64_t block) {
  run->node =
      (pl_node){.tile = block / run->task->cut.nreds, .index = block % run->task->cut.nreds};
  run->err = pl_pool_take(&run->pool, &run->node.partial);
}

plait_err pl_reduce_compute(void *context, pl_strands *strands, int slot, int thread) {
  pl_reduce *run = context;
  const pl_feed_slot *in = &run->feed.slots[slot];
  const plait_call *call = &run->scratch.calls[thread];
  for (int k = 0; k < in->n; k++) {
    if (thread == 0) pl_watchdog_begin(run->stage->dog, PL_WATCH_TEAM, in->blocks[k].index);
    if (thread == 0) new_node(run, in->blocks[k].index);
    pl_feed_decode(&run->feed, slot, k, thread, &run->raise);
#pragma omp barrier
    if (run->err != PLAIT_OK) return run->err;
    if (run->emitting) {
      emit_block(run, call, strands, &in->blocks[k]);
      if (run->out < 0) return PLAIT_OK; // the run is being ended
    } else {
      run->kernel->reduce.block(call, &in->blocks[k].block, run->node.partial);
    }
#pragma omp barrier
    // What a kernel refused is not done: in the tree it would be in the journal, and the next run
    // would go on behind it. Nobody can raise before all are in `climb`, so all see the same here.
    plait_err refused = pl_raised(&run->raise);
    if (refused != PLAIT_OK && thread == 0) pl_pool_give(&run->pool, run->node.partial);
    if (refused != PLAIT_OK) return refused;
    pl_reduce_climb(run, call);
    if (run->err != PLAIT_OK) return run->err;
    if (run->step.kind == PL_MERGE_ROOT) root_in_pipeline(run, call, strands);
#pragma omp barrier
  }
  plait_err err = pl_raised(&run->raise);
  if (thread == 0) pl_watchdog_end(run->stage->dog, PL_WATCH_TEAM);
  if (thread != 0 || err != PLAIT_OK) return err;
  pl_meter *meter = run->stage->meter;
  meter->blocks += in->n;
  for (int k = 0; k < in->n; k++) meter->cells += pl_box_cells(&in->blocks[k].own);
  const pl_journal_kept keep = pl_reduce_kept(run);
  TRY(pl_stage_save(run->stage, &keep));
  return pl_stage_done(run->stage, run->scheduler, in->n,
                       pl_task_sample(run->task, run->task->cut.nblocks));
}

plait_err pl_reduce_write(void *context, int slot) {
  pl_reduce *run = context;
  int64_t unit = run->results.slots[slot].first; // a tile; of what is emitted, a block
  uint64_t hash;
  bool emits = run->kernel->reduce.emit, emitted = run->results.emitting;
  pl_watchdog_begin(run->stage->dog, PL_WATCH_WRITE, emitted ? unit : unit * run->task->cut.nreds);
  plait_err err = pl_results_store(&run->results, slot, &hash);
  if (err == PLAIT_OK && emits == emitted) err = pl_stage_stored(run->stage, unit, 1, hash);
  pl_watchdog_end(run->stage->dog, PL_WATCH_WRITE);
  return err;
}
