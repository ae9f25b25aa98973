// SPDX-License-Identifier: BSD-3-Clause
//
// Looking at this machine, and measurements that are kept.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/probe.h"

static char place[64];

static int make_place(void **state) {
  (void)state;
  strcpy(place, "/tmp/test_probe_XXXXXX");
  if (!mkdtemp(place)) return -1;
  return setenv("XDG_CACHE_HOME", place, 1);
}

static int remove_place(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", place);
  return system(command) == 0 ? 0 : -1;
}

static int files_in(const char *path) {
  int n = 0;
  DIR *dir = opendir(path);
  while (dir && readdir(dir)) n++;
  if (dir) closedir(dir);
  return n - 2;
}

static void the_station_is_this_process(void **state) {
  (void)state;
  pl_topology t;
  assert_int_equal(pl_topology_find(NULL, &t), PLAIT_OK);
  int cpus[2] = {t.cpus[0].os, 99999}; // one that is not there
  pl_placement p = {.threads = 3, .ncpus = 2, .cpus = cpus, .bound = true, .note = "hello"};
  pl_station_facts f;
  pl_probe_station("here", 5, &t, &p, &f);
  assert_string_equal(f.host, "here");
  assert_true(f.rank == 5 && f.pid == getpid() && f.threads == 3 && f.bound);
  assert_true(f.cpus[cpus[0] / 64] >> (cpus[0] % 64) & 1);
  assert_int_equal(f.cores, 1);
  assert_true(f.node_cores == t.ncores && f.memory > 0 && f.others >= 0);
  assert_string_equal(f.note, "hello");
  pl_topology_free(&t);
}

static void storage_is_measured_and_left_clean(void **state) {
  (void)state;
  pl_storage_facts s;
  pl_probe_storage(place, 4 << 20, &s);
  assert_string_equal(s.error, "");
  assert_true(s.rate > 0 && s.free > 0);
  assert_int_equal(files_in(place), 0);
  pl_probe_storage("/nowhere/at/all", 4 << 20, &s);
  assert_non_null(strstr(s.error, "/nowhere/at/all"));
  assert_true(s.rate == 0);
}

static void measurements_are_kept(void **state) {
  (void)state;
  pl_measured out[] = {{"a", 1.0 / 3}, {"ab", -2e-300}, {"zero", 0}};
  pl_measured in[] = {{"zero", 9}, {"a", 9}, {"ab", 9}};
  assert_false(pl_probe_recall("some-key", in, 3));
  assert_true(pl_probe_keep("some-key", out, 3));
  assert_true(pl_probe_recall("some-key", in, 3));
  assert_true(in[0].value == 0 && in[1].value == 1.0 / 3 && in[2].value == -2e-300);
  assert_false(pl_probe_recall("another-key", in, 3));
  pl_measured more[] = {{"a", 0}, {"missing", 0}};
  assert_false(pl_probe_recall("some-key", more, 2)); // an older version kept less
}

static void a_damaged_file_counts_as_none(void **state) {
  (void)state;
  char path[128];
  pl_measured one[] = {{"a", 1}};
  assert_true(pl_probe_keep("bad", one, 1));
  snprintf(path, sizeof path, "%s/plait/bad.txt", place);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs("a 12monkeys\n", file);
  fclose(file);
  assert_false(pl_probe_recall("bad", one, 1));
}

static void no_place_is_no_error(void **state) {
  (void)state;
  pl_measured one[] = {{"a", 1}};
  char home[128] = "";
  if (getenv("HOME")) snprintf(home, sizeof home, "%s", getenv("HOME"));
  setenv("XDG_CACHE_HOME", "relative", 1); // not allowed: HOME counts
  setenv("HOME", "/nowhere/at/all", 1);
  assert_false(pl_probe_keep("k", one, 1));
  unsetenv("HOME");
  assert_false(pl_probe_keep("k", one, 1));
  assert_false(pl_probe_recall("k", one, 1));
  setenv("HOME", place, 1);
  assert_true(pl_probe_keep("k", one, 1)); // ~/.cache/plait
  assert_true(pl_probe_recall("k", one, 1));
  setenv("XDG_CACHE_HOME", place, 1);
  if (*home) setenv("HOME", home, 1);
}

static void the_cpu_has_a_name(void **state) {
  (void)state;
  char name[128], small[4];
  pl_probe_cpu(name, sizeof name);
  assert_true(strlen(name) > 2);
  assert_null(strchr(name, '\n'));
  pl_probe_cpu(small, sizeof small);
  assert_int_equal(strlen(small), 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_station_is_this_process),
      cmocka_unit_test(storage_is_measured_and_left_clean),
      cmocka_unit_test(measurements_are_kept),
      cmocka_unit_test(a_damaged_file_counts_as_none),
      cmocka_unit_test(no_place_is_no_error),
      cmocka_unit_test(the_cpu_has_a_name),
  };
  return cmocka_run_group_tests(tests, make_place, remove_place);
}
