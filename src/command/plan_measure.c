// SPDX-License-Identifier: BSD-3-Clause
//
// What the model needs, from five kinds of trials of one sample, in turn and three times each:
//   one     1 x 1, nothing side by side: time to compute, read and write by itself
//   team    1 x all cores, nothing side by side: what sharing the memory and the team cost
//   beside  1 x all cores with overlap: how well it works here, against the model
//   ranks   all cores x 1, nothing side by side: sharing without a team; messages; launching
//   more    twice as many ranks, hardly any work: launching more of them
// The sample takes about a second with one thread, so all of it some fifteen seconds, once.
#include "base/clock.h"
#include "base/hash.h"
#include "command/plan.h"
#include "engine/probe.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS = 3, ONE = 0, TEAM, BESIDE, RANKS, KINDS };
static const double sample_seconds = 0.8;

// ---- from trials to a load ------------------------------------------------------------------
static double at_least(double value, double least) {
  return value > least ? value : least; // NaN becomes the least
}

// CPU of a rank's reading and writing: all of the process but the team's.
static double io_cpu(const pl_trial *t) {
  return fmin(at_least(t->cpu_inside - t->team_cpu, 0), at_least(t->read + t->write, 0));
}

static void load_memory(const pl_plan_trials *t, int cores, pl_load *load) {
  double one = (double)t->one.peak_rank, more = (double)t->beside.peak_rank;
  if (t->has_team) load->memory_thread = at_least((more - one) / (cores - 1), 0);
  if (t->has_ranks && load->pattern == PLAIT_EVOLVE)
    load->memory_shared = at_least((one - (double)t->ranks.peak_rank) * cores / (cores - 1), 0);
  load->memory_fixed = at_least(one - load->memory_thread - load->memory_shared, 0);
}

static void load_start(const pl_plan_trials *t, int cores, pl_load *load) {
  load->start_one = t->one.start;
  load->start_ranks = t->one.start;
  if (!t->has_ranks) return;
  load->start_more = at_least((t->more.start - t->ranks.start) / cores, 0);
  load->start_ranks = at_least(t->ranks.start - load->start_more * (cores - 2), load->start_one);
}

static void load_sharing(const pl_plan_trials *t, int cores, pl_load *load) {
  double one = at_least(t->one.compute, 1e-9);
  load->sharing = load->team = 1;
  if (!t->has_team) return;
  double of_team = t->team.compute * cores / one;
  double of_ranks = t->has_ranks ? t->ranks.compute * cores / one : of_team;
  load->sharing = at_least(of_ranks, 1);
  load->team = fmin(fmax(of_team / load->sharing, 0.7), 3);
}

// How far the model is off for the trial with overlap, all else being measured.
static double overlap_factor(const pl_plan_trials *t, int cores, double scale,
                             const pl_load *whole) {
  pl_load sample = *whole;
  pl_layout_try layout = {1, 1, cores, cores};
  pl_forecast f;
  sample.storage_rate = 0; // a trial does not wait for the disk
  sample.units /= scale;
  sample.compute /= scale;
  sample.read /= scale;
  sample.write = t->one.write;
  sample.io_cpu = io_cpu(&t->one);
  sample.overlap = 1;
  pl_model_forecast(&sample, &layout, &f);
  double inside = f.wall - f.start;
  return inside > 0 ? fmin(fmax(t->beside.inside / inside, 0.8), 2) : 1;
}

// What is written does not grow with the steps: a sample of an evolve job has its first snapshot, a
// pass of a reduction nothing. The report says what the whole job writes.
static void load_output(const pl_trial *one, double scale, pl_load *load) {
  double written = (double)one->bytes_written, all = (double)one->output_bytes;
  double grows = written > 0 && all > 0 ? all / written : scale;
  double busy = at_least(one->read + one->write, 1e-12);
  load->write = one->write * grows;
  load->io_cpu = io_cpu(one) * (one->read * scale + one->write * grows) / busy;
  load->storage_bytes = all > 0 ? all : written * scale;
}

void pl_plan_load(const pl_plan_trials *t, plait_pattern pattern, int cores, pl_load *load) {
  double done = (double)t->one.units, all = (double)t->one.units_total;
  double scale = done > 0 && all > done ? all / done : 1;
  *load = (pl_load){.pattern = pattern, .cores = cores, .spread = t->spread};
  load->units = done * scale;
  load->compute = t->one.compute * scale;
  load->read = t->one.read * scale;
  load_output(&t->one, scale, load);
  load_sharing(t, cores, load);
  load_start(t, cores, load);
  load_memory(t, cores, load);
  if (t->has_ranks) { // of all ranks here; the model wants it for two
    double often = pattern == PLAIT_REDUCE ? 1 : scale;
    double levels = pattern == PLAIT_REDUCE ? ceil(log2(cores)) : 1;
    load->messages = at_least(t->ranks.comm, 0) * often / levels;
    load->message_bytes = (double)t->ranks.bytes_sent * often * 2 / cores;
  }
  load->overlap = overlap_factor(t, cores, scale, load);
}

