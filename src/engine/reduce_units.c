// SPDX-License-Identifier: BSD-3-Clause
//
// See reduce_units.h.
#include "engine/reduce_units.h"

static int64_t runs_per_tile(const pl_task *task) {
  return (task->cut.nreds + task->run_blocks - 1) / task->run_blocks;
}

// First block of unit u. Consecutive units are consecutive blocks.
static int64_t unit_start(const pl_task *task, int64_t unit) {
  int64_t runs = runs_per_tile(task);
  return unit / runs * task->cut.nreds + unit % runs * task->run_blocks;
}

// Units of a pass: all, or as many as hold the blocks of a sample.
static int64_t units_of_pass(const pl_task *task) {
  int64_t units = task->cut.ntiles * runs_per_tile(task);
  int64_t sample = pl_task_sample(task, task->cut.nblocks);
  while (units > 1 && unit_start(task, units - 1) >= sample) units--;
  return units;
}

int64_t pl_units_blocks(const pl_task *task) {
  return unit_start(task, units_of_pass(task));
}

static bool unit_left(const void *context, int64_t unit) {
  const pl_task *task = context;
  int64_t block = unit_start(task, unit), next = unit_start(task, unit + 1);
  for (; block < next; block++)
    if (!pl_resume_done(&task->resume, block)) return true;
  return false;
}

plait_err pl_units_begin(pl_units *u, pl_stage *stage, int pass) {
  const pl_task *task = stage->task;
  int64_t units = units_of_pass(task);
  bool first = pass == task->resume.journal.pass;
  pl_remaining_free(&u->remaining);
  *u = (pl_units){.remaining.total = units};
  stage->resumed = first ? task->resume.blocks : 0;
  if (!first || !task->resume.done) return PLAIT_OK;
  return pl_remaining_make(units, unit_left, task, &u->remaining);
}

static bool block_done(const pl_units *u, const pl_task *task, int64_t block) {
  return u->remaining.n > 0 && pl_resume_done(&task->resume, block);
}

static plait_err claim(pl_units *u, pl_stage *stage, pl_scheduler *scheduler) {
  int64_t count, first;
  bool stolen = false, stops;
  if (u->unit == u->units) {
    TRY(pl_stage_stops(stage, scheduler, &stops));
    if (stops) return PLAIT_OK;
    TRY(pl_schedule_next(scheduler, &u->unit, &count, &stolen));
    u->units = u->unit + count;
  }
  if (u->unit == u->units) return PLAIT_OK;
  pl_remaining_piece(&u->remaining, u->unit, u->units - u->unit, &first, &count);
  u->unit += count;
  u->at = unit_start(stage->task, first);
  u->end = unit_start(stage->task, first + count);
  if (stolen) stage->meter->stolen += u->end - u->at;
  return PLAIT_OK;
}

plait_err pl_units_next(pl_units *u, pl_stage *stage, pl_scheduler *scheduler, int64_t *first,
                        int64_t *n) {
  const pl_task *task = stage->task;
  *n = 0;
  for (;;) {
    while (u->at < u->end && block_done(u, task, u->at)) u->at++;
    if (u->at < u->end) break;
    TRY(claim(u, stage, scheduler));
    if (u->at == u->end) return PLAIT_OK;
  }
  *first = u->at;
  while (*n < task->batch && u->at < u->end && !block_done(u, task, u->at)) {
    u->at++;
    (*n)++;
  }
  return PLAIT_OK;
}
