// SPDX-License-Identifier: BSD-3-Clause
//
// What the files of montecarlo share.
#ifndef PLAIT_MONTECARLO_H
#define PLAIT_MONTECARLO_H
#include <plait.h>

enum { MC_LANES = 128, MC_PARTS = 64, MC_SPAN = 8192, MC_SOBOL_DIMS = 64 };
enum { MC_RANDOM, MC_SOBOL };
enum { MC_CALL, MC_PUT };

typedef struct mc_params {
  int problem, method, option;
  int64_t samples, rounds, dimensions, scrambles, seed;
  double target;
  bool antithetic, control;
  plait_reals a, u, constants;
  double spot, strike, rate, volatility, maturity;
  double discount; // no parameter: what a sum paid at the end is worth today
} mc_params;

// An integrand over the unit cube. `value` fills f[MC_LANES] for points u[d][MC_LANES] and, where
// `mean` is given and g is not NULL, g[MC_LANES], whose mean is known: the control variate.
// `exact`: the integral, NaN when nobody knows. To add one: a function of ten lines and a row in
// pl_mc_problems; without building plait anew: PLAIT_INTEGRAND.
typedef struct mc_problem {
  const char *name;
  int64_t dims; // 0: params.dimensions
  void (*value)(const mc_params *p, int64_t d, const double *u, double *f, double *g);
  double (*exact)(const mc_params *p, int64_t d);
  double (*mean)(const mc_params *p, int64_t d); // of g; NULL: no control variate
} mc_problem;
extern const mc_problem pl_mc_problems[];
extern const char *const pl_mc_names[]; // of those, NULL-terminated

// An integrand of the user's own, point by point; x: room for d numbers.
void pl_mc_own(const plait_integrand *own, const mc_params *p, int64_t d, const double *u,
               double *x, double *f);

void pl_mc_derive(mc_params *p); // what is no parameter

double pl_mc_real(const plait_reals *list, int64_t i); // a list of one stands for all

// Means and sums of squares about them, of f and the control g.
typedef struct mc_tally {
  double n, f, g, ff, gg, fg;
} mc_tally;
void pl_mc_join(mc_tally *left, const mc_tally *right);

// Sums over many vectors, lane by lane, about a value near the mean: that of the first vector. The
// sum of squares about it is at most 1 + n / 128 times that about the mean, as those 128 values are
// among the n: of MC_SPAN samples the difference loses 6 bits at worst. Starts as all zeros.
enum { MC_SUMS = 16 };
typedef struct mc_sums {
  _Alignas(64) double f[MC_SUMS], g[MC_SUMS], ff[MC_SUMS], gg[MC_SUMS], fg[MC_SUMS];
  double n, near_f, near_g;
} mc_sums;
// The lanes [first, end), at least one, of f and, when it is not NULL, of g.
void pl_mc_count(const double *f, const double *g, int64_t first, int64_t end, mc_sums *s);
void pl_mc_close(const mc_sums *s, mc_tally *t); // adds them to t

// What the random numbers of a seed have in common, made once for many vectors: its keys in each
// round, for every lane of a quadruple. Made anew for each vector they take a tenth longer.
enum { MC_QUAD = 4 };
typedef struct mc_keys {
  _Alignas(32) uint64_t p[10][MC_QUAD], q[10][MC_QUAD];
  int64_t seed;
} mc_keys;
mc_keys pl_mc_keys(int64_t seed);

// One dimension of the points [first, first + MC_LANES): plait_random(seed, dim, first / 2 + l) has
// point l in its first two words and point l + MC_LANES / 2 in the others. `first` is a multiple of
// MC_LANES.
void pl_mc_uniform(const mc_keys *keys, int64_t dim, int64_t first, double *u);
void pl_mc_uniform_plain(const mc_keys *keys, int64_t dim, int64_t first, double *u); // no AVX2
void pl_mc_directions(int64_t dim, uint32_t v[32]);
// `first` is a multiple of MC_LANES; key: of the scrambling (Owen's, by hashing), 0: none.
void pl_mc_sobol(const uint32_t v[32], uint32_t key, int64_t first, double *u);
void pl_mc_mirror(const double *u, int64_t n, double *to); // 1 - u
void pl_mc_average(double *f, const double *g);            // f = (f + g) / 2

void pl_mc_normal(const double *u, double *z); // quantiles of the normal distribution, MC_LANES
void pl_mc_exp(double *x);                     // in place, MC_LANES
void pl_mc_exp_of(double start, double slope, double *x); // e^(start + slope x) for |x| < 9
// f = max(0, unit e^(start + slope x) + paid): the same bits as pl_mc_exp_of and fma()
void pl_mc_gain(double start, double slope, double unit, double paid, const double *x, double *f);
void pl_mc_cos(double *x);

extern const plait_kernel plait_kernel_integrand;
plait_err pl_mc_verify(const plait_lab *lab);
plait_err pl_mc_verify_own(const plait_lab *lab);
#endif
