// SPDX-License-Identifier: BSD-3-Clause
//
// The parts of montecarlo beside what they stand for: random numbers beside plait_random, functions
// beside the C library, Sobol points beside published ones and as nets; then the kernel: errors
// that
// mean what they say, targets, teams, refusals.
#include "../../kernels/montecarlo.h"
#include "base/err.h"
#include "base/mem.h"
#include "engine/registry.h"
#include "engine/task.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { L = MC_LANES };

typedef struct result {
  double value, error, samples, exact, round_value[100], round_error[100], reached;
} result;

static plait_err run(const char *settings, result *r) {
  plait_lab lab = {.apply = pl_lab_apply, .kernel = pl_kernel_find("montecarlo")};
  void *const out[] = {&r->value,      &r->error,      &r->samples, &r->exact,
                       r->round_value, r->round_error, &r->reached};
  return lab.apply(&lab, settings, NULL, NULL, (int64_t[]){3000}, out);
}

static void ran(const char *settings, result *r) {
  if (run(settings, r) != PLAIT_OK) fail_msg("%s: %s", settings, pl_message());
}

static void uniform(int64_t seed, int64_t dim, int64_t first, double *u) {
  mc_keys keys = pl_mc_keys(seed);
  pl_mc_uniform(&keys, dim, first, u);
}

// ---- parts ----------------------------------------------------------------------------------
static void numbers_of_plait_random(void **state) {
  (void)state;
  static const int64_t firsts[] = {0, 8589934592 - 128, 123456789012352};
  double u[L], plain[L];
  mc_keys keys = pl_mc_keys(987654321987);
  for (int i = 0; i < 3; i++) {
    pl_mc_uniform(&keys, 3 + i, firsts[i], u);
    pl_mc_uniform_plain(&keys, 3 + i, firsts[i], plain);
    assert_memory_equal(u, plain, sizeof u);
    for (int l = 0; l < L / 2; l++) {
      uint32_t w[4];
      plait_random(987654321987, (uint64_t)(3 + i), (uint64_t)(firsts[i] / 2 + l), w);
      assert_true(u[l] == plait_uniform(w[0], w[1]));
      assert_true(u[l + L / 2] == plait_uniform(w[2], w[3]));
    }
  }
}

static void functions_beside_libm(void **state) {
  (void)state;
  double x[L], y[L], u[L], z[L];
  for (int round = 0; round < 200; round++) {
    uniform(1, round, 0, u);
    for (int l = 0; l < L; l++) x[l] = y[l] = (u[l] - 0.5) * (round + 1);
    pl_mc_exp(x);
    for (int l = 0; l < L; l++) assert_true(fabs(x[l] / exp(y[l]) - 1) < 2e-15);
    memcpy(x, y, sizeof x);
    pl_mc_cos(x);
    for (int l = 0; l < L; l++) assert_true(fabs(x[l] - cos(y[l])) < 2e-15);
    for (int l = 0; l < L; l++) u[l] = round % 2 ? u[l] : ldexp(u[l], -round / 4);
    pl_mc_normal(u, z);
    for (int l = 0; l < L; l++)
      assert_true(fabs(0.5 * erfc(-z[l] * sqrt(0.5)) / u[l] - 1) < 2e-14 * (1 + z[l] * z[l]));
    pl_mc_mirror(u, L, x);
    pl_mc_normal(x, y);
    for (int l = 0; l < L; l++)
      if (u[l] > 1e-3) assert_true(fabs(y[l] + z[l]) < 1e-12);
  }
}

