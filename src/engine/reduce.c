// SPDX-License-Identifier: BSD-3-Clause
//
// The reduce pattern: every block becomes a partial, partials of a tile are merged in block order
// through the tree of merge.h, the root becomes the results of the tile. A rank claims runs of
// neighbouring blocks, so that nearly all merging is local; what is left travels once, at the end
// of a pass (exchange.c). Several passes: the root goes to every rank, the kernel makes the next
// state of it.
#include "base/mem.h"
#include "engine/exchange.h"
#include "engine/reduce_run.h"
#include "engine/watchdog.h"
#include <string.h>

static plait_err read_batch(void *context, int slot, bool *more) {
  pl_reduce *run = context;
  int64_t first, n;
  TRY(pl_units_next(&run->units, run->stage, run->scheduler, &first, &n));
  *more = n > 0;
  if (!*more) return PLAIT_OK;
  pl_watchdog_begin(run->stage->dog, PL_WATCH_READ, first);
  plait_err err = pl_feed_read(&run->feed, slot, first, (int)n);
  pl_watchdog_end(run->stage->dog, PL_WATCH_READ);
  return err;
}

static void arrive(void *context, int slot) {
  pl_feed_arrive(&((pl_reduce *)context)->feed, slot);
}

static void leave(void *context, int slot) {
  pl_feed_leave(&((pl_reduce *)context)->feed, slot);
}

static void halt(void *context) {
  (void)pl_schedule_halt(((pl_reduce *)context)->scheduler);
}

// One thread, after the strands have ended.
static plait_err finish_here(pl_reduce *run, const plait_call *call) {
  pl_reduce_finish_tile(run, call, 0);
  pl_pool_give(&run->pool, run->node.partial);
  TRY(pl_raised(&run->raise));
  return pl_reduce_write(run, 0);
}

static plait_err node_arrives(void *context, pl_node *node) {
  pl_reduce *run = context;
  plait_call call = run->scratch.calls[0];
  call.threads = 1;
  run->node = *node;
  pl_reduce_climb(run, &call);
  TRY(run->err);
  TRY(pl_raised(&run->raise));
  if (run->step.kind != PL_MERGE_ROOT) return PLAIT_OK;
  if (!pl_reduce_has_passes(run)) return finish_here(run, &call);
  run->root = run->node.partial;
  return PLAIT_OK;
}

// ---- what an earlier run left ----

// Partials go to the home of their tile, where the exchange will look for their siblings.
static plait_err take_up_nodes(pl_reduce *run) {
  const pl_journal_found *found = &run->task->resume.journal;
  int rank = pl_comm_rank(run->stage->comm), size = pl_comm_size(run->stage->comm);
  if (pl_reduce_kept(run).pass != found->pass) return PLAIT_OK;
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

static plait_err begin_units(pl_reduce *run, int64_t at_once) {
  TRY(pl_units_begin(&run->units, run->stage, pl_reduce_kept(run).pass));
  TRY(take_up_nodes(run));
  if (!run->scheduler) return PLAIT_OK;
  return pl_schedule_again(run->scheduler, run->units.remaining.total, at_once);
}

// Collective.
static plait_err begin_pass(pl_reduce *run) {
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
static plait_err take_up_state(pl_reduce *run) {
  const pl_journal_found *found = &run->task->resume.journal;
  pl_comm *comm = run->stage->comm;
  plait_err err = PLAIT_OK;
  if (!pl_reduce_has_passes(run) || found->pass == 0) return PLAIT_OK;
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

static size_t used_bytes(const pl_reduce *run) { // of a partial, in this pass
  const plait_reduce *reduce = &run->kernel->reduce;
  return reduce->used ? reduce->used(&run->scratch.calls[0]) : run->pool.bytes;
}

// Collective; agrees on `err` too. From rank 0, or from who had all the blocks.
static plait_err share_root(pl_reduce *run, plait_err err) {
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
static plait_err one_pass(pl_reduce *run) {
  pl_stage *stage = run->stage;
  pl_task *task = run->task;
  pl_strand_work work = {.read = read_batch,
                         .compute = pl_reduce_compute,
                         .write = pl_reduce_write,
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
  const pl_journal_kept keep = pl_reduce_kept(run);
  TRY(pl_stage_end(stage, err, &keep));
  err = pl_exchange_nodes(stage->comm, &run->merger, used_bytes(run), node_arrives, run,
                          stage->meter);
  return pl_reduce_has_passes(run) ? share_root(run, err) : pl_comm_agree(stage->comm, err);
}

// After `next` has said that there is no more: the kernel may want to see every block once more.
static bool emit_next(pl_reduce *run) {
  run->emitting = run->results.emitting = run->kernel->reduce.emit && !run->emitting;
  return run->emitting;
}

// Asks the kernel for another pass; rank 0 keeps the root for finish when there is none. Should one
// rank fail (memory), it agrees here, the others at the begin of the next pass: the same step.
static plait_err next_pass(pl_reduce *run, bool *again) {
  plait_call call = run->scratch.calls[0];
  call.threads = 1;
  *again = !run->emitting && run->kernel->reduce.next(&call, run->root, run->state);
  plait_err err = pl_raised(&run->raise);
  run->pass++;
  for (int t = 0; t < run->scratch.threads; t++) run->scratch.calls[t].pass = run->pass;
  if (!*again) *again = emit_next(run);
  if (*again) pl_stage_pass(run->stage, run->pass);
  if (err == PLAIT_OK && !*again && pl_comm_rank(run->stage->comm) == 0) {
    run->node = (pl_node){.partial = run->root};
    err = finish_here(run, &call);
  } else {
    pl_pool_give(&run->pool, run->root);
  }
  run->root = NULL;
  return *again && err == PLAIT_OK ? PLAIT_OK : pl_comm_agree(run->stage->comm, err);
}

static plait_err start(pl_reduce *run) {
  pl_task *task = run->task;
  run->pool.bytes = pl_partial_bytes(task);
  run->merger = (pl_merger){.leaves = task->cut.nreds, .pool = &run->pool};
  if (pl_reduce_has_passes(run)) run->merger.leaves = pl_units_blocks(task); // of a sample
  TRY(pl_calloc(1, task->plan.state_bytes, &run->state));
  TRY(pl_feed_start(task, pl_stage_team(run->stage), &run->feed));
  if (pl_reduce_has_passes(run)) TRY(pl_feed_keep(&run->feed));
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
  pl_reduce run = {.stage = stage, .task = stage->task, .kernel = stage->task->job->kernel};
  plait_err err = pl_comm_agree(stage->comm, start(&run));
  if (err == PLAIT_OK) err = take_up_state(&run);
  bool again = !(pl_reduce_has_passes(&run) &&
                 stage->task->resume.results > 0); // else the only tile is there
  while (again && err == PLAIT_OK) {
    err = one_pass(&run);
    again = err == PLAIT_OK && pl_reduce_has_passes(&run);
    if (again) err = next_pass(&run, &again);
  }
  memcpy(stage->outcome.warning, run.raise.warning, sizeof stage->outcome.warning);
  stage->meter->passes = run.pass > 0 ? run.pass : 1;
  pl_schedule_stop(&run.scheduler);
  pl_feed_count(&run.feed, stage->meter);
  stage->meter->bytes_written += run.results.bytes_written;
  pl_scratch_stop(&run.scratch);
  pl_results_stop(&run.results);
  pl_pool_give(&run.pool, run.root);
  pl_merger_free(&run.merger);
  pl_pool_free(&run.pool);
  pl_remaining_free(&run.units.remaining);
  pl_free(&run.state);
  pl_feed_stop(&run.feed);
  return err;
}
