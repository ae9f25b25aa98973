// SPDX-License-Identifier: BSD-3-Clause
//
// Vectors of uniform random numbers: those of plait_random (Philox 4x32-10), computed side by side.
// One call of it has a number for point l and one for point l + MC_LANES / 2.
// Source: J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011).
#include "montecarlo.h"

enum { HALF = MC_LANES / 2 };

// Where the rounds start: counter and key; the keys of all rounds.
typedef struct words {
  uint64_t counter;
  uint32_t c, d, p[10], q[10];
} words;

static const uint32_t first_factor = 0xd2511f53, second_factor = 0xcd9e8d57;

static words start_of(int64_t seed, int64_t dim, int64_t first) {
  words w = {.counter = (uint64_t)first / 2,
             .c = (uint32_t)dim,
             .d = (uint32_t)((uint64_t)dim >> 32),
             .p = {(uint32_t)seed},
             .q = {(uint32_t)((uint64_t)seed >> 32)}};
  for (int round = 1; round < 10; round++) {
    w.p[round] = w.p[round - 1] + 0x9e3779b9;
    w.q[round] = w.q[round - 1] + 0xbb67ae85;
  }
  return w;
}

static void plain(const words *w, double *u) {
  for (int l = 0; l < HALF; l++) {
    uint64_t counter = w->counter + (uint64_t)l;
    uint32_t a = (uint32_t)counter, b = (uint32_t)(counter >> 32), c = w->c, d = w->d;
    for (int round = 0; round < 10; round++) {
      uint64_t m = (uint64_t)a * first_factor, n = (uint64_t)c * second_factor;
      a = (uint32_t)(n >> 32) ^ b ^ w->p[round];
      b = (uint32_t)n;
      c = (uint32_t)(m >> 32) ^ d ^ w->q[round];
      d = (uint32_t)m;
    }
    u[l] = plait_uniform(a, b);
    u[l + HALF] = plait_uniform(c, d);
  }
}

void pl_mc_uniform_plain(int64_t seed, int64_t dim, int64_t first, double *u) {
  words w = start_of(seed, dim, first);
  plain(&w, u);
}

#if defined(__x86_64__)
#include <immintrin.h>

// The multiplier takes the low halves of lanes of 64 bits, which no C that compilers know says:
// they shuffle or multiply three times. So a word lies in a lane of its own; what is above its 32
// bits is never looked at. Two quadruples at a time, as one alone waits for its own products.
enum { PAIR = 2, QUAD = 4 };

// As plait_uniform: 52 bits, put below the exponent of 1.
__attribute__((target("avx2"))) static inline __m256i reals(__m256i high, __m256i low) {
  __m256i bits = _mm256_blend_epi32(_mm256_slli_epi64(high, 32), low, 0x55);
  return _mm256_or_si256(_mm256_srli_epi64(bits, 12), _mm256_set1_epi64x(0x3ff0000000000000));
}

__attribute__((target("avx2"))) static void store(double *u, __m256i high, __m256i low) {
  __m256d x = _mm256_castsi256_pd(reals(high, low));
  _mm256_storeu_pd(u, _mm256_sub_pd(x, _mm256_set1_pd(1 - 0x1p-53)));
}

__attribute__((target("avx2"))) static void wide(const words *w, double *u) {
  const __m256i m0 = _mm256_set1_epi64x(first_factor), m1 = _mm256_set1_epi64x(second_factor);
  for (int l = 0; l < HALF; l += PAIR * QUAD) {
    __m256i a[PAIR], b[PAIR], c[PAIR], d[PAIR];
    for (int i = 0; i < PAIR; i++) {
      a[i] = _mm256_add_epi64(_mm256_set1_epi64x((int64_t)(w->counter + (uint64_t)(l + i * QUAD))),
                              _mm256_set_epi64x(3, 2, 1, 0));
      b[i] = _mm256_srli_epi64(a[i], 32);
      c[i] = _mm256_set1_epi64x(w->c);
      d[i] = _mm256_set1_epi64x(w->d);
    }
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
      __m256i p = _mm256_set1_epi32((int)w->p[round]), q = _mm256_set1_epi32((int)w->q[round]);
      for (int i = 0; i < PAIR; i++) {
        __m256i m = _mm256_mul_epu32(a[i], m0), n = _mm256_mul_epu32(c[i], m1);
        a[i] = _mm256_xor_si256(_mm256_srli_epi64(n, 32), _mm256_xor_si256(b[i], p));
        b[i] = n;
        c[i] = _mm256_xor_si256(_mm256_srli_epi64(m, 32), _mm256_xor_si256(d[i], q));
        d[i] = m;
      }
    }
    for (int i = 0; i < PAIR; i++) {
      store(u + l + i * QUAD, a[i], b[i]);
      store(u + HALF + l + i * QUAD, c[i], d[i]);
    }
  }
}

void pl_mc_uniform(int64_t seed, int64_t dim, int64_t first, double *u) {
  words w = start_of(seed, dim, first);
  if (__builtin_cpu_supports("avx2"))
    wide(&w, u);
  else
    plain(&w, u);
}
#else
void pl_mc_uniform(int64_t seed, int64_t dim, int64_t first, double *u) {
  pl_mc_uniform_plain(seed, dim, first, u);
}
#endif
