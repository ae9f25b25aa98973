// SPDX-License-Identifier: BSD-3-Clause
//
// NumPy archives: what is written is read again, is the same file each time, also when a run ended
// between the checksums and the name; damaged ones are refused and nothing outside them is read.
#include "base/mem.h"
#include "data/dataset.h"
#include "data/output.h"
#include "data/zip.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NY = 30, NX = 50, MOST = 32 * 1024 };

static char dir[] = "/tmp/plait-npz-XXXXXX";
static pl_comm *comm;
static double latitude[NY];

static int enter_dir(void **state) {
  (void)state;
  for (int i = 0; i < NY; i++) latitude[i] = i - 10.5;
  if (mkdtemp(dir) == NULL || chdir(dir) != 0) return -1;
  return pl_comm_start(false, 1, &comm) == PLAIT_OK ? 0 : -1;
}

static int remove_dir(void **state) {
  (void)state;
  static const char *const names[] = {"a.npz", "b.npz", "a.npz.partial"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(names[i]);
  pl_comm_stop(&comm);
  return chdir("/") == 0 ? rmdir(dir) : -1;
}

// Two results, one of them a single value, and a coordinate.
static pl_layout make_layout(pl_coord *lat) {
  *lat = (pl_coord){.name = "y", .ndim = 1, .shape = {NY}, .type = PLAIT_F64, .data = latitude};
  pl_layout layout = {.ndims = 2, .nvars = 2, .ncoords = 1, .coords = lat};
  layout.dims[0] = (pl_outdim){.name = "y", .length = NY};
  layout.dims[1] = (pl_outdim){.name = "x", .length = NX};
  layout.vars[0] =
      (pl_outvar){.name = "z", .type = PLAIT_F32, .stored = PLAIT_F32, .ndim = 2, .dim = {0, 1}};
  layout.vars[1] = (pl_outvar){.name = "total", .type = PLAIT_F64, .stored = PLAIT_F64};
  return layout;
}

static void store(pl_output *output, int var, void *data, plait_type type, const pl_box *box) {
  plait_raise raise = {0};
  plait_block b = pl_block_over(data, type, box, NULL);
  pl_output_encode(output, var, &b, &raise);
  assert_int_equal(pl_raised(&raise), PLAIT_OK);
  assert_int_equal(pl_output_store(output, var, &b), PLAIT_OK);
}

static void store_all(pl_output *output) {
  static float z[NY * NX];
  double total = 1234.5;
  for (int i = 0; i < NY * NX; i++) z[i] = (float)i;
  store(output, 0, z, PLAIT_F32, &(pl_box){2, {0, 0}, {NY, NX}});
  store(output, 1, &total, PLAIT_F64, &(pl_box){0});
}

static void write_archive(const char *path) {
  pl_coord lat;
  pl_layout layout = make_layout(&lat);
  pl_output *output;
  assert_int_equal(pl_output_open(comm, path, &layout, true, &output), PLAIT_OK);
  store_all(output);
  assert_int_equal(pl_output_commit(output), PLAIT_OK);
  pl_output_close(&output);
}

static size_t load(const char *path, unsigned char bytes[MOST]) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t n = fread(bytes, 1, MOST, file);
  assert_int_equal(fclose(file), 0);
  assert_true(n > 0 && n < MOST);
  return n;
}

static void save(const char *path, const unsigned char *bytes, size_t n) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, n, file), n);
  assert_int_equal(fclose(file), 0);
}

static void same_files(const char *a, const char *b) {
  static unsigned char x[MOST], y[MOST];
  size_t n = load(a, x);
  assert_int_equal(load(b, y), n);
  assert_memory_equal(x, y, n);
}

static void free_names(char **names) {
  for (int i = 0; names[i]; i++) pl_free(&names[i]);
  pl_free(&names);
}

static void written_is_read(void **state) {
  (void)state;
  pl_dataset *data;
  pl_scalar single;
  float back[6];
  char **names;
  pl_box box = {2, {7, 40}, {2, 3}};
  write_archive("a.npz");
  assert_int_equal(pl_dataset_open("a.npz:z", &data), PLAIT_OK);
  assert_string_equal(data->meta.name, "z");
  assert_int_equal(data->meta.shape[1], NX);
  plait_block to = pl_block_over(back, PLAIT_F32, &box, NULL);
  assert_int_equal(pl_dataset_fetch(data, &box, NULL, &to), PLAIT_OK);
  for (int i = 0; i < 6; i++) assert_true(back[i] == (float)((7 + i / 3) * NX + 40 + i % 3));
  assert_int_equal(data->format->list("a.npz", &names), PLAIT_OK);
  assert_string_equal(names[0], "z");
  assert_string_equal(names[1], "y");
  assert_null(names[2]);
  free_names(names);
  pl_dataset_close(&data);
  assert_int_equal(pl_dataset_scalars("a.npz", &names), PLAIT_OK);
  assert_string_equal(names[0], "total");
  assert_null(names[1]);
  free_names(names);
  assert_int_equal(pl_dataset_scalar("a.npz:total", &single), PLAIT_OK);
  assert_true(single.value == 1234.5 && single.type == PLAIT_F64);
}

