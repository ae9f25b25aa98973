// SPDX-License-Identifier: BSD-3-Clause
//
// gaussian - N-D Gaussian filter over some axes of an array of any number of axes (a stack of
// images, a field in time and space).
//
//   out(i, j, ..) = sum_k sum_l .. g_a(k) g_b(l) .. in(i + k, j + l, ..),
//   g(k) = exp(-k^2 / (2 sigma^2)) / sum, |k| <= r = floor(truncate * sigma + 1/2)
//
// Units: sigma in cells (px) of its axis; values keep the units of the input.
// Shapes: in [.., n + 2r, ..] on filtered axes, out [.., n, ..].
// Arithmetic: float32 for integers of 8 and 16 bits and float32, float64 for wider input or output.
//   Per cell and axis 2r additions and r + 1 multiplications (r pairs are added, then weighted);
//   reads and writes each cell once (halos more often). Integers are rounded to nearest, ties to
//   even, and saturate; 64-bit integers pass through float64 and keep 53 bits.
// Bits: the same for any cut, ranks and threads: a pass sums the taps of a cell in one order.
// Missing values (NaN): `normalise` weighs the values that are there (normalised convolution);
//   missing cells stay missing. `fill` gives them that weighted mean too (astropy: interpolate).
//   `propagate` lets one NaN spoil its neighbourhood (scipy).
// How: a thread takes a tile, filters it along one axis after the other in its own scratch, which
//   stays in its L2 cache, and along the first axis straight from the input.
// Source: separable truncated filter as scipy.ndimage.gaussian_filter (same radius, weights and
//   boundary rules); normalised convolution: Knutsson and Westin, CVPR 1993.
#include "gaussian.h"
#include <math.h>
#include <string.h>

enum { RADIUS_MAX = 4096, STRIP_CELLS = 65536, PAD = GAUSSIAN_PAD };

static const char *const boundaries[] = {"auto",     "reflect",  "nearest", "mirror",
                                         "constant", "periodic", NULL}; // auto, then plait_boundary
static const char *const missings[] = {"normalise", "fill", "propagate", NULL};
static const char *const types[] = {"same", "float32", "float64", NULL};

#define AT(member) offsetof(gaussian_params, member)
static const plait_param gaussian_table[] = {
    {.name = "axes",
     .kind = PLAIT_PARAM_AXES,
     .offset = AT(axes),
     .unit = "",
     .standard = "[]",
     .help = "axes to filter along; when empty the last two"},
    {.name = "sigma",
     .kind = PLAIT_PARAM_REALS,
     .offset = AT(sigma),
     .unit = "px",
     .standard = "1",
     .help = "standard deviation, one for all axes or one per axis; 0 leaves an axis alone",
     .min = 0,
     .max = RADIUS_MAX},
    {.name = "truncate",
     .kind = PLAIT_PARAM_REAL,
     .offset = AT(truncate),
     .unit = "",
     .standard = "4",
     .help = "the filter ends at this many standard deviations",
     .min = 0.1,
     .max = 20},
    {.name = "boundary",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = AT(boundary),
     .unit = "",
     .standard = "auto",
     .help = "beyond the ends; auto: periodic along a longitude round the globe, else reflect",
     .choices = boundaries},
    {.name = "value",
     .kind = PLAIT_PARAM_REAL,
     .offset = AT(value),
     .unit = "",
     .standard = "0",
     .help = "the value beyond the ends when boundary is constant"},
    {.name = "missing",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = AT(missing),
     .unit = "",
     .standard = "normalise",
     .choices = missings,
     .help = "missing neighbours are left out (and missing cells kept or filled), or spread"},
    {.name = "type",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = AT(type),
     .unit = "",
     .standard = "same",
     .help = "type of the result",
     .choices = types},
    {0}};
#undef AT

// ---- what is asked: pure functions of problem and parameters --------------------------------
static plait_type type_of_result(const plait_problem *problem, const gaussian_params *p) {
  return p->type == GAUSSIAN_F32   ? PLAIT_F32
         : p->type == GAUSSIAN_F64 ? PLAIT_F64
                                   : problem->input->type;
}

static bool needs_f64(const plait_problem *problem, const gaussian_params *p) {
  plait_type in = problem->input->type, out = type_of_result(problem, p);
  bool small = in <= PLAIT_U16 || in == PLAIT_F32;
  return !small || !(out <= PLAIT_U16 || out == PLAIT_F32);
}

static int axes_of(const plait_problem *problem, const gaussian_params *p, int axis[]) {
  int n = p->axes.n, ndim = problem->input->ndim;
  for (int i = 0; i < n; i++) axis[i] = p->axes.axis[i];
  if (n > 0) return n;
  n = ndim < 2 ? ndim : 2;
  for (int i = 0; i < n; i++) axis[i] = ndim - n + i;
  return n;
}

static double sigma_of(const gaussian_params *p, int i) {
  return p->sigma.at[p->sigma.n == 1 ? 0 : i];
}

