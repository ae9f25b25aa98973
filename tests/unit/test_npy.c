// SPDX-License-Identifier: BSD-3-Clause
//
// The NPY header, good and bad, and reading boxes of files whose bytes are written here.
#include "data/npy.h"
#include "base/mem.h"
#include "data/dataset.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/plait-npy-XXXXXX";
static char path[sizeof dir + 32];

static int make_dir(void **state) {
  (void)state;
  if (mkdtemp(dir) == NULL) return -1;
  snprintf(path, sizeof path, "%s/a.npy", dir);
  return 0;
}

static int remove_dir(void **state) {
  (void)state;
  unlink(path);
  return rmdir(dir);
}

// A header of `version` around the dict; returns its length.
static size_t wrap(int version, const char *dict, unsigned char out[1024]) {
  size_t n = strlen(dict), prefix = version == 1 ? 10 : 12;
  memcpy(out, "\x93NUMPY", 6);
  out[6] = (unsigned char)version;
  out[7] = 0;
  for (size_t i = 8; i < prefix; i++)
    out[i] = (unsigned char)(i == 8 ? n & 255 : i == 9 ? n >> 8 : 0);
  memcpy(out + prefix, dict, n);
  return prefix + n;
}

static plait_err parse(int version, const char *dict, pl_npy *npy) {
  unsigned char header[1024];
  size_t bytes = wrap(version, dict, header);
  unsigned char *exact = NULL; // of that length, so that a sanitizer sees a read behind it
  assert_int_equal(pl_alloc(bytes, 1, &exact), PLAIT_OK);
  memcpy(exact, header, bytes);
  plait_err err = pl_npy_parse(exact, bytes, "f.npy", npy);
  pl_free(&exact);
  return err;
}

