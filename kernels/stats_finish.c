// SPDX-License-Identifier: BSD-3-Clause
//
// stats: the partial of all blocks of a tile -> the result arrays. A few flops per kept cell.
#include "stats.h"
#include <math.h>
#include <string.h>

enum { PIECE = 256 };

static void variances(const stats_tally *t, int64_t ddof, bool root, int64_t first, int64_t n,
                      double *to) {
  for (int64_t i = 0; i < n; i++) {
    double free = t->weight[first + i] - (double)ddof;
    double v = free > 0 ? t->m2[first + i] / free : NAN;
    to[i] = root ? sqrt(v) : v;
  }
}

static void where_any(const stats_tally *t, const double *from, int64_t first, int64_t n,
                      double *to) {
  for (int64_t i = 0; i < n; i++) to[i] = t->count[first + i] > 0 ? from[first + i] : NAN;
}

// Results `first` .. first + n of one statistic as float64; n <= PIECE.
static void values(const stats_params *p, const stats_partial *from, int kind, int64_t first,
                   int64_t n, double *to) {
  const stats_tally *t = &from->tally;
  switch (kind) {
  case STATS_COUNT:
    memcpy(to, t->count + first, (size_t)n * sizeof *to);
    break;
  case STATS_MEAN:
    where_any(t, t->mean, first, n, to);
    break;
  case STATS_VARIANCE:
    variances(t, p->ddof, false, first, n, to);
    break;
  case STATS_STD:
    variances(t, p->ddof, true, first, n, to);
    break;
  case STATS_MIN:
    where_any(t, t->lo, first, n, to);
    break;
  case STATS_MAX:
    where_any(t, t->hi, first, n, to);
    break;
  case STATS_SUM:
    where_any(t, t->sum, first, n, to);
    break;
  case STATS_QUANTILE:
    memcpy(to, from->quantile + first, (size_t)n * sizeof *to);
    break;
  default:
    for (int64_t i = 0; i < n; i++) to[i] = (double)from->histogram[first + i];
  }
}

// Extremes of 64-bit integers pass as they are; they are never missing.
static const char *exact(const stats_partial *from, int kind, plait_type type) {
  bool wide = (kind == STATS_MIN || kind == STATS_MAX) && (type == PLAIT_I64 || type == PLAIT_U64);
  return !wide ? NULL : kind == STATS_MIN ? from->tally.lo : from->tally.hi;
}

static void finish_one(const stats_params *p, const stats_partial *from, int kind,
                       const plait_block *out) {
  int64_t length = out->ndim > 0 ? out->extent[out->ndim - 1] : 1;
  int64_t rows = plait_rows(out), pieces = (length + PIECE - 1) / PIECE;
  size_t size = plait_type_size(out->type);
  const char *as_it_is = exact(from, kind, out->type);
#pragma omp for
  for (int64_t i = 0; i < rows * pieces; i++) {
    double line[PIECE];
    int64_t row = i / pieces, at = i % pieces * PIECE, first = row * length + at;
    int64_t n = length - at < PIECE ? length - at : PIECE;
    char *to = (char *)plait_row(out, row) + (size_t)at * size;
    if (as_it_is) {
      memcpy(to, as_it_is + (size_t)first * size, (size_t)n * size);
    } else {
      values(p, from, kind, first, n, line);
      plait_row_from_f64(out->type, line, n, to);
    }
  }
}

void pl_stats_finish(const plait_call *call, const plait_block *tile, const void *partial,
                     const plait_block out[]) {
  const stats_params *p = call->params;
  stats_partial from;
  int o = 0;
  pl_stats_view(call->problem, p, pl_stats_cells(tile, call->plan->reduced), (void *)partial,
                &from);
  for (int kind = 0; kind < STATS_KINDS; kind++)
    if (pl_stats_wants(p, kind)) finish_one(p, &from, kind, &out[o++]);
}
