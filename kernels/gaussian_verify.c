// SPDX-License-Identifier: BSD-3-Clause
//
// gaussian: what must hold of the filter, on a small field: it is the direct two-dimensional sum,
// for each boundary rule; it is linear and symmetric; missing values neither spread nor darken; the
// cut into blocks does not show. Costs a few milliseconds.
#include "gaussian.h"
#include <math.h>
#include <string.h>

enum { NY = 23, NX = 91, CELLS = NY * NX };

static const plait_array field = {.name = "field",
                                  .units = "1",
                                  .type = PLAIT_F64,
                                  .ndim = 2,
                                  .shape = {NY, NX},
                                  .dims = {"y", "x"}};

#define TRY_HERE(call)                                                                             \
  do {                                                                                             \
    plait_err err_ = (call);                                                                       \
    if (err_ != PLAIT_OK) return err_;                                                             \
  } while (0)

static void make_field(uint64_t seed, double *a) {
  for (uint64_t i = 0; i < CELLS; i++) {
    uint32_t r[4];
    plait_random(seed, 0, i, r);
    a[i] = 200 * plait_uniform(r[0], r[1]) - 100;
  }
}

static plait_err apply(const plait_lab *lab, const char *settings, const double *in,
                       const int64_t *block, double *out) {
  return lab->apply(lab, settings, &field, in, block, (void *const[]){out});
}

static double difference(const double *a, const double *b) {
  double most = 0;
  for (int i = 0; i < CELLS; i++) most = fmax(most, fabs(a[i] - b[i]));
  return most;
}

// ---- the plain sum --------------------------------------------------------------------------
// Index inside 0 .. n - 1 that stands for i, -1: the constant.
static int64_t inside_ref(int rule, int64_t i, int64_t n) {
  int64_t period = rule == PLAIT_MIRROR ? 2 * n - 2 : rule == PLAIT_REFLECT ? 2 * n : n;
  if (rule == PLAIT_CONSTANT) return i >= 0 && i < n ? i : -1;
  if (rule == PLAIT_NEAREST) return i < 0 ? 0 : i >= n ? n - 1 : i;
  i = (i % period + period) % period;
  return i < n ? i : rule == PLAIT_MIRROR ? period - i : period - 1 - i;
}

static double value_ref(const double *a, int rule, double constant, int64_t y, int64_t x) {
  y = inside_ref(rule, y, NY);
  x = inside_ref(rule, x, NX);
  return y < 0 || x < 0 ? constant : a[y * NX + x];
}

// sum g(k) g(l) a(y + k, x + l) over the whole square, as the docstring of gaussian.c has it.
static double gaussian_ref(const double *a, int rule, double constant, double sigma, int64_t r,
                           int64_t y, int64_t x) {
  double sum = 0, all = 0;
  for (int64_t k = -r; k <= r; k++)
    for (int64_t l = -r; l <= r; l++) {
      double g = exp(-0.5 * (double)(k * k + l * l) / (sigma * sigma));
      sum += g * value_ref(a, rule, constant, y + k, x + l);
      all += g;
    }
  return sum / all;
}

// ---- properties -----------------------------------------------------------------------------
static plait_err check_sum(const plait_lab *lab, int rule, const char *settings) {
  double in[CELLS], out[CELLS], ref[CELLS];
  make_field(1, in);
  TRY_HERE(apply(lab, settings, in, NULL, out));
  for (int64_t i = 0; i < CELLS; i++)
    ref[i] = gaussian_ref(in, rule, 3, 1.5, 6, i / NX, i % NX); // 6: floor(4 * 1.5 + 1/2)
  if (difference(out, ref) < 1e-11) return PLAIT_OK;
  return plait_fail(PLAIT_VERIFY, "gaussian: %s differs from the direct sum by %.3g", settings,
                    difference(out, ref));
}

static plait_err check_linear(const plait_lab *lab) {
  double a[CELLS], b[CELLS], c[CELLS], fa[CELLS], fb[CELLS], fc[CELLS];
  make_field(2, a);
  make_field(3, b);
  for (int i = 0; i < CELLS; i++) c[i] = a[i] - 3 * b[i];
  TRY_HERE(apply(lab, "sigma=2", a, NULL, fa));
  TRY_HERE(apply(lab, "sigma=2", b, NULL, fb));
  TRY_HERE(apply(lab, "sigma=2", c, NULL, fc));
  for (int i = 0; i < CELLS; i++) fa[i] -= 3 * fb[i];
  if (difference(fa, fc) < 1e-11) return PLAIT_OK;
  return plait_fail(PLAIT_VERIFY, "gaussian: not linear by %.3g", difference(fa, fc));
}

