// SPDX-License-Identifier: BSD-3-Clause
//
// Brings the rows of a reduction in steps into memory: the windows of a rank's lanes, one after
// another, two at a time, so that reading is hidden behind the steps. When all lanes of the rank
// fit into the budget they are read once and stay.
#ifndef PL_STEPS_FEED_H
#define PL_STEPS_FEED_H
#include "engine/steps.h"

enum { PL_STEPS_SLOTS = 2 };

typedef struct pl_steps_piece_read {
  pl_box box;
  plait_block block;
  char *raw;
} pl_steps_piece_read;

typedef struct pl_steps_slot {
  pl_window window;
  int n; // pieces that the team has to decode
  pl_steps_piece_read *pieces;
  char *data, *raw;
  plait_err err; // reading failed
  char message[PL_MESSAGE_BYTES];
} pl_steps_slot;

typedef struct pl_steps_feed {
  pl_task *task; // *borrowed*
  pl_steps_plan plan;
  int first_lane, lanes;
  size_t row_bytes, raw_bytes; // raw: of a piece
  char *resident;              // all rows of the lanes, NULL: they are streamed
  int64_t first_row;           // of the lanes
  bool *have;                  // resident: by lane and page
  pl_steps_slot slots[PL_STEPS_SLOTS];
  int64_t epoch, round; // to be read next
  int64_t *order;
  int64_t bytes_read;
} pl_steps_feed;

// Chooses whether the rows stay, sets cut, slots and needed bytes. PLAIT_JOB: budget too small.
plait_err pl_steps_size(pl_task *task, int ranks, int threads);
int64_t pl_steps_most(const pl_task *task); // steps of all epochs, about
// Begins at the place of `steps`.
plait_err pl_steps_feed_start(pl_task *task, const pl_steps *steps, pl_steps_feed *feed);
void pl_steps_feed_stop(pl_steps_feed *feed);
// Reader strand: the next window. Errors go into the slot. false: there are no more epochs.
bool pl_steps_feed_read(pl_steps_feed *feed, int slot);
// Team function: the rows become what the kernel takes.
void pl_steps_feed_decode(pl_steps_feed *feed, int slot, plait_raise *raise);
#endif
