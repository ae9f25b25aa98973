// SPDX-License-Identifier: BSD-3-Clause
//
// Writing checkpoints (checkpoint.h). The head of the file that is overwritten is cleared first;
// that this may reach the disk late does no harm, since the parts have checksums. Costs: the bytes
// of the state once to the disk, hashed on the way, and two small collectives.
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "engine/checkpoint_file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int64_t pl_checkpoint_offset(const pl_checkpoint_what *what, int array) {
  int64_t at = PL_CHECKPOINT_PAGE;
  for (int i = 0; i < array; i++) {
    int64_t bytes = what->array[i].cell, rest;
    for (int d = 0; d < what->array[i].ndim; d++)
      if (pl_mul64_overflows(bytes, what->array[i].shape[d], &bytes)) return -1;
    if (__builtin_add_overflow(at, bytes, &at)) return -1;
    rest = at % PL_CHECKPOINT_PAGE;
    if (rest && __builtin_add_overflow(at, PL_CHECKPOINT_PAGE - rest, &at)) return -1;
  }
  return at;
}

pl_raw pl_checkpoint_raw(const pl_checkpoint_what *what, int array, int fd, const char *path) {
  const pl_checkpoint_array *a = &what->array[array];
  pl_raw raw = {.fd = fd,
                .path = path,
                .offset = pl_checkpoint_offset(what, array),
                .ndim = (int)a->ndim,
                .size = (size_t)a->cell};
  memcpy(raw.shape, a->shape, sizeof raw.shape);
  return raw;
}

uint64_t pl_checkpoint_head_hash(const pl_checkpoint_head *head) {
  return pl_hash(head, offsetof(pl_checkpoint_head, hash), 0);
}

static bool is_root(const pl_checkpoints *s) {
  return pl_comm_rank(s->comm) == 0;
}
static int target(const pl_checkpoints *s) {
  return s->good == 0 ? 1 : 0;
}

// ---- begin ----

static plait_err clear_file(pl_checkpoints *s) {
  static const pl_checkpoint_head none;
  const char *path = s->path[target(s)];
  int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) return pl_fail_errno(PLAIT_IO, "cannot write", path);
  plait_err err = pl_pwrite_all(fd, &none, sizeof none, 0, path);
  close(fd);
  return err;
}

static plait_err open_next(pl_checkpoints *s) {
  const char *path = s->path[target(s)];
  double start = pl_now(); // a new name may take a moment to reach the other nodes
  while ((s->next_fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)) < 0) {
    if (errno != ENOENT || is_root(s) || pl_now() - start > 10)
      return pl_fail_errno(PLAIT_IO, "cannot write", path);
    pl_sleep(0.05);
  }
  return PLAIT_OK;
}

plait_err pl_checkpoint_begin(pl_checkpoints *s, const pl_checkpoint_what *what) {
  s->began = pl_now();
  if (s->fd >= 0) close(s->fd);
  if (s->next_fd >= 0) close(s->next_fd); // of one that was never committed
  s->fd = s->next_fd = -1;
  s->found = false;
  s->next = *what;
  s->nparts = 0;
  if (pl_checkpoint_offset(what, (int)what->narrays) < 0)
    return plait_fail(PLAIT_OUTPUT, "%s: more than 2^63 bytes", s->path[0]);
  TRY(pl_comm_agree(s->comm, is_root(s) ? clear_file(s) : PLAIT_OK));
  s->serial++;
  return pl_comm_agree(s->comm, open_next(s));
}

// ---- parts ----

// Row by row where rows are apart in memory.
static uint64_t hash_box(const pl_box *box, const char *at, const ptrdiff_t stride[], size_t cell) {
  int64_t index[PLAIT_DIMS] = {0}, rows = 1, length = 1;
  int outer = box->ndim;
  if (outer > 0) length = box->n[--outer];
  for (int d = 0; d < outer; d++) rows *= box->n[d];
  uint64_t hash = 0;
  for (int64_t row = 0; row < rows; row++) {
    ptrdiff_t offset = 0;
    for (int d = 0; d < outer; d++) offset += index[d] * stride[d];
    hash = pl_hash(at + offset * (ptrdiff_t)cell, (size_t)length * cell, hash);
    for (int d = outer - 1; d >= 0 && ++index[d] == box->n[d]; d--) index[d] = 0;
  }
  return hash;
}

