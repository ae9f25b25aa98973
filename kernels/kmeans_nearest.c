// SPDX-License-Identifier: BSD-3-Clause
//
// The inner loop of k-means: which centre is nearest to each of 32 points.
//
// |x - c|^2 / 2 = |x|^2 / 2 + (|c|^2 / 2 - x c): only the bracket matters, a small matrix product.
// Points lie in the lanes of vectors, centres come one by one as broadcasts, four at a time: with
// two vectors of points eight accumulators, which the sixteen registers of AVX2 hold beside what
// they are made of; no sum across lanes, and the smallest is kept lane by lane. Vectors of 64 bytes
// are not for here: where there is no AVX-512 they are taken apart in memory, at forty times the
// cost. Every point has the same operations in the same order wherever it stands.
#include "kmeans.h"
#include <math.h>
#include <string.h>

typedef float v8f __attribute__((vector_size(32), may_alias));
typedef int32_t v8i __attribute__((vector_size(32)));
typedef double v4d __attribute__((vector_size(32), may_alias));
typedef int64_t v4l __attribute__((vector_size(32)));

enum { GROUP = KM_GROUP, F32_POINTS = 16, F64_POINTS = 8 };

// c - a b, rounded once: one instruction in the copies for AVX2 and AVX-512, slow calls elsewhere.
static inline __attribute__((always_inline)) void less_f32(v8f *c, const v8f *a, float b) {
  for (int l = 0; l < 8; l++) (*c)[l] = fmaf(-(*a)[l], b, (*c)[l]);
}

static inline __attribute__((always_inline)) void less_f64(v4d *c, const v4d *a, double b) {
  for (int l = 0; l < 4; l++) (*c)[l] = fma(-(*a)[l], b, (*c)[l]);
}

// The value of each lane and its number, where it is smaller than what was.
static inline __attribute__((always_inline)) void keep_f32(const v8f *value, int32_t number,
                                                           v8f *low, v8i *where) {
  v8i nearer = *value < *low;
  *low = (v8f)(((v8i)*value & nearer) | ((v8i)*low & ~nearer));
  *where = (((v8i){0} + number) & nearer) | (*where & ~nearer);
}

static inline __attribute__((always_inline)) void keep_f64(const v4d *value, int64_t number,
                                                           v4d *low, v4l *where) {
  v4l nearer = *value < *low;
  *low = (v4d)(((v4l)*value & nearer) | ((v4l)*low & ~nearer));
  *where = (((v4l){0} + number) & nearer) | (*where & ~nearer);
}

static PLAIT_WIDE void few_f32(const km_shape *s, const km_state *state, const float *xt,
                               float *best, int32_t *at) {
  const float *half = state->half, *t = state->table;
  v8f low[2];
  v8i where[2] = {{0}};
  low[0] = low[1] = (v8f){0} + __builtin_inff();
  for (int64_t c = 0; c < s->padded; c += GROUP) {
    v8f a0 = (v8f){0} + half[c], a1 = (v8f){0} + half[c + 1], a2 = (v8f){0} + half[c + 2],
        a3 = (v8f){0} + half[c + 3], b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    for (int64_t j = 0; j < s->d; j++, t += GROUP) {
      v8f p = *(const v8f *)(xt + j * KM_BATCH), q = *(const v8f *)(xt + j * KM_BATCH + 8);
      less_f32(&a0, &p, t[0]), less_f32(&b0, &q, t[0]);
      less_f32(&a1, &p, t[1]), less_f32(&b1, &q, t[1]);
      less_f32(&a2, &p, t[2]), less_f32(&b2, &q, t[2]);
      less_f32(&a3, &p, t[3]), less_f32(&b3, &q, t[3]);
    }
    const v8f all[2][GROUP] = {{a0, a1, a2, a3}, {b0, b1, b2, b3}};
    for (int h = 0; h < 2; h++)
      for (int i = 0; i < GROUP; i++) keep_f32(&all[h][i], (int32_t)c + i, &low[h], &where[h]);
  }
  memcpy(best, low, sizeof low);
  memcpy(at, where, sizeof where);
}

static PLAIT_WIDE void few_f64(const km_shape *s, const km_state *state, const double *xt,
                               double *best, int64_t *at) {
  const double *half = state->half, *t = state->table;
  v4d low[2];
  v4l where[2] = {{0}};
  low[0] = low[1] = (v4d){0} + __builtin_inf();
  for (int64_t c = 0; c < s->padded; c += GROUP) {
    v4d a0 = (v4d){0} + half[c], a1 = (v4d){0} + half[c + 1], a2 = (v4d){0} + half[c + 2],
        a3 = (v4d){0} + half[c + 3], b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    for (int64_t j = 0; j < s->d; j++, t += GROUP) {
      v4d p = *(const v4d *)(xt + j * KM_BATCH), q = *(const v4d *)(xt + j * KM_BATCH + 4);
      less_f64(&a0, &p, t[0]), less_f64(&b0, &q, t[0]);
      less_f64(&a1, &p, t[1]), less_f64(&b1, &q, t[1]);
      less_f64(&a2, &p, t[2]), less_f64(&b2, &q, t[2]);
      less_f64(&a3, &p, t[3]), less_f64(&b3, &q, t[3]);
    }
    const v4d all[2][GROUP] = {{a0, a1, a2, a3}, {b0, b1, b2, b3}};
    for (int h = 0; h < 2; h++)
      for (int i = 0; i < GROUP; i++) keep_f64(&all[h][i], c + i, &low[h], &where[h]);
  }
  memcpy(best, low, sizeof low);
  memcpy(at, where, sizeof where);
}

void pl_kmeans_nearest_f32(const km_shape *s, const km_state *state, const float *xt, float *best,
                           int32_t *at) {
  for (int i = 0; i < KM_BATCH; i += F32_POINTS) few_f32(s, state, xt + i, best + i, at + i);
}

void pl_kmeans_nearest_f64(const km_shape *s, const km_state *state, const double *xt, double *best,
                           int32_t *at) {
  int64_t number[F64_POINTS];
  for (int i = 0; i < KM_BATCH; i += F64_POINTS) {
    few_f64(s, state, xt + i, best + i, number);
    for (int l = 0; l < F64_POINTS; l++) at[i + l] = (int32_t)number[l];
  }
}
