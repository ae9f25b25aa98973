// SPDX-License-Identifier: BSD-3-Clause
//
// Vectors of points: their normal quantiles, exponentials and cosines, and their moments: what the
// integrands are made of, 128 lanes at a time and without branches.
//
// exp and cos are good to 2e-15, quantiles to 5e-15, which no sum over samples can tell from exact;
// the C library's would be called lane by lane, at ten times the cost, with other bits on other
// systems. Polynomials are evaluated in two chains, of even and of odd powers: one takes a tenth
// longer, four (Estrin) take more products and no less time. fma() is one instruction in the copies
// for AVX2 and AVX-512, and a slow call with the same bits where there is neither.
// Source: M. J. Wichura, Algorithm AS 241 (1988), for the tails; L. N. Trefethen, Approximation
//   Theory and Approximation Practice (2013), chapters 25 and 27, for rational functions beside a
//   singularity; T. F. Chan, G. H. Golub, R. J. LeVeque (1983) for the moments.
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

PLAIT_WIDE void pl_mc_average(double *restrict f, const double *restrict g) {
  for (int l = 0; l < L; l++) f[l] = 0.5 * (f[l] + g[l]);
}

// ---- polynomials ----------------------------------------------------------------------------
static inline double poly4(const double c[4], double x, double x2) {
  return fma(fma(c[3], x, c[2]), x2, fma(c[1], x, c[0]));
}

static inline double poly8(const double c[8], double x) {
  double x2 = x * x;
  return fma(poly4(c + 4, x, x2), x2 * x2, poly4(c, x, x2));
}

// Two numbers side by side, from either half of a vector of points: of one alone each step waits
// for the last, and the next points lie too far ahead for the core; it is a tenth of the time.
enum { HALF = L / 2 };
typedef struct two {
  double a, b;
} two;

static inline two both(double x) {
  return (two){x, x};
}

static inline two times(two x, two y) {
  return (two){x.a * y.a, x.b * y.b};
}

static inline two fma2(two x, two y, two c) {
  return (two){fma(x.a, y.a, c.a), fma(x.b, y.b, c.b)};
}

static inline two poly11(const double c[11], two x) {
  two x2 = times(x, x), even = both(c[10]), odd = both(c[9]);
#define STEP(i) even = fma2(even, x2, both(c[i])), odd = fma2(odd, x2, both(c[(i)-1]))
  STEP(8), STEP(6), STEP(4), STEP(2);
  return fma2(odd, x, fma2(even, x2, both(c[0])));
}

static inline two poly15(const double c[15], two x) {
  two x2 = times(x, x), even = both(c[14]), odd = both(c[13]);
  STEP(12), STEP(10), STEP(8), STEP(6), STEP(4), STEP(2);
#undef STEP
  return fma2(odd, x, fma2(even, x2, both(c[0])));
}

// ---- functions ------------------------------------------------------------------------------
static const double rounder = 6755399441055744.0; // 1.5 * 2^52: adding it rounds to an integer

