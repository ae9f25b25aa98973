// SPDX-License-Identifier: BSD-3-Clause
//
// Ghost cells. Each belongs to the cell whose value it takes, and is filled right behind the box
// that wrote that cell, while both are in cache: no pass of its own, and no rule about order beyond
// the one that the levels obey anyway. Axes are done last to first, each over what the ones before
// have filled, so corners come out right.
#include "engine/tile.h"
#include <string.h>

typedef struct ghost {
  const pl_fields *fields;
  char *data;            // at the first own cell
  bool single;           // float32
  pl_span span[PL_AXES]; // cells to take along the axes
} ghost;

// The usual case, one ghost column of a few rows: a box as wide as the grid touches both its ends.
static void copy_column(const ghost *g, ptrdiff_t from, ptrdiff_t to, bool odd, double value) {
  const pl_part *part = &g->fields->part;
  bool solid = part->ndim == 3;
  int rows = solid ? 1 : 0;
  int64_t cell[PL_AXES] = {g->span[0].lo, solid ? g->span[1].lo : from, from};
  ptrdiff_t start = pl_part_offset(part, cell), shift = to - from;
  for (int64_t k = 0; k < (solid ? g->span[0].hi - g->span[0].lo : 1); k++)
    for (int64_t j = 0; j < g->span[rows].hi - g->span[rows].lo; j++) {
      ptrdiff_t at = start + (solid ? k * part->stride[0] : 0) + j * part->stride[rows];
      if (g->single) {
        float *x = (float *)(void *)g->data + at;
        x[shift] = odd ? (float)(2 * value) - x[0] : x[0];
      } else {
        double *x = (double *)(void *)g->data + at;
        x[shift] = odd ? 2 * value - x[0] : x[0];
      }
    }
}

// Copies (or reflects: 2 value - cell) the plane `from` of an axis to the plane `to`.
static void copy_plane(const ghost *g, int axis, int64_t from, int64_t to, bool odd, double value) {
  const pl_part *part = &g->fields->part;
  if (axis == part->ndim - 1 && axis > 0) {
    copy_column(g, from, to, odd, value);
    return;
  }
  pl_span span[PL_AXES];
  memcpy(span, g->span, sizeof span);
  span[axis] = (pl_span){from, from + 1};
  ptrdiff_t shift = (to - from) * part->stride[axis];
  int last = part->ndim - 1;
  int64_t cell[PL_AXES] = {0}, n = span[last].hi - span[last].lo;
  cell[last] = span[last].lo;
  pl_span one = {0, 1}, outer = part->ndim > 2 ? span[0] : one;
  pl_span inner = part->ndim > 1 ? span[part->ndim - 2] : one;
  for (int64_t i = outer.lo; i < outer.hi; i++)
    for (int64_t j = inner.lo; j < inner.hi; j++) {
      if (part->ndim > 2) cell[0] = i;
      if (part->ndim > 1) cell[part->ndim - 2] = j;
      ptrdiff_t at = pl_part_offset(part, cell);
      if (g->single) {
        float *x = (float *)(void *)g->data + at;
        for (int64_t k = 0; k < n; k++) x[k + shift] = odd ? (float)(2 * value) - x[k] : x[k];
      } else {
        double *x = (double *)(void *)g->data + at;
        for (int64_t k = 0; k < n; k++) x[k + shift] = odd ? 2 * value - x[k] : x[k];
      }
    }
}

static bool inside(const pl_span *span, int64_t cell) {
  return cell >= span->lo && cell < span->hi;
}

static void fill_loop(ghost *g, int axis) {
  const pl_part *part = &g->fields->part;
  int64_t lo = part->lo[axis], n = part->n[axis];
  for (int64_t k = 1; k <= part->below[axis]; k++)
    if (inside(&g->span[axis], lo + n - k)) copy_plane(g, axis, lo + n - k, lo - k, false, 0);
  for (int64_t k = 0; k < part->above[axis]; k++)
    if (inside(&g->span[axis], lo + k)) copy_plane(g, axis, lo + k, lo + n + k, false, 0);
  g->span[axis].lo = lo - part->below[axis];
  g->span[axis].hi = lo + n + part->above[axis];
}

static void fill_wall(ghost *g, int axis, int side, plait_edge edge, double value) {
  const pl_part *part = &g->fields->part;
  int64_t end = part->lo[axis] + part->n[axis], lo = part->lo[axis];
  int64_t depth = side ? part->above[axis] : part->below[axis];
  pl_span *span = &g->span[axis], grown = *span;
  for (int64_t k = 0; k < depth && k < part->n[axis]; k++) {
    int64_t cell = side ? end - 1 - k : lo + k, out = side ? end + k : lo - 1 - k;
    if (!inside(span, cell)) continue;
    copy_plane(g, axis, cell, out, edge == PLAIT_EDGE_ODD, value);
    if (side && out + 1 > grown.hi) grown.hi = out + 1;
    if (!side && out < grown.lo) grown.lo = out;
  }
  *span = grown;
}

// Which faces a box touches: bit 2 axis + side; a loop of the last axis counts as both.
static unsigned faces_of(const pl_part *part, const plait_cells *box) {
  unsigned faces = 0;
  for (int a = 0; a < part->ndim; a++) {
    bool loop = part->wrap && a == part->ndim - 1;
    int64_t end = part->lo[a] + part->n[a];
    if ((loop || part->side[a][0] == PL_SIDE_WALL) && box->lo[a] < part->lo[a] + part->below[a])
      faces |= 1u << (2 * a);
    if ((loop || part->side[a][1] == PL_SIDE_WALL) && box->lo[a] + box->n[a] > end - part->above[a])
      faces |= 2u << (2 * a);
  }
  return faces;
}

static void fill_field(const pl_tiling *t, const plait_cells *box, unsigned faces, int field,
                       char *data) {
  const plait_grid *grid = t->grid;
  const pl_part *part = &t->fields->part;
  const plait_field *f = &grid->field[field];
  ghost g = {t->fields, data, f->type == PLAIT_F32, {{0, 1}, {0, 1}, {0, 1}}};
  for (int a = 0; a < grid->ndim; a++) g.span[a] = (pl_span){box->lo[a], box->lo[a] + box->n[a]};
  for (int a = grid->ndim - 1; a >= 0; a--) {
    if (!(faces >> (2 * a) & 3)) continue;
    if (part->wrap && a == grid->ndim - 1) {
      fill_loop(&g, a);
      continue;
    }
    for (int side = 0; side < 2; side++) {
      plait_edge edge = f->fixed ? PLAIT_EDGE_EVEN : grid->edge[a][side];
      if (!(faces >> (2 * a + side) & 1) || edge == PLAIT_EDGE_OWN) continue;
      if (side == 1 && f->stagger[a]) continue;
      fill_wall(&g, a, side, edge, grid->value[a][side]);
    }
  }
}

void pl_tile_edges(const pl_tiling *t, const plait_cells *box, uint32_t fields) {
  unsigned faces = faces_of(&t->fields->part, box); // most boxes of a row's length touch two
  if (!faces) return;
  ptrdiff_t offset = pl_part_offset(&t->fields->part, box->lo);
  for (int f = 0; f < t->grid->nfields; f++)
    if (fields >> f & 1)
      fill_field(t, box, faces, f, (char *)box->next[f] - offset * (ptrdiff_t)t->fields->size[f]);
}
