// SPDX-License-Identifier: BSD-3-Clause
//
// heat - diffusion in two or three dimensions: du/dt = div(k grad u) + q.
//
// Scheme: forward Euler in time, second-order central differences in flux form on cell centres;
// with varying k the face value is the harmonic mean of the two cells (exact for a steady flux
// through layers). Stable for dt <= 1 / (2 k sum 1/h^2). Faces: insulated (no flux), fixed
// (temperature at the face, half a cell outside), periodic. Sum of u h^d changes only through fixed
// faces and by q.
//
// u [.., ny, nx] float64 in K, k in m2/s, q in K/s, spacing in m. Constant k: 16 bytes, 10 (2-D: 7)
// flops a cell and step; varying k adds a coefficient per axis (8 bytes each).
//
// Source: J. Crank, The Mathematics of Diffusion, 2nd ed. 1975, ch. 8; S. V. Patankar, Numerical
// Heat Transfer and Fluid Flow, 1980, section 4.2 (harmonic mean).
#include <plait.h>

#include <math.h>
#include <string.h>

enum { U, Q, K, FACE }; // fields; FACE + axis: coefficient of the lower face

enum { INSULATED, FIXED, PERIODIC };
enum { GAUSSIAN, WAVE, EIGENMODE, CONSTANT };
enum { LANES = 8 }; // columns whose sums are formed side by side

typedef double v4d __attribute__((vector_size(32), aligned(8), may_alias));

typedef struct edge {
  int face, kind;
  double value;
} edge;

typedef struct shape {
  int kind;
  double amplitude, x, y, z, radius, kx, ky, kz;
} shape;

typedef struct params {
  plait_reals cells, spacing;
  double diffusivity;
  const char *diffusivity_file;
  plait_table edges, initial, sources;
} params;

static const char *const faces[] = {"x-", "x+", "y-", "y+", "z-", "z+", NULL};
static const char *const kinds[] = {"insulated", "fixed", "periodic", NULL};
static const char *const shapes[] = {"gaussian", "wave", "eigenmode", "constant", NULL};

static const plait_param edge_columns[] = {
    {"face", PLAIT_PARAM_CHOICE, offsetof(edge, face), "", "x is the last axis", NULL, 0, 0, faces,
     NULL, 0},
    {"kind", PLAIT_PARAM_CHOICE, offsetof(edge, kind), "", "periodic: both faces of the axis", NULL,
     0, 0, kinds, NULL, 0},
    {"value", PLAIT_PARAM_REAL, offsetof(edge, value), "K", "temperature of a fixed face", "0", 0,
     0, NULL, NULL, 0},
    {0}};

static const plait_param shape_columns[] = {
    {"kind", PLAIT_PARAM_CHOICE, offsetof(shape, kind), "",
     "eigenmode: cosines between insulated, sines between fixed faces; wave: cosine", NULL, 0, 0,
     shapes, NULL, 0},
    {"amplitude", PLAIT_PARAM_REAL, offsetof(shape, amplitude), "K (K/s)", "height", "1", 0, 0,
     NULL, NULL, 0},
    {"x", PLAIT_PARAM_REAL, offsetof(shape, x), "m", "centre, from the low face", "0", 0, 0, NULL,
     NULL, 0},
    {"y", PLAIT_PARAM_REAL, offsetof(shape, y), "m", "centre", "0", 0, 0, NULL, NULL, 0},
    {"z", PLAIT_PARAM_REAL, offsetof(shape, z), "m", "centre", "0", 0, 0, NULL, NULL, 0},
    {"radius", PLAIT_PARAM_REAL, offsetof(shape, radius), "m", "of the gaussian (1 sigma)", "1",
     1e-300, 1e300, NULL, NULL, 0},
    {"kx", PLAIT_PARAM_REAL, offsetof(shape, kx), "", "half waves (wave: waves) across", "0", 0, 0,
     NULL, NULL, 0},
    {"ky", PLAIT_PARAM_REAL, offsetof(shape, ky), "", "the same along y", "0", 0, 0, NULL, NULL, 0},
    {"kz", PLAIT_PARAM_REAL, offsetof(shape, kz), "", "the same along z", "0", 0, 0, NULL, NULL, 0},
    {0}};

