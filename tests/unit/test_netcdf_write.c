// SPDX-License-Identifier: BSD-3-Clause
//
// Results as NetCDF: written through pl_output, read back by the library; the same bytes for the
// same layout; files over 4 GiB; layouts that a format cannot hold.
#include "base/mem.h"
#include "data/formats.h"
#include "data/convert.h"
#include "netcdf_files.h"
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <time.h>

enum { NY = 5, NX = 7 };

static const pl_outformat *const formats[] = {&pl_outformat_netcdf4, &pl_outformat_cdf5,
                                              &pl_outformat_cdf2, &pl_outformat_cdf1};

static void add_coord(pl_layout *layout, const char *name, plait_type type, int ndim, int64_t n,
                      int64_t own) {
  pl_coord *c = &layout->coords[layout->ncoords++];
  *c = (pl_coord){.ndim = ndim, .type = type, .dim = {0, -1}, .shape = {n, own}};
  strcpy(c->name, name);
  if (ndim == 2) strcpy(c->own_dim, "nv");
  size_t cells = ndim == 0 ? 1 : (size_t)(n * (ndim == 2 ? own : 1));
  assert_int_equal(pl_calloc(cells, plait_type_size(type), &c->data), PLAIT_OK);
  for (size_t i = 0; i < cells && type == PLAIT_I64; i++) ((int64_t *)c->data)[i] = 10 * (int64_t)i;
  for (size_t i = 0; i < cells && type == PLAIT_F64; i++) ((double *)c->data)[i] = 0.5 * (double)i;
  assert_int_equal(pl_attr_set_text(&c->attrs, "units", "degrees_north"), PLAIT_OK);
}

// y with bounds, a grid mapping, float `a` with a fill value, packed `b`.
static void make_layout(pl_layout *layout, const char *format) {
  *layout = (pl_layout){.ndims = 2, .nvars = 2};
  layout->dims[0] = (pl_outdim){.name = "y", .length = NY, .unlimited = true};
  layout->dims[1] = (pl_outdim){.name = "x", .length = NX};
  strcpy(layout->format, format);
  assert_int_equal(pl_calloc(3, sizeof *layout->coords, &layout->coords), PLAIT_OK);
  add_coord(layout, "y", PLAIT_I64, 1, NY, 0);
  add_coord(layout, "y_bounds", PLAIT_F64, 2, NY, 2);
  add_coord(layout, "crs", PLAIT_I8, 0, 0, 0);
  layout->vars[0] = (pl_outvar){.name = "a",
                                .type = PLAIT_F32,
                                .stored = PLAIT_F32,
                                .has_fill = true,
                                .fill = -1e34f,
                                .ndim = 2,
                                .dim = {0, 1}};
  layout->vars[1] = (pl_outvar){.name = "b",
                                .type = PLAIT_F32,
                                .stored = PLAIT_I16,
                                .packed = true,
                                .scale = 0.5,
                                .offset = 10,
                                .has_fill = true,
                                .fill = -99,
                                .ndim = 2,
                                .dim = {0, 1}};
  const uint16_t flags[2] = {1, 65535};
  assert_int_equal(pl_attr_set_text(&layout->vars[0].attrs, "units", "m"), PLAIT_OK);
  assert_int_equal(pl_attr_set(&layout->vars[0].attrs, "flags", PLAIT_U16, 2, flags), PLAIT_OK);
  assert_int_equal(pl_attr_set_text(&layout->global, "title", "a test"), PLAIT_OK);
}

static float result(int64_t i) {
  return i % 9 == 4 ? NAN : (float)i * 0.5f;
}

// In two boxes, with room around each row in memory.
static void write_rows(pl_output *output, int var, int64_t first, int64_t n) {
  float data[NY * (NX + 3)];
  plait_block block = {.data = data,
                       .type = PLAIT_F32,
                       .ndim = 2,
                       .origin = {first, 0},
                       .extent = {n, NX},
                       .stride = {NX + 3, 1}};
  plait_raise raise = {0};
  for (int64_t y = 0; y < n; y++)
    for (int64_t x = 0; x < NX; x++) data[y * (NX + 3) + x] = result((first + y) * NX + x);
  pl_output_encode(output, var, &block, &raise);
  assert_int_equal(pl_raised(&raise), PLAIT_OK);
  assert_int_equal(pl_output_store(output, var, &block), PLAIT_OK);
}