static void test_good_headers(void **state) {
  (void)state;
  pl_npy npy;
  assert_int_equal(
      parse(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }   \n", &npy), PLAIT_OK);
  assert_int_equal(npy.type, PLAIT_F64);
  assert_int_equal(npy.ndim, 2);
  assert_int_equal(npy.shape[1], 4);
  assert_false(npy.swap);
  assert_false(npy.fortran);
  assert_int_equal(npy.start, 10 + 63);
  assert_int_equal(parse(2, "{\"shape\":(7,),\"fortran_order\":True,\"descr\":\">i2\"}", &npy),
                   PLAIT_OK);
  assert_int_equal(npy.type, PLAIT_I16);
  assert_true(npy.swap);
  assert_true(npy.fortran);
  assert_int_equal(npy.ndim, 1);
  assert_int_equal(parse(3, "{'descr': '|b1', 'fortran_order': False, 'shape': (5L, 2L)}", &npy),
                   PLAIT_OK);
  assert_int_equal(npy.type, PLAIT_U8);
  assert_int_equal(parse(1, "{'descr': '>u1', 'fortran_order': False, 'shape': ()}", &npy),
                   PLAIT_OK);
  assert_int_equal(npy.ndim, 0);
  assert_false(npy.swap); // a byte has no order
}

static void test_types(void **state) {
  (void)state;
  static const struct {
    const char *descr;
    int type; // -1: refused ..
    const char *message;
  } rows[] = {
      {"'<i1'", PLAIT_I8, ""},         {"'|i1'", PLAIT_I8, ""},
      {"'<i4'", PLAIT_I32, ""},        {"'=i8'", PLAIT_I64, ""},
      {"'<u2'", PLAIT_U16, ""},        {"'>u4'", PLAIT_U32, ""},
      {"'u8'", PLAIT_U64, ""},         {"'<f4'", PLAIT_F32, ""},
      {"'>f8'", PLAIT_F64, ""},        {"'<f2'", -1, "float16"},
      {"'<c8'", -1, "complex"},        {"'|O'", -1, "Python objects"},
      {"'<f16'", -1, "extended"},      {"'<U7'", -1, "text"},
      {"'|S3'", -1, "text"},           {"'<M8[D]'", -1, "dates"},
      {"'|V8'", -1, "structured"},     {"[('a', '<i4')]", -1, "structured"},
      {"'|f4'", -1, "not known"},      {"'<q4'", -1, "not known"},
      {"''", -1, "not known"},         {"'<f4x'", -1, "extended"},
      {"'<i44'", -1, "not known"},     {"None", -1, "a type such as"},
      {"'<\\x66'", -1, "a type such"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char dict[256];
    pl_npy npy;
    snprintf(dict, sizeof dict, "{'descr': %s, 'fortran_order': False, 'shape': (3,)}",
             rows[i].descr);
    plait_err err = parse(1, dict, &npy);
    assert_int_equal(err, rows[i].type < 0 ? PLAIT_INPUT : PLAIT_OK);
    if (rows[i].type < 0)
      assert_non_null(strstr(pl_message(), rows[i].message));
    else
      assert_int_equal(npy.type, rows[i].type);
  }
}

static void test_damaged_headers(void **state) {
  (void)state;
  static const char *const dicts[] = {
      "",
      "{",
      "{}",
      "{'descr': '<f4'}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
      "{'descr': '<f4', 'fortran_order': false, 'shape': (3,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
      "{'descr': '<f4, 'fortran_order': False, 'shape': (3,)}",
      "{descr: '<f4', 'fortran_order': False, 'shape': (3,)}",
      "{'descr' '<f4', 'fortran_order': False, 'shape': (3,)}",
  };
  for (size_t i = 0; i < sizeof dicts / sizeof *dicts; i++) {
    pl_npy npy;
    if (parse(1, dicts[i], &npy) != PLAIT_INPUT) fail_msg("accepted: %s", dicts[i]);
    assert_non_null(strstr(pl_message(), "f.npy: "));
  }
}

static void test_damaged_prefix(void **state) {
  (void)state;
  unsigned char header[1024];
  size_t length, bytes = wrap(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", header);
  pl_npy npy;
  for (size_t n = 0; n < bytes; n++) // cut anywhere
    assert_int_equal(pl_npy_parse(header, n, "f.npy", &npy), PLAIT_INPUT);
  assert_int_equal(pl_npy_length(header, bytes, "f.npy", &length), PLAIT_OK);
  assert_int_equal(length, bytes);
  header[6] = 4;
  assert_int_equal(pl_npy_length(header, bytes, "f.npy", &length), PLAIT_INPUT);
  header[6] = 2;
  memset(header + 8, 255, 4);
  assert_int_equal(pl_npy_length(header, bytes, "f.npy", &length), PLAIT_INPUT);
  assert_non_null(strstr(pl_message(), "absurd"));
  header[0] = 0;
  assert_int_equal(pl_npy_length(header, bytes, "f.npy", &length), PLAIT_INPUT);
}

static void test_written_header_is_read(void **state) {
  (void)state;
  const int64_t shape[PLAIT_DIMS] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
                                     INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
  for (int t = 0; t < PLAIT_TYPES; t++)
    for (int ndim = 0; ndim <= PLAIT_DIMS; ndim++) {
      unsigned char header[PL_NPY_WRITTEN];
      pl_npy npy;
      size_t n = pl_npy_header((plait_type)t, ndim, shape, header);
      assert_int_equal(n % 64, 0);
      assert_int_equal(pl_npy_parse(header, n, "f.npy", &npy), PLAIT_OK);
      assert_int_equal(npy.type, t);
      assert_int_equal(npy.ndim, ndim);
      assert_int_equal(npy.start, n);
      assert_false(npy.swap);
      for (int d = 0; d < ndim; d++) assert_int_equal(npy.shape[d], INT64_MAX);
    }
}

// ---- files ----

static void write_npy(const char *dict, const void *data, size_t bytes) {
  unsigned char header[1024];
  size_t n = wrap(1, dict, header);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(header, 1, n, file), n);
  if (bytes > 0) assert_int_equal(fwrite(data, 1, bytes, file), bytes);
  assert_int_equal(fclose(file), 0);
}

static void refuse(const char *dict, size_t bytes, const char *message) {
  static const char zeros[64];
  pl_dataset *dataset;
  write_npy(dict, zeros, bytes);
  assert_int_equal(pl_dataset_open(path, &dataset), PLAIT_INPUT);
  assert_null(dataset);
  if (strstr(pl_message(), message) == NULL) fail_msg("'%s' lacks '%s'", pl_message(), message);
}

static void test_bad_files(void **state) {
  (void)state;
  refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 4)}", 63, "truncated: expected");
  refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 0)}", 64,
         "axis 1 (axis1) has length 0");
  refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}", 64, "absurd");
  refuse("{'descr': '|u1', 'fortran_order': False, 'shape': (2147483648, 4294967296)}", 64,
         "absurd");
  refuse("{'descr': '|u1', 'fortran_order': False, 'shape': (1152921504606846975,)}", 64,
         "truncated");
  refuse("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", 64, "single value");
  char spec[sizeof path + 2];
  pl_dataset *dataset;
  write_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}", "abcd", 4);
  snprintf(spec, sizeof spec, "%s:z", path);
  assert_int_equal(pl_dataset_open(spec, &dataset), PLAIT_INPUT);
  assert_non_null(strstr(pl_message(), "without a name"));
  FILE *file = fopen(path, "wb");
  fputs("\x93NUMPY\x01", file);
  fclose(file);
  assert_int_equal(pl_dataset_open(path, &dataset), PLAIT_INPUT);
  assert_non_null(strstr(pl_message(), "truncated"));
}

