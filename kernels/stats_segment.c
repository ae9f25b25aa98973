// SPDX-License-Identifier: BSD-3-Clause
//
// stats: segments of a block. A segment is some hundred values of each of some hundred cells: small
// enough for L2, read once. See stats_block.c for the method.
#include "stats_work.h"
#include <math.h>
#include <string.h>

// ---- where values are -------------------------------------------------------------------------
ptrdiff_t pl_stats_position(const stats_walk *path, int64_t i) {
  ptrdiff_t at = 0;
  for (int d = path->n - 1; d >= 0; d--) {
    at += (ptrdiff_t)(i % path->extent[d]) * path->stride[d];
    i /= path->extent[d];
  }
  return at;
}

// Contiguous run of values from value v of the cell at `base`.
static int64_t run_at(const stats_walk *path, int64_t v) {
  if (path->n == 0) return 1;
  int64_t extent = path->extent[path->n - 1];
  return extent - v % extent;
}

static ptrdiff_t step_of(const stats_walk *path) {
  return path->n > 0 ? path->stride[path->n - 1] : 0;
}

static const char *value_at(const stats_work *w, ptrdiff_t cell, int64_t v) {
  return (const char *)w->in->data + (cell + pl_stats_position(&w->red, v)) * (ptrdiff_t)w->size;
}

