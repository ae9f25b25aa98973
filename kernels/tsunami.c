// SPDX-License-Identifier: BSD-3-Clause
//
// tsunami - linear long waves on the sphere, over real relief.
//
//   dh/dt = -1/(R cos p) (dM/dl + d(N cos p)/dp)    M, N: depth-integrated flow to the east and
//   north dM/dt = -g D/(R cos p) dh/dl + f N,   dN/dt = -g D/R dh/dp - f M
//
// Scheme: leap-frog on an Arakawa C grid, second order: h at whole, M and N at half steps (the
// first kick is half a step); faces carry the mean depth of their two cells and are closed where
// one is land. Flow at the faces in flux form: volume is kept to rounding. Stable for dt < 1 /
// (sqrt(g D) sqrt(1/dx^2 + 1/dy^2)) in every cell. Open faces let waves out: the flow there is c h.
// Factors that do not change are kept per face (dt inside), N as N cos p: 28 bytes and 12 flops a
// cell and step without tiling.
//
// relief [nlat, nlon] in m above sea level (NaN is land); lat, lon in degrees, evenly spaced. h
// [m], M, N cos p [m2/s], float32.
//
// Source: C. Goto, Y. Ogawa, N. Shuto, F. Imamura, Numerical method of tsunami simulation with the
// leap-frog scheme (IUGG/IOC TIME project), IOC Manuals and Guides 35, 1997, part 3. Ours: factors
// per face in place of masks, the half kick at the start, radiation by the flow c h.
#include "tsunami.h"

#include <math.h>
#include <string.h>

enum { H, M, N, U, V, DEPTH, RELIEF, UPLIFT }; // fields; U, V: factors of the lower faces

typedef float v8f __attribute__((vector_size(32), aligned(4), may_alias));
typedef double v4d __attribute__((vector_size(32), may_alias));
typedef double v8d __attribute__((vector_size(64)));

typedef struct row { // of one latitude
  float rx, ry;      // dt / (R cos p dl), dt / (R cos p dp)
  float fm, fn;      // dt f at M / cos p of N's faces; dt f cos p at N
  double area;       // of a cell, m2
} row;

static const double gravity = 9.80665, omega = 7.292115e-5; // m, m/s2, rad/s
static const double rad = 3.14159265358979323846 / 180;

static double spacing(const plait_array *a, int axis) {
  return (a->coord[axis][a->shape[axis] - 1] - a->coord[axis][0]) / (double)(a->shape[axis] - 1);
}

static bool even(const plait_array *a, int axis) {
  if (!a->coord[axis] || a->shape[axis] < 2) return false;
  double step = spacing(a, axis);
  for (int64_t i = 0; i < a->shape[axis]; i++)
    if (!(fabs(a->coord[axis][i] - a->coord[axis][0] - step * (double)i) < 0.01 * step))
      return false;
  return true;
}

// Cells whose coordinate lies in [from, to].
static void window(const plait_array *a, int axis, double from, double to, int64_t *first,
                   int64_t *n) {
  *first = *n = 0;
  for (int64_t i = 0; i < a->shape[axis]; i++) {
    if (a->coord[axis][i] < from - 1e-9 || a->coord[axis][i] > to + 1e-9) continue;
    if (*n == 0) *first = i;
    ++*n;
  }
}

// Every fault begins inside the grid, as longitudes of the file or a turn away from them.
static bool faults_inside(const plait_array *a, const tsunami_params *p, const int64_t first[],
                          const int64_t n[]) {
  const okada_fault *f = p->faults.rows;
  double west = a->coord[1][first[1]], south = a->coord[0][first[0]];
  double east = a->coord[1][first[1] + n[1] - 1], north = a->coord[0][first[0] + n[0] - 1];
  for (int k = 0; k < p->faults.n; k++) {
    double off = remainder(f[k].lon - (west + east) / 2, 360);
    if (f[k].lat < south || f[k].lat > north || fabs(off) > (east - west) / 2 + spacing(a, 1))
      return false;
  }
  return true;
}