// Of a line, as the prices of options take it, also where it must not overflow; no NaN is lost.
static void exponentials_of_a_line(void **state) {
  (void)state;
  static const double lines[][2] = {{0.03, 0.2}, {-3, 1.5}, {0, 100}, {640, 20}, {-650, 7}};
  double u[L], z[L], y[L];
  for (int i = 0; i < 5; i++) {
    double start = lines[i][0], slope = lines[i][1];
    uniform(2, i, 0, u);
    for (int l = 0; l < L; l++) z[l] = y[l] = (u[l] - 0.5) * 16;
    pl_mc_exp_of(start, slope, y);
    for (int l = 0; l < L; l++) {
      double x = start + slope * z[l], bound = 2e-15 + 1e-15 * fabs(x);
      if (fabs(x) < 690)
        assert_true(fabs(y[l] / exp(x) - 1) < bound);
      else
        assert_true(x > 0 ? y[l] > 1e299 : y[l] >= 0 && y[l] < 1e-299);
    }
  }
  for (int l = 0; l < L; l++) z[l] = y[l] = l == 5 ? (double)NAN : 1;
  pl_mc_exp(z);
  pl_mc_exp_of(0.1, 0.3, y);
  for (int l = 0; l < L; l++) assert_true((l == 5) == (isnan(z[l]) && isnan(y[l])));
}

// In one loop the same bits as in two, tame or not.
static void gains_of_a_line(void **state) {
  (void)state;
  static const double lines[][4] = {
      {0.03, 0.2, 95, -97}, {0.03, 0.2, -95, 97}, {640, 20, 1e-3, -1}, {-650, 100, -1, 3}};
  double u[L], z[L], price[L], f[L];
  for (int i = 0; i < 4; i++) {
    uniform(2, i, 0, u);
    for (int l = 0; l < L; l++) z[l] = price[l] = (u[l] - 0.5) * 16;
    pl_mc_exp_of(lines[i][0], lines[i][1], price);
    pl_mc_gain(lines[i][0], lines[i][1], lines[i][2], lines[i][3], z, f);
    int paid = 0;
    for (int l = 0; l < L; l++) {
      double gain = fma(lines[i][2], price[l], lines[i][3]);
      assert_true(f[l] == (gain > 0 ? gain : 0));
      paid += f[l] > 0;
    }
    assert_true(paid > 0 && paid < L + (i == 2));
  }
}

// A vector in which every other point is in a tail, of both sides, has each beside the C library's.
static void tails_in_every_place(void **state) {
  (void)state;
  double u[L], z[L], alone[L];
  for (int from = 0; from < 2; from++) {
    for (int l = 0; l < L; l++)
      u[l] = (l + from) % 2 ? 0.3 + 0.003 * l : l % 4 < 2 ? 1e-4 / (l + 1) : 1 - 1e-6 * (l + 1);
    pl_mc_normal(u, z);
    for (int l = 0; l < L; l++) {
      double one[L];
      for (int other = 0; other < L; other++) one[other] = 0.5;
      one[l] = u[l];
      pl_mc_normal(one, alone);
      assert_true(alone[l] == z[l] && alone[(l + 1) % L] == 0);
      double low = u[l] < 0.5 ? u[l] : 1 - u[l], side = u[l] < 0.5 ? -z[l] : z[l];
      assert_true(fabs(0.5 * erfc(side * sqrt(0.5)) / low - 1) < 2e-14 * (1 + z[l] * z[l]));
    }
  }
}

// Beside two passes in higher precision, where the mean is large, where the first vector is not
// typical, and where only some lanes of a vector count.
static void moments_beside_two_passes(void **state) {
  (void)state;
  static const struct {
    double mean, outlier;
    int64_t first, end;
  } cases[] = {{0, 0, 0, L}, {1e6, 0, 0, L}, {1, 1e6, 0, L}, {3, 0, 5, 7}, {3, 50, 100, L}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    mc_sums sums = {.n = 0};
    mc_tally t = {.n = 0};
    static double f[MC_SPAN], g[MC_SPAN];
    long double n = 0, mf = 0, mg = 0, ff = 0, gg = 0, fg = 0;
    int64_t vectors = MC_SPAN / L;
    for (int64_t i = 0; i < vectors; i++) {
      uniform(4, (int64_t)c, i * L, f + i * L);
      for (int64_t l = i * L; l < (i + 1) * L; l++) {
        f[l] += cases[c].mean + (l == 5 ? cases[c].outlier : 0);
        g[l] = f[l] * f[l];
      }
      int64_t first = i == 0 ? cases[c].first : 0, end = i == 0 ? cases[c].end : L;
      pl_mc_count(f + i * L, g + i * L, first, end, &sums);
      for (int64_t l = i * L + first; l < i * L + end; l++) n++, mf += f[l], mg += g[l];
    }
    pl_mc_close(&sums, &t);
    mf /= n, mg /= n;
    for (int64_t l = cases[c].first; l < MC_SPAN; l++) {
      if (l >= cases[c].end && l < L) continue;
      ff += (f[l] - mf) * (f[l] - mf), gg += (g[l] - mg) * (g[l] - mg);
      fg += (f[l] - mf) * (g[l] - mg);
    }
    assert_true(t.n == (double)n);
    assert_true(fabs(t.f / (double)mf - 1) < 1e-14 && fabs(t.g / (double)mg - 1) < 1e-14);
    assert_true(fabs(t.ff / (double)ff - 1) < 1e-12 && fabs(t.gg / (double)gg - 1) < 1e-12);
    assert_true(fabs(t.fg / (double)fg - 1) < 1e-12);
  }
}

