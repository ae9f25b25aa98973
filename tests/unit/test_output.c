// SPDX-License-Identifier: BSD-3-Clause
//
// Outputs in one process: what is refused before anything is written, what stands in the file, and
// that nothing has the final name before commit. Several ranks are tested with the whole program.
#include "data/output.h"
#include "base/mem.h"
#include "data/dataset.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/plait-out-XXXXXX";
static pl_comm *comm;

static int enter_dir(void **state) {
  (void)state;
  if (mkdtemp(dir) == NULL || chdir(dir) != 0) return -1;
  return pl_comm_start(false, 1, &comm) == PLAIT_OK ? 0 : -1;
}

static int remove_dir(void **state) {
  (void)state;
  static const char *const names[] = {"a.npy", "a.npy.partial", "target", "link", "shut/x"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(names[i]);
  rmdir("folder.npy");
  rmdir("shut");
  pl_comm_stop(&comm);
  return chdir("/") == 0 ? rmdir(dir) : -1;
}

static bool exists(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0;
}

static pl_layout layout_of(plait_type type, int64_t ny, int64_t nx) {
  pl_layout layout = {.ndims = 2, .nvars = 1};
  layout.dims[0] = (pl_outdim){.name = "y", .length = ny};
  layout.dims[1] = (pl_outdim){.name = "x", .length = nx};
  layout.vars[0] = (pl_outvar){.name = "z", .type = type, .stored = type, .ndim = 2, .dim = {0, 1}};
  return layout;
}

static void refuse(const char *path, const pl_layout *layout, bool force, const char *message) {
  pl_output *output;
  assert_int_equal(pl_output_check(path, layout, force), PLAIT_OUTPUT);
  if (strstr(pl_message(), message) == NULL) fail_msg("%s: '%s'", path, pl_message());
  assert_int_equal(pl_output_open(comm, path, layout, force, &output), PLAIT_OUTPUT);
  assert_null(output);
}

static void touch(const char *path) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fclose(file), 0);
}

static void test_refused_names(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 3, 4);
  refuse("", &layout, false, "not given");
  refuse("a", &layout, false, "no extension");
  refuse("a.xyz", &layout, false, "'.xyz'");
  refuse("nowhere/a.npy", &layout, false, "the directory nowhere: No such file");
  refuse(".npy", &layout, false, "no extension");
  touch("a.npy");
  refuse("a.npy/b.npy", &layout, false, "not a directory");
  refuse("a.npy", &layout, false, "--force");
  assert_int_equal(pl_output_check("a.npy", &layout, true), PLAIT_OK);
  assert_int_equal(unlink("a.npy"), 0);
  assert_int_equal(mkdir("folder.npy", 0777), 0);
  refuse("folder.npy", &layout, true, "is a directory");
  snprintf(layout.format, sizeof layout.format, "grib");
  refuse("a.npy", &layout, false, "format 'grib'");
  assert_false(exists("a.npy.partial"));
  layout.format[0] = 0;
  if (geteuid() == 0) return; // may write anywhere
  assert_int_equal(mkdir("shut", 0555), 0);
  refuse("shut/a.npy", &layout, false, "Permission denied");
}

static void test_refused_layouts(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 3, 4);
  layout.nvars = 2;
  layout.vars[1] = layout.vars[0];
  refuse("a.npy", &layout, false, "one array");
  layout.nvars = 1;
  layout.vars[0].stored = PLAIT_F64;
  refuse("a.npy", &layout, false, "wider float64");
  layout.vars[0].stored = PLAIT_I16;
  layout.vars[0].packed = true;
  refuse("a.npy", &layout, false, "packed");
  layout = layout_of(PLAIT_F64, INT64_C(1) << 31, INT64_C(1) << 31);
  refuse("a.npy", &layout, false, "more than 2^63 bytes");
  assert_false(exists("a.npy.partial"));
}

static void test_links_are_not_followed(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 3, 4);
  touch("target");
  assert_int_equal(symlink("target", "a.npy.partial"), 0);
  refuse("a.npy", &layout, false, "in the way");
  struct stat info;
  assert_int_equal(stat("target", &info), 0);
  assert_int_equal(info.st_size, 0);
  assert_int_equal(unlink("a.npy.partial"), 0);
}