// Reads `box` with a halo around it in memory and checks own cells and that the halo is untouched.
static void check_box(pl_dataset *dataset, pl_box box, int64_t pad) {
  const pl_meta *m = &dataset->meta;
  const int64_t halo[] = {pad, pad, pad};
  size_t size = plait_type_size(m->type), bytes = pl_block_bytes(m->type, &box, halo);
  unsigned char *data;
  plait_raise raise = {0};
  assert_int_equal(pl_dataset_raw_bytes(dataset, box.n), 0);
  assert_int_equal(pl_alloc(bytes, 1, &data), PLAIT_OK);
  memset(data, 0x5a, bytes);
  plait_block b = pl_block_over(data, m->type, &box, halo), own = pl_block_part(&b, &box);
  assert_int_equal(pl_dataset_fetch(dataset, &box, NULL, &own), PLAIT_OK);
#pragma omp parallel num_threads(2)
  pl_dataset_decode(dataset, &box, NULL, &own, &raise);
  for (int64_t cell = 0; cell < (int64_t)(bytes / size); cell++) {
    int64_t rest = cell, at[3] = {0}, value = 0;
    bool inside = true;
    for (int d = 2; d >= 0; d--) {
      at[d] = rest % (box.n[d] + 2 * pad) - pad;
      rest /= box.n[d] + 2 * pad;
      inside &= at[d] >= 0 && at[d] < box.n[d];
    }
    for (int d = 0; d < 3; d++) value = value * m->shape[d] + box.lo[d] + at[d];
    unsigned char pattern[8];
    memset(pattern, 0x5a, sizeof pattern);
    if (inside)
      assert_true(pl_value(m->type, data, (size_t)cell) == (double)value);
    else
      assert_memory_equal(data + (size_t)cell * size, pattern, size);
  }
  pl_free(&data);
}

