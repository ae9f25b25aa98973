// SPDX-License-Identifier: BSD-3-Clause
//
// Vectors of points: their normal quantiles, exponentials and cosines, and their moments: what the
// integrands are made of, 128 lanes at a time and without branches.
//
// exp and cos are good to 2e-15, quantiles to 1e-14, which no sum over samples can tell from exact;
// the C library's would be called lane by lane, at ten times the cost, with other bits on other
// systems. Polynomials are evaluated in pairs (Estrin): one term after the other leaves the units
// waiting for the last product. fma() is one instruction in the copies for AVX2 and AVX-512, and a
// slow call with the same bits where there is neither.
// Source: G. Estrin, Organization of computer systems (1960); M. J. Wichura, Algorithm AS 241
//   (1988), for the tails; M. Giles, Approximating the erfinv function (2010), for the idea of one
//   polynomial in log u (1 - u); T. F. Chan, G. H. Golub, R. J. LeVeque (1983) for the moments.
#include "montecarlo.h"
#include <math.h>
#include <string.h>

enum { L = MC_LANES };

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

PLAIT_WIDE void pl_mc_mirror(const double *u, int64_t n, double *to) {
  for (int64_t i = 0; i < n; i++) to[i] = 1 - u[i];
}

// ---- polynomials ----------------------------------------------------------------------------
static inline double poly4(const double c[4], double x, double x2) {
  return fma(fma(c[3], x, c[2]), x2, fma(c[1], x, c[0]));
}

static inline double poly8(const double c[8], double x, double x2, double x4) {
  return fma(poly4(c + 4, x, x2), x4, poly4(c, x, x2));
}

// ---- functions ------------------------------------------------------------------------------
static const double rounder = 6755399441055744.0; // 1.5 * 2^52: adding it rounds to an integer

static const double exp_terms[13] = {
    1.0 / 1,    1.0 / 1,     1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,      1.0 / 720,
    1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600};

// x = k log 2 + r: gives r, and k as the bits of a number that it was rounded in.
static inline double exp_rest(double x, double *k) {
  x = x < -700 ? -700 : x;
  x = x > 700 ? 700 : x; // each is one instruction; NaN stays
  *k = fma(x, 1.4426950408889634, rounder);
  double n = *k - rounder;
  return fma(n, -1.90821492927058770002e-10, fma(n, -6.93147180369123816490e-01, x));
}

static inline double exp_sum(double r, double k) {
  double r2 = r * r, r4 = r2 * r2, high = fma(exp_terms[12], r4, poly4(exp_terms + 8, r, r2));
  double e = fma(high, r4 * r4, poly8(exp_terms, r, r2, r4));
  return e * from_bits((int64_t)((uint64_t)(to_bits(k) + 1023) << 52));
}

// x > 0 and normal: x = 2^k m, m in [0.7, 1.4]; log m = 2 atanh((m - 1) / (m + 1)), to 1e-14.
static const double log_terms[8] = {2.0,     2.0 / 3,  2.0 / 5,  2.0 / 7,
                                    2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15};

static inline double log_ratio(double x, double *exponent) {
  int64_t bits = to_bits(x), shifted = bits - 0x3fe6a09e667f3bcd;
  int64_t k = (shifted >> 52 & 0xfff) ^ 0x800; // biased by 2048, as `>>` need not keep the sign
  double m = from_bits(bits - (int64_t)((uint64_t)(k - 2048) << 52));
  *exponent = from_bits(k | 0x4330000000000000) - (4503599627370496.0 + 2048);
  return (m - 1) / (m + 1);
}

static inline double log_sum(double s, double exponent) {
  double z = s * s, z2 = z * z;
  return fma(exponent, 0.6931471805599453, s * poly8(log_terms, z, z2, z2 * z2));
}

static inline double logarithm(double x) {
  double exponent, s = log_ratio(x, &exponent);
  return log_sum(s, exponent);
}

PLAIT_WIDE void pl_mc_exp_of(double start, double slope, double scale, double *x) {
  double k[L];
  for (int l = 0; l < L; l++) x[l] = exp_rest(start + slope * x[l], &k[l]);
  for (int l = 0; l < L; l++) x[l] = scale * exp_sum(x[l], k[l]);
}

PLAIT_WIDE void pl_mc_exp(double *x) {
  double k[L];
  for (int l = 0; l < L; l++) x[l] = exp_rest(x[l], &k[l]);
  for (int l = 0; l < L; l++) x[l] = exp_sum(x[l], k[l]);
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
    double c = fma(poly4(cos_terms + 8, z, z2), z4 * z4, poly8(cos_terms, z, z2, z4));
    x[l] = from_bits(to_bits(c) ^ (int64_t)(odd << 63));
  }
}

