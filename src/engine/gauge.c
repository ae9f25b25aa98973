// SPDX-License-Identifier: BSD-3-Clause
//
// Boxes are small and many, gauges few: each box asks whether a gauge lies in it. That and the
// maxima cost one more load of a value that is in the first cache anyway.
#include "engine/gauge.h"
#include "base/mem.h"
#include "base/path.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static double value_at(const void *data, plait_type type, ptrdiff_t at) {
  return type == PLAIT_F32 ? (double)((const float *)data)[at] : ((const double *)data)[at];
}

// The cell whose centre is nearest; -1: outside by more than a cell.
static int64_t nearest(const double *coord, int64_t n, double x, bool round) {
  double step = n > 1 ? (coord[n - 1] - coord[0]) / (double)(n - 1) : 1;
  if (round)
    x = coord[0] + fmod(fmod(x - coord[0], step * (double)n) + step * (double)n, step * (double)n);
  int64_t i = (int64_t)floor((x - coord[0]) / step + 0.5);
  if (round && i == n) i = 0;
  return i >= 0 && i < n ? i : -1;
}

typedef struct wet { // nearest cell with water: squared distance in cells, and where
  double distance;
  int64_t cell[PL_AXES];
} wet;

static bool is_wet(const pl_march *m, const int64_t cell[]) {
  int mask = m->grid.field[0].mask - 1;
  if (mask < 0) return true;
  return value_at(m->fields.data[mask][0], m->grid.field[mask].type,
                  pl_part_offset(&m->fields.part, cell)) != 0;
}

static wet find_wet(const pl_march *m, const int64_t wish[]) {
  const pl_part *p = &m->fields.part;
  wet best = {DBL_MAX, {0}};
  int64_t c[PL_AXES];
  for (c[0] = p->lo[0]; c[0] < p->lo[0] + p->n[0]; c[0]++)
    for (c[1] = p->lo[1]; c[1] < p->lo[1] + p->n[1]; c[1]++)
      for (c[2] = p->lo[2]; c[2] < p->lo[2] + p->n[2]; c[2]++) {
        double d = 0;
        for (int a = 0; a < p->ndim; a++) d += (double)((c[a] - wish[a]) * (c[a] - wish[a]));
        if (d >= best.distance || !is_wet(m, c)) continue;
        best.distance = d;
        memcpy(best.cell, c, sizeof c);
      }
  return best;
}

// As `nearest` along an axis; a longitude may be written a turn further west or east.
static int64_t nearest_on(const pl_march *m, int axis, const double *coord, double x) {
  int64_t n = m->grid.shape[axis], cell;
  cell = nearest(coord, n, x, m->grid.edge[axis][0] == PLAIT_EDGE_PERIODIC);
  if (strcmp(m->grid.units[axis], "degrees_east") != 0) return cell;
  if (cell < 0) cell = nearest(coord, n, x + 360, false);
  return cell < 0 ? nearest(coord, n, x - 360, false) : cell;
}

static plait_err outside(const pl_march *m, const double *const coord[], const pl_gauge_row *row) {
  static const char axes[] = "xyz";
  pl_text range = {0};
  for (int a = m->grid.ndim - 1, i = 0; a >= 0; a--, i++)
    pl_text_add(&range, "%s%c from %g to %g", i > 0 ? ", " : "", axes[i], coord[a][0],
                coord[a][m->grid.shape[a] - 1]);
  plait_err err = plait_fail(PLAIT_JOB, "evolve.gauges: %s at (%g, %g) lies outside the grid: %s",
                             row->name, row->x, row->y, range.at ? range.at : "");
  pl_text_free(&range);
  return err;
}

static plait_err place(pl_gauges *g, const double *const coord[], const pl_gauge_row *row,
                       pl_gauge *gauge) {
  const pl_march *m = g->march;
  int size = pl_comm_size(m->comm), ndim = m->grid.ndim;
  const double at[3] = {row->x, row->y, row->z};
  int64_t wish[PL_AXES] = {0};
  snprintf(gauge->name, sizeof gauge->name, "%s", row->name);
  for (int a = 0; a < ndim; a++) {
    wish[a] = nearest_on(m, a, coord[a], at[ndim - 1 - a]);
    if (wish[a] < 0) return outside(m, coord, row);
  }
  wet mine = find_wet(m, wish), *all = NULL;
  TRY(pl_comm_agree(m->comm, pl_alloc((size_t)size, sizeof *all, &all)));
  plait_err err = pl_comm_allgather(m->comm, &mine, sizeof mine, all);
  int best = 0;
  for (int r = 1; err == PLAIT_OK && r < size; r++)
    if (all[r].distance < all[best].distance) best = r;
  if (err == PLAIT_OK && all[best].distance == DBL_MAX)
    err = plait_fail(PLAIT_JOB, "evolve.gauges: there is no water for %s", row->name);
  gauge->owner = best;
  memcpy(gauge->cell, all[best].cell, sizeof gauge->cell);
  gauge->moved = all[best].distance > 0;
  pl_free(&all);
  return err;
}

