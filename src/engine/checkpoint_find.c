// SPDX-License-Identifier: BSD-3-Clause
//
// Finding the checkpoint to go on from. Rank 0 reads heads and tables; the parts, which are as big
// as the state, are read and compared by all ranks in turn. Nothing is believed before its
// checksum, sizes are bounded by the file.
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

typedef struct table { // of one file, as read
  bool good;
  int which;
  pl_checkpoint_head head;
  pl_checkpoint_what what;
  char *bytes; // *owned*; identity, extra and parts stand in it
  int64_t size;
} table;

static const char *identity_of(const table *t) {
  return t->bytes + t->what.narrays * (int64_t)sizeof t->what.array[0];
}
static const char *extra_of(const table *t) {
  return identity_of(t) + t->head.identity_bytes;
}
static pl_checkpoint_part part_of(const table *t, int64_t i) {
  pl_checkpoint_part part;
  memcpy(&part, extra_of(t) + t->head.extra_bytes + i * (int64_t)sizeof part, sizeof part);
  return part;
}

// ---- head and table ----

static const char *bad_head(const pl_checkpoint_head *h, int64_t file, int64_t *bytes) {
  if (h->magic != PL_CHECKPOINT_MAGIC) return "is not complete";
  if (h->hash != pl_checkpoint_head_hash(h)) return "has a damaged head";
  if (h->narrays < 1 || h->narrays > PL_CHECKPOINT_ARRAYS || h->extra_bytes < 0 ||
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

static bool sane_parts(const table *t) {
  const pl_checkpoint_what *w = &t->what;
  int64_t cells[PL_CHECKPOINT_ARRAYS] = {0};
  for (int64_t i = 0; i < t->head.nparts; i++) {
    pl_checkpoint_part p = part_of(t, i);
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
static const char *read_table(int fd, const char *path, table *t, plait_err *err) {
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
  if (!sane_arrays(&t->what) || identity_of(t)[t->head.identity_bytes - 1] != 0 ||
      pl_checkpoint_offset(&t->what, (int)t->what.narrays) != t->head.table || !sane_parts(t))
    return "has a table that makes no sense";
  return NULL;
}

static void say(char *why, const char *path, const char *what) {
  size_t n = strlen(why);
  if (n < PL_MESSAGE_BYTES)
    snprintf(why + n, PL_MESSAGE_BYTES - n, "%s%s %s", n ? "; " : "", path, what);
}

static plait_err look(const pl_checkpoints *s, int which, table *t, char *why) {
  const char *path = s->path[which];
  plait_err err = PLAIT_OK;
  *t = (table){.which = which};
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno == ENOENT ? PLAIT_OK : pl_fail_errno(PLAIT_IO, "cannot read", path);
  const char *bad = read_table(fd, path, t, &err);
  close(fd);
  t->good = !bad;
  if (bad) say(why, path, bad);
  return err;
}

// ---- parts ----

static plait_err check_part(const pl_checkpoints *s, const table *t, int fd, int64_t i, char **room,
                            int64_t *bad) {
  pl_checkpoint_part p = part_of(t, i);
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
static plait_err check_parts(pl_checkpoints *s, const table *t, bool *good) {
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

static plait_err share_table(pl_checkpoints *s, table *t) {
  char *own = t->bytes;
  TRY(pl_comm_bcast(s->comm, t, sizeof *t, 0));
  t->bytes = own; // the pointer of rank 0 means nothing here
  plait_err err = PLAIT_OK;
  if (t->size > 0 && pl_comm_rank(s->comm) != 0) err = pl_alloc((size_t)t->size, 1, &t->bytes);
  TRY(pl_comm_agree(s->comm, err));
  return pl_comm_bcast(s->comm, t->bytes, (size_t)t->size, 0);
}

static plait_err accept(pl_checkpoints *s, const table *t) {
  s->found = true;
  s->good = t->which;
  s->what = t->what;
  plait_err err = pl_alloc((size_t)t->head.extra_bytes, 1, &s->extra);
  if (err == PLAIT_OK) memcpy(s->extra, extra_of(t), (size_t)t->head.extra_bytes);
  s->what.extra = s->extra;
  s->what.extra_bytes = t->head.extra_bytes;
  return pl_comm_agree(s->comm, err);
}

static plait_err attempt(pl_checkpoints *s, table *t, char *why) {
  const char *path = s->path[t->which];
  TRY(share_table(s, t));
  if (!t->good) return PLAIT_OK;
  bool root = pl_comm_rank(s->comm) == 0, good = false;
  if (t->head.serial > s->serial) s->serial = t->head.serial;
  TRY(pl_comm_agree(s->comm,
                    root ? pl_identity_compare(path, identity_of(t), s->identity) : PLAIT_OK));
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
  table t[2] = {{.which = 0}, {.which = 1}};
  plait_err err = PLAIT_OK;
  if (pl_comm_rank(s->comm) == 0)
    for (int i = 0; i < 2 && err == PLAIT_OK; i++) err = look(s, i, &t[i], why);
  GUARD(pl_comm_agree(s->comm, err));
  int newer = t[1].good && (!t[0].good || t[1].head.serial > t[0].head.serial) ? 1 : 0;
  GUARD(pl_comm_bcast(s->comm, &newer, sizeof newer, 0));
  for (int i = 0; i < 2 && !s->found; i++) GUARD(attempt(s, &t[i ? 1 - newer : newer], why));
done:
  pl_free(&t[0].bytes);
  pl_free(&t[1].bytes);
  return err;
}

static plait_err make_names(const char *output, char *path[2]) {
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
    err = make_names(output, s->path);
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

plait_err pl_checkpoints_remove(const char *output) {
  char *path[2] = {NULL, NULL};
  plait_err err = make_names(output, path);
  for (int i = 0; i < 2 && err == PLAIT_OK; i++)
    if (unlink(path[i]) != 0 && errno != ENOENT)
      err = pl_fail_errno(PLAIT_OUTPUT, "cannot remove", path[i]);
  pl_free(&path[0]);
  pl_free(&path[1]);
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
