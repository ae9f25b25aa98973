// SPDX-License-Identifier: BSD-3-Clause
//
// Reading NetCDF: every type in every form of storage, boxes at random places, compared with what
// the library itself reads (nc_get_vara), then damaged files.
#include "base/mem.h"
#include "data/dataset.h"
#include "data/netcdf.h"
#include "netcdf_files.h"
#include <math.h>

static uint64_t dice_state = 1;

static int64_t dice(int64_t n) { // 0 .. n-1, the same in every run
  dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
  return (int64_t)((dice_state >> 33) % (uint64_t)n);
}

static double expected(const pl_meta *meta, double stored) {
  for (int m = 0; m < meta->nmissing; m++)
    if (stored == meta->missing[m]) return NAN;
  if (!meta->packed) return stored;
  double value = stored * meta->scale + meta->offset;
  return meta->type == PLAIT_F32 ? (double)(float)value : value;
}

static double *read_by_library(const char *path, const pl_box *box, bool is_unsigned) {
  int ncid, v;
  size_t start[PLAIT_DIMS], count[PLAIT_DIMS];
  double *values = malloc((size_t)pl_box_cells(box) * sizeof *values);
  for (int d = 0; d < box->ndim; d++) {
    start[d] = (size_t)box->lo[d];
    count[d] = (size_t)box->n[d];
  }
  MUST(nc_open(path, NC_NOWRITE, &ncid));
  MUST(nc_inq_varid(ncid, "v", &v));
  MUST(nc_get_vara_double(ncid, v, start, count, values));
  MUST(nc_close(ncid));
  for (int64_t i = 0; is_unsigned && i < pl_box_cells(box); i++)
    if (values[i] < 0) values[i] += 65536; // the tests use NC_SHORT
  return values;
}

// Fetches and decodes into a block with a border that must stay as it is.
static plait_err read_box(pl_dataset *dataset, const pl_box *box, int threads, plait_block *to,
                          void **room, size_t *room_bytes) {
  const pl_meta *meta = &dataset->meta;
  const int64_t halo[PLAIT_DIMS] = {1, 0, 2, 1};
  void *raw;
  plait_raise raise = {0};
  *room_bytes = pl_block_bytes(meta->type, box, halo);
  assert_int_equal(pl_alloc(*room_bytes, 1, room), PLAIT_OK);
  memset(*room, 0x5a, *room_bytes);
  assert_int_equal(pl_alloc(pl_dataset_raw_bytes(dataset, box->n), 1, &raw), PLAIT_OK);
  *to = pl_block_over(*room, meta->type, box, halo);
  plait_err err = pl_dataset_fetch(dataset, box, raw, to);
  if (err == PLAIT_OK) {
    if (threads > 1) {
#pragma omp parallel num_threads(threads)
      pl_dataset_decode(dataset, box, raw, to, &raise);
    } else {
      pl_dataset_decode(dataset, box, raw, to, &raise);
    }
    err = pl_raised(&raise);
  }
  pl_free(&raw);
  return err;
}

static ptrdiff_t place(const plait_block *b, int64_t i) {
  ptrdiff_t at = 0;
  for (int d = b->ndim - 1; d >= 0; d--) {
    at += (ptrdiff_t)(i % b->extent[d]) * b->stride[d];
    i /= b->extent[d];
  }
  return at;
}

static void check_box(pl_dataset *dataset, const pl_box *box, bool is_unsigned, int threads) {
  plait_block to;
  void *room;
  size_t bytes, size = plait_type_size(dataset->meta.type), touched = 0;
  if (read_box(dataset, box, threads, &to, &room, &bytes) != PLAIT_OK) fail_msg("%s", pl_message());
  double *want = read_by_library(dataset->path, box, is_unsigned);
  for (int64_t i = 0; i < pl_box_cells(box); i++) {
    char *at = (char *)to.data + place(&to, i) * (ptrdiff_t)size;
    double got = pl_value(to.type, at, 0), right = expected(&dataset->meta, want[i]);
    if (!(got == right || (isnan(got) && isnan(right))))
      fail_msg("cell %lld: %g instead of %g", (long long)i, got, right);
    memset(at, 0x5a, size);
  }
  for (size_t i = 0; i < bytes; i++) touched += ((unsigned char *)room)[i] != 0x5a;
  assert_int_equal(touched, 0);
  free(want);
  pl_free(&room);
}

