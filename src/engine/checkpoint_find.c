// SPDX-License-Identifier: BSD-3-Clause
//
// Finding the checkpoint to go on from. Rank 0 reads heads and tables (checkpoint_table.c); the
// parts, which are as big as the state, are read and compared by all ranks in turn.
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "engine/checkpoint_file.h"
#include "engine/identity.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(char *why, const char *path, const char *what) {
  size_t n = strlen(why);
  if (n < PL_MESSAGE_BYTES)
    snprintf(why + n, PL_MESSAGE_BYTES - n, "%s%s %s", n ? "; " : "", path, what);
}

static plait_err look(const pl_checkpoints *s, pl_checkpoint_table *t, char *why) {
  const char *path = s->path[t->which], *bad;
  plait_err err = pl_checkpoint_look(path, t, &bad);
  if (bad) say(why, path, bad);
  return err;
}

// ---- parts ----

static plait_err check_part(const pl_checkpoints *s, const pl_checkpoint_table *t, int fd,
                            int64_t i, char **room, int64_t *bad) {
  pl_checkpoint_part p = pl_checkpoint_part_of(t, i);
  pl_raw raw = pl_checkpoint_raw(&t->what, (int)p.array, fd, s->path[t->which]);
  pl_box box = {.ndim = raw.ndim};
  int64_t row = raw.ndim > 0 ? p.n[raw.ndim - 1] : 1, rows = 1;
  const ptrdiff_t stride[PLAIT_DIMS] = {1, 1, 1, 1, 1, 1, 1, 1}; // of one row: nothing to step over
  uint64_t hash = 0;
  for (int d = 0; d < raw.ndim - 1; d++) rows *= p.n[d];
  TRY(pl_alloc((size_t)row, raw.size, room));
  plait_err err = PLAIT_OK;
  for (int64_t r = 0; err == PLAIT_OK && r < rows; r++) {
    int64_t rest = r;
    for (int d = raw.ndim - 1; d >= 0; d--) {
      bool last = d == raw.ndim - 1;
      box.n[d] = last ? row : 1;
      box.lo[d] = p.lo[d] + (last ? 0 : rest % p.n[d]);
      if (!last) rest /= p.n[d];
    }
    err = pl_raw_read(&raw, &box, *room, stride);
    hash = pl_hash(*room, (size_t)row * raw.size, hash);
  }
  pl_free(room);
  *bad += err != PLAIT_OK || hash != p.hash;
  return err == PLAIT_MEMORY ? err : PLAIT_OK;
}

// Collective. Every rank checks each size-th part of the file that is open in s->fd.
static plait_err check_parts(pl_checkpoints *s, const pl_checkpoint_table *t, bool *good) {
  int64_t bad = 0;
  char *room = NULL;
  plait_err err = PLAIT_OK;
  int size = pl_comm_size(s->comm);
  for (int64_t i = pl_comm_rank(s->comm); err == PLAIT_OK && i < t->head.nparts; i += size)
    err = check_part(s, t, s->fd, i, &room, &bad);
  TRY(pl_comm_agree(s->comm, err));
  TRY(pl_comm_sum_int(s->comm, &bad, 1));
  *good = bad == 0;
  return PLAIT_OK;
}

// ---- all ranks ----

static plait_err share_table(pl_checkpoints *s, pl_checkpoint_table *t) {
  char *own = t->bytes;
  TRY(pl_comm_bcast(s->comm, t, sizeof *t, 0));
  t->bytes = own; // the pointer of rank 0 means nothing here
  plait_err err = PLAIT_OK;
  if (t->size > 0 && pl_comm_rank(s->comm) != 0) err = pl_alloc((size_t)t->size, 1, &t->bytes);
  TRY(pl_comm_agree(s->comm, err));
  return pl_comm_bcast(s->comm, t->bytes, (size_t)t->size, 0);
}

static plait_err accept(pl_checkpoints *s, const pl_checkpoint_table *t) {
  s->found = true;
  s->good = t->which;
  s->what = t->what;
  plait_err err = pl_alloc((size_t)t->head.extra_bytes, 1, &s->extra);
  if (err == PLAIT_OK) memcpy(s->extra, pl_checkpoint_extra(t), (size_t)t->head.extra_bytes);
  s->what.extra = s->extra;
  s->what.extra_bytes = t->head.extra_bytes;
  return pl_comm_agree(s->comm, err);
}

