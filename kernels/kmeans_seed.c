// SPDX-License-Identifier: BSD-3-Clause
//
// The first centres: k-means++ over a sample of the rows.
//
// k-means++ chooses each centre with a probability in proportion to the squared distance from those
// chosen before, so each needs a look at all points: k passes over a file. Here it looks at a
// sample
// (one row of each of m strata of the file, chosen by counter) that the first pass takes along;
// when
// m >= n the sample is the data and this is k-means++ itself. As in the reference implementation of
// the authors, the best of 2 + ln k candidates is taken. Every rank computes the same.
// Cost: m k d (2 + ln k) multiplications on one thread; m is at most 1 MiB of rows unless 8 k is
// more.
// Source: D. Arthur, S. Vassilvitskii, k-means++: the advantages of careful seeding (2007).
#include "kmeans.h"
#include <math.h>
#include <string.h>

enum { STREAM_SAMPLE = 1, STREAM_SEED = 2 };

static double uniform(int64_t seed, uint64_t stream, uint64_t counter) {
  uint32_t r[4];
  plait_random((uint64_t)seed, stream, counter, r);
  return plait_uniform(r[0], r[1]);
}

// The row that stands for a stratum.
int64_t pl_kmeans_chosen(const km_shape *s, int64_t seed, int64_t stratum) {
  int64_t lo = (int64_t)((__int128)stratum * s->n / s->sample);
  int64_t hi = (int64_t)((__int128)(stratum + 1) * s->n / s->sample);
  if (hi - lo <= 1) return lo;
  int64_t row = lo + (int64_t)(uniform(seed, STREAM_SAMPLE, (uint64_t)stratum) * (double)(hi - lo));
  return row < hi ? row : hi - 1;
}

typedef struct choice {
  const double *rows;
  int64_t m, d;
  double *nearest; // [m] squared distance from the centres so far
} choice;

// Sum of distances if row `row` (or none: -1) were a centre too.
static double potential(const choice *c, int64_t row) {
  double sum = 0;
  for (int64_t i = 0; i < c->m; i++) {
    double near = c->nearest[i];
    if (row >= 0) {
      double d2 = pl_kmeans_distance(c->rows + i * c->d, c->rows + row * c->d, c->d);
      near = d2 < near ? d2 : near;
    }
    sum += near;
  }
  return sum;
}

static void accept(choice *c, int64_t row) {
  for (int64_t i = 0; i < c->m; i++) {
    double d2 = pl_kmeans_distance(c->rows + i * c->d, c->rows + row * c->d, c->d);
    c->nearest[i] = d2 < c->nearest[i] ? d2 : c->nearest[i];
  }
}

// Row at which the running sum of distances passes `target`.
static int64_t draw(const choice *c, double target) {
  double sum = 0;
  int64_t last = 0;
  for (int64_t i = 0; i < c->m; i++) {
    if (c->nearest[i] > 0) last = i;
    sum += c->nearest[i];
    if (sum > target) return i;
  }
  return last;
}

static int64_t next_centre(const choice *c, const km_shape *s, int64_t seed, int64_t number) {
  int64_t trials = 2 + (int64_t)log((double)s->k), best = 0;
  double total = potential(c, -1), lowest = INFINITY;
  for (int64_t t = 0; t < trials; t++) {
    double u = uniform(seed, STREAM_SEED, (uint64_t)(number * trials + t));
    int64_t row = number == 0 ? (int64_t)(u * (double)c->m) : draw(c, u * total);
    if (number == 0) return row < c->m ? row : c->m - 1;
    double sum = potential(c, row);
    if (sum < lowest) best = row, lowest = sum;
  }
  return best;
}

static void copy_centre(const km_shape *s, const double *row, km_state *state, int64_t c) {
  for (int64_t j = 0; j < s->d; j++) state->centre[c * s->d + j] = row[j] - state->origin[j];
}

bool pl_kmeans_seed(const plait_call *call, const km_shape *s, const km_survey *v,
                    km_state *state) {
  const kmeans_params *p = call->params;
  choice c = {v->sample, v->points[2], s->d, call->shared};
  if (c.m < s->k) {
    plait_call_refuse(call,
                      "kmeans: k is %lld, but the sample has %lld rows without missing values",
                      (long long)s->k, (long long)c.m);
    return false;
  }
  for (int64_t i = 0; i < c.m; i++) c.nearest[i] = INFINITY;
  for (int64_t k = 0; k < s->k; k++) {
    int64_t row = p->init == KM_RANDOM ? k * c.m / s->k : next_centre(&c, s, p->seed, k);
    copy_centre(s, c.rows + row * s->d, state, k);
    if (p->init == KM_PLUSPLUS) accept(&c, row);
  }
  return true;
}
