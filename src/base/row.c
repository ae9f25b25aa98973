// SPDX-License-Identifier: BSD-3-Clause
//
// Rows of values between the types of arrays and the two types that kernels calculate in. One loop
// per type; a conversion costs a small part of fetching the row from memory.
#include "plait.h"
#include <math.h>
#include <string.h>

// Cases of a switch over types: the loop is the same text, the types differ.
#define FROM(code, T, W)                                                                           \
  case code:                                                                                       \
    for (int64_t i = 0; i < n; i++) to[i] = (W)((const T *)from)[i];                               \
    return
#define INTO(code, T)                                                                              \
  case code:                                                                                       \
    for (int64_t i = 0; i < n; i++) ((T *)to)[i] = (T)row[i];                                      \
    return

// The ends of the integer types, or the nearest number inside them.
static const double lowest[] = {-0x1p7, 0, -0x1p15, 0, -0x1p31, 0, -0x1p63, 0};
static const float highest_f32[] = {0x1p7F - 1,        0x1p8F - 1,       0x1p15F - 1,
                                    0x1p16F - 1,       0x1p31F - 128,    0x1p32F - 256,
                                    0x1p63F - 0x1p39F, 0x1p64F - 0x1p40F};
static const double highest_f64[] = {0x1p7 - 1,  0x1p8 - 1,  0x1p15 - 1,    0x1p16 - 1,
                                     0x1p31 - 1, 0x1p32 - 1, 0x1p63 - 1024, 0x1p64 - 2048};

PLAIT_WIDE void plait_row_to_f32(plait_type type, const void *from, int64_t n, float *restrict to) {
  switch (type) {
    FROM(PLAIT_I8, int8_t, float);
    FROM(PLAIT_U8, uint8_t, float);
    FROM(PLAIT_I16, int16_t, float);
    FROM(PLAIT_U16, uint16_t, float);
    FROM(PLAIT_I32, int32_t, float);
    FROM(PLAIT_U32, uint32_t, float);
    FROM(PLAIT_I64, int64_t, float);
    FROM(PLAIT_U64, uint64_t, float);
    FROM(PLAIT_F64, double, float);
  default:
    memcpy(to, from, (size_t)n * sizeof(float));
  }
}

PLAIT_WIDE void plait_row_from_f32(plait_type type, float *restrict row, int64_t n, void *to) {
  if (type < PLAIT_F32) {
    float lo = (float)lowest[type], hi = (float)highest_f32[type];
    for (int64_t i = 0; i < n; i++) {
      float v = row[i] > lo ? row[i] : lo;
      row[i] = rintf(v < hi ? v : hi);
    }
  }
  switch (type) {
    INTO(PLAIT_I8, int8_t);
    INTO(PLAIT_U8, uint8_t);
    INTO(PLAIT_I16, int16_t);
    INTO(PLAIT_U16, uint16_t);
    INTO(PLAIT_I32, int32_t);
    INTO(PLAIT_U32, uint32_t);
    INTO(PLAIT_I64, int64_t);
    INTO(PLAIT_U64, uint64_t);
    INTO(PLAIT_F64, double);
  default:
    memcpy(to, row, (size_t)n * sizeof(float));
  }
}

PLAIT_WIDE void plait_row_to_f64(plait_type type, const void *from, int64_t n,
                                 double *restrict to) {
  switch (type) {
    FROM(PLAIT_I8, int8_t, double);
    FROM(PLAIT_U8, uint8_t, double);
    FROM(PLAIT_I16, int16_t, double);
    FROM(PLAIT_U16, uint16_t, double);
    FROM(PLAIT_I32, int32_t, double);
    FROM(PLAIT_U32, uint32_t, double);
    FROM(PLAIT_I64, int64_t, double);
    FROM(PLAIT_U64, uint64_t, double);
    FROM(PLAIT_F32, float, double);
  default:
    memcpy(to, from, (size_t)n * sizeof(double));
  }
}

PLAIT_WIDE void plait_row_from_f64(plait_type type, double *restrict row, int64_t n, void *to) {
  if (type < PLAIT_F32) {
    double lo = (double)lowest[type], hi = (double)highest_f64[type];
    for (int64_t i = 0; i < n; i++) {
      double v = row[i] > lo ? row[i] : lo;
      row[i] = rint(v < hi ? v : hi);
    }
  }
  switch (type) {
    INTO(PLAIT_I8, int8_t);
    INTO(PLAIT_U8, uint8_t);
    INTO(PLAIT_I16, int16_t);
    INTO(PLAIT_U16, uint16_t);
    INTO(PLAIT_I32, int32_t);
    INTO(PLAIT_U32, uint32_t);
    INTO(PLAIT_I64, int64_t);
    INTO(PLAIT_U64, uint64_t);
    INTO(PLAIT_F32, float);
  default:
    memcpy(to, row, (size_t)n * sizeof(double));
  }
}
