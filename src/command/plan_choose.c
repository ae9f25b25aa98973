// SPDX-License-Identifier: BSD-3-Clause
//
// The layout to recommend: of those whose memory fits, the fastest; of those that what was measured
// does not tell from it (within its spread, or 3 %) the one with the fewest ranks (less memory,
// fewer messages). With a time but no number of nodes: the
// fewest nodes on which the slow end of the forecast keeps the time.
#include "command/plan.h"
#include <math.h>

enum { MOST_NODES = 1024 };
static const double least = 0.03, most = 0.25; // of the fastest time

static void forecast(const pl_plan *p, pl_plan_row *row) {
  const pl_layout_try *l = &row->layout;
  pl_model_forecast(&p->load, l, &row->forecast);
  double of_node = (double)(l->ranks + l->nodes - 1) / l->nodes;
  row->fits = p->wish.memory <= 0 || row->forecast.memory * of_node <= (double)p->wish.memory;
}

// Layouts closer than that are not told apart: what is measured twice differs by as much. Even the
// wildest spread does not make a layout as good as one that needs two thirds of the time.
static double tolerance(const pl_plan *p) {
  return 1 + fmin(fmax(p->load.spread, least), most);
}

static int choose(pl_plan *p) {
  double fastest = INFINITY;
  int best = -1;
  for (int i = p->asked; i < p->n; i++)
    if (p->row[i].fits) fastest = fmin(fastest, p->row[i].forecast.wall);
  for (int i = p->n - 1; i >= p->asked; i--) {
    pl_plan_row *row = &p->row[i];
    row->as_good = row->fits && row->forecast.wall <= fastest * tolerance(p);
    if (row->as_good) best = i;
  }
  return best;
}

static void fill(pl_plan *p, int nodes) {
  pl_layout_try layouts[PL_PLAN_LAYOUTS];
  int room = PL_PLAN_LAYOUTS - p->asked;
  int n = pl_model_layouts(nodes, p->wish.cores, p->with_ranks || nodes > 1, layouts, room);
  for (int i = 0; i < n; i++) {
    p->row[p->asked + i].layout = layouts[i];
    forecast(p, &p->row[p->asked + i]);
  }
  p->n = p->asked + n;
  p->best = choose(p);
}

static bool keeps_time(const pl_plan *p) {
  if (p->best < 0) return false;
  const pl_forecast *f = &p->row[p->best].forecast;
  return p->wish.seconds <= 0 || f->wall * (1 + f->sure) <= p->wish.seconds;
}

void pl_plan_ask(pl_plan *p, int ranks, int threads) {
  p->row[p->asked++].layout = (pl_layout_try){.ranks = ranks, .threads = threads};
}

void pl_plan_choose(pl_plan *p) {
  int nodes = p->wish.nodes > 0 ? p->wish.nodes : 1;
  if (p->wish.cores <= 0) p->wish.cores = p->cores_here;
  for (int i = 0; i < p->asked; i++) {
    p->row[i].layout.nodes = nodes;
    p->row[i].layout.cores = p->wish.cores;
    forecast(p, &p->row[i]);
  }
  fill(p, nodes);
  p->in_time = keeps_time(p);
  if (p->wish.nodes > 0 || p->wish.seconds <= 0) return;
  while (!p->in_time && nodes < MOST_NODES) {
    fill(p, nodes *= 2);
    p->in_time = keeps_time(p);
  }
  if (!p->in_time) fill(p, 1);
}
