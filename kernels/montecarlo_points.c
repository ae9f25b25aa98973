// SPDX-License-Identifier: BSD-3-Clause
//
// Vectors of points: their exponentials and cosines, and their moments: with normal quantiles what
// the integrands are made of, 128 lanes at a time and without branches.
//
// exp and cos are good to 2e-15, which no sum over samples can tell from exact; the C library's
// would be called lane by lane, at ten times the cost, with other bits on other systems.
// Source: T. F. Chan, G. H. Golub, R. J. LeVeque (1983) for the moments.
#include "montecarlo_four.h"

enum { L = MC_LANES };

PLAIT_WIDE void pl_mc_mirror(const double *u, int64_t n, double *to) {
  for (int64_t i = 0; i < n; i++) to[i] = 1 - u[i];
}

PLAIT_WIDE void pl_mc_average(double *restrict f, const double *restrict g) {
  for (int l = 0; l < L; l++) f[l] = 0.5 * (f[l] + g[l]);
}

// ---- exponentials and cosines ---------------------------------------------------------------
static const double rounder = 6755399441055744.0; // 1.5 * 2^52: adding it rounds to an integer

enum { EXP_TERMS = 11 };

// e^r for |r| <= log(2) / 2 and 2^r for |r| <= 1/2, interpolated at the Chebyshev nodes: to 4e-16.
static const double exp_terms[EXP_TERMS] = {1.0,
                                            1.0000000000000067,
                                            0.50000000000000056,
                                            0.16666666666554314,
                                            0.041666666666573066,
                                            0.0083333333856992122,
                                            0.001388888893251478,
                                            0.00019841170230570286,
                                            2.4801504313785541e-05,
                                            2.7640197391694839e-06,
                                            2.7626371065696354e-07};
static const double power_terms[EXP_TERMS] = {1.0,
                                              0.69314718055994995,
                                              0.24022650695910097,
                                              0.05550410866444766,
                                              0.0096181291076068848,
                                              0.0013333558230175029,
                                              0.00015403530441741856,
                                              1.5252657254071693e-05,
                                              1.3215442584382707e-06,
                                              1.020869152579221e-07,
                                              7.0725866570662057e-09};
static const double log2_e = 1.4426950408889634;

static inline four poly11(const double c[EXP_TERMS], four x) {
  four y = all(c[EXP_TERMS - 1]);
#pragma GCC unroll 16
  for (int i = EXP_TERMS - 2; i >= 0; i--) y = fma4(y, x, all(c[i]));
  return y;
}

// One comparison only: of two in a row compilers make four, with all the ways between. NaN stays.
static inline double clamp(double x, double most) {
  double size = fabs(x);
  return copysign(size > most ? most : size, x);
}

static inline four clamp4(four x, double most) {
  return (four){clamp(x.a, most), clamp(x.b, most), clamp(x.c, most), clamp(x.d, most)};
}

// m 2^k for m near 1: k, as the bits of a number that it was rounded in, is added to the exponent.
static inline double scaled_by(double m, double k) {
  return from_bits(to_bits(m) + (int64_t)((uint64_t)to_bits(k) << 52));
}

static inline four scaled_by4(four m, four k) {
  return (four){scaled_by(m.a, k.a), scaled_by(m.b, k.b), scaled_by(m.c, k.c), scaled_by(m.d, k.d)};
}

// x = k log 2 + r.
PLAIT_WIDE void pl_mc_exp(double *x) {
  for (int l = 0; l < QUARTER; l++) {
    four t = clamp4(from(x + l), 700);
    four k = fma4(t, all(log2_e), all(rounder)), n = plus(k, -rounder);
    four r = fma4(n, all(-6.93147180369123816490e-01), t);
    four m = poly11(exp_terms, fma4(n, all(-1.90821492927058770002e-10), r));
    put(scaled_by4(m, k), x + l);
  }
}

static inline four power(four t) {
  four k = plus(t, rounder);
  return scaled_by4(poly11(power_terms, minus(t, plus(k, -rounder))), k);
}

// e^(start + slope x) as a power of 2: what the exponent is rounded to is all that is lost, as in
// the sum itself. Only a line that is not tame can leave the range of exponents.
typedef struct line {
  double start, slope;
  bool tame;
} line;

static inline line line_of(double start, double slope) {
  double start2 = start * log2_e, slope2 = slope * log2_e;
  return (line){start2, slope2, fabs(start2) + 9 * fabs(slope2) < 1000};
}

static inline four along(line y, const double *x) {
  return fma4(all(y.slope), from(x), all(y.start));
}

static inline four along_clamped(line y, const double *x) {
  return clamp4(along(y, x), 1000);
}

PLAIT_WIDE void pl_mc_exp_of(double start, double slope, double *x) {
  line y = line_of(start, slope);
  if (y.tame) {
#pragma GCC unroll 1
    for (int l = 0; l < QUARTER; l++) put(power(along(y, x + l)), x + l);
  } else {
#pragma GCC unroll 1
    for (int l = 0; l < QUARTER; l++) put(power(along_clamped(y, x + l)), x + l);
  }
}

static inline double positive(double x) {
  return x > 0 ? x : 0;
}

