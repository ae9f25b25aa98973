// SPDX-License-Identifier: BSD-3-Clause
//
// Reading a journal, whatever state it is in. Nothing in the file is believed before its checksum:
// lengths are bounded by the file, so they bound the memory too. What is no record is stepped over
// page by page; pages of zeros were claimed and never written, which is no damage.
#include "base/mem.h"
#include "base/path.h"
#include "engine/journal.h"
#include "engine/journal_format.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct scan {
  int fd;
  const char *path;
  pl_journal_found *found;
  char *piece; // PL_JOURNAL_PIECE bytes
  int64_t bad; // places since the last good record that are not records
} scan;

void pl_journal_found_free(pl_journal_found *found) {
  pl_free(&found->identity);
  pl_free(&found->runs);
  pl_free(&found->nodes);
  pl_free(&found->rows);
  *found = (pl_journal_found){0};
}

// Bytes at the front of a payload that are hashed by themselves.
static size_t front_of(uint32_t type) {
  return type == PL_RECORD_NODE    ? sizeof(pl_record_node)
         : type == PL_RECORD_STATE ? sizeof(int64_t)
                                   : 0;
}

static plait_err hash_range(const scan *s, int64_t offset, size_t bytes, uint64_t *hash) {
  for (size_t done = 0; done < bytes; done += PL_JOURNAL_PIECE) {
    size_t n = bytes - done < PL_JOURNAL_PIECE ? bytes - done : PL_JOURNAL_PIECE;
    TRY(pl_pread_all(s->fd, s->piece, n, offset + (int64_t)done, s->path));
    *hash = pl_hash(s->piece, n, *hash);
  }
  return PLAIT_OK;
}

static bool fits(const scan *s, int64_t offset, const pl_record *head) {
  int64_t room = s->found->file_bytes - offset - (int64_t)sizeof *head;
  return room >= 0 && head->bytes <= (uint64_t)room && head->bytes >= front_of(head->type);
}

static bool is_head(const scan *s, const pl_record *head) {
  return head->magic == PL_JOURNAL_MAGIC && head->head == pl_record_hash(head) &&
         (!s->found->readable || head->id == s->found->id);
}

// ---- what a good record holds ----

static plait_err grow(void *list, int64_t n, int64_t more, int64_t *room, size_t size) {
  int64_t wanted = *room ? *room : 64;
  while (wanted < n + more) wanted *= 2;
  if (wanted == *room) return PLAIT_OK;
  TRY(pl_grow(list, (size_t)*room, (size_t)wanted, size));
  *room = wanted;
  return PLAIT_OK;
}

static bool header_is_sane(const pl_journal_header *cut) {
  if (cut->version != PL_JOURNAL_VERSION || cut->ndim < 0 || cut->ndim > PLAIT_DIMS) return false;
  for (int d = 0; d < cut->ndim; d++)
    if (cut->shape[d] < 1 || cut->extent[d] < 1 || cut->extent[d] > cut->shape[d]) return false;
  return true;
}

static plait_err take_header(scan *s, const pl_record *head, int64_t at) {
  pl_journal_found *f = s->found;
  size_t text = (size_t)head->bytes - sizeof f->cut;
  if (f->readable || head->bytes <= sizeof f->cut) return PLAIT_OK; // the second copy
  TRY(pl_pread_all(s->fd, &f->cut, sizeof f->cut, at, s->path));
  if (!header_is_sane(&f->cut)) return PLAIT_OK;
  TRY(pl_alloc(text + 1, 1, &f->identity));
  TRY(pl_pread_all(s->fd, f->identity, text, at + (int64_t)sizeof f->cut, s->path));
  f->identity[text] = 0;
  f->id = head->id;
  f->readable = true;
  return PLAIT_OK;
}

static plait_err take_runs(scan *s, const pl_record *head, int64_t at) {
  pl_journal_found *f = s->found;
  int64_t n = (int64_t)(head->bytes / sizeof *f->runs), kept = f->nruns;
  TRY(grow(&f->runs, f->nruns, n, &f->runs_room, sizeof *f->runs));
  TRY(pl_pread_all(s->fd, f->runs + f->nruns, (size_t)n * sizeof *f->runs, at, s->path));
  for (int64_t i = f->nruns; i < f->nruns + n; i++) {
    const pl_journal_run *run = &f->runs[i];
    if (run->first >= 0 && run->count > 0 && run->count <= INT64_MAX - run->first)
      f->runs[kept++] = *run;
  }
  f->nruns = kept;
  return PLAIT_OK;
}

static plait_err take_node(scan *s, const pl_record *head, int64_t at, uint64_t seed) {
  pl_journal_found *f = s->found;
  pl_record_node node;
  TRY(pl_pread_all(s->fd, &node, sizeof node, at, s->path));
  if (node.tile < 0 || node.index < 0 || node.level < 0 || node.level > 62 || node.pass < 0)
    return PLAIT_OK;
  TRY(grow(&f->nodes, f->nnodes, 1, &f->nodes_room, sizeof *f->nodes));
  f->nodes[f->nnodes++] = (pl_journal_node){
      node.tile,
      node.index,
      node.level,
      node.pass,
      {at + (int64_t)sizeof node, (int64_t)(head->bytes - sizeof node), seed, head->payload}};
  return PLAIT_OK;
}

