// SPDX-License-Identifier: BSD-3-Clause
//
// The evolve pattern: from an opened job to a march with outputs.
#ifndef PL_EVOLVE_H
#define PL_EVOLVE_H
#include "engine/checkpoint.h"
#include "engine/evolve_sums.h"
#include "engine/gauge.h"
#include "engine/pattern.h"
#include "engine/snapshot.h"

typedef struct pl_evolve {
  pl_task *task;
  pl_march march;
  double *coord[PL_AXES]; // of the cells along each axis; *owned*
  double limit;           // largest stable step [s]; INFINITY: the kernel knows none
  int64_t steps, every;   // in all; between snapshots (0: only the last state)
  int64_t nsnapshots;
  pl_gauges gauges;
  pl_snapshots snapshots;
  double *sums;          // [nsnapshots, ndiagnoses], filled on rank 0; *owned*; NULL: not kept
  pl_sums block_sums;    // what they are made of
  pl_checkpoints *store; // of a run whose output keeps anything; *owned*
  int64_t resumed;       // steps that an earlier run did
  int var_sum, var_maximum, var_arrival, var_gauge; // in the layout; -1: not kept
} pl_evolve;

// Plans, decomposes, reads the fields, finds step and outputs, makes the layout. Collective.
plait_err pl_evolve_open(pl_comm *comm, pl_task *task, int local_size, int threads);
// Second half of opening: initial state, gauges, layout, output check. Collective.
plait_err pl_evolve_prepare(pl_comm *comm, pl_task *task);
void pl_evolve_close(pl_evolve **evolve);
plait_err pl_evolve_load(pl_evolve *evolve);   // evolve_load.c: fields from files
plait_err pl_evolve_layout(pl_evolve *evolve); // evolve_layout.c: task->layout
// Raises what is not finite in this thread's share of the state; the message says that the state
// was looked at after step `looked`. Team function. evolve_finite.c
void pl_evolve_check_finite(pl_march *march, int64_t looked, int thread);
// PLAIT_OUTPUT: the table of the gauges is there already, and may not be replaced; its directory
// cannot be written. evolve_store.c
plait_err pl_evolve_check_gauges(const pl_evolve *evolve);
plait_err pl_evolve_store_rest(pl_evolve *evolve, pl_output *output); // evolve_store.c
// Says in the log, and in `warning` for the report, what a user should know about the result:
// gauges that lie elsewhere than the job says. On rank 0; elsewhere nothing. evolve_store.c
void pl_evolve_warn(const pl_evolve *evolve, char *warning, size_t room);
// plait_lab.apply for evolve kernels (evolve_lab.c).
plait_err pl_evolve_lab(const plait_lab *lab, const char *settings, const plait_array *in,
                        const void *data, const int64_t *block, void *const out[]);
// evolve_resume.c. What an earlier run left: fills task->resume (`blocks` are steps) and store.
// Collective. Errors as pl_resume_find.
plait_err pl_evolve_find(pl_evolve *evolve);
// With NAME.partial open again: whether it holds the snapshots that the checkpoint builds upon; if
// so, takes up the state. Collective. PLAIT_OUTPUT: it does not, and nothing was touched.
plait_err pl_evolve_take_up(pl_evolve *evolve, pl_output *output);
plait_err pl_evolve_forget(pl_evolve *evolve); // begins at step 0 after all. Collective.
// The snapshot that is taken after `step` steps; -1 none.
int64_t pl_evolve_snapshot_at(const pl_evolve *evolve, int64_t step);
int64_t pl_evolve_step_of(const pl_evolve *evolve, int64_t snapshot); // its step
#endif
