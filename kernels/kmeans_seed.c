// SPDX-License-Identifier: BSD-3-Clause
//
// The first centres: k-means++ over a sample of the rows, and exchanges behind it.
//
// k-means++ chooses each centre with a probability in proportion to the squared distance from those
// chosen before, so each needs a look at all points: k passes over a file. Here it looks at a
// sample (one row of each of m strata of the file, chosen by counter) that the first pass takes
// along; when m >= n the sample is the data and this is k-means++ itself. As in the reference
// implementation of the authors, the best of 2 + ln k candidates is taken.
// What is left are clusters with two centres beside clusters without one, out of which Lloyd's
// steps do not find. So k exchanges follow: a row drawn in the same way becomes a centre in place
// of the one whose loss costs least, if that lowers the sum. Of three sets of data with clear
// clusters 24 of 180 seeds ended more than 1 % above the best sum without exchanges, with them none
// (bench/seeds.py); of the test pictures of Fashion-MNIST, k = 10, 24 and 18 of 60.
// Every rank computes the same. Cost: m k d (2 + ln k) multiplications on one thread, and for the
// exchanges a tenth of that (k = 1000) to a third (k = 64); m is at most 1 MiB of rows unless 8 k
// is more.
// Source: D. Arthur, S. Vassilvitskii, k-means++: the advantages of careful seeding (2007);
//   S. Lattanzi, C. Sohler, A better k-means++ algorithm via local search, ICML (2019).
#include "kmeans.h"
#include <math.h>
#include <string.h>

enum { STREAM_SAMPLE = 1, STREAM_SEED = 2, STREAM_EXCHANGE = 3 };

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

// The two nearest centres of every row of the sample are known all the time.
typedef struct choice {
  const double *rows;
  int64_t m, d, k;
  double *near, *next;  // [m] squared distances from them
  double *trial, *best; // [m] from candidates
  double *loss;         // [k] what the sum would grow by without a centre
  int64_t *at, *after;  // [m] numbers of the two centres
  int64_t *centre;      // [k] rows of the sample
} choice;

size_t pl_kmeans_seed_bytes(const km_shape *s) {
  size_t m = (size_t)s->sample, k = (size_t)s->k;
  return (4 * m + k) * sizeof(double) + (2 * m + k) * sizeof(int64_t);
}

static choice choice_of(const km_shape *s, const km_survey *v, void *memory) {
  double *real = memory;
  int64_t *whole = (int64_t *)(void *)(real + 4 * s->sample + s->k);
  return (choice){.rows = v->sample,
                  .m = v->points[2],
                  .d = s->d,
                  .k = s->k,
                  .near = real,
                  .next = real + s->sample,
                  .trial = real + 2 * s->sample,
                  .best = real + 3 * s->sample,
                  .loss = real + 4 * s->sample,
                  .at = whole,
                  .after = whole + s->sample,
                  .centre = whole + 2 * s->sample};
}

static double apart(const choice *c, int64_t i, int64_t row) {
  return pl_kmeans_distance(c->rows + i * c->d, c->rows + row * c->d, c->d);
}

// Distances of all from a row, which is returned; the sum if it were a centre too.
static double look_at(const choice *c, int64_t row, double *to) {
  double sum = 0;
  for (int64_t i = 0; i < c->m; i++) {
    to[i] = apart(c, i, row);
    sum += to[i] < c->near[i] ? to[i] : c->near[i];
  }
  return sum;
}

static void offer(choice *c, int64_t i, int64_t number, double distance) {
  if (distance < c->near[i]) {
    c->next[i] = c->near[i], c->after[i] = c->at[i];
    c->near[i] = distance, c->at[i] = number;
  } else if (distance < c->next[i]) {
    c->next[i] = distance, c->after[i] = number;
  }
}

static void forget(choice *c, int64_t i) {
  c->near[i] = c->next[i] = INFINITY;
  c->at[i] = c->after[i] = -1;
}

static double sum_of(const choice *c) {
  double sum = 0;
  for (int64_t i = 0; i < c->m; i++) sum += c->near[i];
  return sum;
}