// e^r for |r| <= log(2) / 2 and 2^r for |r| <= 1/2, interpolated at the Chebyshev nodes: to 4e-16.
static const double exp_terms[11] = {1.0,
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
static const double power_terms[11] = {1.0,
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

// One comparison only: of two in a row compilers make four, with all the ways between. NaN stays.
static inline double clamp(double x, double most) {
  double size = fabs(x);
  return copysign(size > most ? most : size, x);
}

// m 2^k for m near 1: k, as the bits of a number that it was rounded in, is added to the exponent.
static inline double scaled_by(double m, double k) {
  return from_bits(to_bits(m) + (int64_t)((uint64_t)to_bits(k) << 52));
}

// x = k log 2 + r.
PLAIT_WIDE void pl_mc_exp(double *x) {
  for (int l = 0; l < HALF; l++) {
    two t = {clamp(x[l], 700), clamp(x[l + HALF], 700)};
    two k = fma2(t, both(log2_e), both(rounder)), n = {k.a - rounder, k.b - rounder};
    two r = fma2(n, both(-6.93147180369123816490e-01), t);
    two m = poly11(exp_terms, fma2(n, both(-1.90821492927058770002e-10), r));
    x[l] = scaled_by(m.a, k.a), x[l + HALF] = scaled_by(m.b, k.b);
  }
}

static inline two power(two t) {
  two k = {t.a + rounder, t.b + rounder}, r = {t.a - (k.a - rounder), t.b - (k.b - rounder)};
  two m = poly11(power_terms, r);
  return (two){scaled_by(m.a, k.a), scaled_by(m.b, k.b)};
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

static inline two along(line y, const double *x) {
  return fma2(both(y.slope), (two){x[0], x[HALF]}, both(y.start));
}

static inline two along_clamped(line y, const double *x) {
  two t = along(y, x);
  return (two){clamp(t.a, 1000), clamp(t.b, 1000)};
}

static inline void put(two y, double *to) {
  to[0] = y.a, to[HALF] = y.b;
}

PLAIT_WIDE void pl_mc_exp_of(double start, double slope, double *x) {
  line y = line_of(start, slope);
  if (y.tame)
    for (int l = 0; l < HALF; l++) put(power(along(y, x + l)), x + l);
  else
    for (int l = 0; l < HALF; l++) put(power(along_clamped(y, x + l)), x + l);
}

static inline two gain(two price, double unit, double paid) {
  two g = fma2(both(unit), price, both(paid));
  return (two){g.a > 0 ? g.a : 0, g.b > 0 ? g.b : 0};
}

PLAIT_WIDE void pl_mc_gain(double start, double slope, double unit, double paid,
                           const double *restrict x, double *restrict f) {
  line y = line_of(start, slope);
  if (y.tame)
    for (int l = 0; l < HALF; l++) put(gain(power(along(y, x + l)), unit, paid), f + l);
  else
    for (int l = 0; l < HALF; l++) put(gain(power(along_clamped(y, x + l)), unit, paid), f + l);
}

// x > 0 and normal: x = 2^k m, m in [0.7, 1.4]; log m = 2 atanh((m - 1) / (m + 1)), to 1e-14.
static const double log_terms[8] = {2.0,     2.0 / 3,  2.0 / 5,  2.0 / 7,
                                    2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15};

static inline double logarithm(double x) {
  int64_t bits = to_bits(x), shifted = bits - 0x3fe6a09e667f3bcd;
  int64_t k = (shifted >> 52 & 0xfff) ^ 0x800; // biased by 2048, as `>>` need not keep the sign
  double m = from_bits(bits - (int64_t)((uint64_t)(k - 2048) << 52)), s = (m - 1) / (m + 1);
  return fma((double)(k - 2048), 0.6931471805599453, s * poly8(log_terms, s * s));
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

// ---- normal quantiles -----------------------------------------------------------------------
// z(u) / (u - 1/2) as a quotient in x = u (1 - u), which needs no logarithm as far as `least`: on
// either side there is one point in 1000 beyond. Interpolated at Zolotarev's nodes for an interval
// beside the cut (-inf, 0], to 3e-15. All terms are positive: nothing cancels.
static const double least = 0.001 * (1 - 0.001);
static const double over[15] = {
    8.5094733073463971,     187813.34651691042,     858004415.77268219,     1355750707769.03,
    908481515630701.5,      2.859524373951751e+17,  4.4648563413655355e+19, 3.5513082726524209e+21,
    1.4479426165959033e+23, 2.988960860033233e+24,  3.0185104036053666e+25, 1.3950228277257867e+26,
    2.6014225283489312e+26, 1.5017392321476233e+26, 1.1983331066317642e+25};
static const double under[15] = {1,
                                 25215.714761819829,
                                 126377153.81581108,
                                 216617874888.95758,
                                 157086757212277.31,
                                 53633915433262968,
                                 9.1375040660959908e+18,
                                 8.004779114828489e+20,
                                 3.6435040045700437e+22,
                                 8.5588069787706573e+23,
                                 1.0112898353647941e+25,
                                 5.7064693720751456e+25,
                                 1.396891269925218e+26,
                                 1.2288727061426897e+26,
                                 2.4576889902668224e+25};
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

// Where the tails are, as bit r of lane l for point 16 r + l: a branch for each point would cost
// more than the tails themselves, of which most vectors have none or one.
static PLAIT_WIDE void mend(const double *restrict u, double *restrict z) {
  uint64_t far[L], rows[16] = {0};
  for (int l = 0; l < L; l++) far[l] = fma(-u[l], u[l], u[l]) < least ? UINT64_MAX : 0;
  for (int r = 0; r < L / 16; r++)
    for (int l = 0; l < 16; l++) rows[l] |= far[16 * r + l] & UINT64_C(1) << r;
  for (int l = 0; l < 16; l++)
    for (uint64_t left = rows[l]; left; left &= left - 1) {
      int at = 16 * __builtin_ctzll(left) + l;
      z[at] = tail(u[at]);
    }
}

PLAIT_WIDE void pl_mc_normal(const double *restrict u, double *restrict z) {
  int64_t tails = 0, more = 0;
  for (int l = 0; l < HALF; l++) {
    two v = {u[l], u[l + HALF]}, x = fma2((two){-v.a, -v.b}, v, v);
    tails += x.a < least, more += x.b < least;
    two n = poly15(over, x), d = poly15(under, x);
    z[l] = (v.a - 0.5) * n.a / d.a;
    z[l + HALF] = (v.b - 0.5) * n.b / d.b;
  }
  if (tails + more > 0) mend(u, z);
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
  double sum[MC_SUMS] = {0}, squares[MC_SUMS] = {0}, near = s->near_f;
  for (int i = 0; i < L; i += MC_SUMS)
    for (int l = 0; l < MC_SUMS; l++) {
      double d = f[i + l] - near;
      sum[l] += d;
      squares[l] = fma(d, d, squares[l]);
    }
  for (int l = 0; l < MC_SUMS; l++) s->f[l] += sum[l];
  for (int l = 0; l < MC_SUMS; l++) s->ff[l] += squares[l];
}

static PLAIT_WIDE void add_g(const double *restrict f, const double *restrict g,
                             mc_sums *restrict s) {
  double sum[MC_SUMS] = {0}, squares[MC_SUMS] = {0}, products[MC_SUMS] = {0};
  double near_f = s->near_f, near_g = s->near_g;
  for (int i = 0; i < L; i += MC_SUMS)
    for (int l = 0; l < MC_SUMS; l++) {
      double d = g[i + l] - near_g;
      sum[l] += d;
      squares[l] = fma(d, d, squares[l]);
      products[l] = fma(f[i + l] - near_f, d, products[l]);
    }
  for (int l = 0; l < MC_SUMS; l++) s->g[l] += sum[l];
  for (int l = 0; l < MC_SUMS; l++) s->gg[l] += squares[l];
  for (int l = 0; l < MC_SUMS; l++) s->fg[l] += products[l];
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
