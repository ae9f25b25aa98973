// SPDX-License-Identifier: BSD-3-Clause
//
// stats: one block -> a partial, in one pass over the values.
//
// A block is cut into segments that a thread reads once, from memory or cache: some hundred values
// of each of some hundred cells. Inside, values are taken relative to a shift, the first value of
// the cell in the segment, and their sums and squares are added in float64 (the shifted-data
// algorithm, Chan, Golub and LeVeque 1983). As the shift is one of the n values, the condition of
// the sum of squares is at most n + 1, so the variance of a segment is good to about n roundings,
// without a second pass. A thread takes for granted that nothing is missing until a segment shows
// otherwise; that segment is done again, with the same sums in the same order. Segments are merged
// by stats_tally.c in the order of the values. When the last axis is kept, vectors run over cells.
// When it is reduced, they run over 32 lanes of one cell that are added up in a tree. Few cells are
// cut into parts, so that threads share them. Cost: 5 flops and 2 comparisons per value; 12 to 18
// GB/s of float32 per core of 2023.
#include "stats_work.h"
#include <math.h>

enum { PART_VALUES = 8192 }; // fewer values are not worth a part of their own

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// An axis joins the one before it when both are walked in one stride.
static void add_axis(stats_walk *path, int64_t extent, ptrdiff_t stride, bool neighbour) {
  int last = path->n - 1;
  path->total *= extent;
  if (neighbour && last >= 0 && path->stride[last] == stride * (ptrdiff_t)extent) {
    path->extent[last] *= extent;
    path->stride[last] = stride;
  } else {
    path->extent[path->n] = extent;
    path->stride[path->n++] = stride;
  }
}

static void make_walks(stats_work *w) {
  const bool *reduced = w->call->plan->reduced;
  int before = -1; // the axis before
  w->kept.total = w->red.total = 1;
  for (int d = 0; d < w->in->ndim; d++) {
    if (w->in->extent[d] == 1) continue;
    stats_walk *path = reduced[d] ? &w->red : &w->kept;
    add_axis(path, w->in->extent[d], w->in->stride[d],
             before >= 0 && reduced[before] == reduced[d]);
    before = d;
  }
}

// ---- a block ----------------------------------------------------------------------------------
// Gives out `bytes` of scratch; without memory only counts them.
static void *take(char *memory, size_t *used, size_t bytes) {
  void *at = memory ? memory + *used : NULL;
  *used += (bytes + 63) / 64 * 64;
  return at;
}

static size_t lay_out(const plait_problem *problem, const stats_params *p, char *memory,
                      stats_work *w) {
  size_t used = 0, row = WIDTH * sizeof(double), values = 1;
  bool reduced[PLAIT_DIMS] = {false};
  int latitude = pl_stats_latitude(problem);
  stats_columns *sum = &w->sum;
  stats_tally *t = &w->segment;
  pl_stats_reduced(problem, p, reduced);
  for (int d = 0; d < problem->input->ndim; d++)
    if (reduced[d]) values *= (size_t)problem->input->shape[d];
  void **const rows[] = {&sum->shift,
                         &sum->lo,
                         &sum->hi,
                         &sum->n,
                         (void **)&sum->s,
                         (void **)&sum->q,
                         (void **)&t->mean,
                         (void **)&t->m2,
                         (void **)&t->count,
                         &t->lo,
                         &t->hi,
                         (void **)&t->weight,
                         (void **)&t->sum};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) *rows[i] = take(memory, &used, row);
  if (!pl_stats_weighted(problem, p)) t->weight = t->count;
  if (!pl_stats_wants(p, STATS_SUM)) t->sum = NULL;
  w->stage = take(memory, &used, SEGMENT * sizeof(double));
  w->raw = take(memory, &used, SEGMENT * sizeof(double));
  if (pl_stats_weighted(problem, p))
    w->weights = take(memory, &used, (size_t)problem->input->shape[latitude] * sizeof(double));
  if (pl_stats_wants(p, STATS_HISTOGRAM))
    w->bins = take(memory, &used, (size_t)p->bins * sizeof(int64_t));
  if (pl_stats_wants(p, STATS_QUANTILE)) w->sample = take(memory, &used, values * sizeof(double));
  return used;
}

size_t pl_stats_scratch(const plait_problem *problem, const stats_params *p) {
  stats_work w = {0};
  return lay_out(problem, p, NULL, &w);
}

// Cosine of the latitudes of the block: the area of a cell of a regular grid, up to a factor.
static void make_weights(stats_work *w) {
  int axis = pl_stats_latitude(w->call->problem);
  if (!w->weights) return;
  const double *lat = w->call->problem->input->coord[axis] + w->in->origin[axis];
  w->weight_n = w->in->extent[axis];
  w->weight_run = 1;
  for (int d = axis + 1; d < w->in->ndim; d++)
    if (w->call->plan->reduced[d]) w->weight_run *= w->in->extent[d];
  for (int64_t i = 0; i < w->weight_n; i++)
    w->weights[i] = fabs(cos(lat[i] * (3.14159265358979323846 / 180)));
  w->weight = w->weights;
}

