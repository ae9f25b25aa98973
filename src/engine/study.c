// SPDX-License-Identifier: BSD-3-Clause
//
// The run of a study: what is left is done by one road or the other, then rank 0 writes the table.
// The order matters, since a run may be killed between any two steps: rows are on disk before the
// table is written, the journal says so before the table has its name, and goes after that.
#include "engine/study.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/lock.h"
#include "engine/size.h"
#include "engine/solo.h"
#include "engine/study_inside.h"
#include "engine/watchdog.h"
#include "host/stop.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool is_root(const pl_study *study) {
  return pl_comm_rank(study->comm) == 0;
}

static bool is_stored(const pl_study *study) {
  return pl_file_is_path(study->table) && study->job->sample == 0;
}

// ---- begin ----

static plait_err start_journal(pl_study *study) {
  if (!is_stored(study)) return PLAIT_OK;
  plait_err err = is_root(study) && !study->found ? pl_journal_remove(study->table) : PLAIT_OK;
  TRY(pl_comm_agree(study->comm, err));
  pl_journal_plan plan = {.output = study->table,
                          .id = study->id,
                          .end = study->found ? study->end : 0,
                          .every = study->job->run.checkpoint,
                          .identity = study->identity,
                          .cut = {.ndim = 1}};
  plan.cut.shape[0] = study->vary->count;
  plan.cut.extent[0] = 1;
  return pl_journal_start(study->comm, &plan, &study->stage.journal);
}

static bool is_left(const void *context, int64_t number) {
  const pl_study *study = context;
  return !(study->done[number / 8] >> (number % 8) & 1);
}

// Rank 0 watches the clock for all; a combination may last longer than the time that is left, so
// here every rank needs to know.
static plait_err share_deadline(pl_comm *comm) {
  double end = pl_stop_time(), now = pl_now(), left = end > 0 ? fmax(end - now, 1e-3) : 0;
  TRY(pl_comm_bcast(comm, &left, sizeof left, 0));
  if (left > 0 && pl_comm_rank(comm) != 0) pl_stop_by(now + left);
  return PLAIT_OK;
}

static plait_err begin(pl_study *study) {
  pl_stage *stage = &study->stage;
  TRY(share_deadline(study->comm));
  int64_t count = pl_task_sample(&study->first, study->vary->count);
  TRY(pl_comm_agree(study->comm, pl_remaining_make(count, is_left, study, &study->remaining)));
  stage->resumed = study->resumed;
  if (is_root(study) && study->resumed > 0)
    pl_log(PL_LOG_NOTE,
           "goes on from %s.journal: %lld of %lld combinations are done, %lld are left",
           study->table, (long long)study->resumed, (long long)study->vary->count,
           (long long)study->remaining.total);
  if (study->in_memory) stage->dog = study->job->dog; // else what runs tells it
  return start_journal(study);
}

// ---- the table ----

static plait_err write_netcdf(pl_study *study) {
  pl_layout layout = {0};
  pl_output *output = NULL;
  plait_err err = is_root(study) ? pl_study_layout(study, &layout) : PLAIT_OK;
  if (!is_root(study) && study->job->run.format > 0)
    snprintf(layout.format, sizeof layout.format, "%s", pl_run_formats[study->job->run.format]);
  GUARD(pl_comm_agree(study->comm, err));
  GUARD(pl_output_open(study->comm, study->table, &layout, study->job->force, &output));
  GUARD(pl_comm_agree(study->comm, pl_output_sync(output)));
  err = is_root(study) ? pl_journal_complete(study->stage.journal) : PLAIT_OK;
  GUARD(pl_comm_agree(study->comm, err));
  err = pl_output_commit(output);
done:
  pl_output_close(&output);
  pl_layout_free(&layout);
  return err;
}

