// SPDX-License-Identifier: BSD-3-Clause
//
// A variable without axes: not an array that a kernel could take, but a result that somebody wants
// to read again (the columns of a study). A few bytes, so the library reads them.
#include "data/netcdf.h"
#include <math.h>

static plait_err check(int status, const char *path, const char *what) {
  if (status == NC_NOERR) return PLAIT_OK;
  return plait_fail(PLAIT_INPUT, "%s: cannot read %s: %s", path, what, nc_strerror(status));
}

static plait_err read(int file, const char *path, const char *name, double *value) {
  int var, ndims;
  double fill;
  TRY(check(nc_inq_varid(file, name, &var), path, name));
  TRY(check(nc_inq_varndims(file, var, &ndims), path, name));
  if (ndims != 0) return plait_fail(PLAIT_INPUT, "%s: %s is not a single value", path, name);
  TRY(check(nc_get_var_double(file, var, value), path, name));
  if (nc_get_att_double(file, var, "_FillValue", &fill) == NC_NOERR && *value == fill) *value = NAN;
  return PLAIT_OK;
}

plait_err pl_netcdf_scalar(const char *path, const char *variable, double *value) {
  int file;
  TRY(check(nc_open(path, NC_NOWRITE, &file), path, "the file"));
  plait_err err = read(file, path, variable, value);
  nc_close(file);
  return err;
}
