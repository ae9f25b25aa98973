// SPDX-License-Identifier: BSD-3-Clause
//
// NumPy's .npz: a zip archive of .npy files, as numpy.savez writes it. A member that is not
// compressed lies in the file as a .npy does and is read the same way.
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "data/convert.h"
#include "data/formats.h"
#include "data/npy.h"
#include "data/zip.h"
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// An archive whose first member is a .npy.
static bool claims_npz(const char *path, const unsigned char *head, size_t bytes) {
  (void)path;
  if (bytes < 30 || memcmp(head, "PK\x03\x04", 4) != 0) return false;
  size_t n = (size_t)head[26] | (size_t)head[27] << 8;
  return n > 4 && 30 + n <= bytes && memcmp(head + 30 + n - 4, ".npy", 4) == 0;
}

// Cuts names of arrays to what NumPy calls them and drops what is no array.
static void keep_arrays(pl_zip *zip) {
  int64_t kept = 0;
  for (int64_t i = 0; i < zip->n; i++) {
    char *name = zip->at[i].name;
    size_t n = strlen(name);
    bool array = n > 4 && strcmp(name + n - 4, ".npy") == 0;
    if (array) name[n - 4] = 0;
    if (array)
      zip->at[kept++] = zip->at[i];
    else
      pl_free(&zip->at[i].name);
  }
  zip->n = kept;
}

static plait_err open_archive(const char *path, int *fd, pl_zip *zip) {
  *fd = open(path, O_RDONLY | O_CLOEXEC);
  if (*fd < 0) return pl_fail_errno(PLAIT_INPUT, "cannot read", path);
  plait_err err = pl_zip_read(*fd, path, zip);
  if (err == PLAIT_OK) {
    keep_arrays(zip);
    return PLAIT_OK;
  }
  close(*fd);
  return err == PLAIT_IO ? PLAIT_INPUT : err;
}

static plait_err check_member(const char *path, const pl_zip_member *m) {
  if (m->encrypted) return plait_fail(PLAIT_INPUT, "%s: %s is encrypted", path, m->name);
  if (m->method == 0) return PLAIT_OK;
  return plait_fail(PLAIT_INPUT, "%s: %s is compressed: save it with numpy.savez", path, m->name);
}

// ---- which array ----
static plait_err list_names(const pl_zip *zip, pl_text *text) {
  for (int64_t i = 0; i < zip->n; i++) pl_text_add(text, i > 0 ? ", %s" : "%s", zip->at[i].name);
  return text->failed ? plait_fail(PLAIT_MEMORY, "no memory for names of arrays") : PLAIT_OK;
}

static plait_err not_there(const char *path, const char *variable, const pl_zip *zip) {
  pl_text text = {0};
  const char **names = NULL;
  plait_err err = PLAIT_OK;
  GUARD(pl_calloc((size_t)zip->n + 1, sizeof *names, &names));
  for (int64_t i = 0; i < zip->n; i++) names[i] = zip->at[i].name;
  GUARD(list_names(zip, &text));
  const char *nearest = pl_nearest(variable, names);
  if (zip->n == 0)
    err = plait_fail(PLAIT_INPUT, "%s holds no arrays", path);
  else if (variable[0] == 0)
    err = plait_fail(PLAIT_INPUT, "%s holds several arrays; say which one (FILE:NAME): %s", path,
                     text.at);
  else if (nearest)
    err = plait_fail(PLAIT_INPUT, "%s has no array '%s'; did you mean '%s'?", path, variable,
                     nearest);
  else
    err = plait_fail(PLAIT_INPUT, "%s has no array '%s'; it has: %s", path, variable, text.at);
done:
  pl_text_free(&text);
  pl_free(&names);
  return err;
}

static plait_err choose(const char *path, const char *variable, const pl_zip *zip,
                        const pl_zip_member **found) {
  *found = variable[0] == 0 && zip->n == 1 ? &zip->at[0] : NULL;
  for (int64_t i = 0; i < zip->n && !*found; i++)
    if (strcmp(zip->at[i].name, variable) == 0) *found = &zip->at[i];
  return *found ? check_member(path, *found) : not_there(path, variable, zip);
}

