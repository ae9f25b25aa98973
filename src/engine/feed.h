// SPDX-License-Identifier: BSD-3-Clause
//
// Input slots: where the reader strand puts blocks and the team finds them. All memory is allocated
// once; a slot holds a batch of consecutive blocks (one, unless blocks are tiny), each with its
// halo.
#ifndef PL_FEED_H
#define PL_FEED_H
#include "engine/task.h"

typedef struct pl_feed_block {
  int64_t index;     // of the cut
  pl_box own;        // its cells
  plait_block block; // with halo, for the kernel
  char *raw;         // stored bytes, when they differ from what the kernel sees: a part per source
  bool ready;        // decoded in an earlier pass, or there is nothing to read
} pl_feed_block;

typedef struct pl_feed_slot {
  int n;
  pl_feed_block *blocks; // room for task->batch
} pl_feed_slot;

typedef struct pl_feed {
  pl_task *task;                // *borrowed*
  size_t data_bytes, raw_bytes; // of one block; of one source of it (pl_box_source)
  int sources;                  // at most, per block
  pl_feed_slot *slots;
  char *memory;
  int64_t bytes_read;
  char **kept; // decoded blocks that stay between passes, by index; NULL: none
  size_t room; // bytes left for more of them
} pl_feed;

size_t pl_feed_block_bytes(const pl_task *task); // that one block of a slot takes
plait_err pl_feed_start(pl_task *task, pl_feed *feed);
void pl_feed_stop(pl_feed *feed);
// For several passes: what is read stays in memory as far as the budget goes. Reader strand's
// from then on.
plait_err pl_feed_keep(pl_feed *feed);
// Reader strand: fetches blocks [first, first + n) into `slot`, n <= task->batch.
plait_err pl_feed_read(pl_feed *feed, int slot, int64_t first, int n);
// Team function: block k of the slot becomes what the kernel takes, halo filled.
void pl_feed_decode(pl_feed *feed, int slot, int k, plait_raise *raise);
#endif
