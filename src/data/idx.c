// SPDX-License-Identifier: BSD-3-Clause
//
// See idx.h. The length of a gzip file's content stands in its last four bytes. They may lie, so
// that no more is allocated than deflate can make of the bytes that are there (1032 to 1).
#include "data/idx.h"
#include "base/mem.h"
#include <libdeflate.h>

static const int types[256] = {
    [0x08] = 1 + PLAIT_U8,  [0x09] = 1 + PLAIT_I8,  [0x0b] = 1 + PLAIT_I16,
    [0x0c] = 1 + PLAIT_I32, [0x0d] = 1 + PLAIT_F32, [0x0e] = 1 + PLAIT_F64};

bool pl_idx_claims(const unsigned char *head, size_t bytes) {
  return bytes >= 4 && head[0] == 0 && head[1] == 0 && types[head[2]] != 0 && head[3] > 0 &&
         head[3] <= PLAIT_DIMS;
}

plait_err pl_idx_parse(const unsigned char *head, size_t bytes, const char *path, pl_idx *idx) {
  *idx = (pl_idx){.ndim = 0};
  if (!pl_idx_claims(head, bytes))
    return plait_fail(PLAIT_INPUT, "%s: holds no IDX array (0 0 TYPE AXES at its beginning)", path);
  idx->type = (plait_type)(types[head[2]] - 1);
  idx->ndim = head[3];
  idx->start = 4 + 4 * (size_t)idx->ndim;
  idx->bytes = plait_type_size(idx->type);
  if (bytes < idx->start) return plait_fail(PLAIT_INPUT, "%s: truncated in its header", path);
  for (int d = 0; d < idx->ndim; d++) {
    const unsigned char *at = head + 4 + 4 * d;
    uint32_t length = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    if (length == 0) return plait_fail(PLAIT_INPUT, "%s: axis %d has length 0", path, d);
    idx->shape[d] = (int64_t)length;
    if (pl_mul_overflows(idx->bytes, length, &idx->bytes) || idx->bytes > INT64_MAX)
      return plait_fail(PLAIT_INPUT, "%s: absurd shape: more than 2^63 bytes", path);
  }
  return PLAIT_OK;
}

static size_t content_length(const unsigned char *end) {
  return (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
}

plait_err pl_gunzip(const unsigned char *from, size_t bytes, const char *path, unsigned char **to,
                    size_t *length) {
  plait_err err = PLAIT_OK;
  struct libdeflate_decompressor *inflater = NULL;
  *to = NULL;
  if (bytes < 18) return plait_fail(PLAIT_INPUT, "%s: truncated gzip file", path);
  *length = content_length(from + bytes);
  if (*length / 1032 > bytes)
    return plait_fail(PLAIT_INPUT, "%s: damaged gzip file: %zu bytes cannot hold %zu", path, bytes,
                      *length);
  GUARD(pl_alloc(*length, 1, to));
  inflater = libdeflate_alloc_decompressor();
  if (!inflater) GUARD(plait_fail(PLAIT_MEMORY, "out of memory"));
  if (libdeflate_gzip_decompress(inflater, from, bytes, *to, *length, NULL) != LIBDEFLATE_SUCCESS)
    GUARD(plait_fail(PLAIT_INPUT, "%s: damaged or truncated gzip file", path));
done:
  if (inflater) libdeflate_free_decompressor(inflater);
  if (err != PLAIT_OK) pl_free(to);
  return err;
}
