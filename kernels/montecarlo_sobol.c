// SPDX-License-Identifier: BSD-3-Clause
//
// Sobol's sequence in base 2, 64 dimensions, and Owen's scrambling of it.
//
// A point is the exclusive or of direction numbers where its number has ones; 128 neighbours share
// all but the low seven bits, so that a vector of points costs one exclusive or per bit that is set
// above them. Scrambling flips every bit by a hash of the bits before it (Laine, Karras), which
// makes points uniform and their error estimable, and keeps the net: 32 bits deep.
// Source: S. Joe, F. Y. Kuo, Constructing Sobol sequences with better two-dimensional projections
//   (2008), numbers new-joe-kuo-6; B. Burley, Practical hash-based Owen scrambling (2020).
#include "montecarlo.h"

// Primitive polynomial with all its bits, and the initial numbers, of dimensions 2 to 64.
static const struct {
  uint16_t polynomial, m[10];
} initial[MC_SOBOL_DIMS] = {
    {1, {1}},
    {3, {1}},
    {7, {1, 3}},
    {11, {1, 3, 1}},
    {13, {1, 1, 1}},
    {19, {1, 1, 3, 3}},
    {25, {1, 3, 5, 13}},
    {37, {1, 1, 5, 5, 17}},
    {41, {1, 1, 5, 5, 5}},
    {47, {1, 1, 7, 11, 19}},
    {55, {1, 1, 5, 1, 1}},
    {59, {1, 1, 1, 3, 11}},
    {61, {1, 3, 5, 5, 31}},
    {67, {1, 3, 3, 9, 7, 49}},
    {91, {1, 1, 1, 15, 21, 21}},
    {97, {1, 3, 1, 13, 27, 49}},
    {103, {1, 1, 1, 15, 7, 5}},
    {109, {1, 3, 1, 15, 13, 25}},
    {115, {1, 1, 5, 5, 19, 61}},
    {131, {1, 3, 7, 11, 23, 15, 103}},
    {137, {1, 3, 7, 13, 13, 15, 69}},
    {143, {1, 1, 3, 13, 7, 35, 63}},
    {145, {1, 3, 5, 9, 1, 25, 53}},
    {157, {1, 3, 1, 13, 9, 35, 107}},
    {167, {1, 3, 1, 5, 27, 61, 31}},
    {171, {1, 1, 5, 11, 19, 41, 61}},
    {185, {1, 3, 5, 3, 3, 13, 69}},
    {191, {1, 1, 7, 13, 1, 19, 1}},
    {193, {1, 3, 7, 5, 13, 19, 59}},
    {203, {1, 1, 3, 9, 25, 29, 41}},
    {211, {1, 3, 5, 13, 23, 1, 55}},
    {213, {1, 3, 7, 3, 13, 59, 17}},
    {229, {1, 3, 1, 3, 5, 53, 69}},
    {239, {1, 1, 5, 5, 23, 33, 13}},
    {241, {1, 1, 7, 7, 1, 61, 123}},
    {247, {1, 1, 7, 9, 13, 61, 49}},
    {253, {1, 3, 3, 5, 3, 55, 33}},
    {285, {1, 3, 1, 15, 31, 13, 49, 245}},
    {299, {1, 3, 5, 15, 31, 59, 63, 97}},
    {301, {1, 3, 1, 11, 11, 11, 77, 249}},
    {333, {1, 3, 1, 11, 27, 43, 71, 9}},
    {351, {1, 1, 7, 15, 21, 11, 81, 45}},
    {355, {1, 3, 7, 3, 25, 31, 65, 79}},
    {357, {1, 3, 1, 1, 19, 11, 3, 205}},
    {361, {1, 1, 5, 9, 19, 21, 29, 157}},
    {369, {1, 3, 7, 11, 1, 33, 89, 185}},
    {391, {1, 3, 3, 3, 15, 9, 79, 71}},
    {397, {1, 3, 7, 11, 15, 39, 119, 27}},
    {425, {1, 1, 3, 1, 11, 31, 97, 225}},
    {451, {1, 1, 1, 3, 23, 43, 57, 177}},
    {463, {1, 3, 7, 7, 17, 17, 37, 71}},
    {487, {1, 3, 1, 5, 27, 63, 123, 213}},
    {501, {1, 1, 3, 5, 11, 43, 53, 133}},
    {529, {1, 3, 5, 5, 29, 17, 47, 173, 479}},
    {539, {1, 3, 3, 11, 3, 1, 109, 9, 69}},
    {545, {1, 1, 1, 5, 17, 39, 23, 5, 343}},
    {557, {1, 3, 1, 5, 25, 15, 31, 103, 499}},
    {563, {1, 1, 1, 11, 11, 17, 63, 105, 183}},
    {601, {1, 1, 5, 11, 9, 29, 97, 231, 363}},
    {607, {1, 1, 5, 15, 19, 45, 41, 7, 383}},
    {617, {1, 3, 7, 7, 31, 19, 83, 137, 221}},
    {623, {1, 1, 1, 3, 23, 15, 111, 223, 83}},
    {631, {1, 1, 5, 13, 31, 15, 55, 25, 161}},
    {637, {1, 1, 3, 13, 25, 47, 39, 87, 257}},
};

void pl_mc_directions(int64_t dim, uint32_t v[32]) {
  int degree = 0;
  uint32_t polynomial = initial[dim].polynomial;
  while (polynomial >> (degree + 1)) degree++;
  for (int i = 0; i < 32; i++) {
    if (dim == 0 || i < degree) {
      v[i] = (dim == 0 ? 1U : (uint32_t)initial[dim].m[i]) << (31 - i);
      continue;
    }
    v[i] = v[i - degree] ^ v[i - degree] >> degree;
    for (int k = 1; k < degree; k++)
      if (polynomial >> (degree - k) & 1) v[i] ^= v[i - k];
  }
}

static inline uint32_t reversed(uint32_t x) {
  x = (x >> 1 & 0x55555555U) | (x & 0x55555555U) << 1;
  x = (x >> 2 & 0x33333333U) | (x & 0x33333333U) << 2;
  x = (x >> 4 & 0x0f0f0f0fU) | (x & 0x0f0f0f0fU) << 4;
  x = (x >> 8 & 0x00ff00ffU) | (x & 0x00ff00ffU) << 8;
  return x >> 16 | x << 16;
}

static PLAIT_WIDE void scramble(uint32_t key, uint32_t *restrict x) {
  for (int l = 0; l < MC_LANES; l++) {
    uint32_t r = reversed(x[l]);
    r += key;
    r ^= r * 0x6c50b47cU;
    r ^= r * 0xb82f1e52U;
    r ^= r * 0xc7afe638U;
    r ^= r * 0x8d22f6e6U;
    x[l] = reversed(r);
  }
}

static PLAIT_WIDE void to_reals(const uint32_t *restrict x, double *restrict u) {
  for (int l = 0; l < MC_LANES; l++)
    u[l] = ((double)(int32_t)(x[l] ^ 0x80000000U) + 2147483648.5) * (1.0 / 4294967296.0);
}

void pl_mc_sobol(const uint32_t v[32], uint32_t key, int64_t first, double *u) {
  uint32_t x[MC_LANES], base = 0;
  for (int bit = 7; bit < 32; bit++)
    if (first >> bit & 1) base ^= v[bit];
  x[0] = base;
  for (int bit = 0; bit < 7; bit++)
    for (int l = 0; l < 1 << bit; l++) x[l + (1 << bit)] = x[l] ^ v[bit];
  if (key) scramble(key, x);
  to_reals(x, u);
}
