// SPDX-License-Identifier: BSD-3-Clause
//
// stats: one block -> a partial, in one pass over the values.
//
// A block is cut into segments that a thread reads once, from memory or cache: some hundred values
// of each of some hundred cells. Inside, values are taken relative to a shift, the first value of
// the cell in the segment, and their sums and squares are added in float64 (the shifted-data
// algorithm, Chan, Golub and LeVeque 1983). As the shift is one of the n values, the condition of
// the sum of squares is at most n + 1, so the variance of a segment is good to about n roundings,
// without a second pass. Segments are merged by stats_tally.c in the order of the values. When the
// last axis is kept, vectors run over cells. When it is reduced, they run over 32 lanes of one cell
// that are added up in a tree. Few cells are cut into parts, so that threads share them. Cost: 5
// flops and 2 comparisons per value; 12 to 18 GB/s of float32 per core of 2023.
#include "stats.h"
#include <math.h>
#include <string.h>

enum { WIDTH = 512, ROWS = 256, GROUP = 8, LANES = 32, SEGMENT = 4096, DIRECT = 512 };
enum { PART_VALUES = 8192 }; // fewer values are not worth a part of their own

typedef struct walk { // the values of a cell, or the cells: row-major over a few axes
  int n;
  int64_t extent[PLAIT_DIMS], total;
  ptrdiff_t stride[PLAIT_DIMS]; // in values
} walk;

typedef struct columns {     // sums over the rows of a segment, one per cell; T: float or double
  void *shift, *lo, *hi, *n; // T
  double *s, *q;             // sums of x - shift and of its square
} columns;

typedef struct work { // of one thread
  const plait_call *call;
  const stats_params *p;
  const plait_block *in;
  plait_type type, as; // of the block; of the arithmetic
  size_t size, as_size;
  walk kept, red;
  int64_t parts;
  stats_partial partial;
  const double *weight; // per cell of the latitude axis in the block, NULL: none
  int64_t weight_run, weight_n;
  columns sum;
  stats_tally segment; // scratch: up to WIDTH cells
  char *stage, *raw;
  double *weights, *sample;
  int64_t *bins;
} work;

// ---- the two loops --------------------------------------------------------------------------
// Adds `rows` rows of n cells, `step` apart. Missing values count nothing and add zero; comparisons
// with them are false, so they are no extremes.
static PLAIT_WIDE void columns_f32(const float *restrict at, ptrdiff_t step, int64_t rows,
                                   int64_t n, const float *restrict shift, float *restrict lo,
                                   float *restrict hi, float *restrict count, double *restrict s,
                                   double *restrict q) {
  for (; rows >= GROUP; rows -= GROUP, at += GROUP * step)
    for (int64_t c = 0; c < n; c++) {
      float x[GROUP], l = lo[c], h = hi[c], k = 0, o = shift[c];
      double d[GROUP];
      for (int i = 0; i < GROUP; i++) {
        x[i] = at[c + i * step];
        l = x[i] < l ? x[i] : l;
        h = x[i] > h ? x[i] : h;
        k += x[i] == x[i] ? 1.0F : 0.0F;
        x[i] = x[i] == x[i] ? x[i] : o;
        d[i] = (double)x[i] - (double)o;
      }
      lo[c] = l, hi[c] = h, count[c] += k;
      s[c] += ((d[0] + d[1]) + (d[2] + d[3])) + ((d[4] + d[5]) + (d[6] + d[7]));
      q[c] += ((d[0] * d[0] + d[1] * d[1]) + (d[2] * d[2] + d[3] * d[3])) +
              ((d[4] * d[4] + d[5] * d[5]) + (d[6] * d[6] + d[7] * d[7]));
    }
  for (; rows > 0; rows--, at += step)
    for (int64_t c = 0; c < n; c++) {
      float x = at[c], o = shift[c], y = x == x ? x : o;
      double d = (double)y - (double)o;
      lo[c] = x < lo[c] ? x : lo[c];
      hi[c] = x > hi[c] ? x : hi[c];
      count[c] += x == x ? 1.0F : 0.0F;
      s[c] += d;
      q[c] += d * d;
    }
}

