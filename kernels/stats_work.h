// SPDX-License-Identifier: BSD-3-Clause
//
// Inside the block function of `stats`: what a thread holds while it reads one block, and the loops
// over its values.
#ifndef PL_STATS_WORK_H
#define PL_STATS_WORK_H
#include "stats.h"

enum { WIDTH = 512, ROWS = 256, GROUP = 8, LANES = 32, SEGMENT = 4096, DIRECT = 2048 };

typedef struct stats_walk { // the values of a cell, or the cells: row-major over a few axes
  int n;
  int64_t extent[PLAIT_DIMS], total;
  ptrdiff_t stride[PLAIT_DIMS]; // in values
} stats_walk;

typedef struct stats_columns { // sums over the rows of a segment, one per cell; T: float or double
  void *shift, *lo, *hi, *n;   // T
  double *s, *q;               // sums of x - shift and of its square
} stats_columns;

typedef struct stats_work { // of one thread
  const plait_call *call;
  const stats_params *p;
  const plait_block *in;
  plait_type type, as; // of the block; of the arithmetic
  size_t size, as_size;
  stats_walk kept, red;
  int64_t parts;
  stats_partial partial;
  const double *weight; // per cell of the latitude axis in the block, NULL: none
  int64_t weight_run, weight_n;
  stats_columns sum;
  stats_tally segment; // scratch: up to WIDTH cells
  bool *whole;         // nothing was missing in this block so far
  char *stage, *raw;
  double *weights, *sample;
  int64_t *bins;
} stats_work;

// stats_loops.c: vector loops
bool pl_stats_wide_integer(plait_type type); // whose extremes float64 cannot hold
// Starts n sums; adds `rows` rows of n values of work, `step` apart.
void pl_stats_start_sums(plait_type as, const stats_columns *sum, int64_t n);
void pl_stats_add_rows(plait_type as, const stats_columns *sum, const void *at, ptrdiff_t step,
                       int64_t rows, int64_t n, bool whole);
// Whether a sum made under `whole` is not to be used (a value was missing, or infinities of both
// signs).
bool pl_stats_missed(const stats_columns *sum, int64_t n);
// Replaces shifts that are not finite by the values of a row; returns whether all are finite now.
bool pl_stats_settle(plait_type as, void *shift, const void *row, int64_t n);
// Extremes of n integers of 64 bits, of a cell each (across) or all of one cell.
void pl_stats_extremes(plait_type type, const void *row, int64_t n, void *lo, void *hi,
                       bool across);
// Sums -> tally. On entry count and mean of the tally hold the counts and the shifts.
void pl_stats_fold(int64_t n, double weight, const stats_columns *sum, const stats_tally *t);
// Adds LANES sums up, pairwise, into the first.
void pl_stats_join_lanes(double *s, double *q, double *count, double *lo, double *hi);

// stats_segment.c: values first .. end of cells, from the block into tallies, bins, quantiles
ptrdiff_t pl_stats_position(const stats_walk *path, int64_t i);
void pl_stats_columns(const stats_work *w, ptrdiff_t cell, int64_t n, int64_t first, int64_t end,
                      const stats_tally *tally, int64_t to);
void pl_stats_cell(const stats_work *w, ptrdiff_t cell, int64_t first, int64_t end,
                   const stats_tally *tally, int64_t to);
void pl_stats_histogram(const stats_work *w, ptrdiff_t cell, int64_t first, int64_t end,
                        int64_t *to);
void pl_stats_cell_quantiles(const stats_work *w, ptrdiff_t cell, double *to);
#endif
