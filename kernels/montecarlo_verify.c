// SPDX-License-Identifier: BSD-3-Clause
//
// Every problem with a closed form must be hit: within 4.5 standard errors by random points, and by
// Sobol points within an absolute bound that random points of that number cannot hold. The average
// of two ways to the price of an Asian option must agree. The cut must not matter.
#include "montecarlo.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct mc_result {
  double value, error, samples, exact, rounds[2][8], reached;
} mc_result;

static plait_err apply(const plait_lab *lab, const char *settings, int64_t block, mc_result *r) {
  void *const out[] = {&r->value,    &r->error,    &r->samples, &r->exact,
                       r->rounds[0], r->rounds[1], &r->reached};
  return lab->apply(lab, settings, NULL, NULL, &block, out);
}

static plait_err within(const plait_lab *lab, const char *settings, double errors, double most) {
  mc_result r = {.value = NAN};
  plait_err err = apply(lab, settings, 5000, &r);
  if (err != PLAIT_OK) return err;
  double off = fabs(r.value - r.exact);
  if (!(off <= errors * r.error + 1e-14) || !(off <= most) || !(r.error <= most))
    return plait_fail(PLAIT_VERIFY, "montecarlo: %s: %.10g +- %.3g, exact is %.10g", settings,
                      r.value, r.error, r.exact);
  return PLAIT_OK;
}

static plait_err every_problem(const plait_lab *lab) {
  for (int i = 0; pl_mc_names[i]; i++) {
    char settings[200];
    static const char *const ways[] = {"method=random", "method=random antithetic=true",
                                       "method=sobol scrambles=8"};
    if (strcmp(pl_mc_names[i], "asian") == 0) continue; // no closed form
    for (int way = 0; way < 3; way++) {
      bool money = i > 6; // prices are near 10, the others near 1
      snprintf(settings, sizeof settings, "problem=%s dimensions=3 samples=20000 seed=3 %s",
               pl_mc_names[i], ways[way]);
      plait_err err =
          within(lab, settings, way == 2 ? 8 : 4.5, (money ? 10 : 1) * (way == 2 ? 0.012 : 0.05));
      if (err != PLAIT_OK) return err;
    }
  }
  return PLAIT_OK;
}

// A control variate shrinks the error and leaves the value where it is.
static plait_err controls(const plait_lab *lab) {
  mc_result plain = {.value = NAN}, better = {.value = NAN};
  const char *asian = "problem=asian dimensions=12 samples=20000 seed=5",
             *control = "problem=asian dimensions=12 samples=20000 seed=5 control=true";
  plait_err err = apply(lab, asian, 7000, &plain);
  if (err == PLAIT_OK) err = apply(lab, control, 7000, &better);
  if (err != PLAIT_OK) return err;
  if (!(better.error < plain.error / 10) || !(fabs(better.value - plain.value) < 4.5 * plain.error))
    return plait_fail(PLAIT_VERIFY, "montecarlo: asian %.9g +- %.3g, with control %.9g +- %.3g",
                      plain.value, plain.error, better.value, better.error);
  return within(lab, "problem=european samples=20000 control=true", 4.5, 0.2);
}

static plait_err any_cut(const plait_lab *lab) {
  static const char *const ways[] = {"problem=gaussian samples=3001",
                                     "problem=gaussian samples=3001 method=sobol"};
  for (int way = 0; way < 2; way++) {
    mc_result whole = {.value = NAN}, cut = {.value = NAN};
    plait_err err = apply(lab, ways[way], 1 << 20, &whole);
    if (err == PLAIT_OK) err = apply(lab, ways[way], 97, &cut);
    if (err != PLAIT_OK) return err;
    if (!(fabs(whole.value - cut.value) < 1e-14) || !(fabs(whole.error - cut.error) < 1e-14))
      return plait_fail(PLAIT_VERIFY, "montecarlo: %s: %.17g in one block, %.17g in many",
                        ways[way], whole.value, cut.value);
  }
  return PLAIT_OK;
}

plait_err pl_mc_verify(const plait_lab *lab) {
  plait_err err = every_problem(lab);
  if (err == PLAIT_OK) err = controls(lab);
  return err == PLAIT_OK ? any_cut(lab) : err;
}
