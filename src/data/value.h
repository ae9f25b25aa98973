// SPDX-License-Identifier: BSD-3-Clause
//
// One value of any type as a float64 and back. For the few values of attributes, coordinates and
// fills; arrays are converted by convert.h.
#ifndef PL_VALUE_H
#define PL_VALUE_H
#include "plait.h"

double pl_value(plait_type type, const void *data, size_t index); // any type -> double
// Rounds to nearest (ties to even) and clamps for an integer type; NaN becomes 0 there.
void pl_value_set(plait_type type, void *data, size_t index, double value);
// The least and greatest float64 that convert to the type without overflow (float32: its own
// limits).
void pl_value_range(plait_type type, double *least, double *greatest);
#endif
