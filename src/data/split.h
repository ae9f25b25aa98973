// SPDX-License-Identifier: BSD-3-Clause
//
// How the job cuts an array into blocks. Pure functions of shape, type, chunks, block size and
// plan: never of ranks, threads or memory, so that results cannot depend on them.
//
// Kept axes are cut into tiles, reduced axes into reds; a block is one red of one tile. A map
// reduces nothing: every tile has one red. Block index = tile * nreds + red, both row-major.
#ifndef PL_SPLIT_H
#define PL_SPLIT_H
#include "data/box.h"

typedef struct pl_cut {
  int ndim;
  int64_t shape[PLAIT_DIMS];
  bool reduced[PLAIT_DIMS];
  int64_t extent[PLAIT_DIMS]; // of a block; the last one along an axis may be shorter
  int64_t count[PLAIT_DIMS];  // blocks along the axis
  int64_t ntiles, nreds, nblocks;
} pl_cut;

typedef struct pl_cut_wish {
  int64_t block_bytes;      // target size of a block in memory
  int64_t cell_bytes;       // of one cell as the kernel sees it
  int64_t partial_bytes;    // reduce: cap on the partial of a tile ..
  int64_t partial_per_cell; // .. which takes this many bytes per kept cell
  const int64_t *chunk; // chunk extents of the file, NULL: contiguous. Cuts fall on chunk borders.
  const bool *whole;    // axes that must not be cut, NULL: none
  const bool *reduced;  // NULL: none
  const int64_t *halo;  // map: cells that are read on each side, NULL: none
} pl_cut_wish;

// Blocks grow from the inside: the last axes are taken whole as far as block_bytes allows, so that
// a block is few long runs of the file (>= 256 KiB for every target above, unless whole axes, the
// cap on partials or a halo forbid it). Kept axes together never exceed the cap (but hold at least
// one cell or chunk). Extents are multiples of the chunk extents unless a chunk is more than 4
// times the block. With a halo, the axes that have one grow evenly instead, each run weighed as 64
// KiB of reading, so that the halo does not outgrow the block. Extents are then made as even as
// they can be without more blocks. Every axis of `shape` must be > 0. Pure.
void pl_cut_make(int ndim, const int64_t shape[], const pl_cut_wish *wish, pl_cut *cut);
void pl_cut_block(const pl_cut *cut, int64_t block, pl_box *box);
void pl_cut_tile(const pl_cut *cut, int64_t tile, pl_box *box); // reduced axes: whole
void pl_cut_largest(const pl_cut *cut, int64_t extent[]);       // of any block

// The part of [0, total) that belongs to `rank` of `size`: first and count. Parts differ by one at
// most.
void pl_share(int64_t total, int size, int rank, int64_t *first, int64_t *count);
#endif
