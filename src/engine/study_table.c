// SPDX-License-Identifier: BSD-3-Clause
//
// The table as NetCDF: an axis `combination`, a variable per parameter and per result along it,
// `status` and `message`. Parameters are named in `coordinates` (CF 5), so that xarray takes them
// as coordinates; texts are character arrays. A small array keeps its axes behind `combination`.
// Every variable is held whole by rank 0 and written as a coordinate of the output (output.h): the
// table is small beside what it took to compute it.
#include "base/mem.h"
#include "engine/study_inside.h"
#include <stdio.h>
#include <string.h>

static plait_err add_dim(pl_layout *l, const char *name, int64_t length, int *dim) {
  char wanted[PLAIT_NAME];
  snprintf(wanted, sizeof wanted, "%s", name);
  for (int tries = 2;; tries++) {
    int i = 0;
    while (i < l->ndims && strcmp(l->dims[i].name, wanted) != 0) i++;
    if (i == 2 * PLAIT_DIMS)
      return plait_fail(PLAIT_JOB, "the table has more than %d axes: name fewer in vary.columns",
                        2 * PLAIT_DIMS);
    *dim = i;
    if (i == l->ndims) {
      snprintf(l->dims[i].name, sizeof l->dims[i].name, "%s", wanted);
      l->dims[i].length = length;
      l->ndims++;
      return PLAIT_OK;
    }
    if (l->dims[i].length == length) return PLAIT_OK;
    snprintf(wanted, sizeof wanted, "%.50s_%d", name, tries);
  }
}

// A variable [combination]; *data for its values.
static plait_err add(pl_layout *l, const char *name, plait_type type, void *data) {
  pl_coord *c = &l->coords[l->ncoords];
  void *at = NULL;
  snprintf(c->name, sizeof c->name, "%s", name);
  c->ndim = 1;
  c->dim[0] = 0;
  c->shape[0] = l->dims[0].length;
  c->type = type;
  l->ncoords++;
  TRY(pl_calloc((size_t)c->shape[0], plait_type_size(type), &at));
  c->data = at;
  memcpy(data, &at, sizeof at);
  return PLAIT_OK;
}

static plait_err describe(pl_coord *c, const char *units, const char *long_name) {
  if (units && units[0]) TRY(pl_attr_set_text(&c->attrs, "units", units));
  return long_name && long_name[0] ? pl_attr_set_text(&c->attrs, "long_name", long_name) : PLAIT_OK;
}

// ---- texts ----

// Characters [combination, width], zero behind the text.
static plait_err add_texts(pl_layout *l, const char *name, size_t width, char **data) {
  pl_coord *c = &l->coords[l->ncoords];
  char dim[PLAIT_NAME];
  char *small;
  if (width == 0) width = 1;
  TRY(add(l, name, PLAIT_I8, &small));
  pl_free(&c->data);
  TRY(pl_calloc((size_t)c->shape[0], width, &c->data));
  snprintf(dim, sizeof dim, "string%zu", width);
  TRY(add_dim(l, dim, (int64_t)width, &c->dim[1]));
  c->ndim = 2;
  c->shape[1] = (int64_t)width;
  c->text = true;
  *data = c->data;
  return PLAIT_OK;
}

static plait_err axis_texts(const pl_study *study, int a, const char *name, pl_layout *l) {
  const pl_axis *axis = &study->vary->axis[a];
  pl_text *texts = NULL;
  size_t width = 0;
  char *data = NULL;
  plait_err err = PLAIT_OK;
  GUARD(pl_calloc((size_t)axis->n, sizeof *texts, &texts));
  for (int64_t i = 0; i < axis->n; i++) {
    pl_axis_text(axis, i, study->job->keep, &texts[i]);
    if (texts[i].failed) GUARD(plait_fail(PLAIT_MEMORY, "out of memory for the table"));
    if (texts[i].length > width) width = texts[i].length;
  }
  GUARD(add_texts(l, name, width, &data));
  for (int64_t i = 0; i < study->vary->count; i++) {
    const pl_text *text = &texts[pl_vary_index(study->vary, a, i)];
    if (text->length) memcpy(data + (size_t)i * width, text->at, text->length);
  }
done:
  for (int64_t i = 0; texts && i < axis->n; i++) pl_text_free(&texts[i]);
  pl_free(&texts);
  return err;
}

// ---- parameters ----

