// SPDX-License-Identifier: BSD-3-Clause
//
// stats: what must hold, on a small field of three axes with missing values. Every subset of axes
// is compared with a plain reference in two passes and long double; cuts into blocks change at most
// the last bits; constants have no variance, a shift of all values none either; quantiles and
// histogram are those of the sorted values.
#include "stats.h"
#include <math.h>
#include <string.h>

enum { NT = 9, NY = 13, NX = 37, CELLS = NT * NY * NX };

static const double latitude[NY] = {-85, -70, -60, -45, -30, -15, 0, 15, 30, 45, 60, 70, 85};
static const plait_array field = {.name = "field",
                                  .units = "K",
                                  .type = PLAIT_F64,
                                  .ndim = 3,
                                  .shape = {NT, NY, NX},
                                  .dims = {"time", "lat", "lon"},
                                  .coord = {NULL, latitude, NULL},
                                  .coord_units = {"", "degrees_north", ""}};

#define TRY_HERE(call)                                                                             \
  do {                                                                                             \
    plait_err err_ = (call);                                                                       \
    if (err_ != PLAIT_OK) return err_;                                                             \
  } while (0)

typedef struct results { // as many cells as the reduction keeps
  int32_t count[CELLS];
  double mean[CELLS], std[CELLS], min[CELLS], max[CELLS];
} results;

static void make_field(uint64_t seed, double *a) {
  for (uint64_t i = 0; i < CELLS; i++) {
    uint32_t r[4];
    plait_random(seed, 0, i, r);
    a[i] = 280 + 10 * plait_uniform(r[0], r[1]);
    if (r[2] % 5 == 0 || i % (NY * NX) < 40) a[i] = NAN;
  }
}

static plait_err apply(const plait_lab *lab, const char *settings, const double *in,
                       const int64_t *block, results *r) {
  return lab->apply(lab, settings, &field, in, block,
                    (void *const[]){r->count, r->mean, r->std, r->min, r->max});
}

// ---- the plain reference --------------------------------------------------------------------
static int64_t cell_ref(int axes, int64_t i) { // bit d of axes: axis d is reduced
  int64_t t = i / (NY * NX), y = i / NX % NY, x = i % NX, cell = 0;
  if (!(axes & 1)) cell = t;
  if (!(axes & 2)) cell = cell * NY + y;
  if (!(axes & 4)) cell = cell * NX + x;
  return cell;
}

static double weight_ref(bool weighted, int64_t i) {
  return weighted ? cos(latitude[i / NX % NY] * 3.14159265358979323846 / 180) : 1;
}

static void stats_ref(const double *a, int axes, bool weighted, int64_t cells, results *r) {
  for (int64_t c = 0; c < cells; c++) {
    long double sum = 0, squares = 0, weights = 0;
    r->count[c] = 0;
    r->min[c] = INFINITY, r->max[c] = -INFINITY;
    for (int64_t i = 0; i < CELLS; i++) {
      if (cell_ref(axes, i) != c || isnan(a[i])) continue;
      r->count[c]++;
      weights += weight_ref(weighted, i);
      sum += weight_ref(weighted, i) * (long double)a[i];
      r->min[c] = fmin(r->min[c], a[i]);
      r->max[c] = fmax(r->max[c], a[i]);
    }
    long double mean = sum / weights;
    for (int64_t i = 0; i < CELLS; i++)
      if (cell_ref(axes, i) == c && !isnan(a[i]))
        squares +=
            weight_ref(weighted, i) * ((long double)a[i] - mean) * ((long double)a[i] - mean);
    r->mean[c] = r->count[c] ? (double)mean : NAN;
    r->std[c] = r->count[c] ? (double)sqrtl(squares / weights) : NAN;
    if (!r->count[c]) r->min[c] = r->max[c] = NAN;
  }
}

static bool near(double a, double b, double tolerance) {
  return isnan(a) ? isnan(b) : fabs(a - b) <= tolerance;
}

static bool same(const results *a, const results *b, int64_t i) {
  return a->count[i] == b->count[i] && near(a->mean[i], b->mean[i], 1e-11) &&
         near(a->std[i], b->std[i], 1e-11) && near(a->min[i], b->min[i], 0) &&
         near(a->max[i], b->max[i], 0);
}

