// SPDX-License-Identifier: BSD-3-Clause
//
// Attributes, coordinates and the description of an array in memory. Everything here is small (a
// few kilobytes, coordinates at most a few megabytes) and touched once per job: lists grow by one
// and are searched from the front.
#include "data/meta.h"
#include "base/mem.h"
#include <string.h>

void pl_attrs_free(pl_attrs *attrs) {
  if (attrs == NULL) return;
  for (int i = 0; i < attrs->n; i++) {
    pl_free(&attrs->at[i].name);
    pl_free(&attrs->at[i].data);
  }
  pl_free(&attrs->at);
  attrs->n = 0;
}

void pl_meta_free(pl_meta *meta) {
  if (meta == NULL) return;
  pl_attrs_free(&meta->attrs);
  pl_attrs_free(&meta->global);
  for (int i = 0; i < meta->ncoords; i++) {
    pl_attrs_free(&meta->coords[i].attrs);
    pl_free(&meta->coords[i].data);
  }
  pl_free(&meta->coords);
  for (int d = 0; d < PLAIT_DIMS; d++) {
    void *values = (void *)meta->axis_coord[d]; // const for readers, ours to free
    pl_free(&values);
  }
  memset(meta, 0, sizeof *meta);
}

const pl_attr *pl_attr_find(const pl_attrs *attrs, const char *name) {
  for (int i = 0; i < attrs->n; i++)
    if (strcmp(attrs->at[i].name, name) == 0) return &attrs->at[i];
  return NULL;
}

const char *pl_attr_text(const pl_attrs *attrs, const char *name) {
  const pl_attr *attr = pl_attr_find(attrs, name);
  return attr != NULL && attr->is_text ? attr->data : "";
}

bool pl_attr_number(const pl_attrs *attrs, const char *name, double *value) {
  const pl_attr *attr = pl_attr_find(attrs, name);
  if (attr == NULL || attr->is_text || attr->n == 0) return false;
  *value = pl_value(attr->type, attr->data, 0);
  return true;
}

// One zero byte is kept behind the values, so that text always ends.
static plait_err set(pl_attrs *attrs, const char *name, bool is_text, plait_type type, size_t n,
                     const void *data) {
  size_t bytes;
  if (pl_mul_overflows(n, is_text ? 1 : plait_type_size(type), &bytes) || bytes == SIZE_MAX)
    return plait_fail(PLAIT_MEMORY, "attribute %s has %zu values: too many", name, n);
  char *own_name = NULL, *own_data = NULL;
  plait_err err = PLAIT_OK;
  GUARD(pl_strdup(name, &own_name));
  GUARD(pl_calloc(bytes + 1, 1, &own_data));
  if (bytes > 0) memcpy(own_data, data, bytes);
  pl_attr *slot = (pl_attr *)pl_attr_find(attrs, name);
  if (slot == NULL) {
    GUARD(pl_grow(&attrs->at, (size_t)attrs->n, (size_t)attrs->n + 1, sizeof *attrs->at));
    slot = &attrs->at[attrs->n++];
    *slot = (pl_attr){0};
  }
  pl_free(&slot->name);
  pl_free(&slot->data);
  *slot = (pl_attr){.name = own_name, .is_text = is_text, .type = type, .n = n, .data = own_data};
  return PLAIT_OK;
done:
  pl_free(&own_name);
  pl_free(&own_data);
  return err;
}

plait_err pl_attr_set_chars(pl_attrs *attrs, const char *name, const char *text, size_t n) {
  return set(attrs, name, true, PLAIT_U8, n, text);
}

plait_err pl_attr_set_text(pl_attrs *attrs, const char *name, const char *text) {
  return set(attrs, name, true, PLAIT_U8, strlen(text), text);
}

plait_err pl_attr_set(pl_attrs *attrs, const char *name, plait_type type, size_t n,
                      const void *data) {
  return set(attrs, name, false, type, n, data);
}

