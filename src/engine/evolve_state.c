// SPDX-License-Identifier: BSD-3-Clause
//
// See evolve_state.h.
#include "engine/evolve_state.h"
#include "base/mem.h"
#include "engine/evolve_save.h"
#include <stdio.h>
#include <string.h>

typedef struct front { // of extra; behind it the checksums of the snapshots, then the sums
  int64_t snapshots, ndiagnoses;
} front;

// Ghost cells at a wall, kept with the state; 0 where there is none.
static int64_t ghosts(const pl_march *m, int axis, int side) {
  return m->grid.edge[axis][side] == PLAIT_EDGE_PERIODIC ? 0 : pl_march_reach(&m->grid, axis, side);
}

static int64_t samples(const pl_evolve *e, int64_t step) {
  return step / e->gauges.every + 1;
}

// ---- arrays ----

static pl_checkpoint_array *add(pl_checkpoint_what *what, const char *name, size_t cell, int ndim) {
  pl_checkpoint_array *a = &what->array[what->narrays++];
  *a = (pl_checkpoint_array){.cell = (int64_t)cell, .ndim = ndim};
  snprintf(a->name, sizeof a->name, "%s", name);
  return a;
}

static void add_field(const pl_evolve *e, const char *name, size_t cell, bool walls,
                      pl_checkpoint_what *what) {
  const pl_march *m = &e->march;
  pl_checkpoint_array *a = add(what, name, cell, m->grid.ndim);
  for (int d = 0; d < m->grid.ndim; d++)
    a->shape[d] = m->grid.shape[d] + (walls ? ghosts(m, d, 0) + ghosts(m, d, 1) : 0);
}

void pl_state_arrays(const pl_evolve *e, int64_t step, pl_checkpoint_what *what) {
  const pl_march *m = &e->march;
  *what = (pl_checkpoint_what){.step = step};
  for (int f = 0; f < m->grid.nfields; f++)
    if (!m->grid.field[f].fixed) add_field(e, m->grid.field[f].name, m->fields.size[f], true, what);
  if (e->gauges.maximum) add_field(e, "(maximum)", sizeof(float), false, what);
  if (e->gauges.arrival) add_field(e, "(arrival)", sizeof(float), false, what);
  if (e->gauges.n == 0) return;
  pl_checkpoint_array *a = add(what, "(gauges)", sizeof(double), 2);
  a->shape[0] = e->gauges.n;
  a->shape[1] = samples(e, step);
}

// ---- parts ----

static void own_box(const pl_march *m, bool walls, pl_state_part *part, int64_t first[]) {
  const pl_part *p = &m->fields.part;
  part->box = (pl_box){.ndim = p->ndim};
  part->rows = 1;
  for (int a = 0; a < p->ndim; a++) {
    int64_t below = walls && p->side[a][0] == PL_SIDE_WALL ? ghosts(m, a, 0) : 0;
    int64_t above = walls && p->side[a][1] == PL_SIDE_WALL ? ghosts(m, a, 1) : 0;
    first[a] = p->lo[a] - below;
    part->box.lo[a] = first[a] + (walls ? ghosts(m, a, 0) : 0);
    part->box.n[a] = p->n[a] + below + above;
    if (a < p->ndim - 1) part->rows *= part->box.n[a];
  }
}

static void field_part(const pl_march *m, int field, pl_state_part *part) {
  int64_t first[PL_AXES] = {0};
  own_box(m, true, part, first);
  part->cell = m->fields.size[field];
  memcpy(part->stride, m->fields.part.stride, sizeof m->fields.part.stride);
  part->at = pl_fields_at(&m->fields, field, m->step) +
             pl_part_offset(&m->fields.part, first) * (ptrdiff_t)part->cell;
}

static void dense_part(const pl_march *m, float *values, pl_state_part *part) {
  int64_t first[PL_AXES] = {0};
  own_box(m, false, part, first);
  part->cell = sizeof *values;
  part->at = (char *)values;
  part->stride[part->box.ndim - 1] = 1;
  for (int d = part->box.ndim - 1; d > 0; d--)
    part->stride[d - 1] = part->stride[d] * (ptrdiff_t)part->box.n[d];
}

bool pl_state_part_of(const pl_evolve *e, int array, pl_state_part *part) {
  const pl_march *m = &e->march;
  *part = (pl_state_part){0};
  for (int f = 0; f < m->grid.nfields; f++)
    if (!m->grid.field[f].fixed && array-- == 0) {
      field_part(m, f, part);
      return true;
    }
  float *const own[] = {e->gauges.maximum, e->gauges.arrival};
  for (int i = 0; i < 2; i++)
    if (own[i] && array-- == 0) {
      dense_part(m, own[i], part);
      return true;
    }
  return false;
}

