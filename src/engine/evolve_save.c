// SPDX-License-Identifier: BSD-3-Clause
//
// See evolve_save.h. Costs: a copy of the state in memory, where the budget has room for one (else
// the team waits for the disk), and the copying: once through the state, as much as a plain step.
#include "engine/evolve_save.h"
#include "base/mem.h"
#include "engine/checkpoint_file.h"
#include <stdio.h>
#include <string.h>

enum { SLAB = 32 << 20 }; // bytes of a part: what one checksum covers

int64_t pl_save_snapshots(const pl_evolve *e, int64_t step) {
  return e->every > 0 ? step / e->every + 1 : step < e->steps ? 1 : 2;
}

void pl_save_start(pl_evolve *e, pl_output *output, pl_save *save) {
  *save = (pl_save){.e = e, .output = output};
}

void pl_save_stop(pl_save *save) {
  pl_free(&save->copy);
  pl_free(&save->values);
  pl_free(&save->extra);
}

int64_t pl_save_bytes(const pl_evolve *e) {
  pl_checkpoint_what what;
  pl_state_arrays(e, 0, &what);
  return pl_checkpoint_offset(&what, (int)what.narrays);
}

// ---- leader: begin ----

static plait_err make_room(pl_save *save) {
  const pl_evolve *e = save->e;
  size_t bytes = pl_state_bytes(e), extra = pl_state_extra_bytes(e);
  const pl_task *task = e->task;
  pl_free(&save->extra);
  pl_free(&save->values);
  TRY(pl_calloc(extra, 1, &save->extra));
  TRY(pl_alloc(pl_state_series_bytes(e), 1, &save->values));
  bool fits = task->needed + (int64_t)bytes <= task->budget;
  if (!save->copy) save->in_place = !fits || pl_alloc(bytes, 1, &save->copy) != PLAIT_OK;
  save->what.extra = save->extra;
  save->what.extra_bytes = (int64_t)extra;
  return PLAIT_OK;
}

plait_err pl_save_begin(pl_save *save) {
  pl_evolve *e = save->e;
  pl_state_arrays(e, e->march.step, &save->what);
  TRY(pl_comm_agree(e->march.comm, make_room(save)));
  TRY(pl_checkpoint_begin(e->store, &save->what));
  pl_state_series(e, (double *)(void *)save->values);
  for (int i = 0; i < save->what.narrays; i++) (void)pl_state_part_of(e, i, &save->part[i]);
  save->error = PLAIT_OK;
  save->under_way = true;
  atomic_store(&save->written, false);
  return PLAIT_OK;
}

// ---- team ----

void pl_save_copy(pl_save *save, int thread) {
  const pl_march *m = &save->e->march;
  if (save->in_place) return;
  char *to = save->copy;
  for (int i = 0; i < save->what.narrays; i++) {
    const pl_state_part *part = &save->part[i];
    if (part->rows == 0) continue;
    int64_t rows = part->rows, row = part->box.n[part->box.ndim - 1] * (int64_t)part->cell;
    for (int64_t r = rows * thread / m->threads; r < rows * (thread + 1) / m->threads; r++)
      memcpy(to + r * row, pl_state_row(part, r), (size_t)row);
    to += rows * row;
  }
}

// ---- writer strand ----

static plait_err write_slabs(pl_save *save, int array, const pl_state_part *part, int64_t *bytes) {
  int64_t plane = (int64_t)part->cell, end = part->box.lo[0] + part->box.n[0];
  for (int d = 1; d < part->box.ndim; d++) plane *= part->box.n[d];
  int64_t planes = plane < SLAB ? SLAB / plane : 1;
  pl_box box = part->box;
  const char *at = part->at;
  for (; box.lo[0] < end; box.lo[0] += planes) {
    box.n[0] = box.lo[0] + planes < end ? planes : end - box.lo[0];
    TRY(pl_checkpoint_write(save->e->store, array, &box, at, part->stride));
    *bytes += box.n[0] * plane;
    at += planes * part->stride[0] * (ptrdiff_t)part->cell;
  }
  return PLAIT_OK;
}

// The part as it lies in the copy at `at`: dense.
static void in_copy(pl_state_part *part, char *at) {
  part->at = at;
  part->stride[part->box.ndim - 1] = 1;
  for (int d = part->box.ndim - 1; d > 0; d--)
    part->stride[d - 1] = part->stride[d] * (ptrdiff_t)part->box.n[d];
}

static plait_err write_gauges(pl_save *save, int array, int64_t *bytes) {
  const pl_gauges *g = &save->e->gauges;
  const ptrdiff_t one[] = {1, 1};
  int64_t n = save->what.array[array].shape[1];
  const char *at = save->values;
  for (int i = 0; i < g->n; i++) {
    if (g->gauge[i].owner != pl_comm_rank(g->march->comm)) continue;
    pl_box box = {.ndim = 2, .lo = {i, 0}, .n = {1, n}};
    TRY(pl_checkpoint_write(save->e->store, array, &box, at, one));
    at += n * (int64_t)sizeof(double);
    *bytes += n * (int64_t)sizeof(double);
  }
  return PLAIT_OK;
}

static plait_err write_all(pl_save *save, int64_t *bytes) {
  char *at = save->copy;
  for (int i = 0; i < save->what.narrays; i++) {
    pl_state_part part = save->part[i];
    if (part.rows == 0) {
      TRY(write_gauges(save, i, bytes));
      continue;
    }
    if (!save->in_place) in_copy(&part, at);
    TRY(write_slabs(save, i, &part, bytes));
    at += part.rows * part.box.n[part.box.ndim - 1] * (int64_t)part.cell;
  }
  TRY(pl_checkpoint_sync(save->e->store));
  return pl_output_sync(save->output); // the snapshots that the checkpoint builds upon
}

void pl_save_write(pl_save *save, int64_t *bytes) {
  save->error = write_all(save, bytes);
  if (save->error != PLAIT_OK) pl_checkpoint_drop(save->e->store);
  snprintf(save->text, sizeof save->text, "%s", save->error == PLAIT_OK ? "" : pl_message());
  atomic_store(&save->written, true);
}

// ---- leader: commit ----

plait_err pl_save_commit(pl_save *save) {
  pl_evolve *e = save->e;
  if (save->error != PLAIT_OK) pl_message_set(save->text);
  plait_err err = pl_comm_agree(e->march.comm, save->error);
  if (err == PLAIT_OK) err = pl_state_extra(e, save->what.step, save->extra);
  save->under_way = false;
  return pl_checkpoint_commit(e->store, err);
}

plait_err pl_save_complete(pl_evolve *e) {
  const pl_checkpoint_what none = {.step = e->steps};
  TRY(pl_checkpoint_begin(e->store, &none));
  return pl_checkpoint_commit(e->store, PLAIT_OK);
}
