// SPDX-License-Identifier: BSD-3-Clause
//
// From trials of a sample to the load of the whole job (the kinds of trials: plan_trials.c). What
// a run does once, however long it is (opening, the first touch of its memory, an initial state),
// must not be multiplied: trials of a single unit are taken off, and what is left of those is
// start-up.
#include "command/plan.h"
#include <math.h>

// ---- what grows, what does not ---------------------------------------------------------------
static bool has_first(const pl_trial *t, const pl_trial *first) {
  return first->units > 0 && 2 * first->units <= t->units;
}

// The part of a trial that grows with its units.
static pl_trial grown(const pl_trial *t, const pl_trial *first) {
  pl_trial g = *t;
  if (!has_first(t, first)) return g;
  g.units -= first->units;
  g.inside = fmax(t->inside - first->inside, 0);
  g.compute = fmax(t->compute - first->compute, 0);
  g.read = fmax(t->read - first->read, 0);
  g.team_read = fmax(t->team_read - first->team_read, 0);
  g.comm = fmax(t->comm - first->comm, 0);
  g.bytes_sent = t->bytes_sent > first->bytes_sent ? t->bytes_sent - first->bytes_sent : 0;
  return g;
}

static pl_plan_trials all_grown(const pl_plan_trials *t) {
  pl_plan_trials g = *t;
  g.one = grown(&t->one, &t->first);
  g.team = grown(&t->team, &t->first_team);
  g.beside = grown(&t->beside, &t->first_team);
  g.ranks = grown(&t->ranks, &t->first_ranks);
  return g;
}

// Units of a trial that its busiest rank computes, and the cost of one there.
static double first_compute(const pl_trial *g, const pl_trial *first, int ranks, bool together) {
  double one = g->compute / fmax((double)g->units, 1), passes = fmax((double)g->passes, 1);
  if (together) return one * (double)first->units;
  return one * ranks * passes * ceil((double)first->units / passes / ranks);
}

// Of ranks that make every step together the mean is the time of each.
static bool steps_together(const pl_load *load) {
  return load->pattern == PLAIT_EVOLVE || load->stepwise;
}

static double start_of(const pl_trial *t, const pl_trial *first, int ranks, const pl_load *load) {
  if (!has_first(t, first)) return t->start;
  pl_trial g = grown(t, first);
  double work = first_compute(&g, first, ranks, steps_together(load));
  return fmax(first->wall - work - first->read - first->write, t->start);
}

static void load_start(const pl_plan_trials *t, int cores, pl_load *load) {
  load->start_one = start_of(&t->one, &t->first, 1, load);
  load->start_ranks = load->start_one;
  if (!t->has_ranks) return;
  load->start_more = fmax((t->crowd.start - t->ranks.start) / cores, 0);
  load->start_ranks = start_of(&t->ranks, &t->first_ranks, cores, load);
  load->start_ranks = fmax(load->start_ranks - load->start_more * (cores - 2), 0);
}

// ---- parts of the model ----------------------------------------------------------------------
// CPU of a rank's reading and writing: all of the process but the team's.
static double io_cpu(const pl_trial *t) {
  return fmin(fmax(t->cpu_inside - t->team_cpu, 0), fmax(t->read + t->write, 0));
}

static void load_memory(const pl_plan_trials *t, int cores, pl_load *load) {
  double one = (double)t->one.peak_rank, more = (double)t->beside.peak_rank;
  if (t->has_team) load->memory_thread = fmax((more - one) / (cores - 1), 0);
  if (t->has_ranks && load->pattern == PLAIT_EVOLVE)
    load->memory_shared = fmax((one - (double)t->ranks.peak_rank) * cores / (cores - 1), 0);
  load->memory_fixed = fmax(one - load->memory_thread - load->memory_shared, 0);
}

// Ranks of an evolve job and of a reduction in steps wait for messages while they compute.
static double alone(const pl_trial *ranks, const pl_load *load) {
  return fmax(ranks->compute - (steps_together(load) ? ranks->comm : 0), 0);
}

static void load_sharing(const pl_plan_trials *t, int cores, pl_load *load) {
  double one = fmax(t->one.compute, 1e-9);
  load->sharing = load->team = 1;
  if (!t->has_team) return;
  double of_team = t->team.compute * cores / one;
  double of_ranks = t->has_ranks ? alone(&t->ranks, load) * cores / one : of_team;
  load->sharing = fmax(of_ranks, 1);
  load->team = fmin(fmax(of_team / load->sharing, 0.7), 3);
}

