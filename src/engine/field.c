// SPDX-License-Identifier: BSD-3-Clause
//
// Memory of a part. Three habits that are worth 10-30 % each on a stencil: huge pages where the
// kernel gives them, rows padded off powers of two (else the planes of a 512^3 grid share cache
// sets), and fields that do not start at the same offset within a page (else a store stalls loads
// of another field that agree in the low 12 bits of the address).
#include "engine/field.h"
#include "base/mem.h"
#include <string.h>

enum { LINE = 16 }; // cells: a cache line of float32, two of float64

static int64_t round_up(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

void pl_part_lay_out(pl_part *part) {
  int last = part->ndim - 1;
  int64_t left = round_up(part->below[last], LINE);
  ptrdiff_t stride = round_up(left + part->n[last] + part->above[last], LINE) + LINE;
  if (stride % 256 == 0) stride += LINE;
  part->first = left;
  part->stride[last] = 1;
  for (int a = last - 1; a >= 0; a--) {
    part->stride[a] = stride;
    part->first += stride * part->below[a];
    stride *= part->below[a] + part->n[a] + part->above[a];
    if (a > 0 && stride % 1024 == 0) stride += LINE;
  }
  for (int a = part->ndim; a < PL_AXES; a++) part->stride[a] = 0;
  part->cells = (size_t)stride + LINE;
}

static int copies(const plait_field *field) {
  return field->twice ? 2 : 1;
}

// Bytes between the start of an array's memory and its data: another cache line for each.
static size_t shift_of(int field, int copy) {
  return (size_t)field * 320 + (size_t)copy * 2048;
}

size_t pl_fields_bytes(const plait_grid *grid, const pl_part *part) {
  size_t bytes = 0;
  for (int f = 0; f < grid->nfields; f++)
    bytes += (size_t)copies(&grid->field[f]) * part->cells * plait_type_size(grid->field[f].type);
  return bytes;
}

plait_err pl_fields_start(const plait_grid *grid, const pl_part *part, pl_fields *fields) {
  *fields = (pl_fields){.grid = grid, .part = *part};
  for (int f = 0; f < grid->nfields; f++) {
    size_t size = plait_type_size(grid->field[f].type);
    fields->size[f] = size;
    for (int c = 0; c < copies(&grid->field[f]); c++) {
      size_t bytes = part->cells * size + shift_of(f, c);
      TRY(pl_alloc(bytes, 1, &fields->memory[f][c]));
      memset(fields->memory[f][c], 0, bytes);
      fields->data[f][c] =
          (char *)fields->memory[f][c] + shift_of(f, c) + (size_t)part->first * size;
    }
    if (!grid->field[f].twice) fields->data[f][1] = fields->data[f][0];
  }
  return PLAIT_OK;
}

void pl_fields_stop(pl_fields *fields) {
  for (int f = 0; f < PLAIT_FIELDS; f++)
    for (int c = 0; c < 2; c++) pl_free(&fields->memory[f][c]);
}

ptrdiff_t pl_part_offset(const pl_part *part, const int64_t cell[]) {
  ptrdiff_t offset = 0;
  for (int a = 0; a < part->ndim; a++) offset += (cell[a] - part->lo[a]) * part->stride[a];
  return offset;
}

char *pl_fields_at(const pl_fields *fields, int field, int64_t step) {
  return fields->data[field][fields->grid->field[field].fixed ? 0 : step & 1];
}

// A field kept twice is written by one stage of every step, so the number of the step says which
// copy is the old one; stages after the writer see the new one.
void pl_fields_view(const pl_fields *fields, int64_t step, int stage, const int64_t lo[],
                    void *now[], void *next[]) {
  const plait_grid *grid = fields->grid;
  ptrdiff_t offset = pl_part_offset(&fields->part, lo);
  for (int f = 0; f < grid->nfields; f++) {
    int copy = grid->field[f].twice ? (int)(step & 1) : 0;
    for (int s = 0; grid->field[f].twice && s < stage; s++)
      if (grid->stage[s].writes >> f & 1) copy = !copy;
    bool writes = grid->field[f].twice && grid->stage[stage].writes >> f & 1;
    now[f] = fields->data[f][copy] + offset * (ptrdiff_t)fields->size[f];
    next[f] = fields->data[f][writes ? !copy : copy] + offset * (ptrdiff_t)fields->size[f];
  }
}
