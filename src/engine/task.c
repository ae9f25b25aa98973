// SPDX-License-Identifier: BSD-3-Clause
//
// A job becomes a task in the order in which a user would want to hear of mistakes: the input, the
// parameters against the input, the memory, the output.
#include "engine/task.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "engine/budget.h"
#include "engine/durable.h"
#include "engine/evolve.h"
#include "engine/fetch.h"
#include "engine/layout.h"
#include "engine/lock.h"
#include "engine/params.h"
#include "engine/pattern.h"
#include "engine/results.h"
#include "engine/size.h"
#include "engine/steps_feed.h"
#include "engine/watchdog.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const pl_meta no_input;

static int64_t count_bytes_written(const pl_task *task) {
  int64_t bytes = 0;
  for (int v = 0; v < task->plan.noutputs; v++) {
    int64_t cells = 1;
    for (int d = 0; d < task->plan.output[v].ndim; d++) cells *= task->plan.output[v].shape[d];
    bytes += cells * (int64_t)plait_type_size(task->layout.vars[v].stored);
  }
  return bytes;
}

static plait_err check_output(const pl_task *task) {
  const pl_job *job = task->job;
  if (!job->output[0]) return plait_fail(PLAIT_JOB, "the job names no output (output: FILE)");
  if (task->input && pl_same_file(task->input->path, job->output))
    return plait_fail(PLAIT_OUTPUT, "%s is the input; the output must be another file",
                      job->output);
  return pl_output_check(job->output, &task->layout, job->force);
}

// An evolve kernel may do without input; what it plans needs all ranks (pl_evolve_open).
static plait_err open_evolve(pl_task *task) {
  pl_job *job = task->job;
  if (!job->output[0]) return plait_fail(PLAIT_JOB, "the job names no output (output: FILE)");
  if (job->input[0]) {
    TRY(pl_dataset_open(job->input, &task->input));
    pl_meta_array(&task->input->meta, &task->array);
    task->problem.input = &task->array;
    TRY(pl_job_bind(job, &task->array));
    if (pl_same_file(task->input->path, job->output))
      return plait_fail(PLAIT_OUTPUT, "%s is the input; the output must be another file",
                        job->output);
  } else {
    TRY(pl_job_bind(job, NULL));
  }
  return PLAIT_OK;
}

static plait_err open_input(pl_task *task) {
  pl_job *job = task->job;
  if (!job->input[0])
    return plait_fail(PLAIT_JOB, "the job names no input (input: FILE or FILE:VAR)");
  TRY(pl_dataset_open(job->input, &task->input));
  pl_meta_array(&task->input->meta, &task->array);
  TRY(pl_job_bind(job, &task->array));
  task->problem.input = &task->array;
  return pl_task_plan(task);
}

// A kernel without input says itself what there is to compute.
static plait_err open_space(pl_task *task) {
  pl_job *job = task->job;
  if (job->input[0]) return plait_fail(PLAIT_JOB, "kernel %s takes no input", job->kernel->name);
  TRY(pl_job_bind(job, NULL));
  TRY(pl_task_plan(task));
  pl_space_array(&task->plan, &task->array);
  return PLAIT_OK;
}

static plait_err open_here(pl_task *task, int local_size) {
  pl_job *job = task->job;
  pl_watchdog_begin(job->dog, PL_WATCH_FILES, -1);
  plait_err err = job->kernel->pattern == PLAIT_EVOLVE ? open_evolve(task)
                  : job->kernel->takes                 ? open_input(task)
                                                       : open_space(task);
  pl_watchdog_end(job->dog, PL_WATCH_FILES);
  task->budget = pl_budget_choose(job, local_size);
  return err;
}

// When it is known what an earlier run left.
static plait_err plan_here(pl_task *task, int ranks, int threads) {
  pl_job *job = task->job;
  TRY(pl_size_choose(task, ranks, threads));
  TRY(pl_layout_make(job, task->input ? &task->input->meta : &no_input, &task->plan,
                     &task->layout));
  if (task->input)
    task->bytes_read =
        (int64_t)(pl_read_factor(task) * (double)pl_dataset_file_bytes(task->input) + 0.5);
  if (task->input)
    task->bytes_fetched =
        (int64_t)(pl_fetch_factor(task) * (double)pl_dataset_file_bytes(task->input) + 0.5);
  task->bytes_written = count_bytes_written(task);
  if (job->kernel->reduce.next && task->cut.ntiles != 1)
    return plait_fail(PLAIT_BUG, "kernel %s has several passes but keeps axes", job->kernel->name);
  return task->resume.finished ? PLAIT_OK : check_output(task);
}

static plait_err lock_output(pl_comm *comm, pl_task *task) {
  const pl_job *job = task->job;
  if (!job->lock || pl_comm_rank(comm) != 0 || !pl_file_is_path(job->output)) return PLAIT_OK;
  TRY(pl_output_check_place(job->output));
  TRY(pl_lock_take(job->output, pl_comm_host(comm), &task->lock));
  pl_watchdog_guard(job->dog, task->lock);
  return PLAIT_OK;
}