static PLAIT_WIDE void columns_f64(const double *restrict at, ptrdiff_t step, int64_t rows,
                                   int64_t n, const double *restrict shift, double *restrict lo,
                                   double *restrict hi, double *restrict count, double *restrict s,
                                   double *restrict q) {
  for (; rows >= GROUP; rows -= GROUP, at += GROUP * step)
    for (int64_t c = 0; c < n; c++) {
      double x[GROUP], l = lo[c], h = hi[c], k = 0, o = shift[c];
      double d[GROUP];
      for (int i = 0; i < GROUP; i++) {
        x[i] = at[c + i * step];
        l = x[i] < l ? x[i] : l;
        h = x[i] > h ? x[i] : h;
        k += x[i] == x[i] ? 1.0 : 0.0;
        x[i] = x[i] == x[i] ? x[i] : o;
        d[i] = (double)x[i] - (double)o;
      }
      lo[c] = l, hi[c] = h, count[c] += k;
      s[c] += ((d[0] + d[1]) + (d[2] + d[3])) + ((d[4] + d[5]) + (d[6] + d[7]));
      q[c] += ((d[0] * d[0] + d[1] * d[1]) + (d[2] * d[2] + d[3] * d[3])) +
              ((d[4] * d[4] + d[5] * d[5]) + (d[6] * d[6] + d[7] * d[7]));
    }
  for (; rows > 0; rows--, at += step)
    for (int64_t c = 0; c < n; c++) {
      double x = at[c], o = shift[c], y = x == x ? x : o;
      double d = (double)y - (double)o;
      lo[c] = x < lo[c] ? x : lo[c];
      hi[c] = x > hi[c] ? x : hi[c];
      count[c] += x == x ? 1.0 : 0.0;
      s[c] += d;
      q[c] += d * d;
    }
}

static void add_rows(const work *w, const void *at, ptrdiff_t step, int64_t rows, int64_t n) {
  const columns *c = &w->sum;
  if (w->as == PLAIT_F32)
    columns_f32(at, step, rows, n, c->shift, c->lo, c->hi, c->n, c->s, c->q);
  else
    columns_f64(at, step, rows, n, c->shift, c->lo, c->hi, c->n, c->s, c->q);
}

static void to_work(const work *w, const void *from, int64_t n, void *to) {
  if (w->as == PLAIT_F32)
    plait_row_to_f32(w->type, from, n, to);
  else
    plait_row_to_f64(w->type, from, n, to);
}

// Extremes of 64-bit integers, which float64 cannot hold.
static PLAIT_WIDE void extremes_64(plait_type type, const void *row, int64_t n, void *lo, void *hi,
                                   bool across) {
  if (type == PLAIT_I64) {
    const int64_t *x = row;
    int64_t *l = lo, *h = hi;
    for (int64_t i = 0; i < n; i++) {
      int64_t c = across ? i : 0;
      l[c] = x[i] < l[c] ? x[i] : l[c];
      h[c] = x[i] > h[c] ? x[i] : h[c];
    }
  } else {
    const uint64_t *x = row;
    uint64_t *l = lo, *h = hi;
    for (int64_t i = 0; i < n; i++) {
      int64_t c = across ? i : 0;
      l[c] = x[i] < l[c] ? x[i] : l[c];
      h[c] = x[i] > h[c] ? x[i] : h[c];
    }
  }
}

static bool is_wide_integer(plait_type type) {
  return type == PLAIT_I64 || type == PLAIT_U64;
}

// ---- walks ----------------------------------------------------------------------------------
static ptrdiff_t position(const walk *path, int64_t i) {
  ptrdiff_t at = 0;
  for (int d = path->n - 1; d >= 0; d--) {
    at += (ptrdiff_t)(i % path->extent[d]) * path->stride[d];
    i /= path->extent[d];
  }
  return at;
}