static void write_output(const char *format) {
  pl_comm *comm;
  pl_output *output;
  pl_layout layout;
  make_layout(&layout, format);
  assert_int_equal(pl_comm_start(false, 1, &comm), PLAIT_OK);
  if (pl_output_open(comm, file_name, &layout, true, &output) != PLAIT_OK)
    fail_msg("%s", pl_message());
  for (int var = 0; var < 2; var++) {
    write_rows(output, var, 2, NY - 2);
    write_rows(output, var, 0, 2);
  }
  assert_int_equal(pl_output_commit(output), PLAIT_OK);
  pl_output_close(&output);
  pl_comm_stop(&comm);
  pl_layout_free(&layout);
}

static void check_text(int ncid, int v, const char *name, const char *want) {
  char text[64] = {0};
  MUST(nc_get_att_text(ncid, v, name, text));
  assert_string_equal(text, want);
}

static void check_coords(int ncid) {
  int v, ndim;
  double y[NY], bounds[NY * 2];
  MUST(nc_inq_varid(ncid, "y", &v));
  MUST(nc_get_var_double(ncid, v, y));
  check_text(ncid, v, "units", "degrees_north");
  MUST(nc_inq_varid(ncid, "y_bounds", &v));
  MUST(nc_get_var_double(ncid, v, bounds));
  for (int i = 0; i < NY; i++) assert_true(y[i] == 10 * i && bounds[2 * i + 1] == i + 0.5);
  MUST(nc_inq_varid(ncid, "crs", &v));
  MUST(nc_inq_varndims(ncid, v, &ndim));
  assert_int_equal(ndim, 0);
}

static void check_result(int ncid, const char *name, double scale, double offset, double fill) {
  int v;
  double values[NY * NX], found;
  MUST(nc_inq_varid(ncid, name, &v));
  MUST(nc_get_var_double(ncid, v, values));
  MUST(nc_get_att_double(ncid, v, "_FillValue", &found));
  assert_true(found == fill);
  for (int i = 0; i < NY * NX; i++)
    if (isnan(result(i)))
      assert_true(values[i] == fill);
    else
      assert_true(fabs(values[i] * scale + offset - (double)result(i)) <= scale / 2);
}

static void round_trip(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++) {
    int ncid, v, unlimited, format;
    static const int kinds[] = {NC_FORMAT_NETCDF4, NC_FORMAT_CDF5, NC_FORMAT_64BIT_OFFSET,
                                NC_FORMAT_CLASSIC};
    write_output(formats[k]->name);
    MUST(nc_open(file_name, NC_NOWRITE, &ncid));
    MUST(nc_inq_format(ncid, &format));
    assert_int_equal(format, kinds[k]);
    MUST(nc_inq_unlimdim(ncid, &unlimited));
    assert_int_equal(unlimited, -1); // becomes a fixed one
    check_coords(ncid);
    check_result(ncid, "a", 1, 0, (double)-1e34f);
    check_result(ncid, "b", 0.5, 10, -99);
    check_text(ncid, NC_GLOBAL, "title", "a test");
    check_text(ncid, NC_GLOBAL, "Conventions", "CF-1.8");
    double flags[2];
    MUST(nc_inq_varid(ncid, "a", &v));
    check_text(ncid, v, "units", "m");
    MUST(nc_get_att_double(ncid, v, "flags", flags));
    assert_true(flags[0] == 1 && flags[1] == 65535);
    MUST(nc_close(ncid));
  }
}

// What plait wrote, plait reads: every attribute and coordinate is there again.
static void plait_reads_it(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++) {
    pl_dataset *dataset;
    char spec[300];
    write_output(formats[k]->name);
    snprintf(spec, sizeof spec, "%s:b", file_name);
    assert_int_equal(pl_dataset_open(spec, &dataset), PLAIT_OK);
    const pl_meta *meta = &dataset->meta;
    assert_true(meta->packed && meta->scale == 0.5 && meta->offset == 10);
    assert_true(meta->nmissing == 1 && meta->missing[0] == -99);
    assert_int_equal(meta->type, PLAIT_F32);
    assert_non_null(meta->axis_coord[0]);
    assert_true(meta->axis_coord[0][NY - 1] == 10 * (NY - 1));
    assert_string_equal(pl_attr_text(&meta->global, "Conventions"), "CF-1.8");
    pl_dataset_close(&dataset);
  }
}

static size_t load(unsigned char *bytes, size_t room) {
  FILE *in = fopen(file_name, "rb");
  assert_non_null(in);
  size_t n = fread(bytes, 1, room, in);
  fclose(in);
  return n;
}

