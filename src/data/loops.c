// SPDX-License-Identifier: BSD-3-Clause
//
// Short loops, written so that gcc and clang vectorise them: no calls, no early exit, one type
// each. The load and save loops differ by their type alone and are written out by a macro: C has no
// other way to say it, and a branch on the type inside the loop costs an order of magnitude.
#include "data/loops.h"
#include <math.h>

PLAIT_WIDE void pl_swap2(void *to, const void *from, size_t n) {
  uint16_t *a = to;
  const uint16_t *b = from;
  for (size_t i = 0; i < n; i++) a[i] = __builtin_bswap16(b[i]);
}

PLAIT_WIDE void pl_swap4(void *to, const void *from, size_t n) {
  uint32_t *a = to;
  const uint32_t *b = from;
  for (size_t i = 0; i < n; i++) a[i] = __builtin_bswap32(b[i]);
}

PLAIT_WIDE void pl_swap8(void *to, const void *from, size_t n) {
  uint64_t *a = to;
  const uint64_t *b = from;
  for (size_t i = 0; i < n; i++) a[i] = __builtin_bswap64(b[i]);
}

#define LOAD_LOOP(name, type)                                                                      \
  PLAIT_WIDE static void name(double *restrict to, const void *restrict from, size_t n) {          \
    const type *at = from;                                                                         \
    for (size_t i = 0; i < n; i++) to[i] = (double)at[i];                                          \
  }
#define SAVE_LOOP(name, type, through)                                                             \
  PLAIT_WIDE static void name(void *restrict to, const double *restrict from, size_t n) {          \
    type *at = to;                                                                                 \
    for (size_t i = 0; i < n; i++) at[i] = (type)(through)from[i];                                 \
  }
#define TYPES(X)                                                                                   \
  X(PLAIT_I8, i8, int8_t, int32_t)                                                                 \
  X(PLAIT_U8, u8, uint8_t, int32_t)                                                                \
  X(PLAIT_I16, i16, int16_t, int32_t)                                                              \
  X(PLAIT_U16, u16, uint16_t, int32_t)                                                             \
  X(PLAIT_I32, i32, int32_t, int32_t)                                                              \
  X(PLAIT_U32, u32, uint32_t, int64_t)                                                             \
  X(PLAIT_I64, i64, int64_t, int64_t)                                                              \
  X(PLAIT_U64, u64, uint64_t, uint64_t)                                                            \
  X(PLAIT_F32, f32, float, float)                                                                  \
  X(PLAIT_F64, f64, double, double)

#define LOOPS(code, tag, type, through)                                                            \
  LOAD_LOOP(load_##tag, type)                                                                      \
  SAVE_LOOP(save_##tag, type, through)
TYPES(LOOPS)

#define LOAD_ENTRY(code, tag, type, through) [code] = load_##tag,
#define SAVE_ENTRY(code, tag, type, through) [code] = save_##tag,
pl_load_loop *const pl_load[PLAIT_TYPES] = {TYPES(LOAD_ENTRY)};
pl_save_loop *const pl_save[PLAIT_TYPES] = {TYPES(SAVE_ENTRY)};

// Reads first: a run without a missing value is not written, which halves the traffic.
PLAIT_WIDE void pl_blank_f32(float *at, size_t n, float missing) {
  int found = 0;
  for (size_t i = 0; i < n; i++) found |= at[i] == missing;
  if (!found) return;
  for (size_t i = 0; i < n; i++) at[i] = at[i] == missing ? NAN : at[i];
}

PLAIT_WIDE void pl_blank_f64(double *at, size_t n, double missing) {
  int found = 0;
  for (size_t i = 0; i < n; i++) found |= at[i] == missing;
  if (!found) return;
  for (size_t i = 0; i < n; i++) at[i] = at[i] == missing ? (double)NAN : at[i];
}

PLAIT_WIDE void pl_fill_nan_f32(float *at, size_t n, float fill) {
  for (size_t i = 0; i < n; i++) at[i] = at[i] != at[i] ? fill : at[i];
}

PLAIT_WIDE void pl_fill_nan_f64(double *at, size_t n, double fill) {
  for (size_t i = 0; i < n; i++) at[i] = at[i] != at[i] ? fill : at[i];
}

PLAIT_WIDE void pl_scale(double *at, size_t n, double scale, double offset) {
  for (size_t i = 0; i < n; i++) at[i] = at[i] * scale + offset;
}

PLAIT_WIDE void pl_unscale(double *at, size_t n, double scale, double offset) {
  for (size_t i = 0; i < n; i++) at[i] = (at[i] - offset) / scale;
}

PLAIT_WIDE bool pl_round_within(double *at, size_t n, double least, double greatest) {
  int bad = 0;
  for (size_t i = 0; i < n; i++) {
    at[i] = rint(at[i]);
    bad |= !(at[i] >= least && at[i] <= greatest);
  }
  return !bad;
}
