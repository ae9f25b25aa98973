// SPDX-License-Identifier: BSD-3-Clause
//
// heat: properties of the discrete operator, and the same bits for any tiling and team.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h wants the four above
#include <cmocka.h>

#include "march_lab.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

extern const plait_kernel plait_kernel_heat;
static const double pi = 3.14159265358979323846;

// Modes of the discrete operator decay by the factor 1 - 4 dt k / h^2 sum sin^2(pi m / 2 n) a step.
static void test_eigenmode_decays_exactly(void **state) {
  (void)state;
  static const char *const faces[] = {"", "edges=[{face: x-, kind: fixed}, {face: x+, kind: "
                                          "fixed}, {face: y-, kind: fixed}, {face: y+, "
                                          "kind: fixed}]"};
  for (int kind = 0; kind < 2; kind++) {
    char settings[400];
    lab l;
    snprintf(settings, sizeof settings,
             "cells=[30,40] diffusivity=0.2 initial=[{kind: eigenmode, kx: 3, ky: 2}] %s",
             faces[kind]);
    lab_start(&l, &plait_kernel_heat, settings, NULL, 2, 7, 1, NULL);
    double start = lab_value(&l, 0, 11, 17, 0);
    lab_run(&l, 200);
    double s = pow(sin(pi * 3 / 80), 2) + pow(sin(pi * 2 / 60), 2);
    double expected = start * pow(1 - 4 * 0.2 * s, 200);
    assert_true(fabs(lab_value(&l, 0, 11, 17, 0) - expected) < 1e-12);
    lab_stop(&l);
  }
}

static double eigenmode_error(int n) {
  char settings[300];
  lab l;
  double h = 1.0 / n, dt = 0.2 * h * h, worst = 0;
  snprintf(settings, sizeof settings,
           "cells=[%d,%d] spacing=%.17g initial=[{kind: eigenmode, kx: 1, ky: 2}]", n, n, h);
  lab_start(&l, &plait_kernel_heat, settings, NULL, 1, 0, dt, NULL);
  int64_t steps = (int64_t)(0.02 / dt + 0.5);
  lab_run(&l, steps);
  double decay = exp(-5 * pi * pi * dt * (double)steps);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      double exact = decay * cos(pi * (j + 0.5) * h) * cos(2 * pi * (i + 0.5) * h);
      worst = fmax(worst, fabs(lab_value(&l, 0, i, j, 0) - exact));
    }
  lab_stop(&l);
  return worst;
}

static void test_second_order(void **state) {
  (void)state;
  double order = log2(eigenmode_error(20) / eigenmode_error(40));
  assert_true(order > 1.9 && order < 2.1);
}

static double varying(int64_t i, int64_t j) {
  return 0.05 + 0.1 * (double)((i * 7 + j * 3) % 5);
}

static double total(const lab *l) {
  const pl_part *p = &l->march.fields.part;
  double sum = 0;
  for (int64_t i = 0; i < p->n[0]; i++)
    for (int64_t j = 0; j < p->n[1]; j++) sum += lab_value(l, 0, i, j, 0);
  return sum;
}

static void test_insulated_faces_keep_the_heat(void **state) {
  (void)state;
  static const char *const kinds[] = {"diffusivity=0.2", "diffusivity=0.3 diffusivity_file=k.nc"};
  for (int k = 0; k < 2; k++) {
    char settings[300];
    lab l;
    snprintf(settings, sizeof settings,
             "cells=[33,45] initial=[{kind: gaussian, amplitude: 5, x: 4, y: 30, radius: 3}] %s",
             kinds[k]);
    lab_start(&l, &plait_kernel_heat, settings, NULL, 2, 5, 1, varying);
    double before = total(&l);
    lab_run(&l, 300);
    assert_true(fabs(total(&l) - before) < 1e-11 * before);
    assert_true(lab_value(&l, 0, 30, 4, 0) < 4); // it has spread
    lab_stop(&l);
  }
}

static void run_variant(int threads, int depth, const char *settings, double *out) {
  lab l;
  lab_start(&l, &plait_kernel_heat, settings, NULL, threads, depth, 1, varying);
  lab_run(&l, 23);
  const pl_part *p = &l.march.fields.part;
  for (int64_t i = 0; i < p->n[0]; i++)
    for (int64_t j = 0; j < p->n[1]; j++)
      for (int64_t k = 0; k < p->n[2]; k++) *out++ = lab_value(&l, 0, i, j, p->ndim == 3 ? k : 0);
  lab_stop(&l);
}

static void test_tiling_and_team_leave_no_trace(void **state) {
  (void)state;
  static double first[30 * 25 * 21], other[30 * 25 * 21];
  static const char *const cases[] = {
      "cells=[30,25,21] diffusivity=0.15 initial=[{kind: gaussian, x: 3, y: 4, z: 9, radius: 4}] "
      "edges=[{face: x-, kind: periodic}, {face: y-, kind: periodic}, {face: z+, kind: fixed, "
      "value: 2}]",
      "cells=[150,105] diffusivity=0.3 diffusivity_file=k.nc initial=[{kind: gaussian, x: 3, y: 4, "
      "radius: "
      "4}] edges=[{face: y-, kind: periodic}] sources=[{kind: gaussian, x: 50, y: 50, radius: 9}]"};
  for (int c = 0; c < 2; c++) {
    run_variant(1, 1, cases[c], first);
    for (int threads = 1; threads <= 4; threads++)
      for (int depth = 1; depth <= 12; depth += 3) {
        memset(other, 0, sizeof other);
        run_variant(threads, depth, cases[c], other);
        assert_memory_equal(first, other, sizeof first);
      }
  }
}

static void test_stable_step(void **state) {
  (void)state;
  lab l;
  lab_start(&l, &plait_kernel_heat, "cells=[8,8,8] spacing=2 diffusivity=0.5", NULL, 1, 1, 1, NULL);
  assert_true(fabs(pl_march_limit(&l.march) - 4.0 / 3) < 1e-12); // 1 / (2 k 3 / h^2)
  lab_stop(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_eigenmode_decays_exactly),
      cmocka_unit_test(test_second_order),
      cmocka_unit_test(test_insulated_faces_keep_the_heat),
      cmocka_unit_test(test_tiling_and_team_leave_no_trace),
      cmocka_unit_test(test_stable_step),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