static plait_err attempt(pl_checkpoints *s, pl_checkpoint_table *t, char *why) {
  const char *path = s->path[t->which];
  TRY(share_table(s, t));
  if (!t->good) return PLAIT_OK;
  bool root = pl_comm_rank(s->comm) == 0, good = false;
  if (t->head.serial > s->serial) s->serial = t->head.serial;
  TRY(pl_comm_agree(s->comm, root
                                 ? pl_identity_compare(path, pl_checkpoint_identity(t), s->identity)
                                 : PLAIT_OK));
  s->complete |= t->complete;
  if (t->complete) return PLAIT_OK; // only says that all is done
  s->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  TRY(pl_comm_agree(s->comm, s->fd < 0 ? pl_fail_errno(PLAIT_IO, "cannot read", path) : PLAIT_OK));
  TRY(check_parts(s, t, &good));
  if (good) return accept(s, t);
  say(why, path, "holds parts that are damaged");
  close(s->fd);
  s->fd = -1;
  return PLAIT_OK;
}

static plait_err find(pl_checkpoints *s, char *why) {
  pl_checkpoint_table t[2] = {{.which = 0}, {.which = 1}};
  plait_err err = PLAIT_OK;
  if (pl_comm_rank(s->comm) == 0)
    for (int i = 0; i < 2 && err == PLAIT_OK; i++) err = look(s, &t[i], why);
  GUARD(pl_comm_agree(s->comm, err));
  int newer = t[1].good && (!t[0].good || t[1].head.serial > t[0].head.serial) ? 1 : 0;
  GUARD(pl_comm_bcast(s->comm, &newer, sizeof newer, 0));
  for (int i = 0; i < 2 && !s->found; i++) GUARD(attempt(s, &t[i ? 1 - newer : newer], why));
done:
  pl_free(&t[0].bytes);
  pl_free(&t[1].bytes);
  return err;
}

plait_err pl_checkpoints_open(pl_comm *comm, const char *output, const char *identity, bool fresh,
                              pl_checkpoints **store, bool *found, char *why) {
  char reasons[PL_MESSAGE_BYTES] = "";
  pl_checkpoints *s = NULL;
  *store = NULL;
  *found = false;
  plait_err err = pl_calloc(1, sizeof *s, &s);
  if (err == PLAIT_OK) {
    s->comm = comm;
    s->good = s->fd = s->next_fd = -1;
    err = pl_checkpoint_names(output, s->path);
  }
  if (err == PLAIT_OK) err = pl_strdup(identity ? identity : "", &s->identity);
  GUARD(pl_comm_agree(comm, err));
  if (!fresh) GUARD(find(s, reasons));
  *found = s->found;
done:
  if (why) snprintf(why, PL_MESSAGE_BYTES, "%s", reasons);
  if (err != PLAIT_OK) pl_checkpoints_close(&s);
  *store = s;
  return err;
}

void pl_checkpoints_close(pl_checkpoints **at) {
  pl_checkpoints *s = *at;
  if (!s) return;
  if (s->fd >= 0) close(s->fd);
  if (s->next_fd >= 0) close(s->next_fd);
  pl_free(&s->path[0]);
  pl_free(&s->path[1]);
  pl_free(&s->identity);
  pl_free(&s->extra);
  pl_free(&s->parts);
  pl_free(at);
}

// The newest goes last: it may be the one that says that all is complete.
plait_err pl_checkpoints_remove(const char *output) {
  pl_checkpoints_seen seen;
  TRY(pl_checkpoints_scan(output, &seen));
  plait_err err = PLAIT_OK;
  for (int i = 0; i < 2 && err == PLAIT_OK; i++) {
    const char *path = seen.path[(i == 0) == (seen.newest == 0) ? 1 : 0];
    if (unlink(path) != 0 && errno != ENOENT) err = pl_fail_errno(PLAIT_IO, "cannot remove", path);
  }
  pl_checkpoints_seen_free(&seen);
  return err;
}

const pl_checkpoint_what *pl_checkpoints_found(const pl_checkpoints *s) {
  return &s->what;
}

plait_err pl_checkpoints_read(const pl_checkpoints *s, int array, const pl_box *box, void *at,
                              const ptrdiff_t stride[]) {
  pl_raw raw = pl_checkpoint_raw(&s->what, array, s->fd, s->path[s->good]);
  return pl_raw_read(&raw, box, at, stride);
}

bool pl_checkpoints_complete(const pl_checkpoints *s) {
  return s->complete;
}

bool pl_checkpoints_any(const pl_checkpoints *s) {
  return s && s->good >= 0;
}

bool pl_checkpoints_begun(const pl_checkpoints *s) {
  return s->serial > 0;
}

plait_err pl_checkpoints_forget(pl_checkpoints *s, const char *output) {
  if (s->fd >= 0) close(s->fd);
  s->fd = -1;
  s->found = s->complete = false;
  s->good = -1;
  return pl_comm_agree(s->comm,
                       pl_comm_rank(s->comm) == 0 ? pl_checkpoints_remove(output) : PLAIT_OK);
}
