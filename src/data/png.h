// SPDX-License-Identifier: BSD-3-Clause
//
// A picture to a PNG file.
#ifndef PL_PNG_H
#define PL_PNG_H
#include "base/err.h"

// Writes `rgba` [height, width, 4], 8 bits a channel, straight alpha, first row at the top, and
// renames it into place when it is complete. Not collective. *borrows* rgba. Threads: any.
// Errors: PLAIT_OUTPUT when the picture has no size or more than 2^31 bytes or the file cannot be
// made, PLAIT_MEMORY. Bits: the same for the same libpng and zlib.
plait_err pl_png_write(const char *path, int width, int height, const unsigned char *rgba);
#endif
