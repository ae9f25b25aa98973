// SPDX-License-Identifier: BSD-3-Clause
//
// The header of a NetCDF result: dimensions, coordinates and results with their attributes, written
// through libnetcdf by rank 0. Everything is fixed-size and contiguous: an axis that was unlimited
// in the input is not in the result, because NetCDF-4 keeps arrays along unlimited axes in chunks
// and classic files interleave their records; neither can be written by many ranks at known places.
// CDF-1 and CDF-2 have no unsigned and no 64-bit integers: such coordinates and attributes become
// the next wider type (float64 for the widest).
#include "data/netcdf.h"
#include "base/mem.h"
#include "data/netcdf_out.h"
#include <stdio.h>
#include <string.h>

typedef struct writer {
  const pl_netcdf_kind *kind;
  const char *path;
  const pl_layout *layout;
  int ncid;
  int dimid[2 * PLAIT_DIMS];
  int varid[PLAIT_OUTPUTS];
} writer;

// The first NetCDF call that failed, and what it was about.
static plait_err check(const writer *w, const char *about, int status) {
  if (status == NC_NOERR) return PLAIT_OK;
  plait_err code = status > 0 || status == NC_EHDFERR ? PLAIT_IO : PLAIT_OUTPUT;
  return plait_fail(code, "%s: cannot write %s: %s", w->path, about, nc_strerror(status));
}

static nc_type type_for(const writer *w, plait_type type) {
  static const nc_type narrow[PLAIT_TYPES] = {
      [PLAIT_I8] = NC_BYTE,    [PLAIT_U8] = NC_SHORT,   [PLAIT_I16] = NC_SHORT,
      [PLAIT_U16] = NC_INT,    [PLAIT_I32] = NC_INT,    [PLAIT_U32] = NC_DOUBLE,
      [PLAIT_I64] = NC_DOUBLE, [PLAIT_U64] = NC_DOUBLE, [PLAIT_F32] = NC_FLOAT,
      [PLAIT_F64] = NC_DOUBLE};
  return w->kind->all_types ? pl_netcdf_nc_type(type) : narrow[type];
}

// ---- attributes ----

static plait_err put_numbers(const writer *w, int varid, const pl_attr *attr, nc_type type) {
  if (type == pl_netcdf_nc_type(attr->type))
    return check(w, attr->name, nc_put_att(w->ncid, varid, attr->name, type, attr->n, attr->data));
  double *values = NULL;
  TRY(pl_alloc(attr->n, sizeof *values, &values));
  for (size_t i = 0; i < attr->n; i++) values[i] = pl_value(attr->type, attr->data, i);
  int status = nc_put_att_double(w->ncid, varid, attr->name, type, attr->n, values);
  pl_free(&values);
  return check(w, attr->name, status);
}

// `of`: type of the variable, which its _FillValue must have; NC_NAT: global.
static plait_err put_attr(const writer *w, int varid, const pl_attr *attr, nc_type of) {
  bool fill = of != NC_NAT && strcmp(attr->name, "_FillValue") == 0;
  if (strcmp(attr->name, "_NCProperties") == 0 || (fill && (attr->is_text || attr->n != 1)))
    return PLAIT_OK;
  if (attr->is_text)
    return check(w, attr->name, nc_put_att_text(w->ncid, varid, attr->name, attr->n, attr->data));
  return put_numbers(w, varid, attr, fill ? of : type_for(w, attr->type));
}

static plait_err put_attrs(const writer *w, int varid, const pl_attrs *attrs, nc_type of) {
  for (int i = 0; i < attrs->n; i++) TRY(put_attr(w, varid, &attrs->at[i], of));
  return PLAIT_OK;
}

static plait_err put_global(const writer *w) {
  TRY(put_attrs(w, NC_GLOBAL, &w->layout->global, NC_NAT));
  if (pl_attr_find(&w->layout->global, "Conventions") != NULL) return PLAIT_OK;
  return check(w, "Conventions", nc_put_att_text(w->ncid, NC_GLOBAL, "Conventions", 6, "CF-1.8"));
}

// Fill value and packing; the unpacked type is the type of scale_factor (CF 8.1).
static plait_err put_coding(const writer *w, int varid, const pl_outvar *var) {
  nc_type packing = var->type == PLAIT_F32 ? NC_FLOAT : NC_DOUBLE;
  if (var->has_fill)
    TRY(check(w, "_FillValue",
              nc_put_att_double(w->ncid, varid, "_FillValue", pl_netcdf_nc_type(var->stored), 1,
                                &var->fill)));
  if (!var->packed) return PLAIT_OK;
  TRY(check(w, "scale_factor",
            nc_put_att_double(w->ncid, varid, "scale_factor", packing, 1, &var->scale)));
  return check(w, "add_offset",
               nc_put_att_double(w->ncid, varid, "add_offset", packing, 1, &var->offset));
}

// ---- dimensions and variables ----

static plait_err define_dims(writer *w) {
  for (int i = 0; i < w->layout->ndims; i++) {
    const pl_outdim *dim = &w->layout->dims[i];
    TRY(check(w, dim->name, nc_def_dim(w->ncid, dim->name, (size_t)dim->length, &w->dimid[i])));
  }
  return PLAIT_OK;
}

