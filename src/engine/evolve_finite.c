// SPDX-License-Identifier: BSD-3-Clause
//
// Values that are not finite, looked for before a state is written anywhere: a kernel that is
// unstable is stopped where it became so, and no result or checkpoint holds what came of it.
#include "engine/evolve.h"
#include "engine/finite.h"
#include <math.h>
#include <stdio.h>

// The first cell of an own row, and where its value is.
static const char *row_start(const pl_march *m, int field, int64_t row, int64_t cell[PL_AXES]) {
  const pl_part *p = &m->fields.part;
  int last = p->ndim - 1;
  for (int a = 0; a < PL_AXES; a++) cell[a] = 0;
  for (int a = last - 1; a >= 0; a--) {
    cell[a] = p->lo[a] + row % p->n[a];
    row /= p->n[a];
  }
  cell[last] = p->lo[last];
  return pl_fields_at(&m->fields, field, m->step) +
         pl_part_offset(p, cell) * (ptrdiff_t)m->fields.size[field];
}

// The first of the rows first, first + apart, .. with a value that is not finite; -1 none.
static int64_t find_bad(const pl_march *m, int field, int64_t first, int64_t apart) {
  const pl_part *p = &m->fields.part;
  int last = p->ndim - 1;
  int64_t rows = 1, cell[PL_AXES];
  if (m->grid.field[field].fixed) return -1;
  for (int a = 0; a < last; a++) rows *= p->n[a];
  for (int64_t r = first; r < rows; r += apart) {
    const char *at = row_start(m, field, r, cell);
    if (!pl_finite(m->grid.field[field].type, at, p->n[last])) return r;
  }
  return -1;
}

static void raise_bad(pl_march *m, int field, int64_t row, int64_t looked) {
  const plait_field *f = &m->grid.field[field];
  int last = m->grid.ndim - 1;
  int64_t cell[PL_AXES];
  const char *at = row_start(m, field, row, cell);
  while (pl_finite(f->type, at, 1)) {
    cell[last]++;
    at += m->fields.size[field];
  }
  char place[100], when[100] = "at the start";
  int n = 0;
  for (int a = 0; a <= last; a++)
    n += snprintf(place + n, sizeof place - (size_t)n, "%s%lld", a ? ", " : "", (long long)cell[a]);
  if (m->step > 0)
    snprintf(when, sizeof when, "after step %lld (none was seen after step %lld)",
             (long long)m->step, (long long)looked);
  pl_raise(&m->raise, PLAIT_KERNEL, "%s is NaN or infinite at cell (%s) %s", f->name, place, when);
}

// Every thread that found one names the first of all threads' rows: the same, whoever is heard.
static void raise_first(pl_march *m, int64_t looked) {
  for (int f = 0; f < m->grid.nfields; f++) {
    int64_t row = find_bad(m, f, 0, 1);
    if (row < 0) continue;
    raise_bad(m, f, row, looked);
    return;
  }
}

void pl_evolve_check_finite(pl_march *m, int64_t looked, int thread) {
  bool bad = false;
  for (int f = 0; f < m->grid.nfields && !bad; f++) bad = find_bad(m, f, thread, m->threads) >= 0;
  if (bad) raise_first(m, looked);
}
