// SPDX-License-Identifier: BSD-3-Clause
//
// NumPy's .npy: a short header, then the values as they lie in memory. Nothing needs unpacking, so
// fetch reads straight into the block and decode at most swaps bytes in place.
//
// Fortran order is not refused: such a file is the C-ordered file of the transposed array, so its
// axes are presented in reverse, each under the name that NumPy's number gives it (a 2-D file has
// axis1, axis0). Kernels address axes by name and so mean the same cells in either order; a result
// keeps the presented order.
#include "base/path.h"
#include "data/formats.h"
#include "data/npy.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool claims_npy(const char *path, const unsigned char *head, size_t bytes) {
  (void)path;
  return bytes >= 6 && memcmp(head, "\x93NUMPY", 6) == 0;
}

// The name of the file without directory and extension, as an identifier that any format can hold.
static void name_from_path(const char *path, char name[PLAIT_NAME]) {
  const char *base = strrchr(path, '/');
  base = base != NULL ? base + 1 : path;
  const char *dot = strrchr(base, '.');
  size_t n = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base), k = 0;
  if (n > 0 && base[0] >= '0' && base[0] <= '9') name[k++] = '_';
  for (size_t i = 0; i < n && k + 1 < PLAIT_NAME; i++) {
    char c = base[i];
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name[k++] = fine ? c : '_';
  }
  if (k == 0) name[k++] = '_';
  name[k] = 0;
}

static plait_err open_npy(const char *path, const char *variable, pl_dataset *dataset) {
  struct stat file;
  if (variable[0] != 0)
    return plait_fail(PLAIT_INPUT,
                      "%s: a NumPy file holds one array without a name: leave out \":%s\"", path,
                      variable);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return pl_fail_errno(PLAIT_INPUT, "cannot read", path);
  plait_err err = fstat(fd, &file) != 0 ? pl_fail_errno(PLAIT_INPUT, "cannot read", path)
                                        : pl_npy_take(fd, path, 0, file.st_size, dataset);
  name_from_path(path, dataset->meta.name);
  if (err != PLAIT_OK) close(fd);
  return err == PLAIT_IO ? PLAIT_INPUT : err; // nothing has been computed yet
}

const pl_format pl_format_npy = {
    .name = "npy",
    .summary = "NumPy arrays (1.0 to 3.0)",
    .extensions = "npy",
    .claims = claims_npy,
    .open = open_npy,
    .close = pl_npy_close,
    .raw_bytes = pl_npy_raw_bytes,
    .fetch = pl_npy_fetch,
    .decode = pl_npy_decode,
    .share = pl_npy_share,
    .plain = pl_npy_plain,
};
