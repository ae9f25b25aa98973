// SPDX-License-Identifier: BSD-3-Clause
//
// Vectors of random points, their normal quantiles, exponentials and cosines, and their moments:
// what the integrands are made of, 128 lanes at a time and without branches.
//
// pl_mc_uniform gives the numbers of plait_random (Philox 4x32-10), computed side by side: of 128
// points one call has a number for point l and one for point l + 64. exp and
// cos are good to 2e-15, quantiles to 1e-13, which no sum over samples can tell from exact; the C
// library's would be called lane by lane, at ten times the cost, with other bits on other systems.
// Source: J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011); M. J. Wichura,
//   Algorithm AS 241 (1988); T. F. Chan, G. H. Golub, R. J. LeVeque (1983) for the moments.
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

// ---- uniform --------------------------------------------------------------------------------
typedef struct words {
  uint32_t w[4][L / 2];
} words;

// Products by widening: what the multiplier takes. (Products of 64 bits by a known factor become
// seventeen shifts and additions, by an unknown one three multiplications.)
static PLAIT_WIDE void philox(uint32_t k0, uint32_t k1, words *restrict x) {
  for (int l = 0; l < L / 2; l++) {
    uint32_t a = x->w[0][l], b = x->w[1][l], c = x->w[2][l], d = x->w[3][l], p = k0, q = k1;
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
      uint64_t m = (uint64_t)a * 0xd2511f53U, n = (uint64_t)c * 0xcd9e8d57U;
      a = (uint32_t)(n >> 32) ^ b ^ p;
      b = (uint32_t)n;
      c = (uint32_t)(m >> 32) ^ d ^ q;
      d = (uint32_t)m;
      p += 0x9e3779b9U;
      q += 0xbb67ae85U;
    }
    x->w[0][l] = a;
    x->w[1][l] = b;
    x->w[2][l] = c;
    x->w[3][l] = d;
  }
}

// As plait_uniform: 52 bits, put below the exponent of 1.
static PLAIT_WIDE void reals(const uint32_t *restrict high, const uint32_t *restrict low,
                             double *restrict u) {
  for (int l = 0; l < L / 2; l++) {
    uint64_t bits = ((uint64_t)high[l] << 32 | low[l]) >> 12;
    u[l] = from_bits((int64_t)bits | 0x3ff0000000000000) - (1 - 0x1p-53);
  }
}

void pl_mc_uniform(int64_t seed, int64_t dim, int64_t first, double *u) {
  words x;
  uint64_t start = (uint64_t)first / 2;
  for (int l = 0; l < L / 2; l++) {
    x.w[0][l] = (uint32_t)(start + (uint64_t)l);
    x.w[1][l] = (uint32_t)((start + (uint64_t)l) >> 32);
    x.w[2][l] = (uint32_t)dim;
    x.w[3][l] = (uint32_t)((uint64_t)dim >> 32);
  }
  philox((uint32_t)seed, (uint32_t)((uint64_t)seed >> 32), &x);
  reals(x.w[0], x.w[1], u);
  reals(x.w[2], x.w[3], u + L / 2);
}

PLAIT_WIDE void pl_mc_mirror(const double *u, int64_t n, double *to) {
  for (int64_t i = 0; i < n; i++) to[i] = 1 - u[i];
}

// ---- functions ------------------------------------------------------------------------------
static const double rounder = 6755399441055744.0; // 1.5 * 2^52: adding it rounds to an integer

static const double inverse_factorial[13] = {
    1.0 / 1,    1.0 / 1,     1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,      1.0 / 720,
    1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600};

static inline double exponential(double x) {
  x = x < -700 ? -700 : x > 700 ? 700 : x;
  double k = x * 1.4426950408889634 + rounder;
  int64_t bits = to_bits(k);
  k -= rounder;
  double r = x - k * 6.93147180369123816490e-01 - k * 1.90821492927058770002e-10;
  double e = inverse_factorial[12];
  for (int i = 11; i >= 0; i--) e = e * r + inverse_factorial[i];
  return e * from_bits((int64_t)((uint64_t)(bits + 1023) << 52));
}

// x > 0 and normal: x = 2^k m, m in [0.7, 1.4]; log m = 2 atanh((m - 1) / (m + 1)), to 1e-14: it is
// used where it is below -2.5.
static inline double logarithm(double x) {
  int64_t bits = to_bits(x), shifted = bits - 0x3fe6a09e667f3bcd;
  int64_t k = (shifted >> 52 & 0xfff) ^ 0x800; // biased by 2048, as `>>` need not keep the sign
  double m = from_bits(bits - (int64_t)((uint64_t)(k - 2048) << 52));
  double s = (m - 1) / (m + 1), z = s * s, sum = 0;
  for (int i = 15; i > 0; i -= 2) sum = sum * z + 1.0 / i;
  double exponent = from_bits(k | 0x4330000000000000) - 4503599627370496.0 - 2048;
  return exponent * 0.6931471805599453 + 2 * s * sum;
}