// ---- properties -----------------------------------------------------------------------------
static plait_err compare(const plait_lab *lab, const char *settings, const double *in,
                         const results *ref, int64_t cells) {
  static const int64_t blocks[][PLAIT_DIMS] = {{NT, NY, NX}, {1, NY, NX}, {NT, 1, 5}, {2, 4, 16}};
  for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
    results r;
    TRY_HERE(apply(lab, settings, in, blocks[b], &r));
    for (int64_t i = 0; i < cells; i++)
      if (!same(&r, ref, i))
        return plait_fail(PLAIT_VERIFY,
                          "stats: %s in blocks of %d x %d x %d gives mean %.17g, std %.17g at "
                          "cell %d where %.17g, %.17g is right",
                          settings, (int)blocks[b][0], (int)blocks[b][1], (int)blocks[b][2],
                          r.mean[i], r.std[i], (int)i, ref->mean[i], ref->std[i]);
  }
  return PLAIT_OK;
}

static plait_err check_subsets(const plait_lab *lab) {
  static const char *const settings[] = {
      NULL,       "axes=time",        "axes=lat",        "axes=[time, lat]",
      "axes=lon", "axes=[time, lon]", "axes=[lat, lon]", "axes=all"};
  double in[CELLS];
  results ref;
  make_field(1, in);
  for (int axes = 1; axes < 8; axes++) {
    int64_t cells = (axes & 1 ? 1 : NT) * (axes & 2 ? 1 : NY) * (axes & 4 ? 1 : NX);
    stats_ref(in, axes, false, cells, &ref);
    TRY_HERE(compare(lab, settings[axes], in, &ref, cells));
  }
  stats_ref(in, 6, true, NT, &ref);
  TRY_HERE(compare(lab, "axes=[lat, lon] weights=cos_lat", in, &ref, NT));
  stats_ref(in, 3, true, NX, &ref);
  return compare(lab, "axes=[time, lat] weights=cos_lat", in, &ref, NX);
}

// Constants have exactly no variance. When 2^30 is added, the rounding of means (1e-7) shows in std
// at 1e-7 of it or less; a sum of squares would lose all its digits.
static plait_err check_shift(const plait_lab *lab) {
  static const int64_t block[PLAIT_DIMS] = {2, 5, 8};
  double in[CELLS];
  results a, b;
  for (int i = 0; i < CELLS; i++) in[i] = 0.1;
  TRY_HERE(apply(lab, "axes=all", in, block, &a));
  if (a.mean[0] != 0.1 || a.std[0] != 0)
    return plait_fail(PLAIT_VERIFY, "stats: 0.1 everywhere has mean %.17g and std %.17g", a.mean[0],
                      a.std[0]);
  make_field(2, in);
  for (int i = 0; i < CELLS; i++) in[i] = floor((in[i] - 285) * 1024) / 1024;
  TRY_HERE(apply(lab, "axes=time", in, block, &a));
  for (int i = 0; i < CELLS; i++) in[i] += 0x1p30;
  TRY_HERE(apply(lab, "axes=time", in, block, &b));
  for (int i = 0; i < NY * NX; i++)
    if (!near(a.std[i], b.std[i], 1e-6))
      return plait_fail(PLAIT_VERIFY, "stats: std %.17g becomes %.17g when 2^30 is added", a.std[i],
                        b.std[i]);
  return PLAIT_OK;
}

// Number of values of one grid point below x, and at most x.
static void rank_ref(const double *in, int point, double x, int *below, int *up_to) {
  *below = *up_to = 0;
  for (int t = 0; t < NT; t++) {
    *below += in[t * NY * NX + point] < x;
    *up_to += in[t * NY * NX + point] <= x;
  }
}

// The median has half of the values on each side; the bins hold all values in their range.
static plait_err check_order(const plait_lab *lab) {
  double in[CELLS], median[NY * NX];
  int32_t bins[NY * NX][8];
  make_field(3, in);
  TRY_HERE(lab->apply(lab, "axes=time statistics=quantile quantiles=0.5", &field, in, NULL,
                      (void *const[]){median}));
  TRY_HERE(lab->apply(lab, "axes=time statistics=histogram bins=8 range=[280, 288]", &field, in,
                      NULL, (void *const[]){bins}));
  for (int p = 0; p < NY * NX; p++) {
    int below, up_to, first, at_288, all, in_bins = 0;
    rank_ref(in, p, median[p], &below, &up_to);
    rank_ref(in, p, INFINITY, &first, &all);
    rank_ref(in, p, 288, &first, &at_288);
    for (int b = 0; b < 8; b++) in_bins += bins[p][b];
    bool middle = all == 0 ? isnan(median[p]) : 2 * below <= all && 2 * up_to >= all;
    if (!middle || in_bins != at_288)
      return plait_fail(PLAIT_VERIFY, "stats: median %.17g of %d values; %d in bins, not %d",
                        median[p], all, in_bins, at_288);
  }
  return PLAIT_OK;
}

plait_err pl_stats_verify(const plait_lab *lab) {
  TRY_HERE(check_subsets(lab));
  TRY_HERE(check_shift(lab));
  return check_order(lab);
}
