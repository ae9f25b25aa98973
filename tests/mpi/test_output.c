// SPDX-License-Identifier: BSD-3-Clause
//
// One file written by all ranks: the bytes do not depend on how many they are, an error of one is
// an error of all, and nothing has the final name before commit.
#include "agree.h"
#include "base/hash.h"
#include "base/mem.h"
#include "data/output.h"
#include "host/launch.h"
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

enum { NY = 37, NX = 101 };
// XXH3 of the file as NumPy would write it.
static const uint64_t fingerprint_of_all = UINT64_C(0xfee3731963a9eabd);
static pl_comm *comm;
static int rank, size;
static char path[128], partial[160];

static pl_layout layout(void) {
  pl_layout l = {.ndims = 2, .nvars = 1, .dims = {{"y", NY, false}, {"x", NX, false}}};
  l.vars[0] =
      (pl_outvar){.name = "z", .type = PLAIT_F64, .stored = PLAIT_F64, .ndim = 2, .dim = {0, 1}};
  return l;
}

static bool exists(const char *name) {
  return access(name, F_OK) == 0;
}

// Row r belongs to rank r % size.
static plait_err store_rows(pl_output *output) {
  double row[NX];
  for (int64_t r = rank; r < NY; r += size) {
    for (int i = 0; i < NX; i++) row[i] = (double)(r * NX + i);
    plait_raise raise = {0};
    plait_block b = pl_block_over(row, PLAIT_F64, &(pl_box){2, {r, 0}, {1, NX}}, NULL);
    pl_output_encode(output, 0, &b, &raise);
    TRY(pl_output_store(output, 0, &b));
  }
  return PLAIT_OK;
}

static uint64_t fingerprint(void) {
  static char bytes[128 + NY * NX * 8 + 1];
  int fd = open(path, O_RDONLY);
  ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
  if (fd >= 0) close(fd);
  return n == (ssize_t)sizeof bytes - 1 ? pl_hash(bytes, (size_t)n, 0) : 0;
}

static void all_write_one_file(void **state) {
  (void)state;
  pl_layout l = layout();
  pl_output *output;
  agree_ok(comm, pl_output_open(comm, path, &l, false, &output));
  agree_true(comm, pl_output_bytes(output) == 128 + NY * NX * 8);
  agree_ok(comm, store_rows(output));
  agree_ok(comm, pl_output_sync(output));
  agree_true(comm, !exists(path) && exists(partial));
  agree_ok(comm, pl_comm_barrier(comm));
  agree_ok(comm, pl_output_commit(output));
  agree_true(comm, exists(path) && !exists(partial));
  pl_output_close(&output);
  agree_true(comm, fingerprint() == fingerprint_of_all); // for any number of ranks
}

static void one_error_is_everybodys(void **state) {
  (void)state;
  pl_layout l = layout();
  pl_output *output;
  plait_err err = pl_output_open(comm, path, &l, false, &output); // exists by now
  agree_true(comm, err == PLAIT_OUTPUT && output == NULL);
  agree_true(comm, strstr(pl_message(), "--force") != NULL);
}

static void removes_after_an_error(void **state) {
  (void)state;
  pl_layout l = layout();
  pl_output *output;
  agree_ok(comm, pl_output_open(comm, path, &l, true, &output));
  pl_output_remove(output);
  agree_ok(comm, pl_comm_barrier(comm));
  agree_true(comm, exists(path) && !exists(partial)); // the older result is untouched
  pl_output_close(&output);
}

static void continues(void **state) {
  (void)state;
  pl_layout l = layout();
  pl_output *output;
  agree_ok(comm, pl_output_open(comm, path, &l, true, &output));
  agree_ok(comm, store_rows(output));
  pl_output_close(&output);
  agree_ok(comm, pl_comm_barrier(comm));
  agree_ok(comm, pl_output_reopen(comm, path, &l, &output));
  agree_ok(comm, pl_output_commit(output));
  pl_output_close(&output);
  agree_true(comm, fingerprint() == fingerprint_of_all);
}

// Rank 0 makes a directory for all.
static plait_err make_path(void) {
  char dir[64] = "/tmp/plait-mpi-XXXXXX";
  if (rank == 0 && mkdtemp(dir) == NULL) return plait_fail(PLAIT_IO, "no directory");
  TRY(pl_comm_bcast(comm, dir, sizeof dir, 0));
  snprintf(path, sizeof path, "%s/a.npy", dir);
  snprintf(partial, sizeof partial, "%s.partial", path);
  return PLAIT_OK;
}

static void remove_path(void) {
  pl_comm_barrier(comm);
  if (rank > 0) return;
  unlink(path);
  unlink(partial);
  *strrchr(path, '/') = 0;
  rmdir(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_write_one_file),
      cmocka_unit_test(one_error_is_everybodys),
      cmocka_unit_test(removes_after_an_error),
      cmocka_unit_test(continues),
  };
  pl_launch launch;
  pl_launch_find(&launch);
  if (pl_comm_start(launch.launched, launch.size, &comm) != PLAIT_OK) return 1;
  rank = pl_comm_rank(comm);
  size = pl_comm_size(comm);
  agree_quiet(comm);
  if (pl_comm_agree(comm, make_path()) != PLAIT_OK) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  remove_path();
  pl_comm_stop(&comm);
  return failed;
}
