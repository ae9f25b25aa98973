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
//   even, and saturate; 64-bit integers pass through float64, so beyond 2^53 they lose their last
//   bits.
// Bits: the same for any cut, ranks and threads: every pass sums the taps of a cell in the same
// order. Missing values (NaN): `normalise` weighs the values that are there (normalised
// convolution), missing
//   cells stay missing; `fill` gives them that weighted mean too (astropy's interpolate);
//   `propagate` lets one NaN spoil its neighbourhood (scipy).
// How: a thread takes a tile, filters it along one axis after the other in its own scratch, which
//   stays in its L2 cache, and along the first axis straight from the input.
// Source: separable truncated filter as scipy.ndimage.gaussian_filter (same radius, weights and
//   boundary rules); normalised convolution: Knutsson and Westin, CVPR 1993.
#include <math.h>
#include <string.h>
#include <plait.h>

enum { MISSING_NORMALISE, MISSING_FILL, MISSING_PROPAGATE };
enum { TYPE_SAME, TYPE_F32, TYPE_F64 };
enum { RADIUS_MAX = 4096, STRIP_CELLS = 65536, PAD = 64 };

typedef struct gaussian_params {
  plait_axes axes;
  plait_reals sigma;
  double truncate;
  int boundary;
  double value;
  int missing;
  int type;
} gaussian_params;

