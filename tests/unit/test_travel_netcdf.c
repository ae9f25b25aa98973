// SPDX-License-Identifier: BSD-3-Clause
//
// First arrival on real relief against the shortest travel time, int ds / sqrt(g D), found by
// Dijkstra's algorithm on the same depths with straight edges up to five cells long (direction
// error below 0.5 %). Source of both: the disk in which a Gaussian hump off Japan is higher than
// the threshold. The wave may be early by one per cent (of numerical and direction errors) and the
// time it takes to cross the gauge's own cell, which on a shelf is up to half an hour.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h wants the four above
#include <cmocka.h>

#include "data/dataset.h"
#include "engine/gauge.h"
#include "march_lab.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const plait_kernel plait_kernel_tsunami;

enum { REACH = 5 };
static const double pi = 3.14159265358979323846, gravity = 9.80665, radius = 6371000;
static const double peak = 100, threshold = 0.001, sigma = 60; // m, m, km
static const double source_lon = 143.6, source_lat = 38.3;

// The fastest rays to the last six follow the Kuril, Aleutian and Mariana trenches. A ray is a wave
// of no length; one of 100 km and more does not fit into a trench of 50 and hardly feels it (it
// comes 2 to 6 % later than that ray). Its time is that of the sea with the trenches filled up to
// the ocean floor beside them; before the ray in the trench it must not come either.
static const pl_gauge_row places[] = {
    {"DART 21401", 152.58, 42.62, 0},  {"DART 21413", 152.12, 30.53, 0},
    {"DART 52402", 154.12, 11.88, 0},  {"DART 46404", 231.22, 45.86, 0},
    {"DART 46411", 232.99, 39.33, 0},  {"DART 46412", 239.44, 32.46, 0},
    {"DART 51407", 203.49, 19.62, 0},  {"DART 51425", 183.76, -9.51, 0},
    {"DART 43412", 253, 16.03, 0},     {"DART 32411", 269.31, 4.94, 0},
    {"DART 32412", 273.61, -17.98, 0}, {"Wake", 166.61, 19.28, 0},
    {"Kwajalein", 167.73, 8.72, 0},    {"Midway", 182.64, 28.21, 0},
    {"Honolulu", 202.13, 21.31, 0},    {"Hilo", 204.94, 19.73, 0},
    {"San Diego", 242.83, 32.71, 0},   {"Crescent City", 235.82, 41.75, 0},
    {"Pago Pago", 189.31, -14.28, 0},  {"Papeete", 210.43, -17.53, 0},
    {"Nuku Hiva", 219.9, -8.92, 0},    {"Easter Island", 250.55, -27.15, 0},
    {"Galapagos", 269.4, -0.75, 0},    {"Valparaiso", 288.37, -33.03, 0},
    {"DART 21419", 155.74, 44.46, 0},  {"DART 21415", 171.85, 50.18, 0},
    {"DART 52405", 132.33, 12.88, 0},  {"DART 46402", 195.99, 51.07, 0},
    {"DART 46403", 203.07, 52.65, 0},  {"DART 46409", 211.51, 55.3, 0}};
enum { PLACES = sizeof places / sizeof *places, OPEN_OCEAN = PLACES - 6 };
static const double no_trench = 6000, any_depth = 12000; // m

static float *relief;     // of the file
static plait_array array; // as the file describes it
static int64_t first[2], shape[2];

static double relief_at(int64_t i, int64_t j) {
  return relief[(i + first[0]) * array.shape[1] + j + first[1]];
}

static double deepest; // m; deeper sea is filled up to here for the rays

static double slowness(int64_t i, int64_t j) { // s/m; 0 on land
  double z = relief_at(i, j);
  return z < 0 ? 1 / sqrt(gravity * fmin(fmax(-z, 10), deepest)) : 0;
}

static double latitude(int64_t i) {
  return array.coord[0][i + first[0]];
}
static double longitude(int64_t j) {
  return array.coord[1][j + first[1]];
}

static double cell_y(void) {
  return radius * pi / 180 * (latitude(1) - latitude(0));
}
static double cell_x(double i) {
  double lat = latitude(0) + i * (latitude(1) - latitude(0));
  return radius * pi / 180 * (longitude(1) - longitude(0)) * cos(lat * pi / 180);
}

