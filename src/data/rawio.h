// SPDX-License-Identifier: BSD-3-Clause
//
// Boxes of a row-major array that lies plainly in a file at one offset: the fast road of NPY,
// NetCDF classic and contiguous HDF5. One call moves many rows: preadv/pwritev with one vector per
// row of the block; short gaps between the rows of a box are read into a scrap buffer rather than
// skipped by another system call (a call costs about as much as copying 8 KiB).
#ifndef PL_RAWIO_H
#define PL_RAWIO_H
#include "data/box.h"

typedef struct pl_raw { // where the array lies
  int fd;
  const char *path; // for messages; *borrowed*
  int64_t offset;   // bytes before the first value
  int ndim;
  int64_t shape[PLAIT_DIMS];
  size_t size; // bytes of one stored value
} pl_raw;

// Reads `box` of the array. `at` is where cell 0 of the box goes, `stride` in cells of `size` bytes
// (last one 1). PLAIT_IO with offset and path. Threads: any (pread). May block.
plait_err pl_raw_read(const pl_raw *raw, const pl_box *box, void *at, const ptrdiff_t stride[]);
// Writes `box`. `cell` is the distance of cells in memory in bytes: `size`, or more where pl_encode
// narrowed the values (they then stand in pieces of PL_PIECE cells at the front of each).
plait_err pl_raw_write(const pl_raw *raw, const pl_box *box, const void *at,
                       const ptrdiff_t stride[], size_t cell);
#endif
