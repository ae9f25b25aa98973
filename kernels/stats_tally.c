// SPDX-License-Identifier: BSD-3-Clause
//
// stats: merging of tallies. Count, mean and squared deviations of two sets that have no value in
// common are joined by the pairwise formula of Chan, Golub and LeVeque (1979); it is stable where
// sums of squares are not. About 15 flops per cell, a few vector operations; the order of merging
// is the caller's, so the bits are too.
#include "stats.h"
#include <math.h>
#include <string.h>

static void extremes_start(plait_type type, const stats_tally *t, int64_t i) {
  if (type == PLAIT_I64) {
    ((int64_t *)t->lo)[i] = INT64_MAX;
    ((int64_t *)t->hi)[i] = INT64_MIN;
  } else if (type == PLAIT_U64) {
    ((uint64_t *)t->lo)[i] = UINT64_MAX;
    ((uint64_t *)t->hi)[i] = 0;
  } else {
    ((double *)t->lo)[i] = INFINITY;
    ((double *)t->hi)[i] = -INFINITY;
  }
}

// Makes cells first .. first + n empty.
void pl_stats_clear(plait_type type, const stats_tally *t, int64_t first, int64_t n) {
  for (int64_t i = first; i < first + n; i++) {
    t->count[i] = t->weight[i] = t->mean[i] = t->m2[i] = 0;
    if (t->sum) t->sum[i] = 0;
    extremes_start(type, t, i);
  }
}

static PLAIT_WIDE void merge_moments(int64_t n, double *restrict wa, double *restrict ma,
                                     double *restrict qa, const double *restrict wb,
                                     const double *restrict mb, const double *restrict qb) {
  for (int64_t i = 0; i < n; i++) {
    double all = wa[i] + wb[i], delta = mb[i] - ma[i];
    double share = all > 0 ? wb[i] / all : 0;
    double mean = ma[i] + delta * share;
    // An infinite mean stays infinite, as the sum it stands for.
    if (!(fabs(delta) < INFINITY)) mean = ma[i] * (1 - share) + mb[i] * share;
    double m2 = qa[i] + qb[i] + delta * delta * (wa[i] * share);
    ma[i] = wb[i] > 0 ? (wa[i] > 0 ? mean : mb[i]) : ma[i];
    qa[i] = wb[i] > 0 ? (wa[i] > 0 ? m2 : qb[i]) : qa[i];
    wa[i] = all;
  }
}

static PLAIT_WIDE void add(int64_t n, double *restrict a, const double *restrict b) {
  for (int64_t i = 0; i < n; i++) a[i] += b[i];
}

static PLAIT_WIDE void extremes_f64(int64_t n, double *restrict lo, double *restrict hi,
                                    const double *restrict lo2, const double *restrict hi2) {
  for (int64_t i = 0; i < n; i++) lo[i] = lo2[i] < lo[i] ? lo2[i] : lo[i];
  for (int64_t i = 0; i < n; i++) hi[i] = hi2[i] > hi[i] ? hi2[i] : hi[i];
}

static PLAIT_WIDE void extremes_i64(int64_t n, int64_t *restrict lo, int64_t *restrict hi,
                                    const int64_t *restrict lo2, const int64_t *restrict hi2) {
  for (int64_t i = 0; i < n; i++) lo[i] = lo2[i] < lo[i] ? lo2[i] : lo[i];
  for (int64_t i = 0; i < n; i++) hi[i] = hi2[i] > hi[i] ? hi2[i] : hi[i];
}

static PLAIT_WIDE void extremes_u64(int64_t n, uint64_t *restrict lo, uint64_t *restrict hi,
                                    const uint64_t *restrict lo2, const uint64_t *restrict hi2) {
  for (int64_t i = 0; i < n; i++) lo[i] = lo2[i] < lo[i] ? lo2[i] : lo[i];
  for (int64_t i = 0; i < n; i++) hi[i] = hi2[i] > hi[i] ? hi2[i] : hi[i];
}

// Cells at .. at + n of `left` become cells from .. from + n of `right`.
void pl_stats_copy(const stats_tally *left, int64_t at, const stats_tally *right, int64_t from,
                   int64_t n) {
  size_t bytes = (size_t)n * 8;
  memcpy(left->count + at, right->count + from, bytes);
  memcpy(left->mean + at, right->mean + from, bytes);
  memcpy(left->m2 + at, right->m2 + from, bytes);
  memcpy((int64_t *)left->lo + at, (int64_t *)right->lo + from, bytes);
  memcpy((int64_t *)left->hi + at, (int64_t *)right->hi + from, bytes);
  if (left->weight != left->count) memcpy(left->weight + at, right->weight + from, bytes);
  if (left->sum) memcpy(left->sum + at, right->sum + from, bytes);
}

// Adds cells from .. from + n of `right` to cells at .. at + n of `left`.
void pl_stats_merge(plait_type type, const stats_tally *left, int64_t at, const stats_tally *right,
                    int64_t from, int64_t n) {
  const stats_tally *l = left, *r = right;
  merge_moments(n, l->weight + at, l->mean + at, l->m2 + at, r->weight + from, r->mean + from,
                r->m2 + from);
  if (l->weight != l->count) add(n, l->count + at, r->count + from);
  if (l->sum) add(n, l->sum + at, r->sum + from);
  if (type == PLAIT_I64)
    extremes_i64(n, (int64_t *)l->lo + at, (int64_t *)l->hi + at, (int64_t *)r->lo + from,
                 (int64_t *)r->hi + from);
  else if (type == PLAIT_U64)
    extremes_u64(n, (uint64_t *)l->lo + at, (uint64_t *)l->hi + at, (uint64_t *)r->lo + from,
                 (uint64_t *)r->hi + from);
  else
    extremes_f64(n, (double *)l->lo + at, (double *)l->hi + at, (double *)r->lo + from,
                 (double *)r->hi + from);
}
