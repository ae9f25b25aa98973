// SPDX-License-Identifier: BSD-3-Clause
//
// The result file of an evolve: [time, axes..] for every field kept, [axes..] for maximum and
// arrival, [time] for sums, [gauge_time, gauge] for the gauges, with their coordinates. All lengths
// are known before the first step, so the time axis is of fixed length and every value has its
// place from the start; what is not yet reached holds zeros until then.
#include "base/mem.h"
#include "engine/evolve.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static int add_dim(pl_layout *l, const char *name, int64_t length) {
  pl_outdim *d = &l->dims[l->ndims];
  snprintf(d->name, sizeof d->name, "%s", name);
  d->length = length;
  return l->ndims++;
}

// Room for n values of a coordinate, zeroed; *at is where they go.
static plait_err add_coord(pl_layout *l, const char *name, int dim, int64_t n, double **at) {
  pl_coord *c = &l->coords[l->ncoords];
  snprintf(c->name, sizeof c->name, "%s", name);
  c->ndim = 1;
  c->dim[0] = dim;
  c->shape[0] = n;
  c->type = PLAIT_F64;
  TRY(pl_calloc((size_t)n, sizeof(double), &c->data));
  *at = c->data;
  l->ncoords++;
  return PLAIT_OK;
}

static plait_err coord_attr(pl_layout *l, const char *name, const char *text) {
  return text[0] ? pl_attr_set_text(&l->coords[l->ncoords - 1].attrs, name, text) : PLAIT_OK;
}

static plait_err add_var(pl_layout *l, const char *name, plait_type type, int ndim, const int dim[],
                         const char *units, const char *long_name, int *index) {
  if (l->nvars == PLAIT_OUTPUTS)
    return plait_fail(PLAIT_JOB, "evolve: more than %d arrays are to be kept", PLAIT_OUTPUTS);
  pl_outvar *v = &l->vars[ *index = l->nvars++];
  snprintf(v->name, sizeof v->name, "%s", name);
  v->type = v->stored = type;
  v->has_fill = true;
  v->fill = NAN;
  v->ndim = ndim;
  memcpy(v->dim, dim, (size_t)ndim * sizeof *dim);
  if (units[0]) TRY(pl_attr_set_text(&v->attrs, "units", units));
  return long_name[0] ? pl_attr_set_text(&v->attrs, "long_name", long_name) : PLAIT_OK;
}

static const char *axis_name(const pl_evolve *e, int a) {
  const plait_grid *g = &e->march.grid;
  return g->dims[a][0] ? g->dims[a] : e->task->problem.input->dims[a];
}

// What the input says about the coordinate, or its units, for the one that was added last.
static plait_err axis_attrs(const pl_evolve *e, int a) {
  pl_layout *l = &e->task->layout;
  const pl_meta *meta = e->task->input ? &e->task->input->meta : NULL;
  for (int i = 0; meta && i < meta->ncoords; i++)
    if (strcmp(meta->coords[i].name, axis_name(e, a)) == 0)
      return pl_attrs_copy(&meta->coords[i].attrs, &l->coords[l->ncoords - 1].attrs);
  return coord_attr(l, "units", e->march.grid.units[a]);
}

static plait_err add_axis(pl_evolve *e, int a, int dim[]) {
  const plait_grid *g = &e->march.grid;
  pl_layout *l = &e->task->layout;
  int64_t n = pl_snapshot_kept(g->shape[a], e->snapshots.stride);
  const char *name = axis_name(e, a);
  dim[a] = add_dim(l, name, n);
  double *at;
  TRY(add_coord(l, name, dim[a], n, &at));
  for (int64_t i = 0; i < n; i++) at[i] = e->coord[a][i * e->snapshots.stride];
  return axis_attrs(e, a);
}

static plait_err add_times(pl_evolve *e, const char *name, int *dim, int64_t n, int64_t every) {
  pl_layout *l = &e->task->layout;
  double *at;
  *dim = add_dim(l, name, n);
  TRY(add_coord(l, name, *dim, n, &at));
  for (int64_t i = 0; i < n; i++)
    at[i] = (double)(every > 0 ? i * every : pl_evolve_step_of(e, i)) * e->march.dt;
  TRY(coord_attr(l, "units", "s"));
  return coord_attr(l, "long_name", "model time since the start");
}