// Points 0 to 7 of the first four dimensions in the order of Gray's code, as Joe and Kuo's
// numbers give them,
// stand here in the plain order.
static void sobol_points(void **state) {
  (void)state;
  static const double published[4][8] = {{0, 0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875},
                                         {0, 0.5, 0.75, 0.25, 0.625, 0.125, 0.375, 0.875},
                                         {0, 0.5, 0.75, 0.25, 0.375, 0.875, 0.625, 0.125},
                                         {0, 0.5, 0.75, 0.25, 0.125, 0.625, 0.875, 0.375}};
  for (int d = 0; d < 4; d++) {
    uint32_t v[32];
    double u[L];
    pl_mc_directions(d, v);
    pl_mc_sobol(v, 0, 0, u);
    for (int i = 0; i < 8; i++) assert_true(fabs(u[i] - published[d][i]) < 1e-9);
  }
}

// Each of the 2^k intervals of length 2^-k has one of 2^k points, in every dimension, scrambled
// or not.
static void nets_stay_nets(void **state) {
  (void)state;
  for (int d = 0; d < MC_SOBOL_DIMS; d++) {
    uint32_t v[32];
    pl_mc_directions(d, v);
    for (uint32_t key = 0; key < 4; key++) {
      char seen[8 * L] = {0};
      double u[L];
      for (int i = 0; i < 8; i++) {
        pl_mc_sobol(v, key * 77777, (int64_t)i * L, u);
        for (int l = 0; l < L; l++) {
          assert_true(u[l] > 0 && u[l] < 1);
          seen[(int)(u[l] * 8 * L)]++;
        }
      }
      for (int i = 0; i < 8 * L; i++) assert_int_equal(seen[i], 1);
    }
  }
}

// ---- the kernel -----------------------------------------------------------------------------
// Over 200 seeds the value lies within one standard error in 68 % of the cases.
static void errors_mean_what_they_say(void **state) {
  (void)state;
  static const char *const ways[] = {"method=random", "method=sobol scrambles=32",
                                     "antithetic=true control=true"};
  for (int way = 0; way < 3; way++) {
    int inside = 0;
    for (int seed = 0; seed < 200; seed++) {
      char settings[200];
      result r;
      snprintf(settings, sizeof settings, "problem=european samples=4096 seed=%d %s", seed,
               ways[way]);
      ran(settings, &r);
      inside += fabs(r.value - r.exact) <= r.error;
    }
    if (inside < 110 || inside > 160) fail_msg("%s: %d of 200 inside", ways[way], inside);
  }
}

