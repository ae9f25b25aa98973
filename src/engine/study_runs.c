// SPDX-License-Identifier: BSD-3-Clause
//
// The second road: groups of ranks that run their combination as a job of its own, with a team on
// every rank, an output file and a journal. The leaders of the groups claim combinations through a
// communicator of their own. The columns are read from the file that the run has written; without
// `{}` in the name of the output that file goes when its row is there.
#include "base/mem.h"
#include "engine/study_inside.h"
#include "host/stop.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct groups {
  pl_comm *group, *leaders;
  bool leads;
} groups;

static plait_err split(pl_study *study, groups *g) {
  int ranks = pl_comm_size(study->comm), rank = pl_comm_rank(study->comm);
  int ngroups = ranks / study->group, mine = rank / study->group;
  if (mine >= ngroups) mine = ngroups - 1; // what is left over helps the last group
  TRY(pl_comm_split(study->comm, mine, &g->group));
  g->leads = pl_comm_rank(g->group) == 0;
  return pl_comm_split(study->comm, g->leads ? 0 : 1, &g->leaders);
}

// ---- one combination ----

static void no_progress(void *data, int64_t done, int64_t total, int64_t bytes, double seconds) {
  (void)data, (void)done, (void)total, (void)bytes, (void)seconds;
}

// The job of a combination. Its parameters are the study's own struct: axes are resolved in there.
static plait_err make_job(const pl_study *study, int64_t number, pl_job *one, char **name) {
  const pl_job *job = study->job;
  const char *input = job->input;
  pl_text echo = {0};
  *one = *job;
  one->vary = NULL;
  one->echo = NULL;
  TRY(pl_study_output_name(study, number, name));
  pl_vary_set(study->vary, number, one->params, &one->evolve, &input);
  one->input = (char *)input;
  one->output = *name;
  one->force = job->force || study->found || !study->pattern;
  pl_text_add(&echo, "%s# combination\ncombination: %lld\n", job->echo, (long long)number);
  plait_err err = echo.failed ? plait_fail(PLAIT_MEMORY, "out of memory") : PLAIT_OK;
  if (err == PLAIT_OK) err = pl_strdup(echo.at, &one->echo);
  pl_text_free(&echo);
  return err;
}

// What cannot be removed ends the run before the row is kept: the next one does this combination
// again and has another try. Else the file would stay for ever beside a table that is complete.
static plait_err remove_output(const char *name) {
  static const char *const endings[] = {"", ".gauges.csv", ".lock"};
  plait_err err = PLAIT_OK;
  for (int i = 0; i < 3; i++) {
    pl_text path = {0};
    pl_text_add(&path, "%s%s", name, endings[i]);
    if (path.failed)
      err = plait_fail(PLAIT_MEMORY, "out of memory for a name");
    else if (unlink(path.at) != 0 && errno != ENOENT)
      err = pl_fail_errno(PLAIT_IO, "cannot remove", path.at);
    pl_text_free(&path);
  }
  return err;
}

static plait_err read_column(const pl_column *column, const char *file, double *to) {
  pl_text spec = {0};
  plait_aside array = {0};
  pl_scalar single = {0};
  pl_text_add(&spec, "%s:%s", file, column->source);
  bool scalar = column->ndim == 0 && column->take == PL_TAKE_ALL;
  plait_err err = spec.failed ? plait_fail(PLAIT_MEMORY, "out of memory")
                  : scalar    ? pl_dataset_scalar(spec.at, &single)
                              : pl_aside_read(spec.at, &array);
  pl_text_free(&spec);
  if (err == PLAIT_OK && scalar) *to = single.value;
  if (err == PLAIT_OK && !scalar)
    err = pl_column_fill(column, array.type, array.ndim, array.shape, array.data, to);
  pl_free(&array.data);
  return err;
}

static plait_err read_row(const pl_study *study, const char *file, pl_row *row) {
  double *to = row->values;
  for (int c = 0; c < study->columns.n; c++) {
    TRY(read_column(&study->columns.at[c], file, to));
    to += pl_column_cells(&study->columns.at[c]);
  }
  return PLAIT_OK;
}

// *row gets, on the leader, what the kernel warns of.
static plait_err run_job(const pl_study *study, pl_comm *group, pl_job *one,
                         const pl_placement *placement, pl_row *row) {
  pl_task *task = NULL;
  pl_report report = {0};
  const pl_progress progress = {.tell = no_progress};
  TRY(pl_task_open(group, one, study->local_size, study->threads, &task));
  plait_err err = pl_task_run(group, task, placement, &progress, &report);
  if (err == PLAIT_OK) pl_row_note(row, report.outcome.warning);
  study->stage.meter->bytes_read += report.total.bytes_read; // of the group, on its leader
  study->stage.meter->bytes_written += report.total.bytes_written;
  pl_report_free(&report);
  pl_task_close(&task);
  return err;
}

