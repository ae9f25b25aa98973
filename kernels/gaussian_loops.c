// SPDX-License-Identifier: BSD-3-Clause
//
// gaussian: the loops that exist once per type of work. A pass over a row costs r additions of
// pairs, r + 1 multiplications, r additions a cell; 700 to 1000 million cells per second and core
// of 2023 at r = 20 in float32 (AVX-512), limited by the two loads a pair takes from L1. Fused
// multiply-adds would halve that, but round differently where they are missing.
#include "gaussian.h"
#include <math.h>

enum { LINE = GAUSSIAN_PAD, HALF = LINE / 2 };

// `width` cells, a constant: they are summed in registers, the loops over them become a few vector
// operations. (gcc 12 unrolls widths of 16 and less before it could make vectors of them.)
static inline __attribute__((always_inline)) void
block_f32(const float *c, ptrdiff_t step, const float *w, int64_t r, int width, float *to) {
  float sum[LINE];
  for (int l = 0; l < width; l++) sum[l] = w[0] * c[l];
  for (int64_t k = 1; k <= r; k++) {
    const float *a = c - k * step, *b = c + k * step;
    for (int l = 0; l < width; l++) sum[l] += w[k] * (a[l] + b[l]);
  }
  for (int l = 0; l < width; l++) to[l] = sum[l];
}

static inline __attribute__((always_inline)) void
block_f64(const double *c, ptrdiff_t step, const double *w, int64_t r, int width, double *to) {
  double sum[LINE];
  for (int l = 0; l < width; l++) sum[l] = w[0] * c[l];
  for (int64_t k = 1; k <= r; k++) {
    const double *a = c - k * step, *b = c + k * step;
    for (int l = 0; l < width; l++) sum[l] += w[k] * (a[l] + b[l]);
  }
  for (int l = 0; l < width; l++) to[l] = sum[l];
}

// The last block of a row ends with the row: it repeats a few cells, with the same bits.
static PLAIT_WIDE void taps_f32(const void *in, ptrdiff_t step, const void *weights, int64_t r,
                                int64_t n, void *out) {
  const float *from = in, *w = weights;
  float *to = out;
  int64_t x = 0;
  for (; x + LINE <= n; x += LINE) block_f32(from + x, step, w, r, LINE, to + x);
  if (n - x > HALF && n >= LINE) {
    block_f32(from + n - LINE, step, w, r, LINE, to + n - LINE);
  } else if (n >= HALF) {
    for (; x < n; x += HALF) {
      int64_t at = x + HALF <= n ? x : n - HALF;
      block_f32(from + at, step, w, r, HALF, to + at);
    }
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = w[0] * from[i];
    for (int64_t k = 1; k <= r; k++)
      for (int64_t i = 0; i < n; i++) to[i] += w[k] * (from[i - k * step] + from[i + k * step]);
  }
}

static PLAIT_WIDE void taps_f64(const void *in, ptrdiff_t step, const void *weights, int64_t r,
                                int64_t n, void *out) {
  const double *from = in, *w = weights;
  double *to = out;
  for (int64_t x = 0; x < n && n >= HALF; x += HALF) {
    int64_t at = x + HALF <= n ? x : n - HALF;
    block_f64(from + at, step, w, r, HALF, to + at);
  }
  if (n >= HALF) return;
  for (int64_t i = 0; i < n; i++) to[i] = w[0] * from[i];
  for (int64_t k = 1; k <= r; k++)
    for (int64_t i = 0; i < n; i++) to[i] += w[k] * (from[i - k * step] + from[i + k * step]);
}

static void load_f32(plait_type type, int how, const void *from, int64_t n, void *line) {
  float *restrict to = line;
  plait_row_to_f32(type, from, n, to);
  if (how == GAUSSIAN_ZERO)
    for (int64_t i = 0; i < n; i++) to[i] = to[i] == to[i] ? to[i] : 0;
  if (how == GAUSSIAN_VALID)
    for (int64_t i = 0; i < n; i++) to[i] = to[i] == to[i];
}

static void load_f64(plait_type type, int how, const void *from, int64_t n, void *line) {
  double *restrict to = line;
  plait_row_to_f64(type, from, n, to);
  if (how == GAUSSIAN_ZERO)
    for (int64_t i = 0; i < n; i++) to[i] = to[i] == to[i] ? to[i] : 0;
  if (how == GAUSSIAN_VALID)
    for (int64_t i = 0; i < n; i++) to[i] = to[i] == to[i];
}

static PLAIT_WIDE bool has_nan_f32(const void *line, int64_t n) {
  const float *x = line;
  int bad = 0;
  for (int64_t i = 0; i < n; i++) bad |= x[i] != x[i];
  return bad;
}

static PLAIT_WIDE bool has_nan_f64(const void *line, int64_t n) {
  const double *x = line;
  int bad = 0;
  for (int64_t i = 0; i < n; i++) bad |= x[i] != x[i];
  return bad;
}

static void normalise_f32(void *line, const void *weight, double full, const void *centre,
                          int64_t n) {
  float *to = line, all = (float)full;
  const float *w = weight, *c = centre;
  for (int64_t i = 0; i < n; i++) {
    if (w[i] != all) to[i] = w[i] > 0 ? to[i] / w[i] : NAN;
    if (c && c[i] != c[i]) to[i] = NAN;
  }
}

static void normalise_f64(void *line, const void *weight, double full, const void *centre,
                          int64_t n) {
  double *to = line;
  const double *w = weight, *c = centre;
  for (int64_t i = 0; i < n; i++) {
    if (w[i] != full) to[i] = w[i] > 0 ? to[i] / w[i] : NAN;
    if (c && c[i] != c[i]) to[i] = NAN;
  }
}

static void store_f32(plait_type type, void *line, int64_t n, void *to) {
  plait_row_from_f32(type, line, n, to);
}

static void store_f64(plait_type type, void *line, int64_t n, void *to) {
  plait_row_from_f64(type, line, n, to);
}

const gaussian_arith pl_gaussian_f32 = {sizeof(float), load_f32,      has_nan_f32,
                                        taps_f32,      normalise_f32, store_f32};
const gaussian_arith pl_gaussian_f64 = {sizeof(double), load_f64,      has_nan_f64,
                                        taps_f64,       normalise_f64, store_f64};
