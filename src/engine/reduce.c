// SPDX-License-Identifier: BSD-3-Clause
//
// The reduce pattern: every block becomes a partial, partials of a tile are merged in block order
// through the tree of merge.h, the root becomes the results of the tile. A rank claims runs of
// neighbouring blocks, so that nearly all merging is local; what is left travels once, at the end
// of a pass (exchange.c). Several passes: the root goes to every rank, the kernel makes the next
// state of it.
#include "base/mem.h"
#include "engine/exchange.h"
#include "engine/feed.h"
#include "engine/merge.h"
#include "engine/pattern.h"
#include "engine/reduce_units.h"
#include "engine/results.h"
#include "engine/strands.h"
#include "engine/watchdog.h"
#include <string.h>

typedef struct reduce_run {
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
} reduce_run;

static plait_err read_batch(void *context, int slot, bool *more) {
  reduce_run *run = context;
  int64_t first, n;
  TRY(pl_units_next(&run->units, run->stage, run->scheduler, &first, &n));
  *more = n > 0;
  if (!*more) return PLAIT_OK;
  pl_watchdog_begin(run->stage->dog, PL_WATCH_READ, first);
  plait_err err = pl_feed_read(&run->feed, slot, first, (int)n);
  pl_watchdog_end(run->stage->dog, PL_WATCH_READ);
  return err;
}

// The root of a pass is kept for `next`, unless there is no other pass.
static bool has_passes(const reduce_run *run) {
  return run->kernel->reduce.next != NULL || run->kernel->reduce.emit != NULL;
}

// What the journal keeps of this pass. Its number says whether it is one that emits, where that is
// not plain from the kernel.
static pl_journal_kept kept(reduce_run *run) {
  bool after_others = run->emitting && run->kernel->reduce.block;
  return (pl_journal_kept){.nodes = &run->merger,
                           .pass = run->pass | (after_others ? PL_PASS_EMITS : 0),
                           .state = run->state,
                           .state_bytes = run->task->plan.state_bytes};
}

