// SPDX-License-Identifier: BSD-3-Clause
//
// Results as one .npz, what numpy.load opens as a dictionary of arrays: a .npy for each result and
// for each coordinate of its axes. Attributes have no place in it and are left out; NaN stays NaN.
// A zip archive has a checksum of each member, so all of it is read once more at the end.
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "data/formats.h"
#include "data/npy.h"
#include "data/zip.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, LINE = 64 };

typedef struct member {
  const char *name;
  plait_type type;
  int ndim;
  int64_t shape[PLAIT_DIMS];
} member;

// NumPy has no arrays of our texts, and the numbers of a coordinate are as this machine has them.
static bool is_kept(const pl_coord *coord) {
  const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
  return !coord->text && (little || plait_type_size(coord->type) == 1);
}

static member of_result(const pl_layout *layout, int i) {
  const pl_outvar *v = &layout->vars[i];
  member m = {.name = v->name, .type = v->stored, .ndim = v->ndim};
  for (int d = 0; d < v->ndim; d++) m.shape[d] = layout->dims[v->dim[d]].length;
  return m;
}

static member of_coord(const pl_coord *c) {
  member m = {.name = c->name, .type = c->type, .ndim = c->ndim};
  memcpy(m.shape, c->shape, sizeof m.shape);
  return m;
}

static int64_t values_bytes(const member *m) {
  int64_t bytes = (int64_t)plait_type_size(m->type);
  for (int d = 0; d < m->ndim; d++) bytes *= m->shape[d];
  return bytes;
}

static bool same_name(const pl_layout *layout, const char *name, int vars, int coords) {
  for (int i = 0; i < vars; i++)
    if (strcmp(layout->vars[i].name, name) == 0) return true;
  for (int i = 0; i < coords; i++)
    if (strcmp(layout->coords[i].name, name) == 0) return true;
  return false;
}

static const char *check_npz(const pl_layout *layout) {
  for (int i = 0; i < layout->nvars; i++) {
    if (layout->vars[i].packed) return "NumPy arrays cannot hold packed values: write NetCDF (.nc)";
    if (same_name(layout, layout->vars[i].name, i, layout->ncoords))
      return "two arrays have the same name";
  }
  return NULL;
}

// ---- members: the results, then the coordinates ----
static plait_err plan(pl_zip *zip, const member *m) {
  unsigned char header[PL_NPY_WRITTEN];
  pl_text name = {0};
  int64_t head = (int64_t)pl_npy_header(m->type, m->ndim, m->shape, header);
  int64_t bytes = values_bytes(m);
  pl_text_add(&name, "%s.npy", m->name);
  plait_err err = name.failed
                      ? plait_fail(PLAIT_MEMORY, "out of memory for a name")
                      : pl_zip_plan(zip, name.at, head + bytes, head, bytes >= PAGE ? PAGE : LINE);
  pl_text_free(&name);
  return err;
}

static plait_err plan_all(const pl_layout *layout, pl_zip *zip) {
  plait_err err = PLAIT_OK;
  *zip = (pl_zip){0};
  for (int i = 0; i < layout->nvars; i++) {
    member m = of_result(layout, i);
    GUARD(plan(zip, &m));
  }
  for (int i = 0; i < layout->ncoords; i++) {
    member m = of_coord(&layout->coords[i]);
    if (is_kept(&layout->coords[i])) GUARD(plan(zip, &m));
  }
  return PLAIT_OK;
done:
  pl_zip_free(zip);
  return err;
}

// Header of the array; *offset: of its first value.
static plait_err write_head(int fd, const char *path, const pl_zip_member *at, const member *m,
                            int64_t *offset) {
  unsigned char header[PL_NPY_WRITTEN];
  size_t n = pl_npy_header(m->type, m->ndim, m->shape, header);
  *offset = at->begin + (int64_t)n;
  return pl_pwrite_all(fd, header, n, at->begin, path);
}

static plait_err write_frame(int fd, const char *path, const pl_layout *layout, pl_zip *zip,
                             int64_t offset[]) {
  int64_t next = 0;
  TRY(pl_zip_write(fd, path, zip));
  for (int i = 0; i < layout->nvars; i++) {
    member m = of_result(layout, i);
    TRY(write_head(fd, path, &zip->at[next++], &m, &offset[i]));
  }
  for (int i = 0; i < layout->ncoords; i++) {
    const pl_coord *c = &layout->coords[i];
    member m = of_coord(c);
    int64_t at;
    if (!is_kept(c)) continue;
    TRY(write_head(fd, path, &zip->at[next++], &m, &at));
    TRY(pl_pwrite_all(fd, c->data, (size_t)values_bytes(&m), at, path));
  }
  return PLAIT_OK;
}

// ---- the functions of the format ----
static plait_err open_planned(const char *path, const pl_layout *layout, pl_zip *zip, int *fd) {
  TRY(plan_all(layout, zip));
  *fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (*fd >= 0) return PLAIT_OK;
  pl_zip_free(zip);
  return pl_fail_errno(PLAIT_OUTPUT, "cannot write", path);
}

static plait_err close_planned(const char *path, pl_zip *zip, int fd, plait_err err) {
  pl_zip_free(zip);
  if (close(fd) != 0 && err == PLAIT_OK) err = pl_fail_errno(PLAIT_IO, "cannot close", path);
  return err;
}

static plait_err create_npz(const char *path, const pl_layout *layout, int64_t offset[]) {
  pl_zip zip;
  int fd;
  TRY(open_planned(path, layout, &zip, &fd));
  return close_planned(path, &zip, fd, write_frame(fd, path, layout, &zip, offset));
}

static plait_err seal_npz(const char *path, const pl_layout *layout, bool undo) {
  pl_zip zip;
  int fd;
  TRY(open_planned(path, layout, &zip, &fd));
  return close_planned(path, &zip, fd, pl_zip_seal(fd, path, &zip, undo));
}

const pl_outformat pl_outformat_npz = {
    .name = "npz",
    .extensions = "npz",
    .create = create_npz,
    .check = check_npz,
    .seal = seal_npz,
    .stores = true,
    .plain = true,
};
