// SPDX-License-Identifier: BSD-3-Clause
//
// A result file with one or more arrays, written by all ranks at their offsets. Rank 0 lays it out
// under NAME.partial, everybody writes boxes, commit syncs and renames. Until then nothing has the
// final name. The bytes depend on the layout and the values alone.
//
//   encode  (team) packs, swaps, turns NaN into the fill value; does nothing where not needed
//   store   (writer strand) pwrite
#ifndef PL_OUTPUT_H
#define PL_OUTPUT_H
#include "base/raise.h"
#include "data/box.h"
#include "data/meta.h"
#include "host/comm.h"

typedef struct pl_outdim {
  char name[PLAIT_NAME];
  int64_t length;
  bool unlimited;
} pl_outdim;

typedef struct pl_outvar {
  char name[PLAIT_NAME];
  plait_type type;   // as the kernel writes it
  plait_type stored; // in the file; differs only when packed
  bool packed;
  double scale, offset;
  bool has_fill; // NaN becomes fill, which stands in _FillValue
  double fill;
  int ndim;
  int dim[PLAIT_DIMS]; // index into layout dims
  pl_attrs attrs;      // without the packing and fill attributes: the layout's business
} pl_outvar;

typedef struct pl_layout { // contents *owned*; pl_layout_free
  int ndims;
  pl_outdim dims[2 * PLAIT_DIMS];
  int ncoords;
  pl_coord *coords; // their `dim` indexes the layout's dims
  int nvars;
  pl_outvar vars[PLAIT_OUTPUTS];
  pl_attrs global;
  // "": by the file name; "netcdf4", "cdf5", "cdf2", "cdf1", "npy", "npz", "null"
  char format[PLAIT_NAME];
} pl_layout;
void pl_layout_free(pl_layout *layout);
plait_err pl_layout_copy(const pl_layout *from, pl_layout *to); // on error *to is freed

typedef struct pl_output pl_output;

typedef struct pl_outformat {
  const char *name, *extensions;
  // Rank 0 alone: writes header, coordinates and room for the arrays into `path`; gives the offset
  // of the first value of each array. Errors before anything is written where possible.
  plait_err (*create)(const char *path, const pl_layout *layout, int64_t offset[]);
  const char *(*check)(const pl_layout *layout); // NULL or why this format cannot hold the layout
  // May be NULL. Rank 0 alone: writes what depends on the values, when all of them are durable and
  // the file has no name yet; `undo`: takes it away again, so that the header is as `create` makes
  // it.
  plait_err (*seal)(const char *path, const pl_layout *layout, bool undo);
  void (*expect)(void); // may be NULL; such a file is to come: a library may begin to be loaded
  bool big_endian;
  bool stores; // false: null, nothing is written
  bool plain;  // no attributes: NaN of a float array stays NaN, fill or not
} pl_outformat;
extern const pl_outformat *const pl_outformats[];

void pl_outformat_expect(const char *path, const char *format); // errors are left to who opens it
bool pl_outformat_known(const char *name);                      // it is built in

// PLAIT_OUTPUT with one clear line: unknown extension, directory missing, exists (without force),
// not writable, layout that the format cannot hold. Not collective; writes nothing.
plait_err pl_output_check(const char *path, const pl_layout *layout, bool force);
// The part of it that needs no layout: the directory is there and may be written.
plait_err pl_output_check_place(const char *path);
// Collective. *copies* the layout.
plait_err pl_output_open(pl_comm *comm, const char *path, const pl_layout *layout, bool force,
                         pl_output **output);

// Opens an existing NAME.partial of the same layout again (resume). Collective.
plait_err pl_output_reopen(pl_comm *comm, const char *path, const pl_layout *layout,
                           pl_output **output);
// Makes `from` (in place) what the file holds; may be called for parts of an array in any order. A
// value that does not fit is raised as PLAIT_OUTPUT. Team function; `box` in cells of array `var`.
void pl_output_encode(const pl_output *output, int var, const plait_block *from,
                      plait_raise *raise);
// Writes an encoded block; `from->origin` says where. Writer strand. Errors: PLAIT_IO.
plait_err pl_output_store(pl_output *output, int var, const plait_block *from);
// Checksum, going on from *hash, of the stored bytes of an encoded block (store), and of a box of
// array `var` as the file holds it now; `room` takes the values of the box. Equal when the file
// holds what was stored. Threads: any.
void pl_output_hash(const pl_output *output, int var, const plait_block *from, uint64_t *hash);
plait_err pl_output_rehash(const pl_output *output, int var, const pl_box *box, void *room,
                           uint64_t *hash);
// The stored bytes of a box of array `var`, dense. Threads: any. PLAIT_IO.
plait_err pl_output_load(const pl_output *output, int var, const pl_box *box, void *to);
void pl_output_force(pl_output *output, bool force); // whether commit may replace a file
bool pl_output_stores(const pl_output *output);      // false: `null:`
plait_err pl_output_sync(pl_output *output);   // this rank's data are durable. Not collective.
plait_err pl_output_commit(pl_output *output); // Collective: sync, agree, rename, directory sync
void pl_output_close(pl_output **output);      // without commit: NAME.partial stays, name does not
void pl_output_remove(pl_output *output);      // rank 0 removes NAME.partial. Not collective.
const char *pl_output_path(const pl_output *output);
int64_t pl_output_bytes(const pl_output *output); // of the file
#endif
