// SPDX-License-Identifier: BSD-3-Clause
//
// Vectors of uniform random numbers: those of plait_random (Philox 4x32-10), computed side by side.
// One call of it has a number for point l and one for point l + MC_LANES / 2.
// Source: J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011).
#include "montecarlo.h"

enum { HALF = MC_LANES / 2 };

// Where the rounds start.
typedef struct words {
  uint64_t counter;
  uint32_t c, d, p, q; // p, q: the key
} words;

static const uint32_t first_factor = 0xd2511f53, second_factor = 0xcd9e8d57;
static const uint32_t first_step = 0x9e3779b9, second_step = 0xbb67ae85; // of the key

static words start_of(int64_t seed, int64_t dim, int64_t first) {
  return (words){.counter = (uint64_t)first / 2,
                 .c = (uint32_t)dim,
                 .d = (uint32_t)((uint64_t)dim >> 32),
                 .p = (uint32_t)seed,
                 .q = (uint32_t)((uint64_t)seed >> 32)};
}

// In round 9 words end up in a real number, with its exponent.
static uint64_t mask_of(uint32_t key, uint32_t round) {
  return round < 9 ? key : (uint64_t)key << 20 | 0x3ff0000000000000;
}

mc_keys pl_mc_keys(int64_t seed) {
  mc_keys k = {.seed = seed};
  words w = start_of(seed, 0, 0);
  for (uint32_t round = 0; round < 10; round++)
    for (int l = 0; l < MC_QUAD; l++) {
      k.p[round][l] = mask_of(w.p + round * first_step, round);
      k.q[round][l] = mask_of(w.q + round * second_step, round);
    }
  return k;
}

static void plain(const words *w, double *u) {
  for (int l = 0; l < HALF; l++) {
    uint64_t counter = w->counter + (uint64_t)l;
    uint32_t a = (uint32_t)counter, b = (uint32_t)(counter >> 32), c = w->c, d = w->d;
    for (uint32_t round = 0; round < 10; round++) {
      uint64_t m = (uint64_t)a * first_factor, n = (uint64_t)c * second_factor;
      a = (uint32_t)(n >> 32) ^ b ^ (w->p + round * first_step);
      b = (uint32_t)n;
      c = (uint32_t)(m >> 32) ^ d ^ (w->q + round * second_step);
      d = (uint32_t)m;
    }
    u[l] = plait_uniform(a, b);
    u[l + HALF] = plait_uniform(c, d);
  }
}

void pl_mc_uniform_plain(const mc_keys *keys, int64_t dim, int64_t first, double *u) {
  words w = start_of(keys->seed, dim, first);
  plain(&w, u);
}

#if defined(__x86_64__)
#include <immintrin.h>

// The multiplier takes the low halves of lanes of 64 bits, which no C that compilers know says:
// they shuffle or multiply three times. So a word lies in a lane of its own; what is above its 32
// bits is never looked at. Two quadruples at a time, as one alone waits for its own products; of
// four the registers overflow.
// The points of a vector differ in the low bits of their counters only, so that of rounds 0 and 1
// half is the same for all of them.
enum { PAIR = 2, QUAD = MC_QUAD };
#define AVX2 __attribute__((target("avx2")))

typedef struct lanes {
  __m256i a, b, c, d;
} lanes;

// What rounds 0 to 2 combine words with: keys and the words that all points share.
typedef struct masks {
  __m256i q0, p1, q1, p2, q2;
} masks;

AVX2 static inline __m256i all(uint32_t word) {
  return _mm256_set1_epi64x(word);
}

AVX2 static inline __m256i key(const uint64_t of_lanes[QUAD]) {
  return _mm256_load_si256((const __m256i *)(const void *)of_lanes);
}

AVX2 static inline masks masks_of(const words *w, const mc_keys *keys) {
  uint64_t n = (uint64_t)w->c * second_factor;
  uint32_t a = (uint32_t)(n >> 32) ^ (uint32_t)(w->counter >> 32) ^ w->p;
  uint64_t m = (uint64_t)a * first_factor;
  return (masks){.q0 = all(w->d ^ w->q),
                 .p1 = all((uint32_t)n ^ (w->p + first_step)),
                 .q1 = all((uint32_t)(m >> 32) ^ (w->q + second_step)),
                 .p2 = key(keys->p[2]),
                 .q2 = all((uint32_t)m ^ (w->q + 2 * second_step))};
}

