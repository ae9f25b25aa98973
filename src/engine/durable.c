// SPDX-License-Identifier: BSD-3-Clause
//
// See durable.h. The order in which things are removed and made matters, since a run may be killed
// between any two of them: the journal goes before the partial output that it describes is
// replaced, and after the result has its name.
#include "engine/durable.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/evolve_save.h"
#include "engine/params.h"
#include "engine/watchdog.h"
#include <stdio.h>
#include <string.h>

static bool is_root(const pl_stage *stage) {
  return pl_comm_rank(stage->comm) == 0;
}

static plait_err open_new(pl_stage *stage) {
  const pl_job *job = stage->task->job;
  if (is_root(stage)) pl_watchdog_begin(stage->dog, PL_WATCH_FILES, -1);
  plait_err err = is_root(stage) ? pl_journal_remove(job->output) : PLAIT_OK;
  if (err == PLAIT_OK && is_root(stage) && pl_file_is_path(job->output))
    err = pl_checkpoints_remove(job->output);
  TRY(pl_comm_agree(stage->comm, err));
  err = pl_output_open(stage->comm, job->output, &stage->task->layout, job->force, &stage->output);
  pl_watchdog_end(stage->dog, PL_WATCH_FILES);
  return err;
}

// A partial output without its header (the machine lost power before that was on disk), or with
// that of another version of a library: nothing is lost but time, so the run begins again by
// itself.
static plait_err begin_again(pl_stage *stage) {
  pl_resume *r = &stage->task->resume;
  if (is_root(stage)) pl_log(PL_LOG_WARNING, "starts from the beginning: %s", pl_message());
  r->found = false;
  r->blocks = 0;
  if (stage->task->evolve) TRY(pl_evolve_forget(stage->task->evolve));
  r->journal.end = r->journal.nruns = r->journal.nnodes = r->journal.pass = 0;
  return open_new(stage);
}

// Its checkpoint was made when these snapshots were in the output.
static plait_err open_evolve_again(pl_stage *stage) {
  pl_task *task = stage->task;
  pl_evolve *e = task->evolve;
  plait_err err = pl_output_reopen(stage->comm, task->job->output, &task->layout, &stage->output);
  if (err == PLAIT_OK) err = pl_evolve_take_up(e, stage->output);
  if (err == PLAIT_OUTPUT) {
    pl_output_close(&stage->output);
    return begin_again(stage);
  }
  TRY(err);
  pl_output_force(stage->output, task->job->force);
  if (is_root(stage))
    pl_log(PL_LOG_NOTE,
           "goes on from the checkpoint of %s: %lld of %lld steps are done, %lld are left",
           task->job->output, (long long)e->resumed, (long long)e->steps,
           (long long)(e->steps - e->resumed));
  return PLAIT_OK;
}

static void tell_blocks(const pl_task *task) {
  const char *name = task->job->output;
  int64_t passes = pl_pass_number(task->resume.journal.pass);
  long long done = (long long)task->resume.blocks, all = (long long)task->cut.nblocks;
  if (passes > 0)
    pl_log(PL_LOG_NOTE,
           "goes on from %s.journal: %lld pass%s %s done, and %lld of %lld blocks of the next",
           name, (long long)passes, passes == 1 ? "" : "es", passes == 1 ? "is" : "are", done, all);
  else
    pl_log(PL_LOG_NOTE, "goes on from %s.journal: %lld of %lld blocks are done, %lld are left",
           name, done, all, all - done);
}

static plait_err open_again(pl_stage *stage) {
  pl_task *task = stage->task;
  pl_resume *r = &task->resume;
  plait_err err = pl_output_reopen(stage->comm, task->job->output, &task->layout, &stage->output);
  if (err == PLAIT_OUTPUT) return begin_again(stage);
  TRY(err);
  pl_output_force(stage->output, task->job->force);
  TRY(pl_resume_check(stage->comm, task, stage->output, r));
  if (is_root(stage) && task->plan.stepping.lanes == 0) tell_blocks(task);
  return PLAIT_OK;
}

static plait_err start_journal(pl_stage *stage) {
  const pl_task *task = stage->task;
  plait_pattern pattern = task->job->kernel->pattern;
  if (!pl_output_stores(stage->output) || task->job->sample ||
      (pattern != PLAIT_MAP && pattern != PLAIT_REDUCE))
    return PLAIT_OK;
  pl_journal_plan plan = {.output = task->job->output,
                          .id = task->resume.id,
                          .end = task->resume.found ? task->resume.journal.end : 0,
                          .every = task->job->run.checkpoint,
                          .identity = task->resume.identity,
                          .cut = {.ndim = task->cut.ndim}};
  for (int d = 0; d < task->cut.ndim; d++) {
    plan.cut.shape[d] = task->cut.shape[d];
    plan.cut.extent[d] = task->cut.extent[d];
  }
  return pl_journal_start(stage->comm, &plan, &stage->journal);
}

