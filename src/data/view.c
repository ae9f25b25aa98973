// SPDX-License-Identifier: BSD-3-Clause
//
// See view.h.
#include "data/view.h"
#include "base/mem.h"
#include "host/lost.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 64, AHEAD = 6 * 1024 }; // bytes of a line of the cache; to look ahead

struct pl_view {
  pl_plain plain;
  char *base; // of the mapping, byte 0 of the file
  size_t bytes;
  char line[512]; // the last words
};

// Values from one index of an axis to the next.
static int64_t step_of(const pl_plain *plain, int axis) {
  int64_t step = 1;
  for (int d = plain->raw.ndim - 1; d > axis; d--) step *= plain->raw.shape[d];
  return axis == 0 && plain->step > 0 ? plain->step : step;
}

static bool can_be_seen(const pl_plain *plain, bool anywhere, size_t *bytes) {
  const pl_raw *raw = &plain->raw;
  struct stat file;
  int64_t size = (int64_t)raw->size, end = raw->offset;
  end += (raw->shape[0] - 1) * step_of(plain, 0) * size; // is in the file
  for (int d = 1; d < raw->ndim; d++) size *= raw->shape[d];
  if (raw->offset < 0 || (!anywhere && raw->offset % (int64_t)raw->size != 0)) return false;
  end += size;
  if (fstat(raw->fd, &file) != 0 || file.st_size < end) return false;
  *bytes = (size_t)end;
  return true;
}

plait_err pl_view_open(const pl_plain *plain, bool unaligned, pl_view **view) {
  size_t bytes;
  pl_view *v = NULL;
  *view = NULL;
  bool anywhere = unaligned || !pl_convert_idle(&plain->convert);
  if (!can_be_seen(plain, anywhere, &bytes)) return PLAIT_OK;
  TRY(pl_calloc(1, sizeof *v, &v));
  v->plain = *plain;
  v->bytes = bytes;
  v->base = mmap(NULL, bytes, PROT_READ, MAP_SHARED, plain->raw.fd, 0);
  snprintf(v->line, sizeof v->line,
           "plait: error: %s: cannot be read any more: it became shorter, or the disk failed\n",
           plain->raw.path);
  if (v->base != MAP_FAILED && pl_lost_watch(v->base, bytes, v->line)) {
    *view = v;
    return PLAIT_OK;
  }
  if (v->base != MAP_FAILED) munmap(v->base, bytes);
  pl_free(&v);
  return PLAIT_OK;
}

static void *give_back(void *view) {
  pl_view *v = view;
  munmap(v->base, v->bytes);
  pl_free(&v);
  return NULL;
}

// To give a gigabyte of pages back takes 9 ms where they are large and 40 where they are small:
// aside, as the run goes on to wait for the disk that keeps its result. (Four threads took no
// less, and whoever maps memory meanwhile waits for them.)
void pl_view_close(pl_view **view) {
  pthread_t aside;
  if (*view == NULL) return;
  pl_lost_rest();
  if (pthread_create(&aside, NULL, give_back, *view) == 0)
    pthread_detach(aside);
  else
    give_back(*view);
  *view = NULL;
}

// Bytes from the begin of the file to a cell.
static size_t place(const pl_view *view, const int64_t cell[]) {
  const pl_raw *raw = &view->plain.raw;
  int64_t at = 0;
  for (int d = 0; d < raw->ndim; d++) at += cell[d] * step_of(&view->plain, d);
  return (size_t)raw->offset + (size_t)at * raw->size;
}

static plait_block in_file(const pl_view *view, const pl_box *box) {
  plait_block block = pl_block_over(NULL, view->plain.convert.stored, box, NULL);
  for (int d = 0; d < box->ndim; d++) block.stride[d] = (ptrdiff_t)step_of(&view->plain, d);
  block.data = view->base + place(view, box->lo);
  return block;
}

// The core reads ahead inside a page, but the rows of a part lie apart: asked for in time, all of
// it takes a seventh less.
static void ask_for(const char *row, size_t bytes) {
  for (size_t i = 0; i < bytes; i += LINE) __builtin_prefetch(row + i);
}

void pl_view_look(const pl_view *view, const pl_box *box, void *memory, plait_block *part) {
  const pl_convert *convert = &view->plain.convert;
  plait_block stored = in_file(view, box);
  *part = stored;
  if (pl_convert_idle(convert)) return;
  *part = pl_block_over(memory, convert->type, box, NULL);
  size_t n = (size_t)box->n[box->ndim - 1], bytes = n * view->plain.raw.size;
  int64_t rows = plait_rows(part), ahead = 1 + (int64_t)(AHEAD / bytes);
  for (int64_t row = 0; row < rows; row++) {
    if (row + ahead < rows) ask_for(plait_row(&stored, row + ahead), bytes);
    pl_decode_row(convert, plait_row(&stored, row), plait_row(part, row), n);
  }
}

size_t pl_view_bytes(const pl_view *view) {
  return view->bytes;
}

size_t pl_view_span(const pl_view *view, const pl_box *box) {
  int64_t last[PLAIT_DIMS];
  for (int d = 0; d < box->ndim; d++) last[d] = box->lo[d] + box->n[d] - 1;
  return place(view, last) + view->plain.raw.size - place(view, box->lo);
}

void pl_view_forget(const pl_view *view, const pl_box *box) {
  size_t first = place(view, box->lo), from = first / (size_t)sysconf(_SC_PAGESIZE);
  from *= (size_t)sysconf(_SC_PAGESIZE);
  (void)madvise(view->base + from, first - from + pl_view_span(view, box), MADV_DONTNEED);
}

long pl_view_waits(void) {
  static _Thread_local long before = -1;
  struct rusage usage;
  if (getrusage(RUSAGE_THREAD, &usage) != 0) return 0;
  long waits = before >= 0 ? usage.ru_majflt - before : 0;
  before = usage.ru_majflt;
  return waits;
}
