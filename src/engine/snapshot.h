// SPDX-License-Identifier: BSD-3-Clause
//
// Pictures of the state: copied by the team into a slot, row by row as the last step before them is
// done, and written by the writer strand while the march goes on.
#ifndef PL_SNAPSHOT_H
#define PL_SNAPSHOT_H
#include "data/output.h"
#include "engine/evolve_march.h"
#include <stdatomic.h>

#define PL_SNAPSHOT_SLOTS 3 // at most

typedef struct pl_snapshots {
  const pl_march *march;
  int nfields, field[PLAIT_FIELDS], var[PLAIT_FIELDS]; // of the march, of the layout
  int64_t stride;
  int64_t lo[PL_AXES], n[PL_AXES]; // this rank's part of the kept cells, in kept cells
  int64_t cells;                   // their number; 0: nothing falls here
  int nslots;                      // 3 where they are small beside the fields, else 2
  char *memory[PL_SNAPSHOT_SLOTS]; // *owned*
  int64_t index[PL_SNAPSHOT_SLOTS];
  // of the snapshot being filled
  int64_t step;           // after which; -1 none
  char *at[PLAIT_FIELDS]; // where kept field i goes: inside a slot
  atomic_bool bad;        // something that is not finite was copied from a field that changes
  unsigned char *hidden[PLAIT_FIELDS]; // *owned*: 1 where the mask is 0; NULL: no mask
  // Of every snapshot, *owned* (pl_alloc) but made by the caller, or NULL: checksum of what this
  // rank stored of it. Sums over the ranks do not depend on how the grid is cut.
  uint64_t *hash;
} pl_snapshots;

int64_t pl_snapshot_kept(int64_t n, int64_t stride); // cells of an axis that are kept
// Fields, vars and stride are set by the caller; the masks are there (pl_march_initial).
// PLAIT_MEMORY.
plait_err pl_snapshots_start(const pl_march *march, pl_snapshots *snapshots);
void pl_snapshots_stop(pl_snapshots *snapshots);
// Leader, the team waiting: the cells that will be watched after `step` steps are snapshot `index`.
void pl_snapshots_aim(pl_snapshots *snapshots, int slot, int64_t index, int64_t step);
// Copies the kept own cells of `box`, whose values are those after `step` steps, if a snapshot is
// to be filled then. Any thread, boxes disjoint; together they must cover the part.
void pl_snapshots_watch(pl_snapshots *snapshots, const plait_cells *box, int64_t step);
// Team, when all has been watched: ready to store. Whether all values copied from fields that
// change are finite, the same on every thread.
bool pl_snapshots_finish(pl_snapshots *snapshots, const pl_output *output, int slot,
                         plait_raise *raise);
// Kept field i of snapshot `index` as a block of the output; `data` *borrowed*: this rank's cells.
plait_block pl_snapshots_block(const pl_snapshots *snapshots, int i, int64_t index, void *data);
// Checksum of this rank's cells of kept field i as stored, dense at `data`: sums over the ranks do
// not depend on how the grid is cut. Threads: any.
uint64_t pl_snapshots_sum(const pl_snapshots *snapshots, int i, const void *data);
plait_err pl_snapshots_store(pl_snapshots *snapshots, pl_output *output, int slot, int64_t *bytes);
// Collective, before the march: *bad is the first of the snapshots [0, n) of which the output holds
// something else than the sums of `hash` over the ranks say, n none. PLAIT_IO.
plait_err pl_snapshots_check(pl_snapshots *snapshots, const pl_output *output, int64_t n,
                             int64_t *bad);
// Kept cells of a field of own cells (dense); `missing` there and cells without mask become NaN, as
// an array [axes] of the output.
plait_err pl_snapshots_store_field(const pl_snapshots *snapshots, pl_output *output, int var,
                                   const float *own, float missing, int mask);
#endif
