// SPDX-License-Identifier: BSD-3-Clause
//
// Which variable of a NetCDF file is meant. FILE without :VAR means the only data variable:
// numbers, two or more values, not the coordinate of an axis, and not named by another variable as
// its bounds, coordinates, grid mapping, cell measures or ancillary variable (CF-1.8). Variables in
// groups are named "group/name".
#include "data/netcdf.h"
#include "base/mem.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// A file with more variables than this is searched, but not listed in full.
#define MOST_NAMES 10000

typedef struct name_list { // NULL-terminated; *owned*
  char **at;
  size_t n;
} name_list;

// What every visited variable is asked, and where the answers go.
typedef struct visit {
  name_list *all, *data; // names with two or more values; those that are data
  name_list *single;     // with one value, not the coordinate of an axis
  pl_text *references;   // " name name name ": words of attributes that point to other variables
} visit;

plait_err pl_netcdf_error(plait_err code, const char *path, const char *doing, int status) {
  return plait_fail(code, "%s: %s: %s", path, doing, nc_strerror(status));
}

plait_err pl_netcdf_open_file(const char *path, int *ncid) {
  TRY(pl_netcdf_load());
  int status = nc_open(path, NC_NOWRITE, ncid);
  if (status == NC_NOERR) return PLAIT_OK;
  *ncid = -1;
  if (status == NC_EHDFERR || status == NC_ENOTNC)
    return plait_fail(PLAIT_INPUT, "%s: not a NetCDF file that can be read: damaged or truncated",
                      path);
  return pl_netcdf_error(PLAIT_INPUT, path, "cannot open", status);
}

static plait_err names_add(name_list *names, const char *prefix, const char *name) {
  pl_text text = {0};
  pl_text_add(&text, "%s%s", prefix, name);
  plait_err err = PLAIT_OK;
  if (text.failed) err = plait_fail(PLAIT_MEMORY, "no memory for names of variables");
  if (err == PLAIT_OK) err = pl_grow(&names->at, names->n + 1, names->n + 2, sizeof *names->at);
  if (err == PLAIT_OK) {
    names->at[names->n + 1] = NULL;
    err = pl_strdup(text.at, &names->at[names->n]);
    if (err == PLAIT_OK) names->n++;
  }
  pl_text_free(&text);
  return err;
}

static plait_err names_start(name_list *names) {
  names->n = 0;
  return pl_calloc(1, sizeof *names->at, &names->at);
}

static void names_free(name_list *names) {
  for (size_t i = 0; i < names->n; i++) pl_free(&names->at[i]);
  pl_free(&names->at);
}

// Words of text attributes that point to other variables.
static void add_references(int grpid, int varid, pl_text *references) {
  static const char *const pointing[] = {"bounds",       "climatology",   "coordinates",
                                         "grid_mapping", "cell_measures", "ancillary_variables"};
  pl_attrs attrs = {0};
  if (pl_netcdf_attrs(grpid, varid, &attrs) != PLAIT_OK) references->failed = true;
  for (size_t i = 0; i < sizeof pointing / sizeof pointing[0]; i++)
    pl_text_add(references, " %s ", pl_attr_text(&attrs, pointing[i]));
  pl_attrs_free(&attrs);
}

bool pl_netcdf_has_word(const char *text, const char *word) {
  size_t n = strlen(word);
  for (const char *at = text; n > 0 && (at = strstr(at, word)) != NULL; at += n)
    if ((at == text || at[-1] == ' ') && (at[n] == ' ' || at[n] == ':' || at[n] == '\0'))
      return true;
  return false;
}

// *values: 0, 1, or 2 for more. *axis: the coordinate variable of its axis.
static bool look(int grpid, int varid, char name[NC_MAX_NAME + 1], int *values, bool *axis) {
  nc_type type;
  plait_type ours;
  int ndim, dimids[NC_MAX_VAR_DIMS];
  if (nc_inq_var(grpid, varid, name, &type, &ndim, dimids, NULL) != NC_NOERR) return false;
  bool several = false, none = false;
  for (int d = 0; d < ndim; d++) {
    size_t length = 0;
    nc_inq_dimlen(grpid, dimids[d], &length);
    several = several || length > 1;
    none = none || length == 0;
  }
  *values = several ? 2 : none ? 0 : 1;
  char dim[NC_MAX_NAME + 1] = "";
  if (ndim == 1) nc_inq_dimname(grpid, dimids[0], dim);
  *axis = ndim == 1 && strcmp(dim, name) == 0;
  return pl_netcdf_type(type, &ours);
}