// An axis that only a coordinate has (bounds); shared by those of the same name and length.
static plait_err own_dim(const writer *w, const pl_coord *coord, int d, int *dimid) {
  char name[PLAIT_NAME + 24];
  size_t length, want = (size_t)coord->shape[d];
  snprintf(name, sizeof name, "%s", coord->own_dim);
  if (nc_inq_dimid(w->ncid, name, dimid) == NC_NOERR) {
    if (nc_inq_dimlen(w->ncid, *dimid, &length) == NC_NOERR && length == want) return PLAIT_OK;
    snprintf(name, sizeof name, "%s_%zu", coord->own_dim, want);
    if (nc_inq_dimid(w->ncid, name, dimid) == NC_NOERR) return PLAIT_OK;
  }
  return check(w, name, nc_def_dim(w->ncid, name, want, dimid));
}

// No fill: the room of results is not written twice. Before the attributes: _FillValue would turn
// filling on. The byte order is stated, so that the file is the same from any machine.
static plait_err define_var(const writer *w, const char *name, nc_type type, int ndim,
                            const int dimid[], int *varid) {
  TRY(check(w, name, nc_def_var(w->ncid, name, type, ndim, dimid, varid)));
  TRY(check(w, name, nc_def_var_fill(w->ncid, *varid, NC_NOFILL, NULL)));
  if (!w->kind->hdf5) return PLAIT_OK;
  if (ndim > 0) TRY(check(w, name, nc_def_var_chunking(w->ncid, *varid, NC_CONTIGUOUS, NULL)));
  if (type == NC_CHAR) return PLAIT_OK;
  return check(w, name, nc_def_var_endian(w->ncid, *varid, NC_ENDIAN_LITTLE));
}

static plait_err define_coord(const writer *w, const pl_coord *coord, int *varid) {
  int dimid[PLAIT_DIMS];
  nc_type type = coord->text ? NC_CHAR : type_for(w, coord->type);
  for (int d = 0; d < coord->ndim; d++)
    if (coord->dim[d] >= 0)
      dimid[d] = w->dimid[coord->dim[d]];
    else
      TRY(own_dim(w, coord, d, &dimid[d]));
  TRY(define_var(w, coord->name, type, coord->ndim, dimid, varid));
  return put_attrs(w, *varid, &coord->attrs, type);
}

static plait_err define_result(writer *w, int i) {
  const pl_outvar *var = &w->layout->vars[i];
  nc_type type = pl_netcdf_nc_type(var->stored);
  int dimid[PLAIT_DIMS];
  for (int d = 0; d < var->ndim; d++) dimid[d] = w->dimid[var->dim[d]];
  TRY(define_var(w, var->name, type, var->ndim, dimid, &w->varid[i]));
  TRY(put_attrs(w, w->varid[i], &var->attrs, type));
  return put_coding(w, w->varid[i], var);
}

// ---- values ----

static plait_err put_coord(const writer *w, const pl_coord *coord, int varid) {
  if (coord->text || type_for(w, coord->type) == pl_netcdf_nc_type(coord->type))
    return check(w, coord->name, nc_put_var(w->ncid, varid, coord->data));
  size_t n = 1;
  double *values = NULL;
  for (int d = 0; d < coord->ndim; d++) n *= (size_t)coord->shape[d];
  TRY(pl_alloc(n, sizeof *values, &values));
  for (size_t i = 0; i < n; i++) values[i] = pl_value(coord->type, coord->data, i);
  int status = nc_put_var_double(w->ncid, varid, values);
  pl_free(&values);
  return check(w, coord->name, status);
}

// The last value of each result makes the library give the whole array its place in the file. What
// lies before it stays a hole: no time, no disk.
static plait_err put_last(const writer *w, int i) {
  const pl_outvar *var = &w->layout->vars[i];
  const double zero = 0;
  size_t last[PLAIT_DIMS] = {0};
  for (int d = 0; d < var->ndim; d++) last[d] = (size_t)w->layout->dims[var->dim[d]].length - 1;
  return check(w, var->name, nc_put_var1_double(w->ncid, w->varid[i], last, &zero));
}

static plait_err define(writer *w) {
  int *varid = NULL;
  plait_err err = PLAIT_OK;
  GUARD(pl_alloc((size_t)w->layout->ncoords, sizeof *varid, &varid));
  GUARD(put_global(w));
  GUARD(define_dims(w));
  for (int i = 0; i < w->layout->ncoords; i++)
    GUARD(define_coord(w, &w->layout->coords[i], &varid[i]));
  for (int i = 0; i < w->layout->nvars; i++) GUARD(define_result(w, i));
  GUARD(check(w, "the header", nc_enddef(w->ncid)));
  for (int i = 0; i < w->layout->ncoords; i++) GUARD(put_coord(w, &w->layout->coords[i], varid[i]));
  for (int i = 0; i < w->layout->nvars; i++) GUARD(put_last(w, i));
done:
  pl_free(&varid);
  return err;
}

plait_err pl_netcdf_define(const pl_netcdf_kind *kind, const char *path, const pl_layout *layout) {
  writer w = {.kind = kind, .path = path, .layout = layout};
  TRY(check(&w, "the file", nc_create(path, kind->mode | NC_CLOBBER, &w.ncid)));
  plait_err err = PLAIT_OK;
  if (nc_set_fill(w.ncid, NC_NOFILL, NULL) != NC_NOERR) err = PLAIT_BUG;
  if (err == PLAIT_OK) err = define(&w);
  int status = err == PLAIT_OK ? nc_close(w.ncid) : nc_abort(w.ncid);
  return err == PLAIT_OK ? check(&w, "the file", status) : err;
}
