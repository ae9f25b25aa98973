// SPDX-License-Identifier: BSD-3-Clause
//
// A variable with one value: not an array that a kernel could take, but a result that somebody
// wants to see (`plait info`) or to read again (the columns of a study). A few bytes, so the
// library reads them.
#include "data/netcdf.h"
#include <math.h>
#include <stdio.h>

static plait_err check(int status, const char *path, const char *what) {
  if (status == NC_NOERR) return PLAIT_OK;
  return plait_fail(PLAIT_INPUT, "%s: cannot read %s: %s", path, what, nc_strerror(status));
}

static plait_err check_single(const char *path, const pl_netcdf_var *var) {
  for (int d = 0; d < var->ndim; d++) {
    size_t length = 0;
    TRY(check(nc_inq_dimlen(var->grpid, var->dimid[d], &length), path, var->path));
    if (length != 1)
      return plait_fail(PLAIT_INPUT, "%s: %s is not a single value", path, var->path);
  }
  return PLAIT_OK;
}

static plait_err describe(const pl_netcdf_var *var, pl_scalar *to) {
  pl_attrs attrs = {0};
  plait_err err = pl_netcdf_attrs(var->grpid, var->varid, &attrs);
  snprintf(to->units, sizeof to->units, "%s", pl_attr_text(&attrs, "units"));
  snprintf(to->long_name, sizeof to->long_name, "%s", pl_attr_text(&attrs, "long_name"));
  pl_attrs_free(&attrs);
  return err;
}

static plait_err read(const char *path, int file, const char *name, pl_scalar *to) {
  pl_netcdf_var var;
  double fill;
  TRY(pl_netcdf_find(path, file, name, &var));
  TRY(check_single(path, &var));
  pl_netcdf_type(var.type, &to->type);
  TRY(check(nc_get_var_double(var.grpid, var.varid, &to->value), path, name));
  int status = nc_get_att_double(var.grpid, var.varid, "_FillValue", &fill);
  if (status == NC_NOERR && to->value == fill) to->value = NAN;
  return describe(&var, to);
}

plait_err pl_netcdf_scalar(const char *path, const char *variable, pl_scalar *scalar) {
  int file;
  *scalar = (pl_scalar){0};
  TRY(pl_netcdf_open_file(path, &file));
  plait_err err = read(path, file, variable, scalar);
  nc_close(file);
  return err;
}