// A kernel's refusal in its own words, as on the first road. Another input may be another matter.
static plait_err ask(const pl_study *study, const pl_job *one) {
  const plait_kernel *kernel = one->kernel;
  if (!kernel->check || one->input != study->job->input) return PLAIT_OK;
  const char *why = kernel->check(&study->first.problem, one->params);
  return why ? plait_fail(PLAIT_JOB, "%s: %s", kernel->name, why) : PLAIT_OK;
}

// Collective in the group. *row is filled on its leader.
static plait_err run_one(pl_study *study, pl_comm *group, const pl_placement *placement,
                         int64_t number, pl_row *row) {
  pl_job one;
  char *name = NULL;
  bool leads = pl_comm_rank(group) == 0;
  plait_err err = pl_comm_agree(group, make_job(study, number, &one, &name));
  pl_row_clear(row, number, study->rows.cells);
  if (err == PLAIT_OK) err = ask(study, &one);
  if (err == PLAIT_OK) err = run_job(study, group, &one, placement, row);
  if (err == PLAIT_OK && leads) {
    err = read_row(study, name, row);
    plait_err removed = study->pattern ? PLAIT_OK : remove_output(name);
    if (err == PLAIT_OK) err = removed;
  }
  pl_free(&one.echo);
  pl_free(&name);
  return pl_comm_agree(group, err);
}

// ---- all of them ----

// Collective in the group, whose run was stopped: the reason of whichever rank has one.
static plait_err note_stop(pl_study *study, const groups *g) {
  int64_t why = pl_stop_why();
  TRY(pl_comm_max_int(g->group, &why, 1));
  study->stage.stopping = why ? (int)why : PL_STOP_TIME;
  return g->leads ? pl_schedule_halt(study->scheduler) : PLAIT_OK;
}

static plait_err work(pl_study *study, const groups *g, const pl_placement *placement,
                      pl_row *row) {
  for (;;) {
    int64_t number = g->leads ? pl_study_next(study) : -1;
    TRY(pl_comm_bcast(g->group, &number, sizeof number, 0));
    if (number < 0) return PLAIT_OK;
    plait_err err = run_one(study, g->group, placement, number, row);
    if (err == PLAIT_STOPPED) return note_stop(study, g);
    if (!g->leads) continue;
    if (err != PLAIT_OK) pl_row_fail(row, study->rows.cells, pl_message());
    pl_study_finished(study, row, err);
    if (study->error == PLAIT_OK) { // the work of a combination is worth a write
      plait_err kept = pl_rows_flush_now(&study->rows, study->stage.journal);
      if (kept != PLAIT_OK) pl_study_fail(study, kept);
    }
  }
}

static plait_err work_on_all(pl_study *study, const groups *g, const pl_placement *placement) {
  pl_row *row = NULL;
  plait_err err = PLAIT_OK;
  if (g->leads)
    err = pl_schedule_start(g->leaders, (pl_schedule_kind)study->job->run.schedule,
                            study->remaining.total, 1, &study->scheduler);
  TRY(pl_comm_agree(study->comm, err));
  TRY(pl_comm_agree(study->comm, pl_alloc(study->rows.bytes, 1, &row)));
  err = work(study, g, placement, row);
  pl_free(&row);
  if (err != PLAIT_OK || !g->leads || study->error != PLAIT_OK || study->stage.stopping) return err;
  pl_stage_drain(&study->stage, study->scheduler,
                 pl_task_sample(&study->first, study->vary->count));
  return PLAIT_OK;
}

plait_err pl_study_runs(pl_study *study, const pl_placement *placement) {
  groups g = {0};
  plait_err err = pl_comm_agree(study->comm, split(study, &g));
  if (err == PLAIT_OK) err = work_on_all(study, &g, placement);
  if (err != PLAIT_OK) pl_study_note(study, err);
  pl_schedule_stop(&study->scheduler);
  pl_comm_stop(&g.leaders);
  pl_comm_stop(&g.group);
  return err;
}

// ---- before it runs ----

// The outputs of an evolve kernel are known when it is open.
static void take_layout(pl_study *study, const pl_layout *l) {
  for (int v = 0; v < l->nvars; v++) {
    const pl_outvar *var = &l->vars[v];
    pl_column_source s = {.name = var->name,
                          .units = pl_attr_text(&var->attrs, "units"),
                          .long_name = pl_attr_text(&var->attrs, "long_name"),
                          .ndim = var->ndim};
    for (int d = 0; d < var->ndim; d++) {
      s.shape[d] = l->dims[var->dim[d]].length;
      s.dims[d] = l->dims[var->dim[d]].name;
    }
    pl_columns_add(&study->columns, &s, study->vary->column, study->vary->ncolumns);
  }
}

plait_err pl_study_probe(pl_study *study) {
  pl_job one = *study->job;
  pl_task *task = NULL;
  char nothing[] = "null:";
  one.vary = NULL;
  one.output = nothing;
  one.lock = false;
  TRY(pl_task_open(study->comm, &one, study->local_size, study->threads, &task));
  if (task->evolve) take_layout(study, &task->layout);
  study->blocks_each = task->cut.nblocks;
  study->bytes_each = task->needed;
  study->written_each = task->bytes_written;
  pl_task_close(&task);
  return PLAIT_OK;
}
