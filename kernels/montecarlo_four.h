// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers side by side, one from each quarter of a vector of points: of one alone each step of a
// function waits for the last, and the next points lie too far ahead for the core. Of four, the one
// chain of Horner's rule is as fast as more chains and takes fewer products. And polynomials.
// fma() is one instruction in the copies for AVX2 and AVX-512, and a slow call with the same bits
// where there is neither.
#ifndef PLAIT_MONTECARLO_FOUR_H
#define PLAIT_MONTECARLO_FOUR_H
#include "montecarlo.h"
#include <math.h>
#include <string.h>

enum { QUARTER = MC_LANES / 4 };
typedef struct four {
  double a, b, c, d;
} four;

static inline four from(const double *x) {
  return (four){x[0], x[QUARTER], x[2 * QUARTER], x[3 * QUARTER]};
}

static inline void put(four y, double *to) {
  to[0] = y.a, to[QUARTER] = y.b, to[2 * QUARTER] = y.c, to[3 * QUARTER] = y.d;
}

static inline four all(double x) {
  return (four){x, x, x, x};
}

static inline four plus(four x, double y) {
  return (four){x.a + y, x.b + y, x.c + y, x.d + y};
}

static inline four minus(four x, four y) {
  return (four){x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d};
}

static inline four fma4(four x, four y, four c) {
  return (four){fma(x.a, y.a, c.a), fma(x.b, y.b, c.b), fma(x.c, y.c, c.c), fma(x.d, y.d, c.d)};
}

static inline double from_bits(int64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline int64_t to_bits(double x) {
  int64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double poly4(const double c[4], double x, double x2) {
  return fma(fma(c[3], x, c[2]), x2, fma(c[1], x, c[0]));
}

static inline double poly8(const double c[8], double x) {
  double x2 = x * x;
  return fma(poly4(c + 4, x, x2), x2 * x2, poly4(c, x, x2));
}
#endif
