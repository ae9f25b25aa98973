// SPDX-License-Identifier: BSD-3-Clause
//
// Boxes of a plain array to and from a file. Rows are collected while they follow each other in the
// file (memory may have gaps: the halo of the block) and moved by one call. Costs a system call per
// 1024 rows or per gap; a row that continues the one before in memory too takes no vector.
#include "data/rawio.h"
#include "base/err.h"
#include "base/path.h"
#include "data/convert.h"
#include <errno.h>
#include <sys/uio.h>

enum { VECTORS = 1024, GAP = 8192 }; // IOV_MAX of Linux; a gap that is cheaper to read than to skip

typedef struct mover {
  const pl_raw *raw;
  bool writes;
  int64_t begin, end; // bytes of the file that the vectors cover
  int n;
  struct iovec at[VECTORS];
  char scrap[GAP];
} mover;

// Drops `bytes` that were moved from the front of the vectors.
static int skip(struct iovec **at, int n, size_t bytes) {
  while (n > 0 && bytes >= (*at)->iov_len) {
    bytes -= (*at)->iov_len;
    (*at)++;
    n--;
  }
  if (n > 0) {
    (*at)->iov_base = (char *)(*at)->iov_base + bytes;
    (*at)->iov_len -= bytes;
  }
  return n;
}

static plait_err ended(const mover *m, int64_t at) {
  if (m->writes) {
    errno = ENOSPC;
    return pl_fail_errno(PLAIT_IO, "cannot write", m->raw->path);
  }
  return plait_fail(PLAIT_IO, "%s: the file ends at byte %lld, %lld more bytes were expected",
                    m->raw->path, (long long)at, (long long)(m->end - at));
}

static plait_err flush(mover *m) {
  struct iovec *at = m->at;
  int left = m->n;
  int64_t offset = m->begin;
  while (left > 0) {
    ssize_t moved =
        m->writes ? pwritev(m->raw->fd, at, left, offset) : preadv(m->raw->fd, at, left, offset);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0)
      return pl_fail_errno(PLAIT_IO, m->writes ? "cannot write" : "cannot read", m->raw->path);
    if (moved == 0) return ended(m, offset);
    pl_moves_note();
    offset += moved;
    left = skip(&at, left, (size_t)moved);
  }
  m->n = 0;
  m->begin = m->end;
  return PLAIT_OK;
}

static bool follows(const mover *m, const void *memory) {
  const struct iovec *last = &m->at[m->n - 1];
  return (const char *)last->iov_base + last->iov_len == (const char *)memory;
}

static plait_err add(mover *m, int64_t offset, void *memory, size_t bytes) {
  int64_t gap = offset - m->end;
  bool bridge = m->n > 0 && !m->writes && gap > 0 && gap <= GAP;
  if (m->n > VECTORS - 2 || (gap != 0 && !bridge)) {
    plait_err err = flush(m);
    if (err != PLAIT_OK) return err;
    bridge = false;
    m->begin = offset;
  }
  if (bridge) m->at[m->n++] = (struct iovec){m->scrap, (size_t)gap};
  if (m->n > 0 && !bridge && follows(m, memory))
    m->at[m->n - 1].iov_len += bytes;
  else
    m->at[m->n++] = (struct iovec){memory, bytes};
  m->end = offset + (int64_t)bytes;
  return PLAIT_OK;
}

// Where rows are: axes before a row as the file has it, and before a row as memory has it (the
// longer one: pl_encode cuts those into pieces).
typedef struct rows {
  int in_file, in_memory;
  int64_t length; // cells of a row that is contiguous in both
} rows;

static rows rows_of(const pl_raw *raw, const pl_box *box, const ptrdiff_t stride[]) {
  rows r = {.in_memory = box->ndim, .length = 1};
  int64_t dense = 1;
  while (r.in_memory > 0 && (stride[r.in_memory - 1] == dense || box->n[r.in_memory - 1] == 1))
    dense *= box->n[--r.in_memory];
  r.in_file = box->ndim;
  bool whole = true;
  while (r.in_file > r.in_memory && whole) {
    int d = --r.in_file;
    r.length *= box->n[d];
    whole = box->n[d] == raw->shape[d];
  }
  return r;
}

// `first` cells into a row of memory at `row`: cut where pl_encode began a new piece.
static plait_err add_row(mover *m, int64_t offset, char *row, int64_t first, int64_t n,
                         size_t cell) {
  const size_t size = m->raw->size;
  if (cell == size) return add(m, offset, row + (size_t)first * size, (size_t)n * size);
  while (n > 0) {
    int64_t within = first % PL_PIECE, part = PL_PIECE - within < n ? PL_PIECE - within : n;
    char *at = row + (size_t)(first - within) * cell + (size_t)within * size;
    plait_err err = add(m, offset, at, (size_t)part * size);
    if (err != PLAIT_OK) return err;
    offset += part * (int64_t)size;
    first += part;
    n -= part;
  }
  return PLAIT_OK;
}

static plait_err move_box(mover *m, const pl_box *box, char *memory, const ptrdiff_t stride[],
                          size_t cell) {
  const pl_raw *raw = m->raw;
  const rows r = rows_of(raw, box, stride);
  int64_t index[PLAIT_DIMS] = {0}, total = 1;
  for (int d = 0; d < r.in_file; d++) total *= box->n[d];
  for (int64_t i = 0; i < total; i++) {
    int64_t in_array = 0, first = 0;
    ptrdiff_t row = 0;
    for (int d = 0; d < box->ndim; d++) {
      in_array = in_array * raw->shape[d] + box->lo[d] + index[d];
      if (d < r.in_memory)
        row += index[d] * stride[d];
      else
        first += index[d] * stride[d];
    }
    TRY(add_row(m, raw->offset + in_array * (int64_t)raw->size, memory + row * (ptrdiff_t)cell,
                first, r.length, cell));
    for (int d = r.in_file - 1; d >= 0 && ++index[d] == box->n[d]; d--) index[d] = 0;
  }
  return flush(m);
}

plait_err pl_raw_read(const pl_raw *raw, const pl_box *box, void *at, const ptrdiff_t stride[]) {
  mover m;
  m.raw = raw;
  m.writes = false;
  m.n = 0;
  m.begin = m.end = -1;
  return move_box(&m, box, at, stride, raw->size);
}

plait_err pl_raw_write(const pl_raw *raw, const pl_box *box, const void *at,
                       const ptrdiff_t stride[], size_t cell) {
  mover m;
  m.raw = raw;
  m.writes = true;
  m.n = 0;
  m.begin = m.end = -1;
  return move_box(&m, box, (void *)at, stride, cell); // only read: the vectors of C are not const
}