// An axis joins the one before it when both are walked in one stride.
static void add_axis(walk *path, int64_t extent, ptrdiff_t stride, bool neighbour) {
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

static void make_walks(work *w) {
  const bool *reduced = w->call->plan->reduced;
  int before = -1; // the axis before
  w->kept.total = w->red.total = 1;
  for (int d = 0; d < w->in->ndim; d++) {
    if (w->in->extent[d] == 1) continue;
    walk *path = reduced[d] ? &w->red : &w->kept;
    add_axis(path, w->in->extent[d], w->in->stride[d],
             before >= 0 && reduced[before] == reduced[d]);
    before = d;
  }
}

// Contiguous run of values from value v of the cell at `base`.
static int64_t run_at(const walk *path, int64_t v) {
  if (path->n == 0) return 1;
  int64_t extent = path->extent[path->n - 1];
  return extent - v % extent;
}

static ptrdiff_t step_of(const walk *path) {
  return path->n > 0 ? path->stride[path->n - 1] : 0;
}

static const char *value_at(const work *w, ptrdiff_t cell, int64_t v) {
  return (const char *)w->in->data + (cell + position(&w->red, v)) * (ptrdiff_t)w->size;
}

// How far values from v on have the weight of v, and that weight.
static int64_t same_weight(const work *w, int64_t v, double *weight) {
  *weight = 1;
  if (!w->weight) return INT64_MAX;
  *weight = w->weight[v / w->weight_run % w->weight_n];
  return w->weight_run - v % w->weight_run;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// ---- a segment ------------------------------------------------------------------------------
static PLAIT_WIDE bool settle_f32(float *restrict shift, const float *restrict row, int64_t n) {
  int open = 0;
  for (int64_t c = 0; c < n; c++) {
    float x = fabsf(shift[c]) < INFINITY ? shift[c] : row[c];
    shift[c] = x;
    open |= !(fabsf(x) < INFINITY);
  }
  return !open;
}

static PLAIT_WIDE bool settle_f64(double *restrict shift, const double *restrict row, int64_t n) {
  int open = 0;
  for (int64_t c = 0; c < n; c++) {
    double x = fabs(shift[c]) < INFINITY ? shift[c] : row[c];
    shift[c] = x;
    open |= !(fabs(x) < INFINITY);
  }
  return !open;
}

static bool settle(const work *w, const void *row, int64_t n) {
  return w->as == PLAIT_F32 ? settle_f32(w->sum.shift, row, n) : settle_f64(w->sum.shift, row, n);
}

static void fill(const work *w, void *to, double value, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    if (w->as == PLAIT_F32)
      ((float *)to)[i] = (float)value;
    else
      ((double *)to)[i] = value;
  }
}

static void start_sums(const work *w, int64_t n) {
  fill(w, w->sum.lo, INFINITY, n);
  fill(w, w->sum.hi, -INFINITY, n);
  memset(w->sum.n, 0, (size_t)n * w->as_size);
  memset(w->sum.s, 0, (size_t)n * sizeof(double));
  memset(w->sum.q, 0, (size_t)n * sizeof(double));
}

// Sums -> tally, in float64. On entry count, mean, lo, hi of the tally hold n, shift, lo, hi.
static PLAIT_WIDE void fold(int64_t n, double weight, const columns *sum, const stats_tally *t) {
  double *restrict count = t->count, *restrict mean = t->mean, *restrict m2 = t->m2;
  const double *restrict s = sum->s, *restrict q = sum->q;
  if (t->sum)
    for (int64_t c = 0; c < n; c++) t->sum[c] = count[c] * mean[c] + s[c];
  for (int64_t c = 0; c < n; c++) {
    double k = count[c] > 0 ? count[c] : 1;
    double square = q[c] - s[c] * s[c] / k;
    mean[c] = count[c] > 0 ? mean[c] + s[c] / k : 0;
    m2[c] = square < 0 ? 0 : weight * square;
  }
  if (t->weight != t->count)
    for (int64_t c = 0; c < n; c++) t->weight[c] = weight * count[c];
}

// Makes the sums of n columns, or adds them to, cells at .. at + n of the tallies of this block.
static void close_segment(const work *w, int64_t n, double weight, const stats_tally *to,
                          int64_t at, bool first) {
  const stats_tally *t = &w->segment;
  const void *from[] = {w->sum.n, w->sum.shift, w->sum.lo, w->sum.hi};
  double *into[] = {t->count, t->mean, t->lo, t->hi};
  for (int i = 0; i < (is_wide_integer(w->type) ? 2 : 4); i++)
    plait_row_to_f64(w->as, from[i], n, into[i]);
  fold(n, weight, &w->sum, t);
  if (first)
    pl_stats_copy(to, at, t, 0, n);
  else
    pl_stats_merge(w->type, to, at, t, 0, n);
}

// ---- vectors over cells -----------------------------------------------------------------------
static const void *row_of(const work *w, const char *at, int64_t n) {
  if (w->type == w->as) return at;
  to_work(w, at, n, w->stage);
  return w->stage;
}

// The shift of n neighbouring cells: the first finite value of each from value v on, or 0.
static void find_shift(const work *w, ptrdiff_t cell, int64_t n, int64_t v, int64_t rows) {
  to_work(w, value_at(w, cell, v), n, w->sum.shift);
  for (int64_t r = 0; r < rows; r++) // usually ends at once
    if (settle(w, row_of(w, value_at(w, cell, v + r), n), n)) return;
  memset(w->stage, 0, (size_t)n * w->as_size);
  settle(w, w->stage, n);
}

// `rows` rows of n neighbouring cells, from `at` on, one run of the last reduced axis.
static void column_run(const work *w, const char *at, int64_t rows, int64_t n) {
  ptrdiff_t step = step_of(&w->red);
  if (w->type == w->as) {
    add_rows(w, at, step, rows, n);
    return;
  }
  for (int64_t group; rows > 0; rows -= group) {
    group = least(rows, GROUP);
    for (int64_t i = 0; i < group; i++, at += step * (ptrdiff_t)w->size) {
      to_work(w, at, n, w->stage + (size_t)(i * WIDTH) * w->as_size);
      if (is_wide_integer(w->type)) extremes_64(w->type, at, n, w->segment.lo, w->segment.hi, true);
    }
    add_rows(w, w->stage, WIDTH, group, n);
  }
}

// Values first .. end of n neighbouring cells, from offset `cell` on; their tallies begin at `to`.
static void do_columns(const work *w, ptrdiff_t cell, int64_t n, int64_t first, int64_t end,
                       const stats_tally *tally, int64_t to) {
  for (int64_t v = first, stop; v < end;) {
    double weight;
    bool is_first = v == first;
    stop = v + least(least(same_weight(w, v, &weight), ROWS), end - v);
    find_shift(w, cell, n, v, stop - v);
    start_sums(w, n);
    if (is_wide_integer(w->type)) pl_stats_clear(w->type, &w->segment, 0, n);
    for (int64_t run; v < stop; v += run) {
      run = least(run_at(&w->red, v), stop - v);
      column_run(w, value_at(w, cell, v), run, n);
    }
    close_segment(w, n, weight, tally, to, is_first);
  }
}

// ---- vectors over values ----------------------------------------------------------------------
// n values of one cell from value v on, converted, one after the other; extremes of wide integers.
static void gather(const work *w, ptrdiff_t cell, int64_t v, int64_t n, plait_type as, char *to) {
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
    if (is_wide_integer(w->type))
      extremes_64(w->type, at, run, w->segment.lo, w->segment.hi, false);
  }
}