// ---- trials ---------------------------------------------------------------------------------
// The trial as it would have been without other programs: the kernel counts how long threads had
// work but no core (a trial never has more threads than cores), and one without stops its team.
static void take_out_delays(pl_trial *t, int threads) {
  double lost = fmin(at_least(t->waited, 0), threads * at_least(t->delayed, 0));
  double gone = lost * at_least(t->compute, 0);
  t->comm =
      at_least(t->comm - at_least(t->delayed * t->compute, 0), 0); // waiting for a delayed one
  t->compute -= gone;
  t->inside -= gone;
}

static int by_inside(const void *a, const void *b) {
  double x = ((const pl_trial *)a)->inside, y = ((const pl_trial *)b)->inside;
  return x < y ? -1 : x > y;
}

static void note_spread(const pl_trial runs[TURNS], double *spread) {
  double middle = at_least(runs[TURNS / 2].inside, 1e-9);
  *spread = fmax(*spread, (runs[TURNS - 1].inside - runs[0].inside) / middle);
}

static plait_err run_trials(const pl_trial_job *job, const pl_plan *plan, bool quiet,
                            pl_plan_trials *t) {
  int cores = plan->cores_here;
  const pl_trial_how kinds[KINDS] = {[ONE] = {.layout = {1, 1, 1, cores}},
                                     [TEAM] = {.layout = {1, 1, cores, cores}},
                                     [BESIDE] = {.layout = {1, 1, cores, cores}, .overlap = true},
                                     [RANKS] = {.layout = {1, cores, 1, cores}}};
  pl_trial *const medians[KINDS] = {&t->one, &t->team, &t->beside, &t->ranks};
  pl_trial runs[KINDS][TURNS];
  int64_t sample = 0;
  t->has_team = cores > 1;
  t->has_ranks = cores > 1 && plan->with_ranks;
  if (!quiet) fprintf(stderr, "plait: plan: measuring a sample of the job, once\n");
  TRY(pl_trial_calibrate(job, &kinds[ONE].layout, sample_seconds, &sample, &t->one));
  for (int turn = 0; turn < TURNS; turn++)
    for (int k = 0; k < KINDS; k++) {
      pl_trial_how how = kinds[k];
      how.sample = sample;
      if (k == RANKS && !t->has_ranks) continue;
      TRY(pl_trial_run(job, &how, &runs[k][turn]));
      take_out_delays(&runs[k][turn], how.layout.threads);
    }
  for (int k = 0; k < KINDS; k++) {
    if (k == RANKS && !t->has_ranks) continue;
    qsort(runs[k], TURNS, sizeof **runs, by_inside);
    *medians[k] = runs[k][TURNS / 2];
    note_spread(runs[k], &t->spread);
  }
  if (!t->has_ranks) return PLAIT_OK;
  pl_trial_how more = {.layout = {1, 2 * cores, 1, cores}, .sample = 1};
  return pl_trial_run(job, &more, &t->more);
}

// ---- keeping --------------------------------------------------------------------------------
static int list_of(pl_plan *p, pl_measured list[32]) {
  pl_load *l = &p->load;
  const pl_measured all[] = {{"compute", l->compute},
                             {"sharing", l->sharing},
                             {"team", l->team},
                             {"read", l->read},
                             {"write", l->write},
                             {"io_cpu", l->io_cpu},
                             {"units", l->units},
                             {"messages", l->messages},
                             {"message_bytes", l->message_bytes},
                             {"start_one", l->start_one},
                             {"start_ranks", l->start_ranks},
                             {"start_more", l->start_more},
                             {"storage_bytes", l->storage_bytes},
                             {"storage_rate", l->storage_rate},
                             {"overlap", l->overlap},
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
  double *const to[] = {&l->compute,       &l->sharing,       &l->team,        &l->read,
                        &l->write,         &l->io_cpu,        &l->units,       &l->messages,
                        &l->message_bytes, &l->start_one,     &l->start_ranks, &l->start_more,
                        &l->storage_bytes, &l->storage_rate,  &l->overlap,     &l->memory_fixed,
                        &l->memory_thread, &l->memory_shared, &l->spread,      &p->cells_rate,
                        &p->flops_per_cell};
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
  plait_pattern pattern = plan->load.pattern;
  plan->recalled = !again && pl_plan_recall(key, plan);
  if (plan->recalled) return PLAIT_OK;
  pl_plan_trials t = {.spread = 0};
  TRY(run_trials(job, plan, quiet, &t));
  pl_plan_load(&t, pattern, plan->cores_here, &plan->load);
  measure_storage(job->output, &plan->load);
  plan->cells_rate = t.one.compute > 0 ? (double)t.one.cells / t.one.compute : 0;
  plan->flops_per_cell = at_least(t.one.flops_per_cell, 0);
  pl_probe_keep(key, list, list_of(plan, list));
  return PLAIT_OK;
}
