// SPDX-License-Identifier: BSD-3-Clause
//
// See layout.h. Attributes: the result of a map is the same quantity as its input, so it keeps all
// of the input's attributes; a statistic gets its own long_name and units. Nothing that varies from
// run to run (time, host, ranks) is written, so the usual `history` line is kept as it was and not
// added to.
#include "engine/layout.h"
#include "base/mem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const storage_attrs[] = {"_FillValue", "missing_value", "scale_factor",
                                            "add_offset", "_Unsigned",     "valid_min",
                                            "valid_max",  "valid_range",   NULL};

static bool is_storage(const char *name) {
  for (int i = 0; storage_attrs[i]; i++)
    if (strcmp(name, storage_attrs[i]) == 0) return true;
  return false;
}

static void put_name(char *to, const char *from) {
  snprintf(to, PLAIT_NAME, "%s", from);
}

// The dimension of that name and length; made when there is none. An axis of the kernel's own whose
// name is taken by another length gets a number behind its name.
static int find_dim(pl_layout *layout, const char *name, int64_t length, bool unlimited) {
  char wanted[PLAIT_NAME];
  put_name(wanted, name);
  for (int tries = 2;; tries++) {
    int i = 0;
    while (i < layout->ndims && strcmp(layout->dims[i].name, wanted) != 0) i++;
    if (i == layout->ndims) {
      if (layout->ndims == 2 * PLAIT_DIMS) return -1;
      put_name(layout->dims[i].name, wanted);
      layout->dims[i].length = length;
      layout->dims[i].unlimited = unlimited;
      layout->ndims++;
      return i;
    }
    if (layout->dims[i].length == length) return i;
    snprintf(wanted, sizeof wanted, "%.*s_%d", PLAIT_NAME - 13, name, tries);
  }
}

static plait_err set_dims(const pl_meta *meta, const plait_output *out, pl_layout *layout,
                          pl_outvar *var, int dim_of_axis[]) {
  var->ndim = out->ndim;
  for (int d = 0; d < out->ndim; d++) {
    int from = out->from[d];
    const char *name = from >= 0 ? meta->dims[from] : out->dims[d];
    var->dim[d] = find_dim(layout, name, out->shape[d], from >= 0 && meta->unlimited[from]);
    if (var->dim[d] < 0) return plait_fail(PLAIT_BUG, "the kernel's outputs have too many axes");
    if (from >= 0) dim_of_axis[from] = var->dim[d];
  }
  return PLAIT_OK;
}

static plait_err copy_attrs(const pl_meta *meta, pl_outvar *var) {
  for (int i = 0; i < meta->attrs.n; i++) {
    const pl_attr *a = &meta->attrs.at[i];
    if (is_storage(a->name)) continue;
    if (a->is_text)
      TRY(pl_attr_set_text(&var->attrs, a->name, a->data));
    else
      TRY(pl_attr_set(&var->attrs, a->name, a->type, a->n, a->data));
  }
  return PLAIT_OK;
}

static plait_err set_attrs(const pl_job *job, const pl_meta *meta, const plait_output *out,
                           pl_outvar *var) {
  if (job->kernel->pattern == PLAIT_MAP) TRY(copy_attrs(meta, var));
  const char *units =
      strcmp(out->units, "=") == 0 ? pl_attr_text(&meta->attrs, "units") : out->units;
  if (units[0]) TRY(pl_attr_set_text(&var->attrs, "units", units));
  if (out->long_name[0]) TRY(pl_attr_set_text(&var->attrs, "long_name", out->long_name));
  return PLAIT_OK;
}

static bool is_float(plait_type type) {
  return type == PLAIT_F32 || type == PLAIT_F64;
}

// Missing values of the input stand in the result as the value that the input used for them, others
// as NaN; that they do is said in any case, as without it many programs take NaN for a value.
static void set_storage(const pl_meta *meta, const plait_output *out, pl_outvar *var) {
  var->type = var->stored = out->type;
  if (out->packed_like_input && meta->packed && is_float(out->type)) {
    var->stored = meta->stored;
    var->packed = true;
    var->scale = meta->scale;
    var->offset = meta->offset;
  }
  bool known = meta->nmissing > 0 && var->stored == meta->stored;
  var->has_fill = known || is_float(var->stored);
  if (var->has_fill) var->fill = known ? meta->missing[0] : NAN;
}

