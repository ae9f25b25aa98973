// SPDX-License-Identifier: BSD-3-Clause
//
// How a checkpoint lies in its file; shared by checkpoint.c (writes), checkpoint_table.c and
// checkpoint_find.c (read).
//
//   head (one page)  arrays, each beginning on a page  table: identity, extra, parts
#ifndef PL_CHECKPOINT_FILE_H
#define PL_CHECKPOINT_FILE_H
#include "data/rawio.h"
#include "engine/checkpoint.h"

#define PL_CHECKPOINT_MAGIC 0x32504b4354494c50u // "PLITCKP2"
enum { PL_CHECKPOINT_PAGE = 4096 };

struct pl_checkpoints {
  pl_comm *comm;
  char *path[2];
  char *identity;
  int good;       // which file holds the last good one, -1 none
  int64_t serial; // of the last one begun or found
  bool found;
  bool complete; // a marker of completion was found
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

// Of rank 0, of one file. A missing file is exists == false; *bad: what is wrong with it, NULL
// nothing. t->bytes is *owned* by the caller. PLAIT_IO, PLAIT_MEMORY.
plait_err pl_checkpoint_look(const char *path, pl_checkpoint_table *t, const char **bad);
plait_err pl_checkpoint_names(const char *output, char *path[2]); // *owned by the caller*
// Where array a begins; a == narrays: where the table does. -1: more than 2^63 bytes.
int64_t pl_checkpoint_offset(const pl_checkpoint_what *what, int array);
pl_raw pl_checkpoint_raw(const pl_checkpoint_what *what, int array, int fd, const char *path);
uint64_t pl_checkpoint_head_hash(const pl_checkpoint_head *head);
#endif
