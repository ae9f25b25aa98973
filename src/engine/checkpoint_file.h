// SPDX-License-Identifier: BSD-3-Clause
//
// How a checkpoint lies in its file; shared by checkpoint.c (writes) and checkpoint_find.c (reads).
//
//   head (one page)  arrays, each beginning on a page  table: identity, extra, parts
#ifndef PL_CHECKPOINT_FILE_H
#define PL_CHECKPOINT_FILE_H
#include "data/rawio.h"
#include "engine/checkpoint.h"

#define PL_CHECKPOINT_MAGIC 0x31504b4354494c50u // "PLITCKP1"
enum { PL_CHECKPOINT_PAGE = 4096 };

typedef struct pl_checkpoint_head {
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

struct pl_checkpoints {
  pl_comm *comm;
  char *path[2];
  char *identity;
  int good;       // which file holds the last good one, -1 none
  int64_t serial; // of the last one begun or found
  bool found;
  // found: what it holds
  pl_checkpoint_what what;
  void *extra;
  int fd; // of the file found, -1
  // being written
  pl_checkpoint_what next;
  int next_fd;
  pl_checkpoint_part *parts;
  int64_t nparts, room;
  double began, longest;
};

// Where array a begins; a == narrays: where the table does. -1: more than 2^63 bytes.
int64_t pl_checkpoint_offset(const pl_checkpoint_what *what, int array);
pl_raw pl_checkpoint_raw(const pl_checkpoint_what *what, int array, int fd, const char *path);
uint64_t pl_checkpoint_head_hash(const pl_checkpoint_head *head);
#endif
