// SPDX-License-Identifier: BSD-3-Clause
//
// Opening an input: how a spec is split, and what is said about files that cannot be used.
#include "data/dataset.h"
#include "base/mem.h"
#include "data/guess.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/plait-data-XXXXXX";

static int enter_dir(void **state) {
  (void)state;
  return mkdtemp(dir) == NULL ? -1 : chdir(dir);
}

static int remove_dir(void **state) {
  (void)state;
  static const char *const names[] = {"a.nc",  "b:c.npy", "text", "empty",
                                      "zeros", "secret",  "pipe"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(names[i]);
  rmdir("folder");
  return chdir("/") == 0 ? rmdir(dir) : -1;
}

static void put(const char *name, const char *data, size_t bytes) {
  FILE *file = fopen(name, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, bytes, file), bytes);
  assert_int_equal(fclose(file), 0);
}

static void check_split(const char *spec, const char *want_path, const char *want_variable) {
  char *path, *variable;
  assert_int_equal(pl_spec_split(spec, &path, &variable), PLAIT_OK);
  assert_string_equal(path, want_path);
  assert_string_equal(variable, want_variable);
  pl_free(&path);
  pl_free(&variable);
}

static void test_split(void **state) {
  (void)state;
  put("a.nc", "x", 1);
  put("b:c.npy", "x", 1);
  check_split("a.nc", "a.nc", "");
  check_split("a.nc:z", "a.nc", "z");
  check_split("a.nc:/group/z", "a.nc", "/group/z");
  check_split("a.nc:odd:z", "a.nc", "odd:z");
  check_split("b:c.npy", "b:c.npy", ""); // the colon is part of a file that exists
  check_split("b:c.npy:z", "b:c.npy", "z");
  check_split("missing.nc:z", "missing.nc", "z");
  check_split("a:b/missing.nc", "a:b/missing.nc", "");
  check_split("missing.nc:", "missing.nc:", "");
  check_split(":z", ":z", "");
  check_split("generate:ramp?shape=3&dims=a:b", "generate:ramp?shape=3&dims=a:b", "");
  check_split("null:", "null:", "");
  check_split("", "", "");
}

static void refuse(const char *spec, const char *message) {
  pl_dataset *dataset;
  assert_int_equal(pl_dataset_open(spec, &dataset), PLAIT_INPUT);
  assert_null(dataset);
  if (strstr(pl_message(), message) == NULL) fail_msg("%s: '%s'", spec, pl_message());
  assert_null(strchr(pl_message(), '\n'));
}

static void test_files_that_cannot_be_used(void **state) {
  (void)state;
  put("text", "hello, world\n", 13);
  put("empty", "", 0);
  put("zeros", (char[100]){0}, 100);
  assert_int_equal(mkdir("folder", 0777), 0);
  assert_int_equal(mkfifo("pipe", 0666), 0);
  refuse("", "not given");
  refuse("missing.npy", "No such file");
  refuse("missing.nc:z", "missing.nc");
  refuse("folder", "is a directory");
  refuse("text/a.npy", "Not a directory");
  refuse("text", "plain text");
  refuse("empty", "is empty");
  refuse("zeros", "all zeros");
  refuse("pipe", "not a regular file");
  if (geteuid() == 0) return; // may read anything
  put("secret", "x", 1);
  assert_int_equal(chmod("secret", 0), 0);
  refuse("secret", "Permission denied");
}

static void check_guess(const char *head, size_t bytes, const char *word) {
  const char *guess = pl_guess_format((const unsigned char *)head, bytes);
  if (strstr(guess, word) == NULL) fail_msg("%s is not %s", guess, word);
}

static void what_an_input_begins_with(void **state) {
  static const struct {
    const char *head, *what;
  } data[] = {{"\x93NUMPY", "a NumPy file"},
              {"CDF\1..", "a NetCDF file"},
              {"\x1f\x8b....", "a gzip file"},
              {"\0\0\x08\3..", "an IDX file"}};
  (void)state;
  for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
    const char *what = pl_guess_data((const unsigned char *)data[i].head, 6);
    assert_non_null(what);
    assert_string_equal(what, data[i].what);
  }
  const char *hdf = pl_guess_data((const unsigned char *)"\x89HDF\r\n\x1a\n", 8);
  assert_non_null(hdf);
  assert_null(pl_guess_data((const unsigned char *)"kernel: stats", 13));
  assert_null(pl_guess_data((const unsigned char *)"\0\0\0\0", 4));
  assert_null(pl_guess_data((const unsigned char *)"", 0));
}

static void test_guesses(void **state) {
  (void)state;
  check_guess("PK\x03\x04rest", 8, "not of NumPy arrays");
  check_guess("PK\x05\x06", 4, "nothing in it"); // numpy.savez of no array
  check_guess("\x1f\x8b\x08", 3, "gzip");
  check_guess("GRIB....", 8, "GRIB");
  check_guess("II*\0", 4, "TIFF");
  check_guess("II*", 3, "plain text"); // too short to tell
  check_guess("\x89PNG\r\n\x1a\n", 8, "PNG");
  check_guess("\x01\x02\x03\x04", 4, "raw numbers");
  check_guess("a\0b", 3, "raw numbers");
  char tar[512] = {0};
  memcpy(tar, "name", 4);
  memcpy(tar + 257, "ustar", 5);
  check_guess(tar, sizeof tar, "tar");
}

static void test_close_of_nothing(void **state) {
  (void)state;
  pl_dataset *none = NULL;
  pl_dataset_close(&none);
  pl_dataset_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_split),
      cmocka_unit_test(test_files_that_cannot_be_used),
      cmocka_unit_test(what_an_input_begins_with),
      cmocka_unit_test(test_guesses),
      cmocka_unit_test(test_close_of_nothing),
  };
  return cmocka_run_group_tests_name("dataset", tests, enter_dir, remove_dir);
}
