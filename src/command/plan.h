// SPDX-License-Identifier: BSD-3-Clause
//
// What `plait plan` knows, between measuring, choosing and showing.
#ifndef PL_PLAN_H
#define PL_PLAN_H
#include "command/trial.h"
#include "engine/job.h"

enum { PL_PLAN_LAYOUTS = 64, PL_PLAN_TURNS = 5 };

typedef struct pl_plan_wish { // what the command line asks for; 0: not said
  int nodes, cores;
  int64_t memory; // bytes of a node
  double seconds; // the run must end within
} pl_plan_wish;

typedef struct pl_plan_row {
  pl_layout_try layout;
  pl_forecast forecast;
  bool fits;    // its ranks' memory into the node
  bool as_good; // fits, and what was measured does not tell it from the fastest
} pl_plan_row;

typedef struct pl_plan {
  const char *job, *kernel, *unit;
  int noverrides;
  const char *const *overrides;
  pl_plan_wish wish;
  char cpu[128];
  int cores_here;
  bool with_ranks;
  const char *missing; // why ranks could not be measured
  bool recalled;       // measured by an earlier call
  int turns;           // that were measured by this one
  pl_load load;
  double cells_rate;     // cells/s of one thread
  double flops_per_cell; // declared
  int n, asked;          // rows; the first `asked` were asked for by --layout
  pl_plan_row row[PL_PLAN_LAYOUTS];
  int best; // the row to take: of those that are as good the first; -1: none fits
  bool in_time;
} pl_plan;

// What `plait plan` measured of this job on this machine before, for nodes of `cores`, with the
// layout to recommend; nothing is run. *out, *owned*, is NULL when it never was measured.
plait_err pl_plan_known(const pl_job *job, int nodes, int cores, pl_plan **out);
// A row for this layout, asked for. Pure.
void pl_plan_ask(pl_plan *plan, int ranks, int threads);
// Fills load and rates from what an earlier call kept under this key; false: it kept nothing.
bool pl_plan_recall(const char *key, pl_plan *plan);
typedef struct pl_plan_effort {
  bool again, quiet; // whatever is kept from earlier; without a word on stderr
  double seconds;    // to spend, unless a single turn of trials takes longer
} pl_plan_effort;
// Runs trials, or recalls what earlier ones gave; fills load and rates.
plait_err pl_plan_measure(const pl_trial_job *job, const char *key, const pl_plan_effort *effort,
                          pl_plan *plan);
// From trials of a sample to the load of the whole job, whose pattern and stepwise are set. t: see
// plan_trials.c. Pure.
typedef struct pl_plan_trials {
  pl_trial one, team, beside, ranks, crowd, first, first_team, first_ranks; // medians
  bool has_team, has_ranks;
  double crowded; // what grows of crowd.inside / of ranks.inside, in the same turn
  double spread;
  int turns;
} pl_plan_trials;
// How many turns there will be when the first `done` of them took `spent` s. Pure.
int pl_plan_turns(int done, double spent, double limit);
plait_err pl_plan_run_trials(const pl_trial_job *job, const pl_plan *plan,
                             const pl_plan_effort *effort, pl_plan_trials *t);
void pl_plan_load(const pl_plan_trials *t, int cores, pl_load *load);
// Fills the rows behind the asked ones and chooses. Pure.
void pl_plan_choose(pl_plan *plan);
void pl_plan_text(const pl_plan *plan, pl_text *out);
void pl_plan_json(const pl_plan *plan, pl_json *out);
#endif