static const plait_param table[] = {
    {"cells", PLAIT_PARAM_REALS, offsetof(params, cells), "",
     "[ny, nx] or [nz, ny, nx]; without input", "[]", 0, 0, NULL, NULL, 0},
    {"spacing", PLAIT_PARAM_REALS, offsetof(params, spacing), "m", "one number or one per axis",
     "1", 1e-300, 1e300, NULL, NULL, 0},
    {"diffusivity", PLAIT_PARAM_REAL, offsetof(params, diffusivity), "m2/s",
     "k; with a file: its factor", "1", 0, 1e300, NULL, NULL, 0},
    {"diffusivity_file", PLAIT_PARAM_FILE, offsetof(params, diffusivity_file), "m2/s",
     "k of every cell", "", 0, 0, NULL, NULL, 0},
    {"edges", PLAIT_PARAM_TABLE, offsetof(params, edges), "", "faces that are not insulated", "[]",
     0, 0, NULL, edge_columns, sizeof(edge)},
    {"initial", PLAIT_PARAM_TABLE, offsetof(params, initial), "", "shapes, added to the input",
     "[]", 0, 0, NULL, shape_columns, sizeof(shape)},
    {"sources", PLAIT_PARAM_TABLE, offsetof(params, sources), "", "shapes of the heating q", "[]",
     0, 0, NULL, shape_columns, sizeof(shape)},
    {0}};

static double step_of(const params *p, int axis) {
  return p->spacing.at[p->spacing.n == 1 ? 0 : axis];
}

static const char *check(const plait_problem *problem, const void *params_) {
  const params *p = params_;
  int ndim = problem->input ? problem->input->ndim : p->cells.n;
  if (problem->input && p->cells.n) return "cells: give them or an input, not both";
  if (p->cells.n && ndim != 2 && ndim != 3) return "cells: two or three axes are needed";
  if (ndim != 2 && ndim != 3) return "two or three axes are needed: an input, or `cells`";
  for (int i = 0; i < p->cells.n; i++)
    if (p->cells.at[i] < 1 || p->cells.at[i] > 1e9 || p->cells.at[i] != floor(p->cells.at[i]))
      return "cells: whole numbers from 1 are needed";
  if (p->spacing.n != 1 && p->spacing.n != ndim) return "spacing: give one number, or one per axis";
  const edge *e = p->edges.rows;
  for (int i = 0; i < p->edges.n; i++)
    if (e[i].face / 2 >= ndim) return "edges: there is no z face in two dimensions";
  return NULL;
}

static void add_field(plait_grid *g, const char *name, const char *units, bool fixed) {
  plait_field *f = &g->field[g->nfields++];
  strcpy(f->name, name);
  strcpy(f->units, units);
  f->type = PLAIT_F64;
  f->fixed = fixed;
}

static void plan_edges(const params *p, plait_grid *g) {
  for (int a = 0; a < g->ndim; a++) g->edge[a][0] = g->edge[a][1] = PLAIT_EDGE_EVEN;
  const edge *e = p->edges.rows;
  for (int i = 0; i < p->edges.n; i++) {
    int a = g->ndim - 1 - e[i].face / 2, side = e[i].face % 2;
    g->value[a][side] = e[i].value;
    if (e[i].kind == FIXED) g->edge[a][side] = PLAIT_EDGE_ODD;
    if (e[i].kind == PERIODIC) g->edge[a][0] = g->edge[a][1] = PLAIT_EDGE_PERIODIC;
  }
}