static plait_err add_axis(const pl_study *study, int a, pl_layout *l) {
  const pl_axis *axis = &study->vary->axis[a];
  const char *name = pl_study_axis_name(study, a);
  pl_coord *c = &l->coords[l->ncoords];
  bool whole = axis->param->kind == PLAIT_PARAM_INT;
  union {
    int64_t *i;
    double *r;
    void *any;
  } to;
  if (!axis->numeric) {
    TRY(axis_texts(study, a, name, l));
    return describe(c, "", axis->param->help);
  }
  TRY(add(l, name, whole ? PLAIT_I64 : PLAIT_F64, &to.any));
  for (int64_t i = 0; i < study->vary->count; i++) {
    int64_t index = pl_vary_index(study->vary, a, i);
    if (whole)
      memcpy(&to.i[i], pl_axis_value(axis, index), sizeof *to.i);
    else
      to.r[i] = pl_axis_number(axis, index);
  }
  return describe(c, axis->param->unit, axis->param->help);
}

// ---- results ----

static plait_err add_column(const pl_study *study, const pl_column *column, int64_t offset,
                            const char *coordinates, pl_layout *l) {
  pl_coord *c = &l->coords[l->ncoords];
  int64_t cells = pl_column_cells(column);
  double *data;
  TRY(add(l, column->name, PLAIT_F64, &data));
  pl_free(&c->data);
  TRY(pl_alloc((size_t)(cells * study->rows.n), sizeof *data, &c->data));
  data = c->data;
  c->ndim = 1 + column->ndim;
  for (int d = 0; d < column->ndim; d++) {
    TRY(add_dim(l, column->dims[d], column->shape[d], &c->dim[d + 1]));
    c->shape[d + 1] = column->shape[d];
  }
  for (int64_t i = 0; i < study->rows.n; i++)
    memcpy(data + i * cells, pl_rows_at(&study->rows, i)->values + offset,
           (size_t)cells * sizeof *data);
  TRY(pl_attr_set_text(&c->attrs, "coordinates", coordinates));
  return describe(c, column->units, column->long_name);
}

static plait_err add_status(const pl_study *study, const char *coordinates, pl_layout *l) {
  static const int8_t values[] = {PL_ROW_DONE, PL_ROW_FAILED};
  pl_coord *c = &l->coords[l->ncoords];
  int8_t *status;
  char *message;
  TRY(add(l, "status", PLAIT_I8, &status));
  for (int64_t i = 0; i < study->rows.n; i++)
    status[i] = (int8_t)pl_rows_at(&study->rows, i)->status;
  TRY(pl_attr_set(&c->attrs, "flag_values", PLAIT_I8, 2, values));
  TRY(pl_attr_set_text(&c->attrs, "flag_meanings", "done failed"));
  TRY(pl_attr_set_text(&c->attrs, "coordinates", coordinates));
  TRY(add_texts(l, "message", PL_ROW_MESSAGE, &message));
  for (int64_t i = 0; i < study->rows.n; i++)
    memcpy(message + i * PL_ROW_MESSAGE, pl_rows_at(&study->rows, i)->message, PL_ROW_MESSAGE);
  return describe(&l->coords[l->ncoords - 1], "",
                  "why a combination failed, or what to know of its result");
}

static plait_err fill(const pl_study *study, const char *coordinates, pl_layout *l) {
  int dim;
  int64_t *number, offset = 0;
  TRY(add_dim(l, "combination", study->vary->count, &dim));
  TRY(add(l, "combination", PLAIT_I64, &number));
  for (int64_t i = 0; i < study->vary->count; i++) number[i] = i;
  for (int a = 0; a < study->vary->naxes; a++) TRY(add_axis(study, a, l));
  for (int i = 0; i < study->columns.n; i++) {
    TRY(add_column(study, &study->columns.at[i], offset, coordinates, l));
    offset += pl_column_cells(&study->columns.at[i]);
  }
  return add_status(study, coordinates, l);
}

plait_err pl_study_layout(const pl_study *study, pl_layout *l) {
  pl_text names = {0};
  *l = (pl_layout){0};
  if (study->job->run.format > 0)
    snprintf(l->format, sizeof l->format, "%s", pl_run_formats[study->job->run.format]);
  for (int a = 0; a < study->vary->naxes; a++)
    pl_text_add(&names, "%s%s", a ? " " : "", pl_study_axis_name(study, a));
  plait_err err = names.failed ? plait_fail(PLAIT_MEMORY, "out of memory") : PLAIT_OK;
  if (err == PLAIT_OK)
    err = pl_calloc(PL_VARY_AXES + PL_COLUMNS + 4, sizeof *l->coords, &l->coords);
  if (err == PLAIT_OK) err = fill(study, names.at, l);
  pl_text_free(&names);
  return err;
}
