// SPDX-License-Identifier: BSD-3-Clause
//
// A table of the first bytes of files that people try: with the cure where there is one.
#include "data/guess.h"
#include <string.h>

typedef struct magic {
  size_t offset, bytes;
  const char *at, *what;
} magic;

static const magic magics[] = {
    {0, 6, "\x93NUMPY", "a NumPy file"},
    {0, 3, "CDF", "a NetCDF file (this plait was built without NetCDF, or the file is damaged)"},
    {0, 8, "\x89HDF\r\n\x1a\n", "an HDF5 or NetCDF-4 file (this plait was built without NetCDF)"},
    {0, 4, "\x0e\x03\x13\x01", "an HDF4 file (convert it: h4toh5, ncks)"},
    {0, 4, "GRIB", "a GRIB file (convert it: cdo -f nc copy)"},
    {0, 4, "PK\x03\x04", "a zip archive, not of NumPy arrays (unpack it)"},
    {0, 4, "PK\x05\x06", "a zip archive with nothing in it"},
    {0, 2, "\x1f\x8b", "compressed with gzip (unpack it: gunzip)"},
    {0, 3, "BZh", "compressed with bzip2 (unpack it: bunzip2)"},
    {0, 6,
     "\xfd"
     "7zXZ\0",
     "compressed with xz (unpack it: unxz)"},
    {0, 4, "\x28\xb5\x2f\xfd", "compressed with zstd (unpack it: unzstd)"},
    {0, 4, "II*\0", "a TIFF image"},
    {0, 4, "MM\0*", "a TIFF image"},
    {0, 4, "II+\0", "a BigTIFF image"},
    {0, 4, "MM\0+", "a BigTIFF image"},
    {0, 8, "\x89PNG\r\n\x1a\n", "a PNG image"},
    {0, 3, "\xff\xd8\xff", "a JPEG image"},
    {0, 6, "SIMPLE", "a FITS file"},
    {0, 4, "%PDF", "a PDF document"},
    {257, 5, "ustar", "a tar archive (unpack it)"},
    {0, 4,
     "\x7f"
     "ELF",
     "a program"},
};

static const magic data[] = {
    {0, 6, "\x93NUMPY", "a NumPy file"},
    {0, 3, "CDF", "a NetCDF file"},
    {0, 8, "\x89HDF\r\n\x1a\n", "an HDF5 or NetCDF-4 file"},
    {0, 2, "\x1f\x8b", "a gzip file"},
    {0, 3, "\0\0\x08", "an IDX file"}, // the third byte is the type
    {0, 3, "\0\0\x09", "an IDX file"},
    {0, 3, "\0\0\x0b", "an IDX file"},
    {0, 3, "\0\0\x0c", "an IDX file"},
    {0, 3, "\0\0\x0d", "an IDX file"},
    {0, 3, "\0\0\x0e", "an IDX file"},
};

static const char *by_magic(const magic *list, size_t n, const unsigned char *head, size_t bytes) {
  for (size_t i = 0; i < n; i++) {
    const magic *m = &list[i];
    if (m->offset + m->bytes <= bytes && memcmp(head + m->offset, m->at, m->bytes) == 0)
      return m->what;
  }
  return NULL;
}

const char *pl_guess_format(const unsigned char *head, size_t bytes) {
  const char *known = by_magic(magics, sizeof magics / sizeof *magics, head, bytes);
  if (known != NULL) return known;
  size_t zeros = 0, odd = 0;
  for (size_t i = 0; i < bytes; i++) {
    zeros += head[i] == 0;
    odd += head[i] < ' ' && (head[i] == 0 || strchr("\t\r\n\f", head[i]) == NULL);
  }
  if (zeros == bytes) return "all zeros (an unfinished copy?)";
  return odd == 0 ? "plain text" : "raw numbers or something else";
}

const char *pl_guess_data(const unsigned char *head, size_t bytes) {
  return by_magic(data, sizeof data / sizeof *data, head, bytes);
}