static plait_err add_var(const pl_job *job, const pl_meta *meta, const plait_output *out,
                         pl_layout *layout, int dim_of_axis[]) {
  pl_outvar *var = &layout->vars[layout->nvars++];
  put_name(var->name, out->name[0] ? out->name : meta->name);
  TRY(set_dims(meta, out, layout, var, dim_of_axis));
  set_storage(meta, out, var);
  return set_attrs(job, meta, out, var);
}

// A coordinate goes along when all its axes are in the result.
static bool coord_fits(const pl_coord *coord, const int dim_of_axis[]) {
  for (int d = 0; d < coord->ndim; d++)
    if (coord->dim[d] >= 0 && dim_of_axis[coord->dim[d]] < 0) return false;
  return true;
}

static plait_err add_coords(const pl_meta *meta, pl_layout *layout, const int dim_of_axis[]) {
  for (int i = 0; i < meta->ncoords; i++) {
    if (!coord_fits(&meta->coords[i], dim_of_axis)) continue;
    pl_coord *copy = &layout->coords[layout->ncoords];
    TRY(pl_coord_copy(&meta->coords[i], copy));
    layout->ncoords++;
    for (int d = 0; d < copy->ndim; d++) {
      if (copy->dim[d] >= 0)
        copy->dim[d] = dim_of_axis[copy->dim[d]];
      else
        copy->dim[d] = find_dim(layout, copy->own_dim, copy->shape[d], false);
      if (copy->dim[d] < 0) return plait_fail(PLAIT_BUG, "the coordinates have too many axes");
    }
  }
  return PLAIT_OK;
}

// Coordinate of an axis of the kernel's own (quantile levels, histogram bins).
static plait_err add_own_coord(const plait_output *out, int d, pl_layout *layout, int dim) {
  for (int i = 0; i < layout->ncoords; i++)
    if (strcmp(layout->coords[i].name, layout->dims[dim].name) == 0) return PLAIT_OK;
  pl_coord *coord = &layout->coords[layout->ncoords];
  put_name(coord->name, layout->dims[dim].name);
  coord->ndim = 1;
  coord->dim[0] = dim;
  coord->shape[0] = out->shape[d];
  coord->type = PLAIT_F64;
  TRY(pl_alloc((size_t)out->shape[d], sizeof(double), &coord->data));
  memcpy(coord->data, out->coord[d], (size_t)out->shape[d] * sizeof(double));
  layout->ncoords++;
  return PLAIT_OK;
}

static plait_err add_own_coords(const plait_plan *plan, pl_layout *layout) {
  for (int v = 0; v < plan->noutputs; v++)
    for (int d = 0; d < plan->output[v].ndim; d++)
      if (plan->output[v].from[d] < 0 && plan->output[v].coord[d])
        TRY(add_own_coord(&plan->output[v], d, layout, layout->vars[v].dim[d]));
  return PLAIT_OK;
}

plait_err pl_layout_make(const pl_job *job, const pl_meta *meta, const plait_plan *plan,
                         pl_layout *layout) {
  int dim_of_axis[PLAIT_DIMS];
  *layout = (pl_layout){0};
  for (int d = 0; d < PLAIT_DIMS; d++) dim_of_axis[d] = -1;
  if (job->run.format > 0) put_name(layout->format, pl_run_formats[job->run.format]);
  TRY(pl_attrs_copy(&meta->global, &layout->global));
  for (int v = 0; v < plan->noutputs; v++)
    TRY(add_var(job, meta, &plan->output[v], layout, dim_of_axis));
  size_t coords = (size_t)meta->ncoords + PLAIT_OUTPUTS * PLAIT_DIMS;
  TRY(pl_calloc(coords, sizeof *layout->coords, &layout->coords));
  TRY(add_coords(meta, layout, dim_of_axis));
  return add_own_coords(plan, layout);
}
