// SPDX-License-Identifier: BSD-3-Clause
//
// From what a file holds to what a kernel wants and back: byte order, packing, missing values.
// Shared by every format whose bytes are plain values once they are in memory.
//
// Team functions (orphaned omp for, end with a barrier): every thread of the team calls them at
// once, or one thread alone outside a team. Bits: same for any number of threads; arithmetic in
// float64, rounded once at the end.
#ifndef PL_CONVERT_H
#define PL_CONVERT_H
#include "base/raise.h"
#include "data/meta.h"

typedef struct pl_convert {
  plait_type stored; // in the file
  plait_type type;   // as a kernel sees it
  bool swap;         // the file has the other byte order
  bool packed;       // value = stored * scale + offset
  double scale, offset;
  int nmissing;
  double missing[PL_MISSING]; // decode: stored values that become NaN. encode: [0] is the fill
} pl_convert;

// Cells that are converted in one go; encoding into a narrower type leaves each piece of a row
// packed to the front of the bytes that the piece had (pl_raw_write knows).
#define PL_PIECE 16384

pl_convert pl_convert_of(const pl_meta *meta, bool swap);
bool pl_convert_in_place(const pl_convert *convert); // stored and type have the same size
bool pl_convert_idle(const pl_convert *convert);     // there is nothing to do: bytes are values

// `raw`: stored values of the box of `to`, row-major and dense; NULL: they lie in `to` itself,
// which then must be pl_convert_in_place. Fills the own cells of `to`.
void pl_decode(const pl_convert *convert, const void *raw, const plait_block *to);
// The same for `n` values in a row, by one thread alone, also inside a team's loop; `raw` may begin
// at any byte.
void pl_decode_row(const pl_convert *convert, const void *raw, void *to, size_t n);

// The own cells of `from` become stored values, in place. stored must not be wider than type. A
// value that the stored type cannot hold, or NaN where there is no fill, is raised as PLAIT_OUTPUT
// (`name` in the message) and stored as 0.
void pl_encode(const pl_convert *convert, const char *name, const plait_block *from,
               plait_raise *raise);

// Reverses the bytes of `n` values of `size` bytes (1, 2, 4, 8), also in place. One thread.
void pl_swap(void *to, const void *from, size_t n, size_t size);
#endif