plait_err pl_durable_begin(pl_stage *stage) {
  bool evolves = stage->task->evolve != NULL;
  TRY(!stage->task->resume.found ? open_new(stage)
      : evolves                  ? open_evolve_again(stage)
                                 : open_again(stage));
  return start_journal(stage);
}

// The checkpoints of an evolve that wrote any.
static pl_evolve *saved(const pl_stage *stage) {
  pl_evolve *e = stage->task->evolve;
  return e && e->store && pl_checkpoints_begun(e->store) ? e : NULL;
}

static plait_err say_complete(pl_stage *stage) {
  TRY(pl_comm_agree(stage->comm, pl_output_sync(stage->output)));
  if (saved(stage)) return pl_save_complete(saved(stage));
  return pl_comm_agree(stage->comm,
                       is_root(stage) ? pl_journal_complete(stage->journal) : PLAIT_OK);
}

// Every rank's data are on disk before the journal or a checkpoint says that all is complete; that
// is on disk before the rename, the rename before they go.
static plait_err commit(pl_stage *stage) {
  double start = pl_now();
  plait_err err = PLAIT_OK;
  if (stage->journal || saved(stage)) TRY(say_complete(stage));
  TRY(pl_output_commit(stage->output));
  if (stage->journal && is_root(stage)) err = pl_journal_remove(stage->task->job->output);
  if (saved(stage) && is_root(stage)) err = pl_checkpoints_remove(stage->task->job->output);
  double spent = pl_now() - start;
  stage->meter->write += spent; // waiting for the disk at the end is writing that nothing hides
  pl_trace_add(stage->meter->trace, PL_LANE_WRITE, start, start + spent, spent);
  pl_trace_add(stage->meter->trace, PL_LANE_WAIT, start, start + spent, spent);
  stage->meter->wait_write += spent;
  return pl_comm_agree(stage->comm, err);
}

// Collective, after an error: whether the journal, of this run or the one before, says anything.
static bool worth_keeping(pl_stage *stage) {
  int64_t records = stage->journal ? pl_journal_records(stage->journal) : 0;
  if (stage->task->evolve)
    records = pl_checkpoints_any(stage->task->evolve->store);
  else if (stage->task->resume.found)
    records++;
  return pl_comm_max_int(stage->comm, &records, 1) == PLAIT_OK && records > 0;
}

static void clear(pl_stage *stage) {
  pl_output_remove(stage->output);
  if (stage->journal && is_root(stage)) (void)pl_journal_remove(stage->task->job->output);
  if (saved(stage) && is_root(stage)) (void)pl_checkpoints_remove(stage->task->job->output);
}

// An evolve that became infinite can be looked at up to there, and is not to be continued.
static bool keeps_snapshots(const pl_stage *stage, plait_err err, bool sample) {
  return err == PLAIT_KERNEL && stage->task->evolve && stage->output && !sample &&
         pl_output_stores(stage->output);
}

static void add_snapshots(const pl_stage *stage, char *message, size_t room) {
  size_t n = strlen(message);
  snprintf(message + n, room - n, "; the snapshots before are in %s.partial",
           stage->task->job->output);
}

plait_err pl_durable_end(pl_stage *stage, plait_err err, bool *kept) {
  char message[PL_MESSAGE_BYTES] = "";
  *kept = false;
  bool sample = stage->task->job->sample > 0; // has measured something and has no result
  bool computed = err == PLAIT_OK && stage->output && !sample;
  if (computed) err = commit(stage);
  pl_watchdog_rest(stage->dog);
  if (err != PLAIT_OK) {
    snprintf(message, sizeof message, "%s", pl_message());
    if (computed && stage->journal) // everything is there, it only could not get its name
      (void)pl_journal_save(stage->journal, stage->output, NULL, true);
    // What a kernel could not compute it could not the next time: nothing to be continued.
    bool hopeless = err == PLAIT_KERNEL || err == PLAIT_REFUSED;
    *kept = stage->output && !hopeless && worth_keeping(stage);
    if (keeps_snapshots(stage, err, sample))
      add_snapshots(stage, message, sizeof message);
    else if (stage->output && !*kept)
      clear(stage);
  }
  if (sample) pl_output_remove(stage->output);
  pl_journal_stop(&stage->journal);
  pl_output_close(&stage->output);
  if (err != PLAIT_OK) pl_message_set(message);
  return err;
}
