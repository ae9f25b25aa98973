// SPDX-License-Identifier: BSD-3-Clause
//
// tsunami on small grids: volume, exact standing wave, speed, reciprocity, stability, bits.
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

extern const plait_kernel plait_kernel_tsunami;
static const double pi = 3.14159265358979323846, gravity = 9.80665, radius = 6371000;
static double lat[2000], lon[2000];

// ny x nx cells of `step` degrees around the equator.
static plait_array sea(int64_t ny, int64_t nx, double step) {
  for (int64_t i = 0; i < ny; i++) lat[i] = ((double)i - (double)(ny - 1) / 2) * step;
  for (int64_t i = 0; i < nx; i++) lon[i] = (double)i * step;
  plait_array a = {.name = "z", .type = PLAIT_F32, .ndim = 2, .shape = {ny, nx}};
  a.coord[0] = lat;
  a.coord[1] = lon;
  return a;
}

static double flat(int64_t i, int64_t j) {
  (void)i, (void)j;
  return -4000;
}

static double rough(int64_t i, int64_t j) { // an island, a ridge, a slope
  if ((i - 40) * (i - 40) + (j - 30) * (j - 30) < 60) return 100;
  return j > 70 && j < 74 ? -900 : -4000 + 20 * (double)i;
}

static double volume(const lab *l) {
  plait_cells all;
  double sum[2] = {0};
  pl_march_cells(&l->march, l->march.step, l->march.fields.part.lo, l->march.fields.part.n, &all);
  plait_kernel_tsunami.evolve.diagnose(&l->march.calls[0], &all, sum);
  return sum[0];
}

static void test_closed_basin_keeps_its_volume(void **state) {
  (void)state;
  for (int coriolis = 0; coriolis < 2; coriolis++) {
    plait_array a = sea(90, 110, 0.1);
    char settings[200];
    lab l;
    snprintf(settings, sizeof settings,
             "open=false coriolis=%s shapes=[{kind: gaussian, lon: 6, lat: 1, radius: 60}]",
             coriolis ? "true" : "false");
    lab_start(&l, &plait_kernel_tsunami, settings, &a, 2, 6, 20, rough);
    double before = volume(&l);
    lab_run(&l, 1000);
    assert_true(fabs(volume(&l) - before) < 2e-5 * before); // float32, a thousand steps
    assert_true(lab_value(&l, 0, 40, 30, 0) == 0);          // the island stays dry
    lab_stop(&l);
  }
}

static double standing_wave_error(int n) {
  // a tenth of a degree around the equator: cos(lat) is 1 to 4e-7
  double step = 0.1 / n, length = step * n * pi / 180 * radius, c = sqrt(gravity * 4000);
  plait_array a = sea(n, n, step);
  double dt = 0.5 * length / n / c, worst = 0;
  lab l;
  lab_start(&l, &plait_kernel_tsunami, "open=false shapes=[{kind: mode, kx: 2, ky: 1}]", &a, 2, 0,
            dt, flat);
  double omega = c * pi / length * sqrt(5);
  int64_t steps = 2 * n; // the same time for any n
  lab_run(&l, steps);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      double exact =
          cos(2 * pi * (j + 0.5) / n) * cos(pi * (i + 0.5) / n) * cos(omega * dt * (double)steps);
      worst = fmax(worst, fabs(lab_value(&l, 0, i, j, 0) - exact));
    }
  lab_stop(&l);
  return worst;
}

static void test_standing_wave_second_order(void **state) {
  (void)state;
  double order = log2(standing_wave_error(16) / standing_wave_error(32));
  assert_true(order > 1.8 && order < 2.2);
}

// A hump 20 cells wide reaches a place 300 cells away after the distance over sqrt(g D).
static void test_speed_on_flat_bottom(void **state) {
  (void)state;
  plait_array a = sea(9, 500, 0.02);
  double cell = 0.02 * pi / 180 * radius, c = sqrt(gravity * 4000), dt = 0.5 * cell / c, best = 0;
  int64_t when = 0;
  lab l;
  lab_start(&l, &plait_kernel_tsunami,
            "shapes=[{kind: gaussian, lon: 2, lat: 0, radius: 22}] open=false", &a, 1, 1, dt, flat);
  for (int64_t s = 1; s < 900; s++) {
    lab_run(&l, 1);
    double h = lab_value(&l, 0, 4, 400, 0);
    if (h > best) {
      best = h;
      when = s;
    }
  }
  assert_true(fabs((double)when * dt * c / (300 * cell) - 1) < 0.01);
  lab_stop(&l);
}