// Collective. The patterns that work block by block.
static plait_err open_blocks(pl_comm *comm, pl_task *task, int threads) {
  plait_pattern pattern = task->job->kernel->pattern;
  if (pattern != PLAIT_MAP && pattern != PLAIT_REDUCE) return PLAIT_OK;
  TRY(pl_resume_find(comm, task, &task->resume));
  return pl_comm_agree(comm, plan_here(task, pl_comm_size(comm), threads));
}

// A file that is not there: the job may know where to get it.
static plait_err say_source(const pl_job *job, plait_err err) {
  char message[PL_MESSAGE_BYTES];
  if (err != PLAIT_INPUT || !job->source || !job->source[0]) return err;
  if (!strstr(pl_message(), strerror(ENOENT))) return err;
  snprintf(message, sizeof message, "%s", pl_message());
  return plait_fail(err, "%s; to get it: %s", message, job->source);
}

plait_err pl_task_open(pl_comm *comm, pl_job *job, int local_size, int threads, pl_task **out) {
  pl_task *task = NULL;
  *out = NULL;
  plait_err err = pl_calloc(1, sizeof *task, &task);
  if (err == PLAIT_OK) {
    task->job = job;
    err = say_source(job, open_here(task, local_size));
  }
  err = pl_comm_agree(comm, err);
  if (err == PLAIT_OK) err = pl_comm_agree(comm, lock_output(comm, task));
  if (err == PLAIT_OK && job->kernel->pattern == PLAIT_EVOLVE) {
    err = pl_evolve_open(comm, task, local_size, threads);
    if (err == PLAIT_OK) err = pl_evolve_prepare(comm, task);
  }
  if (err == PLAIT_OK) err = open_blocks(comm, task, threads);
  if (err != PLAIT_OK) pl_task_close(&task);
  *out = task;
  return err;
}

void pl_task_close(pl_task **at) {
  if (!*at) return;
  pl_evolve_close(&(*at)->evolve);
  pl_dataset_close(&(*at)->input);
  pl_resume_free(&(*at)->resume);
  pl_watchdog_leave((*at)->job->dog, (*at)->lock);
  pl_lock_give(&(*at)->lock);
  pl_layout_free(&(*at)->layout);
  pl_aside_free(*at);
  pl_free(at);
}

static const struct {
  const char *name;
  plait_err (*run)(pl_stage *stage);
} patterns[] = {
    [PLAIT_MAP] = {"map", pl_map_run},
    [PLAIT_REDUCE] = {"reduce", pl_reduce_run},
    [PLAIT_EVOLVE] = {"evolve", pl_evolve_run},
};

static plait_err start_report(pl_comm *comm, const pl_task *task, pl_report *report) {
  const pl_job *job = task->job;
  *report = (pl_report){.pattern = patterns[job->kernel->pattern].name};
  snprintf(report->kernel, sizeof report->kernel, "%s", job->kernel->name);
  report->flops_per_cell =
      task->evolve ? task->evolve->march.grid.flops_per_cell : task->plan.flops_per_cell;
  report->output_bytes = task->bytes_written;
  report->blocks_total = task->evolve                    ? task->evolve->steps
                         : task->plan.stepping.lanes > 0 ? pl_steps_most(task)
                                                         : task->cut.nblocks;
  if (pl_comm_rank(comm) != 0) return PLAIT_OK;
  report->ranks = pl_comm_size(comm);
  TRY(pl_calloc((size_t)report->ranks, sizeof *report->rank, &report->rank));
  TRY(pl_strdup(job->input, &report->input));
  TRY(pl_strdup(job->output, &report->output));
  return pl_strdup(job->echo ? job->echo : "", &report->job);
}

// Stretches of each lane: for the timeline of a report some times its bins, for --trace what keeps
// the file of all ranks at some ten megabytes.
static int64_t trace_room(pl_comm *comm, const pl_job *job) {
  enum { FOR_REPORT = 8 * PL_BINS, LEAST = 64, MOST = 16384, OF_ALL = 1 << 17 };
  int64_t each = OF_ALL / PL_LANES / pl_comm_size(comm);
  if (!job->trace) return FOR_REPORT;
  return each < LEAST ? LEAST : each > MOST ? MOST : each;
}

static void start_meter(pl_comm *comm, const pl_task *task, const pl_placement *placement,
                        pl_meter *meter) {
  *meter =
      (pl_meter){.budget = task->budget, .threads = placement->threads, .ncpus = placement->ncpus};
  snprintf(meter->host, sizeof meter->host, "%s", pl_comm_host(comm));
  pl_meter_start(meter);
}

