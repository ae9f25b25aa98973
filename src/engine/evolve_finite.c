// SPDX-License-Identifier: BSD-3-Clause
//
// Values that are not finite, looked for before a state is written anywhere: a kernel that is
// unstable is stopped where it became so, and no result or checkpoint holds what came of it.
#include "engine/evolve.h"
#include <math.h>
#include <stdio.h>

// Whether a row has a value whose exponent is all ones. On integers, because a sum of floats is not
// vectorised.
PLAIT_WIDE static bool bad_f32(const void *row, int64_t n) {
  const uint32_t *x = row, ones = 0x7f800000u;
  uint32_t bad = 0;
  for (int64_t i = 0; i < n; i++) bad |= (x[i] & ones) == ones;
  return bad != 0;
}

PLAIT_WIDE static bool bad_f64(const void *row, int64_t n) {
  const uint64_t *x = row, ones = 0x7ff0000000000000u;
  uint64_t bad = 0;
  for (int64_t i = 0; i < n; i++) bad |= (x[i] & ones) == ones;
  return bad != 0;
}

// The first of this thread's rows with a value that is not finite; -1 none.
static int64_t find_bad(const pl_march *m, int field, int64_t stride, int thread) {
  const pl_part *p = &m->fields.part;
  const char *data = pl_fields_at(&m->fields, field, m->step);
  int last = p->ndim - 1;
  int64_t rows = 1;
  for (int a = 0; a < last; a++) rows *= p->n[a];
  for (int64_t r = thread; r < rows; r += m->threads) {
    int64_t cell[PL_AXES] = {0}, rest = r;
    bool kept = true;
    for (int a = last - 1; a >= 0; a--) {
      cell[a] = p->lo[a] + rest % p->n[a];
      rest /= p->n[a];
      kept = kept && cell[a] % stride == 0;
    }
    if (!kept) continue;
    cell[last] = p->lo[last];
    const char *at = data + pl_part_offset(p, cell) * (ptrdiff_t)m->fields.size[field];
    bool bad =
        m->grid.field[field].type == PLAIT_F32 ? bad_f32(at, p->n[last]) : bad_f64(at, p->n[last]);
    if (bad) return r;
  }
  return -1;
}

void pl_evolve_check_finite(pl_march *m, int64_t looked, int64_t stride, int thread) {
  for (int f = 0; f < m->grid.nfields; f++) {
    if (m->grid.field[f].fixed) continue;
    int64_t row = find_bad(m, f, stride, thread);
    if (row < 0) continue;
    const pl_part *p = &m->fields.part;
    int last = p->ndim - 1;
    int64_t cell[PL_AXES] = {0}, rest = row, i = 0;
    for (int a = last - 1; a >= 0; a--) {
      cell[a] = p->lo[a] + rest % p->n[a];
      rest /= p->n[a];
    }
    cell[last] = p->lo[last];
    const char *at = pl_fields_at(&m->fields, f, m->step) +
                     pl_part_offset(p, cell) * (ptrdiff_t)m->fields.size[f];
    while (i < p->n[last] - 1 &&
           isfinite(m->grid.field[f].type == PLAIT_F32 ? ((const float *)(const void *)at)[i]
                                                       : ((const double *)(const void *)at)[i]))
      i++;
    char place[100];
    if (p->ndim == 3)
      snprintf(place, sizeof place, "%lld, %lld, %lld", (long long)cell[0], (long long)cell[1],
               (long long)(p->lo[last] + i));
    else
      snprintf(place, sizeof place, "%lld, %lld", (long long)cell[0], (long long)(p->lo[last] + i));
    pl_raise(&m->raise, PLAIT_KERNEL,
             "%s is NaN or infinite at cell (%s) after step %lld (none was seen after step %lld)",
             m->grid.field[f].name, place, (long long)m->step, (long long)looked);
    return;
  }
}
