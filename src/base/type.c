// SPDX-License-Identifier: BSD-3-Clause
//
// Types of array values: size and name, from one table.
#include "plait.h"

typedef struct row {
  size_t size;
  const char *name;
} row;

static const row table[PLAIT_TYPES] = {
    [PLAIT_I8] = {1, "int8"},     [PLAIT_U8] = {1, "uint8"},   [PLAIT_I16] = {2, "int16"},
    [PLAIT_U16] = {2, "uint16"},  [PLAIT_I32] = {4, "int32"},  [PLAIT_U32] = {4, "uint32"},
    [PLAIT_I64] = {8, "int64"},   [PLAIT_U64] = {8, "uint64"}, [PLAIT_F32] = {4, "float32"},
    [PLAIT_F64] = {8, "float64"},
};

static bool known(plait_type type) {
  return (unsigned)type < (unsigned)PLAIT_TYPES;
}

size_t plait_type_size(plait_type type) {
  return known(type) ? table[type].size : 0;
}
const char *plait_type_name(plait_type type) {
  return known(type) ? table[type].name : "unknown";
}
