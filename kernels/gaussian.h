// SPDX-License-Identifier: BSD-3-Clause
//
// Between the files of the kernel `gaussian`: its parameters and what filters a tile.
#ifndef PL_GAUSSIAN_H
#define PL_GAUSSIAN_H
#include <plait.h>

enum { GAUSSIAN_NORMALISE, GAUSSIAN_FILL, GAUSSIAN_PROPAGATE };
enum { GAUSSIAN_SAME, GAUSSIAN_F32, GAUSSIAN_F64 };
enum { GAUSSIAN_PAD = 64 }; // cells that rows in scratch are padded to

typedef struct gaussian_params {
  plait_axes axes;
  plait_reals sigma;
  double truncate;
  int boundary; // 0: auto, else 1 + plait_boundary
  double value;
  int missing;
  int type;
} gaussian_params;

enum {
  GAUSSIAN_PLAIN,
  GAUSSIAN_ZERO,
  GAUSSIAN_VALID
}; // how to load a missing value: as it is, as 0; VALID: 1 or 0 for all

typedef struct gaussian_arith {
  size_t size; // of a cell of work
  // to[i] = from[i], i < n
  void (*load)(plait_type type, int how, const void *from, int64_t n, void *to);
  bool (*has_nan)(const void *line, int64_t n);
  // out[x] = w[0] in[x] + sum_k w[k] (in[x - k step] + in[x + k step]), x < n
  void (*taps)(const void *in, ptrdiff_t step, const void *w, int64_t r, int64_t n, void *out);
  // line[i] /= weight[i] where values were missing; NaN where centre[i] is NaN or nothing is there
  void (*normalise)(void *line, const void *weight, double full, const void *centre, int64_t n);
  void (*store)(plait_type type, void *line, int64_t n, void *to); // rounds line on the way
} gaussian_arith;

// gaussian_loops.c: the loops in float32 and in float64
extern const gaussian_arith pl_gaussian_f32, pl_gaussian_f64;

typedef struct gaussian_work { // of one thread, for one block
  const gaussian_arith *a;
  const plait_block *in, *out;
  int missing, ndim, last;
  int naxes, axis[PLAIT_DIMS]; // filtered, ascending; at least one
  char *taps[PLAIT_DIMS];      // weights of axis[i], radius + 1
  const int64_t *halo;         // radius along each axis, 0 where not filtered
  double full;                 // what the filter makes of ones
  int64_t chunk;               // cells of a line of the strip
  char *strip, *buffer[3];     // cells of work: lines across the first axis; parts
} gaussian_work;

int64_t pl_gaussian_padded(int64_t n); // the next multiple of GAUSSIAN_PAD
// gaussian_tile.c: filters own cells [lo, lo + n) of the block, by one thread.
void pl_gaussian_tile(const gaussian_work *w, const int64_t lo[], const int64_t n[]);

// gaussian_verify.c
plait_err pl_gaussian_verify(const plait_lab *lab);
#endif
