// SPDX-License-Identifier: BSD-3-Clause
//
// What a NetCDF file says: which variable is meant, attributes, missing values, packing,
// coordinates that go along, groups.
#include "base/mem.h"
#include "data/dataset.h"
#include "data/netcdf.h"
#include "netcdf_files.h"
#include <math.h>

// A little CF file; `two`: with a second data variable.
static void write_cf(bool two) {
  int n, y, x, nv, t, v, lat, bounds, area;
  const double lats[3] = {-10, 0, 10}, edges[6] = {-15, -5, -5, 5, 5, 15};
  unlink(file_name);
  MUST(nc_create(file_name, NC_NETCDF4 | NC_CLOBBER, &n));
  MUST(nc_def_dim(n, "time", NC_UNLIMITED, &t));
  MUST(nc_def_dim(n, "y", 3, &y));
  MUST(nc_def_dim(n, "x", 4, &x));
  MUST(nc_def_dim(n, "nv", 2, &nv));
  MUST(nc_def_var(n, "y", NC_DOUBLE, 1, &y, &lat));
  MUST(nc_put_att_text(n, lat, "bounds", 8, "y_bounds"));
  MUST(nc_put_att_text(n, lat, "units", 13, "degrees_north"));
  MUST(nc_def_var(n, "y_bounds", NC_DOUBLE, 2, (int[]){y, nv}, &bounds));
  MUST(nc_def_var(n, "area", NC_FLOAT, 2, (int[]){y, x}, &area));
  MUST(nc_def_var(n, "temperature", NC_SHORT, 3, (int[]){t, y, x}, &v));
  MUST(nc_put_att_text(n, v, "coordinates", 11, "area absent"));
  MUST(nc_put_att_text(n, v, "grid_mapping", 3, "crs"));
  MUST(nc_put_att_text(n, v, "cell_measures", 10, "area: area"));
  MUST(nc_put_att_text(n, v, "units", 1, "K"));
  MUST(nc_put_att_string(n, v, "words", 2, (const char *[]){"one", "two"}));
  MUST(nc_put_att_double(n, v, "missing_value", NC_SHORT, 2, (double[]){-1, -2}));
  MUST(nc_put_att_double(n, v, "_FillValue", NC_SHORT, 1, (double[]){-1}));
  MUST(nc_put_att_double(n, v, "scale_factor", NC_DOUBLE, 1, (double[]){0.1}));
  MUST(nc_def_var(n, "crs", NC_CHAR, 0, NULL, &area));
  MUST(nc_put_att_text(n, area, "grid_mapping_name", 4, "none"));
  MUST(nc_def_var(n, "one", NC_INT, 1, &nv, &area)); // named by nobody
  if (!two) MUST(nc_put_att_text(n, v, "ancillary_variables", 3, "one"));
  MUST(nc_put_att_text(n, NC_GLOBAL, "history", 4, "made"));
  MUST(nc_put_var_double(n, lat, lats));
  MUST(nc_put_var_double(n, bounds, edges));
  MUST(nc_put_var1_double(n, v, (size_t[]){1, 2, 3}, &(double){7}));
  MUST(nc_close(n));
}

static pl_dataset *open_it(const char *variable) {
  pl_dataset *dataset;
  char spec[300];
  snprintf(spec, sizeof spec, "%s%s%s", file_name, variable[0] ? ":" : "", variable);
  if (pl_dataset_open(spec, &dataset) != PLAIT_OK) fail_msg("%s", pl_message());
  return dataset;
}

static void refused(const char *variable, const char *words) {
  pl_dataset *dataset;
  char spec[300];
  snprintf(spec, sizeof spec, "%s%s%s", file_name, variable[0] ? ":" : "", variable);
  assert_int_equal(pl_dataset_open(spec, &dataset), PLAIT_INPUT);
  if (strstr(pl_message(), words) == NULL) fail_msg("%s: not \"%s\"", pl_message(), words);
  assert_null(strchr(pl_message(), '\n'));
}

static const pl_coord *coord(const pl_meta *meta, const char *name) {
  for (int i = 0; i < meta->ncoords; i++)
    if (strcmp(meta->coords[i].name, name) == 0) return &meta->coords[i];
  return NULL;
}