// A field turned by 180 degrees gives the result turned, to the last bit: pairs are added first.
static plait_err check_symmetric(const plait_lab *lab) {
  double a[CELLS], b[CELLS], fa[CELLS], fb[CELLS];
  make_field(4, a);
  for (int i = 0; i < CELLS; i++) b[i] = a[CELLS - 1 - i];
  TRY_HERE(apply(lab, "sigma=[1, 3]", a, NULL, fa));
  TRY_HERE(apply(lab, "sigma=[1, 3]", b, NULL, fb));
  for (int i = 0; i < CELLS; i++)
    if (fa[i] != fb[CELLS - 1 - i])
      return plait_fail(PLAIT_VERIFY, "gaussian: not symmetric at cell %d", i);
  return PLAIT_OK;
}

// A constant with holes stays that constant; holes stay or are filled.
static plait_err check_missing(const plait_lab *lab) {
  double a[CELLS], kept[CELLS], filled[CELLS];
  make_field(5, a);
  for (int i = 0; i < CELLS; i++) a[i] = a[i] < 40 ? 7 : NAN;
  TRY_HERE(apply(lab, "sigma=2", a, NULL, kept));
  TRY_HERE(apply(lab, "sigma=2 missing=fill", a, NULL, filled));
  for (int i = 0; i < CELLS; i++) {
    if (fabs(filled[i] - 7) < 1e-13 && isnan(kept[i]) == isnan(a[i]) &&
        !(kept[i] != filled[i] && !isnan(a[i])))
      continue;
    return plait_fail(PLAIT_VERIFY, "gaussian: a constant with holes becomes %.17g at cell %d",
                      filled[i], i);
  }
  return PLAIT_OK;
}

// Blocks of every kind of awkward extent give the same bytes.
static plait_err check_cuts(const plait_lab *lab) {
  static const int64_t blocks[][2] = {{NY, NX}, {1, NX}, {NY, 1}, {5, 64}, {7, 13}};
  double a[CELLS], first[CELLS], out[CELLS];
  make_field(6, a);
  for (int i = 0; i < CELLS; i++) a[i] = i / NX < 12 && a[i] > 90 ? NAN : a[i];
  TRY_HERE(apply(lab, "sigma=2 missing=fill", a, blocks[0], first));
  for (size_t b = 1; b < sizeof blocks / sizeof *blocks; b++) {
    TRY_HERE(apply(lab, "sigma=2 missing=fill", a, blocks[b], out));
    if (memcmp(first, out, sizeof out) == 0) continue;
    return plait_fail(PLAIT_VERIFY, "gaussian: blocks of %d x %d cells change the result",
                      (int)blocks[b][0], (int)blocks[b][1]);
  }
  return PLAIT_OK;
}

// Integers and float32 are the float64 result, rounded.
static plait_err check_types(const plait_lab *lab) {
  double a[CELLS], exact[CELLS];
  float f32[CELLS];
  uint8_t bytes[CELLS], rounded[CELLS];
  plait_array narrow = field;
  make_field(7, a);
  for (int i = 0; i < CELLS; i++) a[i] = bytes[i] = (uint8_t)(a[i] + 128);
  narrow.type = PLAIT_U8;
  TRY_HERE(apply(lab, "sigma=2", a, NULL, exact));
  TRY_HERE(lab->apply(lab, "sigma=2", &narrow, bytes, NULL, (void *const[]){rounded}));
  TRY_HERE(lab->apply(lab, "sigma=2 type=float32", &narrow, bytes, NULL, (void *const[]){f32}));
  for (int i = 0; i < CELLS; i++)
    if (!(fabs(f32[i] - exact[i]) < 1e-4 && fabs(rounded[i] - exact[i]) < 0.5001))
      return plait_fail(PLAIT_VERIFY, "gaussian: uint8 gives %d and %.9g where %.9g is right",
                        rounded[i], f32[i], exact[i]);
  return PLAIT_OK;
}

plait_err pl_gaussian_verify(const plait_lab *lab) {
  TRY_HERE(check_sum(lab, PLAIT_REFLECT, "sigma=1.5"));
  TRY_HERE(check_sum(lab, PLAIT_NEAREST, "sigma=1.5 boundary=nearest"));
  TRY_HERE(check_sum(lab, PLAIT_MIRROR, "sigma=1.5 boundary=mirror"));
  TRY_HERE(check_sum(lab, PLAIT_CONSTANT, "sigma=1.5 boundary=constant value=3"));
  TRY_HERE(check_sum(lab, PLAIT_PERIODIC, "sigma=1.5 boundary=periodic"));
  TRY_HERE(check_linear(lab));
  TRY_HERE(check_symmetric(lab));
  TRY_HERE(check_missing(lab));
  TRY_HERE(check_cuts(lab));
  return check_types(lab);
}
