// SPDX-License-Identifier: BSD-3-Clause
//
// Results as NetCDF: NetCDF-4 with contiguous arrays (.nc, .nc4), or classic CDF-5 (.nc5), CDF-2
// (.nc3) and CDF-1 (by name). libnetcdf writes the header; the values are written beside it by all
// ranks, at offsets that libhdf5, or the header of a classic file, tells.
//
// Bytes: the same for the same layout. HDF5 keeps no times here; the file names the versions of the
// two libraries (_NCProperties), nothing of the machine or the hour.
#include "base/mem.h"
#include "data/formats.h"
#include "data/netcdf.h"
#include "data/netcdf_out.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

// Arrays begin on pages: blocks of several ranks then share fewer of them.
#define PAGE 4096

// CDF-1 and CDF-2 have an exception for the last array of a file; it is not used here.
static const pl_netcdf_kind kinds[] = {
    {"netcdf4", NC_NETCDF4, true, true, INT64_MAX, INT64_MAX},
    {"cdf5", NC_64BIT_DATA, false, true, INT64_MAX, INT64_MAX},
    {"cdf2", NC_64BIT_OFFSET, false, false, UINT32_MAX - 3, INT64_MAX},
    {"cdf1", 0, false, false, INT32_MAX - 3, INT32_MAX - (1 << 20)}, // header: at most 1 MiB
};
enum { NETCDF4, CDF5, CDF2, CDF1 };

// ---- what a kind of file cannot hold ----

static bool good_name(const char *name) {
  size_t n = strlen(name);
  if (n == 0 || name[n - 1] == ' ') return false;
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)name[i] < ' ' || name[i] == '/' || name[i] == 0x7f) return false;
  return true;
}

static const char *check_dims(const pl_layout *layout, const pl_netcdf_kind *kind) {
  for (int i = 0; i < layout->ndims; i++) {
    const pl_outdim *dim = &layout->dims[i];
    if (!good_name(dim->name)) return "an axis has a name that NetCDF does not allow";
    if (dim->length <= 0) return "an axis has no cells";
    if (!kind->all_types && dim->length > INT32_MAX)
      return "CDF-1 and CDF-2 have axes of less than 2^31 cells: write netcdf4 or cdf5";
    for (int j = 0; j < i; j++)
      if (strcmp(dim->name, layout->dims[j].name) == 0) return "two axes have the same name";
  }
  return NULL;
}

static const char *check_names(const pl_layout *layout) {
  for (int i = 0; i < layout->nvars; i++) {
    const char *name = layout->vars[i].name;
    if (!good_name(name)) return "a result has a name that NetCDF does not allow";
    for (int j = 0; j < layout->ndims; j++)
      if (strcmp(name, layout->dims[j].name) == 0) return "a result has the name of an axis";
    for (int j = 0; j < layout->ncoords; j++)
      if (strcmp(name, layout->coords[j].name) == 0) return "a result has the name of a coordinate";
    for (int j = 0; j < i; j++)
      if (strcmp(name, layout->vars[j].name) == 0) return "two results have the same name";
  }
  return NULL;
}

static bool needs_new_types(plait_type type) {
  return type == PLAIT_U8 || type == PLAIT_U16 || type == PLAIT_U32 || type == PLAIT_I64 ||
         type == PLAIT_U64;
}

static const char *check_sizes(const pl_layout *layout, const pl_netcdf_kind *kind) {
  int64_t total = 0;
  for (int i = 0; i < layout->nvars; i++) {
    const pl_outvar *var = &layout->vars[i];
    int64_t bytes = (int64_t)plait_type_size(var->stored);
    if (!kind->all_types && needs_new_types(var->stored))
      return "CDF-1 and CDF-2 have no unsigned and no 64-bit integers: write netcdf4 or cdf5";
    for (int d = 0; d < var->ndim; d++)
      if (pl_mul64_overflows(bytes, layout->dims[var->dim[d]].length, &bytes))
        return "an array is too large to exist";
    if (bytes > kind->array_bytes) return "an array is too large for CDF-1 or CDF-2: write netcdf4";
    if (__builtin_add_overflow(total, bytes, &total) || total > kind->file_bytes)
      return "the file is too large for its format: write netcdf4 or cdf5";
  }
  return NULL;
}

