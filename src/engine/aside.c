// SPDX-License-Identifier: BSD-3-Clause
//
// What a kernel has beside its input: small arrays that every rank holds whole (given centres,
// labels of a training set), and, for a kernel without input, the array that stands for its space.
// Every rank reads the files by itself: they are small, and a broadcast would be one more way.
#include "base/mem.h"
#include "base/raise.h"
#include "base/text.h"
#include "engine/task.h"
#include <string.h>

plait_err pl_aside_read(const char *spec, plait_aside *aside) {
  plait_err err = PLAIT_OK;
  pl_dataset *file = NULL;
  void *data = NULL, *raw = NULL;
  plait_raise raise = {0};
  TRY(pl_dataset_open(spec, &file));
  pl_box box = {.ndim = file->meta.ndim};
  memcpy(box.n, file->meta.shape, sizeof box.n);
  plait_block block = pl_block_over(NULL, file->meta.type, &box, NULL);
  GUARD(pl_alloc(pl_block_bytes(file->meta.type, &box, NULL), 1, &data));
  GUARD(pl_alloc(pl_dataset_raw_bytes(file, box.n), 1, &raw));
  block.data = data;
  GUARD(pl_dataset_fetch(file, &box, raw, &block));
  pl_dataset_decode(file, &box, raw, &block, &raise);
  GUARD(pl_raised(&raise));
  *aside = (plait_aside){.type = file->meta.type, .ndim = box.ndim, .data = data};
  memcpy(aside->shape, box.n, sizeof aside->shape);
  data = NULL;
done:
  pl_free(&raw);
  pl_free(&data);
  pl_dataset_close(&file);
  return err;
}

static plait_err load_named(const plait_plan *plan, int i, plait_aside *aside) {
  if (!plan->aside_var[i][0]) return pl_aside_read(plan->aside[i], aside);
  pl_text spec = {0};
  pl_text_add(&spec, "%s:%s", plan->aside[i], plan->aside_var[i]);
  plait_err err =
      spec.failed ? plait_fail(PLAIT_MEMORY, "out of memory") : pl_aside_read(spec.at, aside);
  pl_text_free(&spec);
  return err;
}

static plait_err load_new(pl_task *task, bool *any) {
  *any = false;
  for (int i = 0; i < PLAIT_ASIDES; i++) {
    const char *file = task->plan.aside[i];
    if (!file || !file[0] || task->aside[i].ndim > 0) continue;
    TRY(load_named(&task->plan, i, &task->aside[i]));
    *any = true;
  }
  return PLAIT_OK;
}

plait_err pl_task_plan(pl_task *task) {
  const plait_kernel *kernel = task->job->kernel;
  const void *params = task->job->params;
  bool any = true;
  task->problem.kernel = kernel;
  kernel->plan(&task->problem, params, &task->plan);
  for (;;) {
    TRY(load_new(task, &any));
    if (!any) return PLAIT_OK;
    task->problem.aside = task->aside;
    const char *why = kernel->check ? kernel->check(&task->problem, params) : NULL;
    if (why) return pl_job_refuse(task->job, why, PLAIT_INPUT);
    task->plan = (plait_plan){0};
    kernel->plan(&task->problem, params, &task->plan);
  }
}

size_t pl_aside_bytes(const pl_task *task) {
  size_t bytes = 0;
  for (int i = 0; i < PLAIT_ASIDES; i++) {
    size_t cells = task->aside[i].ndim > 0 ? plait_type_size(task->aside[i].type) : 0;
    for (int d = 0; d < task->aside[i].ndim; d++) cells *= (size_t)task->aside[i].shape[d];
    bytes += cells;
  }
  return bytes;
}

void pl_aside_free(pl_task *task) {
  for (int i = 0; i < PLAIT_ASIDES; i++) pl_free(&task->aside[i].data);
}

void pl_space_array(const plait_plan *plan, plait_array *array) {
  *array = (plait_array){.name = "", .units = "", .type = PLAIT_F64, .ndim = plan->space_ndim};
  for (int d = 0; d < PLAIT_DIMS; d++) {
    array->shape[d] = plan->space[d];
    array->dims[d] = array->coord_units[d] = "";
  }
}
