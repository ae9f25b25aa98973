// SPDX-License-Identifier: BSD-3-Clause
//
// Inside the block function of `stats`: what a thread holds while it reads one block, and the loops
// over its values.
#ifndef PL_STATS_WORK_H
#define PL_STATS_WORK_H
#include "stats.h"

enum { WIDTH = 2048, ROWS = 256, GROUP = 8, LANES = 32, SEGMENT = 4096, DIRECT = 2048 };

typedef struct stats_walk { // the values of a cell, or the cells: row-major over a few axes
  int n;
  int64_t extent[PLAIT_DIMS], total;
  ptrdiff_t stride[PLAIT_DIMS]; // in values
} stats_walk;

typedef struct stats_columns { // sums over the rows of a segment, one per cell; T: float or double
  void *shift, *lo, *hi, *n;   // T
  double *s, *q;               // sums of x - shift and of its square
  void *least, *most;          // extremes of integers of 64 bits, as they are
} stats_columns;

typedef struct stats_work { // of one thread
  const plait_call *call;
  const stats_params *p;
  const plait_block *in, *view; // the block; what of it is in work: all of it, or a part of a strip
  plait_type type, as;          // of the block; of the arithmetic
  size_t size, as_size;
  stats_walk kept, red; // of the view
  int64_t first;        // of the values of a cell: number of the first in the view
  int64_t cells;        // kept in the block
  int64_t parts;
  stats_partial partial;
  const double *weight; // per cell of the latitude axis in the block, NULL: none
  int64_t weight_run, weight_n;
  stats_columns sum;   // of the cells of a strip
  stats_tally segment; // scratch: of up to WIDTH cells
  bool *whole;         // nothing was missing in this block so far
  char *stage, *raw;
  double *weights, *sample;
  int64_t *bins;
} stats_work;

// stats_loops.c: vector loops
bool pl_stats_wide_integer(plait_type type);   // whose extremes float64 cannot hold
plait_type pl_stats_works_as(plait_type type); // float32 where that holds every value, else float64
// Starts n sums; adds `rows` rows of n values of work, `step` apart.
void pl_stats_start_sums(plait_type as, const stats_columns *sum, int64_t n);
void pl_stats_add_rows(plait_type as, const stats_columns *sum, const void *at, ptrdiff_t step,
                       int64_t rows, int64_t n, bool whole);
// Whether a sum made under `whole` is not to be used (a value was missing, or infinities of both
// signs).
bool pl_stats_missed(const stats_columns *sum, int64_t n);
// Replaces shifts that are not finite by the values of a row; returns whether all are finite now.
bool pl_stats_settle(plait_type as, void *shift, const void *row, int64_t n);
// Makes shifts of cells that have no value so far NaN.
void pl_stats_unsettle(plait_type as, const stats_columns *sum, int64_t n);
// Extremes of n integers of 64 bits, of a cell each (across) or all of one cell.
void pl_stats_extremes(plait_type type, const void *row, int64_t n, void *lo, void *hi,
                       bool across);
// Sums -> tally. On entry count and mean of the tally hold the counts and the shifts.
void pl_stats_fold(int64_t n, double weight, const stats_columns *sum, const stats_tally *t);
// Adds LANES sums up, pairwise, into the first.
void pl_stats_join_lanes(double *s, double *q, double *count, double *lo, double *hi);

static inline int64_t pl_stats_least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// stats_walk.c: where values are
void pl_stats_look(stats_work *w, const plait_block *view); // makes its walks
ptrdiff_t pl_stats_position(const stats_walk *path, int64_t i);
int64_t pl_stats_run(const stats_walk *path, int64_t v); // contiguous values from value v on
ptrdiff_t pl_stats_step(const stats_walk *path);         // between them
const char *pl_stats_value(const stats_work *w, ptrdiff_t cell, int64_t v); // v: of the view
// How far values from v on (of the block) have the weight of v, and that weight.
int64_t pl_stats_same_weight(const stats_work *w, int64_t v, double *weight);
void pl_stats_to_work(const stats_work *w, const void *from, int64_t n, void *to);

// stats_strip.c: cells side by side. Values first .. end of the cells of the view, as parts of it
// come; tallies begin at `to`. Between `begin` and the last `take` nothing else may use w->sum.
typedef struct stats_strip {
  int64_t first, end;  // its values
  int64_t v;           // the next one to come
  int64_t start, stop; // of the segment under way
  double weight;       // in that segment
  const stats_tally *tally;
  int64_t to;
} stats_strip;
stats_strip pl_stats_strip_begin(const stats_tally *tally, int64_t to, int64_t first, int64_t end);
// Those that are in the view. false: a value is missing in a block in which none was before; the
// strip has to be begun again, from its first part on, and now takes missing values.
bool pl_stats_strip_take(const stats_work *w, stats_strip *strip);

// stats_segment.c: values first .. end of a cell, from the block into tallies, bins, quantiles
void pl_stats_cell(const stats_work *w, ptrdiff_t cell, int64_t first, int64_t end,
                   const stats_tally *tally, int64_t to);
void pl_stats_histogram(const stats_work *w, ptrdiff_t cell, int64_t first, int64_t end,
                        int64_t *to);
void pl_stats_cell_quantiles(const stats_work *w, ptrdiff_t cell, double *to);
#endif
