// SPDX-License-Identifier: BSD-3-Clause
//
// Conversion in pieces that stay in the first-level cache: a piece passes through up to four short
// loops (swap; load as float64 with missing -> NaN; scale; store), each of them plain enough for
// the compiler to vectorise, instead of one loop for each of 10 x 10 pairs of types and every
// option. Where only NaNs have to be put into floats, a piece is read first and written only if it
// holds one: the usual ocean field is mostly water or mostly written once.
// Measured, a core, from the cache: int16 -> float32 with packing and a missing value 3 G values/s,
// back 1.5; float32 in place 16 (other byte order) to 22 (missing values).
#include "data/convert.h"
#include "data/loops.h"
#include <string.h>

pl_convert pl_convert_of(const pl_meta *meta, bool swap) {
  pl_convert c = {.stored = meta->stored,
                  .type = meta->type,
                  .swap = swap && plait_type_size(meta->stored) > 1,
                  .packed = meta->packed,
                  .scale = meta->packed ? meta->scale : 1,
                  .offset = meta->packed ? meta->offset : 0,
                  .nmissing = meta->nmissing};
  memcpy(c.missing, meta->missing, sizeof c.missing);
  return c;
}

bool pl_convert_in_place(const pl_convert *c) {
  return plait_type_size(c->stored) == plait_type_size(c->type);
}

static bool same_values(const pl_convert *c) {
  return c->stored == c->type && !c->packed;
}

static bool is_float(plait_type type) {
  return type == PLAIT_F32 || type == PLAIT_F64;
}

bool pl_convert_idle(const pl_convert *c) {
  return same_values(c) && !c->swap && (c->nmissing == 0 || !is_float(c->type));
}

void pl_swap(void *to, const void *from, size_t n, size_t size) {
  if (size == 2)
    pl_swap2(to, from, n);
  else if (size == 4)
    pl_swap4(to, from, n);
  else if (size == 8)
    pl_swap8(to, from, n);
  else if (to != from)
    memmove(to, from, n);
}

// ---- rows and pieces ----

// The own cells of a block as equal rows, each cut into pieces; trailing axes that lie dense in
// memory are one row.
typedef struct pieces {
  const plait_block *block;
  int axes;       // before the row
  int64_t length; // cells of a row
  int64_t per_row, total;
} pieces;

static pieces pieces_of(const plait_block *b) {
  pieces p = {.block = b, .axes = b->ndim, .length = 1};
  while (p.axes > 0 && (b->stride[p.axes - 1] == p.length || b->extent[p.axes - 1] == 1))
    p.length *= b->extent[--p.axes];
  p.per_row = (p.length + PL_PIECE - 1) / PL_PIECE;
  p.total = p.per_row;
  for (int d = 0; d < p.axes; d++) p.total *= b->extent[d];
  return p;
}

typedef struct piece {
  ptrdiff_t in_block; // cells from the first own cell
  int64_t in_box;     // cells from the first of the dense box
  size_t n;
} piece;

static piece piece_at(const pieces *p, int64_t i) {
  int64_t row = i / p->per_row, first = i % p->per_row * PL_PIECE;
  int64_t n = p->length - first < PL_PIECE ? p->length - first : PL_PIECE;
  piece out = {.in_block = first, .in_box = row * p->length + first, .n = (size_t)n};
  for (int d = p->axes - 1; d >= 0; d--) {
    out.in_block += row % p->block->extent[d] * p->block->stride[d];
    row /= p->block->extent[d];
  }
  return out;
}

enum { BATCH = 512 }; // values in the buffers on the stack: 4 KiB

// ---- decode ----

static void blank_missing(const pl_convert *c, void *at, size_t n) {
  for (int m = 0; m < c->nmissing; m++)
    if (c->type == PLAIT_F32)
      pl_blank_f32(at, n, (float)c->missing[m]);
    else
      pl_blank_f64(at, n, c->missing[m]);
}

// Values of a file that is only looked at may begin at any byte; loops want them in their places.
static const void *in_places(const char *from, size_t n, size_t size, void *buffer) {
  return (uintptr_t)from % size == 0 ? from : memcpy(buffer, from, n * size);
}

// `from` and `to` may be the same address, or apart.
static void decode_same(const pl_convert *c, const char *from, char *to, size_t n, size_t size) {
  if (c->swap)
    pl_swap(to, in_places(from, n, size, to), n, size);
  else if (from != to)
    memcpy(to, from, n * size);
  if (is_float(c->type)) blank_missing(c, to, n);
}