static int64_t radius_of(const gaussian_params *p, int i) {
  return (int64_t)(p->truncate * sigma_of(p, i) + 0.5);
}

static bool radius_too_large(const plait_problem *problem, const gaussian_params *p) {
  int axis[PLAIT_DIMS], n = axes_of(problem, p, axis);
  for (int i = 0; i < n; i++)
    if (radius_of(p, i) > RADIUS_MAX) return true;
  return false;
}

static const char *gaussian_check(const plait_problem *problem, const void *params) {
  const gaussian_params *p = params;
  int axis[PLAIT_DIMS], n = axes_of(problem, p, axis);
  return problem->input->ndim < 1             ? "the input has no axis to filter along"
         : p->sigma.n != 1 && p->sigma.n != n ? "sigma: give one value, or one for each axis"
         : radius_too_large(problem, p)       ? "sigma: the filter reaches over 4096 cells"
         : !isfinite(p->value) && p->type == GAUSSIAN_SAME && problem->input->type < PLAIT_F32
             ? "value: integers have no such number"
             : NULL;
}

// Cells of a tile along each axis: one row of cells on axes that are not filtered; otherwise so
// many that the scratch of usual radii stays in L2 and the overlap of tiles is cheap.
static void tile_of(const plait_problem *problem, const gaussian_params *p, const int64_t halo[],
                    int64_t tile[]) {
  int axis[PLAIT_DIMS], n = axes_of(problem, p, axis), last = problem->input->ndim - 1;
  int filtered = 0, seen = 0;
  for (int i = 0; i < n; i++) filtered += halo[axis[i]] > 0;
  for (int d = 0; d <= last; d++) {
    bool first = halo[d] > 0 && seen++ == 0;
    int64_t wide = filtered < 3 ? 512 : 192, reach = 2 * halo[d];
    tile[d] = halo[d] == 0 && d != last ? 1
              : d == last               ? (filtered < 3 && reach > wide ? reach : wide)
              : first                   ? (filtered < 3 ? 64 : 16)
              : filtered < 3            ? 64
              : filtered == 3           ? 96
                                        : 16;
    if (tile[d] > problem->input->shape[d]) tile[d] = problem->input->shape[d];
  }
}

int64_t pl_gaussian_padded(int64_t n) {
  return (n + PAD - 1) / PAD * PAD;
}

// Cells of a work buffer (a tile with the halos of all axes but the first filtered) and of the
// strip (lines of `chunk` cells across the first filtered axis).
static void buffer_cells(int ndim, const int64_t tile[], const int64_t halo[], int64_t *buffer,
                         int64_t *strip, int64_t *chunk) {
  bool seen = false;
  int64_t cells = 1, length = 1, width = pl_gaussian_padded(tile[ndim - 1] + 2 * halo[ndim - 1]);
  for (int d = 0; d < ndim; d++) {
    bool first = halo[d] > 0 && !seen;
    int64_t n = tile[d] + (first ? 0 : 2 * halo[d]);
    if (first && d < ndim - 1) length = n + 2 * halo[d];
    cells *= d == ndim - 1 ? pl_gaussian_padded(n) : n;
    seen = seen || first;
  }
  *chunk = STRIP_CELLS / length / PAD * PAD;
  if (*chunk < PAD) *chunk = PAD;
  if (*chunk > width || length == 1) *chunk = width;
  *buffer = cells;
  *strip = length * *chunk;
}

// A longitude whose cells go once round the globe: the last one is the neighbour of the first.
static bool goes_round(const plait_array *in, int d) {
  int64_t n = in->shape[d];
  const double *lon = in->coord[d];
  if (!lon || n < 2 || strncmp(in->coord_units[d], "degree", 6) != 0) return false;
  const char *direction = strrchr(in->coord_units[d], '_'); // degrees_east, degree_E
  if (!direction || (direction[1] != 'e' && direction[1] != 'E')) return false;
  double step = (lon[n - 1] - lon[0]) / (double)(n - 1);
  return fabs(fabs(step) * (double)n - 360) < 1e-3 * fabs(step);
}

static plait_boundary boundary_of(const plait_array *in, const gaussian_params *p, int d) {
  if (p->boundary > 0) return (plait_boundary)(p->boundary - 1);
  return goes_round(in, d) ? PLAIT_PERIODIC : PLAIT_REFLECT;
}

