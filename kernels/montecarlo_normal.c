// SPDX-License-Identifier: BSD-3-Clause
//
// Normal quantiles of vectors of points, to 5e-15, which no sum over samples can tell from exact.
// Source: M. J. Wichura, Algorithm AS 241 (1988), for the tails; L. N. Trefethen, Approximation
//   Theory and Approximation Practice (2013), chapters 25 and 27, for rational functions beside a
//   singularity.
#include "montecarlo_four.h"

// x > 0 and normal: x = 2^k m, m in [0.7, 1.4]; log m = 2 atanh((m - 1) / (m + 1)), to 1e-14.
static const double log_terms[8] = {2.0,     2.0 / 3,  2.0 / 5,  2.0 / 7,
                                    2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15};

static inline double logarithm(double x) {
  int64_t bits = to_bits(x), shifted = bits - 0x3fe6a09e667f3bcd;
  int64_t k = (shifted >> 52 & 0xfff) ^ 0x800; // biased by 2048, as `>>` need not keep the sign
  double m = from_bits(bits - (int64_t)((uint64_t)(k - 2048) << 52)), s = (m - 1) / (m + 1);
  return fma((double)(k - 2048), 0.6931471805599453, s * poly8(log_terms, s * s));
}

// z(u) / (u - 1/2) as a quotient in x = u (1 - u), which needs no logarithm as far as `least`: on
// either side there is one point in 1000 beyond. Interpolated at Zolotarev's nodes for an interval
// beside the cut (-inf, 0], to 3e-15. All terms are positive: nothing cancels. The highest are 1
// and not listed, so that they cost an addition and no product; `quotient` is what that leaves.
static const double least = 0.001 * (1 - 0.001), quotient = 0.48758533377393104;
static const double over[14] = {
    7.1010917250417525e-25, 1.5672883063775988e-20, 7.159982570992577e-17,  1.1313638088325291e-13,
    7.581210187743472e-11,  2.3862516675260765e-08, 3.7258891677583778e-06, 0.00029635401483935655,
    0.012082972660796575,   0.24942654454690877,    2.5189243182053924,     11.641360987237276,
    21.708676109774895,     12.531901387325124};
static const double under[14] = {
    4.068863082189393e-26, 1.025992908853868e-21, 5.14211335593324e-18,  8.813884740780002e-15,
    6.391645071218835e-12, 2.182290584596716e-09, 3.717925295789344e-07, 3.257035022140633e-05,
    0.0014824918934004264, 0.03482461374350486,   0.41147998765092,      2.3218842557681048,
    5.6837593180313775,    5.000114786734165};
static const double a_far[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
static const double b_far[8] = {1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
static const double a_end[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
static const double b_end[8] = {1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};

static inline double tail(double u) {
  double root = sqrt(-logarithm(u < 0.5 ? u : 1 - u));
  double z = root > 5 ? poly8(a_end, root - 5) / poly8(b_end, root - 5)
                      : poly8(a_far, root - 1.6) / poly8(b_far, root - 1.6);
  return u < 0.5 ? -z : z;
}

// Both polynomials of four points step by step: eight chains, as many as two pipes of products need
// that take four cycles each. With a term in memory a cycle starts 1.5 products and not 2 while the
// neighbour on the core is busy: the loop is unrolled by six, as of terms that it does not see the
// compiler keeps each in a register for four products. Unrolled wholly it takes a tenth longer.
static inline four ratio(four v, four x) {
  four n = fma4(plus(x, over[13]), x, all(over[12]));
  four d = fma4(plus(x, under[13]), x, all(under[12]));
#pragma GCC unroll 6
  for (int i = 11; i >= 0; i--) n = fma4(n, x, all(over[i])), d = fma4(d, x, all(under[i]));
  four side = fma4(v, all(quotient), all(-0.5 * quotient));
  return (four){side.a * n.a / d.a, side.b * n.b / d.b, side.c * n.c / d.c, side.d * n.d / d.d};
}

static inline double product(double u) {
  return fma(-u, u, u);
}

// All ones where u is in a tail, given u (1 - u).
static inline uint64_t beyond(double x) {
  return -(uint64_t)(x < least);
}

#define BITS(i) UINT64_C(1) << (i), UINT64_C(2) << (i), UINT64_C(4) << (i), UINT64_C(8) << (i)
static const uint64_t bit[QUARTER] = {BITS(0),  BITS(4),  BITS(8),  BITS(12),
                                      BITS(16), BITS(20), BITS(24), BITS(28)};

static PLAIT_WIDE void mend(uint64_t tails, const double *restrict u, double *restrict z) {
  for (; tails; tails &= tails - 1)
    for (int at = __builtin_ctzll(tails); at < MC_LANES; at += QUARTER)
      if (beyond(product(u[at]))) z[at] = tail(u[at]);
}

// Bit l tells of tails among the four points of step l: to look for them in all the vector costs
// more than the tails themselves, of which most vectors have none or one.
PLAIT_WIDE void pl_mc_normal(const double *restrict u, double *restrict z) {
  uint64_t tails = 0;
  for (int l = 0; l < QUARTER; l++) {
    four v = from(u + l), x = {product(v.a), product(v.b), product(v.c), product(v.d)};
    tails |= bit[l] & (beyond(x.a) | beyond(x.b) | beyond(x.c) | beyond(x.d));
    put(ratio(v, x), z + l);
  }
  if (tails) mend(tails, u, z);
}
