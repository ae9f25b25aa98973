// SPDX-License-Identifier: BSD-3-Clause
//
// Checkpoints: the whole state of a computation at one step, as arrays that lie plainly in a file,
// so that any number of ranks can take it up again, each reading the boxes that it needs.
//
// Two files alternate, OUTPUT.checkpoint0 and 1: while one is being overwritten the other is
// complete. Every part (box of an array) that a rank writes has a checksum; the table of parts is
// written when all parts are on disk, the head when the table is. A checkpoint counts only when
// head, table and every part are what their checksums say; else the other one is used.
//
// Made to be written while stepping goes on: `begin` and `commit` are collective and cheap, in
// between the writer strand of each rank copies its parts to disk (write, sync) without a message.
//
//   pl_checkpoint_begin(store, &what)                 all ranks, leader
//   pl_checkpoint_write(store, a, &box, at, stride)   any strand, for each part of this rank
//   pl_checkpoint_sync(store)                         any strand, after the last part
//   pl_checkpoint_commit(store)                       all ranks, leader
#ifndef PL_CHECKPOINT_H
#define PL_CHECKPOINT_H
#include "data/box.h"
#include "host/comm.h"

enum { PL_CHECKPOINT_ARRAYS = 32 };

typedef struct pl_checkpoint_array {
  char name[PLAIT_NAME];
  int64_t cell; // bytes of a cell: 1, 2, 4 or 8
  int64_t ndim, shape[PLAIT_DIMS];
} pl_checkpoint_array;

typedef struct pl_checkpoint_what {
  int64_t step;
  int64_t narrays;
  pl_checkpoint_array array[PL_CHECKPOINT_ARRAYS];
  const void *extra; // anything else, of rank 0: sums, lengths of files; *borrowed until commit*
  int64_t extra_bytes;
} pl_checkpoint_what;

typedef struct pl_checkpoint_head { // of a file
  uint64_t magic;
  int64_t serial; // the larger one is the newer
  int64_t step, narrays, extra_bytes, identity_bytes, nparts;
  int64_t table; // offset
  uint64_t table_hash;
  uint64_t hash; // of all before
} pl_checkpoint_head;

typedef struct pl_checkpoint_part {
  int64_t array, lo[PLAIT_DIMS], n[PLAIT_DIMS];
  uint64_t hash; // of its cells, row-major
} pl_checkpoint_part;

typedef struct pl_checkpoint_table { // of one file, as read
  bool exists, good, complete;       // complete: no arrays, says that the result is all there
  int which;
  pl_checkpoint_head head;
  pl_checkpoint_what what; // without extra
  char *bytes;             // *owned*; identity, extra and parts stand in it
  int64_t size;
} pl_checkpoint_table;
const char *pl_checkpoint_identity(const pl_checkpoint_table *table);
const char *pl_checkpoint_extra(const pl_checkpoint_table *table);
pl_checkpoint_part pl_checkpoint_part_of(const pl_checkpoint_table *table, int64_t i);

typedef struct pl_checkpoints_seen { // both files; contents *owned*: pl_checkpoints_seen_free
  char *path[2];
  const char *bad[2]; // what is wrong with it, NULL nothing; text that stays
  pl_checkpoint_table file[2];
  int newest, usable; // of the good ones; of those with a state; -1 none
} pl_checkpoints_seen;
// Heads and tables alone: whether the parts are what their checksums say is not looked at. Not
// collective. PLAIT_IO, PLAIT_MEMORY.
plait_err pl_checkpoints_scan(const char *output, pl_checkpoints_seen *seen);
void pl_checkpoints_seen_free(pl_checkpoints_seen *seen);

typedef struct pl_checkpoints pl_checkpoints; // the pair of files of one output

// Collective. `identity` (pl_identity_make; of rank 0) is what they belong to; *copies*. Looks at
// both files and verifies the newer one (every rank a share of its parts), then the older if it
// must. *found: the checkpoint to go on from, else begin at the start; `why` (PL_MESSAGE_BYTES, may
// be NULL) then says what was wrong with those that were refused, "" nothing. `fresh`: looks at
// none. Errors: PLAIT_OUTPUT when a good one belongs to another job (the difference is named),
// PLAIT_IO, PLAIT_MEMORY.
plait_err pl_checkpoints_open(pl_comm *comm, const char *output, const char *identity, bool fresh,
                              pl_checkpoints **store, bool *found, char *why);
void pl_checkpoints_close(pl_checkpoints **store);   // the files stay. Not collective.
plait_err pl_checkpoints_remove(const char *output); // both files; rank 0; missing is fine
// Whether the newest was a marker of completion: a checkpoint without arrays, which only says so.
bool pl_checkpoints_complete(const pl_checkpoints *store);
bool pl_checkpoints_any(const pl_checkpoints *store);   // a good one is there; NULL: none
bool pl_checkpoints_begun(const pl_checkpoints *store); // a file is there, or was, good or not
// Collective. What was found is of no use after all: both files go.
plait_err pl_checkpoints_forget(pl_checkpoints *store, const char *output);

// What was found: valid until close or the next begin. extra is the store's own memory, on every
// rank.
const pl_checkpoint_what *pl_checkpoints_found(const pl_checkpoints *store);
// Reads a box of array a of what was found. `at`, `stride` as in pl_raw_read. Threads: any.
plait_err pl_checkpoints_read(const pl_checkpoints *store, int array, const pl_box *box, void *at,
                              const ptrdiff_t stride[]);

// Collective. Begins the next checkpoint in the file that does not hold the last good one.
plait_err pl_checkpoint_begin(pl_checkpoints *store, const pl_checkpoint_what *what);
// One part. The parts of all ranks must cover every array. Threads: one at a time. May block.
plait_err pl_checkpoint_write(pl_checkpoints *store, int array, const pl_box *box, const void *at,
                              const ptrdiff_t stride[]);
plait_err pl_checkpoint_sync(pl_checkpoints *store); // Not collective. May block.
// After an error of writing: gives the disk back what the file took, the result may need it. Not
// collective.
void pl_checkpoint_drop(pl_checkpoints *store);
// Collective, when every rank has synced. `mine`: error of this rank's writing, the checkpoint is
// then dropped on all ranks and the last good one stays.
plait_err pl_checkpoint_commit(pl_checkpoints *store, plait_err mine);
double pl_checkpoint_seconds(
    const pl_checkpoints *store); // that the slowest one took here, begin to commit
#endif
