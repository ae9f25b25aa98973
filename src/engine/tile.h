// SPDX-License-Identifier: BSD-3-Clause
//
// Time tiling: a region of a part advanced by several steps in one sweep through the cache.
//
// A *level* is one stage of one step: level = step in tile * stages + stage. A *region* says for
// every level which cells are to be done; whoever makes it sees to it that a level reads only cells
// that the level before has reached and none that a later one has overwritten (reach below).
#ifndef PL_TILE_H
#define PL_TILE_H
#include "engine/field.h"

#define PL_LEVELS 128 // steps of a tile * stages, at most

typedef struct pl_span {
  int64_t lo, hi; // cells lo .. hi-1
} pl_span;

typedef struct pl_region {
  pl_span span[PL_LEVELS][PL_AXES];
} pl_region;

typedef struct pl_tiling {
  const plait_kernel *kernel;
  const plait_grid *grid;
  const pl_fields *fields;
  double dt;
  int depth;              // steps of a full tile
  int64_t block[PL_AXES]; // cells of a box along axis 0 (a front) and of a tile along the others
  int64_t piece;          // rows of one call
  // Cells that the level before must be ahead below and above, so that a level may be done:
  // what it reads, and what the level before may still read of what it overwrites.
  int64_t below[PLAIT_STAGES][PL_AXES], above[PLAIT_STAGES][PL_AXES];
  // Called after every box of the stage that completes a step; may be NULL. Box inside own cells.
  void (*watch)(void *context, const plait_call *call, const plait_cells *box);
  // Called by thread 0 now and then: keeps messages moving. May be NULL.
  void (*poke)(void *context);
  void *context;
} pl_tiling;

void pl_tiling_reach(pl_tiling *tiling); // fills below and above from the stages
// Sum of `below` (side 0) or `above` (side 1) of the levels 0 .. level along an axis.
int64_t pl_tiling_lag(const pl_tiling *tiling, int level, int axis, int side);
// Chooses depth, block and piece. `cache`: bytes that one thread may fill; `depth` 0: choose.
void pl_tiling_choose(pl_tiling *tiling, size_t cache, int depth, int64_t most_depth, int threads);
// Advances `region` by `steps` steps from `step`. Threads: one; others may sweep other regions.
void pl_tile_sweep(const pl_tiling *tiling, const plait_call *call, const pl_region *region,
                   int64_t step, int steps);
// Part `piece` of `pieces` of a region along `axis`, and the seams between the pieces (pieces - 1
// of them), to be done when all pieces are. Both may be empty.
void pl_region_piece(const pl_tiling *tiling, const pl_region *whole, int levels, int axis,
                     int piece, int pieces, pl_region *out);
void pl_region_seam(const pl_tiling *tiling, const pl_region *whole, int levels, int axis, int seam,
                    int pieces, pl_region *out);
// Pieces that a region can be cut into, at most `wanted`, and the best axis for it.
int pl_region_pieces(const pl_tiling *tiling, const pl_region *whole, int levels, int wanted,
                     int *axis);
// Ghost cells at the walls beside `box` after `stage` (tile_edge.c).
void pl_tile_edges(const pl_tiling *tiling, const plait_cells *box, uint32_t fields);
#endif