// What a hump at A does at B, the same hump at B does at A (areas are equal near the equator).
static double answer(double from_lon, double from_lat, int64_t i, int64_t j) {
  plait_array a = sea(90, 110, 0.1);
  char settings[200];
  lab l;
  snprintf(settings, sizeof settings,
           "open=false shapes=[{kind: gaussian, lon: %g, lat: %.17g, radius: 0.001}]", from_lon,
           from_lat);
  lab_start(&l, &plait_kernel_tsunami, settings, &a, 2, 0, 20, rough);
  lab_run(&l, 250);
  double h = lab_value(&l, 0, i, j, 0);
  lab_stop(&l);
  return h;
}

static void test_reciprocity(void **state) {
  (void)state;
  (void)sea(90, 110, 0.1);
  double lat_a = lat[60], lat_b = lat[25]; // cells (60, 20) and (25, 95)
  double there = answer(lon[20], lat_a, 25, 95), back = answer(lon[95], lat_b, 60, 20);
  double ratio = cos(lat_a * pi / 180) / cos(lat_b * pi / 180); // volumes of the humps
  assert_true(fabs(there) > 1e-5);
  assert_true(fabs(there / back / ratio - 1) < 2e-3);
}

static void test_waves_leave_through_open_borders(void **state) {
  (void)state;
  plait_array a = sea(90, 110, 0.1);
  double top = 0;
  lab l;
  lab_start(&l, &plait_kernel_tsunami, "shapes=[{kind: gaussian, lon: 5, lat: 0, radius: 60}]", &a,
            2, 6, 20, flat);
  lab_run(&l, 600);
  for (int64_t i = 0; i < 90; i++)
    for (int64_t j = 0; j < 110; j++) top = fmax(top, fabs(lab_value(&l, 0, i, j, 0)));
  assert_true(top < 0.02);
  lab_stop(&l);
}

static void test_limit_is_the_edge_of_stability(void **state) {
  (void)state;
  for (int k = 0; k < 2; k++) {
    plait_array a = sea(40, 40, 0.1);
    lab l;
    lab_start(&l, &plait_kernel_tsunami, "open=false shapes=[{kind: gaussian, lon: 2, radius: 5}]",
              &a, 1, 0, 1, flat);
    double limit = pl_march_limit(&l.march);
    lab_stop(&l);
    lab_start(&l, &plait_kernel_tsunami, "open=false shapes=[{kind: gaussian, lon: 2, radius: 5}]",
              &a, 1, 0, limit * (k ? 1.02 : 0.99), flat);
    lab_run(&l, 2000);
    double h = fabs(lab_value(&l, 0, 20, 20, 0));
    assert_true(k ? !(h < 100) : h < 1);
    lab_stop(&l);
  }
}

static void run_variant(int threads, int depth, const char *extra, float *out) {
  plait_array a = sea(90, 110, 0.1);
  char settings[200];
  lab l;
  snprintf(settings, sizeof settings, "shapes=[{kind: gaussian, lon: 6, lat: 1, radius: 60}] %s",
           extra);
  lab_start(&l, &plait_kernel_tsunami, settings, &a, threads, depth, 20, rough);
  lab_run(&l, 61);
  for (int64_t i = 0; i < 90; i++)
    for (int64_t j = 0; j < 110; j++) *out++ = (float)lab_value(&l, 0, i, j, 0);
  lab_stop(&l);
}

static void test_tiling_and_team_leave_no_trace(void **state) {
  (void)state;
  static float first[90 * 110], other[90 * 110];
  static const char *const extra[] = {"", "coriolis=true", "open=false"};
  for (int c = 0; c < 3; c++) {
    run_variant(1, 1, extra[c], first);
    for (int threads = 1; threads <= 4; threads++)
      for (int depth = 1; depth <= 17; depth += 4) {
        run_variant(threads, depth, extra[c], other);
        assert_memory_equal(first, other, sizeof first);
      }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_closed_basin_keeps_its_volume),
      cmocka_unit_test(test_standing_wave_second_order),
      cmocka_unit_test(test_speed_on_flat_bottom),
      cmocka_unit_test(test_reciprocity),
      cmocka_unit_test(test_waves_leave_through_open_borders),
      cmocka_unit_test(test_limit_is_the_edge_of_stability),
      cmocka_unit_test(test_tiling_and_team_leave_no_trace),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