static const char *check(const plait_problem *problem, const void *params_) {
  const tsunami_params *p = params_;
  const plait_array *a = problem->input;
  int64_t first[2], n[2];
  if (!a || a->ndim != 2) return "tsunami needs a relief [lat, lon] as input";
  if (!even(a, 0) || !even(a, 1))
    return "the relief needs coordinates in degrees, evenly spaced and ascending";
  if (fabs(a->coord[0][0]) > 90 || fabs(a->coord[0][a->shape[0] - 1]) > 90)
    return "the first axis of the relief must be the latitude";
  window(a, 0, p->south, p->north, &first[0], &n[0]);
  window(a, 1, p->west, p->east, &first[1], &n[1]);
  if (n[0] < 3) return "north: fewer than 3 rows of cells are left from `south` to it";
  if (n[1] < 3) return "east: fewer than 3 columns of cells are left from `west` to it";
  if (p->south < -89.5 && a->coord[0][0] <= -89.5)
    return "south: the grid must stay half a degree away from the pole";
  if (p->north > 89.5 && a->coord[0][a->shape[0] - 1] >= 89.5)
    return "north: the grid must stay half a degree away from the pole";
  if (!faults_inside(a, p, first, n)) return "faults: one lies outside the grid";
  return NULL;
}

static plait_field *add_field(plait_grid *g, const char *name, const char *units,
                              const char *title) {
  plait_field *f = &g->field[g->nfields++];
  strcpy(f->name, name);
  strcpy(f->units, units);
  strcpy(f->long_name, title);
  f->type = PLAIT_F32;
  f->fixed = f->idle = g->nfields > U;
  return f;
}

static void plan_fields(const tsunami_params *p, plait_grid *g) {
  add_field(g, "height", "m", "height of the sea surface above rest")->mask = 1 + DEPTH;
  add_field(g, "flow_east", "m2 s-1", "flow to the east")->stagger[1] = true;
  add_field(g, "flow_north", "m2 s-1", "flow to the north times cos(lat)")->stagger[0] = true;
  add_field(g, "factor_east", "", "")->stagger[1] = true;
  add_field(g, "factor_north", "", "")->stagger[0] = true;
  g->field[U].idle = g->field[V].idle = false;
  add_field(g, "depth", "m", "depth at rest");
  add_field(g, "relief", "m", "relief")->from_input = true;
  if (p->uplift[0]) add_field(g, "uplift", "m", "uplift")->file = p->uplift;
}

// Flow first, then height; with Coriolis M and N one after the other, each seeing the newest.
static void plan_stages(const tsunami_params *p, plait_grid *g) {
  plait_stage *s = g->stage;
  g->nstages = p->coriolis ? 3 : 2;
  s[0].writes = p->coriolis ? 1u << M : 1u << M | 1u << N;
  s[0].below[0] = s[0].below[1] = 1;
  if (p->coriolis) {
    s[0].above[0] = 1;
    s[1].writes = 1u << N;
    s[1].below[0] = s[1].above[1] = 1;
  }
  s[g->nstages - 1].writes = 1u << H;
  s[g->nstages - 1].above[0] = s[g->nstages - 1].above[1] = 1;
}

static void plan(const plait_problem *problem, const void *params_, plait_grid *g) {
  const tsunami_params *p = params_;
  const plait_array *a = problem->input;
  g->ndim = 2;
  window(a, 0, p->south, p->north, &g->first[0], &g->shape[0]);
  window(a, 1, p->west, p->east, &g->first[1], &g->shape[1]);
  strcpy(g->units[1], "degrees_east"); // gauges may be written a turn further
  bool round = g->shape[1] == a->shape[1] &&
               fabs(spacing(a, 1) * (double)a->shape[1] - 360) < 0.5 * spacing(a, 1);
  if (round) g->edge[1][0] = g->edge[1][1] = PLAIT_EDGE_PERIODIC;
  plan_fields(p, g);
  plan_stages(p, g);
  g->state_bytes = sizeof(row) * (size_t)(g->shape[0] + 1);
  g->ndiagnoses = 2;
  strcpy(g->diagnose[0], "volume m3");
  strcpy(g->diagnose[1], "potential_energy J");
  g->flops_per_cell = p->coriolis ? 24 : 12;
}

// Latitude of a row [degrees]; half a row less is its lower face.
static double latitude(const plait_call *call, const plait_grid *g, double r) {
  const plait_array *a = call->problem->input;
  return a->coord[0][0] + spacing(a, 0) * ((double)g->first[0] + r);
}