static void what_a_file_says(void **state) {
  (void)state;
  write_cf(false);
  pl_dataset *dataset = open_it("");
  const pl_meta *meta = &dataset->meta;
  assert_string_equal(meta->name, "temperature");
  assert_int_equal(meta->ndim, 3);
  assert_true(meta->shape[0] == 2 && meta->shape[1] == 3 && meta->shape[2] == 4);
  assert_true(meta->unlimited[0] && !meta->unlimited[1]);
  assert_true(meta->chunked);
  assert_true(meta->packed && meta->scale == 0.1 && meta->offset == 0);
  assert_int_equal(meta->type, PLAIT_F64);
  assert_true(meta->nmissing == 2 && meta->missing[0] == -1 && meta->missing[1] == -2);
  assert_string_equal(pl_attr_text(&meta->attrs, "units"), "K");
  assert_string_equal(pl_attr_text(&meta->attrs, "words"), "one, two");
  assert_string_equal(pl_attr_text(&meta->global, "history"), "made");
  assert_null(pl_attr_find(&meta->attrs, "scale_factor")); // an output writes its own
  assert_null(pl_attr_find(&meta->attrs, "_FillValue"));
  pl_dataset_close(&dataset);
}

static void what_goes_along(void **state) {
  (void)state;
  write_cf(false);
  pl_dataset *dataset = open_it("temperature");
  const pl_meta *meta = &dataset->meta;
  assert_null(meta->axis_coord[0]);
  assert_non_null(meta->axis_coord[1]);
  assert_true(meta->axis_coord[1][2] == 10);
  const pl_coord *y = coord(meta, "y"), *bounds = coord(meta, "y_bounds");
  const pl_coord *area = coord(meta, "area"), *crs = coord(meta, "crs");
  assert_true(y != NULL && bounds != NULL && area != NULL && crs != NULL);
  assert_int_equal(meta->ncoords, 4);
  assert_true(y->ndim == 1 && y->dim[0] == 1);
  assert_true(bounds->ndim == 2 && bounds->dim[0] == 1 && bounds->dim[1] == -1);
  assert_true(bounds->shape[1] == 2 && ((double *)bounds->data)[5] == 15);
  assert_string_equal(bounds->own_dim, "nv");
  assert_true(area->dim[0] == 1 && area->dim[1] == 2);
  assert_true(crs->ndim == 0);
  assert_string_equal(pl_attr_text(&crs->attrs, "grid_mapping_name"), "none");
  pl_dataset_close(&dataset);
}

static void which_variable(void **state) {
  (void)state;
  write_cf(true);
  refused("", "several arrays");
  refused("", "temperature, one");
  refused("temprature", "did you mean \"temperature\"");
  refused("zzzzzzzz", "it has: y, y_bounds, area, temperature, one");
  refused("crs", "does not hold numbers");
  char **names;
  assert_int_equal(pl_netcdf_list(file_name, &names), PLAIT_OK);
  int n = 0;
  for (; names[n] != NULL; n++) pl_free(&names[n]);
  assert_int_equal(n, 5);
  pl_free(&names);
}

static void words(void **state) {
  (void)state;
  assert_true(pl_netcdf_has_word("lat lon", "lat"));
  assert_true(pl_netcdf_has_word("lat lon", "lon"));
  assert_true(pl_netcdf_has_word(" crs: x y", "crs"));
  assert_false(pl_netcdf_has_word("latitude flat", "lat"));
  assert_true(pl_netcdf_has_word("latitude lat", "lat"));
  assert_false(pl_netcdf_has_word("", "lat"));
  assert_false(pl_netcdf_has_word("lat", ""));
}

static void groups(void **state) {
  (void)state;
  int n, inner, x, v;
  const float values[3] = {1, 2, 3};
  unlink(file_name);
  MUST(nc_create(file_name, NC_NETCDF4 | NC_CLOBBER, &n));
  MUST(nc_def_dim(n, "x", 3, &x));
  MUST(nc_def_var(n, "x", NC_FLOAT, 1, &x, &v));
  MUST(nc_put_var_float(n, v, values));
  MUST(nc_def_grp(n, "run1", &inner));
  MUST(nc_def_var(inner, "speed", NC_FLOAT, 1, &x, &v));
  MUST(nc_put_var_float(inner, v, values));
  MUST(nc_close(n));
  static const char *const specs[] = {"", "run1/speed", "/run1/speed"};
  for (int i = 0; i < 3; i++) {
    pl_dataset *dataset = open_it(specs[i]);
    assert_string_equal(dataset->meta.name, "speed");
    assert_non_null(dataset->meta.axis_coord[0]); // of the group above
    assert_int_equal(((pl_netcdf *)dataset->state)->road, PL_NETCDF_STRAIGHT);
    pl_dataset_close(&dataset);
  }
  refused("run2/speed", "run1/speed");
}