static void decode_batch(const pl_convert *c, const char *from, char *to, size_t n) {
  _Alignas(64) double values[BATCH];
  _Alignas(64) char swapped[BATCH * 8];
  const size_t size = plait_type_size(c->stored);
  const void *stored = in_places(from, n, size, swapped);
  if (c->swap) {
    pl_swap(swapped, stored, n, size);
    stored = swapped;
  }
  pl_load[c->stored](values, stored, n);
  for (int m = 0; m < c->nmissing; m++)
    pl_blank_f64(values, n, c->stored == PLAIT_F32 ? (double)(float)c->missing[m] : c->missing[m]);
  if (c->packed) pl_scale(values, n, c->scale, c->offset);
  pl_save[c->type](to, values, n);
}

void pl_decode_row(const pl_convert *c, const void *raw, void *to, size_t total) {
  const size_t in = plait_type_size(c->stored), out = plait_type_size(c->type);
  for (size_t k = 0; k < total; k += BATCH) {
    size_t n = total - k < BATCH ? total - k : BATCH;
    const char *from = (const char *)raw + k * in;
    char *at = (char *)to + k * out;
    if (same_values(c))
      decode_same(c, from, at, n, in);
    else
      decode_batch(c, from, at, n);
  }
}

void pl_decode(const pl_convert *c, const void *raw, const plait_block *to) {
  const pieces p = pieces_of(to);
  const size_t in = plait_type_size(c->stored), out = plait_type_size(c->type);
#pragma omp for schedule(static)
  for (int64_t i = 0; i < p.total; i++) {
    piece s = piece_at(&p, i);
    char *at = (char *)to->data + s.in_block * (ptrdiff_t)out;
    const char *from = raw != NULL ? (const char *)raw + (size_t)s.in_box * in : at;
    pl_decode_row(c, from, at, s.n);
  }
}

// ---- encode ----

// The first value of the batch that the stored type cannot hold becomes an error of the block.
static void complain(const pl_convert *c, const char *name, const double *values, size_t n,
                     plait_raise *raise) {
  double least, greatest;
  pl_value_range(c->stored, &least, &greatest);
  for (size_t i = 0; i < n; i++) {
    double x = values[i];
    if (x >= least && x <= greatest) continue;
    if (x != x)
      pl_raise(raise, PLAIT_OUTPUT,
               "%s: a missing value (NaN) cannot be stored as %s without _FillValue", name,
               plait_type_name(c->stored));
    else
      pl_raise(raise, PLAIT_OUTPUT,
               "%s: value %g does not fit %s with scale_factor %g and add_offset %g", name,
               x * c->scale + c->offset, plait_type_name(c->stored), c->scale, c->offset);
    return;
  }
}

static void encode_batch(const pl_convert *c, const char *name, const char *from, char *to,
                         size_t n, plait_raise *raise) {
  _Alignas(64) double values[BATCH];
  pl_load[c->type](values, from, n);
  if (c->packed) pl_unscale(values, n, c->scale, c->offset);
  if (!is_float(c->stored)) {
    double least, greatest;
    pl_value_range(c->stored, &least, &greatest);
    if (c->nmissing > 0) pl_fill_nan_f64(values, n, c->missing[0]);
    if (!pl_round_within(values, n, least, greatest)) {
      complain(c, name, values, n, raise);
      memset(values, 0, sizeof values);
    }
  } else if (c->nmissing > 0)
    pl_fill_nan_f64(values, n, c->missing[0]);
  pl_save[c->stored](to, values, n);
  if (c->swap) pl_swap(to, to, n, plait_type_size(c->stored));
}

static void encode_same(const pl_convert *c, char *at, size_t n, size_t size) {
  if (c->nmissing > 0 && c->type == PLAIT_F32) pl_fill_nan_f32((void *)at, n, (float)c->missing[0]);
  if (c->nmissing > 0 && c->type == PLAIT_F64) pl_fill_nan_f64((void *)at, n, c->missing[0]);
  if (c->swap) pl_swap(at, at, n, size);
}

void pl_encode(const pl_convert *c, const char *name, const plait_block *from, plait_raise *raise) {
  const pieces p = pieces_of(from);
  const size_t in = plait_type_size(c->type), out = plait_type_size(c->stored);
#pragma omp for schedule(static)
  for (int64_t i = 0; i < p.total; i++) {
    piece s = piece_at(&p, i);
    char *at = (char *)from->data + s.in_block * (ptrdiff_t)in;
    for (size_t k = 0; k < s.n; k += BATCH) {
      size_t n = s.n - k < BATCH ? s.n - k : BATCH;
      if (same_values(c))
        encode_same(c, at + k * in, n, in);
      else
        encode_batch(c, name, at + k * in, at + k * out, n, raise);
    }
  }
}