static inline four gain(four price, double unit, double paid) {
  four g = fma4(all(unit), price, all(paid));
  return (four){positive(g.a), positive(g.b), positive(g.c), positive(g.d)};
}

PLAIT_WIDE void pl_mc_gain(double start, double slope, double unit, double paid,
                           const double *restrict x, double *restrict f) {
  line y = line_of(start, slope);
  if (y.tame) {
#pragma GCC unroll 1
    for (int l = 0; l < QUARTER; l++) put(gain(power(along(y, x + l)), unit, paid), f + l);
  } else {
#pragma GCC unroll 1
    for (int l = 0; l < QUARTER; l++) put(gain(power(along_clamped(y, x + l)), unit, paid), f + l);
  }
}

static const double cos_terms[12] = {
    1.0,
    -1.0 / 2,
    1.0 / 24,
    -1.0 / 720,
    1.0 / 40320,
    -1.0 / 3628800,
    1.0 / 479001600,
    -1.0 / 87178291200,
    1.0 / 20922789888000,
    -1.0 / 6402373705728000,
    1.0 / 2432902008176640000,
    -1.0 / 2432902008176640000 / (21 * 22),
};

// |x| < 1e6, pi in three parts. cos(pi t) with t reduced to [-1/2, 1/2] and the sign of the half
// turns.
PLAIT_WIDE void pl_mc_cos(double *x) {
  for (int l = 0; l < L; l++) {
    double t = fma(x[l], 0.3183098861837907, rounder);
    uint64_t odd = (uint64_t)to_bits(t) & 1;
    t -= rounder;
    double r = fma(t, -4.503483548312435e-18,
                   fma(t, -1.9841871548575973e-09, fma(t, -3.141592651605606, x[l])));
    double z = r * r, z2 = z * z, z4 = z2 * z2;
    double c = fma(poly4(cos_terms + 8, z, z2), z4 * z4, poly8(cos_terms, z));
    x[l] = from_bits(to_bits(c) ^ (int64_t)(odd << 63));
  }
}

// ---- moments --------------------------------------------------------------------------------
void pl_mc_join(mc_tally *a, const mc_tally *b) {
  if (b->n == 0) return;
  double n = a->n + b->n, df = b->f - a->f, dg = b->g - a->g, w = a->n * (b->n / n);
  a->f += df * (b->n / n);
  a->g += dg * (b->n / n);
  a->ff += b->ff + df * df * w;
  a->gg += b->gg + dg * dg * w;
  a->fg += b->fg + df * dg * w;
  a->n = n;
}

static double total(const double lanes[MC_SUMS]) {
  double sum[MC_SUMS];
  memcpy(sum, lanes, sizeof sum);
  for (int step = MC_SUMS / 2; step > 0; step /= 2)
    for (int l = 0; l < step; l++) sum[l] += sum[l + step];
  return sum[0];
}

static PLAIT_WIDE void add_f(const double *restrict f, mc_sums *restrict s) {
  double near = s->near_f;
  for (int l = 0; l < MC_SUMS; l++) {
    double sum = 0, squares = 0;
    for (int i = 0; i < L; i += MC_SUMS) {
      double d = f[i + l] - near;
      sum += d;
      squares = fma(d, d, squares);
    }
    s->f[l] += sum, s->ff[l] += squares;
  }
}

static PLAIT_WIDE void add_g(const double *restrict f, const double *restrict g,
                             mc_sums *restrict s) {
  double near_f = s->near_f, near_g = s->near_g;
  for (int l = 0; l < MC_SUMS; l++) {
    double sum = 0, squares = 0, products = 0;
    for (int i = 0; i < L; i += MC_SUMS) {
      double d = g[i + l] - near_g;
      sum += d;
      squares = fma(d, d, squares);
      products = fma(f[i + l] - near_f, d, products);
    }
    s->g[l] += sum, s->gg[l] += squares, s->fg[l] += products;
  }
}

static double mean_of(const double *x, int64_t first, int64_t end) {
  double sum = 0;
  for (int64_t l = first; l < end; l++) sum += x[l];
  return sum / (double)(end - first);
}

// What does not count is where the sums do not see it.
static const double *only(const double *x, int64_t first, int64_t end, double near, double *to) {
  if (end - first == L) return x;
  for (int64_t l = 0; l < L; l++) to[l] = l >= first && l < end ? x[l] : near;
  return to;
}

void pl_mc_count(const double *f, const double *g, int64_t first, int64_t end, mc_sums *s) {
  _Alignas(64) double some_f[L], some_g[L];
  if (s->n == 0) {
    s->near_f = mean_of(f, first, end);
    s->near_g = g ? mean_of(g, first, end) : 0;
  }
  f = only(f, first, end, s->near_f, some_f);
  add_f(f, s);
  if (g) add_g(f, only(g, first, end, s->near_g, some_g), s);
  s->n += (double)(end - first);
}

void pl_mc_close(const mc_sums *s, mc_tally *t) {
  double f = total(s->f) / s->n, g = total(s->g) / s->n;
  mc_tally here = {.n = s->n,
                   .f = s->near_f + f,
                   .g = s->near_g + g,
                   .ff = total(s->ff) - s->n * f * f,
                   .gg = total(s->gg) - s->n * g * g,
                   .fg = total(s->fg) - s->n * f * g};
  pl_mc_join(t, &here);
}
