// SPDX-License-Identifier: BSD-3-Clause
//
// Files: whole reads and writes, replacing by rename, paths.
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], file[96];

static int setup(void **state) {
  (void)state;
  strcpy(dir, "/tmp/test_path_XXXXXX");
  if (!mkdtemp(dir)) return -1;
  snprintf(file, sizeof file, "%s/file", dir);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", dir);
  return system(command);
}

static void whole_transfers(void **state) {
  (void)state;
  enum { BYTES = 3 << 20 };
  char *out = malloc(BYTES), *in = malloc(BYTES);
  for (int i = 0; i < BYTES; i++) out[i] = (char)(i * 7);
  int fd = open(file, O_RDWR | O_CREAT, 0666);
  assert_int_equal(pl_pwrite_all(fd, out, BYTES, 100, file), PLAIT_OK);
  assert_int_equal(pl_file_sync(fd, file), PLAIT_OK);
  assert_int_equal(pl_pread_all(fd, in, BYTES, 100, file), PLAIT_OK);
  assert_memory_equal(in, out, BYTES);
  assert_int_equal(pl_pread_all(fd, in, 0, 1 << 30, file), PLAIT_OK);
  assert_int_equal(pl_pread_all(fd, in, 200, BYTES, file), PLAIT_IO);
  assert_non_null(strstr(pl_message(), "file ends at byte 3145828, 100 more bytes were expected"));
  close(fd);
  assert_int_equal(pl_pread_all(fd, in, 1, 0, file), PLAIT_IO);
  assert_int_equal(pl_pwrite_all(fd, in, 1, 0, file), PLAIT_IO);
  assert_int_equal(pl_file_sync(fd, file), PLAIT_IO);
  free(in);
  free(out);
}

static void full_disk(void **state) {
  (void)state;
  int fd = open("/dev/full", O_WRONLY);
  if (fd < 0) skip();
  assert_int_equal(pl_pwrite_all(fd, "abc", 3, 0, "/dev/full"), PLAIT_IO);
  assert_string_equal(pl_message(), "/dev/full: cannot write: No space left on device");
  close(fd);
  assert_int_equal(pl_write_file("/dev/full", "abc", 3), PLAIT_IO);
}

static int entries(void) {
  DIR *d = opendir(dir);
  int n = 0;
  for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

static void expect_content(const char *path, const char *text) {
  char in[64] = "";
  int fd = open(path, O_RDONLY);
  assert_true(fd >= 0);
  assert_int_equal(read(fd, in, sizeof in - 1), strlen(text));
  assert_string_equal(in, text);
  close(fd);
}

static void writing(void **state) {
  (void)state;
  assert_int_equal(pl_write_file(file, "one", 3), PLAIT_OK);
  expect_content(file, "one");
  assert_int_equal(pl_write_file(file, "second", 6), PLAIT_OK);
  expect_content(file, "second");
  assert_int_equal(pl_write_file(file, "", 0), PLAIT_OK);
  expect_content(file, "");
  assert_int_equal(entries(), 1);
  assert_int_equal(pl_write_file("/nowhere/at/all", "x", 1), PLAIT_OUTPUT);
  assert_int_equal(pl_write_file(dir, "x", 1), PLAIT_OUTPUT);
}

// A pipe stays a pipe.
static void writing_to_a_pipe(void **state) {
  (void)state;
  char fifo[96];
  struct stat info;
  snprintf(fifo, sizeof fifo, "%s/pipe", dir);
  assert_int_equal(mkfifo(fifo, 0600), 0);
  int fd = open(fifo, O_RDONLY | O_NONBLOCK);
  assert_int_equal(pl_write_file(fifo, "text", 4), PLAIT_OK);
  char in[8] = "";
  assert_int_equal(read(fd, in, 8), 4);
  assert_string_equal(in, "text");
  close(fd);
  assert_true(stat(fifo, &info) == 0 && S_ISFIFO(info.st_mode));
}

static void renaming(void **state) {
  (void)state;
  char other[96];
  snprintf(other, sizeof other, "%s/other", dir);
  assert_int_equal(pl_write_file(file, "one", 3), PLAIT_OK);
  assert_false(pl_same_file(file, other));
  assert_int_equal(link(file, other), 0);
  assert_true(pl_same_file(file, other));
  assert_true(pl_same_file(file, file));
  unlink(other);
  assert_int_equal(pl_file_rename(file, other), PLAIT_OK);
  expect_content(other, "one");
  assert_int_equal(pl_file_rename(file, other), PLAIT_IO);
  assert_non_null(strstr(pl_message(), "cannot rename to"));
  assert_non_null(strstr(pl_message(), "No such file"));
  assert_int_equal(pl_dir_sync(other), PLAIT_OK);
  assert_int_equal(pl_dir_sync("/nowhere/at/all"), PLAIT_IO);
}

static void expect_join(const char *base, const char *name, const char *expected) {
  char *out;
  assert_int_equal(pl_path_join(base, name, &out), PLAIT_OK);
  assert_string_equal(out, expected);
  pl_free(&out);
}

static void expect_dir(const char *path, const char *expected) {
  char *out;
  assert_int_equal(pl_path_dir(path, &out), PLAIT_OK);
  assert_string_equal(out, expected);
  pl_free(&out);
}

static void paths(void **state) {
  (void)state;
  expect_join("a", "b", "a/b");
  expect_join("a/", "b", "a/b");
  expect_join("a", "/b", "/b");
  expect_join("", "b", "b");
  expect_join(".", "b", "b");
  expect_join("/", "b", "/b");
  expect_dir("a/b/c", "a/b");
  expect_dir("c", ".");
  expect_dir("/c", "/");
  expect_dir("", ".");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(whole_transfers, setup, teardown),
      cmocka_unit_test(full_disk),
      cmocka_unit_test_setup_teardown(writing, setup, teardown),
      cmocka_unit_test_setup_teardown(writing_to_a_pipe, setup, teardown),
      cmocka_unit_test_setup_teardown(renaming, setup, teardown),
      cmocka_unit_test(paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
