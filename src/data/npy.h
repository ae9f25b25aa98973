// SPDX-License-Identifier: BSD-3-Clause
//
// The header of a NumPy file, versions 1.0 to 3.0 (numpy.lib.format): magic, version, length, and a
// Python dict literal with exactly the keys descr, fortran_order and shape.
#ifndef PL_NPY_H
#define PL_NPY_H
#include "data/dataset.h"

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

// ---- an array inside a file: npy_array.c ----
// The header at byte `begin` of what ends at byte `end`. PLAIT_INPUT, PLAIT_IO.
plait_err pl_npy_read(int fd, const char *path, int64_t begin, int64_t end, pl_npy *npy);
// Makes it the array of a dataset, but for its name. *Takes* fd when all is well. PLAIT_INPUT,
// PLAIT_IO.
plait_err pl_npy_take(int fd, const char *path, int64_t begin, int64_t end, pl_dataset *dataset);
// The functions of a pl_format for such an array.
void pl_npy_close(pl_dataset *dataset);
size_t pl_npy_raw_bytes(const pl_dataset *dataset, const int64_t extent[]);
plait_err pl_npy_fetch(pl_dataset *dataset, const pl_box *box, void *raw, const plait_block *to);
void pl_npy_decode(const pl_dataset *dataset, const pl_box *box, void *raw, const plait_block *to,
                   plait_raise *raise);
bool pl_npy_plain(const pl_dataset *dataset, pl_plain *plain);
bool pl_npy_share(pl_dataset *dataset, const pl_box *box);
#endif
