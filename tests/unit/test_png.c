// SPDX-License-Identifier: BSD-3-Clause
//
// PNG files: what is written is what libpng reads back; errors leave nothing behind.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "data/png.h"

static char dir[] = "/tmp/plait-png-XXXXXX";
static char path[64];

static int setup(void **state) {
  (void)state;
  if (!mkdtemp(dir)) return -1;
  snprintf(path, sizeof path, "%s/x.png", dir);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  unlink(path);
  return rmdir(dir); // fails when anything else was left
}

static void comes_back(void **state) {
  enum { W = 37, H = 11 };
  unsigned char rgba[H * W * 4], back[sizeof rgba];
  png_image image = {.version = PNG_IMAGE_VERSION};
  (void)state;
  for (size_t i = 0; i < sizeof rgba; i++) rgba[i] = (unsigned char)(i * 37 + i / 7);
  for (int again = 0; again < 2; again++) { // the second replaces the first
    assert_int_equal(pl_png_write(path, W, H, rgba), PLAIT_OK);
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.width, W);
    assert_int_equal(image.height, H);
    image.format = PNG_FORMAT_RGBA;
    assert_true(png_image_finish_read(&image, NULL, back, 0, NULL));
    assert_memory_equal(back, rgba, sizeof rgba);
    png_image_free(&image);
    image = (png_image){.version = PNG_IMAGE_VERSION};
  }
}

static void errors_leave_nothing(void **state) {
  const unsigned char rgba[4] = {0};
  char nowhere[128];
  (void)state;
  unlink(path);
  assert_int_equal(pl_png_write(path, 0, 1, rgba), PLAIT_OUTPUT);
  assert_int_equal(pl_png_write(path, 1, -1, rgba), PLAIT_OUTPUT);
  assert_int_equal(pl_png_write(path, 65536, 65536, rgba), PLAIT_OUTPUT);
  assert_int_not_equal(access(path, F_OK), 0);
  snprintf(nowhere, sizeof nowhere, "%s/nowhere/x.png", dir);
  assert_int_not_equal(pl_png_write(nowhere, 1, 1, rgba), PLAIT_OK);
  assert_non_null(strstr(pl_message(), "nowhere"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comes_back),
      cmocka_unit_test(errors_leave_nothing),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