static void load_messages(const pl_plan_trials *t, int cores, double scale, pl_load *load) {
  if (!t->has_ranks) return;
  bool once = load->pattern == PLAIT_REDUCE && !load->stepwise; // a pass
  double often = once ? 1 : scale;
  double levels = load->pattern == PLAIT_REDUCE ? ceil(log2(cores)) : 1; // the model wants one
  load->messages = fmax(t->ranks.comm, 0) * often / levels;
  load->message_bytes = (double)t->ranks.bytes_sent * often * 2 / cores;
}

// The load of the sample, as far as it is known: all in line, and no disk that it waits for.
static pl_load of_sample(const pl_plan_trials *t, double scale, const pl_load *whole) {
  pl_load sample = *whole;
  sample.storage_rate = 0;
  sample.units /= scale;
  sample.pieces = 0;
  sample.compute /= scale;
  sample.read /= scale;
  sample.write = t->one.write;
  sample.io_cpu = io_cpu(&t->one);
  if (steps_together(whole)) sample.messages /= scale;
  sample.exposed = 1;
  return sample;
}

// Against the trial with all strands in line; overlap cannot be worse than that, nor better than
// the longest strand alone.
static void load_overlap(const pl_plan_trials *t, int cores, double scale, pl_load *load) {
  if (t->beside.read > 0) load->team_reads = fmin(t->beside.team_read / t->beside.read, 1);
  if (!t->has_team) return;
  pl_load sample = of_sample(t, scale, load);
  pl_layout_try layout = {1, 1, cores, cores};
  pl_forecast line, hidden;
  pl_model_forecast(&sample, &layout, &line);
  sample.exposed = 0;
  pl_model_forecast(&sample, &layout, &hidden);
  double room = line.wall - hidden.wall, beyond = t->beside.inside - (hidden.wall - hidden.start);
  load->exposed = room > 0 ? fmin(fmax(beyond / room, 0), 1) : 0;
}

// Against a rank on each core in the same turn, so that other programs hit both.
static void load_crowding(const pl_plan_trials *t, int cores, double scale, pl_load *load) {
  load->crowding = 0;
  if (!t->has_ranks) return;
  pl_load sample = of_sample(t, scale, load);
  pl_layout_try fitting = {1, cores, 1, cores}, crowd = {1, 2 * cores, 1, cores};
  pl_forecast one, two;
  sample.team_reads = 0;
  sample.crowding = 1;
  pl_model_forecast(&sample, &fitting, &one);
  pl_model_forecast(&sample, &crowd, &two);
  double ideal = (two.wall - two.start) / fmax(one.wall - one.start, 1e-9);
  load->crowding = fmin(fmax(t->crowded / fmax(ideal, 1e-9), 1), 10);
}

// What is written does not grow with the steps: a sample of an evolve job has its first snapshot, a
// pass of a reduction nothing. The report says what the whole job writes.
static void load_output(const pl_trial *one, double scale, pl_load *load) {
  double written = (double)one->bytes_written, all = (double)one->output_bytes;
  double grows = written > 0 && all > 0 ? all / written : scale;
  double busy = fmax(one->read + one->write, 1e-12);
  load->write = one->write * grows;
  load->io_cpu = io_cpu(one) * (one->read * scale + one->write * grows) / busy;
  load->storage_bytes = all > 0 ? all : written * scale;
}

void pl_plan_load(const pl_plan_trials *t, int cores, pl_load *load) {
  pl_plan_trials g = all_grown(t);
  double done = (double)g.one.units, all = (double)t->one.units_total;
  double scale = done > 0 && all > done ? all / done : 1;
  double passes = fmax((double)t->one.passes, 1);
  *load = (pl_load){.pattern = load->pattern, .stepwise = load->stepwise, .cores = cores};
  load->spread = t->spread;
  load->units = fmax(all, (double)t->one.units);
  load->pieces = steps_together(load) ? 0 : load->units / passes;
  load->compute = g.one.compute * scale;
  load->read = g.one.read * scale;
  load_output(&t->one, fmax(all / fmax((double)t->one.units, 1), 1), load);
  load_sharing(&g, cores, load);
  load_start(t, cores, load);
  load_memory(t, cores, load);
  load_messages(&g, cores, scale, load);
  load_overlap(&g, cores, scale, load);
  load_crowding(&g, cores, scale, load);
}