plait_err pl_checkpoint_write(pl_checkpoints *s, int array, const pl_box *box, const void *at,
                              const ptrdiff_t stride[]) {
  pl_raw raw = pl_checkpoint_raw(&s->next, array, s->next_fd, s->path[target(s)]);
  if (pl_box_cells(box) == 0) return PLAIT_OK;
  if (s->nparts == s->room) {
    int64_t room = s->room ? 2 * s->room : 16;
    TRY(pl_grow(&s->parts, (size_t)s->room, (size_t)room, sizeof *s->parts));
    s->room = room;
  }
  pl_checkpoint_part part = {.array = array};
  memcpy(part.lo, box->lo, sizeof part.lo);
  memcpy(part.n, box->n, sizeof part.n);
  part.hash = hash_box(box, at, stride, raw.size);
  TRY(pl_raw_write(&raw, box, at, stride, raw.size));
  s->parts[s->nparts++] = part;
  return PLAIT_OK;
}

plait_err pl_checkpoint_sync(pl_checkpoints *s) {
  return pl_file_sync(s->next_fd, s->path[target(s)]);
}

// ---- commit ----

// The parts of all ranks on rank 0.
static plait_err gather_parts(pl_checkpoints *s, pl_checkpoint_part **all, int64_t *n) {
  int64_t most = s->nparts, size = pl_comm_size(s->comm);
  *all = NULL;
  TRY(pl_comm_max_int(s->comm, &most, 1));
  pl_checkpoint_part *mine = NULL;
  plait_err err = pl_calloc((size_t)most, sizeof *mine, &mine);
  if (err == PLAIT_OK && is_root(s)) err = pl_calloc((size_t)(most * size), sizeof **all, all);
  GUARD(pl_comm_agree(s->comm, err));
  for (int64_t i = 0; i < most; i++) mine[i].array = -1;
  if (s->nparts) memcpy(mine, s->parts, (size_t)s->nparts * sizeof *mine);
  GUARD(pl_comm_gather(s->comm, mine, (size_t)most * sizeof *mine, *all, 0));
  *n = 0;
  for (int64_t i = 0; is_root(s) && i < most * size; i++)
    if ((*all)[i].array >= 0) (*all)[(*n)++] = (*all)[i];
done:
  pl_free(&mine);
  return err;
}

static plait_err write_table(pl_checkpoints *s, const pl_checkpoint_part *parts, int64_t n) {
  const pl_checkpoint_what *w = &s->next;
  const char *path = s->path[target(s)];
  size_t arrays = (size_t)w->narrays * sizeof w->array[0], identity = strlen(s->identity) + 1;
  size_t extra = (size_t)w->extra_bytes,
         bytes = arrays + identity + extra + (size_t)n * sizeof *parts;
  char *table = NULL;
  TRY(pl_alloc(bytes, 1, &table));
  char *at = table;
  memcpy(at, w->array, arrays);
  memcpy(at += arrays, s->identity, identity);
  at += identity;
  if (extra) memcpy(at, w->extra, extra);
  if (n) memcpy(at + extra, parts, (size_t)n * sizeof *parts);
  pl_checkpoint_head head = {.magic = PL_CHECKPOINT_MAGIC,
                             .serial = s->serial,
                             .step = w->step,
                             .narrays = w->narrays,
                             .extra_bytes = w->extra_bytes,
                             .identity_bytes = (int64_t)identity,
                             .nparts = n,
                             .table = pl_checkpoint_offset(w, (int)w->narrays),
                             .table_hash = pl_hash(table, bytes, 0)};
  head.hash = pl_checkpoint_head_hash(&head);
  plait_err err = PLAIT_OK;
  GUARD(pl_pwrite_all(s->next_fd, table, bytes, head.table, path));
  if (ftruncate(s->next_fd, head.table + (int64_t)bytes) != 0)
    GUARD(pl_fail_errno(PLAIT_IO, "cannot write", path));
  GUARD(pl_file_sync(s->next_fd, path));
  GUARD(pl_pwrite_all(s->next_fd, &head, sizeof head, 0, path));
  GUARD(pl_file_sync(s->next_fd, path));
  GUARD(pl_dir_sync(path));
done:
  pl_free(&table);
  return err;
}

void pl_checkpoint_drop(pl_checkpoints *s) {
  if (s->next_fd >= 0) (void)!ftruncate(s->next_fd, 0);
}

plait_err pl_checkpoint_commit(pl_checkpoints *s, plait_err mine) {
  pl_checkpoint_part *parts = NULL;
  int64_t n = 0;
  plait_err err = PLAIT_OK;
  GUARD(pl_comm_agree(s->comm, mine));
  GUARD(gather_parts(s, &parts, &n));
  GUARD(pl_comm_agree(s->comm, is_root(s) ? write_table(s, parts, n) : PLAIT_OK));
  s->good = target(s);
  if (pl_now() - s->began > s->longest) s->longest = pl_now() - s->began;
done:
  if (err != PLAIT_OK) pl_checkpoint_drop(s);
  if (s->next_fd >= 0) close(s->next_fd);
  s->next_fd = -1;
  pl_free(&parts);
  return err;
}

double pl_checkpoint_seconds(const pl_checkpoints *s) {
  return s->longest;
}