void pl_gauges_moved(const pl_gauges *g, const double *const coord[], pl_text *out) {
  int last = g->march->grid.ndim - 1;
  size_t before = out->length;
  for (int i = 0; i < g->n; i++) {
    const pl_gauge *gauge = &g->gauge[i];
    if (!gauge->moved) continue;
    const char *begin = out->length > before ? ", " : "gauges on land take the nearest water: ";
    pl_text_add(out, "%s%s at (", begin, gauge->name);
    for (int a = last; a >= 0; a--)
      pl_text_add(out, "%s%g", a < last ? ", " : "", coord[a][gauge->cell[a]]);
    pl_text_add(out, ")");
  }
}

static size_t own_cells(const pl_march *m) {
  return (size_t)(m->fields.part.n[0] * m->fields.part.n[1] * m->fields.part.n[2]);
}

static int64_t steps_between(const pl_evolve_job *job, double dt) {
  return job->gauge_every > 0 ? (int64_t)fmax(1, floor(job->gauge_every / dt + 0.5)) : 1;
}

int64_t pl_gauges_samples(const pl_evolve_job *job, double dt, int64_t steps) {
  return job->gauges.n > 0 ? steps / steps_between(job, dt) + 1 : 0;
}

static plait_err make_room(pl_gauges *g, const pl_evolve_job *job, int64_t steps) {
  pl_march *m = g->march;
  size_t values;
  TRY(pl_calloc((size_t)g->n, sizeof *g->gauge, &g->gauge));
  TRY(pl_calloc((size_t)m->fields.part.n[0], sizeof *g->row, &g->row));
  g->every = steps_between(job, m->dt);
  g->samples = steps / g->every + 1;
  if (pl_mul_overflows((size_t)g->samples, (size_t)g->n, &values))
    return plait_fail(PLAIT_JOB, "evolve.gauges: too many values");
  TRY(pl_calloc(values, sizeof *g->value, &g->value));
  if (job->maximum) TRY(pl_alloc(own_cells(m), sizeof *g->maximum, &g->maximum));
  if (job->arrival > 0) TRY(pl_alloc(own_cells(m), sizeof *g->arrival, &g->arrival));
  return PLAIT_OK;
}

plait_err pl_gauges_start(pl_march *m, const pl_evolve_job *job, const double *const coord[],
                          int64_t steps, pl_gauges *g) {
  *g = (pl_gauges){.march = m, .n = job->gauges.n, .threshold = job->arrival};
  const pl_gauge_row *rows = job->gauges.rows;
  TRY(pl_comm_agree(m->comm, make_room(g, job, steps)));
  for (int i = 0; i < g->n; i++) {
    TRY(place(g, coord, &rows[i], &g->gauge[i]));
    if (g->gauge[i].owner == pl_comm_rank(m->comm))
      g->row[g->gauge[i].cell[0] - m->fields.part.lo[0]] = true;
  }
  return PLAIT_OK;
}

void pl_gauges_stop(pl_gauges *g) {
  pl_free(&g->gauge);
  pl_free(&g->row);
  pl_free(&g->value);
  pl_free(&g->maximum);
  pl_free(&g->arrival);
}

// The four loops are written for the vectoriser: no branch, one type.
PLAIT_WIDE static void note_top_f32(const float *restrict h, float *restrict top, int64_t n) {
  for (int64_t i = 0; i < n; i++) top[i] = h[i] > top[i] ? h[i] : top[i];
}

PLAIT_WIDE static void note_top_f64(const double *restrict h, float *restrict top, int64_t n) {
  for (int64_t i = 0; i < n; i++) top[i] = (float)h[i] > top[i] ? (float)h[i] : top[i];
}

PLAIT_WIDE static void note_first_f32(const float *restrict h, float *restrict at, float threshold,
                                      float now, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    float old = at[i], size = fabsf(h[i]);
    at[i] = ((old < 0) & (size >= threshold)) ? now : old;
  }
}

PLAIT_WIDE static void note_first_f64(const double *restrict h, float *restrict at,
                                      double threshold, float now, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    float old = at[i];
    at[i] = ((old < 0) & (fabs(h[i]) >= threshold)) ? now : old;
  }
}

// One row of own cells, `n` from `cell`, whose first field is at `h` after `step` steps.
static void note_row(pl_gauges *g, const int64_t cell[], int64_t n, const void *h, double now) {
  const pl_part *p = &g->march->fields.part;
  int64_t at = 0;
  for (int a = 0; a < p->ndim; a++) at = at * p->n[a] + cell[a] - p->lo[a];
  plait_type type = g->march->grid.field[0].type;
  if (g->maximum && type == PLAIT_F32) note_top_f32(h, g->maximum + at, n);
  if (g->maximum && type == PLAIT_F64) note_top_f64(h, g->maximum + at, n);
  float threshold = (float)g->threshold;
  if (g->arrival && type == PLAIT_F32) note_first_f32(h, g->arrival + at, threshold, (float)now, n);
  if (g->arrival && type == PLAIT_F64)
    note_first_f64(h, g->arrival + at, g->threshold, (float)now, n);
}