static void plan(const plait_problem *problem, const void *params_, plait_grid *g) {
  static const char *const names[] = {"z", "y", "x"};
  const params *p = params_;
  g->ndim = problem->input ? problem->input->ndim : p->cells.n;
  for (int a = 0; a < g->ndim; a++) {
    g->shape[a] = problem->input ? problem->input->shape[a] : (int64_t)p->cells.at[a];
    strcpy(g->dims[a], problem->input ? "" : names[3 - g->ndim + a]);
    strcpy(g->units[a], "m");
    g->spacing[a] = step_of(p, a);
    g->start[a] = g->spacing[a] / 2;
    g->stage[0].below[a] = g->stage[0].above[a] = 1;
  }
  plan_edges(p, g);
  add_field(g, "temperature", "K", false);
  strcpy(g->field[U].long_name, "temperature");
  g->field[U].twice = true;
  g->field[U].from_input = problem->input != NULL;
  g->nstages = 1;
  g->stage[0].writes = 1u << U;
  bool varies = p->diffusivity_file[0] != 0;
  if (varies || p->sources.n) add_field(g, "heating", "K s-1", true);
  if (varies) {
    add_field(g, "diffusivity", "m2 s-1", true);
    g->field[K].file = p->diffusivity_file;
    for (int a = 0; a < g->ndim; a++) {
      add_field(g, "face", "", true);
      g->field[FACE + a].stagger[a] = true;
    }
    g->field[K].idle = true;
  }
  g->ndiagnoses = 1;
  strcpy(g->diagnose[0], "heat K m3");
  g->flops_per_cell = varies ? 6 * g->ndim : 3 * g->ndim + 1;
}

// A box is walked by its rows along x, whatever the number of axes.
static int64_t rows_of(const plait_cells *b) {
  return b->grid->ndim == 3 ? b->n[0] * b->n[1] : b->n[0];
}

static ptrdiff_t row_at(const plait_cells *b, int64_t row, int64_t at[3]) {
  bool solid = b->grid->ndim == 3;
  int64_t z = solid ? row / b->n[1] : 0, y = solid ? row % b->n[1] : row;
  at[0] = solid ? b->lo[0] + z : 0;
  at[1] = b->lo[b->grid->ndim - 2] + y;
  at[2] = b->lo[b->grid->ndim - 1];
  return (solid ? z * b->stride[0] : 0) + y * b->stride[b->grid->ndim - 2];
}

static double stable_step(const plait_call *call, const plait_cells *b) {
  const params *p = call->params;
  double sum = 0, largest = 0;
  int64_t at[3], nx = b->n[b->grid->ndim - 1];
  for (int a = 0; a < b->grid->ndim; a++) sum += 1 / (step_of(p, a) * step_of(p, a));
  for (int64_t row = 0; p->diffusivity_file[0] && row < rows_of(b); row++) {
    const double *k = (const double *)b->now[K] + row_at(b, row, at);
    for (int64_t x = 0; x < nx; x++) {
      if (!(k[x] >= 0)) plait_call_refuse(call, "the diffusivity is %g somewhere", k[x]);
      largest = k[x] > largest ? k[x] : largest;
    }
  }
  if (!p->diffusivity_file[0]) largest = 1;
  return 1 / (2 * largest * p->diffusivity * sum);
}

static double shape_value(const plait_grid *g, const params *p, const shape *s,
                          const int64_t at[3]) {
  const double centre[3] = {s->z, s->y, s->x}, waves[3] = {s->kz, s->ky, s->kx};
  const double pi = 3.14159265358979323846;
  double product = s->amplitude, square = 0, phase = 0;
  for (int a = 0; a < g->ndim; a++) {
    int c = a + 3 - g->ndim;
    double h = step_of(p, a), x = ((double)at[c] + 0.5) * h, part = x / (h * (double)g->shape[a]);
    square += (x - centre[c]) * (x - centre[c]);
    phase += 2 * pi * waves[c] * part;
    bool fixed = g->edge[a][0] == PLAIT_EDGE_ODD;
    if (s->kind == EIGENMODE)
      product *= fixed ? sin(pi * waves[c] * part) : cos(pi * waves[c] * part);
  }
  if (s->kind == GAUSSIAN) return product * exp(-square / (2 * s->radius * s->radius));
  return s->kind == WAVE ? product * cos(phase) : product;
}

static double shapes_value(const plait_cells *b, const params *p, const plait_table *list,
                           const int64_t at[3]) {
  double sum = 0;
  const shape *s = list->rows;
  for (int i = 0; i < list->n; i++) sum += shape_value(b->grid, p, &s[i], at);
  return sum;
}

// dt k / h^2 on the lower face of each cell of a row; k2 are the cells below that face.
static void face_row(double *face, const double *k, const double *k2, int64_t n, double scale) {
  for (int64_t x = 0; x < n; x++) {
    double sum = k[x] + k2[x];
    face[x] = sum > 0 ? scale * 2 * k[x] * k2[x] / sum : 0;
  }
}

