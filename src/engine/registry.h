// SPDX-License-Identifier: BSD-3-Clause
//
// Kernels by name. The list is kernels/list.h, one line per kernel.
#ifndef PL_REGISTRY_H
#define PL_REGISTRY_H
#include "base/text.h"
#include "base/err.h"
extern const plait_kernel *const pl_kernels[];        // NULL-terminated, by name
extern const plait_kernel plait_kernel_integrand;     // what PLAIT_INTEGRAND is completed with
const plait_kernel *pl_kernel_find(const char *name); // NULL when unknown
const char *pl_kernel_nearest(const char *name);      // NULL when none is near
// Text and JSON of `plait describe`.
void pl_kernel_describe(const plait_kernel *kernel, pl_text *out);
void pl_kernel_describe_json(const plait_kernel *kernel, pl_json *out);
#endif