// The upper half of a product, an older word and a key. The latter two meet first, while the
// product is on its way: KEEP holds the compiler to it.
#define KEEP(x) __asm__("" : "+x"(x))
AVX2 static inline __m256i mixed(__m256i product, __m256i word, __m256i key) {
  __m256i early = _mm256_xor_si256(word, key);
  KEEP(early);
  return _mm256_xor_si256(_mm256_srli_epi64(product, 32), early);
}

AVX2 static inline __m256i upper(__m256i product, __m256i key) {
  return _mm256_xor_si256(_mm256_srli_epi64(product, 32), key);
}

AVX2 static inline lanes start(__m256i counter, const masks *k, __m256i m0, __m256i m1) {
  __m256i m = _mm256_mul_epu32(counter, m0), n = _mm256_mul_epu32(upper(m, k->q0), m1); // 0, 1
  __m256i a = upper(n, k->p1), c = _mm256_xor_si256(m, k->q1), b = n;
  m = _mm256_mul_epu32(a, m0), n = _mm256_mul_epu32(c, m1); // round 2
  return (lanes){.a = mixed(n, b, k->p2), .b = n, .c = upper(m, k->q2), .d = m};
}

AVX2 static inline lanes next(lanes x, __m256i p, __m256i q, __m256i m0, __m256i m1) {
  __m256i m = _mm256_mul_epu32(x.a, m0), n = _mm256_mul_epu32(x.c, m1);
  return (lanes){.a = mixed(n, x.b, p), .b = n, .c = mixed(m, x.d, q), .d = m};
}

// Round 9 and plait_uniform in one: 52 bits of a product and of the word that would be combined
// with its upper half, below the exponent of 1.
AVX2 static inline void store(double *u, __m256i product, __m256i word, __m256i mask) {
  __m256i bits = _mm256_xor_si256(product, _mm256_slli_epi64(word, 32));
  __m256d x = _mm256_castsi256_pd(_mm256_xor_si256(_mm256_srli_epi64(bits, 12), mask));
  _mm256_storeu_pd(u, _mm256_sub_pd(x, _mm256_set1_pd(1 - 0x1p-53)));
}

AVX2 static void wide(const words *w, const mc_keys *keys, double *u) {
  const __m256i m0 = _mm256_set1_epi64x(first_factor), m1 = _mm256_set1_epi64x(second_factor);
  __m256i counter =
      _mm256_add_epi64(_mm256_set1_epi64x((int64_t)w->counter), _mm256_set_epi64x(3, 2, 1, 0));
  masks k = masks_of(w, keys);
  for (int l = 0; l < HALF; l += PAIR * QUAD) {
    lanes x[PAIR];
    for (int i = 0; i < PAIR; i++) {
      x[i] = start(counter, &k, m0, m1);
      counter = _mm256_add_epi64(counter, _mm256_set1_epi64x(QUAD));
    }
#pragma GCC unroll 6
    for (int round = 3; round < 9; round++)
      for (int i = 0; i < PAIR; i++)
        x[i] = next(x[i], key(keys->p[round]), key(keys->q[round]), m0, m1);
    for (int i = 0; i < PAIR; i++) {
      store(u + l + i * QUAD, _mm256_mul_epu32(x[i].c, m1), x[i].b, key(keys->p[9]));
      store(u + HALF + l + i * QUAD, _mm256_mul_epu32(x[i].a, m0), x[i].d, key(keys->q[9]));
    }
  }
}

void pl_mc_uniform(const mc_keys *keys, int64_t dim, int64_t first, double *u) {
  words w = start_of(keys->seed, dim, first);
  if (__builtin_cpu_supports("avx2"))
    wide(&w, keys, u);
  else
    plain(&w, u);
}
#else
void pl_mc_uniform(const mc_keys *keys, int64_t dim, int64_t first, double *u) {
  pl_mc_uniform_plain(keys, dim, first, u);
}
#endif
