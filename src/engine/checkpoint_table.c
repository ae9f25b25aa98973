// SPDX-License-Identifier: BSD-3-Clause
//
// Head and table of one checkpoint file, read without trust: nothing is used before its checksum,
// sizes are bounded by the file. Reads no part of the state.
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "engine/checkpoint_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *pl_checkpoint_identity(const pl_checkpoint_table *t) {
  return t->bytes + t->what.narrays * (int64_t)sizeof t->what.array[0];
}
const char *pl_checkpoint_extra(const pl_checkpoint_table *t) {
  return pl_checkpoint_identity(t) + t->head.identity_bytes;
}
pl_checkpoint_part pl_checkpoint_part_of(const pl_checkpoint_table *t, int64_t i) {
  pl_checkpoint_part part;
  memcpy(&part, pl_checkpoint_extra(t) + t->head.extra_bytes + i * (int64_t)sizeof part,
         sizeof part);
  return part;
}

// ---- head and table ----

static const char *bad_head(const pl_checkpoint_head *h, int64_t file, int64_t *bytes) {
  if (h->magic != PL_CHECKPOINT_MAGIC) return "is not complete";
  if (h->hash != pl_checkpoint_head_hash(h)) return "has a damaged head";
  if (h->narrays < 0 || h->narrays > PL_CHECKPOINT_ARRAYS || h->extra_bytes < 0 ||
      h->identity_bytes < 1 || h->nparts < 0 || h->table < 0 || h->table > file ||
      h->extra_bytes > file || h->identity_bytes > file ||
      h->nparts > file / (int64_t)sizeof(pl_checkpoint_part))
    return "has a head that makes no sense";
  *bytes = h->narrays * (int64_t)sizeof(pl_checkpoint_array) + h->identity_bytes + h->extra_bytes +
           h->nparts * (int64_t)sizeof(pl_checkpoint_part);
  return *bytes > file - h->table ? "ends too early" : NULL;
}

static bool sane_arrays(const pl_checkpoint_what *w) {
  for (int i = 0; i < w->narrays; i++) {
    const pl_checkpoint_array *a = &w->array[i];
    if (a->cell < 1 || a->cell > 8 || a->ndim < 0 || a->ndim > PLAIT_DIMS) return false;
    for (int d = 0; d < a->ndim; d++)
      if (a->shape[d] < 1) return false;
  }
  return true;
}

static bool sane_parts(const pl_checkpoint_table *t) {
  const pl_checkpoint_what *w = &t->what;
  int64_t cells[PL_CHECKPOINT_ARRAYS] = {0};
  for (int64_t i = 0; i < t->head.nparts; i++) {
    pl_checkpoint_part p = pl_checkpoint_part_of(t, i);
    if (p.array < 0 || p.array >= w->narrays) return false;
    const pl_checkpoint_array *a = &w->array[p.array];
    int64_t n = 1;
    for (int d = 0; d < a->ndim; d++) {
      if (p.lo[d] < 0 || p.n[d] < 1 || p.n[d] > a->shape[d] - p.lo[d]) return false;
      n *= p.n[d];
    }
    cells[p.array] += n;
  }
  for (int i = 0; i < w->narrays; i++) {
    int64_t all = 1;
    for (int d = 0; d < w->array[i].ndim; d++) all *= w->array[i].shape[d];
    if (cells[i] < all) return false; // a rank's part is missing
  }
  return true;
}

// NULL, or what is wrong with the file. *err: reading failed.
static const char *read_table(int fd, const char *path, pl_checkpoint_table *t, plait_err *err) {
  struct stat info;
  int64_t bytes = 0;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return "is not a regular file";
  if (info.st_size < (int64_t)sizeof t->head) return "is not complete";
  *err = pl_pread_all(fd, &t->head, sizeof t->head, 0, path);
  if (*err != PLAIT_OK) return "cannot be read";
  const char *bad = bad_head(&t->head, info.st_size, &bytes);
  if (bad) return bad;
  *err = pl_alloc((size_t)bytes, 1, &t->bytes);
  if (*err == PLAIT_OK) *err = pl_pread_all(fd, t->bytes, (size_t)bytes, t->head.table, path);
  if (*err != PLAIT_OK) return "cannot be read";
  t->size = bytes;
  if (pl_hash(t->bytes, (size_t)bytes, 0) != t->head.table_hash) return "has a damaged table";
  t->what = (pl_checkpoint_what){.step = t->head.step, .narrays = t->head.narrays};
  memcpy(t->what.array, t->bytes, (size_t)t->head.narrays * sizeof t->what.array[0]);
  if (!sane_arrays(&t->what) || pl_checkpoint_identity(t)[t->head.identity_bytes - 1] != 0 ||
      pl_checkpoint_offset(&t->what, (int)t->what.narrays) != t->head.table || !sane_parts(t))
    return "has a table that makes no sense";
  return NULL;
}

plait_err pl_checkpoint_look(const char *path, pl_checkpoint_table *t, const char **bad) {
  plait_err err = PLAIT_OK;
  *t = (pl_checkpoint_table){.which = t->which};
  *bad = NULL;
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno == ENOENT ? PLAIT_OK : pl_fail_errno(PLAIT_IO, "cannot read", path);
  *bad = read_table(fd, path, t, &err);
  close(fd);
  t->exists = true;
  t->good = !*bad;
  t->complete = t->good && t->what.narrays == 0;
  return err;
}

plait_err pl_checkpoint_names(const char *output, char *path[2]) {
  for (int i = 0; i < 2; i++) {
    pl_text text = {0};
    pl_text_add(&text, "%s.checkpoint%d", output, i);
    plait_err err =
        text.failed ? plait_fail(PLAIT_MEMORY, "out of memory") : pl_strdup(text.at, &path[i]);
    pl_text_free(&text);
    TRY(err);
  }
  return PLAIT_OK;
}

// ---- for people ----

plait_err pl_checkpoints_scan(const char *output, pl_checkpoints_seen *seen) {
  *seen = (pl_checkpoints_seen){.newest = -1, .usable = -1};
  plait_err err = pl_checkpoint_names(output, seen->path);
  for (int i = 0; err == PLAIT_OK && i < 2; i++) {
    pl_checkpoint_table *t = &seen->file[i];
    err = pl_checkpoint_look(seen->path[i], t, &seen->bad[i]);
    if (err != PLAIT_OK || !t->good) continue;
    if (seen->newest < 0 || t->head.serial > seen->file[seen->newest].head.serial) seen->newest = i;
    if (t->complete) continue;
    if (seen->usable < 0 || t->head.serial > seen->file[seen->usable].head.serial) seen->usable = i;
  }
  if (err != PLAIT_OK) pl_checkpoints_seen_free(seen);
  return err;
}

void pl_checkpoints_seen_free(pl_checkpoints_seen *seen) {
  for (int i = 0; i < 2; i++) {
    pl_free(&seen->path[i]);
    pl_free(&seen->file[i].bytes);
  }
}
