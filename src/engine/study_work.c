// SPDX-License-Identifier: BSD-3-Clause
//
// Combinations one after another: who takes which, and what becomes of a finished one; and the
// first road, on which every thread of every rank computes combinations of its own in memory.
#include "base/clock.h"
#include "base/mem.h"
#include "engine/size.h"
#include "engine/solo.h"
#include "engine/strands.h"
#include "engine/study_inside.h"
#include "engine/watchdog.h"
#include "host/stop.h"
#include <stdio.h>
#include <string.h>

// ---- taking and giving back ----

void pl_study_note(pl_study *study, plait_err err) {
  if (study->error != PLAIT_OK) return;
  study->error = err;
  snprintf(study->message, sizeof study->message, "%s", pl_message());
}

void pl_study_fail(pl_study *study, plait_err err) {
  bool first = study->error == PLAIT_OK;
  pl_study_note(study, err);
  if (first) (void)pl_schedule_halt(study->scheduler);
}

static plait_err claim(pl_study *study) {
  bool stops = false, stolen = false;
  int64_t count = 0;
  TRY(pl_stage_stops(&study->stage, study->scheduler, &stops));
  if (stops) return PLAIT_OK;
  TRY(pl_schedule_next(study->scheduler, &study->claimed, &count, &stolen));
  study->claimed_end = study->claimed + count;
  if (stolen) study->stage.meter->stolen += count;
  return PLAIT_OK;
}

int64_t pl_study_next(pl_study *study) {
  int64_t number = -1, one;
  pthread_mutex_lock(&study->mutex);
  bool ends = study->error != PLAIT_OK || study->stage.stopping;
  if (!ends && study->claimed == study->claimed_end) {
    plait_err err = claim(study);
    if (err != PLAIT_OK) pl_study_fail(study, err);
  }
  ends = study->error != PLAIT_OK || study->stage.stopping;
  if (!ends && study->claimed < study->claimed_end)
    pl_remaining_piece(&study->remaining, study->claimed++, 1, &number, &one);
  pthread_mutex_unlock(&study->mutex);
  return number;
}

// A full disk, no memory, a rank that is gone: nothing that the combination has to do with. As a
// row of the table it would be kept for ever, though the same run may succeed an hour later. An
// input of its own may be cut short, which reading tells in the same way.
static bool is_of_the_machine(const pl_study *study, plait_err err) {
  return err == PLAIT_MEMORY || err == PLAIT_COMM || err == PLAIT_BUG ||
         (err == PLAIT_IO && !pl_study_varies(study, PL_VARY_INPUT));
}

// What a combination failed with by itself ends the run only when that is asked for.
static plait_err judge(const pl_study *study, const pl_row *row, plait_err err) {
  char at[256], message[PL_MESSAGE_BYTES];
  if (err == PLAIT_OK) return PLAIT_OK;
  if (study->job->run.keep_going && !is_of_the_machine(study, err)) return PLAIT_OK;
  snprintf(message, sizeof message, "%s", pl_message());
  pl_vary_describe(study->vary, row->number, study->job->keep, at, sizeof at);
  return plait_fail(err, "combination %lld (%s): %.3000s", (long long)row->number, at, message);
}

void pl_study_finished(pl_study *study, const pl_row *row, plait_err err) {
  plait_err ends = judge(study, row, err);
  pthread_mutex_lock(&study->mutex);
  if (ends == PLAIT_OK) ends = pl_rows_add(&study->rows, row);
  if (ends == PLAIT_OK) ends = pl_rows_flush(&study->rows, study->stage.journal, false);
  study->stage.meter->blocks++;
  if (ends == PLAIT_OK)
    ends = pl_stage_done(&study->stage, study->scheduler, 1,
                         pl_task_sample(&study->first, study->vary->count));
  if (ends != PLAIT_OK) pl_study_fail(study, ends);
  pthread_mutex_unlock(&study->mutex);
}

// ---- a thread ----

