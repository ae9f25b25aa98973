// SPDX-License-Identifier: BSD-3-Clause
//
// What a NetCDF file says about one variable, as plait holds it. Conventions: CF-1.8.
//
// Missing are the values that _FillValue and missing_value declare, in stored (packed) form,
// nothing else: the library's default fill value of a variable without _FillValue is taken as a
// number, as CF and xarray do, and valid_range is carried but not applied. _Unsigned = "true" makes
// a signed type unsigned (NUG). The attributes that say this are not kept in meta->attrs: an output
// writes its own.
#include "data/netcdf.h"
#include "base/mem.h"
#include <math.h>
#include <string.h>
#include <strings.h>

static plait_err copy_name(const char *path, const char *what, const char *name,
                           char out[PLAIT_NAME]) {
  if (strlen(name) >= PLAIT_NAME)
    return plait_fail(PLAIT_INPUT, "%s: the name of %s %.40s.. is longer than %d bytes", path, what,
                      name, PLAIT_NAME - 1);
  strcpy(out, name);
  return PLAIT_OK;
}

static bool is_unlimited(int grpid, int dimid) {
  int n = 0, ids[NC_MAX_DIMS];
  for (int group = grpid;;) {
    if (nc_inq_unlimdims(group, &n, NULL) == NC_NOERR && n <= NC_MAX_DIMS &&
        nc_inq_unlimdims(group, &n, ids) == NC_NOERR)
      for (int i = 0; i < n; i++)
        if (ids[i] == dimid) return true;
    if (nc_inq_grp_parent(group, &group) != NC_NOERR) return false;
  }
}

static plait_err shape(const char *path, const pl_netcdf_var *var, pl_meta *meta) {
  meta->ndim = var->ndim;
  if (var->ndim == 0)
    return plait_fail(PLAIT_INPUT, "%s: %s is a single value, not an array with axes", path,
                      meta->name);
  for (int d = 0; d < var->ndim; d++) {
    char name[NC_MAX_NAME + 1];
    size_t length;
    int status = nc_inq_dim(var->grpid, var->dimid[d], name, &length);
    if (status != NC_NOERR) return pl_netcdf_error(PLAIT_INPUT, path, "reading its axes", status);
    TRY(copy_name(path, "axis", name, meta->dims[d]));
    if (length > INT64_MAX) return plait_fail(PLAIT_INPUT, "%s: axis %s is too long", path, name);
    meta->shape[d] = (int64_t)length;
    meta->unlimited[d] = is_unlimited(var->grpid, var->dimid[d]);
  }
  return pl_meta_check_shape(meta, path);
}

static plait_err chunking(const char *path, const pl_netcdf_var *var, pl_meta *meta) {
  int storage = NC_CONTIGUOUS;
  size_t chunk[PLAIT_DIMS] = {0};
  int status = nc_inq_var_chunking(var->grpid, var->varid, &storage, NULL);
  if (status == NC_NOERR && storage == NC_CHUNKED && var->ndim > 0)
    status = nc_inq_var_chunking(var->grpid, var->varid, &storage, chunk);
  if (status != NC_NOERR) return pl_netcdf_error(PLAIT_INPUT, path, "reading its chunks", status);
  meta->chunked = storage == NC_CHUNKED && var->ndim > 0;
  for (int d = 0; d < var->ndim && meta->chunked; d++) {
    if (chunk[d] == 0 || chunk[d] > UINT32_MAX)
      return plait_fail(PLAIT_INPUT, "%s: damaged: chunks of %zu cells", path, chunk[d]);
    meta->chunk[d] = (int64_t)chunk[d];
  }
  return PLAIT_OK;
}

// The value `i` of an attribute as the stored type has it. false: the type cannot hold it.
static bool as_stored(plait_type stored, const pl_attr *attr, size_t i, double *value) {
  static const double low[] = {-0x1p7, 0, -0x1p15, 0, -0x1p31, 0, -0x1p63, 0};
  static const double end[] = {0x1p7, 0x1p8, 0x1p15, 0x1p16, 0x1p31, 0x1p32, 0x1p63, 0x1p64};
  *value = pl_value(attr->type, attr->data, i);
  if (isnan(*value)) return false; // NaN is missing by itself
  if (stored == PLAIT_F32) *value = (double)(float)*value;
  if (stored == PLAIT_F32 || stored == PLAIT_F64) return true;
  bool is_unsigned = low[stored] == 0;
  if (is_unsigned && *value < 0 && attr->type + 1 == stored) *value += end[stored]; // _Unsigned
  return *value >= low[stored] && *value < end[stored] && *value == floor(*value);
}

