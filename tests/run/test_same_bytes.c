// SPDX-License-Identifier: BSD-3-Clause
//
// The promise "same bytes everywhere", on the whole program: the result file of one job, run under
// many ranks, threads, schedules, memory budgets, with and without overlap, with and without MPI,
// must be the same to the byte. The reference is one process with one thread.
//
// Environment (set by CMake): PLAIT the program, PLAIT_SOLO a build without MPI or empty,
// PLAIT_MPIRUN mpirun or empty, PLAIT_SOURCE the source tree.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char place[64] = "/tmp/plait-bytes-XXXXXX";

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

static int command(const char *format, ...) {
  char line[8192];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  assert_true(n > 0 && (size_t)n < sizeof line);
  int status = system(line);
  if (status != 0) print_error("failed: %s\n", line);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

typedef struct how {
  bool solo; // the program built without MPI
  int ranks; // 0: no launcher
  int threads;
  const char *settings; // of the run: section
} how;

static const how ways[] = {
    {false, 0, 2, ""},
    {false, 0, 3, "run.schedule=static run.memory=100MiB"},
    {false, 0, 2, "run.overlap=false"},
    {true, 0, 1, ""},
    {true, 0, 3, ""},
    {false, 1, 2, ""},
    {false, 2, 1, "run.schedule=static"},
    {false, 2, 2, "run.schedule=dynamic run.memory=64MiB"},
    {false, 3, 1, "run.schedule=dynamic"},
    {false, 4, 2, "run.schedule=dynamic"},
    {false, 4, 1, "run.schedule=static run.overlap=false"},
    {false, 7, 1, "run.schedule=dynamic"},
};

// 0 done, -1 left out on this build.
static int run(const how *way, const char *job, const char *words, const char *output) {
  const char *program = way->solo ? setting("PLAIT_SOLO") : setting("PLAIT");
  char launcher[512] = "";
  if (!program[0]) return -1;
  if (way->ranks > 0) {
    if (!setting("PLAIT_MPIRUN")[0]) return -1;
    snprintf(launcher, sizeof launcher, "%s -np %d", setting("PLAIT_MPIRUN"), way->ranks);
  }
  assert_int_equal(
      command("%s '%s' run --quiet --force --threads %d '%s/jobs/%s' 'output=%s/%s' %s %s",
              launcher, program, way->threads, setting("PLAIT_SOURCE"), job, place, output, words,
              way->settings),
      0);
  return 0;
}

static void same_under_all(const char *job, const char *words, const char *suffix) {
  char reference[64], other[64];
  const how plain = {false, 0, 1, ""};
  int compared = 0;
  snprintf(reference, sizeof reference, "reference.%s", suffix);
  snprintf(other, sizeof other, "other.%s", suffix);
  assert_int_equal(run(&plain, job, words, reference), 0);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    if (run(&ways[i], job, words, other) < 0) continue;
    compared++;
    if (command("cmp '%s/%s' '%s/%s'", place, reference, place, other) != 0)
      fail_msg("%s %s: other bytes with %s, %d ranks, %d threads, %s", job, words,
               ways[i].solo ? "no MPI built in" : "MPI built in", ways[i].ranks, ways[i].threads,
               ways[i].settings);
  }
  assert_true(compared >= 3);
}

static void relief_smooth(void **state) {
  (void)state;
  same_under_all("relief-smooth.yaml", "", "nc");
}

static void sst_stats(void **state) {
  (void)state;
  same_under_all("sst-stats.yaml", "", "nc");
}

// Many blocks of one tile: partials of neighbours end up on different ranks and are merged across.
static void global_statistics_of_many_blocks(void **state) {
  (void)state;
  same_under_all(
      "sst-stats.yaml",
      "'input=generate:random?shape=300x40x50&type=float32' 'params.axes=all' run.block=8KiB",
      "nc");
}

static void time_statistics_of_many_tiles(void **state) {
  (void)state;
  same_under_all(
      "sst-stats.yaml",
      "'input=generate:random?shape=64x100x90&type=float64' 'params.axes=0' run.block=16KiB", "nc");
}

static void periodic_stack_of_images(void **state) {
  (void)state;
  same_under_all(
      "relief-smooth.yaml",
      "'input=generate:random?shape=5x130x170&type=uint16' 'params.axes=[1,2]' params.sigma=4 "
      "params.boundary=periodic params.type=same run.block=20KiB",
      "npy");
}

static void training(void **state) {
  (void)state;
  same_under_all("fashion-mlp.yaml",
                 "'input=generate:random?shape=3000x20&type=float32' "
                 "'params.labels=generate:ramp?shape=3000&type=uint8' params.hidden=[30,20] "
                 "params.batch=64 params.epochs=2 params.activation=tanh",
                 "nc");
}

static int make_place(void **state) {
  (void)state;
  return mkdtemp(place) ? 0 : -1;
}

static int clear_place(void **state) {
  (void)state;
  return command("rm -rf '%s'", place);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(relief_smooth),
      cmocka_unit_test(sst_stats),
      cmocka_unit_test(global_statistics_of_many_blocks),
      cmocka_unit_test(time_statistics_of_many_tiles),
      cmocka_unit_test(periodic_stack_of_images),
      cmocka_unit_test(training),
  };
  return cmocka_run_group_tests(tests, make_place, clear_place);
}