static void start(const plait_call *call, const plait_block *in, void *partial, stats_work *w) {
  plait_type type = in->type;
  bool narrow = type <= PLAIT_U16 || type == PLAIT_F32;
  *w = (stats_work){.call = call,
                    .p = call->params,
                    .in = in,
                    .type = type,
                    .as = narrow ? PLAIT_F32 : PLAIT_F64,
                    .size = plait_type_size(type)};
  w->as_size = plait_type_size(w->as);
  lay_out(call->problem, w->p, call->scratch, w);
  make_walks(w);
  make_weights(w);
  pl_stats_view(call->problem, w->p, w->kept.total, partial, &w->partial);
  w->parts = w->kept.total < STATS_SLOTS ? STATS_SLOTS / w->kept.total : 1;
  w->parts = least(w->parts, 1 + w->red.total / PART_VALUES);
}

static int64_t part_start(const stats_work *w, int64_t part) {
  return w->red.total / w->parts * part + least(w->red.total % w->parts, part);
}

// Cells side by side in memory, in pieces of up to WIDTH: enough pieces for every team.
static void columns_of_block(const stats_work *w) {
  int64_t across = w->kept.extent[w->kept.n - 1], outer = w->kept.total / across;
  int64_t wide = (w->kept.total / 8 + LANES - 1) / LANES * LANES;
  int64_t width = wide < LANES ? LANES : least(wide, WIDTH), pieces = (across + width - 1) / width;
  const stats_tally *to = w->parts > 1 ? &w->partial.slots : &w->partial.tally;
#pragma omp for schedule(dynamic)
  for (int64_t i = 0; i < outer * pieces * w->parts; i++) {
    int64_t piece = i % pieces, part = i / pieces % w->parts, row = i / pieces / w->parts;
    int64_t cell = row * across + piece * width, n = least(width, across - piece * width);
    pl_stats_columns(w, pl_stats_position(&w->kept, cell), n, part_start(w, part),
                     part_start(w, part + 1), to, part * w->kept.total + cell);
  }
}

static void cells_of_block(const stats_work *w) {
  const stats_tally *to = w->parts > 1 ? &w->partial.slots : &w->partial.tally;
#pragma omp for schedule(dynamic, 4)
  for (int64_t i = 0; i < w->kept.total * w->parts; i++) {
    int64_t cell = i % w->kept.total, part = i / w->kept.total;
    pl_stats_cell(w, pl_stats_position(&w->kept, cell), part_start(w, part),
                  part_start(w, part + 1), to, i);
  }
}

static void moments_of_block(const stats_work *w) {
  const stats_walk *kept = &w->kept;
  bool across =
      kept->n > 0 && kept->stride[kept->n - 1] == 1 && kept->extent[kept->n - 1] >= LANES / 2;
  if (across)
    columns_of_block(w);
  else
    cells_of_block(w);
#pragma omp single
  for (int64_t part = 0, n = kept->total; w->parts > 1 && part < w->parts; part++) {
    if (part == 0)
      pl_stats_copy(&w->partial.tally, 0, &w->partial.slots, 0, n);
    else
      pl_stats_merge(w->type, &w->partial.tally, 0, &w->partial.slots, part * n, n);
  }
}

static void histogram_of_block(const stats_work *w) {
  int64_t bins = w->p->bins, cells = w->kept.total;
#pragma omp for
  for (int64_t i = 0; i < cells * bins; i++) w->partial.histogram[i] = 0;
#pragma omp for schedule(dynamic)
  for (int64_t i = 0; i < cells * w->parts; i++) {
    int64_t cell = i % cells, part = i / cells;
    pl_stats_histogram(w, pl_stats_position(&w->kept, cell), part_start(w, part),
                       part_start(w, part + 1), w->partial.histogram + cell * bins);
  }
}

static void quantiles_of_block(const stats_work *w) {
#pragma omp for schedule(dynamic)
  for (int64_t i = 0; i < w->kept.total; i++)
    pl_stats_cell_quantiles(w, pl_stats_position(&w->kept, i),
                            w->partial.quantile + i * w->p->quantiles.n);
}

void pl_stats_block(const plait_call *call, const plait_block *in, void *partial) {
  stats_work w;
  bool whole = true;
  start(call, in, partial, &w);
  w.whole = &whole;
  if (pl_stats_wants_moments(w.p)) moments_of_block(&w);
  if (w.partial.histogram) histogram_of_block(&w);
  if (w.partial.quantile) quantiles_of_block(&w);
}