// Coefficients of the faces across `axis`, at the upper end of the grid those of the last face too.
static void face_rows(const params *p, const plait_cells *b, int axis) {
  const plait_grid *g = b->grid;
  double scale = p->diffusivity * b->dt / (step_of(p, axis) * step_of(p, axis));
  plait_cells wide = *b;
  if (b->lo[axis] + b->n[axis] == g->shape[axis] && g->edge[axis][1] != PLAIT_EDGE_PERIODIC)
    wide.n[axis]++;
  int64_t at[3];
  for (int64_t row = 0; row < rows_of(&wide); row++) {
    ptrdiff_t offset = row_at(&wide, row, at);
    const double *k = (const double *)b->now[K] + offset;
    face_row((double *)b->now[FACE + axis] + offset, k, k - b->stride[axis], wide.n[g->ndim - 1],
             scale);
  }
}

static void initial(const plait_call *call, const plait_cells *b) {
  const params *p = call->params;
  int64_t at[3], nx = b->n[b->grid->ndim - 1];
  for (int64_t row = 0; row < rows_of(b); row++) {
    ptrdiff_t offset = row_at(b, row, at);
    double *u = (double *)b->now[U] + offset, *q = (double *)b->now[Q] + offset;
    for (int64_t x = 0, x0 = at[2]; x < nx; x++) {
      at[2] = x0 + x;
      if (p->initial.n) u[x] += shapes_value(b, p, &p->initial, at);
      if (p->sources.n) q[x] = b->dt * shapes_value(b, p, &p->sources, at);
    }
  }
  for (int a = 0; p->diffusivity_file[0] && a < b->grid->ndim; a++) face_rows(p, b, a);
}

// The rows of a box: n[0] planes of n[1] rows; in two dimensions one plane and cz = 0 would cost a
// third of the loads for nothing, so it has its own.
PLAIT_WIDE static void box_3d(const double *restrict u0, double *restrict v0, const int64_t n[3],
                              const ptrdiff_t s[3], const double c[3]) {
  const double cz = c[0], cy = c[1], cx = c[2], centre = 1 - 2 * (cx + cy + cz);
  const ptrdiff_t sz = s[0], sy = s[1];
  for (int64_t row = 0; row < n[0] * n[1]; row++) {
    const double *restrict u = u0 + row / n[1] * sz + row % n[1] * sy;
    double *restrict v = v0 + row / n[1] * sz + row % n[1] * sy;
    for (int64_t i = 0; i < n[2]; i++)
      v[i] = centre * u[i] + (cx * (u[i - 1] + u[i + 1]) + cy * (u[i - sy] + u[i + sy]) +
                              cz * (u[i - sz] + u[i + sz]));
  }
}

PLAIT_WIDE static void box_2d(const double *restrict u0, double *restrict v0, const int64_t n[2],
                              const ptrdiff_t s[2], const double c[2]) {
  const double cy = c[0], cx = c[1], centre = 1 - 2 * (cx + cy);
  const ptrdiff_t sy = s[0];
  for (int64_t j = 0; j < n[0]; j++) {
    const double *restrict u = u0 + j * sy;
    double *restrict v = v0 + j * sy;
    for (int64_t i = 0; i < n[1]; i++)
      v[i] = centre * u[i] + (cx * (u[i - 1] + u[i + 1]) + cy * (u[i - sy] + u[i + sy]));
  }
}

// Adds the balance of one axis: what flows in through the upper face less what leaves by the lower.
PLAIT_WIDE static void add_axis(const double *restrict u, double *restrict v,
                                const double *restrict face, int64_t n, ptrdiff_t s) {
  for (int64_t i = 0; i < n; i++)
    v[i] += face[i + s] * (u[i + s] - u[i]) - face[i] * (u[i] - u[i - s]);
}

PLAIT_WIDE static void add_row(double *restrict v, const double *restrict q, int64_t n) {
  for (int64_t i = 0; i < n; i++) v[i] += q[i];
}

static void advance_varying(const plait_cells *b) {
  int64_t at[3], n = b->n[b->grid->ndim - 1];
  for (int64_t row = 0; row < rows_of(b); row++) {
    ptrdiff_t offset = row_at(b, row, at);
    const double *u = (const double *)b->now[U] + offset;
    double *v = (double *)b->next[U] + offset;
    memcpy(v, u, (size_t)n * sizeof *v);
    for (int a = 0; a < b->grid->ndim; a++)
      add_axis(u, v, (const double *)b->now[FACE + a] + offset, n, b->stride[a]);
  }
}