static double first_finite(const work *w, const char *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    double value = w->as == PLAIT_F32 ? ((const float *)x)[i] : ((const double *)x)[i];
    if (fabs(value) < INFINITY) return value;
  }
  return 0;
}

// Adds lanes up pairwise into lane 0 of float64 sums.
static void join_lanes(double *s, double *q, double *count, double *lo, double *hi) {
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) {
      s[i] += s[i + half];
      q[i] += q[i + half];
      count[i] += count[i + half];
      lo[i] = lo[i + half] < lo[i] ? lo[i + half] : lo[i];
      hi[i] = hi[i + half] > hi[i] ? hi[i + half] : hi[i];
    }
}

// n contiguous values of work of one cell.
static void do_segment(const work *w, const char *x, int64_t n, double weight,
                       const stats_tally *tally, int64_t to, bool first) {
  const stats_tally *t = &w->segment;
  double lo[LANES], hi[LANES], count[LANES], shift = first_finite(w, x, n);
  fill(w, w->sum.shift, shift, LANES);
  start_sums(w, LANES);
  add_rows(w, x, LANES, n / LANES, LANES);
  add_rows(w, x + (size_t)(n / LANES * LANES) * w->as_size, 0, 1, n % LANES);
  plait_row_to_f64(w->as, w->sum.n, LANES, count);
  plait_row_to_f64(w->as, w->sum.lo, LANES, lo);
  plait_row_to_f64(w->as, w->sum.hi, LANES, hi);
  join_lanes(w->sum.s, w->sum.q, count, lo, hi);
  t->count[0] = count[0];
  t->mean[0] = shift;
  if (!is_wide_integer(w->type)) *(double *)t->lo = lo[0], *(double *)t->hi = hi[0];
  fold(1, weight, &w->sum, t);
  if (first)
    pl_stats_copy(tally, to, t, 0, 1);
  else
    pl_stats_merge(w->type, tally, to, t, 0, 1);
}