// Rows of this status, of those that are done the ones that have a message; and the first of them.
static void tell_messages(const pl_study *study, pl_row_status status, const char *what) {
  int64_t n = 0;
  const pl_row *first = NULL;
  char at[256];
  for (int64_t i = 0; i < study->rows.n; i++) {
    const pl_row *row = pl_rows_at(&study->rows, i);
    if (row->status != (int)status || (status == PL_ROW_DONE && !row->message[0])) continue;
    if (n++ == 0) first = row;
  }
  if (!first) return;
  pl_vary_describe(study->vary, first->number, study->job->keep, at, sizeof at);
  pl_log(PL_LOG_WARNING, "%lld of %lld combinations %s; the first is %lld (%s): %.*s", (long long)n,
         (long long)study->rows.n, what, (long long)first->number, at, PL_ROW_MESSAGE,
         first->message);
}

static void tell_rows(const pl_study *study) {
  tell_messages(study, PL_ROW_FAILED, "failed");
  tell_messages(study, PL_ROW_DONE, "have a warning (column message)");
}

static plait_err write_table(pl_study *study) {
  pl_comm *comm = study->comm;
  plait_err err = PLAIT_OK;
  TRY(pl_rows_gather(comm, &study->rows));
  if (is_root(study)) tell_rows(study);
  if (is_root(study) && study->rows.n != study->vary->count)
    err = plait_fail(PLAIT_BUG, "%lld rows of %lld", (long long)study->rows.n,
                     (long long)study->vary->count);
  if (err == PLAIT_OK && is_root(study))
    err = pl_study_csv(study, study->is_csv ? study->table : study->csv, study->job->force);
  TRY(pl_comm_agree(comm, err));
  if (!study->is_csv) TRY(write_netcdf(study));
  return pl_comm_agree(comm, is_root(study) ? pl_journal_remove(study->table) : PLAIT_OK);
}

static int64_t size_of(const char *path) {
  struct stat info;
  return path && stat(path, &info) == 0 ? (int64_t)info.st_size : 0;
}

// ---- run ----

static plait_err compute(pl_study *study) {
  pl_stage *stage = &study->stage;
  plait_err err = study->in_memory ? pl_study_compute(study, stage->placement)
                                   : pl_study_runs(study, stage->placement);
  if (err == PLAIT_OK) err = study->error;
  if (study->error != PLAIT_OK) pl_message_set(study->message);
  char message[PL_MESSAGE_BYTES];
  snprintf(message, sizeof message, "%s", pl_message());
  plait_err saved = pl_rows_flush(&study->rows, stage->journal, true);
  if (err == PLAIT_OK)
    err = saved;
  else
    pl_message_set(message);
  return pl_stage_end(stage, err, NULL);
}

static bool worth_keeping(pl_study *study) {
  int64_t records = study->stage.journal ? pl_journal_records(study->stage.journal) : 0;
  if (study->found) records++;
  return pl_comm_max_int(study->comm, &records, 1) == PLAIT_OK && records > 0;
}

static plait_err end(pl_study *study, plait_err err, bool *kept) {
  pl_stage *stage = &study->stage;
  char message[PL_MESSAGE_BYTES];
  if (err == PLAIT_OK && is_stored(study)) {
    double start = pl_now();
    err = write_table(study);
    if (is_root(study)) stage->meter->bytes_written += size_of(study->table) + size_of(study->csv);
    stage->meter->write += pl_now() - start;
    stage->meter->wait_write += pl_now() - start;
  }
  snprintf(message, sizeof message, "%s", pl_message());
  pl_watchdog_rest(study->job->dog);
  pl_schedule_stop(&study->scheduler);
  *kept = err != PLAIT_OK && worth_keeping(study);
  if (err != PLAIT_OK && !*kept && stage->journal && is_root(study))
    (void)pl_journal_remove(study->table);
  pl_journal_stop(&stage->journal);
  if (err != PLAIT_OK) pl_message_set(message);
  return err;
}

static plait_err run_all(pl_study *study, bool *kept) {
  if (study->finished) {
    if (is_root(study)) pl_log(PL_LOG_NOTE, "%s is complete already", study->table);
    return pl_comm_agree(study->comm, is_root(study) ? pl_journal_remove(study->table) : PLAIT_OK);
  }
  plait_err err = begin(study);
  if (err == PLAIT_OK) err = compute(study);
  return end(study, err, kept);
}

