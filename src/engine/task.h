// SPDX-License-Identifier: BSD-3-Clause
//
// A task: a job whose input is open, planned and cut. `plait check` prints it, `plait run` executes
// it.
#ifndef PL_TASK_H
#define PL_TASK_H
#include "data/dataset.h"
#include "data/output.h"
#include "data/split.h"
#include "engine/job.h"
#include "engine/report.h"
#include "engine/resume.h"
#include "host/comm.h"
#include "host/placement.h"

typedef struct pl_task {
  pl_job *job;       // *borrowed*
  pl_dataset *input; // NULL when the pattern needs none
  plait_array array;
  plait_problem problem;
  plait_aside aside[PLAIT_ASIDES]; // whole arrays beside the input; data *owned*
  plait_plan plan;
  pl_cut cut;
  pl_layout layout;
  int64_t budget;        // bytes per rank
  int64_t needed;        // bytes per rank that the engine must allocate at its peak
  int64_t kept;          // and those that it may, for blocks that stay between passes
  int64_t bytes_read;    // of the whole job (halos of map blocks are read more than once)
  int64_t bytes_fetched; // the same from storage, if its pages do not stay in memory between blocks
  int64_t bytes_written;
  int slots, out_slots;     // batches in flight per rank: being read or computed, being written
  int batch;                // blocks claimed and handed over at once; 1 unless blocks are tiny
  int out_batch;            // sets of outputs in an output slot: batch for a map, 1 for a reduce
  struct pl_evolve *evolve; // evolve: its march; *owned*
  pl_resume resume;         // what an earlier run left
  struct pl_lock *lock;     // on the output, rank 0
  int64_t run_blocks;       // reduce: blocks claimed at once, a run inside a tile, a power of 2
  bool resident;            // reduce in steps: all rows of a rank stay in memory
} pl_task;

// As many of `all` units (blocks, steps) as this run is to do: job->sample of them, or all.
static inline int64_t pl_task_sample(const pl_task *task, int64_t all) {
  return task->job->sample > 0 && task->job->sample < all ? task->job->sample : all;
}

// Opens, binds, plans, cuts, and checks the memory (PLAIT_JOB with the smallest budget that would
// do) and the output. Every rank does it by itself; pl_task_open agrees at its end. Collective.
// `local_size`: ranks on this node share its memory; `threads`: the team of this rank.
plait_err pl_task_open(pl_comm *comm, pl_job *job, int local_size, int threads, pl_task **task);
void pl_task_close(pl_task **task);

typedef struct pl_progress { // called on rank 0 a few times a second, from one strand at a time
  void (*tell)(void *data, int64_t done, int64_t total, int64_t bytes, double seconds);
  void (*pass)(void *data, int pass); // from now on `done` counts in this pass (1 is the second)
  void (*before)(void *data, int64_t blocks); // of `done`, by an earlier run; NULL, not called: 0
  void *data;
} pl_progress;

// Runs it under its pattern. Collective. *report is filled on rank 0 (on error too, as far as
// known).
plait_err pl_task_run(pl_comm *comm, pl_task *task, const pl_placement *placement,
                      const pl_progress *progress, pl_report *report);

// The box of output `out` that a tile (map: a block) gives; axes of the kernel's own are whole.
void pl_output_box(const plait_output *out, const pl_box *tile, pl_box *box);
// Reduce: a tile, and the block without data that stands for it: reduced axes have extent 1.
void pl_tile_block(const pl_task *task, int64_t tile, pl_box *box, plait_block *block);

// The array that stands for the space of a kernel without input: cells of 8 bytes (so that blocks
// are cut like those of a file), without data.
void pl_space_array(const plait_plan *plan, plait_array *array);

// Plans, reads what the plan names beside the input, checks and plans again with that, until
// nothing is named anew. PLAIT_INPUT, PLAIT_MEMORY; what check says with the files read is
// PLAIT_INPUT.
plait_err pl_task_plan(pl_task *task);
// A whole array; aside->data is *owned by the caller* (pl_free). One strand at a time.
plait_err pl_aside_read(const char *spec, plait_aside *aside);
size_t pl_aside_bytes(const pl_task *task);
void pl_aside_free(pl_task *task);

// Runs a kernel in memory (plait_lab.apply); one process.
plait_err pl_lab_apply(const plait_lab *lab, const char *settings, const plait_array *in,
                       const void *data, const int64_t *block, void *const out[]);
#endif
