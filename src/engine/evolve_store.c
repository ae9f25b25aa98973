// SPDX-License-Identifier: BSD-3-Clause
//
// What an evolve writes when all steps are done: maximum, arrival, sums, gauges; and what it warns
// of.
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/evolve.h"
#include <float.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// A small array that rank 0 has whole.
static plait_err store_small(pl_output *output, int var, int ndim, const int64_t n[], void *data) {
  pl_box box = {.ndim = ndim};
  memcpy(box.n, n, (size_t)ndim * sizeof *n);
  plait_raise raise = {0};
  plait_block block = pl_block_over(data, PLAIT_F64, &box, NULL);
  pl_output_encode(output, var, &block, &raise);
  TRY(pl_raised(&raise));
  return pl_output_store(output, var, &block);
}

static plait_err store_sums(pl_evolve *e, pl_output *output) {
  int n = e->march.grid.ndiagnoses;
  double *series = NULL;
  TRY(pl_alloc((size_t)e->nsnapshots, sizeof *series, &series));
  plait_err err = PLAIT_OK;
  for (int d = 0; d < n && err == PLAIT_OK; d++) {
    for (int64_t i = 0; i < e->nsnapshots; i++) series[i] = e->sums[i * n + d];
    err = store_small(output, e->var_sum + d, 1, &e->nsnapshots, series);
  }
  pl_free(&series);
  return err;
}

// The table of the gauges, nothing when there is none; *owned by the caller*.
static plait_err name_gauges(const pl_evolve *e, pl_text *name) {
  const pl_job *job = e->task->job;
  bool kept = job->evolve.gauge_file[0] || strncmp(job->output, "null:", 5) != 0;
  if (e->gauges.n == 0 || !kept) return PLAIT_OK;
  if (job->evolve.gauge_file[0])
    pl_text_add(name, "%s", job->evolve.gauge_file);
  else
    pl_text_add(name, "%s.gauges.csv", job->output);
  return name->failed ? plait_fail(PLAIT_MEMORY, "out of memory") : PLAIT_OK;
}

static plait_err check_table(const pl_job *job, const char *path) {
  struct stat info;
  TRY(pl_output_check_place(path));
  bool there = stat(path, &info) == 0 && S_ISREG(info.st_mode);
  // A run that was killed between its table and its output has left NAME.partial.
  if (!there || job->force || pl_resume_beside(job->output, ".partial")) return PLAIT_OK;
  return plait_fail(PLAIT_OUTPUT, "%s exists already; --force allows replacing it", path);
}

plait_err pl_evolve_check_gauges(const pl_evolve *e) {
  pl_text name = {0};
  plait_err err = name_gauges(e, &name);
  if (err == PLAIT_OK && name.length > 0) err = check_table(e->task->job, name.at);
  pl_text_free(&name);
  return err;
}

static plait_err store_gauges(pl_evolve *e, pl_output *output) {
  const int64_t n[2] = {e->gauges.samples, e->gauges.n};
  pl_text name = {0};
  plait_err err = name_gauges(e, &name);
  if (err == PLAIT_OK && name.length > 0) err = pl_gauges_write_csv(&e->gauges, name.at);
  if (err == PLAIT_OK) err = store_small(output, e->var_gauge, 2, n, e->gauges.value);
  pl_text_free(&name);
  return err;
}

plait_err pl_evolve_store_rest(pl_evolve *e, pl_output *output) {
  int mask = e->march.grid.field[0].mask - 1;
  if (e->var_maximum >= 0)
    TRY(pl_snapshots_store_field(&e->snapshots, output, e->var_maximum, e->gauges.maximum, -FLT_MAX,
                                 mask));
  if (e->var_arrival >= 0)
    TRY(pl_snapshots_store_field(&e->snapshots, output, e->var_arrival, e->gauges.arrival, -1,
                                 mask));
  if (pl_comm_rank(e->march.comm) != 0) return PLAIT_OK;
  if (e->sums) TRY(store_sums(e, output));
  return e->gauges.n > 0 ? store_gauges(e, output) : PLAIT_OK;
}

void pl_evolve_warn(const pl_evolve *e, char *warning, size_t room) {
  const double *coord[PL_AXES] = {e->coord[0], e->coord[1], e->coord[2]};
  pl_text text = {0};
  if (pl_comm_rank(e->march.comm) == 0) pl_gauges_moved(&e->gauges, coord, &text);
  if (text.length > 0) pl_log(PL_LOG_WARNING, "%s", text.at);
  const char *words = text.length > 0 ? text.at : "";
  bool whole = text.length < room;
  snprintf(warning, room, "%.*s%s", (int)(whole ? text.length : room - 4), words,
           whole ? "" : " ..");
  pl_text_free(&text);
}