static plait_err add_fields(pl_evolve *e, const int dim[], int time) {
  const plait_grid *g = &e->march.grid;
  pl_snapshots *s = &e->snapshots;
  pl_layout *l = &e->task->layout;
  int all[PL_AXES + 1] = {time};
  char name[2 * PLAIT_NAME], title[4 * PLAIT_NAME];
  memcpy(all + 1, dim, PL_AXES * sizeof *dim);
  for (int i = 0; i < s->nfields; i++) {
    const plait_field *f = &g->field[s->field[i]];
    TRY(add_var(l, f->name, f->type, g->ndim + 1, all, f->units, f->long_name, &s->var[i]));
  }
  const plait_field *first = &g->field[0];
  if (e->gauges.maximum) {
    snprintf(name, sizeof name, "%.40s_maximum", first->name);
    snprintf(title, sizeof title, "maximum over time of %s", first->long_name);
    TRY(add_var(l, name, PLAIT_F32, g->ndim, dim, first->units, title, &e->var_maximum));
  }
  if (e->gauges.arrival) {
    snprintf(title, sizeof title, "time when the size of %s first reached %g %s", first->name,
             e->gauges.threshold, first->units);
    TRY(add_var(l, "arrival", PLAIT_F32, g->ndim, dim, "s", title, &e->var_arrival));
  }
  return PLAIT_OK;
}

static plait_err add_sums(pl_evolve *e, int time) {
  const plait_grid *g = &e->march.grid;
  for (int d = 0; e->sums && d < g->ndiagnoses; d++) {
    char name[PLAIT_NAME], *units;
    int var;
    snprintf(name, sizeof name, "%s", g->diagnose[d]);
    units = strchr(name, ' ');
    if (units) *units++ = 0;
    TRY(add_var(&e->task->layout, name, PLAIT_F64, 1, &time, units ? units : "",
                "sum over the grid", &var));
    if (d == 0) e->var_sum = var;
  }
  return PLAIT_OK;
}

// Names of the gauges, and which of them lie elsewhere than the job says.
static plait_err name_gauges(const pl_evolve *e, pl_attrs *attrs) {
  const pl_gauges *g = &e->gauges;
  const double *coord[PL_AXES] = {e->coord[0], e->coord[1], e->coord[2]};
  pl_text names = {0}, moved = {0};
  for (int i = 0; i < g->n; i++) pl_text_add(&names, "%s%s", i ? " | " : "", g->gauge[i].name);
  pl_gauges_moved(g, coord, &moved);
  plait_err err = names.failed || moved.failed ? plait_fail(PLAIT_MEMORY, "out of memory")
                                               : pl_attr_set_text(attrs, "gauges", names.at);
  if (err == PLAIT_OK && moved.length > 0) err = pl_attr_set_text(attrs, "comment", moved.at);
  pl_text_free(&names);
  pl_text_free(&moved);
  return err;
}

static plait_err add_gauges(pl_evolve *e) {
  const pl_gauges *g = &e->gauges;
  const plait_field *first = &e->march.grid.field[0];
  pl_layout *l = &e->task->layout;
  int dim[2], last = e->march.grid.ndim - 1;
  double *at;
  char name[2 * PLAIT_NAME];
  TRY(add_times(e, "gauge_time", &dim[0], g->samples, g->every));
  dim[1] = add_dim(l, "gauge", g->n);
  for (int a = last; a >= 0; a--) {
    static const char *const names_of[] = {"gauge_x", "gauge_y", "gauge_z"};
    TRY(add_coord(l, names_of[last - a], dim[1], g->n, &at));
    for (int i = 0; i < g->n; i++) at[i] = e->coord[a][g->gauge[i].cell[a]];
    TRY(axis_attrs(e, a));
  }
  snprintf(name, sizeof name, "gauge_%.50s", first->name);
  TRY(add_var(l, name, PLAIT_F64, 2, dim, first->units, first->long_name, &e->var_gauge));
  return name_gauges(e, &l->vars[e->var_gauge].attrs);
}

plait_err pl_evolve_layout(pl_evolve *e) {
  pl_layout *l = &e->task->layout;
  const pl_job *job = e->task->job;
  int dim[PL_AXES] = {0}, time;
  *l = (pl_layout){0};
  if (job->run.format > 0)
    snprintf(l->format, sizeof l->format, "%s", pl_run_formats[job->run.format]);
  TRY(pl_calloc(2 * PL_AXES + 2, sizeof *l->coords, &l->coords));
  TRY(pl_attr_set_text(&l->global, "Conventions", "CF-1.8"));
  TRY(add_times(e, "time", &time, e->nsnapshots, 0));
  for (int a = 0; a < e->march.grid.ndim; a++) TRY(add_axis(e, a, dim));
  TRY(add_fields(e, dim, time));
  TRY(add_sums(e, time));
  return e->gauges.n > 0 ? add_gauges(e) : PLAIT_OK;
}
