// SPDX-License-Identifier: BSD-3-Clause
//
// See view.h.
#include "data/view.h"
#include "base/mem.h"
#include "host/lost.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct pl_view {
  pl_raw raw;
  char *base; // of the mapping, byte 0 of the file
  size_t bytes;
  char line[512]; // the last words
};

static bool can_be_seen(const pl_raw *raw, size_t *bytes) {
  struct stat file;
  int64_t size = (int64_t)raw->size, end = raw->offset;
  for (int d = 0; d < raw->ndim; d++) size *= raw->shape[d]; // is in the file
  if (raw->offset < 0 || raw->offset % (int64_t)raw->size != 0) return false;
  end += size;
  if (fstat(raw->fd, &file) != 0 || file.st_size < end) return false;
  *bytes = (size_t)end;
  return true;
}

plait_err pl_view_open(const pl_raw *raw, pl_view **view) {
  size_t bytes;
  pl_view *v = NULL;
  *view = NULL;
  if (!can_be_seen(raw, &bytes)) return PLAIT_OK;
  TRY(pl_calloc(1, sizeof *v, &v));
  v->raw = *raw;
  v->bytes = bytes;
  v->base = mmap(NULL, bytes, PROT_READ, MAP_SHARED, raw->fd, 0);
  snprintf(v->line, sizeof v->line,
           "plait: error: %s: cannot be read any more: it became shorter, or the disk failed\n",
           raw->path);
  if (v->base != MAP_FAILED && pl_lost_watch(v->base, bytes, v->line)) {
    *view = v;
    return PLAIT_OK;
  }
  if (v->base != MAP_FAILED) munmap(v->base, bytes);
  pl_free(&v);
  return PLAIT_OK;
}

void pl_view_close(pl_view **view) {
  if (*view == NULL) return;
  pl_lost_rest();
  munmap((*view)->base, (*view)->bytes);
  pl_free(view);
}

// Bytes from the begin of the file to a cell.
static size_t place(const pl_view *view, const int64_t cell[]) {
  int64_t at = 0;
  for (int d = 0; d < view->raw.ndim; d++) at = at * view->raw.shape[d] + cell[d];
  return (size_t)view->raw.offset + (size_t)at * view->raw.size;
}

void pl_view_look(const pl_view *view, const pl_box *box, plait_block *part) {
  ptrdiff_t step = 1;
  for (int d = box->ndim - 1; d >= 0; d--) {
    part->stride[d] = step;
    step *= (ptrdiff_t)view->raw.shape[d];
  }
  part->data = view->base + place(view, box->lo);
}

size_t pl_view_bytes(const pl_view *view) {
  return view->bytes;
}

size_t pl_view_span(const pl_view *view, const pl_box *box) {
  int64_t last[PLAIT_DIMS];
  for (int d = 0; d < box->ndim; d++) last[d] = box->lo[d] + box->n[d] - 1;
  return place(view, last) + view->raw.size - place(view, box->lo);
}

void pl_view_forget(const pl_view *view, const pl_box *box) {
  size_t first = place(view, box->lo), from = first / (size_t)sysconf(_SC_PAGESIZE);
  from *= (size_t)sysconf(_SC_PAGESIZE);
  (void)madvise(view->base + from, first - from + pl_view_span(view, box), MADV_DONTNEED);
}

bool pl_view_waited(void) {
  static _Thread_local long before = -1;
  struct rusage usage;
  if (getrusage(RUSAGE_THREAD, &usage) != 0) return false;
  bool waited = before >= 0 && usage.ru_majflt > before;
  before = usage.ru_majflt;
  return waited;
}