static void target_ends_the_rounds(void **state) {
  (void)state;
  result once, r;
  ran("problem=pi samples=10240 seed=9", &once);
  ran("problem=pi samples=10240 seed=9 target=5e-3 rounds=100", &r);
  assert_true(isnan(once.reached) && r.reached == 1);
  assert_true(r.error <= 5e-3 && r.samples > 100000 && r.samples < 120000);
  assert_true(r.round_value[0] == once.value && r.round_error[0] == once.error);
  int rounds = (int)(r.samples / 10240);
  assert_true(r.round_value[rounds - 1] == r.value && r.round_error[rounds - 2] > 5e-3);
  assert_true(isnan(r.round_value[rounds]));
  ran("problem=pi samples=10240 seed=9 target=1e-9 rounds=3", &r);
  assert_true(r.samples == 30720 && r.error > 1e-9 && r.reached == 0);
  ran("problem=pi samples=10240 seed=10", &r);
  assert_true(r.value != once.value);
}

// Sobol's error falls faster than that of random points: by 2^17 points far below.
static void sobol_converges_faster(void **state) {
  (void)state;
  result random, sobol;
  ran("problem=gaussian dimensions=5 a=2 u=0.3 samples=131072", &random);
  ran("problem=gaussian dimensions=5 a=2 u=0.3 samples=131072 method=sobol", &sobol);
  assert_true(sobol.error < random.error / 30);
  assert_true(fabs(sobol.value - sobol.exact) < 6 * sobol.error);
}

static void senseless(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "problem"},
      {"problem=e", "pi"},
      {"problem=gaussian method=sobol dimensions=65", "64"},
      {"problem=gaussian dimensions=3 a=[1,2]", "one for each dimension"},
      {"problem=pi control=true", "control"},
      {"problem=european volatility=0", "volatility"},
      {"problem=pi samples=1", "samples"},
  };
  result r;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(run(cases[i][0], &r), PLAIT_JOB);
    if (!strstr(pl_message(), cases[i][1]))
      fail_msg("'%s' does not say '%s'", pl_message(), cases[i][1]);
  }
}

static void block_by_team(int threads, void *partial) {
  const plait_kernel *kernel = pl_kernel_find("montecarlo");
  plait_problem problem = {.kernel = kernel};
  plait_plan plan = {.noutputs = 0};
  void *params, *keep, *shared, *scratch[3];
  assert_int_equal(pl_params_from_text(kernel->params, kernel->params_size,
                                       "problem=asian dimensions=7 samples=20000 control=true",
                                       &params, &keep),
                   PLAIT_OK);
  kernel->plan(&problem, params, &plan);
  assert_int_equal(pl_calloc(1, plan.shared_bytes, &shared), PLAIT_OK);
  for (int t = 0; t < 3; t++)
    assert_int_equal(pl_calloc(1, plan.scratch_bytes, &scratch[t]), PLAIT_OK);
  plait_block block = {.type = PLAIT_F64, .ndim = 1, .origin = {1111}, .extent = {12345}};
#pragma omp parallel num_threads(threads)
  {
    plait_call call = {.problem = &problem,
                       .plan = &plan,
                       .params = params,
                       .shared = shared,
                       .thread = omp_get_thread_num(),
                       .threads = threads};
    call.scratch = scratch[call.thread];
    kernel->reduce.block(&call, &block, partial);
  }
  for (int t = 0; t < 3; t++) pl_free(&scratch[t]);
  pl_free(&shared);
  pl_params_free(&params, &keep);
}

static void teams_of_any_size(void **state) {
  (void)state;
  mc_tally one, many;
  block_by_team(1, &one);
  assert_true(one.n == 12345);
  for (int threads = 2; threads <= 3; threads++) {
    block_by_team(threads, &many);
    assert_memory_equal(&one, &many, sizeof one);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_of_plait_random),
      cmocka_unit_test(functions_beside_libm),
      cmocka_unit_test(exponentials_of_a_line),
      cmocka_unit_test(gains_of_a_line),
      cmocka_unit_test(tails_in_every_place),
      cmocka_unit_test(moments_beside_two_passes),
      cmocka_unit_test(sobol_points),
      cmocka_unit_test(nets_stay_nets),
      cmocka_unit_test(errors_mean_what_they_say),
      cmocka_unit_test(target_ends_the_rounds),
      cmocka_unit_test(sobol_converges_faster),
      cmocka_unit_test(senseless),
      cmocka_unit_test(teams_of_any_size),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
