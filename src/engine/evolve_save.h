// SPDX-License-Identifier: BSD-3-Clause
//
// What a checkpoint of an evolve holds, and how it gets there while stepping goes on: the leader
// begins it, the team copies this rank's state into memory, the writer strand puts the copy on
// disk, the leader commits when all ranks have done so.
//
// The arrays: every field that changes, with its ghost cells at the walls (a staggered field has
// its last face there); running maximum and arrival; the gauges' values so far. Beside them rank 0
// keeps the sums so far and a checksum of every snapshot, so that a resume knows whether the output
// still holds what the checkpoint builds upon. All of it is indexed by cells of the grid: any
// number of ranks can take it up.
#ifndef PL_EVOLVE_SAVE_H
#define PL_EVOLVE_SAVE_H
#include "engine/checkpoint.h"
#include "engine/evolve.h"
#include "engine/evolve_state.h"
#include <stdatomic.h>

typedef struct pl_save {
  pl_evolve *e;      // *borrowed*
  pl_output *output; // *borrowed*
  pl_checkpoint_what what;
  // Where each array lies in the fields, as it was at the beginning: the march goes on. rows == 0:
  // the gauges.
  pl_state_part part[PL_CHECKPOINT_ARRAYS];
  char *copy;                  // of this rank's state; *owned*
  char *values;                // of this rank's gauges, one after another; *owned*
  char *extra;                 // *owned*
  bool in_place;               // no memory for a copy: written from the fields, the team waits
  bool under_way;              // begun, neither committed nor dropped
  atomic_bool written;         // by the writer strand, well or not
  plait_err error;             // of the writer; valid when written
  char text[PL_MESSAGE_BYTES]; // its message
} pl_save;

void pl_save_start(pl_evolve *e, pl_output *output, pl_save *save);
void pl_save_stop(pl_save *save);
plait_err pl_save_begin(pl_save *save);            // leader; collective
void pl_save_copy(pl_save *save, int thread);      // team
void pl_save_write(pl_save *save, int64_t *bytes); // writer strand
plait_err pl_save_commit(pl_save *save);           // leader, when written here; collective
int64_t pl_save_bytes(const pl_evolve *e);         // of a checkpoint, all ranks together
plait_err pl_save_complete(pl_evolve *e);          // the marker of completion; collective
int64_t pl_save_snapshots(const pl_evolve *e, int64_t step); // taken when `step` steps are done
#endif
