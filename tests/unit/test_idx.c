// SPDX-License-Identifier: BSD-3-Clause
//
// IDX files of every type, plain and inside gzip, whole and in boxes; files that are damaged, cut
// short, or lie about their length.
#include "base/err.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "data/idx.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char place[] = "/tmp/plait-test-idx-XXXXXX";
static char path[64];

static const struct {
  unsigned char code;
  plait_type type;
} kinds[] = {{0x08, PLAIT_U8},  {0x09, PLAIT_I8},  {0x0b, PLAIT_I16},
             {0x0c, PLAIT_I32}, {0x0d, PLAIT_F32}, {0x0e, PLAIT_F64}};

// 5 x 3 x 4 values 0, 1, 2, .. big-endian, behind their header: the bytes of the file.
static size_t make_file(int kind, unsigned char *to) {
  static const unsigned char shape[] = {0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 4};
  size_t size = plait_type_size(kinds[kind].type);
  memcpy(to, (const unsigned char[]){0, 0, kinds[kind].code, 3}, 4);
  memcpy(to + 4, shape, sizeof shape);
  for (int i = 0; i < 60; i++) {
    double value = i, one[1];
    plait_row_from_f64(kinds[kind].type, &value, 1, one);
    for (size_t b = 0; b < size; b++)
      to[16 + (size_t)i * size + b] = ((unsigned char *)one)[size - 1 - b];
  }
  return 16 + 60 * size;
}

static void write_file(const void *bytes, size_t n) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, n, file), n);
  assert_int_equal(fclose(file), 0);
}

// gzip with one stored block: header, deflate, checksum, length.
static size_t gzip(const unsigned char *from, size_t n, unsigned char *to) {
  uint32_t crc = 0xffffffff;
  memcpy(to, "\x1f\x8b\x08\0\0\0\0\0\0\xff\x01", 11);
  for (int b = 0; b < 2; b++) {
    to[11 + b] = (unsigned char)(n >> 8 * b);
    to[13 + b] = (unsigned char)(~n >> 8 * b);
  }
  memcpy(to + 15, from, n);
  for (size_t i = 0; i < n; i++) {
    crc ^= from[i];
    for (int k = 0; k < 8; k++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
  }
  for (int b = 0; b < 4; b++) {
    to[15 + n + (size_t)b] = (unsigned char)(~crc >> 8 * b);
    to[19 + n + (size_t)b] = (unsigned char)(n >> 8 * b);
  }
  return n + 23;
}

static void check_box(pl_dataset *dataset, pl_box box) {
  double got[60];
  void *memory;
  assert_int_equal(pl_alloc(60, 8, &memory), PLAIT_OK);
  plait_raise raise = {0};
  plait_block block = pl_block_over(memory, dataset->meta.type, &box, NULL);
  assert_int_equal(pl_dataset_raw_bytes(dataset, box.n), 0);
  assert_int_equal(pl_dataset_fetch(dataset, &box, NULL, &block), PLAIT_OK);
  pl_dataset_decode(dataset, &box, NULL, &block, &raise);
  plait_row_to_f64(dataset->meta.type, memory, pl_box_cells(&box), got);
  int64_t k = 0;
  for (int64_t i = 0; i < box.n[0]; i++)
    for (int64_t j = 0; j < box.n[1]; j++)
      for (int64_t l = 0; l < box.n[2]; l++)
        assert_true(got[k++] ==
                    (double)((box.lo[0] + i) * 12 + (box.lo[1] + j) * 4 + box.lo[2] + l));
  pl_free(&memory);
}

static void every_type(void **state) {
  (void)state;
  unsigned char plain[1024], packed[1024];
  for (int kind = 0; kind < 6; kind++)
    for (int zip = 0; zip < 2; zip++) {
      pl_dataset *dataset;
      size_t n = make_file(kind, plain);
      write_file(zip ? packed : plain, zip ? gzip(plain, n, packed) : n);
      if (pl_dataset_open(path, &dataset) != PLAIT_OK) fail_msg("%s", pl_message());
      assert_string_equal(dataset->format->name, "idx");
      assert_string_equal(dataset->meta.name, "array_one");
      assert_int_equal(dataset->meta.type, kinds[kind].type);
      assert_int_equal(dataset->meta.ndim, 3);
      check_box(dataset, (pl_box){.ndim = 3, .n = {5, 3, 4}});
      check_box(dataset, (pl_box){.ndim = 3, .lo = {1, 1, 2}, .n = {3, 2, 2}});
      check_box(dataset, (pl_box){.ndim = 3, .lo = {4, 2, 3}, .n = {1, 1, 1}});
      pl_dataset_close(&dataset);
    }
}

static void refused(const unsigned char *bytes, size_t n, const char *why) {
  pl_dataset *dataset;
  write_file(bytes, n);
  assert_int_equal(pl_dataset_open(path, &dataset), PLAIT_INPUT);
  assert_null(dataset);
  if (!strstr(pl_message(), why)) fail_msg("'%s' does not say '%s'", pl_message(), why);
}

static void damaged(void **state) {
  (void)state;
  unsigned char plain[1024], packed[1024], other[1024];
  size_t n = make_file(2, plain), z = gzip(plain, n, packed);
  refused(plain, n - 1, "truncated: expected 120 bytes of values, has 119");
  refused(plain, 10, "truncated in its header");
  for (size_t cut = 3; cut < z; cut++) refused(packed, cut, "gzip");
  for (size_t i = 11; i < z; i++) { // one bit of the content, the checksum or the length
    packed[i] ^= 0x10;
    refused(packed, z, "gzip");
    packed[i] ^= 0x10;
  }
  refused(packed, gzip(plain, n - 1, packed), "truncated: expected 120");
  refused(packed, gzip((const unsigned char *)"not an array", 12, packed), "no IDX array");
  memcpy(other, plain, n);
  memset(other + 8, 0, 4);
  refused(other, n, "axis 1 has length 0");
  memset(other + 4, 0xff, 12);
  refused(other, n, "");
  other[2] = 0x0a;
  refused(other, n, "not an array file");
  char spec[80];
  pl_dataset *dataset;
  write_file(plain, n);
  snprintf(spec, sizeof spec, "%s:x", path);
  assert_int_equal(pl_dataset_open(spec, &dataset), PLAIT_INPUT);
  assert_non_null(strstr(pl_message(), "without a name"));
}

// A few bytes that claim 4 GiB do not make anybody allocate them.
static void lying_length(void **state) {
  (void)state;
  unsigned char plain[1024], packed[1024], *content;
  size_t n = make_file(0, plain), z = gzip(plain, n, packed), length;
  memset(packed + z - 4, 0xff, 4);
  assert_int_equal(pl_gunzip(packed, z, "liar.gz", &content, &length), PLAIT_INPUT);
  assert_null(content);
  assert_non_null(strstr(pl_message(), "cannot hold 4294967295"));
}

static int make_place(void **state) {
  (void)state;
  if (!mkdtemp(place)) return -1;
  snprintf(path, sizeof path, "%s/array-one.idx3", place);
  return 0;
}

static int clear_place(void **state) {
  (void)state;
  return unlink(path) != 0 || rmdir(place) != 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type),
      cmocka_unit_test(damaged),
      cmocka_unit_test(lying_length),
  };
  return cmocka_run_group_tests(tests, make_place, clear_place);
}
