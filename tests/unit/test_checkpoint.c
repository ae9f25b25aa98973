// SPDX-License-Identifier: BSD-3-Clause
//
// Checkpoints in one process: what is written comes back, damage of any byte is noticed and the
// older file used, never a wrong state.
#include "base/mem.h"
#include "engine/checkpoint.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NY = 6, NX = 10 };
static char place[] = "/tmp/plait-checkpoint-XXXXXX", output[64], file[2][96];
static pl_comm *comm;
static const char *const identity = "version of kernel heat: 1\nparams.alpha: 2\n";

static pl_checkpoint_what what_of(int64_t step) {
  pl_checkpoint_what what = {.step = step, .narrays = 2};
  what.array[0] = (pl_checkpoint_array){"T", 8, 2, {NY, NX}};
  what.array[1] = (pl_checkpoint_array){"count", 4, 1, {NX}};
  return what;
}

static double value(int64_t step, int y, int x) {
  return (double)step * 1000 + y * 10 + x + 0.25;
}

// The state of `step`, as two boxes of a field that has ghost cells in memory, and a row.
static void save(pl_checkpoints *store, int64_t step) {
  double field[NY + 2][NX + 2];
  int32_t row[NX];
  const char extra[] = "volume 17";
  pl_checkpoint_what what = what_of(step);
  what.extra = extra;
  what.extra_bytes = sizeof extra;
  for (int y = 0; y < NY; y++)
    for (int x = 0; x < NX; x++) field[y + 1][x + 1] = value(step, y, x);
  for (int x = 0; x < NX; x++) row[x] = (int32_t)(step * 100 + x);
  const pl_box upper = {2, {0, 0}, {2, NX}}, lower = {2, {2, 0}, {NY - 2, NX}},
               all = {1, {0}, {NX}}, empty = {2, {NY, 0}, {0, NX}};
  const ptrdiff_t stride[] = {NX + 2, 1}, one[] = {1};
  assert_int_equal(pl_checkpoint_begin(store, &what), PLAIT_OK);
  assert_int_equal(pl_checkpoint_write(store, 0, &upper, &field[1][1], stride), PLAIT_OK);
  assert_int_equal(pl_checkpoint_write(store, 0, &lower, &field[3][1], stride), PLAIT_OK);
  assert_int_equal(pl_checkpoint_write(store, 0, &empty, NULL, stride), PLAIT_OK);
  assert_int_equal(pl_checkpoint_write(store, 1, &all, row, one), PLAIT_OK);
  assert_int_equal(pl_checkpoint_sync(store), PLAIT_OK);
  assert_int_equal(pl_checkpoint_commit(store, PLAIT_OK), PLAIT_OK);
}

static bool open_store(bool fresh, pl_checkpoints **store, char *why) {
  bool found = false;
  assert_int_equal(pl_checkpoints_open(comm, output, identity, fresh, store, &found, why),
                   PLAIT_OK);
  return found;
}

// Opens, and compares all of the state with that of the step it says; 0 when there is none.
static int64_t found_step(char *why) {
  pl_checkpoints *store = NULL;
  double field[NY][NX];
  int32_t row[NX];
  int64_t step = 0;
  const pl_box all = {2, {0, 0}, {NY, NX}}, line = {1, {0}, {NX}};
  const ptrdiff_t stride[] = {NX, 1}, one[] = {1};
  if (open_store(false, &store, why)) {
    const pl_checkpoint_what *what = pl_checkpoints_found(store);
    step = what->step;
    assert_int_equal(what->narrays, 2);
    assert_string_equal(what->array[0].name, "T");
    assert_string_equal(what->extra, "volume 17");
    assert_int_equal(pl_checkpoints_read(store, 0, &all, field, stride), PLAIT_OK);
    assert_int_equal(pl_checkpoints_read(store, 1, &line, row, one), PLAIT_OK);
    for (int y = 0; y < NY; y++)
      for (int x = 0; x < NX; x++) assert_true(field[y][x] == value(step, y, x));
    for (int x = 0; x < NX; x++) assert_int_equal(row[x], step * 100 + x);
  }
  pl_checkpoints_close(&store);
  return step;
}

static void write_steps(int64_t first, int64_t last) {
  pl_checkpoints *store = NULL;
  (void)open_store(first == 1, &store, NULL);
  for (int64_t step = first; step <= last; step++) save(store, step);
  assert_true(pl_checkpoint_seconds(store) > 0);
  pl_checkpoints_close(&store);
}

static off_t size_of(const char *path) {
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  return info.st_size;
}

static void flip(const char *path, off_t at, unsigned char bits) {
  unsigned char byte = 0;
  int fd = open(path, O_RDWR);
  assert_true(fd >= 0 && pread(fd, &byte, 1, at) == 1);
  byte ^= bits;
  assert_true(pwrite(fd, &byte, 1, at) == 1);
  close(fd);
}