static const char *check_kind(const pl_layout *layout, const pl_netcdf_kind *kind) {
  const char *reason = check_dims(layout, kind);
  if (reason == NULL) reason = check_names(layout);
  return reason != NULL ? reason : check_sizes(layout, kind);
}

static const char *check_netcdf4(const pl_layout *layout) {
  return check_kind(layout, &kinds[NETCDF4]);
}
static const char *check_cdf5(const pl_layout *layout) {
  return check_kind(layout, &kinds[CDF5]);
}
static const char *check_cdf2(const pl_layout *layout) {
  return check_kind(layout, &kinds[CDF2]);
}
static const char *check_cdf1(const pl_layout *layout) {
  return check_kind(layout, &kinds[CDF1]);
}

// ---- create ----

static plait_err offsets_hdf5(const char *path, const pl_layout *layout, int64_t offset[]) {
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) return plait_fail(PLAIT_IO, "%s: cannot be opened again", path);
  plait_err err = PLAIT_OK;
  for (int i = 0; i < layout->nvars && err == PLAIT_OK; i++) {
    err = pl_hdf5_offset(file, layout->vars[i].name, &offset[i]);
    if (err == PLAIT_OK && offset[i] < 0)
      err = plait_fail(PLAIT_BUG, "%s: %s has no place in the file", path, layout->vars[i].name);
  }
  H5Fclose(file);
  return err;
}

static plait_err offsets_classic(const char *path, const pl_layout *layout, int64_t offset[]) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return pl_fail_errno(PLAIT_IO, "cannot read", path);
  plait_err err = PLAIT_OK;
  for (int i = 0; i < layout->nvars && err == PLAIT_OK; i++) {
    pl_classic_var var;
    err = pl_classic_find(fd, path, layout->vars[i].name, &var);
    offset[i] = var.begin;
  }
  close(fd);
  return err;
}

static plait_err create_kind(const char *path, const pl_layout *layout, int64_t offset[],
                             const pl_netcdf_kind *kind) {
  TRY(pl_netcdf_load());
  nc_set_alignment(PAGE, PAGE);
  plait_err err = pl_netcdf_define(kind, path, layout);
  nc_set_alignment(1, 1);
  if (err != PLAIT_OK) return err;
  return kind->hdf5 ? offsets_hdf5(path, layout, offset) : offsets_classic(path, layout, offset);
}

static plait_err create_netcdf4(const char *path, const pl_layout *layout, int64_t offset[]) {
  return create_kind(path, layout, offset, &kinds[NETCDF4]);
}
static plait_err create_cdf5(const char *path, const pl_layout *layout, int64_t offset[]) {
  return create_kind(path, layout, offset, &kinds[CDF5]);
}
static plait_err create_cdf2(const char *path, const pl_layout *layout, int64_t offset[]) {
  return create_kind(path, layout, offset, &kinds[CDF2]);
}
static plait_err create_cdf1(const char *path, const pl_layout *layout, int64_t offset[]) {
  return create_kind(path, layout, offset, &kinds[CDF1]);
}

const pl_outformat pl_outformat_netcdf4 = {.name = "netcdf4",
                                           .extensions = "nc nc4",
                                           .create = create_netcdf4,
                                           .check = check_netcdf4,
                                           .expect = pl_netcdf_expect,
                                           .stores = true};
const pl_outformat pl_outformat_cdf5 = {.name = "cdf5",
                                        .extensions = "nc5",
                                        .create = create_cdf5,
                                        .check = check_cdf5,
                                        .expect = pl_netcdf_expect,
                                        .big_endian = true,
                                        .stores = true};
const pl_outformat pl_outformat_cdf2 = {.name = "cdf2",
                                        .extensions = "nc3",
                                        .create = create_cdf2,
                                        .check = check_cdf2,
                                        .expect = pl_netcdf_expect,
                                        .big_endian = true,
                                        .stores = true};
const pl_outformat pl_outformat_cdf1 = {.name = "cdf1",
                                        .extensions = "",
                                        .create = create_cdf1,
                                        .check = check_cdf1,
                                        .expect = pl_netcdf_expect,
                                        .big_endian = true,
                                        .stores = true};