PLAIT_WIDE void pl_mc_exp(double *x) {
  for (int l = 0; l < L; l++) x[l] = exponential(x[l]);
}

// |x| < 1e6, pi in three parts whose products are exact. cos(pi t) with t reduced to [-1/2, 1/2]
// and the sign of the half turns.
PLAIT_WIDE void pl_mc_cos(double *x) {
  for (int l = 0; l < L; l++) {
    double t = x[l] * 0.3183098861837907 + rounder;
    uint64_t odd = (uint64_t)to_bits(t) & 1;
    t -= rounder;
    double r = ((x[l] - t * 3.141592651605606) - t * 1.9841871548575973e-09) -
               t * 4.503483548312435e-18,
           z = r * r, c = 1;
    for (int i = 22; i > 0; i -= 2) c = 1 - c * z * (1.0 / (i * (i - 1)));
    x[l] = from_bits(to_bits(c) ^ (int64_t)(odd << 63));
  }
}

static inline double polynomial(const double a[8], double r) {
  double p = a[7];
  for (int i = 6; i >= 0; i--) p = p * r + a[i];
  return p;
}

static const double a_mid[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                3.3430575583588128105e+4, 2.5090809287301226727e+3};
static const double b_mid[8] = {1.0,
                                4.2313330701600911252e+1,
                                6.8718700749205790830e+2,
                                5.3941960214247511077e+3,
                                2.1213794301586595867e+4,
                                3.9307895800092710610e+4,
                                2.8729085735721942674e+4,
                                5.2264952788528545610e+3};
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

// The middle and the far region for all lanes, one division for both; the end (1e-11) lane by lane.
PLAIT_WIDE void pl_mc_normal(const double *u, double *z) {
  double root[L];
  int ends = 0;
  for (int l = 0; l < L; l++) root[l] = sqrt(-logarithm(u[l] < 0.5 ? u[l] : 1 - u[l]));
  for (int l = 0; l < L; l++) {
    double q = u[l] - 0.5, middle = 0.180625 - q * q, far = root[l] - 1.6;
    bool near = fabs(q) <= 0.425;
    double top = q * polynomial(a_mid, middle), sign = q < 0 ? -1.0 : 1.0;
    double above = near ? top : sign * polynomial(a_far, far);
    z[l] = above / (near ? polynomial(b_mid, middle) : polynomial(b_far, far));
  }
  for (int l = 0; l < L; l++) ends += root[l] > 5;
  for (int l = 0; l < L && ends > 0; l++) {
    if (root[l] <= 5) continue;
    double end = polynomial(a_end, root[l] - 5) / polynomial(b_end, root[l] - 5);
    z[l] = u[l] < 0.5 ? -end : end;
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

static double total(double lanes[16]) {
  for (int step = 8; step > 0; step /= 2)
    for (int l = 0; l < step; l++) lanes[l] += lanes[l + step];
  return lanes[0];
}

static PLAIT_WIDE double mean(const double *restrict x, const double *restrict weight, double n) {
  double sum[16] = {0};
  for (int i = 0; i < L; i += 16)
    for (int l = 0; l < 16; l++) sum[l] += x[i + l] * weight[i + l];
  return total(sum) / n;
}

static PLAIT_WIDE double products(const double *restrict x, double mx, const double *restrict y,
                                  double my, const double *restrict weight) {
  double sum[16] = {0};
  for (int i = 0; i < L; i += 16)
    for (int l = 0; l < 16; l++) sum[l] += (x[i + l] - mx) * (y[i + l] - my) * weight[i + l];
  return total(sum);
}

void pl_mc_count(const double *f, const double *g, int64_t first, int64_t end, mc_tally *t) {
  double weight[L];
  for (int l = 0; l < L; l++) weight[l] = l >= first && l < end ? 1 : 0;
  mc_tally here = {.n = (double)(end - first)};
  here.f = mean(f, weight, here.n);
  here.ff = products(f, here.f, f, here.f, weight);
  if (g) {
    here.g = mean(g, weight, here.n);
    here.gg = products(g, here.g, g, here.g, weight);
    here.fg = products(f, here.f, g, here.g, weight);
  }
  pl_mc_join(t, &here);
}