// How far values from v on have the weight of v, and that weight.
static int64_t same_weight(const stats_work *w, int64_t v, double *weight) {
  *weight = 1;
  if (!w->weight) return INT64_MAX;
  *weight = w->weight[v / w->weight_run % w->weight_n];
  return w->weight_run - v % w->weight_run;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static void to_work(const stats_work *w, const void *from, int64_t n, void *to) {
  if (w->as == PLAIT_F32)
    plait_row_to_f32(w->type, from, n, to);
  else
    plait_row_to_f64(w->type, from, n, to);
}

// Makes the sums of n columns, or adds them to, cells at .. at + n of the tallies of this block.
static void close_segment(const stats_work *w, int64_t n, double weight, const stats_tally *to,
                          int64_t at, bool first) {
  const stats_tally *t = &w->segment;
  const void *from[] = {w->sum.n, w->sum.shift, w->sum.lo, w->sum.hi};
  double *into[] = {t->count, t->mean, t->lo, t->hi};
  for (int i = 0; i < (pl_stats_wide_integer(w->type) ? 2 : 4); i++)
    plait_row_to_f64(w->as, from[i], n, into[i]);
  pl_stats_fold(n, weight, &w->sum, t);
  if (first)
    pl_stats_copy(to, at, t, 0, n);
  else
    pl_stats_merge(w->type, to, at, t, 0, n);
}

// ---- vectors over cells -----------------------------------------------------------------------
static const void *row_of(const stats_work *w, const char *at, int64_t n) {
  if (w->type == w->as) return at;
  to_work(w, at, n, w->stage);
  return w->stage;
}

// The shift of n neighbouring cells: the first finite value of each from value v on, or 0.
static void find_shift(const stats_work *w, ptrdiff_t cell, int64_t n, int64_t v, int64_t rows) {
  to_work(w, value_at(w, cell, v), n, w->sum.shift);
  for (int64_t r = 0; r < rows; r++) // usually ends at once
    if (pl_stats_settle(w->as, w->sum.shift, row_of(w, value_at(w, cell, v + r), n), n)) return;
  memset(w->stage, 0, (size_t)n * w->as_size);
  pl_stats_settle(w->as, w->sum.shift, w->stage, n);
}

// `rows` rows of n neighbouring cells, from `at` on, one run of the last reduced axis.
static void column_run(const stats_work *w, const char *at, int64_t rows, int64_t n) {
  ptrdiff_t step = step_of(&w->red);
  if (w->type == w->as) {
    pl_stats_add_rows(w->as, &w->sum, at, step, rows, n, *w->whole);
    return;
  }
  for (int64_t group; rows > 0; rows -= group) {
    group = least(rows, GROUP);
    for (int64_t i = 0; i < group; i++, at += step * (ptrdiff_t)w->size) {
      to_work(w, at, n, w->stage + (size_t)(i * WIDTH) * w->as_size);
      if (pl_stats_wide_integer(w->type))
        pl_stats_extremes(w->type, at, n, w->segment.lo, w->segment.hi, true);
    }
    pl_stats_add_rows(w->as, &w->sum, w->stage, WIDTH, group, n, *w->whole);
  }
}

// Values v .. stop of n neighbouring cells.
static void column_segment(const stats_work *w, ptrdiff_t cell, int64_t n, int64_t v,
                           int64_t stop) {
  pl_stats_start_sums(w->as, &w->sum, n);
  for (int64_t run; v < stop; v += run) {
    run = least(run_at(&w->red, v), stop - v);
    column_run(w, value_at(w, cell, v), run, n);
  }
}

// Values first .. end of n neighbouring cells, from offset `cell` on; their tallies begin at `to`.
void pl_stats_columns(const stats_work *w, ptrdiff_t cell, int64_t n, int64_t first, int64_t end,
                      const stats_tally *tally, int64_t to) {
  for (int64_t v = first, stop; v < end;) {
    double weight;
    bool is_first = v == first;
    stop = v + least(least(same_weight(w, v, &weight), ROWS), end - v);
    find_shift(w, cell, n, v, stop - v);
    if (pl_stats_wide_integer(w->type)) pl_stats_clear(w->type, &w->segment, 0, n);
    column_segment(w, cell, n, v, stop);
    if (*w->whole && pl_stats_missed(&w->sum, n)) {
      *w->whole = false;
      column_segment(w, cell, n, v, stop);
    }
    v = stop;
    close_segment(w, n, weight, tally, to, is_first);
  }
}

// ---- vectors over values ----------------------------------------------------------------------
// n values of one cell from value v on, converted, one after the other; extremes of wide integers.
static void gather(const stats_work *w, ptrdiff_t cell, int64_t v, int64_t n, plait_type as,
                   char *to) {
  ptrdiff_t step = step_of(&w->red);
  size_t size = as == PLAIT_F32 ? sizeof(float) : sizeof(double);
  for (int64_t run; n > 0; n -= run, v += run, to += (size_t)run * size) {
    run = least(least(run_at(&w->red, v), n), SEGMENT);
    const char *at = value_at(w, cell, v);
    if (step != 1) {
      for (int64_t i = 0; i < run; i++)
        memcpy(w->raw + (size_t)i * w->size, at + i * step * (ptrdiff_t)w->size, w->size);
      at = w->raw;
    }
    if (as == PLAIT_F32)
      plait_row_to_f32(w->type, at, run, (float *)to);
    else
      plait_row_to_f64(w->type, at, run, (double *)to);
    if (pl_stats_wide_integer(w->type))
      pl_stats_extremes(w->type, at, run, w->segment.lo, w->segment.hi, false);
  }
}

static void fill(const stats_work *w, void *to, double value, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    if (w->as == PLAIT_F32)
      ((float *)to)[i] = (float)value;
    else
      ((double *)to)[i] = value;
  }
}

static double first_finite(const stats_work *w, const char *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    double value = w->as == PLAIT_F32 ? ((const float *)x)[i] : ((const double *)x)[i];
    if (fabs(value) < INFINITY) return value;
  }
  return 0;
}

static void lane_segment(const stats_work *w, const char *x, int64_t n) {
  int64_t rows = n / LANES;
  pl_stats_start_sums(w->as, &w->sum, LANES);
  pl_stats_add_rows(w->as, &w->sum, x, LANES, rows, LANES, *w->whole);
  pl_stats_add_rows(w->as, &w->sum, x + (size_t)(rows * LANES) * w->as_size, 0, 1, n % LANES,
                    *w->whole);
}

