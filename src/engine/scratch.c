// SPDX-License-Identifier: BSD-3-Clause
//
// What a pattern hands to each thread of the team with every call of a kernel.
#include "base/mem.h"
#include "base/raise.h"
#include "engine/pattern.h"

size_t pl_scratch_bytes(const pl_task *task) {
  int64_t extent[PLAIT_DIMS], cells = 1;
  pl_cut_largest(&task->cut, extent);
  for (int d = 0; d < task->cut.ndim; d++) cells *= extent[d] + 2 * task->plan.halo[d];
  size_t bytes = task->plan.scratch_bytes + task->plan.scratch_per_cell * (size_t)cells;
  return (bytes + 63) / 64 * 64;
}

plait_err pl_scratch_start(const pl_task *task, int threads, plait_raise *raise,
                           pl_scratch *scratch) {
  size_t each = pl_scratch_bytes(task);
  size_t all = each * (size_t)threads + task->plan.shared_bytes; // fits: counted by size.c
  if (scratch->threads != threads || scratch->room < all) {
    pl_scratch_stop(scratch);
    TRY(pl_calloc((size_t)threads, sizeof *scratch->calls, &scratch->calls));
    TRY(pl_alloc(all, 1, &scratch->memory));
    scratch->threads = threads;
    scratch->room = all;
  }
  for (int t = 0; t < threads; t++)
    scratch->calls[t] = (plait_call){.problem = &task->problem,
                                     .plan = &task->plan,
                                     .params = task->job->params,
                                     .scratch = scratch->memory + (size_t)t * each,
                                     .shared = scratch->memory + (size_t)threads * each,
                                     .aside = task->aside,
                                     .thread = t,
                                     .threads = threads,
                                     .raise = raise};
  return PLAIT_OK;
}

void pl_scratch_stop(pl_scratch *scratch) {
  pl_free(&scratch->calls);
  pl_free(&scratch->memory);
  scratch->threads = 0;
  scratch->room = 0;
}
