// SPDX-License-Identifier: BSD-3-Clause
//
// The integrands, with their integrals where these are known. A new one is a function of ten lines
// and a row of the table at the end.
// Source: A. Genz, Testing multidimensional integration routines (1984); F. Black, M. Scholes, The
//   pricing of options and corporate liabilities (1973); A. G. Z. Kemna, A. C. F. Vorst, A pricing
//   method for options based on average asset values (1990): the geometric mean as a control.
#include "montecarlo.h"
#include <complex.h>
#include <math.h>
#include <string.h>

enum { L = MC_LANES };

double pl_mc_real(const plait_reals *list, int64_t i) {
  return list->n == 0 ? 1 : list->at[list->n == 1 ? 0 : i];
}

static double a_of(const mc_params *p, int64_t j) {
  return pl_mc_real(&p->a, j);
}

static double u_of(const mc_params *p, int64_t j) {
  return pl_mc_real(&p->u, j);
}

// ---- pi -------------------------------------------------------------------------------------
static PLAIT_WIDE void pi_value(const mc_params *p, int64_t d, const double *u, double *f,
                                double *g) {
  (void)p, (void)d, (void)g;
  for (int l = 0; l < L; l++) f[l] = u[l] * u[l] + u[L + l] * u[L + l] < 1 ? 4 : 0;
}

static double pi_exact(const mc_params *p, int64_t d) {
  (void)p, (void)d;
  return acos(-1);
}

// ---- Genz -----------------------------------------------------------------------------------
// f = start + sum of a x
static PLAIT_WIDE void weighted_sum(const mc_params *p, int64_t d, const double *restrict u,
                                    double start, double *restrict f) {
  for (int l = 0; l < L; l++) f[l] = start;
  for (int64_t j = 0; j < d; j++) {
    double a = a_of(p, j);
    for (int l = 0; l < L; l++) f[l] += a * u[j * L + l];
  }
}

static void oscillatory(const mc_params *p, int64_t d, const double *u, double *f, double *g) {
  (void)g;
  weighted_sum(p, d, u, 2 * acos(-1) * u_of(p, 0), f);
  pl_mc_cos(f);
}

static double oscillatory_exact(const mc_params *p, int64_t d) {
  double complex product = cexp(I * 2 * acos(-1) * u_of(p, 0));
  for (int64_t j = 0; j < d; j++) product *= (cexp(I * a_of(p, j)) - 1) / (I * a_of(p, j));
  return creal(product);
}

static PLAIT_WIDE void product_peak(const mc_params *p, int64_t d, const double *restrict u,
                                    double *restrict f, double *g) {
  (void)g;
  for (int l = 0; l < L; l++) f[l] = 1;
  for (int64_t j = 0; j < d; j++) {
    double width = 1 / (a_of(p, j) * a_of(p, j)), middle = u_of(p, j);
    for (int l = 0; l < L; l++) {
      double x = u[j * L + l] - middle;
      f[l] *= 1 / (width + x * x);
    }
  }
}

static double product_peak_exact(const mc_params *p, int64_t d) {
  double product = 1;
  for (int64_t j = 0; j < d; j++) {
    double a = a_of(p, j), u = u_of(p, j);
    product *= a * (atan(a * (1 - u)) + atan(a * u));
  }
  return product;
}

static PLAIT_WIDE void corner_peak(const mc_params *p, int64_t d, const double *u,
                                   double *restrict f, double *g) {
  (void)g;
  _Alignas(64) double sum[L];
  weighted_sum(p, d, u, 1, sum);
  for (int l = 0; l < L; l++) f[l] = 1;
  for (int64_t j = 0; j <= d; j++)
    for (int l = 0; l < L; l++) f[l] /= sum[l];
}

static double corner_peak_exact(const mc_params *p, int64_t d) {
  double all = 0, scale = 1;
  if (d > 20) return NAN; // 2^d terms
  for (int64_t set = 0; set < (int64_t)1 << d; set++) {
    double sum = 1, sign = 1;
    for (int64_t j = 0; j < d; j++)
      if (set >> j & 1) sum += a_of(p, j), sign = -sign;
    all += sign / sum;
  }
  for (int64_t j = 0; j < d; j++) scale *= a_of(p, j) * (double)(j + 1);
  return all / scale;
}