// Only the last step of an earlier run is missing: its journal is in the way no longer.
static plait_err finish_earlier(pl_stage *stage) {
  const pl_job *job = stage->task->job;
  if (pl_comm_rank(stage->comm) != 0) return PLAIT_OK;
  pl_log(PL_LOG_NOTE, "%s is complete already", job->output);
  pl_results_of_file(stage->task, &stage->outcome);
  TRY(pl_journal_remove(job->output));
  return pl_checkpoints_remove(job->output);
}

// A warning and no error: who appends to a file does no harm to what was there.
static void note_change(pl_stage *stage) {
  const pl_dataset *input = stage->task->input;
  char *warning = stage->outcome.warning;
  size_t used = strlen(warning);
  if (!input || pl_comm_rank(stage->comm) != 0 || !pl_dataset_changed(input)) return;
  snprintf(
      warning + used, sizeof stage->outcome.warning - used,
      "%s%s was written to or replaced during the run: the result may be of old and new values",
      used > 0 ? "; " : "", input->path);
}

static plait_err run_to_output(pl_stage *stage, pl_report *report) {
  pl_task *task = stage->task;
  if (task->resume.finished) {
    report->blocks_resumed = report->blocks_total;
    return pl_comm_agree(stage->comm, finish_earlier(stage));
  }
  plait_err err = pl_durable_begin(stage);
  bool steps = task->plan.stepping.lanes > 0 && task->resume.found;
  report->blocks_resumed = steps ? task->resume.journal.pass : task->resume.blocks;
  if (err == PLAIT_OK) err = patterns[task->job->kernel->pattern].run(stage);
  if (err == PLAIT_OK) note_change(stage);
  return pl_durable_end(stage, err, &report->kept);
}

// Collective. The timelines have a common length: the longest of the ranks.
static plait_err gather_traces(pl_comm *comm, const pl_job *job, const pl_trace *trace, double wall,
                               pl_report *report) {
  pl_timeline mine;
  int64_t longest = (int64_t)(1e6 * wall) + 1;
  TRY(pl_comm_max_int(comm, &longest, 1));
  report->span = 1e-6 * (double)longest;
  pl_trace_bins(trace, report->span, &mine);
  TRY(pl_comm_agree(comm,
                    pl_calloc((size_t)report->ranks, sizeof *report->timeline, &report->timeline)));
  TRY(pl_comm_gather(comm, &mine, sizeof mine, report->timeline, 0));
  return job->trace ? pl_trace_gather(comm, trace, &report->traces) : PLAIT_OK;
}

// Collective. The rank that had the last partial knows the single values, whichever that was.
static plait_err gather_outcome(pl_comm *comm, const pl_outcome *mine, pl_report *report) {
  pl_outcome *all = NULL;
  bool root = pl_comm_rank(comm) == 0;
  TRY(pl_comm_agree(comm, root ? pl_calloc((size_t)report->ranks, sizeof *all, &all) : PLAIT_OK));
  plait_err err = pl_comm_gather(comm, mine, sizeof *mine, all, 0);
  for (int r = 0; root && err == PLAIT_OK && r < report->ranks; r++) {
    pl_outcome *to = &report->outcome;
    for (int v = 0; v < PLAIT_OUTPUTS; v++)
      if (all[r].single[v].name[0]) to->single[v] = all[r].single[v];
    if (!to->warning[0]) memcpy(to->warning, all[r].warning, sizeof to->warning);
  }
  pl_free(&all);
  return err;
}

plait_err pl_task_run(pl_comm *comm, pl_task *task, const pl_placement *placement,
                      const pl_progress *progress, pl_report *report) {
  pl_meter meter;
  pl_trace *trace = NULL;
  TRY(pl_comm_agree(comm, start_report(comm, task, report)));
  start_meter(comm, task, placement, &meter);
  pl_stage stage = {.comm = comm,
                    .task = task,
                    .placement = placement,
                    .progress = progress,
                    .meter = &meter,
                    .dog = task->job->dog,
                    .start = pl_now()};
  report->start_up = pl_process_age();
  plait_err err =
      pl_comm_agree(comm, pl_trace_start(stage.start, trace_room(comm, task->job), &trace));
  meter.trace = trace;
  bool traced = err == PLAIT_OK;
  if (traced) err = run_to_output(&stage, report);
  meter.wall = pl_now() - stage.start;
  meter.trace = NULL;
  pl_meter_stop(&meter);
  plait_err gathered = pl_comm_gather(comm, &meter, sizeof meter, report->rank, 0);
  if (gathered == PLAIT_OK && traced)
    gathered = gather_traces(comm, task->job, trace, meter.wall, report);
  if (gathered == PLAIT_OK && err == PLAIT_OK)
    gathered = gather_outcome(comm, &stage.outcome, report);
  pl_trace_stop(&trace);
  report->complete = err == PLAIT_OK && task->job->sample == 0;
  if (gathered == PLAIT_OK && pl_comm_rank(comm) == 0) pl_report_derive(report);
  return err != PLAIT_OK ? err : gathered;
}