static pl_netcdf_road check_file(const form *f, int boxes) {
  pl_dataset *dataset;
  write_file(file_name, f);
  char spec[300];
  snprintf(spec, sizeof spec, "%s:v", file_name);
  if (pl_dataset_open(spec, &dataset) != PLAIT_OK) fail_msg("%s", pl_message());
  const pl_meta *meta = &dataset->meta;
  assert_int_equal(meta->ndim, f->ndim);
  assert_int_equal(meta->unlimited[0], f->unlimited);
  pl_box box = {.ndim = f->ndim};
  for (int k = 0; k <= boxes; k++) {
    for (int d = 0; d < f->ndim; d++) {
      box.lo[d] = k == 0 ? 0 : dice(meta->shape[d]);
      box.n[d] = k == 0 ? meta->shape[d] : 1 + dice(meta->shape[d] - box.lo[d]);
    }
    check_box(dataset, &box, f->is_unsigned, 1 + k % 3);
  }
  pl_netcdf_road road = ((pl_netcdf *)dataset->state)->road;
  pl_dataset_close(&dataset);
  assert_null(dataset);
  return road;
}

static const nc_type all_types[] = {NC_BYTE, NC_UBYTE, NC_SHORT,  NC_USHORT, NC_INT,
                                    NC_UINT, NC_INT64, NC_UINT64, NC_FLOAT,  NC_DOUBLE};

static void every_type_contiguous_and_classic(void **state) {
  (void)state;
  static const int modes[] = {NC_NETCDF4, NC_64BIT_DATA, NC_64BIT_OFFSET, 0};
  for (int t = 0; t < 10; t++) {
    for (int m = 0; m < 4; m++) {
      nc_type type = all_types[t];
      bool narrow = modes[m] != NC_NETCDF4 && modes[m] != NC_64BIT_DATA;
      if (narrow && (type > NC_DOUBLE)) continue;
      form f = {.mode = modes[m], .type = type, .ndim = 3, .shape = {7, 5, 9}};
      assert_int_equal(check_file(&f, 6), PL_NETCDF_STRAIGHT);
    }
  }
}

static void every_type_in_chunks(void **state) {
  (void)state;
  for (int t = 0; t < 10; t++)
    for (int bits = 0; bits < 8; bits++)
      for (int order = 0; order < 2; order++)
        for (int e = 0; e < 2; e++) {
          form f = {.mode = NC_NETCDF4,
                    .type = all_types[t],
                    .ndim = 3,
                    .shape = {6, 11, 13},
                    .chunk = {2, 4, 5},
                    .endian = e ? NC_ENDIAN_BIG : NC_ENDIAN_LITTLE};
          f.shuffle = bits & 1 ? 1 + order : 0;
          f.deflate = bits & 2 ? 2 + (order && !f.shuffle ? -1 : order) : 0;
          f.fletcher = bits & 4 ? (order ? 1 : 3) : 0;
          assert_int_equal(check_file(&f, 4), PL_NETCDF_CHUNKS); // rows too short for preadv
        }
}

static void unlimited_axes(void **state) {
  (void)state;
  static const int modes[] = {NC_NETCDF4, NC_64BIT_DATA, NC_64BIT_OFFSET, 0};
  for (int m = 0; m < 4; m++)
    for (int beside = 0; beside <= 3; beside++)
      for (int t = 0; t < 4; t++) {
        static const nc_type types[] = {NC_BYTE, NC_SHORT, NC_FLOAT, NC_DOUBLE};
        form f = {.mode = modes[m],
                  .type = types[t],
                  .ndim = 3,
                  .shape = {9, 3, 5},
                  .unlimited = true,
                  .neighbours = beside};
        check_file(&f, 5);
        f.ndim = 1;
        check_file(&f, 5);
      }
}

static void chunks_that_were_never_written(void **state) {
  (void)state;
  form f = {.mode = NC_NETCDF4,
            .type = NC_FLOAT,
            .ndim = 2,
            .shape = {20, 8},
            .chunk = {2, 3},
            .holes = true,
            .nfill = 1,
            .fill = -5};
  assert_int_equal(check_file(&f, 10), PL_NETCDF_CHUNKS);
  f.deflate = 1;
  assert_int_equal(check_file(&f, 10), PL_NETCDF_CHUNKS);
  f.nfill = 0;
  f.endian = NC_ENDIAN_BIG;
  f.last = true;
  check_file(&f, 10);
  f.type = NC_SHORT;
  f.nfill = 1;
  check_file(&f, 10);
}