static PLAIT_WIDE void gaussian(const mc_params *p, int64_t d, const double *restrict u,
                                double *restrict f, double *g) {
  (void)g;
  for (int l = 0; l < L; l++) f[l] = 0;
  for (int64_t j = 0; j < d; j++) {
    double a = a_of(p, j), middle = u_of(p, j);
    for (int l = 0; l < L; l++) {
      double x = a * (u[j * L + l] - middle);
      f[l] -= x * x;
    }
  }
  pl_mc_exp(f);
}

static double gaussian_exact(const mc_params *p, int64_t d) {
  double product = 1;
  for (int64_t j = 0; j < d; j++) {
    double a = a_of(p, j), u = u_of(p, j);
    product *= sqrt(acos(-1)) / (2 * a) * (erf(a * (1 - u)) + erf(a * u));
  }
  return product;
}

static PLAIT_WIDE void continuous(const mc_params *p, int64_t d, const double *restrict u,
                                  double *restrict f, double *g) {
  (void)g;
  for (int l = 0; l < L; l++) f[l] = 0;
  for (int64_t j = 0; j < d; j++) {
    double a = a_of(p, j), middle = u_of(p, j);
    for (int l = 0; l < L; l++) f[l] -= a * fabs(u[j * L + l] - middle);
  }
  pl_mc_exp(f);
}

static double continuous_exact(const mc_params *p, int64_t d) {
  double product = 1;
  for (int64_t j = 0; j < d; j++) {
    double a = a_of(p, j), u = u_of(p, j);
    product *= (2 - exp(-a * u) - exp(-a * (1 - u))) / a;
  }
  return product;
}

static PLAIT_WIDE void discontinuous(const mc_params *p, int64_t d, const double *u, double *f,
                                     double *g) {
  (void)g;
  weighted_sum(p, d, u, 0, f);
  pl_mc_exp(f);
  for (int64_t j = 0; j < d && j < 2; j++) {
    double edge = u_of(p, j);
    for (int l = 0; l < L; l++) f[l] = u[j * L + l] > edge ? 0 : f[l];
  }
}

static double discontinuous_exact(const mc_params *p, int64_t d) {
  double product = 1;
  for (int64_t j = 0; j < d; j++) {
    double a = a_of(p, j), edge = j < 2 ? u_of(p, j) : 1;
    product *= (exp(a * (edge < 1 ? edge : 1)) - 1) / a;
  }
  return product;
}

// ---- options --------------------------------------------------------------------------------
void pl_mc_derive(mc_params *p) {
  p->discount = exp(-p->rate * p->maturity);
}

// Discounted: max(0, unit price + paid), of prices in units of `size`.
typedef struct contract {
  double unit, paid;
} contract;

static contract contract_of(const mc_params *p, double size) {
  double sign = p->option == MC_CALL ? 1 : -1;
  return (contract){.unit = sign * p->discount * size, .paid = -sign * p->discount * p->strike};
}

static PLAIT_WIDE void payoff(const contract *c, const double *restrict price, double *restrict f) {
  double unit = c->unit, paid = c->paid;
  for (int l = 0; l < L; l++) {
    double gain = fma(unit, price[l], paid);
    f[l] = gain > 0 ? gain : 0;
  }
}

// The control variate is the share itself: its discounted mean is today's price.
static PLAIT_WIDE void scaled(double factor, const double *restrict x, double *restrict to) {
  for (int l = 0; l < L; l++) to[l] = factor * x[l];
}

static void european(const mc_params *p, int64_t d, const double *u, double *f, double *g) {
  (void)d;
  _Alignas(64) double z[L], drift = (p->rate - 0.5 * p->volatility * p->volatility) * p->maturity,
                            spread = p->volatility * sqrt(p->maturity);
  contract c = contract_of(p, p->spot);
  pl_mc_normal(u, z);
  pl_mc_gain(drift, spread, c.unit, c.paid, z, f);
  if (!g) return;
  pl_mc_exp_of(drift, spread, z);
  scaled(p->discount * p->spot, z, g);
}

static double european_mean(const mc_params *p, int64_t d) {
  (void)d;
  return p->spot;
}

static double normal(double x) {
  return 0.5 * erfc(-x * sqrt(0.5));
}

