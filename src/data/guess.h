// SPDX-License-Identifier: BSD-3-Clause
//
// What a file seems to be, for the message that says it is not one of ours.
#ifndef PL_GUESS_H
#define PL_GUESS_H
#include <stddef.h>
// From the first bytes of a file; "plain text", "something else". *borrows* nothing: a constant.
const char *pl_guess_format(const unsigned char *head, size_t bytes);
// "a NumPy file" when that is how data begins that an `input:` may be (NPY, NetCDF, HDF5, gzip,
// IDX); else NULL.
const char *pl_guess_data(const unsigned char *head, size_t bytes);
#endif