static void missing_and_packed(void **state) {
  (void)state;
  static const int modes[] = {NC_NETCDF4, NC_64BIT_DATA, 0};
  for (int m = 0; m < 3; m++)
    for (int chunked = 0; chunked < (m == 0 ? 3 : 1); chunked++)
      for (int t = 0; t < 5; t++) {
        static const nc_type types[] = {NC_BYTE, NC_SHORT, NC_INT, NC_FLOAT, NC_DOUBLE};
        form f = {.mode = modes[m],
                  .type = types[t],
                  .ndim = 2,
                  .shape = {15, 17},
                  .nfill = 1,
                  .fill = 3,
                  .nmissing = 3,
                  .missing = {7, 3, 50}};
        if (chunked) f.chunk[0] = 4, f.chunk[1] = 6, f.deflate = 2, f.shuffle = chunked == 2;
        check_file(&f, 6);
        f.scale = 0.25, f.offset = -2;
        check_file(&f, 6);
        f.nmissing = f.nfill = 0;
        check_file(&f, 6);
        f.type = NC_SHORT, f.is_unsigned = true, f.nfill = 1, f.fill = -3;
        check_file(&f, 6);
      }
}

static void compact_goes_through_the_library(void **state) {
  (void)state;
  int ncid, dim, v;
  short values[6] = {1, 2, 3, 4, 5, 6};
  MUST(nc_create(file_name, NC_NETCDF4 | NC_CLOBBER, &ncid));
  MUST(nc_def_dim(ncid, "x", 6, &dim));
  MUST(nc_def_var(ncid, "v", NC_SHORT, 1, &dim, &v));
  MUST(nc_def_var_chunking(ncid, v, NC_COMPACT, NULL));
  MUST(nc_put_var_short(ncid, v, values));
  MUST(nc_close(ncid));
  pl_dataset *dataset;
  assert_int_equal(pl_dataset_open(file_name, &dataset), PLAIT_OK);
  assert_int_equal(((pl_netcdf *)dataset->state)->road, PL_NETCDF_LIBRARY);
  check_box(dataset, &(pl_box){1, {1}, {4}}, false, 2);
  pl_dataset_close(&dataset);
}

static void plain_chunks(void **state) {
  (void)state;
  form f = {.mode = NC_NETCDF4,
            .type = NC_FLOAT,
            .ndim = 2,
            .shape = {20, 1200},
            .chunk = {3, 1200},
            .holes = true,
            .nfill = 1,
            .fill = -5};
  for (int last = 0; last < 2; last++) {
    f.last = last;
    f.endian = last ? NC_ENDIAN_BIG : NC_ENDIAN_LITTLE;
    assert_int_equal(check_file(&f, 10), PL_NETCDF_STRAIGHT);
    f.scale = 0.5;
    f.type = NC_SHORT;
    f.chunk[0] = 4;
    assert_int_equal(check_file(&f, 10), PL_NETCDF_STRAIGHT);
    f.scale = 0;
    f.type = NC_FLOAT;
  }
}

static void many_plain_chunks(void **state) {
  (void)state;
  form f = {.mode = NC_NETCDF4, .type = NC_INT, .ndim = 2, .shape = {90, 100}, .chunk = {1, 2}};
  assert_int_equal(check_file(&f, 3), PL_NETCDF_CHUNKS); // too many to ask for each address
}

static void fletcher32(void **state) {
  (void)state;
  static const unsigned char text[] = "abcdefgh"; // values of the original 16-bit big-endian sum
  assert_int_equal(pl_fletcher32(text, 0), 0);
  assert_int_equal(pl_fletcher32(text, 2), 0x61626162);
  assert_int_equal(pl_fletcher32(text, 4), 0x2629c4c6);
  assert_int_equal(pl_fletcher32(text, 3), 0x25c5c462);
  unsigned char *big = malloc(100001);
  memset(big, 0xff, 100001); // every sum is a multiple of 65535, but not 0
  assert_int_equal(pl_fletcher32(big, 100000), 0xffffffff);
  free(big);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fletcher32),
      cmocka_unit_test(every_type_contiguous_and_classic),
      cmocka_unit_test(every_type_in_chunks),
      cmocka_unit_test(unlimited_axes),
      cmocka_unit_test(chunks_that_were_never_written),
      cmocka_unit_test(missing_and_packed),
      cmocka_unit_test(compact_goes_through_the_library),
      cmocka_unit_test(plain_chunks),
      cmocka_unit_test(many_plain_chunks),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
