// SPDX-License-Identifier: BSD-3-Clause
//
// Files that the NetCDF tests read: written by the library itself, one variable `v` in every form.
#ifndef NETCDF_FILES_H
#define NETCDF_FILES_H
#include <netcdf.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define MUST(call)                                                                                 \
  do {                                                                                             \
    int status_ = (call);                                                                          \
    if (status_ != NC_NOERR) fail_msg("%s: %s", #call, nc_strerror(status_));                      \
  } while (0)

typedef struct form {
  int mode; // of nc_create
  nc_type type;
  int ndim;
  size_t shape[4];
  bool unlimited;                 // the first axis
  size_t chunk[4];                // 0: contiguous
  int shuffle, deflate, fletcher; // 1, 2, 3: in which order; 0: not
  int endian;
  int neighbours;       // other variables beside v, records too when the axis is unlimited
  bool holes;           // only the first half of the first axis is written ..
  bool last;            // .. and its last cell
  double scale, offset; // written when scale != 0
  int nfill, nmissing;  // _FillValue 0 or 1, missing_value
  double fill, missing[4];
  bool is_unsigned; // _Unsigned
} form;

static char file_name[256];

static inline int make_directory(void **state) {
  (void)state;
  const char *tmp = getenv("TMPDIR");
  snprintf(file_name, sizeof file_name, "%s/plait-netcdf-XXXXXX", tmp != NULL ? tmp : "/tmp");
  if (mkdtemp(file_name) == NULL) return -1;
  strcat(file_name, "/t.nc");
  return 0;
}

static inline int remove_directory(void **state) {
  (void)state;
  unlink(file_name);
  *strrchr(file_name, '/') = '\0';
  return rmdir(file_name);
}

// Values that every type holds; small integers compress, and some equal the fill values below.
static inline double value_at(size_t i) {
  return (double)((i * 7 + i / 11) % 101);
}

static inline void define_filters(int ncid, int v, const form *f) {
  for (int step = 1; step <= 3; step++) {
    if (f->shuffle == step) MUST(nc_def_var_deflate(ncid, v, 1, 0, 0));
    if (f->deflate == step) MUST(nc_def_var_deflate(ncid, v, 0, 1, 4));
    if (f->fletcher == step) MUST(nc_def_var_fletcher32(ncid, v, NC_FLETCHER32));
  }
}

static inline void define_attributes(int ncid, int v, const form *f) {
  if (f->nfill > 0) MUST(nc_put_att_double(ncid, v, "_FillValue", f->type, 1, &f->fill));
  if (f->nmissing > 0)
    MUST(nc_put_att_double(ncid, v, "missing_value", f->type, (size_t)f->nmissing, f->missing));
  if (f->scale != 0) {
    MUST(nc_put_att_double(ncid, v, "scale_factor", NC_FLOAT, 1, &f->scale));
    MUST(nc_put_att_double(ncid, v, "add_offset", NC_FLOAT, 1, &f->offset));
  }
  if (f->is_unsigned) MUST(nc_put_att_text(ncid, v, "_Unsigned", 4, "true"));
}

static inline void write_slab(int ncid, int v, const form *f, size_t first, size_t n) {
  size_t start[4] = {first}, count[4] = {n}, cells = n, skip = first;
  for (int d = 1; d < f->ndim; d++) {
    count[d] = f->shape[d];
    cells *= count[d];
    skip *= count[d];
  }
  double *values = malloc(cells * sizeof *values);
  for (size_t i = 0; i < cells; i++) values[i] = value_at(skip + i);
  if (f->is_unsigned) // stored as the signed twin: the upper half becomes negative
    for (size_t i = 0; i < cells; i++) values[i] = values[i] > 50 ? values[i] - 101 : values[i];
  MUST(nc_put_vara_double(ncid, v, start, count, values));
  free(values);
}

static inline void write_file(const char *path, const form *f) {
  static const nc_type other[] = {NC_BYTE, NC_DOUBLE, NC_SHORT};
  int ncid, dim[4], v, beside[3];
  unlink(path); // faster than truncating it
  MUST(nc_create(path, f->mode | NC_CLOBBER, &ncid));
  MUST(nc_set_fill(ncid, f->holes ? NC_FILL : NC_NOFILL, NULL));
  for (int d = 0; d < f->ndim; d++) {
    char name[16];
    snprintf(name, sizeof name, "d%d", d);
    MUST(nc_def_dim(ncid, name, d == 0 && f->unlimited ? NC_UNLIMITED : f->shape[d], &dim[d]));
  }
  for (int i = 0; i < f->neighbours; i++) {
    char name[16];
    snprintf(name, sizeof name, "n%d", i);
    MUST(nc_def_var(ncid, name, other[i], 1, dim, &beside[i]));
  }
  MUST(nc_def_var(ncid, "v", f->type, f->ndim, dim, &v));
  if (f->chunk[0] > 0) MUST(nc_def_var_chunking(ncid, v, NC_CHUNKED, f->chunk));
  if (f->endian != 0) MUST(nc_def_var_endian(ncid, v, f->endian));
  define_filters(ncid, v, f);
  define_attributes(ncid, v, f);
  MUST(nc_enddef(ncid));
  write_slab(ncid, v, f, 0, f->holes ? (f->shape[0] + 1) / 2 : f->shape[0]);
  if (f->last) write_slab(ncid, v, f, f->shape[0] - 1, 1);
  for (int i = 0; i < f->neighbours; i++) {
    size_t last = f->shape[0] - 1;
    double one = 1;
    MUST(nc_put_var1_double(ncid, beside[i], &last, &one));
  }
  MUST(nc_close(ncid));
}
#endif