// A variable that is named like an axis but is not its coordinate is hidden behind a prefix in
// HDF5.
static void named_like_an_axis(void **state) {
  (void)state;
  int n, x, y, v;
  const float values[6] = {1, 2, 3, 4, 5, 6};
  unlink(file_name);
  MUST(nc_create(file_name, NC_NETCDF4 | NC_CLOBBER, &n));
  MUST(nc_def_dim(n, "x", 3, &x));
  MUST(nc_def_dim(n, "y", 2, &y));
  MUST(nc_def_var(n, "x", NC_FLOAT, 2, (int[]){y, x}, &v));
  MUST(nc_put_var_float(n, v, values));
  MUST(nc_close(n));
  pl_dataset *dataset = open_it("");
  assert_string_equal(dataset->meta.name, "x");
  assert_null(dataset->meta.axis_coord[1]);
  assert_int_equal(((pl_netcdf *)dataset->state)->road, PL_NETCDF_STRAIGHT);
  pl_dataset_close(&dataset);
}

static void one_attribute(nc_type type, const char *name, nc_type as, size_t count,
                          const double *values) {
  int n, x, v;
  unlink(file_name);
  MUST(nc_create(file_name, NC_64BIT_DATA | NC_CLOBBER, &n));
  MUST(nc_def_dim(n, "x", 3, &x));
  MUST(nc_def_var(n, "v", type, 1, &x, &v));
  MUST(nc_put_att_double(n, v, name, as, count, values));
  MUST(nc_enddef(n));
  MUST(nc_put_var_double(n, v, (double[]){1, 2, 3}));
  MUST(nc_close(n));
}

static void odd_attributes(void **state) {
  (void)state;
  const double five[] = {1, 2, 3, 4, 5};
  one_attribute(NC_INT, "missing_value", NC_INT, 5, five);
  refused("", "more than 4 values");
  one_attribute(NC_INT, "scale_factor", NC_DOUBLE, 1, &(double){0});
  refused("", "make no sense");
  one_attribute(NC_INT, "add_offset", NC_DOUBLE, 1, &(double){INFINITY});
  refused("", "make no sense");
  one_attribute(NC_FLOAT, "missing_value", NC_DOUBLE, 1, &(double){1e20}); // rounds to float32
  pl_dataset *dataset = open_it("");
  assert_true(dataset->meta.nmissing == 1 && dataset->meta.missing[0] == (double)1e20f);
  pl_dataset_close(&dataset);
  one_attribute(NC_SHORT, "missing_value", NC_DOUBLE, 1, &(double){1e20}); // no int16 is this
  dataset = open_it("");
  assert_true(dataset->meta.nmissing == 0 && dataset->meta.type == PLAIT_I16);
  pl_dataset_close(&dataset);
  one_attribute(NC_FLOAT, "scale_factor", NC_FLOAT, 1, &(double){1}); // says nothing
  dataset = open_it("");
  assert_true(!dataset->meta.packed && dataset->meta.type == PLAIT_F32);
  pl_dataset_close(&dataset);
}

static void no_cells(void **state) {
  (void)state;
  form f = {.mode = NC_NETCDF4, .type = NC_INT, .ndim = 1, .shape = {1}, .unlimited = true};
  int n, x, v;
  unlink(file_name);
  MUST(nc_create(file_name, f.mode | NC_CLOBBER, &n));
  MUST(nc_def_dim(n, "x", NC_UNLIMITED, &x));
  MUST(nc_def_var(n, "v", NC_INT, 1, &x, &v));
  MUST(nc_def_var(n, "s", NC_INT, 0, NULL, &v));
  MUST(nc_close(n));
  refused("v", "x");
  refused("s", "single value");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_file_says), cmocka_unit_test(what_goes_along),
      cmocka_unit_test(which_variable),   cmocka_unit_test(words),
      cmocka_unit_test(groups),           cmocka_unit_test(named_like_an_axis),
      cmocka_unit_test(odd_attributes),   cmocka_unit_test(no_cells),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
