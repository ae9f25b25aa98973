// SPDX-License-Identifier: BSD-3-Clause
//
// The environment may move when a variable is set, under the feet of a thread that reads it. Who
// starts one that may do so (it loads a library, say) says so here; who would set one asks before.
// One is set none the less: under MPI, HDF5_USE_FILE_LOCKING, before HDF5 is loaded, as files would
// be locked otherwise (data/netcdf_library.c).
#ifndef PL_ENVIRON_H
#define PL_ENVIRON_H
#include <stdbool.h>

void pl_environ_share(void); // Threads: any
bool pl_environ_shared(void);
#endif
