// SPDX-License-Identifier: BSD-3-Clause
//
// The part of the unit ball that lies in the unit cube: an integrand to copy. Build it with
//   cc $(pkg-config --cflags plait) -shared ball.c -o ball.so -lm
#include <math.h>
#include <plait.h>

static double ball(const double *x, int64_t d, const plait_reals *constants) {
  (void)constants;
  double square = 0;
  for (int64_t i = 0; i < d; i++) square += x[i] * x[i];
  return square < 1 ? 1 : 0;
}

// Optional: what is known, pi^(d/2) / Gamma(d/2 + 1) / 2^d.
static double exact(int64_t d, const plait_reals *constants) {
  (void)constants;
  return pow(sqrt(acos(-1)) / 2, (double)d) / tgamma((double)d / 2 + 1);
}

PLAIT_INTEGRAND(ball, "part of the unit ball in the unit cube", .value = ball, .exact = exact)