// The member that is meant, and the file open for it. PLAIT_INPUT: nothing has been computed yet.
typedef struct found {
  int fd;
  int64_t begin, end;
  char name[PLAIT_NAME];
} found;

static plait_err open_member(const char *path, const char *variable, found *to) {
  const pl_zip_member *m;
  pl_zip zip;
  TRY(open_archive(path, &to->fd, &zip));
  plait_err err = choose(path, variable, &zip, &m);
  if (err == PLAIT_OK) {
    to->begin = m->begin;
    to->end = m->begin + m->bytes;
    snprintf(to->name, sizeof to->name, "%s", m->name);
  } else {
    close(to->fd);
  }
  pl_zip_free(&zip);
  return err;
}

static plait_err open_npz(const char *path, const char *variable, pl_dataset *dataset) {
  found m;
  TRY(open_member(path, variable, &m));
  plait_err err = pl_npy_take(m.fd, path, m.begin, m.end, dataset);
  snprintf(dataset->meta.name, sizeof dataset->meta.name, "%s", m.name);
  if (err != PLAIT_OK) close(m.fd);
  return err == PLAIT_IO ? PLAIT_INPUT : err;
}

// ---- what there is ----
static int64_t values_of(const pl_npy *npy) {
  int64_t n = 1;
  for (int d = 0; d < npy->ndim; d++)
    if (pl_mul64_overflows(n, npy->shape[d], &n)) return 0;
  return n;
}

static int64_t count_values(int fd, const char *path, const pl_zip_member *m) {
  pl_npy npy;
  bool known = m->method == 0 && !m->encrypted &&
               pl_npy_read(fd, path, m->begin, m->begin + m->bytes, &npy) == PLAIT_OK;
  return known ? values_of(&npy) : 0;
}

static plait_err list(const char *path, bool single, char ***names) {
  plait_err err = PLAIT_OK;
  pl_zip zip;
  int fd;
  int64_t n = 0;
  TRY(open_archive(path, &fd, &zip));
  GUARD(pl_calloc((size_t)zip.n + 1, sizeof **names, names));
  for (int64_t i = 0; i < zip.n; i++) {
    int64_t values = count_values(fd, path, &zip.at[i]);
    if (single ? values == 1 : values > 1) GUARD(pl_strdup(zip.at[i].name, &(*names)[n++]));
  }
done:
  pl_zip_free(&zip);
  close(fd);
  return err;
}

static plait_err list_npz(const char *path, char ***names) {
  return list(path, false, names);
}

static plait_err list_scalars_npz(const char *path, char ***names) {
  return list(path, true, names);
}

static plait_err read_scalar(const char *path, const found *m, pl_scalar *scalar) {
  double value = 0; // room for a value of any type
  pl_npy npy;
  TRY(pl_npy_read(m->fd, path, m->begin, m->end, &npy));
  if (values_of(&npy) != 1)
    return plait_fail(PLAIT_INPUT, "%s: %s is not a single value", path, m->name);
  size_t size = plait_type_size(npy.type);
  TRY(pl_pread_all(m->fd, &value, size, m->begin + npy.start, path));
  if (npy.swap) pl_swap(&value, &value, 1, size);
  plait_row_to_f64(npy.type, &value, 1, &scalar->value);
  scalar->type = npy.type;
  return PLAIT_OK;
}

static plait_err scalar_npz(const char *path, const char *variable, pl_scalar *scalar) {
  found m;
  *scalar = (pl_scalar){.value = NAN};
  TRY(open_member(path, variable, &m));
  plait_err err = read_scalar(path, &m, scalar);
  close(m.fd);
  return err == PLAIT_IO ? PLAIT_INPUT : err;
}

const pl_format pl_format_npz = {
    .name = "npz",
    .summary = "NumPy archives (not compressed)",
    .extensions = "npz",
    .claims = claims_npz,
    .open = open_npz,
    .close = pl_npy_close,
    .raw_bytes = pl_npy_raw_bytes,
    .fetch = pl_npy_fetch,
    .decode = pl_npy_decode,
    .share = pl_npy_share,
    .plain = pl_npy_plain,
    .list = list_npz,
    .list_scalars = list_scalars_npz,
    .scalar = scalar_npz,
};
