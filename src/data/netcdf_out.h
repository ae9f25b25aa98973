// SPDX-License-Identifier: BSD-3-Clause
//
// NetCDF output inside src/data: the kinds of file, and the header that rank 0 writes.
#ifndef PL_NETCDF_OUT_H
#define PL_NETCDF_OUT_H
#include "data/output.h"

typedef struct pl_netcdf_kind {
  const char *name;
  int mode;            // of nc_create
  bool hdf5;           // NetCDF-4
  bool all_types;      // unsigned and 64-bit integers
  int64_t array_bytes; // of one array, at most
  int64_t file_bytes;
} pl_netcdf_kind;

// Writes a complete file whose results are holes, and closes it. PLAIT_OUTPUT: what NetCDF refuses;
// PLAIT_IO: what the disk refuses.
plait_err pl_netcdf_define(const pl_netcdf_kind *kind, const char *path, const pl_layout *layout);
#endif