static plait_err start_report(const pl_study *study, pl_report *report) {
  const pl_job *job = study->job;
  *report = (pl_report){.pattern = "study", .unit = "combination"};
  snprintf(report->kernel, sizeof report->kernel, "%s", job->kernel->name);
  report->blocks_total = study->vary->count;
  report->blocks_resumed = study->resumed;
  if (!is_root(study)) return PLAIT_OK;
  report->ranks = pl_comm_size(study->comm);
  TRY(pl_calloc((size_t)report->ranks, sizeof *report->rank, &report->rank));
  TRY(pl_strdup(job->input, &report->input));
  TRY(pl_strdup(study->table, &report->output));
  return pl_strdup(job->echo ? job->echo : "", &report->job);
}

plait_err pl_study_run(pl_comm *comm, pl_study *study, const pl_placement *placement,
                       const pl_progress *progress, pl_report *report) {
  pl_meter meter = {
      .budget = study->budget, .threads = placement->threads, .ncpus = placement->ncpus};
  TRY(pl_comm_agree(comm, start_report(study, report)));
  snprintf(meter.host, sizeof meter.host, "%s", pl_comm_host(comm));
  if (study->data) meter.bytes_read = pl_dataset_file_bytes(study->first.input);
  pl_meter_start(&meter);
  study->first.cut.nblocks = study->vary->count; // what the stage counts
  study->stage = (pl_stage){.comm = comm,
                            .task = &study->first,
                            .placement = placement,
                            .progress = progress,
                            .meter = &meter,
                            .unit = "combinations",
                            .start = pl_now()};
  report->start_up = pl_process_age();
  plait_err err = run_all(study, &report->kept);
  meter.wall = pl_now() - study->stage.start;
  pl_meter_stop(&meter);
  plait_err gathered = pl_comm_gather(comm, &meter, sizeof meter, report->rank, 0);
  report->complete = err == PLAIT_OK && study->job->sample == 0;
  if (gathered == PLAIT_OK && is_root(study)) pl_report_derive(report);
  return err != PLAIT_OK ? err : gathered;
}

// ---- facts ----

void pl_study_facts_of(const pl_study *study, pl_study_facts *f) {
  pl_task first = study->first;
  *f = (pl_study_facts){.count = study->vary->count,
                        .resumed = study->resumed,
                        .refused = study->refused,
                        .refusal = study->refusal,
                        .in_memory = study->in_memory,
                        .group = study->group,
                        .keeps_files = study->pattern,
                        .finished = study->finished,
                        .budget = study->budget,
                        .blocks = study->blocks_each,
                        .bytes = study->bytes_each,
                        .row_bytes = (int64_t)study->rows.bytes,
                        .table = study->table,
                        .csv = study->csv ? study->csv : "",
                        .first = &study->first};
  if (study->in_memory) {
    if (!first.problem.input) pl_space_array(&first.plan, &first.array);
    pl_size_cut_reduce(&first);
    f->blocks = first.cut.nblocks;
    f->bytes = (int64_t)pl_solo_bytes(&first);
  }
  int64_t table = f->row_bytes * f->count;
  f->needed = (study->in_memory ? study->threads : 1) * f->bytes + 3 * table +
              (study->data ? pl_study_input_bytes(study) : 0);
  f->written = 2 * table + (study->pattern ? f->count * study->written_each : 0);
}

int pl_study_columns(const pl_study *study) {
  return study->columns.n;
}

void pl_study_column(const pl_study *study, int c, pl_text *out) {
  const pl_column *column = &study->columns.at[c];
  pl_text_add(out, "%s", column->name);
  for (int d = 0; d < column->ndim; d++)
    pl_text_add(out, "%s%s %lld", d ? ", " : " (", column->dims[d], (long long)column->shape[d]);
  if (column->ndim) pl_text_add(out, ")");
  if (column->units[0]) pl_text_add(out, " in %s", column->units);
}