static void the_newest_is_found(void **state) {
  (void)state;
  char why[PL_MESSAGE_BYTES];
  assert_int_equal(found_step(why), 0);
  assert_string_equal(why, "");
  for (int64_t step = 1; step < 6; step++) {
    write_steps(step, step);
    assert_int_equal(found_step(why), step);
    assert_string_equal(why, "");
  }
}

static void the_older_serves_when_any_byte_is_wrong(void **state) {
  (void)state;
  char why[PL_MESSAGE_BYTES];
  write_steps(1, 2); // 1 in file 0, 2 in file 1
  off_t size = size_of(file[1]);
  int refused = 0;
  for (off_t at = 0; at < size; at++) {
    flip(file[1], at, 0x10);
    int64_t step = found_step(why); // compares every value
    assert_true(step == 2 || step == 1);
    refused += step == 1;
    assert_true(step == 2 || strstr(why, "checkpoint1") != NULL);
    flip(file[1], at, 0x10);
  }
  assert_true(refused > NY * NX * 8); // all but the gaps between the arrays
  assert_int_equal(found_step(why), 2);
}

static void a_cut_file_is_refused(void **state) {
  (void)state;
  char why[PL_MESSAGE_BYTES];
  write_steps(1, 2);
  for (off_t size = size_of(file[1]) - 1; size >= 0; size -= 97) {
    assert_int_equal(truncate(file[1], size), 0);
    assert_int_equal(found_step(why), 1);
  }
  flip(file[0], 4096 + 80, 1);
  assert_int_equal(found_step(why), 0); // none is good: from the beginning
  assert_non_null(strstr(why, "damaged"));
}

static void a_write_that_is_not_finished_does_not_count(void **state) {
  (void)state;
  pl_checkpoints *store = NULL;
  write_steps(1, 3);
  (void)open_store(false, &store, NULL);
  pl_checkpoint_what what = what_of(4);
  assert_int_equal(pl_checkpoint_begin(store, &what), PLAIT_OK);
  pl_checkpoints_close(&store);
  assert_int_equal(found_step(NULL), 3);
  (void)open_store(false, &store, NULL);
  assert_int_equal(pl_checkpoint_begin(store, &what), PLAIT_OK);
  assert_int_equal(pl_checkpoint_commit(store, plait_fail(PLAIT_IO, "no disk")), PLAIT_IO);
  pl_checkpoints_close(&store);
  assert_int_equal(found_step(NULL), 3);
}

static void a_missing_part_is_noticed(void **state) {
  (void)state;
  pl_checkpoints *store = NULL;
  char why[PL_MESSAGE_BYTES];
  int32_t row[NX] = {0};
  const pl_box line = {1, {0}, {NX}};
  const ptrdiff_t one[] = {1};
  write_steps(1, 1);
  (void)open_store(false, &store, NULL);
  pl_checkpoint_what what = what_of(2);
  assert_int_equal(pl_checkpoint_begin(store, &what), PLAIT_OK);
  assert_int_equal(pl_checkpoint_write(store, 1, &line, row, one), PLAIT_OK);
  assert_int_equal(pl_checkpoint_sync(store), PLAIT_OK);
  assert_int_equal(pl_checkpoint_commit(store, PLAIT_OK), PLAIT_OK);
  pl_checkpoints_close(&store);
  assert_int_equal(found_step(why), 1);
  assert_non_null(strstr(why, "makes no sense"));
}

static void another_job_is_refused(void **state) {
  (void)state;
  pl_checkpoints *store = NULL;
  bool found = true;
  write_steps(1, 1);
  assert_int_equal(pl_checkpoints_open(comm, output, "version of kernel heat: 1\nparams.alpha: 3\n",
                                       false, &store, &found, NULL),
                   PLAIT_OUTPUT);
  assert_non_null(strstr(pl_message(), "params.alpha was 2 and is 3 now"));
  assert_null(store);
  assert_false(open_store(true, &store, NULL)); // --fresh
  pl_checkpoints_close(&store);
}

static int set_up(void **state) {
  (void)state;
  return pl_checkpoints_remove(output) == PLAIT_OK ? 0 : -1;
}

static int make_place(void **state) {
  (void)state;
  if (!mkdtemp(place)) return -1;
  snprintf(output, sizeof output, "%s/r.nc", place);
  for (int i = 0; i < 2; i++) snprintf(file[i], sizeof file[i], "%s.checkpoint%d", output, i);
  return pl_comm_start(false, 1, &comm) == PLAIT_OK ? 0 : -1;
}

static int clear_place(void **state) {
  (void)state;
  (void)pl_checkpoints_remove(output);
  pl_comm_stop(&comm);
  return rmdir(place);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(the_newest_is_found, set_up),
      cmocka_unit_test_setup(the_older_serves_when_any_byte_is_wrong, set_up),
      cmocka_unit_test_setup(a_cut_file_is_refused, set_up),
      cmocka_unit_test_setup(a_write_that_is_not_finished_does_not_count, set_up),
      cmocka_unit_test_setup(a_missing_part_is_noticed, set_up),
      cmocka_unit_test_setup(another_job_is_refused, set_up),
  };
  return cmocka_run_group_tests(tests, make_place, clear_place);
}
