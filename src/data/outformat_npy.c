// SPDX-License-Identifier: BSD-3-Clause
//
// Results as one .npy file, version 1.0, little-endian, C order. Names, coordinates and attributes
// have no place in it and are left out; NaN stays NaN.
#include "base/path.h"
#include "data/formats.h"
#include "data/npy.h"
#include <fcntl.h>
#include <unistd.h>

static const char *check_npy(const pl_layout *layout) {
  if (layout->nvars != 1)
    return "a NumPy file holds one array, this job makes several: have the kernel make one "
           "(params.statistics=mean, say), or write .npz or NetCDF (.nc)";
  if (layout->vars[0].packed) return "a NumPy file cannot hold packed values: write NetCDF (.nc)";
  return NULL;
}

static plait_err create_npy(const char *path, const pl_layout *layout, int64_t offset[]) {
  unsigned char header[PL_NPY_WRITTEN];
  int64_t shape[PLAIT_DIMS] = {0};
  const pl_outvar *var = &layout->vars[0];
  for (int d = 0; d < var->ndim; d++) shape[d] = layout->dims[var->dim[d]].length;
  size_t bytes = pl_npy_header(var->stored, var->ndim, shape, header);
  int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return pl_fail_errno(PLAIT_OUTPUT, "cannot write", path);
  plait_err err = pl_pwrite_all(fd, header, bytes, 0, path);
  if (close(fd) != 0 && err == PLAIT_OK) err = pl_fail_errno(PLAIT_IO, "cannot close", path);
  offset[0] = (int64_t)bytes;
  return err;
}

const pl_outformat pl_outformat_npy = {
    .name = "npy",
    .extensions = "npy",
    .create = create_npy,
    .check = check_npy,
    .stores = true,
    .plain = true,
};
