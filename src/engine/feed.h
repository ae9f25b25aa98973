// SPDX-License-Identifier: BSD-3-Clause
//
// Input slots: where the reader strand puts blocks and the team finds them. All memory is allocated
// once; a slot holds a batch of consecutive blocks (one, unless blocks are tiny), each with its
// halo.
//
// Who fetches. What lies on storage the reader strand fetches, ahead of the team: it waits, the
// team computes. What lies in the page cache nobody has to wait for: fetching is copying, work like
// any other, and a reader strand would only take a core from the team and leave the bytes in the
// wrong cache. Such a block the reader hands over *unfetched*; the threads of the team fetch and
// decode it in parts that stay in the second-level cache, into memory that the block before has
// just left; for a kernel that takes strips not even that: it gets each part where it was decoded,
// and the block as a whole is never in memory (feed_team.c). Which of the two it is, is measured at
// each block: a thread that waits for storage gives up its core of its own will, one that copies
// does not.
#ifndef PL_FEED_H
#define PL_FEED_H
#include "data/strips.h"
#include "data/view.h"
#include "engine/task.h"
#include <pthread.h>
#include <stdatomic.h>

typedef struct pl_feed_block {
  int64_t index;     // of the cut
  pl_box own;        // its cells
  plait_block block; // with halo, for the kernel
  char *raw;         // stored bytes, when they differ from what the kernel sees: a part per source
  char *kept;        // where it stays between passes; NULL: it does not
  bool ready;        // decoded in an earlier pass, or there is nothing to read
  bool unfetched;    // left to the team
  bool in_parts;     // and taken by the kernel in parts of strips: it has no data
} pl_feed_block;

typedef struct pl_feed_slot {
  int n;
  char *memory;          // of its blocks; NULL while they are unfetched
  pl_feed_block *blocks; // room for task->batch
} pl_feed_slot;

// For plait_call.source: parts of one block, each in memory of the thread that asks for it.
typedef struct pl_feed_source {
  struct plait_source base;
  struct pl_feed *feed;
  const pl_feed_block *block; // the one in work
} pl_feed_source;

typedef struct pl_feed {
  pl_task *task;                // *borrowed*
  size_t data_bytes, raw_bytes; // of one block; of one source of it (pl_box_source)
  int sources;                  // at most, per block
  pl_feed_slot *slots;
  char *memory;
  char **idle; // memory of slots that is in no use, the one used last on top
  int nidle;
  pthread_mutex_t mutex; // guards them
  int team;              // threads that may fetch; 0: the reader strand alone
  bool looks;            // ... or only look, in a view: strands in line are measured one by one
  atomic_bool waited;    // the last fetch had to wait for storage
  char *probe;           // a few cells: does reading them wait?
  pl_feed_source source;
  pl_view *view;              // of the input, for blocks in parts; NULL: parts are read
  bool forgets;               // ... block by block
  atomic_int missing;         // times that a thread waited for a page of the block in work
  double team_read;           // s in which the team fetched
  int64_t bytes_read, mapped; // mapped: of them, in a view
  char **kept;                // decoded blocks that stay between passes, by index; NULL: none
  int64_t room;               // for so many more of them
} pl_feed;

size_t pl_feed_block_bytes(const pl_task *task); // that one block of a slot takes
// `team`: threads that have a core each and so may fetch what is in the page cache; 0: none.
plait_err pl_feed_start(pl_task *task, int team, pl_feed *feed);
void pl_feed_stop(pl_feed *feed);
// For several passes: what is read stays in memory as far as the budget goes. Reader strand's
// from then on. The blocks that a rank can keep, all when it comes to read all of them.
int64_t pl_feed_most_kept(const pl_task *task);
int64_t pl_feed_kept_bytes(const pl_task *task); // of memory that they take
plait_err pl_feed_keep(pl_feed *feed);
// Reader strand: fetches blocks [first, first + n) into `slot`, or leaves them to the team; n <=
// task->batch.
plait_err pl_feed_read(pl_feed *feed, int slot, int64_t first, int n);
// Leader: before the team takes the slot, and when it is done with it.
void pl_feed_arrive(pl_feed *feed, int slot);
void pl_feed_leave(pl_feed *feed, int slot);
// Team function: block k of the slot becomes what the kernel takes, halo filled.
void pl_feed_decode(pl_feed *feed, int slot, int k, int thread, plait_raise *raise);
// When the strands have ended: bytes read, and what the team spent fetching: that is not computing.
void pl_feed_count(const pl_feed *feed, pl_meter *meter);

// ---- feed_team.c ----
plait_err pl_feed_probe_start(pl_feed *feed);
// Reader strand: whether the team is to fetch this block.
bool pl_feed_leaves(pl_feed *feed, const pl_feed_block *b);
// Team function: fetches and decodes an unfetched block.
void pl_feed_by_team(pl_feed *feed, pl_feed_block *b, int thread, plait_raise *raise);
// Whether an unfetched block can be taken in parts.
bool pl_feed_parts_fit(const pl_feed *feed, const pl_feed_block *b);
plait_err pl_feed_source_start(pl_feed *feed);
int64_t pl_feed_switches(void); // times the calling thread gave up its core of its own will
#endif
