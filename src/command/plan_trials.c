// SPDX-License-Identifier: BSD-3-Clause
//
// What the model needs, from eight kinds of trials of one sample, in turn and five times each:
//   one     1 x 1, nothing side by side: time to compute, read and write by itself
//   team    1 x all cores, nothing side by side: what sharing the memory and the team cost
//   beside  1 x all cores with overlap: how much of the shorter strands it does not hide
//   ranks   all cores x 1, nothing side by side: sharing without a team; messages; launching
//   crowd   twice as many ranks as cores: what taking turns costs; launching more of them
//   first   one, team and ranks with a single unit: what a run does once
// The sample takes half a second with one thread, so all of it some twenty seconds, once. Five
// short turns in place of few long ones: what disturbs a machine lasts for seconds, and a median
// stands two disturbed turns of five. A busy machine, or a job of long units, takes longer: then
// there are as many turns as the limit allows, one at least.
#include "base/clock.h"
#include "command/plan.h"
#include "command/progress.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  TURNS = PL_PLAN_TURNS,
  ONE = 0,
  TEAM,
  BESIDE,
  FIRST,
  FIRST_TEAM,
  RANKS,
  CROWD,
  FIRST_RANKS,
  KINDS
};
static const double sample_seconds = 0.5;
static const double unknown_spread = 0.2; // of a single turn

// The trial as it would have been without other programs: the kernel counts how long threads had
// work but no core (a trial never has more threads than cores), and one without stops its team.
static void take_out_delays(pl_trial *t, int threads) {
  double lost = fmin(fmax(t->waited, 0), threads * fmax(t->delayed, 0));
  double gone = lost * fmax(t->compute, 0);
  t->comm = fmax(t->comm - fmax(t->delayed * t->compute, 0), 0); // waiting for a delayed one
  t->compute -= gone;
  t->inside -= gone;
}

static int by_inside(const void *a, const void *b) {
  double x = ((const pl_trial *)a)->inside, y = ((const pl_trial *)b)->inside;
  return x < y ? -1 : x > y;
}

// Of an even number the lower one: disturbances only ever add.
static int middle_of(int n) {
  return (n - 1) / 2;
}

// Of the middle turns: a median does not see the others.
static void note_spread(const pl_trial runs[TURNS], int n, double *spread) {
  int middle = middle_of(n), low = middle > 0 ? middle - 1 : 0;
  int high = middle + 1 < n ? middle + 1 : n - 1;
  double wide = (runs[high].inside - runs[low].inside) / fmax(runs[middle].inside, 1e-9);
  *spread = fmax(*spread, n > 1 ? wide : unknown_spread);
}

static bool is_first(int kind) {
  return kind == FIRST || kind == FIRST_TEAM || kind == FIRST_RANKS;
}