// Time along the straight edge between two cells; negative when it crosses land.
static double edge_time(int64_t i, int64_t j, int di, int dj) {
  int parts = 2 * (abs(di) > abs(dj) ? abs(di) : abs(dj));
  double sum = 0, length = hypot(di * cell_y(), dj * cell_x((double)i + di / 2.0));
  for (int k = 0; k <= parts; k++) {
    double at = (double)k / parts;
    int64_t ii = i + (int64_t)lround(di * at), jj = j + (int64_t)lround(dj * at);
    double s = slowness(ii, jj);
    if (s == 0) return -1;
    sum += k == 0 || k == parts ? s / 2 : s;
  }
  return length * sum / parts;
}

typedef struct heap {
  int64_t n, *cell;
  double *key;
} heap;

static void push(heap *h, int64_t cell, double key) {
  int64_t at = h->n++;
  while (at > 0 && h->key[(at - 1) / 2] > key) {
    h->cell[at] = h->cell[(at - 1) / 2];
    h->key[at] = h->key[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  h->cell[at] = cell;
  h->key[at] = key;
}

static int64_t pop(heap *h, double *key) {
  int64_t top = h->cell[0], at = 0, last = h->cell[--h->n];
  double k = h->key[h->n];
  *key = h->key[0];
  for (;;) {
    int64_t child = 2 * at + 1;
    if (child >= h->n) break;
    if (child + 1 < h->n && h->key[child + 1] < h->key[child]) child++;
    if (h->key[child] >= k) break;
    h->cell[at] = h->cell[child];
    h->key[at] = h->key[child];
    at = child;
  }
  h->cell[at] = last;
  h->key[at] = k;
  return top;
}

static int gcd(int a, int b) {
  return b ? gcd(b, a % b) : abs(a);
}

static void relax(heap *h, double *time, int64_t i, int64_t j, double now) {
  for (int di = -REACH; di <= REACH; di++)
    for (int dj = -REACH; dj <= REACH; dj++) {
      if (gcd(di, dj) != 1) continue;
      int64_t ii = i + di, jj = j + dj;
      if (ii < 0 || jj < 0 || ii >= shape[0] || jj >= shape[1]) continue;
      if (time[ii * shape[1] + jj] <= now) continue;
      double edge = edge_time(i, j, di, dj);
      if (edge < 0 || now + edge >= time[ii * shape[1] + jj]) continue;
      time[ii * shape[1] + jj] = now + edge;
      push(h, ii * shape[1] + jj, now + edge);
    }
}

// Shortest times from all cells where the initial height reaches the threshold.
static double *shortest_times(double filled_to) {
  int64_t n = shape[0] * shape[1];
  deepest = filled_to;
  double *time = malloc((size_t)n * sizeof *time);
  heap h = {0, malloc((size_t)n * 16 * sizeof(int64_t)), malloc((size_t)n * 16 * sizeof(double))};
  assert_true(time && h.cell && h.key);
  for (int64_t k = 0; k < n; k++) {
    double y = (latitude(k / shape[1]) - source_lat) * pi / 180 * radius / 1000;
    double x = (longitude(k % shape[1]) - source_lon) * pi / 180 * radius / 1000 *
               cos(source_lat * pi / 180);
    bool source = peak * exp(-(x * x + y * y) / (2 * sigma * sigma)) >= threshold;
    time[k] = INFINITY;
    if (!source || slowness(k / shape[1], k % shape[1]) == 0) continue;
    time[k] = 0;
    push(&h, k, 0);
  }
  while (h.n > 0) {
    double key;
    int64_t k = pop(&h, &key);
    if (key <= time[k]) relax(&h, time, k / shape[1], k % shape[1], key);
  }
  free(h.cell);
  free(h.key);
  return time;
}

static void read_relief(void) {
  pl_dataset *in = NULL;
  if (pl_dataset_open(PLAIT_RELIEF, &in) != PLAIT_OK) fail_msg("%s", pl_message());
  static pl_meta *meta; // keeps the coordinates
  meta = &in->meta;
  pl_meta_array(meta, &array);
  pl_box box = {.ndim = 2, .n = {array.shape[0], array.shape[1]}};
  void *data = malloc(pl_block_bytes(meta->type, &box, NULL)),
       *raw = malloc(pl_dataset_raw_bytes(in, box.n) + 1);
  plait_block block = pl_block_over(data, meta->type, &box, NULL);
  plait_raise raise = {0};
  assert_int_equal(pl_dataset_fetch(in, &box, raw, &block), PLAIT_OK);
  pl_dataset_decode(in, &box, raw, &block, &raise);
  relief = malloc((size_t)pl_box_cells(&box) * sizeof *relief);
  for (int64_t k = 0; k < pl_box_cells(&box); k++)
    relief[k] = (float)pl_value(meta->type, data, (size_t)k);
  free(data);
  free(raw);
}

// Whether the wave comes when it should [s]. `time`, `filled`: rays with and without trenches.
static bool arrives(const pl_gauge *gauge, bool trench, double time, double filled, double wave) {
  int64_t i = gauge->cell[0], j = gauge->cell[1];
  double ray = trench ? filled : time;
  double cell = slowness(i, j) * fmax(cell_y(), cell_x((double)i)); // s to cross it
  bool early = wave < ray * 0.99 - cell || wave < time * 0.99 - cell || wave < 0;
  bool late = wave > fmax(ray * 1.03, ray + 2 * cell);
  bool wrong = trench && filled < 1.02 * time; // no trench guides this ray
  print_message("%-14s ray %6.0f s, wave %6.0f s: %+.2f %%%s, a cell takes %.0f s%s\n", gauge->name,
                ray, wave, 100 * (wave / ray - 1), trench ? " (no trench)" : "", cell,
                early   ? " EARLY"
                : late  ? " LATE"
                : wrong ? " NOT BY A TRENCH"
                        : "");
  return !early && !late && !wrong;
}

static void watch(void *gauges, const plait_call *call, const plait_cells *box) {
  (void)call;
  pl_gauges_watch(gauges, box);
}

static void test_first_arrivals(void **state) {
  (void)state;
  lab l;
  pl_gauges g;
  char settings[300];
  read_relief();
  snprintf(settings, sizeof settings,
           "south=-45 north=62 west=115 east=292 shapes=[{kind: gaussian, amplitude: %g, lon: %g, "
           "lat: %g, "
           "radius: %g}]",
           peak, source_lon, source_lat, sigma);
  plait_grid grid = {0};
  const double dt = 15;
  // the window is needed before the fields can be filled
  void *params, *keep;
  plait_problem problem = {.input = &array};
  assert_int_equal(pl_params_from_text(plait_kernel_tsunami.params,
                                       plait_kernel_tsunami.params_size, settings, &params, &keep),
                   PLAIT_OK);
  plait_kernel_tsunami.evolve.plan(&problem, params, &grid);
  pl_params_free(&params, &keep);
  memcpy(first, grid.first, sizeof first);
  memcpy(shape, grid.shape, sizeof shape);
  lab_start(&l, &plait_kernel_tsunami, settings, &array, 2, 0, dt, relief_at);
  assert_true(pl_march_limit(&l.march) > dt);
  const double *coord[PL_AXES] = {array.coord[0] + first[0], array.coord[1] + first[1], NULL};
  pl_evolve_job job = {.gauges = {PLACES, places}, .arrival = threshold};
  const int64_t steps = (int64_t)(23.0 * 3600 / dt);
  assert_int_equal(pl_gauges_start(&l.march, &job, coord, steps, &g), PLAIT_OK);
  pl_gauges_initial(&g);
  l.march.tiling.watch = watch;
  l.march.tiling.context = &g;
  lab_run(&l, steps);
  double *filled = shortest_times(no_trench), *time = shortest_times(any_depth);
  int bad = 0;
  for (int p = 0; p < PLACES; p++) {
    int64_t i = g.gauge[p].cell[0], j = g.gauge[p].cell[1], at = i * shape[1] + j;
    bad += !arrives(&g.gauge[p], p >= OPEN_OCEAN, time[at], filled[at], (double)g.arrival[at]);
  }
  free(filled);
  free(time);
  free(relief);
  pl_gauges_stop(&g);
  lab_stop(&l);
  assert_int_equal(bad, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_first_arrivals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