static const char *const boundaries[] = {"reflect",  "nearest",  "mirror",
                                         "constant", "periodic", NULL}; // order of plait_boundary
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
     .standard = "reflect",
     .help = "what lies beyond the ends of an axis",
     .choices = boundaries},
    {.name = "value",
     .kind = PLAIT_PARAM_REAL,
     .offset = AT(value),
     .unit = "input",
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
  return p->type == TYPE_F32 ? PLAIT_F32 : p->type == TYPE_F64 ? PLAIT_F64 : problem->input->type;
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
         : !isfinite(p->value) && p->type == TYPE_SAME && problem->input->type < PLAIT_F32
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

static int64_t padded(int64_t n) {
  return (n + PAD - 1) / PAD * PAD;
}

// Cells of a work buffer (a tile with the halos of all axes but the first filtered) and of the
// strip (lines of `chunk` cells across the first filtered axis).
static void buffer_cells(int ndim, const int64_t tile[], const int64_t halo[], int64_t *buffer,
                         int64_t *strip, int64_t *chunk) {
  bool seen = false;
  int64_t cells = 1, length = 1, width = padded(tile[ndim - 1] + 2 * halo[ndim - 1]);
  for (int d = 0; d < ndim; d++) {
    bool first = halo[d] > 0 && !seen;
    int64_t n = tile[d] + (first ? 0 : 2 * halo[d]);
    if (first && d < ndim - 1) length = n + 2 * halo[d];
    cells *= d == ndim - 1 ? padded(n) : n;
    seen = seen || first;
  }
  *chunk = STRIP_CELLS / length / PAD * PAD;
  if (*chunk < PAD) *chunk = PAD;
  if (*chunk > width || length == 1) *chunk = width;
  *buffer = cells;
  *strip = length * *chunk;
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
  for (int d = 0; d < in->ndim; d++) plan->boundary[d] = (plait_boundary)p->boundary;
  plan->boundary_value = p->value;
  tile_of(problem, p, plan->halo, tile);
  buffer_cells(in->ndim, tile, plan->halo, &buffer, &strip, &chunk);
  size_t cell = needs_f64(problem, p) ? sizeof(double) : sizeof(float);
  plan->scratch_bytes = (size_t)(3 * buffer + strip + (taps + (n + 1) * PAD)) * cell;
  plan->noutputs = 1;
  plait_output *out = &plan->output[0];
  out->type = type_of_result(problem, p);
  out->ndim = in->ndim;
  for (int d = 0; d < in->ndim; d++) out->shape[d] = in->shape[d], out->from[d] = d;
  strcpy(out->units, "=");
  out->packed_like_input = p->type == TYPE_SAME;
}

// ---- arithmetic: the few loops that exist once per type of work ------------------------------
enum { PLAIN, ZERO, VALID }; // how to load a missing value: as it is, as 0; VALID: 1 or 0 for all

typedef struct arith {
  size_t size; // of a cell of work
  // to[i] = from[i], i < n
  void (*load)(plait_type type, int how, const void *from, int64_t n, void *to);
  // out[x] = w[0] in[x] + sum_k w[k] (in[x - k step] + in[x + k step]), x < n
  void (*taps)(const void *in, ptrdiff_t step, const void *w, int64_t r, int64_t n, void *out);
  // line[i] /= weight[i] where values were missing; NaN where centre[i] is NaN or nothing is there
  void (*normalise)(void *line, const void *weight, double full, const void *centre, int64_t n);
  void (*store)(plait_type type, void *line, int64_t n, void *to); // rounds line on the way
} arith;

// 64 cells at a time are summed in registers; the loop over them becomes 4 to 16 vector operations.
static PLAIT_WIDE void taps_f32(const void *in, ptrdiff_t step, const void *weights, int64_t r,
                                int64_t n, void *out) {
  const float *restrict from = in, *restrict w = weights;
  float *restrict to = out;
  int64_t x = 0;
  for (; x + PAD <= n; x += PAD) {
    const float *c = from + x;
    float sum[PAD];
    for (int l = 0; l < PAD; l++) sum[l] = w[0] * c[l];
    for (int64_t k = 1; k <= r; k++) {
      const float *a = c - k * step, *b = c + k * step;
      for (int l = 0; l < PAD; l++) sum[l] += w[k] * (a[l] + b[l]);
    }
    for (int l = 0; l < PAD; l++) to[x + l] = sum[l];
  }
  for (int64_t i = x; i < n; i++) to[i] = w[0] * from[i];
  for (int64_t k = 1; k <= r; k++)
    for (int64_t i = x; i < n; i++) to[i] += w[k] * (from[i - k * step] + from[i + k * step]);
}

static PLAIT_WIDE void taps_f64(const void *in, ptrdiff_t step, const void *weights, int64_t r,
                                int64_t n, void *out) {
  const double *restrict from = in, *restrict w = weights;
  double *restrict to = out;
  int64_t x = 0;
  for (; x + PAD / 2 <= n; x += PAD / 2) {
    const double *c = from + x;
    double sum[PAD / 2];
    for (int l = 0; l < PAD / 2; l++) sum[l] = w[0] * c[l];
    for (int64_t k = 1; k <= r; k++) {
      const double *a = c - k * step, *b = c + k * step;
      for (int l = 0; l < PAD / 2; l++) sum[l] += w[k] * (a[l] + b[l]);
    }
    for (int l = 0; l < PAD / 2; l++) to[x + l] = sum[l];
  }
  for (int64_t i = x; i < n; i++) to[i] = w[0] * from[i];
  for (int64_t k = 1; k <= r; k++)
    for (int64_t i = x; i < n; i++) to[i] += w[k] * (from[i - k * step] + from[i + k * step]);
}

static void load_f32(plait_type type, int how, const void *from, int64_t n, void *line) {
  float *restrict to = line;
  plait_row_to_f32(type, from, n, to);
  if (how == ZERO)
    for (int64_t i = 0; i < n; i++) to[i] = to[i] == to[i] ? to[i] : 0;
  if (how == VALID)
    for (int64_t i = 0; i < n; i++) to[i] = to[i] == to[i];
}

static void load_f64(plait_type type, int how, const void *from, int64_t n, void *line) {
  double *restrict to = line;
  plait_row_to_f64(type, from, n, to);
  if (how == ZERO)
    for (int64_t i = 0; i < n; i++) to[i] = to[i] == to[i] ? to[i] : 0;
  if (how == VALID)
    for (int64_t i = 0; i < n; i++) to[i] = to[i] == to[i];
}

static void normalise_f32(void *line, const void *weight, double full, const void *centre,
                          int64_t n) {
  float *to = line, all = (float)full;
  const float *w = weight, *c = centre;
  for (int64_t i = 0; i < n; i++) {
    if (w[i] != all) to[i] = w[i] > 0 ? to[i] / w[i] : NAN;
    if (c && c[i] != c[i]) to[i] = NAN;
  }
}

static void normalise_f64(void *line, const void *weight, double full, const void *centre,
                          int64_t n) {
  double *to = line;
  const double *w = weight, *c = centre;
  for (int64_t i = 0; i < n; i++) {
    if (w[i] != full) to[i] = w[i] > 0 ? to[i] / w[i] : NAN;
    if (c && c[i] != c[i]) to[i] = NAN;
  }
}

static void store_f32(plait_type type, void *line, int64_t n, void *to) {
  plait_row_from_f32(type, line, n, to);
}

static void store_f64(plait_type type, void *line, int64_t n, void *to) {
  plait_row_from_f64(type, line, n, to);
}

static const arith arith_f32 = {sizeof(float), load_f32, taps_f32, normalise_f32, store_f32};
static const arith arith_f64 = {sizeof(double), load_f64, taps_f64, normalise_f64, store_f64};

// ---- a tile ---------------------------------------------------------------------------------
typedef struct work { // of one thread, for one block
  const arith *a;
  const plait_block *in, *out;
  int missing, ndim, last;
  int naxes, axis[PLAIT_DIMS]; // filtered, ascending; at least one
  char *taps[PLAIT_DIMS];      // weights of axis[i], radius + 1
  const int64_t *halo;         // radius along each axis, 0 where not filtered
  double full;                 // what the filter makes of ones
  int64_t chunk;               // cells of a line of the strip
  char *strip, *buffer[3];     // cells of work: lines across the first axis; parts
} work;

typedef struct part { // cells of work in a buffer, row-major, rows (along the last axis) padded
  int64_t n[PLAIT_DIMS];
  char *at;
} part;

static int64_t rows_of(int ndim, const int64_t n[]) {
  int64_t rows = 1;
  for (int d = 0; d < ndim - 1; d++) rows *= n[d];
  return rows;
}

// Coordinates of the first cell of row `row` in a box of n cells.
static void place(int ndim, const int64_t n[], int64_t row, int64_t at[]) {
  at[ndim - 1] = 0;
  for (int d = ndim - 2; d >= 0; d--) at[d] = row % n[d], row /= n[d];
}

static char *in_part(const work *w, const part *p, const int64_t at[]) {
  int64_t row = 0;
  for (int d = 0; d < w->last; d++) row = row * p->n[d] + at[d];
  return p->at + (size_t)(row * padded(p->n[w->last]) + at[w->last]) * w->a->size;
}

static char *in_block(const plait_block *b, const int64_t lo[], const int64_t at[]) {
  ptrdiff_t offset = 0;
  for (int d = 0; d < b->ndim; d++) offset += (ptrdiff_t)(lo[d] + at[d]) * b->stride[d];
  return (char *)b->data + offset * (ptrdiff_t)plait_type_size(b->type);
}

static ptrdiff_t step_of(const work *w, const part *p, int axis) {
  ptrdiff_t step = 1;
  for (int d = axis + 1; d <= w->last; d++)
    step *= (ptrdiff_t)(d == w->last ? padded(p->n[d]) : p->n[d]);
  return step;
}

// Along the first axis, from the block: lines across it are loaded into the strip, converted once,
// and filtered. Leaves the cells of the tile with the halos of the other axes in `to`.
static void filter_first(const work *w, const int64_t lo[], const int64_t n[], int how, part *to) {
  int axis = w->axis[0], last = w->last;
  int64_t r = w->halo[axis], at[PLAIT_DIMS], corner[PLAIT_DIMS], rows[PLAIT_DIMS];
  for (int d = 0; d <= last; d++) {
    to->n[d] = n[d] + (d == axis ? 0 : 2 * w->halo[d]);
    corner[d] = lo[d] - w->halo[d];
    rows[d] = d == axis ? 1 : to->n[d];
  }
  bool along = axis == last;
  int64_t lines = along ? 1 : n[axis] + 2 * r, results = along ? 1 : n[axis];
  int64_t width = to->n[last], more = along ? 2 * r : 0;
  for (int64_t row = 0; row < rows_of(w->ndim, rows); row++)
    for (int64_t x = 0; x < width; x += w->chunk) {
      int64_t cells = width - x < w->chunk ? width - x : w->chunk;
      place(w->ndim, rows, row, at);
      at[last] = x;
      for (int64_t j = 0; j < lines; j++) {
        if (!along) at[axis] = j;
        w->a->load(w->in->type, how, in_block(w->in, corner, at), cells + more,
                   w->strip + (size_t)(j * w->chunk) * w->a->size);
      }
      for (int64_t j = 0; j < results; j++) {
        if (!along) at[axis] = j;
        int64_t centre = along ? r : (j + r) * w->chunk;
        w->a->taps(w->strip + (size_t)centre * w->a->size, along ? 1 : w->chunk, w->taps[0], r,
                   cells, in_part(w, to, at));
      }
    }
}

// Along a later axis, from part to part.
static void filter_next(const work *w, int i, const part *from, part *to) {
  int axis = w->axis[i];
  int64_t r = w->halo[axis], at[PLAIT_DIMS];
  ptrdiff_t step = step_of(w, from, axis);
  memcpy(to->n, from->n, sizeof to->n);
  to->n[axis] -= 2 * r;
  for (int64_t row = 0; row < rows_of(w->ndim, to->n); row++) {
    place(w->ndim, to->n, row, at);
    char *line = in_part(w, to, at);
    at[axis] += r;
    w->a->taps(in_part(w, from, at), step, w->taps[i], r, to->n[w->last], line);
  }
}

// Filters a tile along all axes; the result lies in `even` or `odd`.
static part filter_tile(const work *w, const int64_t lo[], const int64_t n[], int how, char *even,
                        char *odd) {
  part p[2] = {{.at = even}, {.at = odd}};
  filter_first(w, lo, n, how, &p[0]);
  for (int i = 1; i < w->naxes; i++) filter_next(w, i, &p[(i + 1) % 2], &p[i % 2]);
  return p[(w->naxes + 1) % 2];
}

static PLAIT_WIDE bool line_has_nan(plait_type type, const void *line, int64_t n) {
  int bad = 0;
  if (type == PLAIT_F32)
    for (int64_t i = 0; i < n; i++) bad |= ((const float *)line)[i] != ((const float *)line)[i];
  else
    for (int64_t i = 0; i < n; i++) bad |= ((const double *)line)[i] != ((const double *)line)[i];
  return bad;
}

static bool has_missing(const work *w, const int64_t lo[], const int64_t n[]) {
  int64_t at[PLAIT_DIMS], corner[PLAIT_DIMS], all[PLAIT_DIMS];
  if (w->in->type < PLAIT_F32 || w->missing == MISSING_PROPAGATE) return false;
  for (int d = 0; d < w->ndim; d++) corner[d] = lo[d] - w->halo[d], all[d] = n[d] + 2 * w->halo[d];
  for (int64_t row = 0; row < rows_of(w->ndim, all); row++) {
    place(w->ndim, all, row, at);
    if (line_has_nan(w->in->type, in_block(w->in, corner, at), all[w->last])) return true;
  }
  return false;
}

// One tile: own cells [lo, lo + n) of the block. The weights of the values that are there are
// filtered only where some are missing; cells out of reach of those get the same bits either way.
static void do_tile(const work *w, const int64_t lo[], const int64_t n[]) {
  bool missing = has_missing(w, lo, n);
  char *const *b = w->buffer;
  part weight = {.at = b[2]}, result;
  if (missing) weight = filter_tile(w, lo, n, VALID, b[0], b[1]);
  result = filter_tile(w, lo, n, missing ? ZERO : PLAIN, weight.at == b[0] ? b[1] : b[0], b[2]);
  for (int64_t row = 0, at[PLAIT_DIMS]; row < rows_of(w->ndim, n); row++) {
    place(w->ndim, n, row, at);
    char *line = in_part(w, &result, at);
    if (missing) {
      bool keep = w->missing == MISSING_NORMALISE;
      if (keep) w->a->load(w->in->type, PLAIN, in_block(w->in, lo, at), n[w->last], w->strip);
      w->a->normalise(line, in_part(w, &weight, at), w->full, keep ? w->strip : NULL, n[w->last]);
    }
    w->a->store(w->out->type, line, n[w->last], in_block(w->out, lo, at));
  }
}

// ---- a block --------------------------------------------------------------------------------
static void put(const arith *a, char *at, int64_t i, double value) {
  if (a == &arith_f32)
    ((float *)at)[i] = (float)value;
  else
    ((double *)at)[i] = value;
}

static double get(const arith *a, const char *at, int64_t i) {
  return a == &arith_f32 ? ((const float *)at)[i] : ((const double *)at)[i];
}

static void make_taps(const arith *a, double sigma, int64_t r, char *taps) {
  double sum = 1;
  for (int64_t k = 1; k <= r; k++) sum += 2 * exp(-0.5 * (double)(k * k) / (sigma * sigma));
  put(a, taps, 0, 1 / sum);
  for (int64_t k = 1; k <= r; k++)
    put(a, taps, k, exp(-0.5 * (double)(k * k) / (sigma * sigma)) / sum);
}

static void start(const plait_call *call, const plait_block *in, const plait_block *out, work *w) {
  const gaussian_params *p = call->params;
  int axis[PLAIT_DIMS], n = axes_of(call->problem, p, axis);
  int64_t tile[PLAIT_DIMS], buffer, strip;
  *w = (work){.a = needs_f64(call->problem, p) ? &arith_f64 : &arith_f32,
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
    w->taps[w->naxes] = at, at += (size_t)padded(r + 1) * w->a->size;
    make_taps(w->a, i < n ? sigma_of(p, i) : 1, r, w->taps[w->naxes]);
    one = w->buffer[0];
    put(w->a, one, 0, w->full);
    w->a->taps(one, 0, w->taps[w->naxes++], r, 1, w->buffer[1]);
    w->full = get(w->a, w->buffer[1], 0);
  }
}

static void gaussian_block(const plait_call *call, const plait_block *in, const plait_block *out) {
  work w;
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
    do_tile(&w, lo, n);
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
    .verify = NULL};
