// SPDX-License-Identifier: BSD-3-Clause
//
// stats: one block -> a partial, in one pass over the values.
//
// A block is cut into segments that a thread reads once, from memory or cache: some hundred values
// of each of some hundred cells. Inside, values are taken relative to a shift, the first value of
// the cell in the segment, and their sums and squares are added in float64 (the shifted-data
// algorithm, Chan, Golub and LeVeque 1983). As the shift is one of the n values, the condition of
// the sum of squares is at most n + 1, so the variance of a segment is good to about n roundings,
// without a second pass. A thread takes for granted that nothing is missing until some sum shows
// otherwise; what was added last is then added again, with the same sums in the same order.
// Segments are merged by stats_tally.c in the order of the values. When the last axis is kept,
// vectors run over cells, which come in strips (stats_strip.c). When it is reduced, they run over
// 32 lanes of one cell that are added up in a tree (stats_segment.c). Few cells are cut into parts
// of their values, so that threads share them. Cost: 5 flops and 2 comparisons per value; 12 to 18
// GB/s of float32 per core of 2023.
#include "stats_work.h"
#include <math.h>

enum { PART_VALUES = 8192 }; // fewer values are not worth a part of their own

// ---- a block ----------------------------------------------------------------------------------
// Gives out `bytes` of scratch; without memory only counts them.
static void *take(char *memory, size_t *used, size_t bytes) {
  void *at = memory ? memory + *used : NULL;
  *used += (bytes + 63) / 64 * 64;
  return at;
}

// Of the cells of a strip, and of LANES lanes.
static void lay_out_sums(const plait_problem *problem, const bool reduced[], char *memory,
                         size_t *used, stats_columns *sum) {
  const plait_array *in = problem->input;
  size_t size = plait_type_size(pl_stats_works_as(in->type)), cells = 1;
  for (int d = 0; d < in->ndim && cells < PLAIT_STRIP; d++)
    if (!reduced[d]) cells *= (size_t)in->shape[d];
  cells = cells < LANES ? LANES : cells > PLAIT_STRIP ? PLAIT_STRIP : cells;
  void **const narrow[] = {&sum->shift, &sum->lo, &sum->hi, &sum->n};
  for (int i = 0; i < 4; i++) *narrow[i] = take(memory, used, cells * size);
  sum->s = take(memory, used, cells * sizeof(double));
  sum->q = take(memory, used, cells * sizeof(double));
  if (!pl_stats_wide_integer(in->type)) return;
  sum->least = take(memory, used, cells * sizeof(int64_t));
  sum->most = take(memory, used, cells * sizeof(int64_t));
}

static size_t lay_out(const plait_problem *problem, const stats_params *p, char *memory,
                      stats_work *w) {
  size_t used = 0, row = WIDTH * sizeof(double), values = 1;
  bool reduced[PLAIT_DIMS] = {false};
  int latitude = pl_stats_latitude(problem);
  stats_tally *t = &w->segment;
  pl_stats_reduced(problem, p, reduced);
  for (int d = 0; d < problem->input->ndim; d++)
    if (reduced[d]) values *= (size_t)problem->input->shape[d];
  void **const rows[] = {(void **)&t->mean,   (void **)&t->m2, (void **)&t->count, &t->lo, &t->hi,
                         (void **)&t->weight, (void **)&t->sum};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) *rows[i] = take(memory, &used, row);
  lay_out_sums(problem, reduced, memory, &used, &w->sum);
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
  *w = (stats_work){.call = call,
                    .p = call->params,
                    .in = in,
                    .type = in->type,
                    .as = pl_stats_works_as(in->type),
                    .size = plait_type_size(in->type)};
  w->as_size = plait_type_size(w->as);
  lay_out(call->problem, w->p, call->scratch, w);
  pl_stats_look(w, in);
  make_weights(w);
  w->cells = w->kept.total;
  pl_stats_view(call->problem, w->p, w->cells, partial, &w->partial);
  w->parts = w->cells < STATS_SLOTS ? STATS_SLOTS / w->cells : 1;
  w->parts = pl_stats_least(w->parts, 1 + w->red.total / PART_VALUES);
}

static int64_t part_start(const stats_work *w, int64_t part) {
  return w->red.total / w->parts * part + pl_stats_least(w->red.total % w->parts, part);
}

static bool strip_of_block(stats_work w, const plait_strips *strips, int64_t s) {
  plait_block part;
  stats_strip strip = pl_stats_strip_begin(&w.partial.tally, 0, 0, w.red.total);
  for (int64_t i = 0; plait_strips_part(w.call, strips, s, i, &part); i++) {
    pl_stats_look(&w, &part);
    if (!pl_stats_strip_take(&w, &strip)) return false;
    w.first += w.red.total;
  }
  return true;
}

// Cells side by side in memory: each strip by one thread, part after part.
static void strips_of_block(const stats_work *w) {
  plait_strips strips;
  plait_strips_make(w->call, w->in, &strips);
#pragma omp for schedule(dynamic)
  for (int64_t s = 0; s < strips.n; s++)
    if (!strip_of_block(*w, &strips, s)) (void)strip_of_block(*w, &strips, s);
}

static bool slot_of_block(const stats_work *w, int64_t part) {
  stats_strip strip = pl_stats_strip_begin(&w->partial.slots, part * w->cells, part_start(w, part),
                                           part_start(w, part + 1));
  return pl_stats_strip_take(w, &strip);
}

// The same of few cells: parts of the values, side by side.
static void slots_of_block(const stats_work *w) {
#pragma omp for schedule(dynamic)
  for (int64_t part = 0; part < w->parts; part++)
    if (!slot_of_block(w, part)) (void)slot_of_block(w, part);
}

static void cells_of_block(const stats_work *w) {
  const stats_tally *to = w->parts > 1 ? &w->partial.slots : &w->partial.tally;
#pragma omp for schedule(dynamic, 4)
  for (int64_t i = 0; i < w->cells * w->parts; i++) {
    int64_t cell = i % w->kept.total, part = i / w->kept.total;
    pl_stats_cell(w, pl_stats_position(&w->kept, cell), part_start(w, part),
                  part_start(w, part + 1), to, i);
  }
}

static void moments_of_block(const stats_work *w) {
  const stats_walk *kept = &w->kept;
  bool across =
      kept->n > 0 && kept->stride[kept->n - 1] == 1 && kept->extent[kept->n - 1] >= LANES / 2;
  if (across && w->parts == 1)
    strips_of_block(w);
  else if (across)
    slots_of_block(w);
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
