// SPDX-License-Identifier: BSD-3-Clause
//
// Finds the format of an input and opens it. What is wrong with a path is said here, once for all
// formats, so that a format sees only files that exist, can be read and begin with its own magic.
#include "data/dataset.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/formats.h"
#include "data/guess.h"
#ifdef PLAIT_HAVE_NETCDF
#include "data/netcdf_library.h"
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 512 }; // bytes that a format may look at to claim a file

const pl_format *const pl_formats[] = {
#ifdef PLAIT_HAVE_NETCDF
    &pl_format_netcdf,
#endif
    &pl_format_npy,    &pl_format_npz, &pl_format_idx, &pl_format_generate, NULL,
};

void pl_formats_load(void) {
#ifdef PLAIT_HAVE_NETCDF
  (void)pl_netcdf_load(); // why not, a file of the format will tell
#endif
}

static bool exists(const char *path) {
  struct stat info;
  return stat(path, &info) == 0;
}

// Whether the text behind the colon can be a variable: not part of a path, and not all of a scheme.
static bool splits(const char *spec, const char *colon) {
  static const char *const schemes[] = {"generate:", "null:"};
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
    if (strncmp(spec, schemes[i], strlen(schemes[i])) == 0) return false;
  return colon != NULL && colon != spec && colon[1] != 0;
}

// The last colon whose left side is a file; otherwise the last one that can be meant.
static const char *split_at(const char *spec, char *path) {
  const char *meant = NULL;
  for (const char *c = strrchr(spec, ':'); splits(spec, c);) {
    size_t n = (size_t)(c - spec);
    if (meant == NULL && strchr(c, '/') == NULL) meant = c;
    memcpy(path, spec, n);
    path[n] = 0;
    if (exists(path)) return c; // a variable of NetCDF-4 may hold slashes: FILE:/group/name
    c = memrchr(spec, ':', n);
  }
  return meant;
}

plait_err pl_spec_split(const char *spec, char **path, char **variable) {
  plait_err err = PLAIT_OK;
  *path = *variable = NULL;
  GUARD(pl_strdup(spec, path));
  const char *colon = exists(spec) ? NULL : split_at(spec, *path);
  GUARD(pl_strdup(colon != NULL ? colon + 1 : "", variable));
  size_t n = colon != NULL ? (size_t)(colon - spec) : strlen(spec);
  memcpy(*path, spec, n);
  (*path)[n] = 0;
  return PLAIT_OK;
done:
  pl_free(path);
  return err;
}

// The first bytes of a file, or what is wrong with it.
static plait_err read_head(const char *path, unsigned char head[HEAD], size_t *bytes) {
  struct stat info;
  *bytes = 0;
  if (path[0] == 0) return plait_fail(PLAIT_INPUT, "the input is not given");
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe would block
  if (fd < 0) return pl_fail_errno(PLAIT_INPUT, "cannot open the input", path);
  plait_err err = PLAIT_OK;
  if (fstat(fd, &info) != 0) GUARD(pl_fail_errno(PLAIT_INPUT, "cannot read", path));
  if (S_ISDIR(info.st_mode))
    GUARD(plait_fail(PLAIT_INPUT, "%s is a directory, not a file with an array", path));
  if (!S_ISREG(info.st_mode))
    GUARD(plait_fail(PLAIT_INPUT,
                     "%s is not a regular file: arrays are read at many places at once", path));
  if (info.st_size == 0) GUARD(plait_fail(PLAIT_INPUT, "%s is empty", path));
  ssize_t got = pread(fd, head, HEAD, 0);
  if (got < 0) GUARD(pl_fail_errno(PLAIT_INPUT, "cannot read", path));
  *bytes = (size_t)got;
done:
  close(fd);
  return err;
}

// Formats with a scheme claim by the path alone and have no file to look into.
static const pl_format *claimed(const char *path, const unsigned char *head, size_t bytes) {
  for (int i = 0; pl_formats[i] != NULL; i++)
    if (pl_formats[i]->claims(path, head, bytes)) return pl_formats[i];
  return NULL;
}

static plait_err find_format(const char *path, const pl_format **format) {
  unsigned char head[HEAD] = {0};
  size_t bytes = 0;
  *format = claimed(path, head, 0);
  if (*format != NULL) return PLAIT_OK;
  TRY(read_head(path, head, &bytes));
  *format = claimed(path, head, bytes);
  if (*format != NULL) return PLAIT_OK;
  return plait_fail(PLAIT_INPUT, "%s: not an array file that this plait reads: it seems to be %s",
                    path, pl_guess_format(head, bytes));
}

// Whether the file of the spec, FILE or FILE:VAR, ends in one of the format's extensions.
static bool is_named_like(const char *spec, const pl_format *format) {
  const char *slash = strrchr(spec, '/'), *dot = strrchr(slash ? slash : spec, '.');
  return dot && format->extensions && pl_listed(format->extensions, dot + 1, strcspn(dot + 1, ":"));
}