// Every thread. Results that follow the cells of a block: they go to the writer.
static void emit_block(reduce_run *run, const plait_call *call, pl_strands *strands,
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

// Every thread. The partial of a whole tile becomes results in a slot that the leader holds.
static void finish_tile(reduce_run *run, const plait_call *call, int slot) {
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
static void root_in_pipeline(reduce_run *run, const plait_call *call, pl_strands *strands) {
  bool leader = call->thread == 0;
  if (has_passes(run)) {
    if (leader) run->root = run->node.partial;
#pragma omp barrier
    return;
  }
  if (leader && !pl_strands_take_out(strands, &run->out)) run->out = -1;
#pragma omp barrier
  if (run->out < 0) return;
  finish_tile(run, call, run->out);
  if (leader && pl_raised(&run->raise) == PLAIT_OK) {
    pl_strands_give_out(strands, run->out);
    pl_pool_give(&run->pool, run->node.partial);
  }
}

// Every thread. Puts the leader's node into the tree, merges while siblings are here: REST or ROOT.
static void climb(reduce_run *run, const plait_call *call) {
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

static void new_node(reduce_run *run, int64_t block) {
  run->node =
      (pl_node){.tile = block / run->task->cut.nreds, .index = block % run->task->cut.nreds};
  run->err = pl_pool_take(&run->pool, &run->node.partial);
}

static plait_err compute_batch(void *context, pl_strands *strands, int slot, int thread) {
  reduce_run *run = context;
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
    if (refused != PLAIT_OK) return refused;
    climb(run, call);
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
  const pl_journal_kept keep = kept(run);
  TRY(pl_stage_save(run->stage, &keep));
  return pl_stage_done(run->stage, run->scheduler, in->n,
                       pl_task_sample(run->task, run->task->cut.nblocks));
}

static plait_err write_results(void *context, int slot) {
  reduce_run *run = context;
  int64_t unit = run->results.slots[slot].first; // a tile; of what is emitted, a block
  uint64_t hash;
  bool emits = run->kernel->reduce.emit, emitted = run->results.emitting;
  pl_watchdog_begin(run->stage->dog, PL_WATCH_WRITE, emitted ? unit : unit * run->task->cut.nreds);
  plait_err err = pl_results_store(&run->results, slot, &hash);
  if (err == PLAIT_OK && emits == emitted) err = pl_stage_stored(run->stage, unit, 1, hash);
  pl_watchdog_end(run->stage->dog, PL_WATCH_WRITE);
  return err;
}

static void arrive(void *context, int slot) {
  pl_feed_arrive(&((reduce_run *)context)->feed, slot);
}

static void leave(void *context, int slot) {
  pl_feed_leave(&((reduce_run *)context)->feed, slot);
}

static void halt(void *context) {
  (void)pl_schedule_halt(((reduce_run *)context)->scheduler);
}

// One thread, after the strands have ended.
static plait_err finish_here(reduce_run *run, const plait_call *call) {
  finish_tile(run, call, 0);
  pl_pool_give(&run->pool, run->node.partial);
  TRY(pl_raised(&run->raise));
  return write_results(run, 0);
}

static plait_err node_arrives(void *context, pl_node *node) {
  reduce_run *run = context;
  plait_call call = run->scratch.calls[0];
  call.threads = 1;
  run->node = *node;
  climb(run, &call);
  TRY(run->err);
  TRY(pl_raised(&run->raise));
  if (run->step.kind != PL_MERGE_ROOT) return PLAIT_OK;
  if (!has_passes(run)) return finish_here(run, &call);
  run->root = run->node.partial;
  return PLAIT_OK;
}

// ---- what an earlier run left ----

// Partials go to the home of their tile, where the exchange will look for their siblings.
static plait_err take_up_nodes(reduce_run *run) {
  const pl_journal_found *found = &run->task->resume.journal;
  int rank = pl_comm_rank(run->stage->comm), size = pl_comm_size(run->stage->comm);
  if (kept(run).pass != found->pass) return PLAIT_OK;
  for (int64_t i = 0; i < found->nnodes; i++) {
    const pl_journal_node *from = &found->nodes[i];
    pl_node node = {.tile = from->tile, .index = from->index, .level = (int32_t)from->level};
    if (from->tile % size != rank) continue;
    TRY(pl_pool_take(&run->pool, &node.partial));
    TRY(pl_journal_read(run->task->job->output, &from->at, node.partial));
    node.saved = true;
    TRY(node_arrives(run, &node));
  }
  return PLAIT_OK;
}

static plait_err begin_units(reduce_run *run, int64_t at_once) {
  TRY(pl_units_begin(&run->units, run->stage, kept(run).pass));
  TRY(take_up_nodes(run));
  if (!run->scheduler) return PLAIT_OK;
  return pl_schedule_again(run->scheduler, run->units.remaining.total, at_once);
}

// Collective.
static plait_err begin_pass(reduce_run *run) {
  const pl_task *task = run->task;
  pl_comm *comm = run->stage->comm;
  int64_t at_once =
      task->run_blocks > 0 ? (task->batch + task->run_blocks - 1) / task->run_blocks : 1;
  TRY(pl_comm_agree(comm, begin_units(run, at_once)));
  if (run->scheduler) return PLAIT_OK;
  return pl_schedule_start(comm, (pl_schedule_kind)task->job->run.schedule,
                           run->units.remaining.total, at_once, &run->scheduler);
}

// Collective. The state with which the pass began that an earlier run was in.
static plait_err take_up_state(reduce_run *run) {
  const pl_journal_found *found = &run->task->resume.journal;
  pl_comm *comm = run->stage->comm;
  plait_err err = PLAIT_OK;
  if (!has_passes(run) || found->pass == 0) return PLAIT_OK;
  if ((size_t)found->state.bytes != run->task->plan.state_bytes)
    return plait_fail(PLAIT_OUTPUT, "the journal has a state of another size; --fresh starts over");
  if (pl_comm_rank(comm) == 0)
    err = pl_journal_read(run->task->job->output, &found->state, run->state);
  TRY(pl_comm_agree(comm, err));
  run->pass = (int)pl_pass_number(found->pass);
  if (found->pass & PL_PASS_EMITS) run->emitting = run->results.emitting = true;
  for (int t = 0; t < run->scratch.threads; t++) run->scratch.calls[t].pass = run->pass;
  return pl_comm_bcast(comm, run->state, run->task->plan.state_bytes, 0);
}

// ---- passes ----

static size_t used_bytes(const reduce_run *run) { // of a partial, in this pass
  const plait_reduce *reduce = &run->kernel->reduce;
  return reduce->used ? reduce->used(&run->scratch.calls[0]) : run->pool.bytes;
}

// Collective; agrees on `err` too. From rank 0, or from who had all the blocks.
static plait_err share_root(reduce_run *run, plait_err err) {
  pl_comm *comm = run->stage->comm;
  int64_t owner = run->root ? pl_comm_rank(comm) : -1;
  if (err == PLAIT_OK && !run->root) err = pl_pool_take(&run->pool, &run->root);
  int64_t word[] = {owner, err != PLAIT_OK};
  TRY(pl_comm_max_int(comm, word, 2));
  if (word[1]) return pl_comm_agree(comm, err);
  if (word[0] < 0) return plait_fail(PLAIT_BUG, "no rank has the result of the pass");
  return pl_comm_bcast(comm, run->root, used_bytes(run), (int)word[0]);
}

// Collective. Passes over data in memory are short, so what all ranks do together between two of
// them is counted: six collectives after the strands, one in begin_pass.
static plait_err one_pass(reduce_run *run) {
  pl_stage *stage = run->stage;
  pl_task *task = run->task;
  pl_strand_work work = {.read = read_batch,
                         .compute = compute_batch,
                         .write = write_results,
                         .arrive = arrive,
                         .leave = leave,
                         .failed = halt,
                         .comm = stage->comm,
                         .nin = task->slots,
                         .nout = task->out_slots};
  TRY(begin_pass(run));
  plait_err err = pl_strands_run(&work, run, stage->placement, stage->meter->threads,
                                 task->job->run.overlap, stage->meter);
  if (err == PLAIT_OK)
    pl_stage_drain(stage, run->scheduler, pl_task_sample(task, task->cut.nblocks));
  const pl_journal_kept keep = kept(run);
  TRY(pl_stage_end(stage, err, &keep));
  err = pl_exchange_nodes(stage->comm, &run->merger, used_bytes(run), node_arrives, run,
                          stage->meter);
  return has_passes(run) ? share_root(run, err) : pl_comm_agree(stage->comm, err);
}

// After `next` has said that there is no more: the kernel may want to see every block once more.
static bool emit_next(reduce_run *run) {
  run->emitting = run->results.emitting = run->kernel->reduce.emit && !run->emitting;
  return run->emitting;
}

// Asks the kernel for another pass; rank 0 keeps the root for finish when there is none. Should one
// rank fail (memory), it agrees here, the others at the begin of the next pass: the same step.
static plait_err next_pass(reduce_run *run, bool *again) {
  plait_call call = run->scratch.calls[0];
  call.threads = 1;
  *again = !run->emitting && run->kernel->reduce.next(&call, run->root, run->state);
  plait_err err = pl_raised(&run->raise);
  run->pass++;
  for (int t = 0; t < run->scratch.threads; t++) run->scratch.calls[t].pass = run->pass;
  if (!*again) *again = emit_next(run);
  if (err == PLAIT_OK && !*again && pl_comm_rank(run->stage->comm) == 0) {
    run->node = (pl_node){.partial = run->root};
    err = finish_here(run, &call);
  } else {
    pl_pool_give(&run->pool, run->root);
  }
  run->root = NULL;
  return *again && err == PLAIT_OK ? PLAIT_OK : pl_comm_agree(run->stage->comm, err);
}

static plait_err start(reduce_run *run) {
  pl_task *task = run->task;
  run->pool.bytes = pl_partial_bytes(task);
  run->merger = (pl_merger){.leaves = task->cut.nreds, .pool = &run->pool};
  if (has_passes(run)) run->merger.leaves = pl_units_blocks(task); // of a sample
  TRY(pl_calloc(1, task->plan.state_bytes, &run->state));
  TRY(pl_feed_start(task, pl_stage_team(run->stage), &run->feed));
  if (has_passes(run)) TRY(pl_feed_keep(&run->feed));
  TRY(pl_results_start(task, run->stage->output, task->out_slots, &run->results));
  run->results.outcome = &run->stage->outcome;
  TRY(pl_scratch_start(task, run->stage->meter->threads, &run->raise, &run->scratch));
  for (int t = 0; t < run->scratch.threads; t++) {
    run->scratch.calls[t].state = run->state;
    run->scratch.calls[t].source = &run->feed.source.base;
  }
  run->emitting = run->results.emitting = run->kernel->reduce.block == NULL;
  return PLAIT_OK;
}

plait_err pl_reduce_run(pl_stage *stage) {
  if (stage->task->plan.stepping.lanes > 0) return pl_reduce_steps_run(stage);
  reduce_run run = {.stage = stage, .task = stage->task, .kernel = stage->task->job->kernel};
  plait_err err = pl_comm_agree(stage->comm, start(&run));
  if (err == PLAIT_OK) err = take_up_state(&run);
  bool again =
      !(has_passes(&run) && stage->task->resume.results > 0); // else the only tile is there
  while (again && err == PLAIT_OK) {
    err = one_pass(&run);
    again = err == PLAIT_OK && has_passes(&run);
    if (again) err = next_pass(&run, &again);
  }
  memcpy(stage->outcome.warning, run.raise.warning, sizeof stage->outcome.warning);
  stage->meter->passes = run.pass > 0 ? run.pass : 1;
  pl_schedule_stop(&run.scheduler);
  pl_feed_count(&run.feed, stage->meter);
  stage->meter->bytes_written += run.results.bytes_written;
  pl_scratch_stop(&run.scratch);
  pl_results_stop(&run.results);
  pl_feed_stop(&run.feed);
  pl_pool_give(&run.pool, run.root);
  pl_merger_free(&run.merger);
  pl_pool_free(&run.pool);
  pl_remaining_free(&run.units.remaining);
  pl_free(&run.state);
  return err;
}
