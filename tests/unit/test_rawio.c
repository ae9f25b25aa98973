// SPDX-License-Identifier: BSD-3-Clause
//
// Boxes of a plain file: what is written is read, with gaps, in pieces as pl_encode leaves them,
// and when the system moves fewer bytes than it was asked to.
#include "data/rawio.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/convert.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static size_t at_most = SIZE_MAX; // bytes that a call moves
static int interrupts;            // calls that fail with EINTR before

// Moves at most `at_most` bytes of the first vector. In place of the C library's.
static ssize_t move(long call, int fd, const struct iovec *v, int n, off_t offset) {
  if (interrupts > 0) {
    interrupts--;
    errno = EINTR;
    return -1;
  }
  if (at_most == SIZE_MAX) return syscall(call, fd, v, n, offset, 0);
  struct iovec some[2] = {v[0], n > 1 ? v[1] : (struct iovec){0}};
  if (some[0].iov_len > at_most)
    some[0].iov_len = at_most, n = 1;
  else if (n > 1 && some[1].iov_len > at_most)
    some[1].iov_len = at_most;
  return syscall(call, fd, some, n > 2 ? 2 : n, offset, 0);
}

ssize_t preadv(int fd, const struct iovec *v, int n, off_t offset) {
  return move(SYS_preadv, fd, v, n, offset);
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t offset) {
  return move(SYS_pwritev, fd, v, n, offset);
}

static FILE *file;

static pl_raw raw_of(int64_t a, int64_t b, int64_t c, size_t size) {
  if (file != NULL) fclose(file);
  file = tmpfile();
  assert_non_null(file);
  return (pl_raw){.fd = fileno(file),
                  .path = "tmp",
                  .offset = 100,
                  .ndim = 3,
                  .shape = {a, b, c},
                  .size = size};
}

// Writes the array in two boxes from padded blocks of float64 that become int16, and reads boxes.
static void check_round_trip(int64_t a, int64_t b, int64_t c, int64_t pad) {
  const int64_t halo[] = {pad, pad, pad};
  pl_raw raw = raw_of(a, b, c, 2);
  const pl_convert convert = {.stored = PLAIT_I16, .type = PLAIT_F64, .packed = true, .scale = 1};
  for (int half = 0; half < 2; half++) {
    pl_box box = {3, {0, half ? b / 2 : 0, 0}, {a, half ? b - b / 2 : b / 2, c}};
    double *data;
    plait_raise raise = {0};
    assert_int_equal(pl_calloc(pl_block_bytes(PLAIT_F64, &box, halo), 1, &data), PLAIT_OK);
    plait_block block = pl_block_over(data, PLAIT_F64, &box, halo);
    for (int64_t i = 0; i < pl_box_cells(&box); i++) {
      int64_t x = i % c, y = i / c % box.n[1], z = i / c / box.n[1];
      int64_t cell = (z * b + box.lo[1] + y) * c + x;
      ((double *)block.data)[z * block.stride[0] + y * block.stride[1] + x] =
          (double)(cell % 30000);
    }
    pl_encode(&convert, "z", &block, &raise);
    assert_int_equal(pl_raised(&raise), PLAIT_OK);
    assert_int_equal(pl_raw_write(&raw, &box, block.data, block.stride, 8), PLAIT_OK);
    pl_free(&data);
  }
  pl_box some = {3, {a / 2, 1, 2}, {a - a / 2, b - 1, c - 2}};
  int16_t *got;
  assert_int_equal(pl_alloc((size_t)pl_box_cells(&some), sizeof *got, &got), PLAIT_OK);
  plait_block to = pl_block_over(got, PLAIT_I16, &some, NULL);
  assert_int_equal(pl_raw_read(&raw, &some, to.data, to.stride), PLAIT_OK);
  for (int64_t i = 0; i < pl_box_cells(&some); i++) {
    int64_t x = i % some.n[2] + 2, y = i / some.n[2] % some.n[1] + 1;
    int64_t cell = ((i / some.n[2] / some.n[1] + a / 2) * b + y) * c + x;
    if (got[i] != cell % 30000) fail_msg("cell %d", (int)i);
  }
  pl_free(&got);
}

static void test_encoded_pieces(void **state) {
  (void)state;
  check_round_trip(3, 4, 5, 0);
  check_round_trip(3, 4, 5, 1);
  check_round_trip(2, 4, PL_PIECE + 9, 0); // a row longer than a piece
  check_round_trip(2, 4, PL_PIECE + 9, 2);
  check_round_trip(2, 700, 101, 0); // pieces that end inside a row
  check_round_trip(2, 700, 101, 1);
}

static void test_short_counts(void **state) {
  (void)state;
  for (int k = 0; k < 3; k++) {
    at_most = (size_t[]){1, 7, 4096}[k];
    interrupts = 3;
    check_round_trip(3, 6, 50, k);
    check_round_trip(1, 20, 3000, k);
  }
  at_most = SIZE_MAX;
}

static void test_errors(void **state) {
  (void)state;
  pl_raw raw = raw_of(1, 1, 10, 8);
  double data[10];
  const ptrdiff_t stride[] = {10, 10, 1};
  pl_box all = {3, {0}, {1, 1, 10}};
  assert_int_equal(pl_raw_read(&raw, &all, data, stride), PLAIT_IO);
  assert_non_null(strstr(pl_message(), "tmp: the file ends at byte 100, 80 more bytes"));
  raw.fd = -1;
  assert_int_equal(pl_raw_read(&raw, &all, data, stride), PLAIT_IO);
  assert_non_null(strstr(pl_message(), "cannot read"));
  memset(data, 0, sizeof data);
  assert_int_equal(pl_raw_write(&raw, &all, data, stride, 8), PLAIT_IO);
  assert_non_null(strstr(pl_message(), "cannot write"));
}

static int close_file(void **state) {
  (void)state;
  return fclose(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_encoded_pieces),
      cmocka_unit_test(test_short_counts),
      cmocka_unit_test(test_errors),
  };
  return cmocka_run_group_tests_name("rawio", tests, NULL, close_file);
}
