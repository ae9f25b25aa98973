// SPDX-License-Identifier: BSD-3-Clause
//
// Single values. 2^63-1 and 2^64-1 are no float64: the greatest float64 below them stands in, so
// that the conversion is never undefined.
#include "data/value.h"
#include <float.h>
#include <math.h>

double pl_value(plait_type type, const void *data, size_t index) {
  switch (type) {
  case PLAIT_I8:
    return ((const int8_t *)data)[index];
  case PLAIT_U8:
    return ((const uint8_t *)data)[index];
  case PLAIT_I16:
    return ((const int16_t *)data)[index];
  case PLAIT_U16:
    return ((const uint16_t *)data)[index];
  case PLAIT_I32:
    return ((const int32_t *)data)[index];
  case PLAIT_U32:
    return ((const uint32_t *)data)[index];
  case PLAIT_I64:
    return (double)((const int64_t *)data)[index];
  case PLAIT_U64:
    return (double)((const uint64_t *)data)[index];
  case PLAIT_F32:
    return (double)((const float *)data)[index];
  case PLAIT_F64:
    return ((const double *)data)[index];
  case PLAIT_TYPES:
    break;
  }
  return NAN;
}

void pl_value_range(plait_type type, double *least, double *greatest) {
  static const double range[PLAIT_TYPES][2] = {
      [PLAIT_I8] = {INT8_MIN, INT8_MAX},
      [PLAIT_U8] = {0, UINT8_MAX},
      [PLAIT_I16] = {INT16_MIN, INT16_MAX},
      [PLAIT_U16] = {0, UINT16_MAX},
      [PLAIT_I32] = {INT32_MIN, INT32_MAX},
      [PLAIT_U32] = {0, UINT32_MAX},
      [PLAIT_I64] = {-0x1p63, 0x1.fffffffffffffp62},
      [PLAIT_U64] = {0, 0x1.fffffffffffffp63},
      [PLAIT_F32] = {-FLT_MAX, FLT_MAX},
      [PLAIT_F64] = {-DBL_MAX, DBL_MAX},
  };
  *least = range[type][0];
  *greatest = range[type][1];
}

void pl_value_set(plait_type type, void *data, size_t index, double value) {
  if (type == PLAIT_F32) {
    ((float *)data)[index] = (float)value;
    return;
  }
  if (type == PLAIT_F64) {
    ((double *)data)[index] = value;
    return;
  }
  double least, greatest;
  pl_value_range(type, &least, &greatest);
  double x = isnan(value) ? 0 : rint(fmin(fmax(value, least), greatest));
  switch (plait_type_size(type)) { // signed and unsigned have the same bits below the top
  case 1:
    ((uint8_t *)data)[index] = (uint8_t)(int64_t)x;
    break;
  case 2:
    ((uint16_t *)data)[index] = (uint16_t)(int64_t)x;
    break;
  case 4:
    ((uint32_t *)data)[index] = (uint32_t)(int64_t)x;
    break;
  default:
    if (type == PLAIT_U64)
      ((uint64_t *)data)[index] = (uint64_t)x;
    else
      ((int64_t *)data)[index] = (int64_t)x;
  }
}