// Row at which the running sum of distances passes `target`.
static int64_t draw(const choice *c, double target) {
  double sum = 0;
  int64_t last = 0;
  for (int64_t i = 0; i < c->m; i++) {
    if (c->near[i] > 0) last = i;
    sum += c->near[i];
    if (sum > target) return i;
  }
  return last;
}

static void swap(double **a, double **b) {
  double *c = *a;
  *a = *b;
  *b = c;
}

// c->best has the distances from it.
static int64_t next_centre(choice *c, int64_t seed, int64_t number) {
  int64_t trials = 2 + (int64_t)log((double)c->k), best = 0;
  double total = number > 0 ? sum_of(c) : 0, lowest = INFINITY;
  for (int64_t t = 0; t < (number > 0 ? trials : 1); t++) {
    double u = uniform(seed, STREAM_SEED, (uint64_t)(number * trials + t));
    int64_t first = (int64_t)(u * (double)c->m);
    int64_t row = number > 0 ? draw(c, u * total) : first < c->m ? first : c->m - 1;
    double sum = look_at(c, row, c->trial);
    if (t > 0 && !(sum < lowest)) continue;
    best = row, lowest = sum;
    swap(&c->trial, &c->best);
  }
  return best;
}

static void accept(choice *c, int64_t number, int64_t row) {
  c->centre[number] = row;
  for (int64_t i = 0; i < c->m; i++) offer(c, i, number, c->best[i]);
}

// ---- exchanges ------------------------------------------------------------------------------
// The centre whose loss costs least when the row that c->best belongs to becomes one.
static int64_t cheapest(choice *c) {
  int64_t best = 0;
  for (int64_t q = 0; q < c->k; q++) c->loss[q] = 0;
  for (int64_t i = 0; i < c->m; i++) {
    double x = c->best[i], with = x < c->near[i] ? x : c->near[i];
    c->loss[c->at[i]] += (x < c->next[i] ? x : c->next[i]) - with;
  }
  for (int64_t q = 1; q < c->k; q++)
    if (c->loss[q] < c->loss[best]) best = q;
  return best;
}

static void replace(choice *c, int64_t number, int64_t row) {
  c->centre[number] = row;
  for (int64_t i = 0; i < c->m; i++) {
    if (c->at[i] != number && c->after[i] != number) {
      offer(c, i, number, c->best[i]);
      continue;
    }
    forget(c, i);
    for (int64_t q = 0; q < c->k; q++)
      offer(c, i, q, q == number ? c->best[i] : apart(c, i, c->centre[q]));
  }
}

static void exchange(choice *c, int64_t seed) {
  double sum = sum_of(c);
  for (int64_t step = 0; step < c->k && sum > 0; step++) {
    int64_t row = draw(c, uniform(seed, STREAM_EXCHANGE, (uint64_t)step) * sum);
    double more = look_at(c, row, c->best);
    int64_t number = cheapest(c);
    if (!(more + c->loss[number] < sum)) continue;
    replace(c, number, row);
    sum = sum_of(c);
  }
}

static void choose(choice *c, int64_t seed) {
  for (int64_t i = 0; i < c->m; i++) forget(c, i);
  for (int64_t number = 0; number < c->k; number++) accept(c, number, next_centre(c, seed, number));
  exchange(c, seed);
}

bool pl_kmeans_seed(const plait_call *call, const km_shape *s, const km_survey *v,
                    km_state *state) {
  const kmeans_params *p = call->params;
  choice c = choice_of(s, v, call->shared);
  if (c.m < s->k) {
    plait_call_refuse(call,
                      "kmeans: k is %lld, but the sample has %lld rows without missing values",
                      (long long)s->k, (long long)c.m);
    return false;
  }
  for (int64_t k = 0; k < s->k; k++) c.centre[k] = k * c.m / s->k;
  if (p->init == KM_PLUSPLUS) choose(&c, p->seed);
  for (int64_t i = 0; i < s->k * s->d; i++)
    state->centre[i] = c.rows[c.centre[i / s->d] * s->d + i % s->d] - state->origin[i % s->d];
  return true;
}
