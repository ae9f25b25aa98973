// SPDX-License-Identifier: BSD-3-Clause
//
// What a file says about an array: type, shape, named dimensions, coordinates, attributes (CF).
// Held in memory in a form that no format owns, so that any input format can be carried to any
// output.
#ifndef PL_META_H
#define PL_META_H
#include "base/err.h"
#include "data/value.h"

typedef struct pl_attr {
  char *name; // *owned*
  bool is_text;
  plait_type type; // when not text
  size_t n;        // values, or bytes of text
  void *data;      // *owned*
} pl_attr;

typedef struct pl_attrs {
  int n;
  pl_attr *at;
} pl_attrs;

// A variable that goes along with the array: the coordinate of an axis (name == dims[axis]), an
// auxiliary coordinate, bounds, a grid mapping. Small: held whole.
typedef struct pl_coord {
  char name[PLAIT_NAME];
  int ndim;
  int dim[PLAIT_DIMS]; // index into the axes of the array; -1: an axis of its own (bounds: length
                       // 2)
  int64_t shape[PLAIT_DIMS];
  char own_dim[PLAIT_NAME]; // name of that axis
  plait_type type;
  bool text;  // of type PLAIT_I8: characters, filled up with zeros (results only)
  void *data; // row-major, native byte order; *owned*
  pl_attrs attrs;
} pl_coord;

#define PL_MISSING 4

typedef struct pl_meta {
  char name[PLAIT_NAME];
  plait_type stored; // in the file
  plait_type type;   // as a kernel sees it: stored, or a float when packed or with missing values
  int ndim;
  int64_t shape[PLAIT_DIMS];
  char dims[PLAIT_DIMS][PLAIT_NAME];
  bool unlimited[PLAIT_DIMS];
  bool chunked;
  int64_t chunk[PLAIT_DIMS];
  bool packed; // value = stored * scale + offset
  double scale, offset;
  int nmissing; // stored values that mean "missing"
  double missing[PL_MISSING];
  pl_attrs attrs, global;
  int ncoords;
  pl_coord *coords;
  const double *axis_coord[PLAIT_DIMS]; // coordinate values of an axis as float64 or NULL; *owned*
} pl_meta;

void pl_meta_free(pl_meta *meta); // contents; NULL-safe, leaves zeroes
// The view that kernels get; *borrows* from meta.
void pl_meta_array(const pl_meta *meta, plait_array *array);
const pl_attr *pl_attr_find(const pl_attrs *attrs, const char *name);
const char *pl_attr_text(const pl_attrs *attrs, const char *name); // "" when absent or not text
bool pl_attr_number(const pl_attrs *attrs, const char *name, double *value);
plait_err pl_attr_set_text(pl_attrs *attrs, const char *name, const char *text);
plait_err pl_attr_set(pl_attrs *attrs, const char *name, plait_type type, size_t n,
                      const void *data);
// `n` bytes of text that need not end with a zero (one is kept behind them).
plait_err pl_attr_set_chars(pl_attrs *attrs, const char *name, const char *text, size_t n);
plait_err pl_attrs_copy(const pl_attrs *from, pl_attrs *to);
plait_err pl_coord_copy(const pl_coord *from, pl_coord *to);
void pl_attrs_free(pl_attrs *attrs);
// The last steps of a format's `open`. `pl_meta_settle` derives `type` from `stored`, `packed`,
// `nmissing`: packed gives the type of scale_factor (`packing`: float32 or float64); missing values
// without packing give float32 for integers up to 16 bits and float64 for wider ones; everything
// else stays.
void pl_meta_settle(pl_meta *meta, plait_type packing);
// axis_coord of every axis that has a 1-D coordinate variable of its name among `coords`.
plait_err pl_meta_axis_coords(pl_meta *meta);
// PLAIT_INPUT unless every axis is > 0 and all cells together fit int64_t and size_t in bytes.
plait_err pl_meta_check_shape(const pl_meta *meta, const char *path);
#endif