static double step_y(const plait_call *call) {
  return tsunami_radius * rad * spacing(call->problem->input, 0);
}

static double step_x(const plait_call *call, double lat) {
  return tsunami_radius * rad * spacing(call->problem->input, 1) * cos(lat * rad);
}

static double depth_at(const tsunami_params *p, float relief) { // 0 on land
  return !(relief < 0) ? 0 : -relief > p->min_depth ? -relief : p->min_depth;
}

static double stable_step(const plait_call *call, const plait_cells *b) {
  double limit = INFINITY;
  for (int64_t j = 0; j < b->n[0]; j++) {
    const float *z = (const float *)b->now[RELIEF] + j * b->stride[0];
    double deepest = 0;
    for (int64_t i = 0; i < b->n[1]; i++) deepest = fmax(deepest, depth_at(call->params, z[i]));
    double lat = latitude(call, b->grid, (double)(b->lo[0] + j));
    double narrow =
        fmin(step_x(call, lat), step_x(call, fabs(lat) + spacing(call->problem->input, 0) / 2));
    double dt = 1 / (sqrt(gravity * deepest) * hypot(1 / narrow, 1 / step_y(call)));
    if (deepest > 0) limit = fmin(limit, dt);
  }
  return limit;
}

static void tables(const plait_call *call, const plait_grid *g, double dt, void *state) {
  row *rows = state;
  for (int64_t j = 0; j <= g->shape[0]; j++) {
    double lat = latitude(call, g, (double)j), face = latitude(call, g, (double)j - 0.5);
    rows[j].rx = (float)(dt / step_x(call, lat));
    rows[j].ry = (float)(dt / (step_y(call) * cos(lat * rad)));
    rows[j].fm = (float)(dt * 2 * omega * sin(lat * rad) / cos(lat * rad));
    rows[j].fn = (float)(dt * 2 * omega * sin(face * rad) * cos(face * rad));
    rows[j].area = step_x(call, lat) * step_y(call);
  }
}

static double raised(const plait_call *call, const plait_cells *b, int64_t j, int64_t i) {
  const plait_array *a = call->problem->input;
  double lon = a->coord[1][0] + spacing(a, 1) * (double)(b->grid->first[1] + i);
  return tsunami_raised(call->params, lon, latitude(call, b->grid, (double)j),
                        ((double)i + 0.5) / (double)b->grid->shape[1],
                        ((double)j + 0.5) / (double)b->grid->shape[0]);
}

// dt g D / length of the face between two cells; 0 closes it.
static float factor(const tsunami_params *p, float z1, float z2, double dt_by_length) {
  double d1 = depth_at(p, z1), d2 = depth_at(p, z2);
  return d1 > 0 && d2 > 0 ? (float)(gravity * dt_by_length * (d1 + d2) / 2) : 0;
}

static void initial(const plait_call *call, const plait_cells *b) {
  const tsunami_params *p = call->params;
  bool loop = b->grid->edge[1][0] == PLAIT_EDGE_PERIODIC;
  for (int64_t j = 0; j < b->n[0]; j++) {
    ptrdiff_t at = j * b->stride[0];
    const float *z = (const float *)b->now[RELIEF] + at;
    float *u = (float *)b->now[U] + at, *v = (float *)b->now[V] + at;
    float *h = (float *)b->now[H] + at, *d = (float *)b->now[DEPTH] + at;
    double lat = latitude(call, b->grid, (double)(b->lo[0] + j));
    double face = latitude(call, b->grid, (double)(b->lo[0] + j) - 0.5);
    double by_x = b->dt / step_x(call, lat), by_y = b->dt * cos(face * rad) / step_y(call);
    for (int64_t i = 0; i < b->n[1]; i++) {
      bool first = b->lo[1] + i == 0 && !loop, lowest = b->lo[0] + j == 0;
      d[i] = (float)depth_at(p, z[i]);
      u[i] = first ? 0 : factor(p, z[i - 1], z[i], by_x);
      v[i] = lowest ? 0 : factor(p, z[i - b->stride[0]], z[i], by_y);
      if (d[i] > 0) h[i] = (float)raised(call, b, b->lo[0] + j, b->lo[1] + i);
      if (d[i] > 0 && p->uplift[0]) h[i] += ((const float *)b->now[UPLIFT])[at + i];
    }
  }
}