static plait_err add_missing(const char *path, const char *name, pl_meta *meta) {
  const pl_attr *attr = pl_attr_find(&meta->attrs, name);
  if (attr == NULL || attr->is_text) return PLAIT_OK;
  for (size_t i = 0; i < attr->n; i++) {
    double value;
    bool known = !as_stored(meta->stored, attr, i, &value);
    for (int m = 0; m < meta->nmissing; m++) known |= meta->missing[m] == value;
    if (known) continue;
    if (meta->nmissing == PL_MISSING)
      return plait_fail(PLAIT_INPUT, "%s: %s: more than %d values mean \"missing\"", path,
                        meta->name, PL_MISSING);
    meta->missing[meta->nmissing++] = value;
  }
  return PLAIT_OK;
}

// The unpacked type is that of the attributes (CF 8.1); a float64 stays one. A float with scale 1
// and offset 0 is not packed.
static plait_err packing(const char *path, pl_meta *meta, plait_type *type) {
  const pl_attr *scale = pl_attr_find(&meta->attrs, "scale_factor");
  const pl_attr *offset = pl_attr_find(&meta->attrs, "add_offset");
  bool has_scale = pl_attr_number(&meta->attrs, "scale_factor", &meta->scale);
  bool has_offset = pl_attr_number(&meta->attrs, "add_offset", &meta->offset);
  if (!has_scale) meta->scale = 1;
  if (!has_offset) meta->offset = 0;
  if (!isfinite(meta->scale) || !isfinite(meta->offset) || meta->scale == 0)
    return plait_fail(PLAIT_INPUT, "%s: %s: scale_factor %g and add_offset %g make no sense", path,
                      meta->name, meta->scale, meta->offset);
  bool is_float = meta->stored == PLAIT_F32 || meta->stored == PLAIT_F64;
  bool identity = meta->scale == 1 && meta->offset == 0;
  meta->packed = (has_scale || has_offset) && !(is_float && identity);
  bool wide = (has_scale && scale->type != PLAIT_F32) || (has_offset && offset->type != PLAIT_F32);
  *type = wide || meta->stored == PLAIT_F64 ? PLAIT_F64 : PLAIT_F32;
  return PLAIT_OK;
}

static plait_type without_sign(plait_type type) {
  bool is_signed = type == PLAIT_I8 || type == PLAIT_I16 || type == PLAIT_I32 || type == PLAIT_I64;
  return is_signed ? (plait_type)(type + 1) : type;
}

static void drop(pl_attrs *attrs, const char *name) {
  pl_attr *attr = (pl_attr *)pl_attr_find(attrs, name);
  if (attr == NULL) return;
  pl_free(&attr->name);
  pl_free(&attr->data);
  size_t behind = (size_t)(attrs->at + attrs->n - (attr + 1));
  memmove(attr, attr + 1, behind * sizeof *attr);
  attrs->n--;
}

static plait_err values(const char *path, const pl_netcdf_var *var, pl_meta *meta) {
  static const char *const understood[] = {"_FillValue", "missing_value", "scale_factor",
                                           "add_offset", "_Unsigned"};
  plait_type type = PLAIT_F64;
  TRY(pl_netcdf_attrs(var->grpid, var->varid, &meta->attrs));
  if (strcasecmp(pl_attr_text(&meta->attrs, "_Unsigned"), "true") == 0)
    meta->stored = without_sign(meta->stored);
  TRY(add_missing(path, "_FillValue", meta));
  TRY(add_missing(path, "missing_value", meta));
  TRY(packing(path, meta, &type));
  for (size_t i = 0; i < sizeof understood / sizeof understood[0]; i++)
    drop(&meta->attrs, understood[i]);
  pl_meta_settle(meta, type);
  return PLAIT_OK;
}

plait_err pl_netcdf_meta(const char *path, const pl_netcdf_var *var, pl_meta *meta) {
  const char *slash = strrchr(var->path, '/');
  TRY(copy_name(path, "variable", slash != NULL ? slash + 1 : var->path, meta->name));
  if (!pl_netcdf_type(var->type, &meta->stored))
    return plait_fail(PLAIT_BUG, "%s:%s has no type", path, var->path);
  TRY(shape(path, var, meta));
  TRY(chunking(path, var, meta));
  TRY(values(path, var, meta));
  TRY(pl_netcdf_attrs(var->ncid, NC_GLOBAL, &meta->global));
  TRY(pl_netcdf_coords(path, var, meta));
  return pl_meta_axis_coords(meta);
}