static void gaussian_plan(const plait_problem *problem, const void *params, plait_plan *plan) {
  const gaussian_params *p = params;
  const plait_array *in = problem->input;
  int axis[PLAIT_DIMS], n = axes_of(problem, p, axis);
  int64_t tile[PLAIT_DIMS], buffer, strip, chunk, taps = 0;
  for (int i = 0; i < n; i++) {
    plan->halo[axis[i]] = radius_of(p, i);
    taps += radius_of(p, i) + 1;
    plan->flops_per_cell += 3.0 * (double)radius_of(p, i) + 1;
  }
  for (int d = 0; d < in->ndim; d++) plan->boundary[d] = boundary_of(in, p, d);
  plan->boundary_value = p->value;
  tile_of(problem, p, plan->halo, tile);
  buffer_cells(in->ndim, tile, plan->halo, &buffer, &strip, &chunk);
  size_t cell = needs_f64(problem, p) ? sizeof(double) : sizeof(float);
  plan->scratch_bytes = (size_t)(3 * buffer + strip + (taps + (n + 1) * PAD)) * cell;
  plait_output *out = plait_plan_map(plan, problem, type_of_result(problem, p));
  strcpy(out->units, "=");
  out->packed_like_input = p->type == GAUSSIAN_SAME;
}

// ---- a block --------------------------------------------------------------------------------
static void put(const gaussian_arith *a, char *at, int64_t i, double value) {
  if (a == &pl_gaussian_f32)
    ((float *)at)[i] = (float)value;
  else
    ((double *)at)[i] = value;
}

static double get(const gaussian_arith *a, const char *at, int64_t i) {
  return a == &pl_gaussian_f32 ? ((const float *)at)[i] : ((const double *)at)[i];
}

static void make_taps(const gaussian_arith *a, double sigma, int64_t r, char *taps) {
  double sum = 1;
  for (int64_t k = 1; k <= r; k++) sum += 2 * exp(-0.5 * (double)(k * k) / (sigma * sigma));
  put(a, taps, 0, 1 / sum);
  for (int64_t k = 1; k <= r; k++)
    put(a, taps, k, exp(-0.5 * (double)(k * k) / (sigma * sigma)) / sum);
}

static void start(const plait_call *call, const plait_block *in, const plait_block *out,
                  gaussian_work *w) {
  const gaussian_params *p = call->params;
  int axis[PLAIT_DIMS], n = axes_of(call->problem, p, axis);
  int64_t tile[PLAIT_DIMS], buffer, strip;
  *w = (gaussian_work){.a = needs_f64(call->problem, p) ? &pl_gaussian_f64 : &pl_gaussian_f32,
                       .in = in,
                       .out = out,
                       .missing = p->missing,
                       .ndim = in->ndim,
                       .last = in->ndim - 1,
                       .halo = call->plan->halo,
                       .full = 1};
  tile_of(call->problem, p, w->halo, tile);
  buffer_cells(w->ndim, tile, w->halo, &buffer, &strip, &w->chunk);
  char *at = call->scratch, *one;
  w->strip = at, at += (size_t)strip * w->a->size;
  for (int i = 0; i < 3; i++) w->buffer[i] = at, at += (size_t)buffer * w->a->size;
  for (int i = 0; i < n || w->naxes == 0; i++) {
    int64_t r = i < n ? radius_of(p, i) : 0;
    if (r == 0 && i < n) continue; // an axis that is left alone; when all are, the last is copied
    w->axis[w->naxes] = i < n ? axis[i] : w->last;
    w->taps[w->naxes] = at, at += (size_t)pl_gaussian_padded(r + 1) * w->a->size;
    make_taps(w->a, i < n ? sigma_of(p, i) : 1, r, w->taps[w->naxes]);
    one = w->buffer[0];
    put(w->a, one, 0, w->full);
    w->a->taps(one, 0, w->taps[w->naxes++], r, 1, w->buffer[1]);
    w->full = get(w->a, w->buffer[1], 0);
  }
}

static void gaussian_block(const plait_call *call, const plait_block *in, const plait_block *out) {
  gaussian_work w;
  int64_t tile[PLAIT_DIMS], count[PLAIT_DIMS], tiles = 1;
  start(call, in, out, &w);
  tile_of(call->problem, call->params, w.halo, tile);
  for (int d = 0; d < w.ndim; d++) { // tiles of nearly equal extent
    count[d] = (in->extent[d] + tile[d] - 1) / tile[d];
    tiles *= count[d];
  }
#pragma omp for schedule(dynamic)
  for (int64_t t = 0; t < tiles; t++) {
    int64_t lo[PLAIT_DIMS], n[PLAIT_DIMS], rest = t;
    for (int d = w.last; d >= 0; d--) {
      int64_t i = rest % count[d];
      lo[d] = in->extent[d] * i / count[d];
      n[d] = in->extent[d] * (i + 1) / count[d] - lo[d];
      rest /= count[d];
    }
    pl_gaussian_tile(&w, lo, n);
  }
}

const plait_kernel plait_kernel_gaussian = {
    .name = "gaussian",
    .summary = "N-D Gaussian filter along some axes of a stack or field",
    .pattern = PLAIT_MAP,
    .version = 1,
    .params = gaussian_table,
    .params_size = sizeof(gaussian_params),
    .takes = PLAIT_TAKES_ALL,
    .check = gaussian_check,
    .plan = gaussian_plan,
    .map = {.block = gaussian_block},
    .verify = pl_gaussian_verify};
