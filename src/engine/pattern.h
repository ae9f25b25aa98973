// SPDX-License-Identifier: BSD-3-Clause
//
// Between task.c and the patterns: what a pattern gets to run with.
#ifndef PL_PATTERN_H
#define PL_PATTERN_H
#include "engine/schedule.h"
#include "engine/task.h"

typedef struct pl_stage { // one run of a pattern on this rank; everything *borrowed*
  pl_comm *comm;
  pl_task *task;
  const pl_placement *placement;
  const pl_progress *progress; // may be NULL
  pl_output *output;
  pl_meter *meter;   // this rank's
  double start;      // pl_now() when the pattern began
  double last;       // when progress was counted last
  int64_t uncounted; // units finished here since
} pl_stage;

typedef struct pl_scratch { // per-thread scratch and the calls that carry it
  int threads;
  plait_call *calls; // one per thread
  char *memory;
} pl_scratch;

plait_err pl_map_run(pl_stage *stage);    // Collective; agrees at its end
plait_err pl_reduce_run(pl_stage *stage); // Collective; agrees at its end
plait_err pl_evolve_run(pl_stage *stage); // Collective; agrees at its end

size_t pl_scratch_bytes(const pl_task *task); // per thread
size_t pl_partial_bytes(const pl_task *task); // reduce: of a partial of the largest tile
plait_err pl_scratch_start(const pl_task *task, int threads, plait_raise *raise,
                           pl_scratch *scratch);
void pl_scratch_stop(pl_scratch *scratch);

// PLAIT_STOPPED when a signal asked this rank to stop; called before a claim, so that what was
// claimed is finished. The scheduler then tells the other ranks.
plait_err pl_stage_check_stop(const pl_stage *stage);
// Counts finished units on rank 0 and tells the progress there. Strand that owns the results.
plait_err pl_stage_done(pl_stage *stage, pl_scheduler *scheduler, int64_t units, int64_t total);
// Rank 0, after its own strands ended: goes on telling the progress until all units are done.
void pl_stage_drain(pl_stage *stage, pl_scheduler *scheduler, int64_t total);
#endif
