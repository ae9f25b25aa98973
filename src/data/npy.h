// SPDX-License-Identifier: BSD-3-Clause
//
// The header of a NumPy file, versions 1.0 to 3.0 (numpy.lib.format): magic, version, length, and a
// Python dict literal with exactly the keys descr, fortran_order and shape.
#ifndef PL_NPY_H
#define PL_NPY_H
#include "data/meta.h"

#define PL_NPY_PREFIX  12          // bytes that tell how long the header is
#define PL_NPY_LONGEST (64 * 1024) // a longer header is refused: ours has at most 8 axes

typedef struct pl_npy {
  plait_type type;
  bool swap;    // the other byte order than this machine's
  bool fortran; // first axis fastest
  int ndim;
  int64_t shape[PLAIT_DIMS]; // as NumPy shows it
  int64_t start;             // bytes before the first value
} pl_npy;

// Bytes of the whole header from its first PL_NPY_PREFIX bytes. PLAIT_INPUT: wrong magic, unknown
// version, absurd length. `path` is for messages.
plait_err pl_npy_length(const unsigned char *prefix, size_t bytes, const char *path,
                        size_t *length);
// Parses a whole header. PLAIT_INPUT with one line: damaged, or a type or shape that plait does not
// take. Reads nothing outside `bytes`. Threads: any.
plait_err pl_npy_parse(const unsigned char *header, size_t bytes, const char *path, pl_npy *npy);
// Header of a C-ordered array, padded to a multiple of 64 bytes; returns its length.
#define PL_NPY_WRITTEN 512
size_t pl_npy_header(plait_type type, int ndim, const int64_t shape[],
                     unsigned char header[PL_NPY_WRITTEN]);
#endif
