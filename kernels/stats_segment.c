// SPDX-License-Identifier: BSD-3-Clause
//
// stats: segments of one cell: some thousand of its values, read once. See stats_block.c for the
// method.
#include "stats_work.h"
#include <math.h>
#include <string.h>

// ---- vectors over values ----------------------------------------------------------------------
// n values of one cell from value v on, converted, one after the other; extremes of wide integers.
static void gather(const stats_work *w, ptrdiff_t cell, int64_t v, int64_t n, plait_type as,
                   char *to) {
  ptrdiff_t step = pl_stats_step(&w->red);
  size_t size = as == PLAIT_F32 ? sizeof(float) : sizeof(double);
  for (int64_t run; n > 0; n -= run, v += run, to += (size_t)run * size) {
    run = pl_stats_least(pl_stats_least(pl_stats_run(&w->red, v), n), SEGMENT);
    const char *at = pl_stats_value(w, cell, v);
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
    n = pl_stats_least(pl_stats_least(pl_stats_same_weight(w, v, &weight), SEGMENT), end - v);
    int64_t run = pl_stats_least(pl_stats_run(&w->red, v), n);
    bool direct = w->type == w->as && pl_stats_step(&w->red) == 1 && (run == n || run >= DIRECT);
    const char *x = w->stage;
    if (pl_stats_wide_integer(w->type)) pl_stats_clear(w->type, &w->segment, 0, 1);
    if (direct)
      x = pl_stats_value(w, cell, v), n = run;
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
    int64_t b = pl_stats_least((int64_t)((x[i] - lo) / width), p->bins - 1);
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
    n = pl_stats_least(SEGMENT, end - v);
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
