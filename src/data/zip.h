// SPDX-License-Identifier: BSD-3-Clause
//
// A zip archive as NumPy's .npz uses it: members one after another, each behind a local header, and
// a directory at the end. Sizes and offsets always in 64 bits (zip64). Nothing is compressed here.
// Source: APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3 and 4.5.
#ifndef PL_ZIP_H
#define PL_ZIP_H
#include "base/err.h"

enum {                 // bytes of the fixed parts
  PL_ZIP_LOCAL = 30,   // header of a member
  PL_ZIP_CENTRAL = 46, // entry of the directory
  PL_ZIP_END64 = 56,
  PL_ZIP_LOCATOR = 20,
  PL_ZIP_END = 22,
};

typedef struct pl_zip_member {
  char *name;     // *owned*
  int64_t header; // byte of its local header
  int64_t begin;  // of its content
  int64_t bytes;  // of its content, as stored
  int method;     // 0: as it is
  bool encrypted;
} pl_zip_member;

typedef struct pl_zip {
  int64_t n;
  pl_zip_member *at;
  int64_t directory, end; // bytes: of the directory, of the file
} pl_zip;

void pl_zip_free(pl_zip *zip);

// Reads the directory and where each member begins. PLAIT_INPUT: damaged, truncated, not an
// archive. PLAIT_IO.
plait_err pl_zip_read(int fd, const char *path, pl_zip *zip);

// Plans an archive: the next member, *copies* its name. Its content begins so that byte `head` of
// it is a multiple of `align`, a power of two up to 4096.
plait_err pl_zip_plan(pl_zip *zip, const char *name, int64_t bytes, int64_t head, int64_t align);
// Writes what stands around the contents. The checksums are zeros.
plait_err pl_zip_write(int fd, const char *path, pl_zip *zip);
// Puts the checksums in: made of the contents as the file has them, which are read once, or zeros.
plait_err pl_zip_seal(int fd, const char *path, const pl_zip *zip, bool zeros);
#endif
