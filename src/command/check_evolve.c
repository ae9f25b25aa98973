// SPDX-License-Identifier: BSD-3-Clause
//
// See check_evolve.h. The arrays are those of the layout: a plan knows the fields of the march, not
// what of them is kept, nor maxima, sums and gauges.
#include "command/check_evolve.h"
#include "engine/evolve.h"
#include <math.h>

static void shape_of(const pl_layout *l, const pl_outvar *v, int64_t shape[]) {
  for (int d = 0; d < v->ndim; d++) shape[d] = l->dims[v->dim[d]].length;
}

static const char *units_of(const pl_outvar *v) {
  return pl_attr_text(&v->attrs, "units");
}

static void add_arrays(const pl_task *task, pl_text *out) {
  const pl_layout *l = &task->layout;
  pl_text_add(out, "output   %s\n", task->job->output);
  for (int i = 0; i < l->nvars; i++) {
    const pl_outvar *v = &l->vars[i];
    int64_t shape[PLAIT_DIMS];
    shape_of(l, v, shape);
    pl_text_add(out, "         %s: %s, ", v->name, plait_type_name(v->type));
    pl_add_shape(out, v->ndim, shape);
    for (int d = 0; d < v->ndim; d++)
      pl_text_add(out, d ? ", %s" : " (%s", l->dims[v->dim[d]].name);
    pl_text_add(out, *units_of(v) ? "), in %s\n" : ")\n", units_of(v));
  }
}

static void add_grid(const pl_evolve *e, pl_text *out) {
  const pl_march *m = &e->march;
  pl_text_add(out, "grid     ");
  pl_add_shape(out, m->grid.ndim, m->grid.shape);
  pl_text_add(out, " cells, cut into ");
  for (int a = 0; a < m->grid.ndim; a++) pl_text_add(out, "%s%d", a ? " x " : "", m->ranks[a]);
  pl_text_add(out, " part%s, tiles of %d step%s\n", pl_comm_size(m->comm) == 1 ? "" : "s",
              m->tiling.depth, m->tiling.depth == 1 ? "" : "s");
}

static void add_steps(const pl_evolve *e, pl_text *out) {
  char whole[32];
  double dt = e->march.dt;
  pl_format_time(dt * (double)e->steps, whole);
  pl_text_add(out, "steps    %lld of %.6g s (%s)", (long long)e->steps, dt, whole);
  if (isfinite(e->limit)) pl_text_add(out, "; stable up to %.6g s", e->limit);
  pl_text_add(out, "\nkept     %lld snapshots", (long long)e->nsnapshots);
  if (e->every > 0)
    pl_text_add(out, ", every %lld steps (%.6g s)", (long long)e->every, dt * (double)e->every);
  if (e->gauges.n > 0)
    pl_text_add(out, "; %d gauge%s, every %lld steps (%.6g s)", e->gauges.n,
                e->gauges.n == 1 ? "" : "s", (long long)e->gauges.every,
                dt * (double)e->gauges.every);
  pl_text_add(out, "\n");
}

// Gauges that lie elsewhere than the job says.
static void add_warning(const pl_evolve *e, pl_text *out) {
  const double *coord[PL_AXES] = {e->coord[0], e->coord[1], e->coord[2]};
  pl_text moved = {0};
  pl_gauges_moved(&e->gauges, coord, &moved);
  if (moved.length > 0) pl_text_add(out, "warning  %s\n", moved.at);
  pl_text_free(&moved);
}

void pl_check_evolve_text(const pl_task *task, pl_text *out) {
  add_arrays(task, out);
  add_grid(task->evolve, out);
  add_steps(task->evolve, out);
  add_warning(task->evolve, out);
}

static void json_arrays(const pl_layout *l, pl_json *j) {
  pl_json_open(j, "arrays", '[');
  for (int i = 0; i < l->nvars; i++) {
    const pl_outvar *v = &l->vars[i];
    int64_t shape[PLAIT_DIMS];
    shape_of(l, v, shape);
    pl_json_open(j, NULL, '{');
    pl_json_string(j, "name", v->name);
    pl_json_string(j, "type", plait_type_name(v->type));
    pl_json_string(j, "units", units_of(v));
    pl_json_shape(j, "shape", v->ndim, shape);
    pl_json_open(j, "dims", '[');
    for (int d = 0; d < v->ndim; d++) pl_json_string(j, NULL, l->dims[v->dim[d]].name);
    pl_json_close(j, ']');
    pl_json_close(j, '}');
  }
  pl_json_close(j, ']');
}

void pl_check_evolve_json(const pl_task *task, pl_json *j) {
  const pl_evolve *e = task->evolve;
  const pl_march *m = &e->march;
  int64_t parts[PL_AXES];
  for (int a = 0; a < PL_AXES; a++) parts[a] = m->ranks[a];
  json_arrays(&task->layout, j);
  pl_json_shape(j, "grid", m->grid.ndim, m->grid.shape);
  pl_json_shape(j, "parts", m->grid.ndim, parts);
  pl_json_int(j, "tile_steps", m->tiling.depth);
  pl_json_int(j, "steps", e->steps);
  pl_json_real(j, "step_s", m->dt);
  pl_json_real(j, "stable_step_s", isfinite(e->limit) ? e->limit : NAN);
  pl_json_int(j, "snapshots", e->nsnapshots);
}
