// SPDX-License-Identifier: BSD-3-Clause
//
// A file seen through a mapping: the values that reading gives, where it is not done, and what
// happens when the file becomes shorter under it.
#include "data/view.h"
#include "base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NT = 300, NX = 5000, HEAD = 128 };

static const pl_convert idle = {.stored = PLAIT_F32, .type = PLAIT_F32};

static char path[] = "/tmp/plait-view-XXXXXX";
static int fd = -1;

static pl_plain whole(void) {
  return (pl_plain){{fd, path, HEAD, 2, {NT, NX}, sizeof(float)}, 0, idle};
}

static int make_file(void **state) {
  (void)state;
  float row[NX];
  char head[HEAD] = "";
  fd = mkstemp(path);
  if (fd < 0 || write(fd, head, HEAD) != HEAD) return -1;
  for (int t = 0; t < NT; t++) {
    for (int x = 0; x < NX; x++) row[x] = (float)(t * NX + x);
    if (write(fd, row, sizeof row) != sizeof row) return -1;
  }
  return 0;
}

static int remove_file(void **state) {
  (void)state;
  close(fd);
  return unlink(path);
}

static void shows_what_reading_gives(void **state) {
  (void)state;
  pl_plain plain = whole();
  pl_view *view;
  pl_box box = {2, {7, 1234}, {20, 300}};
  plait_block part = pl_block_over(NULL, PLAIT_F32, &box, NULL);
  assert_int_equal(pl_view_open(&plain, false, &view), PLAIT_OK);
  assert_non_null(view);
  for (int again = 0; again < 2; again++) { // forgetting changes nothing
    pl_view_look(view, &box, NULL, &part);
    for (int64_t t = 0; t < box.n[0]; t++)
      for (int64_t x = 0; x < box.n[1]; x++) {
        float value = ((const float *)part.data)[t * part.stride[0] + x * part.stride[1]];
        assert_true(value == (float)((7 + t) * NX + 1234 + x));
      }
    pl_view_forget(view, &box);
  }
  assert_int_equal(pl_view_bytes(view), HEAD + NT * NX * sizeof(float));
  assert_int_equal(pl_view_span(view, &box), (19 * NX + 300) * sizeof(float));
  pl_view_close(&view);
  assert_null(view);
}

// Who takes values at odd places says so; the handler knows one view.
static void where_it_is_not_done(void **state) {
  (void)state;
  pl_plain plain = whole(), odd = whole(), longer = whole();
  pl_view *view, *other;
  odd.raw.offset = HEAD - 1;
  longer.raw.shape[0] = NT + 1;
  assert_int_equal(pl_view_open(&odd, false, &other), PLAIT_OK);
  assert_null(other);
  assert_int_equal(pl_view_open(&odd, true, &other), PLAIT_OK);
  assert_non_null(other);
  pl_view_close(&other);
  assert_int_equal(pl_view_open(&longer, false, &other), PLAIT_OK);
  assert_null(other);
  assert_int_equal(pl_view_open(&plain, false, &view), PLAIT_OK);
  assert_int_equal(pl_view_open(&plain, false, &other), PLAIT_OK);
  assert_null(other);
  pl_view_close(&view);
  assert_int_equal(pl_view_open(&plain, false, &view), PLAIT_OK);
  assert_non_null(view);
  pl_view_close(&view);
}

// The floats of the file taken for integers of 16 bits in the other byte order, packed, from any
// byte on; compared with what is done to a copy in its place.
static void converts_from_any_byte(void **state) {
  (void)state;
  const pl_convert packed = {PLAIT_I16, PLAIT_F32, true, true, 0.5, 10, 1, {0x43}};
  const pl_convert turned = {PLAIT_I16, PLAIT_I16, true, false, 1, 0, 0, {0}};
  const pl_convert *const converts[] = {&packed, &turned};
  pl_box box = {2, {9, 77}, {5, 1300}};
  float seen[5 * 1300], want[1300];
  short copy[1300];
  for (int i = 0; i < 2 * 3; i++) {
    const pl_convert *convert = converts[i % 2];
    const pl_plain plain = {{fd, path, HEAD + i / 2, 2, {NT, NX}, 2}, NX, *convert};
    pl_view *view;
    plait_block part;
    assert_int_equal(pl_view_open(&plain, false, &view), PLAIT_OK);
    assert_non_null(view);
    pl_view_look(view, &box, seen, &part);
    assert_ptr_equal(part.data, seen);
    assert_int_equal(part.type, convert->type);
    for (int64_t t = 0; t < box.n[0]; t++) {
      off_t at = plain.raw.offset + 2 * ((9 + t) * NX + 77);
      assert_int_equal(pread(fd, copy, sizeof copy, at), sizeof copy);
      pl_decode_row(convert, copy, want, 1300);
      size_t size = plait_type_size(convert->type);
      assert_memory_equal(plait_row(&part, t), want, 1300 * size);
    }
    pl_view_close(&view);
  }
}

// The child looks at a file that is cut short under it.
static void look_at_nothing(int out) {
  pl_plain plain = whole();
  pl_view *view;
  pl_box box = {2, {NT - 1, NX - 1}, {1, 1}};
  plait_block part = pl_block_over(NULL, PLAIT_F32, &box, NULL);
  dup2(out, STDERR_FILENO);
  if (pl_view_open(&plain, false, &view) != PLAIT_OK || ftruncate(fd, 4096) != 0) _exit(3);
  pl_view_look(view, &box, NULL, &part);
  volatile float value = *(const float *)part.data;
  _exit(value == 0 ? 4 : 5);
}

static void a_file_that_becomes_shorter(void **state) {
  (void)state;
  int ends[2], status;
  char said[600] = "";
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) look_at_nothing(ends[1]);
  close(ends[1]);
  assert_true(read(ends[0], said, sizeof said - 1) > 0);
  close(ends[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 1);
  assert_non_null(strstr(said, "it became shorter, or the disk failed"));
  assert_non_null(strstr(said, path));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shows_what_reading_gives), cmocka_unit_test(where_it_is_not_done),
      cmocka_unit_test(converts_from_any_byte),
      cmocka_unit_test(a_file_that_becomes_shorter), // the last: it spoils the file
  };
  return cmocka_run_group_tests(tests, make_file, remove_file);
}