// Stores the blocks of an array of ny x nx in the order given by `first`, with a padded stride.
static void store_all(pl_output *output, int64_t ny, int64_t nx, int64_t first) {
  enum { STEP = 3 };
  const int64_t halo[] = {1, 2}, rows = (ny + STEP - 1) / STEP;
  for (int64_t r = 0; r < rows; r++) {
    int64_t lo = (r + first) % rows * STEP, n = ny - lo < STEP ? ny - lo : STEP;
    pl_box box = {2, {lo, 0}, {n, nx}};
    plait_raise raise = {0};
    float *data;
    assert_int_equal(pl_alloc(pl_block_bytes(PLAIT_F32, &box, halo), 1, &data), PLAIT_OK);
    plait_block b = pl_block_over(data, PLAIT_F32, &box, halo);
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < nx; j++)
        ((float *)b.data)[i * b.stride[0] + j] = (float)((lo + i) * nx + j);
#pragma omp parallel num_threads(2)
    pl_output_encode(output, 0, &b, &raise);
    assert_int_equal(pl_raised(&raise), PLAIT_OK);
    assert_int_equal(pl_output_store(output, 0, &b), PLAIT_OK);
    pl_free(&data);
  }
}

static void check_ramp(const char *path, int64_t ny, int64_t nx) {
  pl_dataset *dataset;
  float *data;
  pl_box all = {2, {0, 0}, {ny, nx}};
  assert_int_equal(pl_dataset_open(path, &dataset), PLAIT_OK);
  assert_int_equal(dataset->meta.shape[0], ny);
  assert_int_equal(dataset->meta.shape[1], nx);
  assert_int_equal(dataset->meta.type, PLAIT_F32);
  assert_int_equal(pl_alloc((size_t)(ny * nx), sizeof *data, &data), PLAIT_OK);
  plait_block b = pl_block_over(data, PLAIT_F32, &all, NULL);
  assert_int_equal(pl_dataset_fetch(dataset, &all, NULL, &b), PLAIT_OK);
  for (int64_t i = 0; i < ny * nx; i++) assert_true(data[i] == (float)i);
  pl_free(&data);
  pl_dataset_close(&dataset);
}

static void test_write_commit_read(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 10, 5);
  pl_output *output;
  struct stat info;
  touch("a.npy.partial"); // of a dead run
  assert_int_equal(pl_output_open(comm, "a.npy", &layout, false, &output), PLAIT_OK);
  assert_string_equal(pl_output_path(output), "a.npy");
  assert_int_equal(pl_output_bytes(output), 128 + 10 * 5 * 4);
  store_all(output, 10, 5, 2);
  assert_int_equal(pl_output_sync(output), PLAIT_OK);
  assert_false(exists("a.npy"));
  assert_int_equal(pl_output_commit(output), PLAIT_OK);
  assert_false(exists("a.npy.partial"));
  pl_output_remove(output); // does nothing after commit
  pl_output_close(&output);
  assert_null(output);
  assert_int_equal(stat("a.npy", &info), 0);
  assert_int_equal(info.st_size, 128 + 10 * 5 * 4);
  check_ramp("a.npy", 10, 5);
  unlink("a.npy");
}

static void test_mode_follows_umask(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 1, 1);
  pl_output *output;
  struct stat info;
  mode_t mask = umask(037);
  assert_int_equal(pl_output_open(comm, "a.npy", &layout, false, &output), PLAIT_OK);
  umask(mask);
  assert_int_equal(stat("a.npy.partial", &info), 0);
  assert_int_equal(info.st_mode & 0777, 0640);
  pl_output_remove(output);
  pl_output_close(&output);
  assert_false(exists("a.npy.partial"));
}

static void test_without_commit_there_is_no_result(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 10, 5);
  pl_output *output;
  assert_int_equal(pl_output_open(comm, "a.npy", &layout, false, &output), PLAIT_OK);
  store_all(output, 10, 5, 0);
  pl_output_close(&output);
  assert_false(exists("a.npy"));
  assert_true(exists("a.npy.partial"));
  pl_output_close(NULL);
}

// Half is written by one run, half by the next.
static void test_reopen(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 10, 5), other = layout_of(PLAIT_F32, 5, 10);
  pl_output *output;
  assert_int_equal(pl_output_open(comm, "a.npy", &layout, false, &output), PLAIT_OK);
  store_all(output, 10, 5, 0);
  pl_output_close(&output);
  assert_int_equal(pl_output_reopen(comm, "a.npy", &other, &output), PLAIT_OUTPUT);
  assert_non_null(strstr(pl_message(), "belongs to another job"));
  assert_int_equal(pl_output_reopen(comm, "a.npy", &layout, &output), PLAIT_OK);
  assert_false(exists("a.npy.partial.header"));
  assert_int_equal(pl_output_commit(output), PLAIT_OK);
  pl_output_close(&output);
  check_ramp("a.npy", 10, 5);
  unlink("a.npy");
  assert_int_equal(pl_output_reopen(comm, "a.npy", &layout, &output), PLAIT_OUTPUT);
}

