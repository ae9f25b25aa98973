// SPDX-License-Identifier: BSD-3-Clause
//
// Truncated and flipped NetCDF files: an error in one line or, where a flip hit a value, another
// value; never a crash (run under the address sanitizer too) and never a wrong checksum unseen.
// Flips inside the metadata of HDF5 are left out where the system's libhdf5 itself does not survive
// them.
#include "base/mem.h"
#include "data/dataset.h"
#include "netcdf_files.h"
#include <sys/stat.h>

static unsigned char *bytes;
static size_t length;

static void load(void) {
  FILE *in = fopen(file_name, "rb");
  struct stat st;
  assert_non_null(in);
  assert_int_equal(stat(file_name, &st), 0);
  length = (size_t)st.st_size;
  bytes = malloc(length);
  assert_int_equal(fread(bytes, 1, length, in), length);
  fclose(in);
}

static void store(size_t n) {
  unlink(file_name); // file systems flush a file that is truncated and written again
  FILE *out = fopen(file_name, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(bytes, 1, n, out), n);
  fclose(out);
}

// Opens and reads all of it. The error says one line.
static plait_err read_all(void) {
  pl_dataset *dataset;
  const int64_t none[PLAIT_DIMS] = {0};
  void *data = NULL, *raw = NULL;
  plait_raise raise = {0};
  char spec[300];
  snprintf(spec, sizeof spec, "%s:v", file_name);
  plait_err err = pl_dataset_open(spec, &dataset);
  if (err == PLAIT_OK) {
    pl_box box = {.ndim = dataset->meta.ndim};
    memcpy(box.n, dataset->meta.shape, sizeof box.n);
    if (pl_box_cells(&box) < 1 << 24) {
      assert_int_equal(pl_alloc(pl_block_bytes(dataset->meta.type, &box, none), 1, &data),
                       PLAIT_OK);
      assert_int_equal(pl_alloc(pl_dataset_raw_bytes(dataset, box.n), 1, &raw), PLAIT_OK);
      plait_block to = pl_block_over(data, dataset->meta.type, &box, none);
      err = pl_dataset_fetch(dataset, &box, raw, &to);
      if (err == PLAIT_OK) pl_dataset_decode(dataset, &box, raw, &to, &raise);
      if (err == PLAIT_OK) err = pl_raised(&raise);
    }
  }
  pl_free(&data);
  pl_free(&raw);
  pl_dataset_close(&dataset);
  if (err != PLAIT_OK) {
    assert_true(err == PLAIT_INPUT || err == PLAIT_IO || err == PLAIT_MEMORY);
    assert_non_null(strstr(pl_message(), "t.nc"));
    assert_null(strchr(pl_message(), '\n'));
  }
  return err;
}

static void every_truncation(const form *f, size_t step) {
  write_file(file_name, f);
  load();
  for (size_t n = 0; n < length; n += n < 64 ? 1 : step) {
    store(n);
    if (read_all() == PLAIT_OK) fail_msg("%zu of %zu bytes were enough", n, length);
  }
  free(bytes);
}

static void truncated(void **state) {
  (void)state;
  static const int modes[] = {0, NC_64BIT_OFFSET, NC_64BIT_DATA};
  for (int m = 0; m < 3; m++) {
    form f = {.mode = modes[m], .type = NC_FLOAT, .ndim = 2, .shape = {6, 5}, .nfill = 1};
    every_truncation(&f, 1);
    f.unlimited = true;
    every_truncation(&f, 1);
  }
  form f = {.mode = NC_NETCDF4, .type = NC_FLOAT, .ndim = 2, .shape = {6, 5}};
  every_truncation(&f, 61);
  f.chunk[0] = 2, f.chunk[1] = 3, f.deflate = 1;
  every_truncation(&f, 61);
}

static void flipped_classic(void **state) {
  (void)state;
  static const int modes[] = {0, NC_64BIT_OFFSET, NC_64BIT_DATA};
  for (int m = 0; m < 3; m++)
    for (int records = 0; records < 2; records++) {
      form f = {.mode = modes[m],
                .type = NC_SHORT,
                .ndim = 2,
                .shape = {4, 3},
                .nfill = 1,
                .unlimited = records,
                .neighbours = 2,
                .scale = 2};
      write_file(file_name, &f);
      load();
      for (size_t i = 0; i < length; i++)
        for (int bit = (int)(i % 7); bit < 8;
             bit += 7 - (int)(i % 7)) { // one of the low ones, the top
          bytes[i] ^= (unsigned char)(1 << bit);
          store(length);
          read_all();
          bytes[i] ^= (unsigned char)(1 << bit);
        }
      free(bytes);
    }
}

// Where the stored bytes of chunk data lie: behind the first bytes of a zlib stream.
static size_t find_zlib(size_t from) {
  for (size_t i = from; i + 2 < length; i++)
    if (bytes[i] == 0x78 && (bytes[i] * 256 + bytes[i + 1]) % 31 == 0) return i;
  return length;
}

static void flipped_chunks(void **state) {
  (void)state;
  form f = {.mode = NC_NETCDF4,
            .type = NC_INT,
            .ndim = 1,
            .shape = {3000},
            .chunk = {3000},
            .deflate = 1,
            .shuffle = 2};
  for (int checked = 0; checked < 2; checked++) {
    f.fletcher = checked ? 3 : 0;
    write_file(file_name, &f);
    load();
    assert_int_equal(read_all(), PLAIT_OK);
    int failed = 0, tried = 0;
    size_t begin = find_zlib(512);
    assert_true(begin < length);
    for (size_t i = begin; i < begin + 500 && i < length; i += 7, tried++) {
      bytes[i] ^= 0x10;
      store(length);
      failed += read_all() != PLAIT_OK;
      bytes[i] ^= 0x10;
    }
    assert_int_equal(failed, tried); // the checksum of zlib sees each
    free(bytes);
  }
}

static void not_netcdf_inside(void **state) {
  (void)state;
  static const char *const heads[] = {"CDF\001", "CDF\002", "CDF\005", "\211HDF\r\n\032\n"};
  for (int h = 0; h < 4; h++)
    for (int fill = 0; fill < 256; fill += 51) {
      length = 700;
      bytes = malloc(length);
      memset(bytes, fill, length);
      memcpy(bytes, heads[h], strlen(heads[h]));
      store(length);
      assert_int_equal(read_all(), PLAIT_INPUT);
      free(bytes);
    }
}

// A CDF-5 header whose variable would have 2^62 cells.
static void absurd_shape(void **state) {
  (void)state;
  form f = {.mode = NC_64BIT_DATA, .type = NC_DOUBLE, .ndim = 2, .shape = {3, 5}};
  write_file(file_name, &f);
  load();
  for (size_t i = 0; i + 8 < length; i++) { // the length of d0 stands behind its name
    if (memcmp(bytes + i, "d0\0\0", 4) != 0) continue;
    bytes[i + 4] = 0x40;
    break;
  }
  store(length);
  assert_int_equal(read_all(), PLAIT_INPUT);
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(truncated),      cmocka_unit_test(flipped_classic),
      cmocka_unit_test(flipped_chunks), cmocka_unit_test(not_netcdf_inside),
      cmocka_unit_test(absurd_shape),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
