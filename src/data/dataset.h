// SPDX-License-Identifier: BSD-3-Clause
//
// An array in a file, read block by block. A format is a table of functions (one file each,
// format_*.c); this module finds the format, and unpacks what every format has in common.
//
// Reading has two halves, so that the reader strand only waits for the disk and the team computes:
//   fetch   (reader strand) brings the stored bytes of a box into memory: pread, no arithmetic
//   decode  (team) inflates, unshuffles, swaps bytes, unpacks, turns missing values into NaN
// Where the file already holds what the kernel wants, fetch reads straight into the block and
// decode does nothing: no copy.
//
// Threads: open, fetch, close: one strand at a time (HDF5 and NetCDF are not thread-safe), but any
// number may fetch parts of a box that `share` has agreed to. decode: every thread of the team at
// once, or one thread alone outside a team.
#ifndef PL_DATASET_H
#define PL_DATASET_H
#include "base/raise.h"
#include "data/convert.h"
#include "data/box.h"
#include "data/meta.h"
#include "data/rawio.h"
#include <sys/stat.h>

typedef struct pl_dataset pl_dataset;

// A variable with a single value, which no kernel takes as its input.
typedef struct pl_scalar {
  double value; // unpacked by nobody; missing is NaN
  plait_type type;
  char units[PLAIT_NAME], long_name[2 * PLAIT_NAME]; // cut when they are longer
} pl_scalar;

// An array that lies in its file in one piece, or in records at equal distances.
typedef struct pl_plain {
  pl_raw raw;
  int64_t step;       // values from one record to the next; 0: one piece
  pl_convert convert; // what has to be done with the values
} pl_plain;

typedef struct pl_format {
  const char *name;       // "netcdf"
  const char *summary;    // for `plait --version`
  const char *extensions; // "nc nc4 cdf": for output names and for messages
  bool (*claims)(const char *path, const unsigned char *head, size_t bytes);      // magic or scheme
  plait_err (*open)(const char *path, const char *variable, pl_dataset *dataset); // fills meta
  void (*close)(pl_dataset *dataset);
  // Bytes that fetch needs beside the block for a box of this extent; 0: straight into the block.
  size_t (*raw_bytes)(const pl_dataset *dataset, const int64_t extent[]);
  plait_err (*fetch)(pl_dataset *dataset, const pl_box *box, void *raw, const plait_block *to);
  void (*decode)(const pl_dataset *dataset, const pl_box *box, void *raw, const plait_block *to,
                 plait_raise *raise);
  // Reader strand: makes ready that parts of the box are fetched by several threads at once, cut on
  // chunk borders where the box is. false: they must not be. NULL: never.
  bool (*share)(pl_dataset *dataset, const pl_box *box);
  // Where the array lies in the file; false: not plainly. NULL: never.
  bool (*plain)(const pl_dataset *dataset, pl_plain *plain);
  // Names of the variables with two or more values, NULL-terminated; for messages and `plait info`.
  // NULL: the file holds one array without a name.
  plait_err (*list)(const char *path, char ***names);
  // Names of the variables with one value that are no coordinates, NULL-terminated. NULL: the
  // format has none.
  plait_err (*list_scalars)(const char *path, char ***names);
  plait_err (*scalar)(const char *path, const char *variable, pl_scalar *scalar);
  void (*expect)(void); // may be NULL; see pl_dataset_expect
} pl_format;

struct pl_dataset {
  const pl_format *format;
  char *path, *spec; // *owned*
  pl_meta meta;
  void *state;      // the format's own
  struct stat seen; // of the file, when it was opened; st_nlink 0: there is none
};

void pl_formats_load(void); // libraries that are otherwise loaded with the first file of theirs
extern const pl_format *const pl_formats[]; // NULL-terminated; formats not built in are absent

// `spec`: FILE, FILE:VAR, generate:KIND(...). PLAIT_INPUT with one clear line: missing, a
// directory, not readable, wrong magic, truncated, absurd header, unknown variable (nearest name).
plait_err pl_dataset_open(const char *spec, pl_dataset **dataset);
// It will be opened: a format that needs a library may begin to load it. By its name alone: the
// file is not touched, as nobody watches yet whether that takes for ever.
void pl_dataset_expect(const char *spec);
void pl_dataset_close(pl_dataset **dataset);
// Whether the file was written to, or another one took its name, since it was opened.
bool pl_dataset_changed(const pl_dataset *dataset);
size_t pl_dataset_raw_bytes(const pl_dataset *dataset, const int64_t extent[]);
// `to` covers exactly `box`, strides as the block has them. `raw` as large as raw_bytes says.
plait_err pl_dataset_fetch(pl_dataset *dataset, const pl_box *box, void *raw,
                           const plait_block *to);
void pl_dataset_decode(const pl_dataset *dataset, const pl_box *box, void *raw,
                       const plait_block *to, plait_raise *raise);
bool pl_dataset_share(pl_dataset *dataset, const pl_box *box);
// false: the array does not lie plainly in a file. plain->raw *borrows* path and file.
bool pl_dataset_plain(const pl_dataset *dataset, pl_plain *plain);
// A single value of a file: FILE:VAR with VAR of one value. One strand at a time. PLAIT_INPUT.
plait_err pl_dataset_scalar(const char *spec, pl_scalar *scalar);
// Names of the single values of a file, NULL-terminated; *owned by the caller*. NULL: the format
// has none. PLAIT_INPUT.
plait_err pl_dataset_scalars(const char *path, char ***names);
// Bytes that the whole array occupies in its file, for `plait check`: of the values as stored, at
// most the length of the file (compressed). 0 when it is not in a file.
int64_t pl_dataset_file_bytes(const pl_dataset *dataset);
// Cells [lo, hi) of an axis as the file has to be read for them: rounded to whole chunks.
int64_t pl_dataset_touched(const pl_dataset *dataset, int axis, int64_t lo, int64_t hi);
// Bytes of the file that are read for a box: its cells, whole chunks, at the mean size of a stored
// cell.
int64_t pl_dataset_box_bytes(const pl_dataset *dataset, const pl_box *box);
// Splits FILE:VAR at its last colon; a colon that is part of an existing file's name, of a scheme
// (generate:, null:) or comes before a slash stays. No variable: "". Both *owned by the caller*.
plait_err pl_spec_split(const char *spec, char **path, char **variable);
#endif
