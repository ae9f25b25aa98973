// SPDX-License-Identifier: BSD-3-Clause
//
// A halo as deep as a time tile costs one latency in place of one per step, and a little arithmetic
// done twice. Diagonal neighbours get messages of their own: passing corners on along the axes
// would need one exchange after the other, and nothing could be hidden behind the interior.
//
// Across an axis without direction a message covers the own cells and the ghost cells at walls, so
// that ghosts beside a halo are right without a rule of their own.
#include "engine/halo.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/trace.h"
#include <string.h>

static int code(const int way[PL_AXES]) {
  return ((way[0] + 1) * 3 + way[1] + 1) * 3 + way[2] + 1;
}

static int64_t depth_of(const pl_halo *h, int axis, int side, int steps) {
  return pl_tiling_lag(h->tiling, steps * h->tiling->grid->nstages - 1, axis, side);
}

// Ghost cells that go along with a message across an axis in which it does not move.
static int64_t beside(const pl_part *part, int axis, int side) {
  bool kept = part->side[axis][side] == PL_SIDE_WALL || (part->wrap && axis == part->ndim - 1);
  return kept ? (side ? part->above[axis] : part->below[axis]) : 0;
}

// Cells that go out towards `way`, or come in from there.
static void message_box(const pl_halo *h, const int way[], bool in, int steps, int64_t lo[],
                        int64_t n[]) {
  const pl_part *part = &h->fields->part;
  for (int a = 0; a < part->ndim; a++) {
    int64_t below = depth_of(h, a, 0, steps), above = depth_of(h, a, 1, steps);
    int64_t end = part->lo[a] + part->n[a];
    if (way[a] == 0) {
      lo[a] = part->lo[a] - beside(part, a, 0);
      n[a] = end + beside(part, a, 1) - lo[a];
    } else if (way[a] < 0) {
      lo[a] = in ? part->lo[a] - below : part->lo[a];
      n[a] = in ? below : above;
    } else {
      lo[a] = in ? end : end - below;
      n[a] = in ? above : below;
    }
  }
}

static size_t message_cells(const pl_halo *h, const int way[], bool in, int steps) {
  int64_t lo[PL_AXES], n[PL_AXES], cells = 1;
  message_box(h, way, in, steps, lo, n);
  for (int a = 0; a < h->fields->part.ndim; a++) cells *= n[a];
  return (size_t)cells;
}

static bool travels(const pl_halo *h, int field) {
  return h->fixed || !h->fields->grid->field[field].fixed;
}

static size_t cell_size(const pl_halo *h) {
  size_t size = 0;
  for (int f = 0; f < h->fields->grid->nfields; f++) size += travels(h, f) ? h->fields->size[f] : 0;
  return size;
}

static plait_err add_message(pl_halo *h, const int ranks[PL_AXES], const int way[PL_AXES]) {
  int me = pl_comm_rank(h->comm), opposite[PL_AXES] = {-way[0], -way[1], -way[2]};
  const pl_part *part = &h->fields->part;
  if (part->wrap && way[part->ndim - 1]) return PLAIT_OK;
  int rank = pl_decompose_neighbour(h->fields->grid, ranks, me, way);
  if (rank < 0) return PLAIT_OK;
  pl_parcel *m = &h->message[h->n++];
  *m = (pl_parcel){.rank = rank, .tag_out = code(way), .tag_in = code(opposite)};
  memcpy(m->way, way, sizeof m->way);
  h->fixed = true;
  size_t out = message_cells(h, way, false, h->tiling->depth) * cell_size(h);
  size_t in = message_cells(h, way, true, h->tiling->depth) * cell_size(h);
  TRY(pl_alloc(out, 1, &m->out));
  if (rank != me) TRY(pl_alloc(in, 1, &m->in));
  return PLAIT_OK;
}

plait_err pl_halo_start(pl_comm *comm, const pl_fields *fields, const pl_tiling *tiling,
                        const int ranks[PL_AXES], pl_halo *h) {
  *h = (pl_halo){.comm = comm, .fields = fields, .tiling = tiling};
  int ndim = fields->part.ndim;
  for (int c = 0; c < 27; c++) {
    int way[PL_AXES] = {c / 9 - 1, c / 3 % 3 - 1, c % 3 - 1};
    bool real = c != 13;
    for (int a = ndim; a < PL_AXES; a++) real = real && way[a] == 0;
    if (real) TRY(add_message(h, ranks, way));
  }
  for (int i = 0; i < h->n; i++) // what comes in from `way` was sent by myself towards the opposite
    for (int k = 0; k < h->n; k++)
      if (h->message[k].tag_out == h->message[i].tag_in) h->message[i].twin = k;
  return PLAIT_OK;
}

