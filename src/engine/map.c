// SPDX-License-Identifier: BSD-3-Clause
//
// The map pattern: block in, block out. Reader: claims a batch of blocks, fetches them with their
// halos. Team: decode, boundary, kernel, encode. Writer: stores. Nothing passes between ranks but
// claims.
#include "base/clock.h"
#include "base/mem.h"
#include "engine/feed.h"
#include "engine/pattern.h"
#include "engine/results.h"
#include "engine/strands.h"
#include "engine/watchdog.h"

typedef struct map_run {
  pl_stage *stage;
  pl_task *task;
  pl_scheduler *scheduler;
  pl_feed feed;
  pl_results results;
  pl_scratch scratch;
  plait_raise raise;
  int out; // output slot of the batch in work; -1: the run is being ended
  pl_remaining remaining;
  int64_t at, end; // reader: numbers of remaining that are claimed and not read yet
} map_run;

static plait_err claim(map_run *run) {
  int64_t count;
  bool stolen = false, stops;
  TRY(pl_stage_stops(run->stage, run->scheduler, &stops));
  if (stops) return PLAIT_OK;
  TRY(pl_schedule_next(run->scheduler, &run->at, &count, &stolen));
  run->end = run->at + count;
  if (stolen) run->stage->meter->stolen += count;
  return PLAIT_OK;
}

static plait_err read_batch(void *context, int slot, bool *more) {
  map_run *run = context;
  int64_t first, count;
  if (run->at == run->end) TRY(claim(run));
  *more = run->at < run->end;
  if (!*more) return PLAIT_OK;
  pl_remaining_piece(&run->remaining, run->at, run->end - run->at, &first, &count);
  run->at += count;
  pl_watchdog_begin(run->stage->dog, PL_WATCH_READ, first);
  plait_err err = pl_feed_read(&run->feed, slot, first, (int)count);
  pl_watchdog_end(run->stage->dog, PL_WATCH_READ);
  return err;
}

static void prepare_batch(map_run *run, pl_strands *strands, const pl_feed_slot *in) {
  if (!pl_strands_take_out(strands, &run->out)) run->out = -1;
  if (run->out < 0) return;
  pl_watchdog_begin(run->stage->dog, PL_WATCH_TEAM, in->blocks[0].index);
  run->results.slots[run->out].first = in->blocks[0].index;
  for (int k = 0; k < in->n; k++)
    pl_results_prepare(&run->results, run->out, k, &in->blocks[k].own);
}

static plait_err compute_batch(void *context, pl_strands *strands, int slot, int thread) {
  map_run *run = context;
  pl_feed_slot *in = &run->feed.slots[slot];
  const plait_call *call = &run->scratch.calls[thread];
  const plait_kernel *kernel = run->task->job->kernel;
  if (thread == 0) prepare_batch(run, strands, in);
#pragma omp barrier
  if (run->out < 0) return PLAIT_OK;
  const plait_block *out = run->results.slots[run->out].out;
  for (int k = 0; k < in->n; k++) {
    pl_feed_decode(&run->feed, slot, k, thread, &run->raise);
    kernel->map.block(call, &in->blocks[k].block, out + k * run->task->plan.noutputs);
    pl_results_encode(&run->results, run->out, k, &run->raise);
  }
#pragma omp barrier
  plait_err err = pl_raised(&run->raise);
  if (thread == 0) pl_watchdog_end(run->stage->dog, PL_WATCH_TEAM);
  if (thread == 0 && err == PLAIT_OK) pl_strands_give_out(strands, run->out);
  return err;
}

static plait_err store(map_run *run, int slot) {
  const pl_results_slot *s = &run->results.slots[slot];
  uint64_t hash;
  TRY(pl_results_store(&run->results, slot, &hash));
  TRY(pl_stage_stored(run->stage, s->first, s->n, hash));
  return pl_stage_save(run->stage, NULL);
}

static plait_err write_batch(void *context, int slot) {
  map_run *run = context;
  const pl_results_slot *s = &run->results.slots[slot];
  pl_watchdog_begin(run->stage->dog, PL_WATCH_WRITE, s->first);
  plait_err err = store(run, slot);
  pl_watchdog_end(run->stage->dog, PL_WATCH_WRITE);
  if (err != PLAIT_OK) return err;
  pl_meter *meter = run->stage->meter;
  meter->blocks += s->n;
  for (int k = 0; k < s->n; k++) {
    const plait_block *out = &s->out[k * run->task->plan.noutputs];
    int64_t cells = 1;
    for (int d = 0; d < out->ndim; d++) cells *= out->extent[d];
    meter->cells += cells;
  }
  return pl_stage_done(run->stage, run->scheduler, s->n,
                       pl_task_sample(run->task, run->task->cut.nblocks));
}

static void arrive(void *context, int slot) {
  pl_feed_arrive(&((map_run *)context)->feed, slot);
}

static void leave(void *context, int slot) {
  pl_feed_leave(&((map_run *)context)->feed, slot);
}

static void halt(void *context) {
  (void)pl_schedule_halt(((map_run *)context)->scheduler);
}

static bool block_left(const void *context, int64_t block) {
  return !pl_resume_done(context, block);
}

static plait_err start(map_run *run) {
  pl_task *task = run->task;
  run->remaining.total = task->cut.nblocks;
  if (task->resume.done)
    TRY(pl_remaining_make(task->cut.nblocks, block_left, &task->resume, &run->remaining));
  run->stage->resumed = task->resume.blocks;
  TRY(pl_feed_start(task, pl_stage_team(run->stage), &run->feed));
  TRY(pl_results_start(task, run->stage->output, task->out_slots, &run->results));
  return pl_scratch_start(task, run->stage->meter->threads, &run->raise, &run->scratch);
}

plait_err pl_map_run(pl_stage *stage) {
  pl_task *task = stage->task;
  map_run run = {.stage = stage, .task = task};
  plait_err err = pl_comm_agree(stage->comm, start(&run));
  if (err == PLAIT_OK)
    err = pl_schedule_start(stage->comm, (pl_schedule_kind)task->job->run.schedule,
                            pl_task_sample(task, run.remaining.total), task->batch, &run.scheduler);
  if (err == PLAIT_OK) {
    pl_strand_work work = {.read = read_batch,
                           .compute = compute_batch,
                           .write = write_batch,
                           .arrive = arrive,
                           .leave = leave,
                           .failed = halt,
                           .comm = stage->comm,
                           .nin = task->slots,
                           .nout = task->out_slots};
    err = pl_strands_run(&work, &run, stage->placement, stage->meter->threads,
                         task->job->run.overlap, stage->meter);
    if (err == PLAIT_OK)
      pl_stage_drain(stage, run.scheduler, pl_task_sample(task, task->cut.nblocks));
    err = pl_stage_end(stage, err, NULL);
  }
  pl_feed_count(&run.feed, stage->meter);
  stage->meter->bytes_written += run.results.bytes_written;
  pl_schedule_stop(&run.scheduler);
  pl_scratch_stop(&run.scratch);
  pl_results_stop(&run.results);
  pl_feed_stop(&run.feed);
  pl_remaining_free(&run.remaining);
  return err;
}