plait_err pl_attrs_copy(const pl_attrs *from, pl_attrs *to) {
  for (int i = 0; i < from->n; i++) {
    const pl_attr *a = &from->at[i];
    TRY(set(to, a->name, a->is_text, a->type, a->n, a->data));
  }
  return PLAIT_OK;
}

static size_t coord_values(const pl_coord *coord) {
  size_t n = 1;
  for (int d = 0; d < coord->ndim; d++) n *= (size_t)coord->shape[d];
  return n;
}

plait_err pl_coord_copy(const pl_coord *from, pl_coord *to) {
  *to = *from;
  to->data = NULL;
  to->attrs = (pl_attrs){0};
  size_t bytes = coord_values(from) * plait_type_size(from->type);
  plait_err err = PLAIT_OK;
  GUARD(pl_alloc(bytes, 1, &to->data));
  if (bytes > 0) memcpy(to->data, from->data, bytes);
  GUARD(pl_attrs_copy(&from->attrs, &to->attrs));
  return PLAIT_OK;
done:
  pl_free(&to->data);
  pl_attrs_free(&to->attrs);
  return err;
}

void pl_meta_settle(pl_meta *meta, plait_type packing) {
  bool is_float = meta->stored == PLAIT_F32 || meta->stored == PLAIT_F64;
  if (meta->packed)
    meta->type = packing == PLAIT_F32 ? PLAIT_F32 : PLAIT_F64;
  else if (meta->nmissing == 0 || is_float)
    meta->type = meta->stored;
  else
    meta->type = plait_type_size(meta->stored) <= 2 ? PLAIT_F32 : PLAIT_F64;
}

// The coordinate variable of axis d, or NULL.
static const pl_coord *axis_variable(const pl_meta *meta, int d) {
  for (int i = 0; i < meta->ncoords; i++) {
    const pl_coord *c = &meta->coords[i];
    if (c->ndim == 1 && c->dim[0] == d && strcmp(c->name, meta->dims[d]) == 0) return c;
  }
  return NULL;
}

plait_err pl_meta_axis_coords(pl_meta *meta) {
  for (int d = 0; d < meta->ndim; d++) {
    const pl_coord *c = axis_variable(meta, d);
    if (c == NULL || c->shape[0] != meta->shape[d] || meta->axis_coord[d] != NULL) continue;
    double *values;
    TRY(pl_alloc((size_t)c->shape[0], sizeof *values, &values));
    for (size_t i = 0; i < (size_t)c->shape[0]; i++) values[i] = pl_value(c->type, c->data, i);
    meta->axis_coord[d] = values;
  }
  return PLAIT_OK;
}

plait_err pl_meta_check_shape(const pl_meta *meta, const char *path) {
  int64_t bytes = 8; // of the widest type: decoding may widen
  for (int d = 0; d < meta->ndim; d++) {
    if (meta->shape[d] <= 0)
      return plait_fail(PLAIT_INPUT, "%s: axis %d (%s) has length %lld: nothing to compute on",
                        path, d, meta->dims[d], (long long)meta->shape[d]);
    if (pl_mul64_overflows(bytes, meta->shape[d], &bytes))
      return plait_fail(PLAIT_INPUT, "%s: absurd shape: more than 2^63 bytes", path);
  }
  return PLAIT_OK;
}

void pl_meta_array(const pl_meta *meta, plait_array *array) {
  *array = (plait_array){.name = meta->name,
                         .units = pl_attr_text(&meta->attrs, "units"),
                         .type = meta->type,
                         .ndim = meta->ndim};
  for (int d = 0; d < meta->ndim; d++) {
    array->shape[d] = meta->shape[d];
    array->dims[d] = meta->dims[d];
    array->coord[d] = meta->axis_coord[d];
    const pl_coord *c = axis_variable(meta, d);
    array->coord_units[d] = c != NULL ? pl_attr_text(&c->attrs, "units") : "";
  }
}