// Values first .. end of the cell at offset `cell`; its tally is number `to`.
static void do_cell(const work *w, ptrdiff_t cell, int64_t first, int64_t end,
                    const stats_tally *tally, int64_t to) {
  for (int64_t v = first, n; v < end; v += n) {
    double weight;
    n = least(least(same_weight(w, v, &weight), SEGMENT), end - v);
    int64_t run = least(run_at(&w->red, v), n);
    bool direct = w->type == w->as && step_of(&w->red) == 1 && (run == n || run >= DIRECT);
    const char *x = w->stage;
    if (is_wide_integer(w->type)) pl_stats_clear(w->type, &w->segment, 0, 1);
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

static void do_histogram(const work *w, ptrdiff_t cell, int64_t first, int64_t end, int64_t *to) {
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

static void do_quantiles(const work *w, ptrdiff_t cell, double *to) {
  int64_t n = 0;
  gather(w, cell, 0, w->red.total, PLAIT_F64, (char *)w->sample);
  for (int64_t i = 0; i < w->red.total; i++)
    if (w->sample[i] == w->sample[i]) w->sample[n++] = w->sample[i];
  pl_stats_quantiles(w->sample, n, &w->p->quantiles, to);
}

// ---- a block ----------------------------------------------------------------------------------
// Gives out `bytes` of scratch; without memory only counts them.
static void *take(char *memory, size_t *used, size_t bytes) {
  void *at = memory ? memory + *used : NULL;
  *used += (bytes + 63) / 64 * 64;
  return at;
}

static size_t lay_out(const plait_problem *problem, const stats_params *p, char *memory, work *w) {
  size_t used = 0, row = WIDTH * sizeof(double), values = 1;
  bool reduced[PLAIT_DIMS] = {false};
  int latitude = pl_stats_latitude(problem);
  columns *sum = &w->sum;
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
  work w = {0};
  return lay_out(problem, p, NULL, &w);
}

// Cosine of the latitudes of the block: the area of a cell of a regular grid, up to a factor.
static void make_weights(work *w) {
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

static void start(const plait_call *call, const plait_block *in, void *partial, work *w) {
  plait_type type = in->type;
  bool narrow = type <= PLAIT_U16 || type == PLAIT_F32;
  *w = (work){.call = call,
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

static int64_t part_start(const work *w, int64_t part) {
  return w->red.total / w->parts * part + least(w->red.total % w->parts, part);
}

// Cells side by side in memory, in pieces of up to WIDTH: enough pieces for every team.
static void columns_of_block(const work *w) {
  int64_t across = w->kept.extent[w->kept.n - 1], outer = w->kept.total / across;
  int64_t wide = (w->kept.total / 16 + LANES - 1) / LANES * LANES;
  int64_t width = wide < LANES ? LANES : least(wide, WIDTH), pieces = (across + width - 1) / width;
  const stats_tally *to = w->parts > 1 ? &w->partial.slots : &w->partial.tally;
#pragma omp for schedule(dynamic)
  for (int64_t i = 0; i < outer * pieces * w->parts; i++) {
    int64_t piece = i % pieces, part = i / pieces % w->parts, row = i / pieces / w->parts;
    int64_t cell = row * across + piece * width, n = least(width, across - piece * width);
    do_columns(w, position(&w->kept, cell), n, part_start(w, part), part_start(w, part + 1), to,
               part * w->kept.total + cell);
  }
}

static void cells_of_block(const work *w) {
  const stats_tally *to = w->parts > 1 ? &w->partial.slots : &w->partial.tally;
#pragma omp for schedule(dynamic, 4)
  for (int64_t i = 0; i < w->kept.total * w->parts; i++) {
    int64_t cell = i % w->kept.total, part = i / w->kept.total;
    do_cell(w, position(&w->kept, cell), part_start(w, part), part_start(w, part + 1), to, i);
  }
}

static void moments_of_block(const work *w) {
  const walk *kept = &w->kept;
  bool across = kept->n > 0 && step_of(kept) == 1 && kept->extent[kept->n - 1] >= LANES / 2;
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

static void histogram_of_block(const work *w) {
  int64_t bins = w->p->bins, cells = w->kept.total;
#pragma omp for
  for (int64_t i = 0; i < cells * bins; i++) w->partial.histogram[i] = 0;
#pragma omp for schedule(dynamic)
  for (int64_t i = 0; i < cells * w->parts; i++) {
    int64_t cell = i % cells, part = i / cells;
    do_histogram(w, position(&w->kept, cell), part_start(w, part), part_start(w, part + 1),
                 w->partial.histogram + cell * bins);
  }
}

static void quantiles_of_block(const work *w) {
#pragma omp for schedule(dynamic)
  for (int64_t i = 0; i < w->kept.total; i++)
    do_quantiles(w, position(&w->kept, i), w->partial.quantile + i * w->p->quantiles.n);
}

void pl_stats_block(const plait_call *call, const plait_block *in, void *partial) {
  work w;
  start(call, in, partial, &w);
  if (pl_stats_wants_moments(w.p)) moments_of_block(&w);
  if (w.partial.histogram) histogram_of_block(&w);
  if (w.partial.quantile) quantiles_of_block(&w);
}