static void note_gauges(pl_gauges *g, const plait_cells *box, int64_t step) {
  if (step % g->every != 0) return;
  int me = pl_comm_rank(g->march->comm);
  for (int i = 0; i < g->n; i++) {
    const pl_gauge *gauge = &g->gauge[i];
    ptrdiff_t at = 0;
    bool here = gauge->owner == me;
    for (int a = 0; a < box->grid->ndim; a++) {
      here = here && gauge->cell[a] >= box->lo[a] && gauge->cell[a] < box->lo[a] + box->n[a];
      at += (gauge->cell[a] - box->lo[a]) * box->stride[a];
    }
    if (here)
      g->value[step / g->every * g->n + i] = value_at(box->next[0], box->grid->field[0].type, at);
  }
}

static bool has_gauge(const pl_gauges *g, const plait_cells *box) {
  const pl_part *part = &g->march->fields.part;
  for (int64_t r = box->lo[0]; r < box->lo[0] + box->n[0]; r++)
    if (r >= part->lo[0] && r < part->lo[0] + part->n[0] && g->row[r - part->lo[0]]) return true;
  return false;
}

// Fields of `box` after `step` steps are in `next`.
static void note_box(pl_gauges *g, const plait_cells *box, int64_t step) {
  if (g->n && has_gauge(g, box)) note_gauges(g, box, step);
  if (!g->maximum && !g->arrival) return;
  const pl_part *p = &g->march->fields.part;
  int64_t lo[PL_AXES] = {0}, hi[PL_AXES] = {1, 1, 1}, c[PL_AXES] = {0};
  for (int a = 0; a < p->ndim; a++) {
    lo[a] = box->lo[a] > p->lo[a] ? box->lo[a] : p->lo[a];
    hi[a] =
        box->lo[a] + box->n[a] < p->lo[a] + p->n[a] ? box->lo[a] + box->n[a] : p->lo[a] + p->n[a];
    if (lo[a] >= hi[a]) return;
  }
  int last = p->ndim - 1;
  int64_t n = hi[last] - lo[last];
  hi[last] = lo[last] + 1;
  size_t size = g->march->fields.size[0];
  for (c[0] = lo[0]; c[0] < hi[0]; c[0]++)
    for (c[1] = lo[1]; c[1] < hi[1]; c[1]++)
      for (c[2] = lo[2]; c[2] < hi[2]; c[2]++) {
        ptrdiff_t at = 0;
        for (int a = 0; a < p->ndim; a++) at += (c[a] - box->lo[a]) * box->stride[a];
        note_row(g, c, n, (const char *)box->next[0] + at * (ptrdiff_t)size,
                 (double)step * box->dt);
      }
}

void pl_gauges_watch(pl_gauges *g, const plait_cells *box) {
  note_box(g, box, box->step + 1);
}

void pl_gauges_initial(pl_gauges *g) {
  plait_cells all;
  for (size_t i = 0; i < own_cells(g->march); i++) {
    if (g->maximum) g->maximum[i] = -FLT_MAX;
    if (g->arrival) g->arrival[i] = -1;
  }
  pl_march_cells(g->march, g->march->step, g->march->fields.part.lo, g->march->fields.part.n, &all);
  note_box(g, &all, 0);
}

plait_err pl_gauges_gather(pl_gauges *g) {
  pl_comm *comm = g->march->comm;
  int size = pl_comm_size(comm), me = pl_comm_rank(comm);
  size_t count = (size_t)g->samples * (size_t)g->n;
  double *all = NULL;
  plait_err err = pl_alloc(me == 0 ? count * (size_t)size : 0, sizeof *all, &all);
  TRY(pl_comm_agree(comm, err));
  err = pl_comm_gather(comm, g->value, count * sizeof *all, all, 0);
  for (size_t k = 0; me == 0 && err == PLAIT_OK && k < count; k++)
    g->value[k] = all[(size_t)g->gauge[k % (size_t)g->n].owner * count + k];
  pl_free(&all);
  return err;
}

plait_err pl_gauges_write_csv(const pl_gauges *g, const char *path) {
  pl_text text = {0};
  char number[32];
  pl_text_add(&text, "time_s");
  for (int i = 0; i < g->n; i++) {
    pl_text_add(&text, ",");
    pl_text_add_csv(&text, g->gauge[i].name);
  }
  pl_text_add(&text, "\n");
  for (int64_t s = 0; s < g->samples; s++) {
    pl_format_real((double)(s * g->every) * g->march->dt, number);
    pl_text_add(&text, "%s", number);
    for (int i = 0; i < g->n; i++) pl_text_add(&text, ",%.9g", g->value[s * g->n + i]);
    pl_text_add(&text, "\n");
  }
  plait_err err = text.failed ? plait_fail(PLAIT_MEMORY, "out of memory")
                              : pl_write_file_alone(path, text.at, text.length);
  pl_text_free(&text);
  return err;
}