static plait_err visit_variable(int grpid, int varid, const char *prefix, visit *search) {
  char name[NC_MAX_NAME + 1];
  bool axis = false;
  int values = 0;
  if (search->references != NULL) add_references(grpid, varid, search->references);
  if (!look(grpid, varid, name, &values, &axis)) return PLAIT_OK;
  if (values == 1 && search->single != NULL && !axis && search->single->n < MOST_NAMES)
    return names_add(search->single, prefix, name);
  if (values < 2) return PLAIT_OK;
  if (search->all != NULL && search->all->n < MOST_NAMES) TRY(names_add(search->all, prefix, name));
  if (search->data != NULL && !axis) TRY(names_add(search->data, prefix, name));
  return PLAIT_OK;
}

static plait_err visit_group(int grpid, const char *prefix, int depth, visit *search) {
  int nvars = 0, ngroups = 0;
  plait_err err = PLAIT_OK;
  int *groups = NULL;
  nc_inq_nvars(grpid, &nvars);
  for (int v = 0; v < nvars; v++) TRY(visit_variable(grpid, v, prefix, search));
  if (depth > 16 || nc_inq_grps(grpid, &ngroups, NULL) != NC_NOERR || ngroups == 0) return err;
  TRY(pl_calloc((size_t)ngroups, sizeof *groups, &groups));
  nc_inq_grps(grpid, &ngroups, groups);
  for (int g = 0; g < ngroups && err == PLAIT_OK; g++) {
    char name[NC_MAX_NAME + 1];
    pl_text inner = {0};
    nc_inq_grpname(groups[g], name);
    pl_text_add(&inner, "%s%s/", prefix, name);
    if (!inner.failed) err = visit_group(groups[g], inner.at, depth + 1, search);
    pl_text_free(&inner);
  }
  pl_free(&groups);
  return err;
}

static plait_err list(const char *path, bool single, char ***out) {
  int ncid;
  name_list names;
  visit search = {.all = single ? NULL : &names, .single = single ? &names : NULL};
  TRY(pl_netcdf_open_file(path, &ncid));
  plait_err err = names_start(&names);
  if (err == PLAIT_OK) err = visit_group(ncid, "", 0, &search);
  nc_close(ncid);
  if (err != PLAIT_OK)
    names_free(&names);
  else
    *out = names.at;
  return err;
}

plait_err pl_netcdf_list(const char *path, char ***out) {
  return list(path, false, out);
}

plait_err pl_netcdf_list_scalars(const char *path, char ***out) {
  return list(path, true, out);
}

// The names in one line, the first `most` of them.
static void join(const name_list *names, size_t most, pl_text *text) {
  for (size_t i = 0; i < names->n && i < most; i++)
    pl_text_add(text, "%s%s", i > 0 ? ", " : "", names->at[i]);
  if (names->n > most) pl_text_add(text, " and %zu more", names->n - most);
}

static void drop_referenced(name_list *data, const char *references) {
  size_t kept = 0;
  for (size_t i = 0; i < data->n; i++) {
    const char *slash = strrchr(data->at[i], '/');
    bool referenced = pl_netcdf_has_word(references, slash != NULL ? slash + 1 : data->at[i]);
    if (referenced)
      pl_free(&data->at[i]);
    else
      data->at[kept++] = data->at[i];
  }
  data->n = kept;
}