// Moves two flows of a row; `hs` is the row of heights below.
PLAIT_WIDE static void kick_row(float *restrict m, float *restrict n, const float *restrict h,
                                const float *restrict hs, const float *restrict u,
                                const float *restrict v, float part, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    m[i] -= part * u[i] * (h[i] - h[i - 1]);
    n[i] -= part * v[i] * (h[i] - hs[i]);
  }
}

// One flow with Coriolis: `across` and `across + s` are the rows of the other flow; closed faces
// stay so.
PLAIT_WIDE static void turn_row(float *restrict m, const float *restrict h, ptrdiff_t back,
                                const float *restrict u, const float *restrict across, ptrdiff_t s,
                                ptrdiff_t e, float f, float part, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    float mean = 0.25f * ((across[i] + across[i + e]) + (across[i + s] + across[i + s + e]));
    m[i] += u[i] > 0 ? part * (f * mean - u[i] * (h[i] - h[i - back])) : 0;
  }
}

PLAIT_WIDE static void height_row(float *restrict h, const float *restrict m,
                                  const float *restrict n, const float *restrict nn, float rx,
                                  float ry, int64_t count) {
  for (int64_t i = 0; i < count; i++) h[i] -= rx * (m[i + 1] - m[i]) + ry * (nn[i] - n[i]);
}

// Flow through open faces of the border beside a box: c h outwards. `axis` is the one they cross.
static void radiate(const plait_call *call, const plait_cells *b, int axis) {
  const plait_grid *g = b->grid;
  for (int side = 0; side < 2; side++) {
    int64_t cell = side ? g->shape[axis] - 1 : 0, line = cell - b->lo[axis];
    if (line < 0 || line >= b->n[axis]) continue;
    ptrdiff_t step = b->stride[1 - axis], start = line * b->stride[axis];
    const float *h = (const float *)b->now[H] + start, *d = (const float *)b->now[DEPTH] + start;
    float *flow = (float *)b->now[axis ? M : N] + start + side * b->stride[axis];
    double lat = latitude(call, g, (double)cell + side - 0.5);
    double scale = (side ? 1 : -1) * (axis ? 1 : cos(lat * rad));
    for (int64_t i = 0; i < b->n[1 - axis]; i++)
      flow[i * step] = (float)(scale * sqrt(gravity * d[i * step])) * h[i * step];
  }
}

static void kick(const plait_call *call, const plait_cells *b) {
  const tsunami_params *p = call->params;
  float part = b->step == 0 ? 0.5f : 1.0f;
  const row *rows = (const row *)call->state + b->lo[0];
  for (int64_t j = 0; j < b->n[0]; j++) {
    ptrdiff_t at = j * b->stride[0], s = b->stride[0];
    float *h = (float *)b->now[H] + at, *m = (float *)b->now[M] + at, *n = (float *)b->now[N] + at;
    const float *u = (const float *)b->now[U] + at, *v = (const float *)b->now[V] + at;
    if (!p->coriolis)
      kick_row(m, n, h, h - s, u, v, part, b->n[1]);
    else if (b->stage == 0)
      turn_row(m, h, 1, u, n - 1, s, 1, rows[j].fm, part, b->n[1]);
    else
      turn_row(n, h, s, v, m - s, s, 1, -rows[j].fn, part, b->n[1]);
  }
  if (!p->open) return;
  if (!p->coriolis || b->stage == 1) radiate(call, b, 0);
  if (b->stage == 0 && b->grid->edge[1][0] != PLAIT_EDGE_PERIODIC) radiate(call, b, 1);
}

static void advance(const plait_call *call, const plait_cells *b) {
  if (b->stage < b->grid->nstages - 1) {
    kick(call, b);
    return;
  }
  const row *rows = (const row *)call->state + b->lo[0];
  for (int64_t j = 0; j < b->n[0]; j++) {
    ptrdiff_t at = j * b->stride[0];
    const float *n = (const float *)b->now[N] + at;
    height_row((float *)b->now[H] + at, (const float *)b->now[M] + at, n, n + b->stride[0],
               rows[j].rx, rows[j].ry, b->n[1]);
  }
}