// The checksums, against the one that the format's own documentation gives for "123456789".
static void checksum_is_the_known_one(void **state) {
  (void)state;
  static const unsigned char known[] = {0x26, 0x39, 0xf4, 0xcb};
  static unsigned char bytes[MOST];
  pl_zip zip = {0};
  int fd = open("b.npz", O_RDWR | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(pl_zip_plan(&zip, "digits", 9, 0, 64), PLAIT_OK);
  assert_int_equal(zip.at[0].begin % 64, 0);
  assert_int_equal(pl_zip_write(fd, "b.npz", &zip), PLAIT_OK);
  assert_int_equal(pwrite(fd, "123456789", 9, zip.at[0].begin), 9);
  assert_int_equal(pl_zip_seal(fd, "b.npz", &zip, false), PLAIT_OK);
  load("b.npz", bytes);
  assert_memory_equal(bytes + 14, known, 4);
  assert_memory_equal(bytes + zip.directory + 16, known, 4);
  pl_zip_free(&zip);
  close(fd);
  unlink("b.npz");
}

static void the_same_bytes_also_after_a_kill(void **state) {
  (void)state;
  pl_coord lat;
  pl_layout layout = make_layout(&lat);
  pl_output *output;
  const pl_outformat *npz = NULL;
  for (int i = 0; pl_outformats[i]; i++)
    if (strcmp(pl_outformats[i]->name, "npz") == 0) npz = pl_outformats[i];
  write_archive("a.npz");
  write_archive("b.npz");
  same_files("a.npz", "b.npz");
  assert_int_equal(pl_output_open(comm, "a.npz", &layout, true, &output), PLAIT_OK);
  store_all(output);
  pl_output_close(&output);
  assert_int_equal(npz->seal("a.npz.partial", &layout, false), PLAIT_OK); // and then it was killed
  same_files("a.npz.partial", "b.npz");
  assert_int_equal(pl_output_reopen(comm, "a.npz", &layout, &output), PLAIT_OK);
  pl_output_force(output, true);
  assert_int_equal(pl_output_commit(output), PLAIT_OK);
  pl_output_close(&output);
  same_files("a.npz", "b.npz");
}

static void refused(const char *spec, const char *message) {
  pl_dataset *data;
  assert_int_equal(pl_dataset_open(spec, &data), PLAIT_INPUT);
  assert_null(data);
  if (!strstr(pl_message(), message)) fail_msg("%s: '%s'", spec, pl_message());
}

static void what_cannot_be_read_is_named(void **state) {
  (void)state;
  static unsigned char bytes[MOST];
  write_archive("a.npz");
  size_t n = load("a.npz", bytes);
  refused("a.npz", "several arrays; say which one (FILE:NAME): z, total, y");
  refused("a.npz:zz", "did you mean 'z'?");
  refused("a.npz:something", "it has: z, total, y");
  refused("a.npz:total", "single value");
  unsigned char *entry = memmem(bytes, n, "PK\x01\x02", 4);
  assert_non_null(entry);
  entry[10] = 8;
  save("b.npz", bytes, n);
  refused("b.npz:z", "z is compressed: save it with numpy.savez");
  entry[8] = 1;
  save("b.npz", bytes, n);
  refused("b.npz:z", "encrypted");
  unlink("b.npz");
}

// Each prefix of the file, and each byte of its directory and headers replaced: an array, or one
// line; under a sanitizer, nothing outside what was read.
static void damaged(void **state) {
  (void)state;
  static unsigned char bytes[MOST];
  pl_dataset *data;
  write_archive("a.npz");
  size_t n = load("a.npz", bytes);
  for (size_t cut = 0; cut < n; cut += cut < n - 600 ? 97 : 1) {
    save("b.npz", bytes, cut);
    assert_int_equal(pl_dataset_open("b.npz:z", &data), PLAIT_INPUT);
  }
  for (size_t i = n - 600; i < n; i++)
    for (int k = 0; k < 2; k++) {
      unsigned char was = bytes[i];
      bytes[i] = k ? 0xff : was ^ 1;
      save("b.npz", bytes, n);
      if (pl_dataset_open("b.npz:z", &data) == PLAIT_OK) pl_dataset_close(&data);
      bytes[i] = was;
    }
  unlink("b.npz");
}

static void two_arrays_of_one_name(void **state) {
  (void)state;
  pl_coord lat;
  pl_layout layout = make_layout(&lat);
  snprintf(layout.vars[1].name, sizeof layout.vars[1].name, "y");
  assert_int_equal(pl_output_check("c.npz", &layout, false), PLAIT_OUTPUT);
  assert_non_null(strstr(pl_message(), "same name"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(written_is_read),
      cmocka_unit_test(checksum_is_the_known_one),
      cmocka_unit_test(the_same_bytes_also_after_a_kill),
      cmocka_unit_test(what_cannot_be_read_is_named),
      cmocka_unit_test(damaged),
      cmocka_unit_test(two_arrays_of_one_name),
  };
  return cmocka_run_group_tests(tests, enter_dir, remove_dir);
}
