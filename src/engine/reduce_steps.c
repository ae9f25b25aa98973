// SPDX-License-Identifier: BSD-3-Clause
//
// A reduction in steps under the strands of a rank: the reader brings windows, the team goes
// through their steps (steps.c), rank 0 keeps the state in the journal and writes the results at
// the end. The state is the same on every rank, so that a checkpoint is one rank's business and may
// be taken after any step; a resume puts every rank behind that step.
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/results.h"
#include "engine/steps_feed.h"
#include "engine/strands.h"
#include "engine/watchdog.h"
#include "host/stop.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

typedef struct steps_run {
  pl_stage *stage;
  pl_task *task;
  pl_steps steps;
  pl_steps_feed feed;
  pl_scratch scratch;
  plait_raise raise;
  atomic_bool over; // the reader need not go on
  int64_t total;    // steps at most
  int64_t row_cells;
  double told; // when progress was
} steps_run;

static plait_err read_window(void *context, int slot, bool *more) {
  steps_run *run = context;
  pl_watchdog_begin(run->stage->dog, PL_WATCH_READ, run->feed.epoch);
  *more = !atomic_load(&run->over) && pl_steps_feed_read(&run->feed, slot);
  pl_watchdog_end(run->stage->dog, PL_WATCH_READ);
  return PLAIT_OK;
}

static plait_err compute_window(void *context, pl_strands *strands, int number, int thread) {
  (void)strands;
  steps_run *run = context;
  pl_steps_slot *slot = &run->feed.slots[number];
  if (thread == 0) pl_watchdog_begin(run->stage->dog, PL_WATCH_TEAM, run->steps.done);
  pl_steps_feed_decode(&run->feed, number, &run->raise);
  if (thread == 0 && slot->err != PLAIT_OK) pl_message_set(slot->message);
#pragma omp barrier
  plait_err err = pl_steps_round(&run->steps, &slot->window, slot->err, thread);
  if (thread == 0 && pl_steps_over(&run->steps)) atomic_store(&run->over, true);
  if (thread == 0) pl_watchdog_end(run->stage->dog, PL_WATCH_TEAM);
  return err;
}

static plait_err write_nothing(void *context, int slot) {
  (void)context, (void)slot;
  return PLAIT_OK;
}

// ---- after a step, on the leader ------------------------------------------------------------
static bool is_root(const steps_run *run) {
  return pl_comm_rank(run->stage->comm) == 0;
}

static void tell(steps_run *run) {
  const pl_progress *progress = run->stage->progress;
  double now = pl_now();
  if (!progress || now - run->told < 0.2) return;
  run->told = now;
  progress->tell(progress->data, run->steps.done, run->total, 0, now - run->stage->start);
}

static plait_err save(steps_run *run, bool must) {
  pl_stage *stage = run->stage;
  if (!stage->journal || !is_root(run)) return PLAIT_OK;
  TRY(pl_journal_state(stage->journal, (int)run->steps.done, run->steps.state,
                       run->steps.state_bytes, must));
  TRY(pl_journal_save(stage->journal, stage->output, NULL, must));
  pl_stop_margin(2 * pl_journal_longest(stage->journal));
  return PLAIT_OK;
}

static plait_err after_step(void *context, bool closed, const char *note) {
  steps_run *run = context;
  const pl_job *job = run->task->job;
  (void)closed;
  pl_watchdog_begin(run->stage->dog, PL_WATCH_TEAM, run->steps.done);
  if (job->sample > 0 && run->steps.done >= job->sample) pl_steps_end_of(&run->steps)->over = 1;
  if (!is_root(run)) return PLAIT_OK;
  if (note[0]) pl_log(PL_LOG_NOTE, "%s", note);
  tell(run);
  return save(run, false);
}

static bool wants_stop(void *context) {
  steps_run *run = context;
  run->stage->stopping = pl_stop_why();
  return run->stage->stopping != 0;
}

// ---- start ----------------------------------------------------------------------------------
static plait_err start(steps_run *run) {
  pl_task *task = run->task;
  pl_steps *s = &run->steps;
  run->row_cells = 1;
  for (int d = 1; d < task->array.ndim; d++) run->row_cells *= task->array.shape[d];
  size_t row = plait_type_size(task->array.type) * (size_t)run->row_cells;
  TRY(pl_scratch_start(task, run->stage->meter->threads, &run->raise, &run->scratch));
  pl_steps_plan_make(&task->plan.stepping, task->array.shape[0], row, &s->plan);
  s->kernel = task->job->kernel;
  s->calls = run->scratch.calls;
  s->meter = run->stage->meter;
  s->after = after_step;
  s->stops = wants_stop;
  s->context = run;
  TRY(pl_steps_start(s, run->stage->comm, task->resume.found ? task->resume.journal.pass : 0));
  for (int t = 0; t < run->scratch.threads; t++) run->scratch.calls[t].state = s->state;
  run->total = s->plan.how.epochs * pl_steps_of_epoch(&s->plan, s->order);
  return pl_steps_feed_start(task, s, &run->feed);
}