static void test_read_boxes(void **state) {
  (void)state;
  enum { A = 7, B = 40, C = 60 };
  int32_t *values;
  assert_int_equal(pl_alloc(A * B * C, sizeof *values, &values), PLAIT_OK);
  for (int swap = 0; swap < 2; swap++) {
    for (int i = 0; i < A * B * C; i++)
      values[i] = swap ? (int32_t)__builtin_bswap32((uint32_t)i) : i;
    write_npy(swap ? "{'descr': '>i4', 'fortran_order': False, 'shape': (7, 40, 60)}"
                   : "{'descr': '<i4', 'fortran_order': False, 'shape': (7, 40, 60)}",
              values, A * B * C * sizeof *values);
    pl_dataset *dataset;
    assert_int_equal(pl_dataset_open(path, &dataset), PLAIT_OK);
    assert_string_equal(dataset->meta.name, "a");
    assert_string_equal(dataset->meta.dims[2], "axis2");
    assert_int_equal(pl_dataset_file_bytes(dataset), A * B * C * 4);
    for (int64_t pad = 0; pad < 3; pad++) {
      check_box(dataset, (pl_box){3, {0, 0, 0}, {A, B, C}}, pad);
      check_box(dataset, (pl_box){3, {2, 0, 0}, {3, B, C}}, pad);
      check_box(dataset, (pl_box){3, {2, 3, 0}, {2, 30, C}}, pad);
      check_box(dataset, (pl_box){3, {1, 3, 7}, {5, 36, 50}}, pad);
      check_box(dataset, (pl_box){3, {0, 0, 59}, {A, B, 1}}, pad);
      check_box(dataset, (pl_box){3, {6, 39, 59}, {1, 1, 1}}, pad);
    }
    pl_dataset_close(&dataset);
    assert_null(dataset);
  }
  pl_free(&values);
}

// More rows than one call takes, with gaps too wide to be read through.
static void test_read_many_rows(void **state) {
  (void)state;
  enum { ROWS = 3000, WIDTH = 1500 };
  int32_t *values;
  assert_int_equal(pl_alloc(ROWS * WIDTH, sizeof *values, &values), PLAIT_OK);
  for (int i = 0; i < ROWS * WIDTH; i++) values[i] = i;
  write_npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1, 3000, 1500)}", values,
            (size_t)ROWS * WIDTH * sizeof *values);
  pl_free(&values);
  pl_dataset *dataset;
  assert_int_equal(pl_dataset_open(path, &dataset), PLAIT_OK);
  check_box(dataset, (pl_box){3, {0, 0, 0}, {1, ROWS, WIDTH}}, 1);   // rows that follow each other
  check_box(dataset, (pl_box){3, {0, 1, 5}, {1, ROWS - 2, 800}}, 1); // gaps read through
  check_box(dataset, (pl_box){3, {0, 0, 9}, {1, ROWS, 20}}, 0);      // gaps skipped
  assert_int_equal(truncate(path, 1000000), 0);                      // shrinks under our hands
  plait_block b;
  void *data;
  pl_box all = {3, {0, 0, 0}, {1, ROWS, WIDTH}};
  assert_int_equal(pl_alloc(pl_block_bytes(PLAIT_I32, &all, NULL), 1, &data), PLAIT_OK);
  b = pl_block_over(data, PLAIT_I32, &all, NULL);
  assert_int_equal(pl_dataset_fetch(dataset, &all, NULL, &b), PLAIT_IO);
  assert_non_null(strstr(pl_message(), "ends at byte 1000000"));
  pl_free(&data);
  pl_dataset_close(&dataset);
}

static void test_fortran_order_is_presented_reversed(void **state) {
  (void)state;
  const uint8_t values[6] = {0, 1, 2, 3, 4, 5};
  pl_dataset *dataset;
  write_npy("{'descr': '|u1', 'fortran_order': True, 'shape': (3, 2)}", values, 6);
  assert_int_equal(pl_dataset_open(path, &dataset), PLAIT_OK);
  assert_int_equal(dataset->meta.shape[0], 2);
  assert_int_equal(dataset->meta.shape[1], 3);
  assert_string_equal(dataset->meta.dims[0], "axis1");
  assert_string_equal(dataset->meta.dims[1], "axis0");
  pl_dataset_close(&dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good_headers),
      cmocka_unit_test(test_types),
      cmocka_unit_test(test_damaged_headers),
      cmocka_unit_test(test_damaged_prefix),
      cmocka_unit_test(test_written_header_is_read),
      cmocka_unit_test(test_bad_files),
      cmocka_unit_test(test_read_boxes),
      cmocka_unit_test(test_read_many_rows),
      cmocka_unit_test(test_fortran_order_is_presented_reversed),
  };
  return cmocka_run_group_tests_name("npy", tests, make_dir, remove_dir);
}