typedef struct worker {
  pl_study *study;
  pl_job job;
  pl_task task;
  pl_solo solo;
  pl_room out[PLAIT_OUTPUTS];
  char *at[PLAIT_OUTPUTS]; // out, or NULL where no column wants it
  pl_row *row;
} worker;

// One strand at a time may open files.
static pthread_mutex_t files = PTHREAD_MUTEX_INITIALIZER;

static bool has_asides(const plait_plan *plan) {
  for (int i = 0; i < PLAIT_ASIDES; i++)
    if (plan->aside[i] && plan->aside[i][0]) return true;
  return false;
}

static plait_err load_asides(worker *w) {
  if (!has_asides(&w->task.plan)) return PLAIT_OK;
  pthread_mutex_lock(&files);
  memset(&w->task.plan, 0, sizeof w->task.plan);
  plait_err err = pl_task_plan(&w->task);
  pthread_mutex_unlock(&files);
  return err;
}

static void drop_asides(worker *w) {
  if (!has_asides(&w->task.plan)) return;
  pl_aside_free(&w->task);
  memset(w->task.aside, 0, sizeof w->task.aside);
  w->task.problem.aside = NULL;
}

static const char *name_of(const worker *w, int v) {
  const char *name = w->task.plan.output[v].name;
  return name[0] || !w->task.problem.input ? name : w->task.array.name;
}

static bool is_wanted(const worker *w, int v) {
  const pl_columns *columns = &w->study->columns;
  for (int c = 0; c < columns->n; c++)
    if (strcmp(columns->at[c].source, name_of(w, v)) == 0) return true;
  return false;
}

static size_t out_bytes(const plait_output *o) {
  size_t bytes = plait_type_size(o->type);
  for (int d = 0; d < o->ndim; d++)
    if (pl_mul_overflows(bytes, (size_t)o->shape[d], &bytes)) return SIZE_MAX / PLAIT_OUTPUTS / 2;
  return bytes;
}

// Room for the outputs that a column wants, within this thread's share of the budget.
static plait_err make_room(worker *w) {
  const plait_plan *plan = &w->task.plan;
  size_t bytes = pl_solo_bytes(&w->task);
  for (int v = 0; v < plan->noutputs; v++) {
    w->at[v] = NULL;
    if (!is_wanted(w, v)) continue;
    bytes += out_bytes(&plan->output[v]);
  }
  if (bytes > (size_t)(w->study->budget / w->study->threads)) {
    char need[32], budget[32];
    pl_format_size((int64_t)bytes, need);
    pl_format_size(w->study->budget / w->study->threads, budget);
    return plait_fail(PLAIT_JOB, "needs %s of memory, a thread has %s (run.memory)", need, budget);
  }
  for (int v = 0; v < plan->noutputs; v++) {
    if (!is_wanted(w, v)) continue;
    TRY(pl_room_get(&w->out[v], out_bytes(&plan->output[v])));
    w->at[v] = w->out[v].at;
  }
  return PLAIT_OK;
}

static plait_err fill_row(worker *w) {
  const pl_columns *columns = &w->study->columns;
  const plait_plan *plan = &w->task.plan;
  double *to = w->row->values;
  for (int c = 0; c < columns->n; c++) {
    const pl_column *column = &columns->at[c];
    for (int v = 0; v < plan->noutputs; v++) {
      const plait_output *o = &plan->output[v];
      if (strcmp(column->source, name_of(w, v)) != 0) continue;
      TRY(pl_column_fill(column, o->type, o->ndim, o->shape, w->at[v], to));
    }
    to += pl_column_cells(column);
  }
  return PLAIT_OK;
}

// Before each block: whether the run is to stop in the middle of a long combination.
static plait_err look_up(void *context) {
  worker *w = context;
  pl_watchdog_begin(w->study->stage.dog, PL_WATCH_TEAM, w->row->number);
  return pl_stop_why() ? plait_fail(PLAIT_STOPPED, "stopped") : PLAIT_OK;
}

