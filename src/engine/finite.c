// SPDX-License-Identifier: BSD-3-Clause
//
// Values whose exponent is all ones. On integers, because a sum of floats is not vectorised.
#include "engine/finite.h"

PLAIT_WIDE static bool finite_f32(const void *row, int64_t n) {
  const uint32_t *x = row, ones = 0x7f800000u;
  uint32_t bad = 0;
  for (int64_t i = 0; i < n; i++) bad |= (x[i] & ones) == ones;
  return bad == 0;
}

PLAIT_WIDE static bool finite_f64(const void *row, int64_t n) {
  const uint64_t *x = row, ones = 0x7ff0000000000000u;
  uint64_t bad = 0;
  for (int64_t i = 0; i < n; i++) bad |= (x[i] & ones) == ones;
  return bad == 0;
}

bool pl_finite(plait_type type, const void *row, int64_t n) {
  return type == PLAIT_F32 ? finite_f32(row, n) : finite_f64(row, n);
}