// The only data variable. *owned by the caller*
static plait_err only_data(const char *path, int ncid, char **name) {
  name_list data = {0}, all = {0};
  pl_text references = {0}, list = {0};
  plait_err err = PLAIT_OK;
  GUARD(names_start(&data));
  GUARD(names_start(&all));
  GUARD(visit_group(ncid, "", 0, &(visit){.all = &all, .data = &data, .references = &references}));
  if (references.failed) GUARD(plait_fail(PLAIT_MEMORY, "%s: no memory for attributes", path));
  drop_referenced(&data, references.at != NULL ? references.at : "");
  join(data.n > 0 ? &data : &all, 20, &list);
  const char *listed = list.at != NULL ? list.at : "none";
  if (data.n > 1)
    err = plait_fail(PLAIT_INPUT, "%s holds several arrays; say which one (FILE:NAME): %s", path,
                     listed);
  else if (data.n == 0)
    err = plait_fail(PLAIT_INPUT, "%s holds no array of numbers beside coordinates; it has: %s",
                     path, listed);
  else
    err = pl_strdup(data.at[0], name);
done:
  names_free(&data);
  names_free(&all);
  pl_text_free(&references);
  pl_text_free(&list);
  return err;
}

static plait_err unknown(const char *path, int ncid, const char *name) {
  name_list all = {0};
  pl_text list = {0};
  plait_err err = PLAIT_OK;
  GUARD(names_start(&all));
  GUARD(visit_group(ncid, "", 0, &(visit){.all = &all, .single = &all}));
  const char *near = pl_nearest(name, (const char *const *)all.at);
  join(&all, 20, &list);
  const char *listed = list.at != NULL ? list.at : "none";
  if (near != NULL)
    err = plait_fail(PLAIT_INPUT, "%s: no variable \"%s\"; did you mean \"%s\"?", path, name, near);
  else
    err = plait_fail(PLAIT_INPUT, "%s: no variable \"%s\"; it has: %s", path, name, listed);
done:
  names_free(&all);
  pl_text_free(&list);
  return err;
}

// Splits "group/name" and looks the variable up. false: not there.
static bool lookup(int ncid, const char *variable, pl_netcdf_var *var) {
  char group[NC_MAX_NAME * 4 + 1];
  const char *slash = strrchr(variable, '/');
  var->grpid = ncid;
  if (slash != NULL && slash > variable) {
    if ((size_t)(slash - variable) >= sizeof group) return false;
    memcpy(group, variable, (size_t)(slash - variable));
    group[slash - variable] = '\0';
    if (nc_inq_grp_full_ncid(ncid, group, &var->grpid) != NC_NOERR) return false;
  }
  return nc_inq_varid(var->grpid, slash != NULL ? slash + 1 : variable, &var->varid) == NC_NOERR;
}

static plait_err describe(const char *path, const char *name, pl_netcdf_var *var) {
  plait_type ours;
  if (nc_inq_format(var->ncid, &var->format) != NC_NOERR ||
      nc_inq_var(var->grpid, var->varid, NULL, &var->type, &var->ndim, NULL, NULL) != NC_NOERR)
    return plait_fail(PLAIT_INPUT, "%s:%s: cannot be described: damaged file", path, name);
  if (!pl_netcdf_type(var->type, &ours))
    return plait_fail(PLAIT_INPUT, "%s:%s does not hold numbers", path, name);
  if (var->ndim > PLAIT_DIMS)
    return plait_fail(PLAIT_INPUT, "%s:%s has %d axes, at most %d are possible", path, name,
                      var->ndim, PLAIT_DIMS);
  nc_inq_vardimid(var->grpid, var->varid, var->dimid);
  if (strlen(name) >= sizeof var->path)
    return plait_fail(PLAIT_INPUT, "%s: the name of variable %s is too long", path, name);
  strcpy(var->path, name);
  return PLAIT_OK;
}

plait_err pl_netcdf_find(const char *path, int ncid, const char *variable, pl_netcdf_var *var) {
  char *only = NULL;
  plait_err err = PLAIT_OK;
  *var = (pl_netcdf_var){.ncid = ncid};
  if (variable == NULL || variable[0] == '\0') {
    GUARD(only_data(path, ncid, &only));
    variable = only;
  }
  if (!lookup(ncid, variable, var)) GUARD(unknown(path, ncid, variable));
  err = describe(path, variable, var);
done:
  pl_free(&only);
  return err;
}
