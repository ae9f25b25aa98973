// SPDX-License-Identifier: BSD-3-Clause
//
// A kernel on a small array in memory: what `verify` and the tests of kernels use. The work is
// solo.c's, with the blocks that the caller wants.
#include "base/mem.h"
#include "base/raise.h"
#include "engine/evolve.h"
#include "engine/job.h"
#include "engine/pattern.h"
#include "engine/solo.h"

typedef struct lab_run {
  pl_job job;
  pl_task task;
  void *keep;
} lab_run;

static void cut_like(pl_task *task, const int64_t *block) {
  pl_cut_wish wish = {.block_bytes = 64 * 1024,
                      .cell_bytes = (int64_t)plait_type_size(task->array.type),
                      .partial_bytes = 8 * 1024,
                      .partial_per_cell = (int64_t)task->plan.partial_per_cell,
                      .whole = task->plan.whole,
                      .reduced = task->plan.reduced};
  pl_cut_make(task->array.ndim, task->array.shape, &wish, &task->cut);
  if (!block) return;
  pl_cut *cut = &task->cut;
  cut->ntiles = cut->nreds = 1;
  for (int d = 0; d < cut->ndim; d++) {
    cut->extent[d] = task->plan.whole[d] || block[d] > cut->shape[d] ? cut->shape[d] : block[d];
    cut->count[d] = (cut->shape[d] + cut->extent[d] - 1) / cut->extent[d];
    if (cut->reduced[d])
      cut->nreds *= cut->count[d];
    else
      cut->ntiles *= cut->count[d];
  }
  cut->nblocks = cut->ntiles * cut->nreds;
}

static plait_err prepare(lab_run *run, const char *settings, const int64_t *block) {
  const plait_kernel *kernel = run->job.kernel;
  pl_task *task = &run->task;
  TRY(pl_params_from_text(kernel->params, kernel->params_size, settings, &run->job.params,
                          &run->keep));
  TRY(pl_params_bind(kernel->params, run->job.params, run->keep, task->problem.input));
  const char *why = kernel->check ? kernel->check(&task->problem, run->job.params) : NULL;
  if (why) return plait_fail(PLAIT_JOB, "%s: %s", kernel->name, why);
  TRY(pl_task_plan(task));
  if (!task->problem.input) pl_space_array(&task->plan, &task->array);
  cut_like(task, block);
  return PLAIT_OK;
}

plait_err pl_lab_apply(const plait_lab *lab, const char *settings, const plait_array *in,
                       const void *data, const int64_t *block, void *const out[]) {
  if (lab->kernel->pattern == PLAIT_EVOLVE)
    return pl_evolve_lab(lab, settings, in, data, block, out);
  lab_run run = {.job.kernel = lab->kernel};
  run.task.job = &run.job;
  run.task.problem.kernel = lab->kernel;
  if (in) {
    run.task.array = *in;
    run.task.problem.input = &run.task.array;
  }
  pl_solo solo = {.task = &run.task, .data = data, .out = (char *const *)out};
  plait_err err = prepare(&run, settings, block);
  if (err == PLAIT_OK) err = pl_solo_run(&solo);
  pl_solo_stop(&solo);
  pl_aside_free(&run.task);
  pl_params_free(&run.job.params, &run.keep);
  return err;
}