static void test_a_result_that_appeared_is_kept(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 1, 1);
  pl_output *output;
  assert_int_equal(pl_output_open(comm, "a.npy", &layout, false, &output), PLAIT_OK);
  touch("a.npy");
  assert_int_equal(pl_output_commit(output), PLAIT_OUTPUT);
  pl_output_close(&output);
  assert_true(exists("a.npy.partial"));
  assert_int_equal(pl_output_open(comm, "a.npy", &layout, true, &output), PLAIT_OK);
  assert_int_equal(pl_output_commit(output), PLAIT_OK); // forced
  pl_output_close(&output);
  unlink("a.npy");
}

// A reduction over all axes has one value and no axis.
static void test_scalar(void **state) {
  (void)state;
  pl_layout layout = {.nvars = 1};
  layout.vars[0] = (pl_outvar){.name = "mean", .type = PLAIT_F64, .stored = PLAIT_F64};
  pl_output *output;
  double value = 2.5, back = 0;
  plait_raise raise = {0};
  plait_block b = pl_block_over(&value, PLAIT_F64, &(pl_box){0}, NULL);
  assert_int_equal(pl_output_open(comm, "a.npy", &layout, false, &output), PLAIT_OK);
  assert_int_equal(pl_output_bytes(output), 128 + 8);
  pl_output_encode(output, 0, &b, &raise);
  assert_int_equal(pl_output_store(output, 0, &b), PLAIT_OK);
  assert_int_equal(pl_output_commit(output), PLAIT_OK);
  pl_output_close(&output);
  FILE *file = fopen("a.npy", "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 128, SEEK_SET), 0);
  assert_int_equal(fread(&back, sizeof back, 1, file), 1);
  assert_int_equal(fclose(file), 0);
  assert_true(back == 2.5);
  unlink("a.npy");
}

static void test_null(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 10, 5);
  pl_output *output;
  assert_int_equal(pl_output_open(comm, "null:", &layout, false, &output), PLAIT_OK);
  store_all(output, 10, 5, 0);
  assert_int_equal(pl_output_sync(output), PLAIT_OK);
  assert_int_equal(pl_output_commit(output), PLAIT_OK);
  assert_int_equal(pl_output_bytes(output), 0);
  pl_output_close(&output);
  assert_false(exists("null:"));
}

static void test_too_big_a_file(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 1000, 1000);
  pl_output *output;
  struct rlimit before, limit;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = 100000;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  plait_err err = pl_output_open(comm, "a.npy", &layout, false, &output);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(err, PLAIT_IO);
  assert_null(output);
  assert_false(exists("a.npy.partial"));
}

static void test_layout_copy(void **state) {
  (void)state;
  pl_layout layout = layout_of(PLAIT_F32, 2, 3), copy;
  double y[] = {10, 20};
  pl_coord coord = {.name = "y", .ndim = 1, .shape = {2}, .type = PLAIT_F64, .data = y};
  layout.coords = &coord;
  layout.ncoords = 1;
  assert_int_equal(pl_attr_set_text(&layout.vars[0].attrs, "units", "m"), PLAIT_OK);
  assert_int_equal(pl_attr_set_text(&layout.global, "title", "t"), PLAIT_OK);
  assert_int_equal(pl_layout_copy(&layout, &copy), PLAIT_OK);
  assert_ptr_not_equal(copy.coords[0].data, y);
  assert_true(((double *)copy.coords[0].data)[1] == 20);
  assert_string_equal(pl_attr_text(&copy.vars[0].attrs, "units"), "m");
  assert_string_equal(pl_attr_text(&copy.global, "title"), "t");
  pl_layout_free(&copy);
  assert_int_equal(copy.nvars, 0);
  pl_attrs_free(&layout.vars[0].attrs);
  pl_attrs_free(&layout.global);
  pl_layout_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refused_names),
      cmocka_unit_test(test_refused_layouts),
      cmocka_unit_test(test_links_are_not_followed),
      cmocka_unit_test(test_write_commit_read),
      cmocka_unit_test(test_mode_follows_umask),
      cmocka_unit_test(test_without_commit_there_is_no_result),
      cmocka_unit_test(test_reopen),
      cmocka_unit_test(test_a_result_that_appeared_is_kept),
      cmocka_unit_test(test_scalar),
      cmocka_unit_test(test_null),
      cmocka_unit_test(test_too_big_a_file),
      cmocka_unit_test(test_layout_copy),
  };
  return cmocka_run_group_tests_name("output", tests, enter_dir, remove_dir);
}
