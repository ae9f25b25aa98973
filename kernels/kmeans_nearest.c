// SPDX-License-Identifier: BSD-3-Clause
//
// The inner loop of k-means: which centre is nearest to each of 32 points.
//
// |x - c|^2 / 2 = |x|^2 / 2 + (|c|^2 / 2 - x c): only the bracket matters, a small matrix product.
// Points lie in the lanes of vectors, centres come one by one as broadcasts, four at a time: eight
// accumulators (AVX-512), no sum across lanes, and the smallest is kept lane by lane. Per point and
// centre d multiplications and d additions; x86-64-v4 has as many units for one as for the other,
// so that nothing is lost by not contracting them. Every point has the same operations in the same
// order wherever it stands.
// Cost: 32 points x 64 centres x 32 features in about 4500 cycles (Zen 4).
#include "kmeans.h"
#include <string.h>

typedef float v16f __attribute__((vector_size(64)));
typedef int32_t v16i __attribute__((vector_size(64)));
typedef double v8d __attribute__((vector_size(64)));
typedef int64_t v8l __attribute__((vector_size(64)));

enum { GROUP = KM_GROUP };

PLAIT_WIDE void pl_kmeans_nearest_f32(const km_shape *s, const km_state *state, const float *xt,
                                      float *best, int32_t *at) {
  const v16f *x = (const v16f *)(const void *)xt;
  const float *half = state->half, *t = state->table;
  v16i low[2] = {{0}}, where[2] = {{0}};
  v16f first = (v16f){0} + __builtin_inff();
  memcpy(&low[0], &first, sizeof first);
  low[1] = low[0];
  for (int64_t c = 0; c < s->padded; c += GROUP) {
    v16f a0 = (v16f){0} + half[c], a1 = (v16f){0} + half[c + 1], a2 = (v16f){0} + half[c + 2],
         a3 = (v16f){0} + half[c + 3], b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    for (int64_t j = 0; j < s->d; j++, t += GROUP) {
      v16f p = x[2 * j], q = x[2 * j + 1];
      a0 -= p * t[0], b0 -= q * t[0];
      a1 -= p * t[1], b1 -= q * t[1];
      a2 -= p * t[2], b2 -= q * t[2];
      a3 -= p * t[3], b3 -= q * t[3];
    }
    const v16f all[2][GROUP] = {{a0, a1, a2, a3}, {b0, b1, b2, b3}};
    for (int h = 0; h < 2; h++)
      for (int i = 0; i < GROUP; i++) {
        v16i nearer = all[h][i] < (v16f)low[h];
        low[h] = ((v16i)all[h][i] & nearer) | (low[h] & ~nearer);
        where[h] = (((v16i){0} + (int32_t)(c + i)) & nearer) | (where[h] & ~nearer);
      }
  }
  memcpy(best, low, sizeof low);
  memcpy(at, where, sizeof where);
}

// 16 points at a time.
static PLAIT_WIDE void nearest_half(const km_shape *s, const km_state *state, const double *xt,
                                    double *best, int64_t *at) {
  const double *half = state->half, *t = state->table;
  v8l low[2], where[2] = {{0}};
  v8d first = (v8d){0} + __builtin_inf();
  memcpy(&low[0], &first, sizeof first);
  low[1] = low[0];
  for (int64_t c = 0; c < s->padded; c += GROUP) {
    v8d a0 = (v8d){0} + half[c], a1 = (v8d){0} + half[c + 1], a2 = (v8d){0} + half[c + 2],
        a3 = (v8d){0} + half[c + 3], b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    for (int64_t j = 0; j < s->d; j++, t += GROUP) {
      v8d p = *(const v8d *)(const void *)(xt + j * KM_BATCH);
      v8d q = *(const v8d *)(const void *)(xt + j * KM_BATCH + 8);
      a0 -= p * t[0], b0 -= q * t[0];
      a1 -= p * t[1], b1 -= q * t[1];
      a2 -= p * t[2], b2 -= q * t[2];
      a3 -= p * t[3], b3 -= q * t[3];
    }
    const v8d all[2][GROUP] = {{a0, a1, a2, a3}, {b0, b1, b2, b3}};
    for (int h = 0; h < 2; h++)
      for (int i = 0; i < GROUP; i++) {
        v8l nearer = all[h][i] < (v8d)low[h];
        low[h] = ((v8l)all[h][i] & nearer) | (low[h] & ~nearer);
        where[h] = (((v8l){0} + (c + i)) & nearer) | (where[h] & ~nearer);
      }
  }
  memcpy(best, low, sizeof low);
  memcpy(at, where, sizeof where);
}

void pl_kmeans_nearest_f64(const km_shape *s, const km_state *state, const double *xt, double *best,
                           int32_t *at) {
  for (int h = 0; h < KM_BATCH; h += 16) {
    int64_t number[16];
    nearest_half(s, state, xt + h, best + h, number);
    for (int i = 0; i < 16; i++) at[h + i] = (int32_t)number[i];
  }
}
