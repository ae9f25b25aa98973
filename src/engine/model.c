// SPDX-License-Identifier: BSD-3-Clause
//
// The arithmetic of model.h.
#include "engine/model.h"
#include <math.h>

static const double crowd_guess = 1.03;  // twice as many threads as cores, not measured
static const double wire = 10e9;         // bytes/s between nodes
static const double wire_latency = 2e-6; // s
static const double never_better = 0.10; // uncertainty of a layout that was measured itself

static double least(double a, double b) {
  return a < b ? a : b;
}
static double most(double a, double b) {
  return a > b ? a : b;
}

static double sharing(const pl_load *load, const pl_layout_try *l) {
  double busy = least((double)l->ranks / l->nodes * l->threads, l->cores);
  if (l->cores == 1) return 1;
  return most(1, load->sharing * busy / l->cores);
}

static double team(const pl_load *load, const pl_layout_try *l) {
  if (load->cores < 2 || l->threads < 2) return 1;
  return 1 + (load->team - 1) * log2(l->threads) / log2(load->cores);
}

static double turns(const pl_load *load, const pl_layout_try *l) {
  double crowd = (double)l->ranks * l->threads / ((double)l->nodes * l->cores);
  double twice = load->crowding > 0 ? load->crowding : crowd_guess;
  return crowd > 1 ? 1 + (twice - 1) * log2(crowd) : 1;
}

// Surface of a rank's part against that of a half: what is sent grows with the rank count, what
// each rank sends shrinks. Parts are cut as cubes as far as it goes.
static double surface(int ranks) {
  return ranks < 2 ? 0 : 2 * pow(2.0 / ranks, 2.0 / 3.0);
}

static double messages(const pl_load *load, const pl_layout_try *l) {
  if (l->ranks < 2 || load->pattern == PLAIT_MAP) return 0; // claims of a map take microseconds
  double far = l->nodes > 1 ? wire_latency * load->units : 0;
  if (load->pattern == PLAIT_REDUCE) {
    double levels = ceil(log2(l->ranks)), wake = load->stepwise ? far : 1e-4;
    return levels * (load->messages + (l->nodes > 1 ? load->message_bytes / wire + wake : 0));
  }
  double each = load->message_bytes / 2 * surface(l->ranks);
  return load->messages * surface(l->ranks) / surface(2) + (l->nodes > 1 ? far + each / wire : 0);
}

static double start(const pl_load *load, const pl_layout_try *l) {
  if (l->ranks < 2) return load->start_one;
  double of_node = ceil((double)l->ranks / l->nodes);
  double tree = l->nodes > 1 ? 0.2 * log2(l->nodes) : 0; // the launcher's daemons
  return load->start_ranks + load->start_more * most(0, of_node - 2) + tree;
}

typedef struct part {
  const char *name;
  double seconds;
} part;

static part longest(const part parts[], int n) {
  part best = parts[0];
  for (int i = 1; i < n; i++)
    if (parts[i].seconds > best.seconds) best = parts[i];
  return best;
}

// A layout that was measured itself has the spread of the measurements; each step away adds.
static double uncertainty(const pl_load *load, const pl_layout_try *l) {
  double cores = (double)l->nodes * l->cores / load->cores;
  double sure = most(never_better, load->spread);
  if (cores != 1) sure += 0.10 * fabs(log2(cores));
  if (l->nodes > 1) sure += 0.15;
  if ((double)l->ranks * l->threads > (double)l->nodes * l->cores) sure += 0.10;
  return sure;
}

// Time of the rank with most blocks against the mean.
static double idle(const pl_load *load, const pl_layout_try *l) {
  double takers = least(l->ranks, (double)l->nodes * l->cores);
  if (load->pieces < 1) return 1;
  return ceil(load->pieces / takers) / (load->pieces / takers);
}

// What each strand takes by itself.
static void divide(const pl_load *load, const pl_layout_try *l, pl_forecast *f) {
  double cores = (double)l->nodes * l->cores, workers = least((double)l->ranks * l->threads, cores);
  double crowd = turns(load, l), shared = sharing(load, l) * team(load, l) * crowd;
  double of_team = load->read * load->team_reads;
  double uneven = idle(load, l), turn = most(1, l->ranks / cores) / l->ranks * uneven;
  f->compute = (load->compute + of_team) / workers * shared * uneven;
  f->messages = messages(load, l) * crowd;
  f->read = (load->read - of_team) * turn;
  f->write = load->write * turn;
  f->strands = ((load->compute + of_team) * shared + most(0, load->io_cpu - of_team)) / cores;
}

// s from the first block to the last; *bound: by what.
static double inside(const pl_load *load, const pl_layout_try *l, const pl_forecast *f,
                     const char **bound) {
  double storage = load->storage_rate > 0 ? load->storage_bytes / load->storage_rate : 0;
  const part parts[] = {{"computing", f->compute + f->messages},
                        {"reading", f->read},
                        {"writing", f->write},
                        {"copying", f->strands},
                        {"storage", storage}};
  part best = longest(parts, sizeof parts / sizeof *parts);
  double in_line = f->compute + f->messages + f->read + f->write;
  double edges = load->units > 0 ? (f->read + f->write) / most(1, load->units / l->ranks) : 0;
  *bound = best.name;
  return best.seconds + most(edges, load->exposed * most(0, in_line - best.seconds));
}

void pl_model_forecast(const pl_load *load, const pl_layout_try *l, pl_forecast *f) {
  *f = (pl_forecast){.start = start(load, l)};
  divide(load, l, f);
  double within = inside(load, l, f, &f->bound);
  f->wall = f->start + within;
  if (f->messages > 0.5 * (f->compute + f->messages)) f->bound = "messages";
  if (f->start > within) f->bound = "start-up";
  f->memory =
      load->memory_fixed + load->memory_thread * l->threads + load->memory_shared / l->ranks;
  f->sure = uncertainty(load, l);
}

int pl_model_layouts(int nodes, int cores, bool with_ranks, pl_layout_try layouts[], int room) {
  int n = 0;
  for (int per_node = 1; per_node <= cores && n < room; per_node++) {
    if (cores % per_node != 0) continue;
    pl_layout_try l = {nodes, per_node * nodes, cores / per_node, cores};
    if (l.ranks > 1 && !with_ranks) break;
    layouts[n++] = l;
  }
  return n;
}