// Discounted mean payoff of a price whose logarithm is normal with this mean and deviation.
static double lognormal_option(const mc_params *p, double mean, double deviation) {
  double d2 = (mean - log(p->strike)) / deviation, d1 = d2 + deviation;
  double price = exp(mean + 0.5 * deviation * deviation), sign = p->option == MC_CALL ? 1 : -1;
  return exp(-p->rate * p->maturity) * sign *
         (price * normal(sign * d1) - p->strike * normal(sign * d2));
}

static double european_exact(const mc_params *p, int64_t d) {
  (void)d;
  double drift = (p->rate - 0.5 * p->volatility * p->volatility) * p->maturity;
  return lognormal_option(p, log(p->spot) + drift, p->volatility * sqrt(p->maturity));
}

// Averages over d equal steps: arithmetic in `mean`, geometric in `geometric`.
static PLAIT_WIDE void averages(const mc_params *p, int64_t d, const double *u,
                                double *restrict mean, double *restrict geometric) {
  _Alignas(64) double path[L], z[L], price[L], step = p->maturity / (double)d;
  double drift = (p->rate - 0.5 * p->volatility * p->volatility) * step,
         spread = p->volatility * sqrt(step), start = log(p->spot);
  for (int l = 0; l < L; l++) path[l] = start, mean[l] = geometric[l] = 0;
  for (int64_t j = 0; j < d; j++) {
    pl_mc_normal(u + j * L, z);
    for (int l = 0; l < L; l++) path[l] += drift + spread * z[l];
    for (int l = 0; l < L; l++) geometric[l] += path[l];
    memcpy(price, path, sizeof price);
    pl_mc_exp(price);
    for (int l = 0; l < L; l++) mean[l] += price[l];
  }
  for (int l = 0; l < L; l++) mean[l] /= (double)d;
  for (int l = 0; l < L; l++) geometric[l] /= (double)d;
  pl_mc_exp(geometric);
}

static void asian(const mc_params *p, int64_t d, const double *u, double *f, double *g) {
  _Alignas(64) double mean[L], geometric[L];
  contract c = contract_of(p, 1);
  averages(p, d, u, mean, geometric);
  payoff(&c, mean, f);
  if (g) payoff(&c, geometric, g);
}

static void asian_geometric(const mc_params *p, int64_t d, const double *u, double *f, double *g) {
  _Alignas(64) double mean[L], geometric[L];
  contract c = contract_of(p, 1);
  averages(p, d, u, mean, geometric);
  payoff(&c, geometric, f);
  if (g) scaled(p->discount, mean, g);
}

// The logarithm of the geometric mean is normal: steps 1 .. n weigh (n + 1) / 2n on the average.
static double geometric_exact(const mc_params *p, int64_t d) {
  double n = (double)d, step = p->maturity / n;
  double drift = (p->rate - 0.5 * p->volatility * p->volatility) * step;
  double variance = p->volatility * p->volatility * step * (n + 1) * (2 * n + 1) / (6 * n);
  return lognormal_option(p, log(p->spot) + drift * (n + 1) / 2, sqrt(variance));
}

static double average_mean(const mc_params *p, int64_t d) {
  double sum = 0, step = p->maturity / (double)d;
  for (int64_t j = 1; j <= d; j++) sum += exp(p->rate * (step * (double)j - p->maturity));
  return p->spot * sum / (double)d;
}

static double unknown(const mc_params *p, int64_t d) {
  (void)p, (void)d;
  return NAN;
}

const mc_problem pl_mc_problems[] = {
    {"pi", 2, pi_value, pi_exact, NULL},
    {"oscillatory", 0, oscillatory, oscillatory_exact, NULL},
    {"product_peak", 0, product_peak, product_peak_exact, NULL},
    {"corner_peak", 0, corner_peak, corner_peak_exact, NULL},
    {"gaussian", 0, gaussian, gaussian_exact, NULL},
    {"continuous", 0, continuous, continuous_exact, NULL},
    {"discontinuous", 0, discontinuous, discontinuous_exact, NULL},
    {"european", 1, european, european_exact, european_mean},
    {"asian", 0, asian, unknown, geometric_exact},
    {"asian_geometric", 0, asian_geometric, geometric_exact, average_mean},
};

const char *const pl_mc_names[] = {
    "pi",         "oscillatory",   "product_peak", "corner_peak", "gaussian",
    "continuous", "discontinuous", "european",     "asian",       "asian_geometric",
    NULL};
