// SPDX-License-Identifier: BSD-3-Clause
//
// NaN and infinities in a row of numbers.
#ifndef PL_FINITE_H
#define PL_FINITE_H
#include "base/raise.h"

// Whether none of the `n` values of type PLAIT_F32 or PLAIT_F64 is NaN or infinite. Threads: any.
bool pl_finite(plait_type type, const void *row, int64_t n);
#endif