// Collective. The state after the steps that an earlier run did.
static plait_err take_up(steps_run *run) {
  const pl_journal_found *found = &run->task->resume.journal;
  pl_comm *comm = run->stage->comm;
  pl_steps *s = &run->steps;
  plait_err err = PLAIT_OK;
  if (s->done == 0) return PLAIT_OK;
  if ((size_t)found->state.bytes != s->state_bytes)
    return plait_fail(PLAIT_OUTPUT, "the journal has a state of another size; --fresh starts over");
  if (is_root(run)) {
    err = pl_journal_read(run->task->job->output, &found->state, s->state);
    pl_log(PL_LOG_NOTE, "goes on behind step %lld", (long long)s->done);
  }
  TRY(pl_comm_agree(comm, err));
  return pl_comm_bcast(comm, s->state, s->state_bytes, 0);
}

// ---- end ------------------------------------------------------------------------------------
// Collective. Like pl_stage_end, for steps.
static plait_err settle(steps_run *run, plait_err err) {
  pl_stage *stage = run->stage;
  int64_t word[] = {err != PLAIT_OK, run->steps.asked ? stage->stopping : 0};
  char message[PL_MESSAGE_BYTES], reason[80];
  snprintf(message, sizeof message, "%s", pl_message());
  TRY(pl_comm_max_int(stage->comm, word, 2));
  if (!word[0] && !word[1]) return PLAIT_OK;
  plait_err saved = run->steps.done > 0 ? save(run, true) : PLAIT_OK;
  if (err != PLAIT_OK) pl_message_set(message); // the first error is the one to be told
  TRY(pl_comm_agree(stage->comm, err != PLAIT_OK ? err : saved));
  pl_stop_text((int)word[1], reason);
  return plait_fail(PLAIT_STOPPED, "stopped by %s after %lld of at most %lld steps", reason,
                    (long long)run->steps.done, (long long)run->total);
}

static plait_err write_results(steps_run *run) {
  pl_task *task = run->task;
  pl_results results = {0};
  pl_box box;
  uint64_t hash;
  if (!is_root(run) || task->job->sample > 0) return PLAIT_OK;
  plait_err err = pl_results_start(task, run->stage->output, 1, &results);
  results.outcome = &run->stage->outcome;
  if (err == PLAIT_OK) {
    pl_cut_tile(&task->cut, 0, &box);
    plait_block tile = pl_block_over(NULL, task->array.type, &box, NULL);
    for (int d = 0; d < box.ndim; d++) tile.extent[d] = 1;
    plait_call call = run->scratch.calls[0];
    call.threads = 1;
    task->job->kernel->reduce.finish(&call, &tile, NULL, pl_results_prepare(&results, 0, 0, &box));
    pl_results_encode(&results, 0, 0, &run->raise);
    err = pl_raised(&run->raise);
  }
  if (err == PLAIT_OK) err = pl_results_store(&results, 0, &hash);
  if (err == PLAIT_OK) err = pl_stage_stored(run->stage, 0, 1, hash);
  run->stage->meter->bytes_written += results.bytes_written;
  pl_results_stop(&results);
  return err;
}

static plait_err march(steps_run *run) {
  pl_stage *stage = run->stage;
  pl_strand_work work = {.read = read_window,
                         .compute = compute_window,
                         .write = write_nothing,
                         .nin = PL_STEPS_SLOTS,
                         .nout = 1};
  atomic_store(&run->over, pl_steps_over(&run->steps));
  plait_err err = pl_strands_run(&work, run, stage->placement, stage->meter->threads,
                                 run->task->job->run.overlap, stage->meter);
  TRY(settle(run, err));
  return pl_comm_agree(stage->comm, write_results(run));
}

plait_err pl_reduce_steps_run(pl_stage *stage) {
  steps_run run = {.stage = stage, .task = stage->task};
  if (stage->task->resume.results > 0) return PLAIT_OK; // the only results are there
  plait_err err = pl_comm_agree(stage->comm, start(&run));
  int64_t before = run.steps.done;
  if (err == PLAIT_OK) err = take_up(&run);
  if (err == PLAIT_OK) err = march(&run);
  memcpy(stage->outcome.warning, run.raise.warning, sizeof stage->outcome.warning);
  pl_meter *meter = stage->meter;
  meter->passes = 1;
  if (is_root(&run)) meter->blocks += run.steps.done - before;
  meter->cells += run.steps.rows * run.row_cells;
  meter->bytes_read += run.feed.bytes_read;
  pl_steps_feed_stop(&run.feed);
  pl_steps_stop(&run.steps);
  pl_scratch_stop(&run.scratch);
  return err;
}