static plait_err compute(worker *w) {
  const pl_study *study = w->study;
  const char *input = NULL;
  pl_vary_set(study->vary, w->row->number, w->job.params, &w->job.evolve, &input);
  const char *why = pl_study_ask(study, &w->job, &w->task);
  if (why) return plait_fail(PLAIT_JOB, "%s: %s", study->job->kernel->name, why);
  plait_err err = load_asides(w);
  if (err == PLAIT_OK) {
    if (!w->task.problem.input) pl_space_array(&w->task.plan, &w->task.array);
    pl_size_cut_reduce(&w->task);
    err = make_room(w);
  }
  if (err == PLAIT_OK) err = pl_solo_run(&w->solo);
  drop_asides(w);
  if (err == PLAIT_OK) pl_row_note(w->row, w->solo.raise.warning);
  return err == PLAIT_OK ? fill_row(w) : err;
}

static plait_err start_worker(pl_study *study, worker *w) {
  size_t bytes = study->job->kernel->params_size;
  *w = (worker){.study = study, .job = *study->job};
  w->job.params = NULL;
  w->task.job = &w->job;
  w->task.problem.kernel = study->job->kernel;
  w->task.array = study->first.array;
  w->task.input = study->first.input; // for the chunks that a cut follows; nothing reads from it
  if (study->first.problem.input) w->task.problem.input = &w->task.array;
  w->solo = (pl_solo){
      .task = &w->task, .data = study->data, .out = w->at, .before = look_up, .context = w};
  TRY(pl_alloc(bytes, 1, &w->job.params));
  memcpy(w->job.params, study->job->params, bytes);
  return pl_alloc(study->rows.bytes, 1, &w->row);
}

static void stop_worker(worker *w) {
  pl_solo_stop(&w->solo);
  for (int v = 0; v < PLAIT_OUTPUTS; v++) pl_room_free(&w->out[v]);
  pl_free(&w->job.params);
  pl_free(&w->row);
}

// Every thread by itself. A combination in whose middle the run is stopped is done again later.
static void work(void *context, int thread) {
  (void)thread;
  pl_study *study = context;
  worker *w = NULL;
  plait_err err = pl_alloc(1, sizeof *w, &w);
  if (err == PLAIT_OK) err = start_worker(study, w);
  if (err != PLAIT_OK) {
    pthread_mutex_lock(&study->mutex);
    pl_study_fail(study, err);
    pthread_mutex_unlock(&study->mutex);
  }
  for (int64_t number; err != PLAIT_STOPPED && (number = pl_study_next(study)) >= 0;) {
    pl_row_clear(w->row, number, study->rows.cells);
    err = compute(w);
    if (err == PLAIT_STOPPED) study->abandoned = true;
    if (err == PLAIT_STOPPED) continue;
    if (err != PLAIT_OK) pl_row_fail(w->row, study->rows.cells, pl_message());
    pl_study_finished(study, w->row, err);
  }
  if (w) stop_worker(w);
  pl_free(&w);
}

plait_err pl_study_compute(pl_study *study, const pl_placement *placement) {
  int64_t ranks = pl_comm_size(study->comm), batch = study->remaining.total / (ranks * 64);
  batch = batch < 1 ? 1 : batch > 16 ? 16 : batch;
  TRY(pl_schedule_start(study->comm, (pl_schedule_kind)study->job->run.schedule,
                        study->remaining.total, batch, &study->scheduler));
  double start = pl_now();
  pl_strands_each(placement, study->threads, work, study);
  study->stage.meter->compute += pl_now() - start;
  pl_watchdog_end(study->stage.dog, PL_WATCH_TEAM);
  if (study->abandoned && !study->stage.stopping) { // nobody asked for another one since
    study->stage.stopping = pl_stop_why();
    TRY(pl_schedule_halt(study->scheduler));
  }
  if (study->error == PLAIT_OK && !study->stage.stopping)
    pl_stage_drain(&study->stage, study->scheduler,
                   pl_task_sample(&study->first, study->vary->count));
  return PLAIT_OK;
}
