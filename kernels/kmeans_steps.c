// SPDX-License-Identifier: BSD-3-Clause
//
// What k-means does between passes: first centres after the survey, a step of the centres after
// every tally. One thread of every rank computes the same from the same bytes: k d operations.
#include "kmeans.h"
#include <math.h>
#include <string.h>

void pl_kmeans_store(const km_shape *s, void *array, int64_t i, double value) {
  if (s->wide)
    ((double *)array)[i] = value;
  else
    ((float *)array)[i] = (float)value;
}

// The centres as kmeans_nearest.c wants them: in groups of four, feature by feature.
static void fill_table(const km_shape *s, km_state *state) {
  for (int64_t c = 0; c < s->padded; c++) {
    double square = 0;
    for (int64_t j = 0; j < s->d; j++) {
      double x = c < s->k ? state->centre[c * s->d + j] : 0;
      if (!s->wide) x = (double)(float)x;
      square += x * x;
      pl_kmeans_store(s, state->table, (c / KM_GROUP * s->d + j) * KM_GROUP + c % KM_GROUP, x);
    }
    pl_kmeans_store(s, state->half, c, c < s->k ? square / 2 : INFINITY);
  }
}

static double aside_value(const plait_aside *a, int64_t i) {
  double value;
  size_t size = plait_type_size(a->type);
  plait_row_to_f64(a->type, (const char *)a->data + (size_t)i * size, 1, &value);
  return value;
}

static bool given_centres(const plait_call *call, const km_shape *s, km_state *state) {
  const plait_aside *a = &call->aside[0];
  int64_t rows = a->shape[0], columns = 1;
  for (int d = 1; d < a->ndim; d++) columns *= a->shape[d];
  if (rows != s->k || columns != s->d) {
    plait_call_refuse(call, "kmeans: centers: %lld x %lld values wanted, the file has %lld x %lld",
                      (long long)s->k, (long long)s->d, (long long)rows, (long long)columns);
    return false;
  }
  for (int64_t i = 0; i < s->k * s->d; i++) {
    state->centre[i] = aside_value(a, i) - state->origin[i % s->d];
    if (isfinite(state->centre[i])) continue;
    plait_call_refuse(call, "kmeans: centers: centre %lld has a missing or infinite value",
                      (long long)(i / s->d));
    return false;
  }
  return true;
}

static bool begin(const plait_call *call, const km_shape *s, const void *partial, km_state *state) {
  const kmeans_params *p = call->params;
  km_survey v;
  double variance = 0;
  pl_kmeans_survey(s, (void *)partial, &v);
  memcpy(state->origin, v.mean, (size_t)s->d * sizeof *v.mean);
  for (int64_t j = 0; j < s->d; j++) variance += v.m2[j] / (double)v.points[0] / (double)s->d;
  *state->head = (km_head){.points = v.points[0], .skipped = v.points[1]};
  state->head->limit = p->tolerance * variance;
  if (v.points[0] > 0 && !isfinite(variance)) {
    plait_call_refuse(call, "kmeans: the input has infinite values");
    return false;
  }
  bool given = call->aside[0].ndim > 0;
  if (!(given ? given_centres(call, s, state) : pl_kmeans_seed(call, s, &v, state))) return false;
  fill_table(s, state);
  return p->iterations > 0;
}

// A row leaves its cluster and becomes the centre of one without rows.
static void relocate(const km_shape *s, km_tally *t) {
  int64_t f = 0;
  for (int64_t c = 0; c < s->k; c++) {
    if (t->count[c] > 0) continue;
    while (f < t->points[2] && t->count[t->far[f].label] < 2) f++;
    if (f == t->points[2] || !(t->far[f].distance > 0)) return;
    int64_t old = t->far[f].label;
    const double *row = t->far_rows + f * s->d;
    for (int64_t j = 0; j < s->d; j++) t->sum[old * s->d + j] -= row[j];
    t->count[old]--;
    memcpy(t->sum + c * s->d, row, (size_t)s->d * sizeof *row);
    t->count[c] = 1;
    f++;
  }
}

static bool step(const plait_call *call, const km_shape *s, void *partial, km_state *state) {
  const kmeans_params *p = call->params;
  km_tally t;
  km_head *head = state->head;
  pl_kmeans_tally(s, partial, &t);
  relocate(s, &t);
  head->moved = 0;
  for (int64_t i = 0; i < s->k * s->d; i++) {
    int64_t count = t.count[i / s->d];
    if (count == 0) continue; // stays where it is
    double x = t.sum[i] / (double)count, delta = x - state->centre[i];
    head->moved += delta * delta;
    state->centre[i] = x;
  }
  fill_table(s, state);
  head->converged = head->moved <= head->limit;
  return ++head->iteration < p->iterations && !head->converged;
}

// The partial is the engine's to throw away after this, so that relocation may work in it.
bool pl_kmeans_next(const plait_call *call, const void *partial, void *bytes) {
  km_shape s;
  km_state state;
  pl_kmeans_shape(call->problem, call->params, &s);
  pl_kmeans_state(&s, bytes, &state);
  return call->pass == 0 ? begin(call, &s, partial, &state)
                         : step(call, &s, (void *)partial, &state);
}
