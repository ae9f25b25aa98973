// SPDX-License-Identifier: BSD-3-Clause
//
// What the kernel says about every combination before any is computed: whether it can run, and
// which outputs of which shape it has. Each rank asks for its share (about 2 us a combination) and
// all join what they found in the order of the combinations.
#include "base/mem.h"
#include "data/split.h"
#include "engine/study_inside.h"
#include <stdio.h>
#include <string.h>

typedef struct share {
  pl_columns columns;
  int64_t refused, first_refused; // number of the first; -1: none
  char refusal[512];
} share;

pl_column_source pl_study_source(const plait_array *input, const plait_output *output) {
  pl_column_source s = {.name = output->name[0] ? output->name
                                : input         ? input->name
                                                : "",
                        .units = output->units,
                        .long_name = output->long_name,
                        .ndim = output->ndim};
  if (strcmp(output->units, "=") == 0) s.units = input ? input->units : "";
  for (int d = 0; d < s.ndim; d++) {
    int from = output->from[d];
    s.shape[d] = output->shape[d];
    s.dims[d] = from >= 0 && input ? input->dims[from] : output->dims[d];
  }
  return s;
}

const char *pl_study_ask(const pl_study *study, const pl_job *job, pl_task *task) {
  const plait_kernel *kernel = study->job->kernel;
  const char *why = kernel->check ? kernel->check(&study->first.problem, job->params) : NULL;
  if (why || kernel->pattern == PLAIT_EVOLVE) return why;
  memset(&task->plan, 0, sizeof task->plan);
  kernel->plan(&study->first.problem, job->params, &task->plan);
  return NULL;
}

static void take_plan(const pl_study *study, const pl_task *task, pl_columns *columns) {
  for (int v = 0; v < task->plan.noutputs; v++) {
    const plait_output *o = &task->plan.output[v];
    pl_column_source s = pl_study_source(study->first.problem.input, o);
    if (o->emitted && study->vary->ncolumns == 0) continue; // follows the cells of the input
    pl_columns_add(columns, &s, study->vary->column, study->vary->ncolumns);
  }
}

static void ask_share(const pl_study *study, pl_job *job, pl_task *task, share *mine) {
  const pl_vary *vary = study->vary;
  int64_t first, n;
  const char *input = NULL;
  pl_share(vary->count, pl_comm_size(study->comm), pl_comm_rank(study->comm), &first, &n);
  mine->first_refused = -1;
  for (int64_t i = first; i < first + n; i++) {
    pl_vary_set(vary, i, job->params, &job->evolve, &input);
    const char *why = pl_study_ask(study, job, task);
    if (!why) {
      take_plan(study, task, &mine->columns);
      continue;
    }
    if (mine->refused++ > 0) continue;
    mine->first_refused = i;
    snprintf(mine->refusal, sizeof mine->refusal, "%s: %s", study->job->kernel->name, why);
  }
}

// In rank order, which is the order of the combinations.
static void join(pl_study *study, const share *all) {
  char at[256];
  for (int r = 0; r < pl_comm_size(study->comm); r++) {
    pl_columns_join(&study->columns, &all[r].columns);
    if (all[r].refused > 0 && study->refused == 0) {
      pl_vary_describe(study->vary, all[r].first_refused, study->job->keep, at, sizeof at);
      snprintf(study->refusal, sizeof study->refusal, "combination %lld (%s): %s",
               (long long)all[r].first_refused, at, all[r].refusal);
    }
    study->refused += all[r].refused;
  }
}

static plait_err ask_all(pl_study *study, share *mine, share *all) {
  pl_job job = *study->job;
  pl_task *task = NULL;
  plait_err err = pl_calloc(1, sizeof *task, &task);
  if (err == PLAIT_OK) err = pl_alloc(study->job->kernel->params_size, 1, &job.params);
  if (err == PLAIT_OK) {
    memcpy(job.params, study->job->params, study->job->kernel->params_size);
    ask_share(study, &job, task, mine);
    pl_free(&job.params);
  }
  pl_free(&task);
  TRY(pl_comm_agree(study->comm, err));
  return pl_comm_allgather(study->comm, mine, sizeof *mine, all);
}

plait_err pl_study_plan(pl_study *study) {
  share *mine = NULL, *all = NULL;
  plait_err err = pl_calloc(1, sizeof *mine, &mine);
  if (err == PLAIT_OK) err = pl_alloc((size_t)pl_comm_size(study->comm), sizeof *all, &all);
  GUARD(pl_comm_agree(study->comm, err));
  GUARD(ask_all(study, mine, all));
  join(study, all);
  if (study->refused == study->vary->count || (study->refused > 0 && !study->job->run.keep_going))
    err = plait_fail(PLAIT_JOB, "%s: %s", study->job->path, study->refusal);
done:
  pl_free(&mine);
  pl_free(&all);
  return err;
}
