// SPDX-License-Identifier: BSD-3-Clause
//
// A kernel of the patterns map and reduce on an array in memory, by one thread: the same cut,
// boundary rules, merge tree and passes as a run, and so the same bits; only files, strands and
// ranks are missing. What `verify`, the tests of kernels and the small combinations of a study
// (study.h) are computed with. Costs some microseconds beside the kernel itself.
#ifndef PL_SOLO_H
#define PL_SOLO_H
#include "engine/merge.h"
#include "engine/pattern.h"

typedef struct pl_room { // memory that is kept for the next run; zero-initialised is empty
  char *at;
  size_t bytes;
} pl_room;

typedef struct pl_solo { // zero-initialised; one per thread
  // set by the caller before each run, *borrowed*
  pl_task *task;    // job, array, problem, plan, aside and cut are used
  const char *data; // the array, row-major, as a kernel sees it; NULL: the kernel takes no input
  char *const *out; // an array per output of the plan, NULL for those that nobody wants
  // Asked before each block; an error of its ends the run. NULL: nobody asks.
  plait_err (*before)(void *context);
  void *context;
  // the inside
  pl_scratch scratch;
  plait_raise raise;
  pl_pool pool;
  pl_room block, state;          // one block with its halo; what one pass hands to the next
  pl_room result[PLAIT_OUTPUTS]; // of one block
  bool emitting;                 // in the pass of plait_reduce.emit
} pl_solo;

plait_err pl_room_get(pl_room *room, size_t bytes); // at least so many; contents undefined
void pl_room_free(pl_room *room);
// Threads: one per object. Errors: PLAIT_MEMORY, PLAIT_KERNEL, that of `before`.
plait_err pl_solo_run(pl_solo *solo);
void pl_solo_stop(pl_solo *solo);          // gives the memory back
size_t pl_solo_bytes(const pl_task *task); // that a run of this task holds, without `out`
#endif
