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
// stands two disturbed turns of five.
#include "base/clock.h"
#include "command/plan.h"
#include "engine/probe.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS = 5, ONE = 0, TEAM, BESIDE, FIRST, FIRST_TEAM, RANKS, CROWD, FIRST_RANKS, KINDS };
static const double sample_seconds = 0.5;

// ---- trials ---------------------------------------------------------------------------------
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

// Of the middle turns: a median does not see the others.
static void note_spread(const pl_trial runs[TURNS], double *spread) {
  double middle = fmax(runs[TURNS / 2].inside, 1e-9);
  *spread = fmax(*spread, (runs[TURNS / 2 + 1].inside - runs[TURNS / 2 - 1].inside) / middle);
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

static plait_err run_turns(const pl_trial_job *job, const pl_trial_how how[KINDS],
                           pl_plan_trials *t, pl_trial runs[KINDS][TURNS]) {
  double crowded[TURNS] = {0};
  for (int turn = 0; turn < TURNS; turn++) {
    for (int k = 0; k < KINDS; k++) {
      if (!is_there(t, k)) continue;
      TRY(pl_trial_run(job, &how[k], &runs[k][turn]));
    }
    crowded[turn] = crowding(&runs[CROWD][turn], &runs[RANKS][turn], &runs[FIRST_RANKS][turn]);
    for (int k = 0; k < KINDS; k++)
      if (k != CROWD) take_out_delays(&runs[k][turn], how[k].layout.threads);
  }
  qsort(crowded, TURNS, sizeof *crowded, by_value);
  t->crowded = crowded[TURNS / 2];
  return PLAIT_OK;
}

static plait_err run_trials(const pl_trial_job *job, const pl_plan *plan, bool quiet,
                            pl_plan_trials *t) {
  int cores = plan->cores_here;
  pl_trial_how how[KINDS] = {[ONE] = {.layout = {1, 1, 1, cores}},
                             [TEAM] = {.layout = {1, 1, cores, cores}},
                             [BESIDE] = {.layout = {1, 1, cores, cores}, .overlap = true},
                             [FIRST] = {.layout = {1, 1, 1, cores}},
                             [FIRST_TEAM] = {.layout = {1, 1, cores, cores}},
                             [RANKS] = {.layout = {1, cores, 1, cores}},
                             [CROWD] = {.layout = {1, 2 * cores, 1, cores}},
                             [FIRST_RANKS] = {.layout = {1, cores, 1, cores}}};
  pl_trial *const medians[KINDS] = {&t->one,        &t->team,  &t->beside, &t->first,
                                    &t->first_team, &t->ranks, &t->crowd,  &t->first_ranks};
  pl_trial runs[KINDS][TURNS] = {{{0}}};
  int64_t sample = 0;
  t->has_team = cores > 1;
  t->has_ranks = cores > 1 && plan->with_ranks;
  if (!quiet) fprintf(stderr, "plait: plan: measuring a sample of the job, once\n");
  TRY(pl_trial_calibrate(job, &how[ONE].layout, sample_seconds, &sample, &t->one));
  for (int k = 0; k < KINDS; k++) how[k].sample = is_first(k) ? 1 : sample;
  TRY(run_turns(job, how, t, runs));
  for (int k = 0; k < KINDS; k++) {
    if (!is_there(t, k)) continue;
    qsort(runs[k], TURNS, sizeof **runs, by_inside);
    *medians[k] = runs[k][TURNS / 2];
    if (!is_first(k)) note_spread(runs[k], &t->spread);
  }
  return PLAIT_OK;
}

// ---- keeping --------------------------------------------------------------------------------
static int list_of(pl_plan *p, pl_measured list[32]) {
  pl_load *l = &p->load;
  const pl_measured all[] = {{"compute", l->compute},
                             {"sharing", l->sharing},
                             {"team", l->team},
                             {"crowding", l->crowding},
                             {"read", l->read},
                             {"write", l->write},
                             {"io_cpu", l->io_cpu},
                             {"units", l->units},
                             {"pieces", l->pieces},
                             {"messages", l->messages},
                             {"message_bytes", l->message_bytes},
                             {"start_one", l->start_one},
                             {"start_ranks", l->start_ranks},
                             {"start_more", l->start_more},
                             {"storage_bytes", l->storage_bytes},
                             {"storage_rate", l->storage_rate},
                             {"exposed", l->exposed},
                             {"team_reads", l->team_reads},
                             {"memory_fixed", l->memory_fixed},
                             {"memory_thread", l->memory_thread},
                             {"memory_shared", l->memory_shared},
                             {"spread", l->spread},
                             {"cells_rate", p->cells_rate},
                             {"flops_per_cell", p->flops_per_cell}};
  memcpy(list, all, sizeof all);
  return (int)(sizeof all / sizeof *all);
}

static void take_list(const pl_measured list[], pl_plan *p) {
  pl_load *l = &p->load;
  double *const to[] = {&l->compute,       &l->sharing,    &l->team,          &l->crowding,
                        &l->read,          &l->write,      &l->io_cpu,        &l->units,
                        &l->pieces,        &l->messages,   &l->message_bytes, &l->start_one,
                        &l->start_ranks,   &l->start_more, &l->storage_bytes, &l->storage_rate,
                        &l->exposed,       &l->team_reads, &l->memory_fixed,  &l->memory_thread,
                        &l->memory_shared, &l->spread,     &p->cells_rate,    &p->flops_per_cell};
  for (size_t i = 0; i < sizeof to / sizeof *to; i++) *to[i] = list[i].value;
}

bool pl_plan_recall(const char *key, pl_plan *plan) {
  pl_measured list[32];
  int n = list_of(plan, list);
  plan->load.cores = plan->cores_here;
  if (!pl_probe_recall(key, list, n)) return false;
  take_list(list, plan);
  return true;
}

static void measure_storage(const char *output, pl_load *load) {
  enum { BYTES = 64 << 20 };
  pl_storage_facts storage;
  char dir[4096];
  if (!strncmp(output, "null:", 5)) return;
  snprintf(dir, sizeof dir, "%s", output);
  char *slash = strrchr(dir, '/');
  if (!slash) return;
  *slash = 0;
  pl_probe_storage(dir, BYTES, &storage);
  load->storage_rate = storage.rate;
}

plait_err pl_plan_measure(const pl_trial_job *job, const char *key, bool again, bool quiet,
                          pl_plan *plan) {
  pl_measured list[32];
  plan->recalled = !again && pl_plan_recall(key, plan);
  if (plan->recalled) return PLAIT_OK;
  pl_plan_trials t = {.spread = 0};
  TRY(run_trials(job, plan, quiet, &t));
  pl_plan_load(&t, plan->cores_here, &plan->load);
  measure_storage(job->output, &plan->load);
  plan->cells_rate = t.one.compute > 0 ? (double)t.one.cells / t.one.compute : 0;
  plan->flops_per_cell = fmax(t.one.flops_per_cell, 0);
  pl_probe_keep(key, list, list_of(plan, list));
  return PLAIT_OK;
}