void pl_dataset_expect(const char *spec) {
  for (int i = 0; pl_formats[i] != NULL; i++)
    if (pl_formats[i]->expect && is_named_like(spec, pl_formats[i])) pl_formats[i]->expect();
}

plait_err pl_dataset_open(const char *spec, pl_dataset **out) {
  plait_err err = PLAIT_OK;
  pl_dataset *dataset = NULL;
  char *variable = NULL;
  *out = NULL;
  GUARD(pl_calloc(1, sizeof *dataset, &dataset));
  GUARD(pl_strdup(spec, &dataset->spec));
  GUARD(pl_spec_split(spec, &dataset->path, &variable));
  const pl_format *format = NULL;
  if (stat(dataset->path, &dataset->seen) != 0) dataset->seen.st_nlink = 0;
  GUARD(find_format(dataset->path, &format));
  GUARD(format->open(dataset->path, variable, dataset));
  dataset->format = format;
  *out = dataset;
  dataset = NULL;
done:
  pl_free(&variable);
  pl_dataset_close(&dataset);
  return err;
}

plait_err pl_dataset_scalars(const char *path, char ***names) {
  const pl_format *format = NULL;
  *names = NULL;
  TRY(find_format(path, &format));
  return format->list_scalars ? format->list_scalars(path, names) : PLAIT_OK;
}

plait_err pl_dataset_scalar(const char *spec, pl_scalar *scalar) {
  char *path = NULL, *variable = NULL;
  const pl_format *format = NULL;
  TRY(pl_spec_split(spec, &path, &variable));
  plait_err err = find_format(path, &format);
  if (err == PLAIT_OK && !format->scalar)
    err = plait_fail(PLAIT_INPUT, "%s: no single values in this format", path);
  if (err == PLAIT_OK) err = format->scalar(path, variable, scalar);
  pl_free(&path);
  pl_free(&variable);
  return err;
}

// `format` is set only when the format's open succeeded: it cleans up after itself when it fails.
void pl_dataset_close(pl_dataset **dataset) {
  if (dataset == NULL || *dataset == NULL) return;
  if ((*dataset)->format != NULL) (*dataset)->format->close(*dataset);
  pl_meta_free(&(*dataset)->meta);
  pl_free(&(*dataset)->path);
  pl_free(&(*dataset)->spec);
  pl_free(dataset);
}

bool pl_dataset_changed(const pl_dataset *dataset) {
  const struct stat *seen = &dataset->seen;
  struct stat now;
  if (seen->st_nlink == 0) return false;
  if (stat(dataset->path, &now) != 0) return false; // removed: what is open stays as it is
  return now.st_dev != seen->st_dev || now.st_ino != seen->st_ino || now.st_size != seen->st_size ||
         now.st_mtim.tv_sec != seen->st_mtim.tv_sec || now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
}

size_t pl_dataset_raw_bytes(const pl_dataset *dataset, const int64_t extent[]) {
  return dataset->format->raw_bytes(dataset, extent);
}

plait_err pl_dataset_fetch(pl_dataset *dataset, const pl_box *box, void *raw,
                           const plait_block *to) {
  return dataset->format->fetch(dataset, box, raw, to);
}

void pl_dataset_decode(const pl_dataset *dataset, const pl_box *box, void *raw,
                       const plait_block *to, plait_raise *raise) {
  dataset->format->decode(dataset, box, raw, to, raise);
}

bool pl_dataset_share(pl_dataset *dataset, const pl_box *box) {
  return dataset->format->share != NULL && dataset->format->share(dataset, box);
}

bool pl_dataset_plain(const pl_dataset *dataset, pl_plain *plain) {
  return dataset->format->plain && dataset->format->plain(dataset, plain);
}

int64_t pl_dataset_file_bytes(const pl_dataset *dataset) {
  struct stat info;
  const pl_meta *meta = &dataset->meta;
  if (dataset->format->claims(dataset->path, (const unsigned char *)"", 0)) return 0; // a scheme
  if (stat(dataset->path, &info) != 0) return 0;
  int64_t bytes = (int64_t)plait_type_size(meta->stored);
  for (int d = 0; d < meta->ndim; d++) bytes *= meta->shape[d];
  return bytes < info.st_size ? bytes : info.st_size;
}

int64_t pl_dataset_touched(const pl_dataset *dataset, int axis, int64_t lo, int64_t hi) {
  const pl_meta *meta = &dataset->meta;
  int64_t chunk = meta->chunked ? meta->chunk[axis] : 1;
  int64_t first = lo / chunk * chunk, last = (hi + chunk - 1) / chunk * chunk;
  return (last < meta->shape[axis] ? last : meta->shape[axis]) - first;
}

int64_t pl_dataset_box_bytes(const pl_dataset *dataset, const pl_box *box) {
  double part = 1;
  for (int d = 0; d < box->ndim; d++)
    part *= (double)pl_dataset_touched(dataset, d, box->lo[d], box->lo[d] + box->n[d]) /
            (double)dataset->meta.shape[d];
  return (int64_t)(part * (double)pl_dataset_file_bytes(dataset) + 0.5);
}