char *pl_state_row(const pl_state_part *part, int64_t row) {
  ptrdiff_t offset = 0;
  for (int a = part->box.ndim - 2; a >= 0; a--) {
    offset += (ptrdiff_t)(row % part->box.n[a]) * part->stride[a];
    row /= part->box.n[a];
  }
  return part->at + offset * (ptrdiff_t)part->cell;
}

size_t pl_state_bytes(const pl_evolve *e) {
  pl_checkpoint_what what;
  pl_state_part part;
  size_t bytes = 0;
  pl_state_arrays(e, e->march.step, &what);
  for (int i = 0; i < what.narrays; i++)
    if (pl_state_part_of(e, i, &part))
      bytes += (size_t)(part.rows * part.box.n[part.box.ndim - 1]) * part.cell;
  return bytes;
}

// ---- gauges ----

static int64_t own_gauges(const pl_gauges *g) {
  int64_t n = 0;
  for (int i = 0; i < g->n; i++) n += g->gauge[i].owner == pl_comm_rank(g->march->comm);
  return n;
}

size_t pl_state_series_bytes(const pl_evolve *e) {
  return (size_t)(own_gauges(&e->gauges) * samples(e, e->march.step)) * sizeof(double);
}

void pl_state_series(const pl_evolve *e, double *values) {
  const pl_gauges *g = &e->gauges;
  int64_t n = samples(e, e->march.step);
  for (int i = 0; i < g->n; i++)
    if (g->gauge[i].owner == pl_comm_rank(g->march->comm))
      for (int64_t s = 0; s < n; s++) *values++ = g->value[s * g->n + i];
}

// ---- beside the arrays ----

static int64_t diagnoses(const pl_evolve *e) {
  return e->sums ? e->march.grid.ndiagnoses : 0;
}

static size_t extra_bytes(const pl_evolve *e, int64_t snapshots) {
  return sizeof(front) + (size_t)(snapshots * (1 + diagnoses(e))) * 8;
}

size_t pl_state_extra_bytes(const pl_evolve *e) {
  return extra_bytes(e, pl_save_snapshots(e, e->march.step));
}

// Sums of the ranks' checksums, modulo 2^64: in halves, which do not overflow.
static plait_err add_hashes(const pl_evolve *e, int64_t n, uint64_t *sum) {
  int64_t *half = NULL;
  TRY(pl_comm_agree(e->march.comm, pl_alloc(2 * (size_t)n, sizeof *half, &half)));
  for (int64_t i = 0; i < n; i++) {
    half[2 * i] = (int64_t)(e->snapshots.hash[i] & UINT32_MAX);
    half[2 * i + 1] = (int64_t)(e->snapshots.hash[i] >> 32);
  }
  plait_err err = pl_comm_sum_int(e->march.comm, half, (int)(2 * n));
  for (int64_t i = 0; i < n; i++)
    sum[i] = (uint64_t)half[2 * i] + ((uint64_t)half[2 * i + 1] << 32);
  pl_free(&half);
  return err;
}

plait_err pl_state_extra(const pl_evolve *e, int64_t step, char *extra) {
  const front head = {pl_save_snapshots(e, step), diagnoses(e)};
  memcpy(extra, &head, sizeof head);
  char *at = extra + sizeof head;
  TRY(add_hashes(e, head.snapshots, (uint64_t *)(void *)at));
  at += head.snapshots * 8;
  if (e->sums) memcpy(at, e->sums, (size_t)(head.snapshots * head.ndiagnoses) * 8);
  return PLAIT_OK;
}

plait_err pl_state_take_extra(pl_evolve *e, const pl_checkpoint_what *what) {
  front head = {0};
  int64_t n = pl_save_snapshots(e, what->step);
  if (what->extra_bytes >= (int64_t)sizeof head) memcpy(&head, what->extra, sizeof head);
  if (head.snapshots != n || head.ndiagnoses != diagnoses(e) ||
      what->extra_bytes != (int64_t)extra_bytes(e, n))
    return plait_fail(PLAIT_OUTPUT,
                      "the checkpoints of %s hold other sums or snapshots than this job has",
                      e->task->job->output);
  const char *at = (const char *)what->extra + sizeof head;
  memset(e->snapshots.hash, 0, (size_t)e->nsnapshots * sizeof *e->snapshots.hash);
  if (pl_comm_rank(e->march.comm) == 0) memcpy(e->snapshots.hash, at, (size_t)n * 8);
  if (e->sums) memcpy(e->sums, at + n * 8, (size_t)(n * head.ndiagnoses) * 8);
  return PLAIT_OK;
}
