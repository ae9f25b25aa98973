// SPDX-License-Identifier: BSD-3-Clause
//
// An integrand of the user's own (PLAIT_INTEGRAND) under the sampling of montecarlo: one call for
// each point, which lies with the others dimension by dimension.
#include "montecarlo.h"
#include <math.h>

void pl_mc_own(const plait_integrand *own, const mc_params *p, int64_t d, const double *u,
               double *x, double *f) {
  for (int l = 0; l < MC_LANES; l++) {
    for (int64_t j = 0; j < d; j++) x[j] = u[j * MC_LANES + l];
    f[l] = own->value(x, d, &p->constants);
  }
}

// Random and Sobol points must agree, and hit what is known in closed form. Constants cannot be
// guessed: an integrand with some is left to its author.
plait_err pl_mc_verify_own(const plait_lab *lab) {
  static const char *const ways[] = {"samples=100000", "samples=65536 method=sobol"};
  double value[2] = {0}, error[2] = {0}, samples, exact, rounds[2], reached;
  if (lab->kernel->integrand.constants > 0) return PLAIT_OK;
  int n = lab->kernel->integrand.dimensions > MC_SOBOL_DIMS ? 1 : 2;
  for (int way = 0; way < n; way++) {
    void *const out[] = {&value[way], &error[way], &samples, &exact,
                         &rounds[0],  &rounds[1],  &reached};
    plait_err err = lab->apply(lab, ways[way], NULL, NULL, NULL, out);
    if (err != PLAIT_OK) return err;
    if (fabs(value[way] - exact) > 5 * error[way] + 1e-12)
      return plait_fail(PLAIT_VERIFY, "%s: %s: %.10g +- %.3g, exact is %.10g", lab->kernel->name,
                        ways[way], value[way], error[way], exact);
  }
  if (n == 2 && fabs(value[0] - value[1]) > 5 * hypot(error[0], error[1]) + 1e-12)
    return plait_fail(PLAIT_VERIFY, "%s: random points give %.10g, Sobol points %.10g",
                      lab->kernel->name, value[0], value[1]);
  return PLAIT_OK;
}
