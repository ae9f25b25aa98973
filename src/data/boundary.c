// SPDX-License-Identifier: BSD-3-Clause
//
// Halo cells outside the array. The last axis first, on the rows that are there; then outward, axis
// by axis, where a cell outside is a whole row copied from another (rows are contiguous, so this is
// memcpy). Costs one write per cell outside. A cell outside along several axes is filled through
// the first of them, which gives the same as applying each axis's rule to its own index; where one
// axis says "constant" the cell is constant whatever the others say, because the rows copied are.
#include "data/box.h"
#include "data/value.h"
#include <string.h>

static int64_t modulo(int64_t x, int64_t n) {
  int64_t m = x % n;
  return m < 0 ? m + n : m;
}

int64_t pl_boundary_index(plait_boundary rule, int64_t x, int64_t n) {
  if (x >= 0 && x < n) return x;
  int64_t m;
  switch (rule) {
  case PLAIT_REFLECT:
    m = modulo(x, 2 * n);
    return m < n ? m : 2 * n - 1 - m;
  case PLAIT_NEAREST:
    return x < 0 ? 0 : n - 1;
  case PLAIT_MIRROR:
    if (n == 1) return 0;
    m = modulo(x, 2 * n - 2);
    return m < n ? m : 2 * n - 2 - m;
  case PLAIT_PERIODIC:
    return modulo(x, n);
  case PLAIT_CONSTANT:
    break;
  }
  return -1;
}

// An axis of the block: cells start..end with halo, of which lo..hi are there; the others are
// filled.
typedef struct span {
  int64_t start, lo, hi, end;
} span;

static span span_of(const plait_block *b, const int64_t shape[], const plait_boundary rule[],
                    int d) {
  span s = {.start = -b->halo[d], .end = b->extent[d] + b->halo[d]};
  int64_t first = -b->origin[d], last = shape[d] - b->origin[d]; // ends of the array
  bool whole = first >= s.start && last <= s.end;
  bool fetched = rule[d] == PLAIT_PERIODIC && !whole; // the reader brought the other end
  s.lo = fetched || first < s.start ? s.start : first;
  s.hi = fetched || last > s.end ? s.end : last;
  return s;
}

static int64_t missing_in(const span *s) {
  return s->lo - s->start + s->end - s->hi;
}

// The i-th cell that is not there.
static int64_t missing_cell(const span *s, int64_t i) {
  int64_t before = s->lo - s->start;
  return i < before ? s->start + i : s->hi + (i - before);
}

// The cell of the block from which cell x takes its value along axis d; INT64_MIN: the constant.
static int64_t source_of(const plait_block *b, const int64_t shape[], const plait_boundary rule[],
                         int d, int64_t x) {
  int64_t i = pl_boundary_index(rule[d], x + b->origin[d], shape[d]);
  return i < 0 ? INT64_MIN : i - b->origin[d];
}

static void fill_row(void *row, int64_t n, size_t size, const void *value) {
  char *at = row;
  for (int64_t i = 0; i < n; i++) memcpy(at + (size_t)i * size, value, size);
}

enum { BATCH = 256 };

typedef struct moves { // within a row of the last axis
  int n;
  int64_t to[BATCH], from[BATCH];
} moves;

// One loop per size, so that the compiler sees plain loads and stores.
static void move_cells(char *row, size_t size, const moves *m) {
  switch (size) {
  case 1:
    for (int i = 0; i < m->n; i++) row[m->to[i]] = row[m->from[i]];
    break;
  case 2:
    for (int i = 0; i < m->n; i++) ((uint16_t *)row)[m->to[i]] = ((uint16_t *)row)[m->from[i]];
    break;
  case 4:
    for (int i = 0; i < m->n; i++) ((uint32_t *)row)[m->to[i]] = ((uint32_t *)row)[m->from[i]];
    break;
  default:
    for (int i = 0; i < m->n; i++) ((uint64_t *)row)[m->to[i]] = ((uint64_t *)row)[m->from[i]];
  }
}

// Cells of rows, in batches whose sources are worked out once for all rows.
static void fill_last(const plait_block *b, const int64_t shape[], const plait_boundary rule[],
                      const span spans[], const void *value) {
  int last = b->ndim - 1;
  size_t size = plait_type_size(b->type);
  int64_t rows = 1, cells = missing_in(&spans[last]);
  for (int d = 0; d < last; d++) rows *= spans[d].hi - spans[d].lo;
  for (int64_t first = 0; first < cells; first += BATCH) {
    moves m = {.n = (int)(cells - first < BATCH ? cells - first : BATCH)};
    for (int i = 0; i < m.n; i++) {
      m.to[i] = missing_cell(&spans[last], first + i);
      m.from[i] = source_of(b, shape, rule, last, m.to[i]);
    }
#pragma omp for schedule(static) nowait
    for (int64_t r = 0; r < rows; r++) {
      int64_t rest = r;
      ptrdiff_t at = 0;
      for (int d = last - 1; d >= 0; d--) {
        int64_t n = spans[d].hi - spans[d].lo;
        at += (spans[d].lo + rest % n) * b->stride[d];
        rest /= n;
      }
      char *row = (char *)b->data + at * (ptrdiff_t)size;
      if (rule[last] != PLAIT_CONSTANT)
        move_cells(row, size, &m);
      else
        for (int i = 0; i < m.n; i++) memcpy(row + m.to[i] * (ptrdiff_t)size, value, size);
    }
  }
#pragma omp barrier
}

// Rows that are outside along axis d < last, with all of their halo.
static void fill_rows(const plait_block *b, const int64_t shape[], const plait_boundary rule[],
                      const span spans[], int d, const void *value) {
  int last = b->ndim - 1;
  size_t size = plait_type_size(b->type);
  int64_t rows = missing_in(&spans[d]), length = spans[last].end - spans[last].start;
  for (int k = 0; k < last; k++)
    if (k != d) rows *= k < d ? spans[k].hi - spans[k].lo : spans[k].end - spans[k].start;
#pragma omp for schedule(static)
  for (int64_t r = 0; r < rows; r++) {
    int64_t rest = r, x = 0;
    ptrdiff_t at = spans[last].start;
    for (int k = last - 1; k >= 0; k--) {
      const span *s = &spans[k];
      int64_t first = k < d ? s->lo : s->start;
      int64_t n = k == d ? missing_in(s) : (k < d ? s->hi : s->end) - first;
      if (k == d)
        x = missing_cell(s, rest % n);
      else
        at += (first + rest % n) * b->stride[k];
      rest /= n;
    }
    int64_t from = source_of(b, shape, rule, d, x);
    char *to = (char *)b->data + (at + x * b->stride[d]) * (ptrdiff_t)size;
    if (from == INT64_MIN)
      fill_row(to, length, size, value);
    else
      memcpy(to, to + (from - x) * b->stride[d] * (ptrdiff_t)size, (size_t)length * size);
  }
}

void pl_block_fill_boundary(const plait_block *block, const int64_t shape[],
                            const plait_boundary rule[], double constant) {
  span spans[PLAIT_DIMS];
  _Alignas(8) unsigned char value[8];
  pl_value_set(block->type, value, 0, constant);
  for (int d = 0; d < block->ndim; d++) spans[d] = span_of(block, shape, rule, d);
  if (block->ndim > 0) fill_last(block, shape, rule, spans, value);
  for (int d = block->ndim - 2; d >= 0; d--)
    if (missing_in(&spans[d]) > 0) fill_rows(block, shape, rule, spans, d, value);
}