static bool is_there(const pl_plan_trials *t, int kind) {
  return kind < RANKS || t->has_ranks;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

// Of what grows with the units, as far as a first unit tells it apart.
static double crowding(const pl_trial *crowd, const pl_trial *ranks, const pl_trial *first) {
  double once = fmin(first->inside, 0.5 * ranks->inside);
  return fmax(crowd->inside - once, 0) / fmax(ranks->inside - once, 1e-9);
}

static int kinds_of(const pl_plan_trials *t) {
  int kinds = 0;
  for (int k = 0; k < KINDS; k++) kinds += is_there(t, k);
  return kinds;
}

int pl_plan_turns(int done, double spent, double limit) {
  double fit = spent > 0 ? floor(limit * done / spent) : TURNS;
  if (fit > TURNS) fit = TURNS;
  return fit > done ? (int)fit : done;
}

typedef struct meter { // of the trials: for the bar, and what is left of the limit
  pl_bar bar;
  double begun, limit; // s
  int kinds, done, turns;
} meter;

static void tell(meter *m) {
  pl_bar_tell(&m->bar, m->done, m->turns * m->kinds, 0, pl_now() - m->begun);
}

static plait_err run_turn(const pl_trial_job *job, const pl_trial_how how[KINDS], int turn,
                          meter *m, pl_plan_trials *t, pl_trial runs[KINDS][TURNS]) {
  for (int k = 0; k < KINDS; k++) {
    if (!is_there(t, k)) continue;
    plait_err err = pl_trial_run(job, &how[k], &runs[k][turn]);
    if (err != PLAIT_OK) pl_bar_clear(&m->bar);
    TRY(err);
    m->done++;
    if (k < KINDS - 1) tell(m);
  }
  return PLAIT_OK;
}

static plait_err run_turns(const pl_trial_job *job, const pl_trial_how how[KINDS], meter *m,
                           pl_plan_trials *t, pl_trial runs[KINDS][TURNS]) {
  double crowded[TURNS] = {0};
  for (int turn = 0; turn < m->turns; turn++) {
    TRY(run_turn(job, how, turn, m, t, runs));
    crowded[turn] = crowding(&runs[CROWD][turn], &runs[RANKS][turn], &runs[FIRST_RANKS][turn]);
    for (int k = 0; k < KINDS; k++)
      if (k != CROWD) take_out_delays(&runs[k][turn], how[k].layout.threads);
    m->turns = pl_plan_turns(turn + 1, pl_now() - m->begun, m->limit);
    tell(m);
  }
  pl_bar_clear(&m->bar);
  qsort(crowded, (size_t)m->turns, sizeof *crowded, by_value);
  t->crowded = crowded[middle_of(m->turns)];
  t->turns = m->turns;
  return PLAIT_OK;
}

static void take_medians(pl_trial runs[KINDS][TURNS], pl_plan_trials *t) {
  pl_trial *const medians[KINDS] = {&t->one,        &t->team,  &t->beside, &t->first,
                                    &t->first_team, &t->ranks, &t->crowd,  &t->first_ranks};
  for (int k = 0; k < KINDS; k++) {
    if (!is_there(t, k)) continue;
    qsort(runs[k], (size_t)t->turns, sizeof **runs, by_inside);
    *medians[k] = runs[k][middle_of(t->turns)];
    if (!is_first(k)) note_spread(runs[k], t->turns, &t->spread);
  }
}

static void start_meter(const pl_plan_effort *effort, double begun, meter *m) {
  *m = (meter){.begun = begun, .limit = effort->seconds, .turns = TURNS};
  pl_bar_start(&m->bar, effort->quiet);
  m->bar.unit = "trials";
  m->bar.pause = 2;
}

plait_err pl_plan_run_trials(const pl_trial_job *job, const pl_plan *plan,
                             const pl_plan_effort *effort, pl_plan_trials *t) {
  int cores = plan->cores_here;
  pl_trial_how how[KINDS] = {[ONE] = {.layout = {1, 1, 1, cores}},
                             [TEAM] = {.layout = {1, 1, cores, cores}},
                             [BESIDE] = {.layout = {1, 1, cores, cores}, .overlap = true},
                             [FIRST] = {.layout = {1, 1, 1, cores}},
                             [FIRST_TEAM] = {.layout = {1, 1, cores, cores}},
                             [RANKS] = {.layout = {1, cores, 1, cores}},
                             [CROWD] = {.layout = {1, 2 * cores, 1, cores}},
                             [FIRST_RANKS] = {.layout = {1, cores, 1, cores}}};
  pl_trial runs[KINDS][TURNS] = {{{0}}};
  int64_t sample = 0;
  meter m;
  start_meter(effort, pl_now(), &m);
  t->has_team = cores > 1;
  t->has_ranks = cores > 1 && plan->with_ranks;
  m.kinds = kinds_of(t);
  if (!effort->quiet)
    fprintf(stderr,
            "plait: plan: measuring a sample of the job, once: for %.3g s at most, or one turn of "
            "trials\n",
            effort->seconds);
  TRY(pl_trial_calibrate(job, &how[ONE].layout, sample_seconds, &sample, &t->one));
  for (int k = 0; k < KINDS; k++) how[k].sample = is_first(k) ? 1 : sample;
  TRY(run_turns(job, how, &m, t, runs));
  take_medians(runs, t);
  return PLAIT_OK;
}