static plait_err take_state(scan *s, const pl_record *head, int64_t at, uint64_t seed) {
  pl_journal_found *f = s->found;
  int64_t pass;
  TRY(pl_pread_all(s->fd, &pass, sizeof pass, at, s->path));
  if (pass <= f->pass) return PLAIT_OK;
  f->pass = pass;
  f->state = (pl_journal_place){at + (int64_t)sizeof pass, (int64_t)(head->bytes - sizeof pass),
                                seed, head->payload};
  return PLAIT_OK;
}

static plait_err take_rows(scan *s, const pl_record *head, int64_t at, uint64_t seed) {
  pl_journal_found *f = s->found;
  TRY(grow(&f->rows, f->nrows, 1, &f->rows_room, sizeof *f->rows));
  f->rows[f->nrows++] = (pl_journal_place){at, (int64_t)head->bytes, seed, head->payload};
  return PLAIT_OK;
}

static plait_err take(scan *s, const pl_record *head, int64_t at, uint64_t seed) {
  switch (head->type) {
  case PL_RECORD_HEADER:
    return take_header(s, head, at);
  case PL_RECORD_DONE:
    return take_runs(s, head, at);
  case PL_RECORD_NODE:
    return take_node(s, head, at, seed);
  case PL_RECORD_STATE:
    return take_state(s, head, at, seed);
  case PL_RECORD_COMPLETE:
    s->found->complete = true;
    return PLAIT_OK;
  case PL_RECORD_ROWS:
    return take_rows(s, head, at, seed);
  default:
    return PLAIT_OK; // of a later version: says nothing that must be known
  }
}

// ---- going through ----

// Looks for a record at *offset. Good: taken, *offset behind it. Head good, payload bad: *offset
// behind it too. Otherwise *offset on the next page.
static plait_err step(scan *s, int64_t *offset) {
  pl_journal_found *f = s->found;
  pl_record head;
  int64_t start = *offset, next = (start / PL_JOURNAL_PAGE + 1) * PL_JOURNAL_PAGE;
  *offset = next;
  if (f->file_bytes - start < (int64_t)sizeof head) {
    s->bad++;
    return PLAIT_OK;
  }
  TRY(pl_pread_all(s->fd, &head, sizeof head, start, s->path));
  if (head.magic == 0 && head.id == 0 && head.head == 0) return PLAIT_OK; // end of a segment
  if (!is_head(s, &head)) {
    s->bad++;
    return PLAIT_OK;
  }
  int64_t at = start + (int64_t)sizeof head;
  size_t front = front_of(head.type);
  uint64_t seed = 0, hash;
  if (!fits(s, start, &head)) {
    s->bad++;
    return PLAIT_OK;
  }
  *offset = at + (int64_t)pl_record_padded((size_t)head.bytes);
  TRY(hash_range(s, at, front, &seed));
  hash = seed;
  TRY(hash_range(s, at + (int64_t)front, (size_t)head.bytes - front, &hash));
  if (hash != head.payload) {
    s->bad++;
    return PLAIT_OK;
  }
  f->damaged += s->bad;
  s->bad = 0;
  f->records++;
  f->end = pl_journal_page(*offset);
  return take(s, &head, at, seed);
}

static plait_err scan_open(scan *s) {
  struct stat info;
  if (fstat(s->fd, &info) != 0) return pl_fail_errno(PLAIT_IO, "cannot read", s->path);
  if (!S_ISREG(info.st_mode))
    return plait_fail(PLAIT_OUTPUT, "%s is in the way: it is not a regular file", s->path);
  s->found->file_bytes = info.st_size;
  TRY(pl_alloc(PL_JOURNAL_PIECE, 1, &s->piece));
  // The header first: without its number nothing else is believed.
  for (int64_t at = 0; at < info.st_size && !s->found->readable;) TRY(step(s, &at));
  pl_journal_found *f = s->found;
  f->nruns = f->nnodes = f->nrows = f->pass = f->records = f->damaged = 0;
  f->complete = false;
  s->bad = 0;
  for (int64_t at = 0; at < info.st_size && f->readable;) TRY(step(s, &at));
  f->torn = s->bad > 0;
  return PLAIT_OK;
}

plait_err pl_journal_scan(const char *output, pl_journal_found *found) {
  char *path = NULL;
  plait_err err = PLAIT_OK;
  *found = (pl_journal_found){0};
  TRY(pl_journal_name(output, &path));
  scan s = {.path = path, .found = found};
  s.fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (s.fd < 0) {
    if (errno != ENOENT && errno != ENOTDIR)
      err = pl_fail_errno(PLAIT_OUTPUT, "cannot read the journal", path);
    goto done;
  }
  found->exists = true;
  err = scan_open(&s);
  close(s.fd);
done:
  pl_free(&s.piece);
  pl_free(&path);
  if (err != PLAIT_OK) pl_journal_found_free(found);
  return err;
}

plait_err pl_journal_read(const char *output, const pl_journal_place *place, void *to) {
  char *path = NULL;
  TRY(pl_journal_name(output, &path));
  plait_err err = PLAIT_OK;
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    err = pl_fail_errno(PLAIT_IO, "cannot read", path);
  } else {
    err = pl_pread_all(fd, to, (size_t)place->bytes, place->offset, path);
    close(fd);
  }
  if (err == PLAIT_OK && pl_journal_hash(to, (size_t)place->bytes, place->seed) != place->hash)
    err = plait_fail(PLAIT_OUTPUT, "%s: a record is damaged", path);
  pl_free(&path);
  return err;
}
