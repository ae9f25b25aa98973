// SPDX-License-Identifier: BSD-3-Clause
//
// Kernels that are not built in: a shared object that the user named by a path and built from one C
// file against plait.h. Nothing is searched for: without a slash a name is one of the registry.
#ifndef PL_OBJECT_H
#define PL_OBJECT_H
#include "base/err.h"

bool pl_object_named(const char *kernel); // "./slope.so": a path, not a name

// Loads the object and checks what it says of itself: made by PLAIT_OBJECT for this plait, by a
// compiler whose OpenMP threads can join this team's, with the functions of its pattern and a table
// that can be read. It stays loaded. PLAIT_JOB with one line that says what to do about it.
// Not collective. Threads: before strands start.
plait_err pl_object_load(const char *path, const plait_kernel **kernel);
#endif
