// SPDX-License-Identifier: BSD-3-Clause
//
// Okada's closed form against the check list of his table 2 (length 3, width 2, unit slip), and our
// geometry on the sphere against it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h wants the four above
#include <cmocka.h>

#include "../../kernels/okada.h"
#include <math.h>

static const double pi = 3.14159265358979323846;

static void test_table_2(void **state) {
  (void)state;
  static const struct {
    double x, y, depth, dip; // dip in degrees
    double u[3][3];          // strike slip, dip slip, opening: ux, uy, uz
  } cases[] = {
      {2,
       3,
       4,
       70,
       {{-8.689e-3, -4.298e-3, -2.747e-3},
        {-4.682e-3, -3.527e-2, -3.564e-2},
        {-2.660e-4, 1.056e-2, 3.214e-3}}},
      {0, 0, 4, 90, {{0, 5.253e-3, 0}, {0, 0, 0}, {1.223e-2, 0, -1.606e-2}}},
      {0, 0, 4, -90, {{0, -1.303e-3, 0}, {0, 0, 0}, {3.507e-3, 0, -7.740e-3}}},
  };
  for (int c = 0; c < 3; c++)
    for (int k = 0; k < 3; k++) {
      double slip[3] = {k == 0, k == 1, k == 2}, u[3];
      okada_rectangle(cases[c].x, cases[c].y, cases[c].depth, cases[c].dip * pi / 180, 3, 2, slip,
                      u);
      for (int i = 0; i < 3; i++) {
        double known = cases[c].u[k][i];
        assert_true(fabs(u[i] - known) <=
                    0.51e-3 * fabs(known) + 1e-12); // four figures are printed
      }
    }
}

// Displacements do not jump where a formula changes its branch (dip 90, points over the edges).
static void test_no_jump_at_special_places(void **state) {
  (void)state;
  const double slip[3] = {0.3, 1, 0.2};
  double a[3], b[3];
  okada_rectangle(0.7, 0.4, 4, pi / 2, 3, 2, slip, a);
  okada_rectangle(0.7, 0.4, 4, pi / 2 - 1e-5, 3, 2, slip, b);
  for (int i = 0; i < 3; i++) assert_true(fabs(a[i] - b[i]) < 1e-5);
  okada_rectangle(3, 1, 4, 0.8, 3, 2, slip, a);
  okada_rectangle(3 + 1e-9, 1, 4, 0.8, 3, 2, slip, b);
  for (int i = 0; i < 3; i++) assert_true(isfinite(a[i]) && fabs(a[i] - b[i]) < 1e-6);
}

// A thrust dipping to the east (strike north) under the equator lifts the sea floor over its upper
// edge side; anchors at the corner, the top and the centre of the same plane agree.
static void test_anchors(void **state) {
  (void)state;
  const double km = 180 / (pi * 6371), dip = 30 * pi / 180; // degrees per km on the sphere
  okada_fault corner = {
      .anchor = 0, .depth = 5, .dip = 30, .rake = 90, .length = 100, .width = 50, .slip = 10};
  okada_fault top = corner, centre = corner;
  corner.lat = -50 * km;
  top.anchor = 1;
  centre.anchor = 2;
  centre.lon = 25 * cos(dip) * km;
  centre.depth = 5 + 25 * sin(dip);
  for (double lon = -1; lon <= 1; lon += 0.25) {
    double u = okada_uplift(&top, lon, 0);
    assert_true(fabs(u - okada_uplift(&corner, lon, 0)) < 2e-3);
    assert_true(fabs(u - okada_uplift(&centre, lon, 0)) < 2e-3);
  }
  assert_true(okada_uplift(&top, 0.1, 0) > 3 && okada_uplift(&top, 0.55, 0) < 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table_2),
      cmocka_unit_test(test_no_jump_at_special_places),
      cmocka_unit_test(test_anchors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
