// SPDX-License-Identifier: BSD-3-Clause
//
// stats: exact quantiles by selection. Every quantile needs one or two order statistics; Hoare's
// selection (Find, 1961) with the median of three puts them in place in linear time on average,
// each in the part of the array that those before have left to search.
#include "stats.h"
#include <math.h>

static void swap(double *a, double *b) {
  double t = *a;
  *a = *b;
  *b = t;
}

// Reorders x[lo .. hi] so that x[k] is in its sorted place, nothing above it before it.
static void select_nth(double *x, int64_t lo, int64_t hi, int64_t k) {
  while (lo < hi) {
    int64_t mid = lo + (hi - lo) / 2, i = lo, j = hi;
    if (x[mid] < x[lo]) swap(&x[mid], &x[lo]);
    if (x[hi] < x[lo]) swap(&x[hi], &x[lo]);
    if (x[hi] < x[mid]) swap(&x[hi], &x[mid]);
    double pivot = x[mid];
    while (i <= j) {
      while (x[i] < pivot) i++;
      while (x[j] > pivot) j--;
      if (i <= j) swap(&x[i++], &x[j--]);
    }
    if (k <= j)
      hi = j;
    else if (k >= i)
      lo = i;
    else
      return;
  }
}

// out[q] for each wanted probability: linear interpolation between order statistics at (n - 1) p,
// definition 7 of Hyndman and Fan (1996), the default of numpy. NaN when n is 0. Not collective.
void pl_stats_quantiles(double *x, int64_t n, const plait_reals *wanted, double *out) {
  for (int q = 0; q < wanted->n; q++) {
    if (n == 0) {
      out[q] = NAN;
      continue;
    }
    double place = (double)(n - 1) * wanted->at[q];
    int64_t k = (int64_t)place;
    if (k > n - 1) k = n - 1;
    double t = place - (double)k;
    select_nth(x, 0, n - 1, k);
    double a = x[k], b = a;
    if (t > 0 && k + 1 < n) {
      b = x[k + 1]; // the smallest of what lies above
      for (int64_t i = k + 2; i < n; i++) b = x[i] < b ? x[i] : b;
    }
    out[q] = t == 0 ? a : t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t; // numpy's _lerp
  }
}
