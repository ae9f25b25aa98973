// SPDX-License-Identifier: BSD-3-Clause
//
// Types and attributes of NetCDF as plait holds them. Text is carried as bytes; a list of strings
// becomes one text, joined by ", "; values of types that users define are left out.
#include "data/netcdf.h"
#include "base/mem.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

static const nc_type nc_types[PLAIT_TYPES] = {
    [PLAIT_I8] = NC_BYTE,   [PLAIT_U8] = NC_UBYTE,  [PLAIT_I16] = NC_SHORT, [PLAIT_U16] = NC_USHORT,
    [PLAIT_I32] = NC_INT,   [PLAIT_U32] = NC_UINT,  [PLAIT_I64] = NC_INT64, [PLAIT_U64] = NC_UINT64,
    [PLAIT_F32] = NC_FLOAT, [PLAIT_F64] = NC_DOUBLE};

bool pl_netcdf_type(nc_type type, plait_type *out) {
  for (int i = 0; i < PLAIT_TYPES; i++) {
    if (nc_types[i] != type) continue;
    *out = (plait_type)i;
    return true;
  }
  return false;
}

nc_type pl_netcdf_nc_type(plait_type type) {
  return nc_types[type];
}

// An attribute without values is text "" in plait.
static plait_err add_numbers(int grpid, int varid, const char *name, plait_type type, size_t n,
                             pl_attrs *attrs) {
  void *values = NULL;
  plait_err err = PLAIT_OK;
  GUARD(pl_calloc(n, plait_type_size(type), &values));
  if (nc_get_att(grpid, varid, name, values) == NC_NOERR)
    err = pl_attr_set(attrs, name, type, n, values);
done:
  pl_free(&values);
  return err;
}

static plait_err add_chars(int grpid, int varid, const char *name, size_t n, pl_attrs *attrs) {
  char *text = NULL;
  plait_err err = PLAIT_OK;
  GUARD(pl_calloc(n + 1, 1, &text));
  if (nc_get_att_text(grpid, varid, name, text) == NC_NOERR)
    err = pl_attr_set_chars(attrs, name, text, n);
done:
  pl_free(&text);
  return err;
}

static plait_err add_strings(int grpid, int varid, const char *name, size_t n, pl_attrs *attrs) {
  char **strings = NULL;
  plait_err err = PLAIT_OK;
  pl_text all = {0};
  GUARD(pl_calloc(n, sizeof *strings, &strings));
  if (nc_get_att_string(grpid, varid, name, strings) != NC_NOERR) goto done;
  for (size_t i = 0; i < n; i++)
    pl_text_add(&all, "%s%s", i > 0 ? ", " : "", strings[i] != NULL ? strings[i] : "");
  nc_free_string(n, strings);
  if (all.failed) GUARD(plait_fail(PLAIT_MEMORY, "no memory for attribute %s", name));
  err = pl_attr_set_text(attrs, name, all.at != NULL ? all.at : "");
done:
  pl_text_free(&all);
  pl_free(&strings);
  return err;
}

plait_err pl_netcdf_attrs(int grpid, int varid, pl_attrs *attrs) {
  int natts = 0;
  if (nc_inq_varnatts(grpid, varid, &natts) != NC_NOERR) return PLAIT_OK;
  for (int i = 0; i < natts; i++) {
    char name[NC_MAX_NAME + 1];
    nc_type type;
    size_t n;
    plait_type ours;
    if (nc_inq_attname(grpid, varid, i, name) != NC_NOERR) continue;
    if (nc_inq_att(grpid, varid, name, &type, &n) != NC_NOERR) continue;
    if (type == NC_CHAR || n == 0)
      TRY(add_chars(grpid, varid, name, n, attrs));
    else if (type == NC_STRING)
      TRY(add_strings(grpid, varid, name, n, attrs));
    else if (pl_netcdf_type(type, &ours))
      TRY(add_numbers(grpid, varid, name, ours, n, attrs));
  }
  return PLAIT_OK;
}