static void same_bytes(void **state) {
  (void)state;
  static unsigned char a[1 << 16], b[1 << 16];
  for (int k = 0; k < 4; k++) {
    write_output(formats[k]->name);
    size_t n = load(a, sizeof a);
    assert_true(n < sizeof a);
    nanosleep(&(struct timespec){1, 100000000}, NULL);
    write_output(formats[k]->name);
    assert_int_equal(load(b, sizeof b), n);
    assert_memory_equal(a, b, n);
  }
}

// Three arrays of 3 GiB, as holes: laid out at once, and the last one is where the file says it is.
static void over_four_gib(void **state) {
  (void)state;
  for (int k = 0; k < 3; k++) {
    pl_layout layout = {.ndims = 1, .nvars = 3};
    int64_t offset[PLAIT_OUTPUTS];
    layout.dims[0] = (pl_outdim){.name = "x", .length = (int64_t)3 << 28};
    for (int i = 0; i < 3; i++) {
      layout.vars[i] = (pl_outvar){.type = PLAIT_F32, .stored = PLAIT_F32, .ndim = 1, .dim = {0}};
      snprintf(layout.vars[i].name, PLAIT_NAME, "v%d", i);
    }
    assert_null(formats[k]->check(&layout));
    unlink(file_name);
    if (formats[k]->create(file_name, &layout, offset) != PLAIT_OK) fail_msg("%s", pl_message());
    struct stat st;
    assert_int_equal(stat(file_name, &st), 0);
    assert_true(st.st_size > (int64_t)9 << 30 && st.st_blocks < 4096);
    assert_true(offset[0] > 0 && offset[2] - offset[1] >= (int64_t)3 << 30);
    float value = 42, got;
    size_t at = 12345;
    if (formats[k]->big_endian) pl_swap(&value, &value, 1, 4);
    int fd = open(file_name, O_WRONLY), ncid, v;
    assert_int_equal(pwrite(fd, &value, 4, offset[2] + 4 * (int64_t)at), 4);
    close(fd);
    MUST(nc_open(file_name, NC_NOWRITE, &ncid));
    MUST(nc_inq_varid(ncid, "v2", &v));
    MUST(nc_get_var1_float(ncid, v, &at, &got));
    assert_true(got == 42);
    MUST(nc_close(ncid));
  }
}

static void what_formats_refuse(void **state) {
  (void)state;
  pl_layout layout;
  make_layout(&layout, "");
  for (int k = 0; k < 4; k++) assert_null(formats[k]->check(&layout));
  layout.vars[0].stored = layout.vars[0].type = PLAIT_I64;
  for (int k = 0; k < 4; k++) assert_true((formats[k]->check(&layout) == NULL) == (k < 2));
  layout.vars[0].stored = layout.vars[0].type = PLAIT_F32;
  layout.dims[1].length = (int64_t)1 << 28; // arrays of 5 GiB
  for (int k = 0; k < 4; k++) assert_true((formats[k]->check(&layout) == NULL) == (k < 2));
  layout.dims[1].length = (int64_t)1 << 61;
  for (int k = 0; k < 4; k++) assert_non_null(formats[k]->check(&layout));
  layout.dims[1].length = NX;
  static const char *const names[] = {"b", "y", "crs", "x", "", "p/q", "end "};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    strcpy(layout.vars[0].name, names[i]);
    for (int k = 0; k < 4; k++) assert_non_null(formats[k]->check(&layout));
  }
  strcpy(layout.vars[0].name, "a");
  layout.dims[1].length = 0;
  assert_non_null(formats[0]->check(&layout));
  pl_layout_free(&layout);
}

static void create_fails_in_one_line(void **state) {
  (void)state;
  pl_layout layout;
  int64_t offset[PLAIT_OUTPUTS];
  make_layout(&layout, "");
  for (int k = 0; k < 4; k++) {
    plait_err err = formats[k]->create("/nonexistent/directory/t.nc", &layout, offset);
    assert_true(err == PLAIT_OUTPUT || err == PLAIT_IO);
    assert_null(strchr(pl_message(), '\n'));
  }
  layout.vars[1].fill = 1e9; // no int16
  for (int k = 0; k < 4; k++)
    assert_int_equal(formats[k]->create(file_name, &layout, offset), PLAIT_OUTPUT);
  pl_layout_free(&layout);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(round_trip),          cmocka_unit_test(plait_reads_it),
      cmocka_unit_test(same_bytes),          cmocka_unit_test(over_four_gib),
      cmocka_unit_test(what_formats_refuse), cmocka_unit_test(create_fails_in_one_line),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
