// SPDX-License-Identifier: BSD-3-Clause
//
// Which format an output gets, and whether it can be written at all: said before hours of
// computing.
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "data/formats.h"
#include "data/output_state.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const pl_outformat *const pl_outformats[] = {
#ifdef PLAIT_HAVE_NETCDF
    &pl_outformat_netcdf4, &pl_outformat_cdf5, &pl_outformat_cdf2, &pl_outformat_cdf1,
#endif
    &pl_outformat_npy,     &pl_outformat_npz,  &pl_outformat_null, NULL,
};

static const char *extension_of(const char *path) {
  const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
  const char *dot = strrchr(base, '.');
  return dot != NULL && dot != base ? dot + 1 : "";
}

static const pl_outformat *by_name(const char *name) {
  for (int i = 0; pl_outformats[i] != NULL; i++)
    if (strcmp(pl_outformats[i]->name, name) == 0) return pl_outformats[i];
  return NULL;
}

bool pl_outformat_known(const char *name) {
  return by_name(name) != NULL;
}

static const pl_outformat *by_extension(const char *extension) {
  for (int i = 0; pl_outformats[i] != NULL; i++)
    if (pl_listed(pl_outformats[i]->extensions, extension, strlen(extension)))
      return pl_outformats[i];
  return NULL;
}

static plait_err unknown(const char *path, const char *format, const char *extension) {
  bool netcdf = by_name("netcdf4") != NULL;
  const char *known =
      netcdf ? ".nc, .npy, .npz" : ".npy, .npz (this plait was built without NetCDF)";
  if (format[0] != 0)
    return plait_fail(PLAIT_OUTPUT, "%s: cannot write format '%s'%s", path, format,
                      netcdf ? "" : " (this plait was built without NetCDF)");
  if (extension[0] == 0)
    return plait_fail(PLAIT_OUTPUT, "%s: the name has no extension that tells the format: %s", path,
                      known);
  return plait_fail(PLAIT_OUTPUT, "%s: cannot write '.%s' files; known are %s", path, extension,
                    known);
}

plait_err pl_outformat_find(const char *path, const char *format, const pl_outformat **found) {
  if (path[0] == 0) return plait_fail(PLAIT_OUTPUT, "the output is not given");
  const char *extension = extension_of(path);
  if (strncmp(path, "null:", 5) == 0)
    *found = &pl_outformat_null;
  else
    *found = format[0] != 0 ? by_name(format) : by_extension(extension);
  return *found != NULL ? PLAIT_OK : unknown(path, format, extension);
}

void pl_outformat_expect(const char *path, const char *format) {
  const pl_outformat *found;
  if (pl_outformat_find(path, format, &found) == PLAIT_OK && found->expect) found->expect();
}

plait_err pl_outvar_bytes(const char *path, const pl_layout *layout, int var, int64_t *bytes) {
  const pl_outvar *v = &layout->vars[var];
  *bytes = (int64_t)plait_type_size(v->stored);
  for (int d = 0; d < v->ndim; d++)
    if (pl_mul64_overflows(*bytes, layout->dims[v->dim[d]].length, bytes))
      return plait_fail(PLAIT_OUTPUT, "%s: array %s has more than 2^63 bytes", path, v->name);
  return PLAIT_OK;
}

static plait_err check_layout(const char *path, const pl_layout *layout,
                              const pl_outformat *format) {
  const char *reason = format->check(layout);
  if (reason != NULL) return plait_fail(PLAIT_OUTPUT, "%s: %s", path, reason);
  for (int i = 0; i < layout->nvars; i++) {
    const pl_outvar *v = &layout->vars[i];
    int64_t bytes;
    TRY(pl_outvar_bytes(path, layout, i, &bytes));
    if (plait_type_size(v->stored) > plait_type_size(v->type))
      return plait_fail(PLAIT_OUTPUT, "%s: array %s of %s cannot be stored in the wider %s", path,
                        v->name, plait_type_name(v->type), plait_type_name(v->stored));
  }
  return PLAIT_OK;
}

static plait_err check_target(const char *path, bool force) {
  struct stat info;
  if (stat(path, &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return PLAIT_OK; // the directory is looked at next
    return pl_fail_errno(PLAIT_OUTPUT, "cannot write", path);
  }
  if (S_ISDIR(info.st_mode)) return plait_fail(PLAIT_OUTPUT, "%s is a directory", path);
  if (!S_ISREG(info.st_mode))
    return plait_fail(PLAIT_OUTPUT, "%s is not a regular file: results are written at many places",
                      path);
  if (!force)
    return plait_fail(PLAIT_OUTPUT, "%s exists already; --force allows replacing it", path);
  return PLAIT_OK;
}

plait_err pl_output_check_place(const char *path) {
  struct stat info;
  char *dir = NULL;
  TRY(pl_path_dir(path, &dir));
  plait_err err = PLAIT_OK;
  if (stat(dir, &info) != 0)
    err = plait_fail(PLAIT_OUTPUT, "%s: cannot write: the directory %s: %s", path, dir,
                     strerror(errno));
  else if (!S_ISDIR(info.st_mode))
    err = plait_fail(PLAIT_OUTPUT, "%s: cannot write: %s is not a directory", path, dir);
  else if (access(dir, W_OK | X_OK) != 0)
    err = plait_fail(PLAIT_OUTPUT, "%s: cannot write into the directory %s: %s", path, dir,
                     strerror(errno));
  pl_free(&dir);
  return err;
}

static plait_err check_partial(const char *path) {
  struct stat info;
  char *partial = NULL;
  TRY(pl_partial_name(path, &partial));
  plait_err err = PLAIT_OK;
  if (lstat(partial, &info) == 0 && !S_ISREG(info.st_mode))
    err = plait_fail(PLAIT_OUTPUT, "%s is in the way: it is not a regular file; move it away",
                     partial);
  pl_free(&partial);
  return err;
}

plait_err pl_partial_name(const char *path, char **partial) {
  pl_text text = {0};
  pl_text_add(&text, "%s.partial", path);
  plait_err err = text.failed ? plait_fail(PLAIT_MEMORY, "out of memory for a name")
                              : pl_strdup(text.at, partial);
  pl_text_free(&text);
  return err;
}

plait_err pl_output_check(const char *path, const pl_layout *layout, bool force) {
  const pl_outformat *format;
  TRY(pl_outformat_find(path, layout->format, &format));
  TRY(check_layout(path, layout, format));
  if (!format->stores) return PLAIT_OK;
  TRY(check_target(path, force));
  TRY(pl_output_check_place(path));
  return check_partial(path);
}
