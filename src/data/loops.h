// SPDX-License-Identifier: BSD-3-Clause
//
// The loops of convert.c over short runs of values in the first-level cache, one thread each. Each
// is compiled for AVX-512, AVX2 and plain x86-64.
#ifndef PL_LOOPS_H
#define PL_LOOPS_H
#include "plait.h"

void pl_swap2(void *to, const void *from, size_t n); // `to` == `from` or apart
void pl_swap4(void *to, const void *from, size_t n);
void pl_swap8(void *to, const void *from, size_t n);

typedef void pl_load_loop(double *to, const void *from, size_t n);
typedef void pl_save_loop(void *to, const double *from, size_t n); // values fit; floats are rounded
extern pl_load_loop *const pl_load[PLAIT_TYPES];
extern pl_save_loop *const pl_save[PLAIT_TYPES];

void pl_blank_f32(float *at, size_t n, float missing); // missing -> NaN; NaN as missing: nothing
void pl_blank_f64(double *at, size_t n, double missing);
void pl_fill_nan_f32(float *at, size_t n, float fill); // NaN -> fill
void pl_fill_nan_f64(double *at, size_t n, double fill);
void pl_scale(double *at, size_t n, double scale, double offset);   // x * scale + offset
void pl_unscale(double *at, size_t n, double scale, double offset); // (x - offset) / scale
// Rounds to nearest (ties to even); whether all lie in [least, greatest] (NaN does not).
bool pl_round_within(double *at, size_t n, double least, double greatest);
#endif