// Sums of h and h^2 of n cells of a row, eight columns side by side: gcc makes no vectors of a sum
// by itself, and of half a vector of floats at a time two conversions.
PLAIT_WIDE static void sum_row(const float *h, int64_t n, double *restrict sum) {
  v4d s[2] = {{0}}, t[2] = {{0}};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const v8d x = __builtin_convertvector(*(const v8f *)(h + i), v8d);
    for (int k = 0; k < 2; k++) {
      const v4d half = ((const v4d *)&x)[k];
      s[k] += half;
      t[k] += half * half;
    }
  }
  const v4d all[2] = {s[0] + s[1], t[0] + t[1]};
  for (int k = 0; k < 2; k++) sum[k] = (all[k][0] + all[k][2]) + (all[k][1] + all[k][3]);
  for (; i < n; i++) {
    sum[0] += (double)h[i];
    sum[1] += (double)h[i] * h[i];
  }
}

static void diagnose(const plait_call *call, const plait_cells *b, double sum[]) {
  const row *rows = (const row *)call->state + b->lo[0];
  for (int64_t j = 0; j < b->n[0]; j++) {
    double own[2];
    sum_row((const float *)b->now[H] + j * b->stride[0], b->n[1], own);
    sum[0] += rows[j].area * own[0];
    sum[1] += 0.5 * 1025 * gravity * rows[j].area * own[1];
  }
}

// In a closed basin with an island the volume stays, and the tiling leaves no trace.
static plait_err verify(const plait_lab *lab) {
  enum { NY = 30, NX = 40 };
  double lat[NY], lon[NX], before = 0, after = 0;
  float z[NY * NX], h[3][NY * NX], other[3][NY * NX];
  for (int i = 0; i < NX; i++) lon[i] = 0.1 * i;
  for (int j = 0; j < NY; j++) lat[j] = 40 + 0.1 * j;
  for (int k = 0; k < NY * NX; k++)
    z[k] = k / NX > 9 && k / NX < 14 && k % NX > 19 && k % NX < 25
               ? 50
               : -3000.0f + (float)(k % 7) * 100;
  plait_array in = {.name = "z",
                    .units = "m",
                    .type = PLAIT_F32,
                    .ndim = 2,
                    .shape = {NY, NX},
                    .dims = {"lat", "lon"},
                    .coord = {lat, lon},
                    .coord_units = {"", ""}};
  static const char *const settings[] = {
      "steps=0 dt=10 open=false shapes=[{kind: gaussian, lon: 1, lat: 41, radius: 40}]",
      "steps=300 dt=10 open=false shapes=[{kind: gaussian, lon: 1, lat: 41, radius: 40}]"};
  const int64_t depth[2] = {1, 6};
  plait_err err = lab->apply(lab, settings[0], &in, z, &depth[0], (void *[]){h[0], h[1], h[2]});
  for (int k = 0; k < NY * NX; k++) before += cos(lat[k / NX] * rad) * h[0][k];
  if (err == PLAIT_OK)
    err = lab->apply(lab, settings[1], &in, z, &depth[0], (void *[]){h[0], h[1], h[2]});
  if (err == PLAIT_OK)
    err = lab->apply(lab, settings[1], &in, z, &depth[1], (void *[]){other[0], other[1], other[2]});
  if (err != PLAIT_OK) return err;
  for (int k = 0; k < NY * NX; k++) after += cos(lat[k / NX] * rad) * h[0][k];
  if (!(fabs(after - before) < 1e-5 * before))
    return plait_fail(PLAIT_VERIFY, "tsunami: the volume went from %.9g to %.9g", before, after);
  if (memcmp(h, other, sizeof h) != 0)
    return plait_fail(PLAIT_VERIFY, "tsunami: the depth of the time tiles changes bits");
  return PLAIT_OK;
}

const plait_kernel plait_kernel_tsunami = {
    .name = "tsunami",
    .summary = "linear long waves over real relief: height, arrival, gauges",
    .pattern = PLAIT_EVOLVE,
    .version = 3,
    .params = tsunami_table,
    .params_size = sizeof(tsunami_params),
    .takes = PLAIT_TAKES_ALL,
    .check = check,
    .evolve = {.plan = plan,
               .stable_step = stable_step,
               .tables = tables,
               .initial = initial,
               .advance = advance,
               .diagnose = diagnose},
    .verify = verify,
};