// ---- normal quantiles -----------------------------------------------------------------------
// z(u) / (u - 1/2) as a polynomial in -log(4 u (1 - u)) - 5/2, which is in [-5/2, 5/2] but for one
// point in 300: interpolated at the Chebyshev nodes, to 5e-15.
static const double middle_terms[18] = {
    4.2466269340293303,      0.69760404879810189,     -0.01181523876008181,
    -0.0035431930256572017,  0.00061730496657600386,  -1.4131047821849104e-05,
    -9.663657707459957e-06,  1.3540406569248956e-06,  3.7946855680818718e-08,
    -3.0721069361808839e-08, 2.5670439116138026e-09,  3.3878594810700438e-10,
    -8.8218395742635068e-11, 2.4447386299074985e-12,  1.5622842629955102e-12,
    -1.9376610470412691e-13, -1.3738314534463538e-14, 3.4525419778099497e-15};
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

static double horner(const double c[8], double r) {
  double p = c[7];
  for (int i = 6; i >= 0; i--) p = p * r + c[i];
  return p;
}

// u < 0.0017 or above 1 - 0.0017.
static double tail(double u) {
  double root = sqrt(-logarithm(u < 0.5 ? u : 1 - u));
  double z = root > 5 ? horner(a_end, root - 5) / horner(b_end, root - 5)
                      : horner(a_far, root - 1.6) / horner(b_far, root - 1.6);
  return u < 0.5 ? -z : z;
}

// Looks closer only at the rows of 16 in which there is a tail.
static PLAIT_WIDE void mend(const double *u, const double *w, double *z) {
  for (int row = 0; row < L; row += 16) {
    int64_t tails = 0;
    for (int l = row; l < row + 16; l++) tails += w[l] > 2.5;
    for (int l = row; l < row + 16 && tails > 0; l++)
      if (w[l] > 2.5) z[l] = tail(u[l]);
  }
}

// Three short loops: of one long one the processor holds two trips, too few to fill its units.
PLAIT_WIDE void pl_mc_normal(const double *restrict u, double *restrict z) {
  double s[L], w[L];
  int64_t tails = 0;
  for (int l = 0; l < L; l++) s[l] = log_ratio(4 * u[l] * (1 - u[l]), &w[l]);
  for (int l = 0; l < L; l++) w[l] = -2.5 - log_sum(s[l], w[l]);
  for (int l = 0; l < L; l++) {
    double w1 = w[l], w2 = w1 * w1, w4 = w2 * w2, w8 = w4 * w4;
    double high =
        fma(fma(middle_terms[17], w1, middle_terms[16]), w8, poly8(middle_terms + 8, w1, w2, w4));
    z[l] = (u[l] - 0.5) * fma(high, w8, poly8(middle_terms, w1, w2, w4));
  }
  for (int l = 0; l < L; l++) tails += w[l] > 2.5;
  if (tails > 0) mend(u, w, z);
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

static double total(double lanes[16]) {
  for (int step = 8; step > 0; step /= 2)
    for (int l = 0; l < step; l++) lanes[l] += lanes[l + step];
  return lanes[0];
}

static PLAIT_WIDE double sum_of(const double *x) {
  double lanes[16] = {0};
  for (int i = 0; i < L; i += 16)
    for (int l = 0; l < 16; l++) lanes[l] += x[i + l];
  return total(lanes);
}

static PLAIT_WIDE double sum_of_products(const double *x, const double *y) {
  double lanes[16] = {0};
  for (int i = 0; i < L; i += 16)
    for (int l = 0; l < 16; l++) lanes[l] = fma(x[i + l], y[i + l], lanes[l]);
  return total(lanes);
}

static PLAIT_WIDE double center_all(const double *restrict x, double *restrict to) {
  double mean = sum_of(x) / L;
  for (int l = 0; l < L; l++) to[l] = x[l] - mean;
  return mean;
}

static double center_some(const double *x, int64_t first, int64_t end, double *to) {
  for (int64_t l = 0; l < L; l++) to[l] = l >= first && l < end ? x[l] : 0;
  double mean = sum_of(to) / (double)(end - first);
  for (int64_t l = first; l < end; l++) to[l] = x[l] - mean;
  return mean;
}

// The lanes [first, end) of x less their mean, which is returned; the others are 0.
static double center(const double *x, int64_t first, int64_t end, double *to) {
  return end - first == L ? center_all(x, to) : center_some(x, first, end, to);
}

void pl_mc_count(const double *f, const double *g, int64_t first, int64_t end, mc_tally *t) {
  double df[L], dg[L];
  mc_tally here = {.n = (double)(end - first)};
  here.f = center(f, first, end, df);
  here.ff = sum_of_products(df, df);
  if (g) {
    here.g = center(g, first, end, dg);
    here.gg = sum_of_products(dg, dg);
    here.fg = sum_of_products(df, dg);
  }
  pl_mc_join(t, &here);
}