// n contiguous values of work of one cell.
static void do_segment(const stats_work *w, const char *x, int64_t n, double weight,
                       const stats_tally *tally, int64_t to, bool first) {
  const stats_tally *t = &w->segment;
  double lo[LANES], hi[LANES], count[LANES], shift = first_finite(w, x, n);
  fill(w, w->sum.shift, shift, LANES);
  lane_segment(w, x, n);
  if (*w->whole && pl_stats_missed(&w->sum, LANES)) {
    *w->whole = false;
    lane_segment(w, x, n);
  }
  plait_row_to_f64(w->as, w->sum.n, LANES, count);
  plait_row_to_f64(w->as, w->sum.lo, LANES, lo);
  plait_row_to_f64(w->as, w->sum.hi, LANES, hi);
  pl_stats_join_lanes(w->sum.s, w->sum.q, count, lo, hi);
  t->count[0] = count[0];
  t->mean[0] = shift;
  if (!pl_stats_wide_integer(w->type)) *(double *)t->lo = lo[0], *(double *)t->hi = hi[0];
  pl_stats_fold(1, weight, &w->sum, t);
  if (first)
    pl_stats_copy(tally, to, t, 0, 1);
  else
    pl_stats_merge(w->type, tally, to, t, 0, 1);
}

// Values first .. end of the cell at offset `cell`; its tally is number `to`.
void pl_stats_cell(const stats_work *w, ptrdiff_t cell, int64_t first, int64_t end,
                   const stats_tally *tally, int64_t to) {
  for (int64_t v = first, n; v < end; v += n) {
    double weight;
    n = least(least(same_weight(w, v, &weight), SEGMENT), end - v);
    int64_t run = least(run_at(&w->red, v), n);
    bool direct = w->type == w->as && step_of(&w->red) == 1 && (run == n || run >= DIRECT);
    const char *x = w->stage;
    if (pl_stats_wide_integer(w->type)) pl_stats_clear(w->type, &w->segment, 0, 1);
    if (direct)
      x = value_at(w, cell, v), n = run;
    else
      gather(w, cell, v, n, w->as, w->stage);
    do_segment(w, x, n, weight, tally, to, v == first);
  }
}

// ---- histogram and quantiles ------------------------------------------------------------------
// Bins as numpy: of equal width, closed on the left, the last on both sides.
static void count_bins(const stats_params *p, const double *x, int64_t n, int64_t *bins) {
  double lo = p->range.at[0], hi = p->range.at[1], width = (hi - lo) / (double)p->bins;
  for (int64_t i = 0; i < n; i++) {
    if (!(x[i] >= lo && x[i] <= hi)) continue; // missing values too
    int64_t b = least((int64_t)((x[i] - lo) / width), p->bins - 1);
    if (x[i] < lo + (double)b * width)
      b--;
    else if (b < p->bins - 1 && x[i] >= lo + (double)(b + 1) * width)
      b++;
    bins[b]++;
  }
}

void pl_stats_histogram(const stats_work *w, ptrdiff_t cell, int64_t first, int64_t end,
                        int64_t *to) {
  memset(w->bins, 0, (size_t)w->p->bins * sizeof *w->bins);
  for (int64_t v = first, n; v < end; v += n) {
    n = least(SEGMENT, end - v);
    gather(w, cell, v, n, PLAIT_F64, w->stage);
    count_bins(w->p, (double *)w->stage, n, w->bins);
  }
  for (int64_t b = 0; b < w->p->bins; b++) {
#pragma omp atomic
    to[b] += w->bins[b];
  }
}

void pl_stats_cell_quantiles(const stats_work *w, ptrdiff_t cell, double *to) {
  int64_t n = 0;
  gather(w, cell, 0, w->red.total, PLAIT_F64, (char *)w->sample);
  for (int64_t i = 0; i < w->red.total; i++)
    if (w->sample[i] == w->sample[i]) w->sample[n++] = w->sample[i];
  pl_stats_quantiles(w->sample, n, &w->p->quantiles, to);
}
