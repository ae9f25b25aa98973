// SPDX-License-Identifier: BSD-3-Clause
//
// The header of an IDX file (the format of MNIST): 0 0 TYPE NDIM, then the lengths of the axes,
// then
// the values, everything big-endian.
#ifndef PL_IDX_H
#define PL_IDX_H
#include "base/err.h"

enum { PL_IDX_HEAD = 4 + 4 * PLAIT_DIMS }; // bytes of the longest header

typedef struct pl_idx {
  plait_type type;
  int ndim;
  int64_t shape[PLAIT_DIMS];
  size_t start; // byte of the first value
  size_t bytes; // of all values
} pl_idx;

bool pl_idx_claims(const unsigned char *head, size_t bytes);
// From the first bytes of a file. PLAIT_INPUT: no IDX header, cut short, an axis of length 0.
plait_err pl_idx_parse(const unsigned char *head, size_t bytes, const char *path, pl_idx *idx);
// A gzip file inflated whole into memory, *owned by the caller* (pl_free). PLAIT_INPUT: damaged,
// cut
// short, longer than 4 GiB; PLAIT_MEMORY.
plait_err pl_gunzip(const unsigned char *from, size_t bytes, const char *path, unsigned char **to,
                    size_t *length);
#endif
