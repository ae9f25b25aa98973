// SPDX-License-Identifier: BSD-3-Clause
//
// The kernels that were built in, and what `plait describe` says about one: all of it from the
// kernel's own tables.
#include "engine/registry.h"
#include "engine/params.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define KERNEL(name) extern const plait_kernel plait_kernel_##name;
#include "list.h"
#undef KERNEL

const plait_kernel *const pl_kernels[] = {
#define KERNEL(name) &plait_kernel_##name,
#include "list.h"
#undef KERNEL
    NULL,
};

enum { KERNELS = sizeof pl_kernels / sizeof *pl_kernels };

const plait_kernel *pl_kernel_find(const char *name) {
  for (int i = 0; pl_kernels[i]; i++) {
    if (strcmp(pl_kernels[i]->name, name) == 0) return pl_kernels[i];
  }
  return NULL;
}

const char *pl_kernel_nearest(const char *name) {
  const char *names[KERNELS] = {NULL};
  for (int i = 0; pl_kernels[i]; i++) names[i] = pl_kernels[i]->name;
  return pl_nearest(name, names);
}
