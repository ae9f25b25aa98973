// SPDX-License-Identifier: BSD-3-Clause
//
// What the files of a study share.
#ifndef PL_STUDY_INSIDE_H
#define PL_STUDY_INSIDE_H
#include "engine/lock.h"
#include "engine/pattern.h"
#include "engine/study.h"
#include "engine/study_columns.h"
#include "engine/study_rows.h"
#include <pthread.h>
#include <stdatomic.h>

struct pl_study {
  pl_comm *comm;
  pl_job *job;
  const pl_vary *vary;
  pl_task first;  // combination 0: input, array, plan, cut; its own parameters are the job's
  char *data;     // the input in memory, as a kernel sees it; *owned*; NULL: none
  int64_t budget; // bytes of a rank
  int threads, local_size; // of this rank; ranks of its node
  bool in_memory;
  bool pattern;      // each combination keeps an output of its own
  int group;         // ranks of a combination
  char *table, *csv; // files of the result; *owned*; csv: NULL when the table is CSV
  bool is_csv;       // the table itself is
  int64_t blocks_each, bytes_each, written_each; // second road: of combination 0
  pl_columns columns;
  int64_t refused;
  char refusal[PL_MESSAGE_BYTES];
  // an earlier run
  bool found, finished;
  char *identity;
  uint64_t id;
  int64_t end;   // of its journal
  uint8_t *done; // a bit per combination; *owned*
  int64_t resumed;
  // this run
  pl_rows rows;
  pl_remaining remaining;
  pl_lock *lock;
  pl_stage stage; // of the scheduler's side: progress, stopping, watchdog
  pl_scheduler *scheduler;
  pthread_mutex_t mutex;        // guards rows and everything below
  atomic_bool abandoned;        // a combination was left in its middle: the run is to stop
  int64_t claimed, claimed_end; // numbers in `remaining` that this rank has taken
  plait_err error;              // the first that ends the run, and why
  char message[PL_MESSAGE_BYTES];
};

// study_plan.c: columns and refusals of all combinations. Collective.
plait_err pl_study_plan(pl_study *study);
// NULL, or why the kernel refuses: pl_study_set has been called. `task`: with its own job.
const char *pl_study_ask(const pl_study *study, const pl_job *job, pl_task *task);
// One column source per output of a plan.
pl_column_source pl_study_source(const plait_array *input, const plait_output *output);

// study_work.c. Threads: any, under no lock. The next combination, -1: none.
int64_t pl_study_next(pl_study *study);
// A finished row: kept, journaled when it is time, counted. `err`: what the combination ended with.
void pl_study_finished(pl_study *study, const pl_row *row, plait_err err);
void pl_study_fail(pl_study *study, plait_err err); // ends the run for all, under the mutex
void pl_study_note(pl_study *study, plait_err err); // the first error of this rank stays
plait_err pl_study_compute(pl_study *study, const pl_placement *placement); // the first road
// study_runs.c: the second road. Collective.
plait_err pl_study_runs(pl_study *study, const pl_placement *placement);
plait_err pl_study_output_name(const pl_study *study, int64_t number, char **name);
plait_err
pl_study_check_names(const pl_study *study); // that no two are the same, none is in the way
// Opens combination 0 as a run and closes it again: what it takes, and of an evolve kernel the
// columns. Collective.
plait_err pl_study_probe(pl_study *study);
bool pl_study_varies(const pl_study *study, pl_vary_place place); // something of that place
int64_t pl_study_input_bytes(const pl_study *study);              // as a kernel sees it; 0: none

// study_table.c, study_csv.c: rank 0 has all rows.
plait_err pl_study_layout(const pl_study *study, pl_layout *layout);
plait_err pl_study_csv(const pl_study *study, const char *path, bool force);
// Name of the column of an axis: "strike", or "params.strike" when a result is called so.
const char *pl_study_axis_name(const pl_study *study, int axis);
#endif
