// SPDX-License-Identifier: BSD-3-Clause
//
// Between the files of the kernel `stats`: its parameters, the form of a partial, and who does
// what.
#ifndef PL_STATS_H
#define PL_STATS_H
#include <plait.h>

enum { STATS_COUNT, STATS_MEAN, STATS_VARIANCE, STATS_STD, STATS_MIN, STATS_MAX, STATS_SUM };
enum { STATS_QUANTILE = STATS_SUM + 1, STATS_HISTOGRAM, STATS_KINDS };
enum { STATS_NO_WEIGHTS, STATS_COS_LAT };
enum { STATS_AUTO, STATS_F32, STATS_F64 };
enum { STATS_SLOTS = 64 }; // parts that one block of few cells is cut into

typedef struct stats_params {
  plait_axes axes;
  uint64_t statistics;
  int64_t ddof;
  plait_reals quantiles;
  int64_t bins;
  plait_reals range;
  int weights;
  int type;
} stats_params;

// What is known of some cells: structure of arrays, so that merging is a few vector operations.
// Empty cells have count, weight, mean, m2 and sum 0. Extremes of 64-bit integers are kept as they
// are, of all other types as double.
typedef struct stats_tally {
  int64_t cells;
  double *count;
  double *weight; // sum of weights; the count itself when there are none
  double *mean;
  double *m2;  // sum of weighted squared deviations from the mean
  double *sum; // NULL when not asked for
  void *lo, *hi;
} stats_tally;

typedef struct stats_partial { // views into the bytes of a partial
  stats_tally tally, slots;    // of the cells of the tile; of parts of one block (scratch)
  int64_t *histogram;          // [cells, bins], NULL when not asked for
  double *quantile;            // [cells, quantiles], NULL when not asked for
} stats_partial;

// stats.c: pure functions of the problem and parameters
bool pl_stats_wants(const stats_params *p, int kind);
bool pl_stats_wants_moments(const stats_params *p);                          // any of count .. sum
bool pl_stats_weighted(const plait_problem *problem, const stats_params *p); // latitude is reduced
int pl_stats_latitude(const plait_problem *problem);                         // axis or -1
void pl_stats_reduced(const plait_problem *problem, const stats_params *p, bool reduced[]);
size_t pl_stats_view(const plait_problem *problem, const stats_params *p, int64_t cells,
                     void *memory, stats_partial *view);
int64_t pl_stats_cells(const plait_block *box, const bool reduced[]); // of the axes that are kept

// stats_tally.c: tallies
void pl_stats_clear(plait_type type, const stats_tally *t, int64_t first, int64_t n);
void pl_stats_copy(const stats_tally *left, int64_t at, const stats_tally *right, int64_t from,
                   int64_t n);
void pl_stats_merge(plait_type type, const stats_tally *left, int64_t at, const stats_tally *right,
                    int64_t from, int64_t n);

// stats_block.c: team functions and scratch
size_t pl_stats_scratch(const plait_problem *problem, const stats_params *p);
void pl_stats_block(const plait_call *call, const plait_block *in, void *partial);

// stats_finish.c
void pl_stats_finish(const plait_call *call, const plait_block *tile, const void *partial,
                     const plait_block out[]);

// stats_quantile.c: order statistics of n numbers (permuted), none of them NaN
void pl_stats_quantiles(double *x, int64_t n, const plait_reals *wanted, double *out);

// stats_verify.c
plait_err pl_stats_verify(const plait_lab *lab);
#endif