void pl_halo_stop(pl_halo *h) {
  for (int i = 0; i < h->n; i++) {
    pl_free(&h->message[i].out);
    pl_free(&h->message[i].in);
  }
}

bool pl_halo_remote(const pl_halo *h) {
  for (int i = 0; i < h->n; i++)
    if (h->message[i].in) return true;
  return false;
}

typedef struct share { // rows dealt out to the threads
  int thread, threads;
  int64_t row;
} share;

static void copy_box(const pl_halo *h, int field, int64_t step, const int64_t lo[],
                     const int64_t n[], char *buffer, bool pack, share *s) {
  const pl_part *part = &h->fields->part;
  size_t size = h->fields->size[field], bytes = (size_t)n[part->ndim - 1] * size;
  char *data = pl_fields_at(h->fields, field, step);
  int64_t rows = 1, cell[PL_AXES] = {0};
  for (int a = 0; a < part->ndim - 1; a++) rows *= n[a];
  for (int64_t r = 0; r < rows; r++) {
    if (s->row++ % s->threads != s->thread) continue;
    cell[part->ndim - 1] = lo[part->ndim - 1];
    if (part->ndim == 2) cell[0] = lo[0] + r;
    if (part->ndim == 3) {
      cell[0] = lo[0] + r / n[1];
      cell[1] = lo[1] + r % n[1];
    }
    char *at = data + pl_part_offset(part, cell) * (ptrdiff_t)size,
         *in = buffer + (size_t)r * bytes;
    memcpy(pack ? in : at, pack ? at : in, bytes);
  }
}

static void copy_message(const pl_halo *h, const int way[], int64_t step, char *buffer, bool pack,
                         share *s) {
  int64_t lo[PL_AXES], n[PL_AXES];
  message_box(h, way, !pack, h->steps, lo, n);
  size_t cells = message_cells(h, way, !pack, h->steps);
  for (int f = 0; f < h->fields->grid->nfields; f++) {
    if (!travels(h, f)) continue;
    copy_box(h, f, step, lo, n, buffer, pack, s);
    buffer += cells * h->fields->size[f];
  }
}

void pl_halo_pack(pl_halo *h, int64_t step, int steps, bool fixed, int thread, int threads) {
  share s = {thread, threads, 0};
#pragma omp barrier
  if (thread == 0) {
    h->steps = steps;
    h->fixed = fixed;
  }
#pragma omp barrier
  for (int i = 0; i < h->n; i++)
    copy_message(h, h->message[i].way, step, h->message[i].out, true, &s);
#pragma omp barrier
}

plait_err pl_halo_post(pl_halo *h) {
  h->pending = 0;
  size_t cell = cell_size(h);
  for (int i = 0; i < h->n; i++) {
    pl_parcel *m = &h->message[i];
    if (!m->in) continue;
    TRY(pl_comm_receive(h->comm, m->in, message_cells(h, m->way, true, h->steps) * cell, m->rank,
                        m->tag_in, &h->request[h->pending]));
    h->pending++;
  }
  for (int i = 0; i < h->n; i++) {
    pl_parcel *m = &h->message[i];
    if (!m->in) continue;
    size_t bytes = message_cells(h, m->way, false, h->steps) * cell;
    TRY(pl_comm_send(h->comm, m->out, bytes, m->rank, m->tag_out, &h->request[h->pending]));
    h->pending++;
    h->messages++;
    h->bytes += (int64_t)bytes;
  }
  return PLAIT_OK;
}

void pl_halo_poke(pl_halo *h) {
  bool done = false;
  if (h->pending == 0 || h->error != PLAIT_OK) return;
  h->error = pl_comm_test(h->comm, h->request, h->pending, &done);
  if (done) h->pending = 0;
}

plait_err pl_halo_wait(pl_halo *h) {
  if (h->error != PLAIT_OK) return h->error;
  if (h->pending == 0) return PLAIT_OK;
  double start = pl_now();
  plait_err err = pl_comm_wait(h->comm, h->request, h->pending);
  h->pending = 0;
  double end = pl_now();
  h->waited += end - start;
  pl_trace_add(h->trace, PL_LANE_MESSAGES, start, end, end - start);
  return err;
}

void pl_halo_unpack(pl_halo *h, int64_t step, bool mine, int thread, int threads) {
  share s = {thread, threads, 0};
  for (int i = 0; i < h->n; i++) {
    pl_parcel *m = &h->message[i];
    if (mine != (m->in == NULL)) continue;
    copy_message(h, m->way, step, mine ? h->message[m->twin].out : m->in, false, &s);
  }
#pragma omp barrier
}