static void advance(const plait_call *call, const plait_cells *b) {
  const params *p = call->params;
  int64_t at[3];
  double c[3] = {0};
  for (int a = 0; a < b->grid->ndim; a++)
    c[a] = p->diffusivity * b->dt / (step_of(p, a) * step_of(p, a));
  if (p->diffusivity_file[0])
    advance_varying(b);
  else if (b->grid->ndim == 3)
    box_3d(b->now[U], b->next[U], b->n, b->stride, c);
  else
    box_2d(b->now[U], b->next[U], b->n, b->stride, c);
  for (int64_t row = 0; p->sources.n && row < rows_of(b); row++) {
    ptrdiff_t offset = row_at(b, row, at);
    add_row((double *)b->next[U] + offset, (const double *)b->now[Q] + offset,
            b->n[b->grid->ndim - 1]);
  }
}

// Eight columns side by side: gcc makes no vectors of a sum by itself.
PLAIT_WIDE static double sum_row(const double *u, int64_t n) {
  v4d s[2] = {{0}}, all;
  double own = 0;
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < 2; k++) s[k] += *(const v4d *)(u + i + 4 * k);
  for (; i < n; i++) own += u[i];
  all = s[0] + s[1];
  return (all[0] + all[2]) + (all[1] + all[3]) + own;
}

static void diagnose(const plait_call *call, const plait_cells *b, double sum[]) {
  double volume = 1;
  int64_t at[3];
  for (int a = 0; a < b->grid->ndim; a++) volume *= step_of(call->params, a);
  for (int64_t row = 0; row < rows_of(b); row++)
    sum[0] +=
        volume * sum_row((const double *)b->now[U] + row_at(b, row, at), b->n[b->grid->ndim - 1]);
}

// A mode of the discrete operator decays by the same factor in every step and cell; and the tiling
// leaves no trace.
static plait_err verify(const plait_lab *lab) {
  enum { NY = 12, NX = 20, STEPS = 50 };
  static const char settings[] =
      "steps=50 dt=1 cells=[12,20] diffusivity=0.2 initial=[{kind: eigenmode, kx: 3, ky: 2}]";
  double u[NY * NX], v[NY * NX], worst = 0;
  const double pi = 3.14159265358979323846;
  const int64_t depth[2] = {1, 7};
  plait_err err = lab->apply(lab, settings, NULL, NULL, &depth[0], (void *[]){u});
  if (err == PLAIT_OK) err = lab->apply(lab, settings, NULL, NULL, &depth[1], (void *[]){v});
  if (err != PLAIT_OK) return err;
  double sx = sin(3 * pi / (2 * NX)), sy = sin(2 * pi / (2 * NY));
  double decay = pow(1 - 0.8 * (sx * sx + sy * sy), STEPS);
  for (int j = 0; j < NY; j++)
    for (int i = 0; i < NX; i++) {
      double exact = decay * cos(3 * pi * (i + 0.5) / NX) * cos(2 * pi * (j + 0.5) / NY);
      double off = fabs(u[j * NX + i] - exact);
      worst = off > worst ? off : worst;
    }
  if (!(worst < 1e-13)) return plait_fail(PLAIT_VERIFY, "heat: an eigenmode is off by %g", worst);
  if (memcmp(u, v, sizeof u) != 0)
    return plait_fail(PLAIT_VERIFY, "heat: the depth of the time tiles changes bits");
  return PLAIT_OK;
}

const plait_kernel plait_kernel_heat = {
    .name = "heat",
    .summary = "diffusion in 2-D or 3-D, explicit: constant or varying conductivity, sources",
    .pattern = PLAIT_EVOLVE,
    .version = 3,
    .params = table,
    .params_size = sizeof(params),
    .takes = PLAIT_TAKES_ALL,
    .check = check,
    .evolve = {.plan = plan,
               .stable_step = stable_step,
               .initial = initial,
               .advance = advance,
               .diagnose = diagnose},
    .verify = verify,
};
