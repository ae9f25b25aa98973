// SPDX-License-Identifier: BSD-3-Clause
//
// Variables that go along with an array (CF-1.8): the coordinate of each axis, the auxiliary
// coordinates that `coordinates` names, their bounds, the grid mapping. They are read whole,
// through the library, once. What plait cannot hold (text labels, two axes of its own) or what is
// no longer small is left out with a note.
#include "data/netcdf.h"
#include "base/log.h"
#include "base/mem.h"
#include <stdio.h>
#include <string.h>

// 2-D longitudes of a curvilinear grid of 2000 x 2000 fit; coordinates of an axis always do.
#define MOST_BYTES (32 << 20)
#define MOST_WORDS 64

typedef struct carrier {
  const char *path;
  const pl_netcdf_var *var;
  pl_meta *meta;
} carrier;

static bool find_upwards(int grpid, const char *name, int *group, int *varid) {
  for (*group = grpid;;) {
    if (nc_inq_varid(*group, name, varid) == NC_NOERR) return true;
    if (nc_inq_grp_parent(*group, group) != NC_NOERR) return false;
  }
}

// One axis of a coordinate: an axis of the array, or its only own one.
static bool map_axis(const carrier *carry, int group, int dimid, int d, pl_coord *coord) {
  char name[NC_MAX_NAME + 1];
  size_t length;
  if (nc_inq_dim(group, dimid, name, &length) != NC_NOERR || length > INT32_MAX) return false;
  coord->shape[d] = (int64_t)length;
  coord->dim[d] = -1;
  for (int i = 0; i < carry->var->ndim; i++)
    if (carry->var->dimid[i] == dimid) coord->dim[d] = i;
  if (coord->dim[d] >= 0) return true;
  if (coord->own_dim[0] != '\0' || strlen(name) >= PLAIT_NAME) return false;
  strcpy(coord->own_dim, name);
  return true;
}

// Name, type and axes. NULL, or why it cannot be carried.
static const char *describe(const carrier *carry, int group, int varid, pl_coord *coord) {
  char name[NC_MAX_NAME + 1];
  nc_type type;
  int ndim, dimids[NC_MAX_VAR_DIMS];
  if (nc_inq_var(group, varid, name, &type, &ndim, dimids, NULL) != NC_NOERR) return "damaged";
  if (strlen(name) >= PLAIT_NAME) return "its name is too long";
  strcpy(coord->name, name);
  coord->ndim = ndim;
  bool mapping = type == NC_CHAR && ndim == 0; // a grid mapping: only its attributes matter
  if (mapping)
    coord->type = PLAIT_I8;
  else if (!pl_netcdf_type(type, &coord->type))
    return "it does not hold numbers";
  if (ndim > PLAIT_DIMS) return "it has too many axes";
  size_t bytes = plait_type_size(coord->type);
  for (int d = 0; d < ndim; d++) {
    if (!map_axis(carry, group, dimids[d], d, coord)) return "it has axes of its own";
    if (pl_mul_overflows(bytes, (size_t)coord->shape[d], &bytes)) return "it is too large";
  }
  return bytes > MOST_BYTES && ndim > 1 ? "it is too large" : NULL;
}

static plait_err load(const carrier *carry, int group, int varid, pl_coord *coord) {
  size_t n = 1;
  plait_err err = PLAIT_OK;
  for (int d = 0; d < coord->ndim; d++) n *= (size_t)coord->shape[d];
  GUARD(pl_calloc(n, plait_type_size(coord->type), &coord->data));
  int status = nc_get_var(group, varid, coord->data);
  if (status != NC_NOERR)
    GUARD(plait_fail(PLAIT_INPUT, "%s: cannot read coordinate %s: %s", carry->path, coord->name,
                     nc_strerror(status)));
  GUARD(pl_netcdf_attrs(group, varid, &coord->attrs));
  pl_meta *meta = carry->meta;
  GUARD(pl_grow(&meta->coords, (size_t)meta->ncoords, (size_t)meta->ncoords + 1,
                sizeof *meta->coords));
  meta->coords[meta->ncoords++] = *coord;
  return PLAIT_OK;
done:
  pl_free(&coord->data);
  pl_attrs_free(&coord->attrs);
  return err;
}

static bool have(const pl_meta *meta, const char *name) {
  for (int i = 0; i < meta->ncoords; i++)
    if (strcmp(meta->coords[i].name, name) == 0) return true;
  return strcmp(meta->name, name) == 0;
}

static plait_err add(const carrier *carry, const char *name) {
  int group, varid;
  if (have(carry->meta, name)) return PLAIT_OK;
  if (!find_upwards(carry->var->grpid, name, &group, &varid)) return PLAIT_OK;
  pl_coord coord = {0};
  const char *why = describe(carry, group, varid, &coord);
  if (why == NULL) return load(carry, group, varid, &coord);
  pl_log(PL_LOG_NOTE, "%s: %s is not carried along: %s", carry->path, name, why);
  return PLAIT_OK;
}

// Every word of a text; "crs: x y" (extended grid mappings) ends a word with a colon.
static plait_err add_words(const carrier *carry, const char *text) {
  const char *at = text;
  for (int i = 0; i < MOST_WORDS; i++) {
    char word[NC_MAX_NAME + 1];
    at += strspn(at, " \t\n:");
    size_t n = strcspn(at, " \t\n:");
    if (n == 0) break;
    if (n <= NC_MAX_NAME) {
      memcpy(word, at, n);
      word[n] = '\0';
      TRY(add(carry, word));
    }
    at += n;
  }
  return PLAIT_OK;
}

// A variable that only happens to have the name of an axis is no coordinate.
static plait_err add_axis(const carrier *carry, int d) {
  int group, varid, ndim = 0, dimid = -1;
  if (!find_upwards(carry->var->grpid, carry->meta->dims[d], &group, &varid)) return PLAIT_OK;
  nc_inq_varndims(group, varid, &ndim);
  if (ndim == 1) nc_inq_vardimid(group, varid, &dimid);
  return dimid == carry->var->dimid[d] ? add(carry, carry->meta->dims[d]) : PLAIT_OK;
}

plait_err pl_netcdf_coords(const char *path, const pl_netcdf_var *var, pl_meta *meta) {
  carrier carry = {path, var, meta};
  for (int d = 0; d < var->ndim; d++) TRY(add_axis(&carry, d));
  TRY(add_words(&carry, pl_attr_text(&meta->attrs, "coordinates")));
  TRY(add_words(&carry, pl_attr_text(&meta->attrs, "grid_mapping")));
  for (int i = 0, n = meta->ncoords; i < n; i++) {
    char words[2 * NC_MAX_NAME]; // meta->coords moves when it grows
    snprintf(words, sizeof words, "%s %s", pl_attr_text(&meta->coords[i].attrs, "bounds"),
             pl_attr_text(&meta->coords[i].attrs, "climatology"));
    TRY(add_words(&carry, words));
  }
  return PLAIT_OK;
}
