// SPDX-License-Identifier: BSD-3-Clause
//
// k-means checked by what must hold at its end: every row has the label of its nearest centre,
// every
// centre is the mean of its rows, the inertia is their sum of squares, and a plain reference that
// starts from well separated clusters finds the same. The same for any cut into blocks.
#include "kmeans.h"
#include <math.h>
#include <string.h>

enum { N = 900, D = 5, K = 6 };

typedef struct result {
  double centers[K * D], inertia;
  int64_t counts[K], iterations, converged, skipped;
  int32_t labels[N];
} result;

// K clouds around points that lie far from each other, far from the origin too.
static void make_clouds(double offset, double *x) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < D; j++) {
      uint32_t r[4];
      plait_random(7, 0, (uint64_t)(i * D + j), r);
      double cloud = (i % K >> (j % 3) & 1) * 20.0 + (i % K) * 3.0;
      x[i * D + j] = offset + cloud + plait_uniform(r[0], r[1]);
    }
}

static plait_err apply(const plait_lab *lab, const char *settings, const double *x, int64_t rows,
                       result *r) {
  plait_array in = {.name = "x",
                    .units = "",
                    .type = PLAIT_F64,
                    .ndim = 2,
                    .shape = {N, D},
                    .dims = {"row", "column"},
                    .coord_units = {"", ""}};
  void *const out[] = {r->centers,    r->counts,   &r->inertia, &r->iterations,
                       &r->converged, &r->skipped, r->labels};
  int64_t block[] = {rows, D};
  return lab->apply(lab, settings, &in, x, block, out);
}

static double square(const double *a, const double *b) {
  double sum = 0;
  for (int j = 0; j < D; j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

static plait_err check_labels(const double *x, const result *r) {
  for (int i = 0; i < N; i++) {
    int label = r->labels[i];
    if (label < 0 || label >= K)
      return plait_fail(PLAIT_VERIFY, "kmeans: label %d of row %d", label, i);
    double own = square(x + i * D, r->centers + label * D);
    for (int c = 0; c < K; c++)
      if (square(x + i * D, r->centers + c * D) < own * (1 - 1e-9))
        return plait_fail(PLAIT_VERIFY, "kmeans: row %d has label %d, but %d is nearer", i, label,
                          c);
  }
  return PLAIT_OK;
}

static plait_err check_means(const double *x, const result *r) {
  double mean[K * D] = {0}, inertia = 0;
  int64_t count[K] = {0};
  for (int i = 0; i < N; i++) {
    count[r->labels[i]]++;
    inertia += square(x + i * D, r->centers + r->labels[i] * D);
    for (int j = 0; j < D; j++) mean[r->labels[i] * D + j] += x[i * D + j];
  }
  for (int c = 0; c < K; c++) {
    if (count[c] != r->counts[c] || count[c] == 0)
      return plait_fail(PLAIT_VERIFY, "kmeans: cluster %d has %lld rows, counted %lld", c,
                        (long long)count[c], (long long)r->counts[c]);
    for (int j = 0; j < D; j++)
      if (!(fabs(mean[c * D + j] / (double)count[c] - r->centers[c * D + j]) <= 1e-5))
        return plait_fail(PLAIT_VERIFY, "kmeans: centre %d is not the mean of its rows", c);
  }
  if (!(fabs(inertia - r->inertia) <= 1e-9 * inertia))
    return plait_fail(PLAIT_VERIFY, "kmeans: inertia %.17g, should be %.17g", r->inertia, inertia);
  return PLAIT_OK;
}

// The clouds are known: rows of one cloud share a label, and no other row has it.
static plait_err check_clouds(const result *r) {
  for (int i = K; i < N; i++)
    if (r->labels[i] != r->labels[i % K])
      return plait_fail(PLAIT_VERIFY, "kmeans: rows %d and %d of one cloud have labels %d and %d",
                        i, i % K, r->labels[i], r->labels[i % K]);
  for (int a = 0; a < K; a++)
    for (int b = 0; b < a; b++)
      if (r->labels[a] == r->labels[b])
        return plait_fail(PLAIT_VERIFY, "kmeans: clouds %d and %d have one label", a, b);
  return PLAIT_OK;
}

static plait_err same_for_any_cut(const plait_lab *lab, const double *x, const result *whole) {
  static const int64_t rows[] = {1, 37, 256};
  for (int i = 0; i < 3; i++) {
    result r;
    memset(&r, 0, sizeof r);
    plait_err err = apply(lab, "k=6 tolerance=0", x, rows[i], &r);
    if (err != PLAIT_OK) return err;
    if (memcmp(r.labels, whole->labels, sizeof r.labels) != 0)
      return plait_fail(PLAIT_VERIFY, "kmeans: other labels with blocks of %d rows", (int)rows[i]);
    if (!(fabs(r.inertia - whole->inertia) <= 1e-12 * whole->inertia))
      return plait_fail(PLAIT_VERIFY, "kmeans: other inertia with blocks of %d rows", (int)rows[i]);
  }
  return PLAIT_OK;
}

plait_err pl_kmeans_verify(const plait_lab *lab) {
  static const double offsets[] = {0, 1e4};
  for (int i = 0; i < 2; i++) {
    double x[N * D];
    result r;
    memset(&r, 0, sizeof r);
    make_clouds(offsets[i], x);
    plait_err err = apply(lab, "k=6 tolerance=0", x, N, &r);
    if (err == PLAIT_OK) err = check_labels(x, &r);
    if (err == PLAIT_OK) err = check_means(x, &r);
    if (err == PLAIT_OK) err = check_clouds(&r);
    if (err == PLAIT_OK) err = same_for_any_cut(lab, x, &r);
    if (err != PLAIT_OK) return err;
  }
  return PLAIT_OK;
}
