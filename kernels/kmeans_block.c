// SPDX-License-Identifier: BSD-3-Clause
//
// One block of a pass of k-means: the survey (pass 0) or the tally (the passes that follow).
//
// A block is cut into KM_PARTS parts by the problem alone; a thread takes parts, each has its own
// place for its sums, and these are joined in their order: the same bits for any team. A part goes
// through its rows 32 at a time: to float64, origin away, transposed, nearest centres, sums.
#include "kmeans.h"
#include <math.h>
#include <string.h>

typedef struct batch { // of rows, in the scratch of a thread
  double *rows;        // [KM_BATCH, d] relative to the origin
  void *turned;        // [d, KM_BATCH] the same, float32 or float64
  double nearest[KM_BATCH];
  int32_t label[KM_BATCH];
} batch;

size_t pl_kmeans_scratch(const km_shape *s) {
  return (size_t)s->d * KM_BATCH * 2 * sizeof(double);
}

size_t pl_kmeans_shared(const km_shape *s) {
  km_tally tally;
  size_t moments = ((size_t)s->d * 2 + 8) * sizeof(double), sums = pl_kmeans_tally(s, NULL, &tally);
  size_t parts = KM_PARTS * (sums > moments ? sums : moments), seed = pl_kmeans_seed_bytes(s);
  return parts > seed ? parts : seed;
}

static void part_rows(int64_t rows, int part, int64_t *first, int64_t *end) {
  *first = rows * part / KM_PARTS;
  *end = rows * (part + 1) / KM_PARTS;
}

static PLAIT_WIDE int64_t count_nan(const double *restrict x, int64_t n) {
  int64_t bad = 0;
  for (int64_t i = 0; i < n; i++) bad += x[i] != x[i];
  return bad;
}

static PLAIT_WIDE void subtract(const double *restrict origin, int64_t d, double *restrict row) {
  for (int64_t j = 0; j < d; j++) row[j] -= origin[j];
}

static PLAIT_WIDE void add(const double *restrict row, int64_t d, double *restrict sum) {
  for (int64_t j = 0; j < d; j++) sum[j] += row[j];
}

static void turn_f32(const double *restrict rows, int64_t d, float *restrict to) {
  for (int64_t j = 0; j < d; j++)
    for (int64_t i = 0; i < KM_BATCH; i++) to[j * KM_BATCH + i] = (float)rows[i * d + j];
}

static void turn_f64(const double *restrict rows, int64_t d, double *restrict to) {
  for (int64_t j = 0; j < d; j++)
    for (int64_t i = 0; i < KM_BATCH; i++) to[j * KM_BATCH + i] = rows[i * d + j];
}

static void refuse(const plait_call *call, int64_t row) {
  const kmeans_params *p = call->params;
  if (p->missing == KM_REFUSE)
    plait_call_refuse(call,
                      "kmeans: row %lld has a missing value (params.missing: skip leaves it out)",
                      (long long)row);
}

// ---- survey ---------------------------------------------------------------------------------
typedef struct moments { // of a part: points [2], mean [d], m2 [d]
  int64_t *points;
  double *mean, *m2;
} moments;

static moments moments_of(const plait_call *call, const km_shape *s, int part) {
  char *at = (char *)call->shared + (size_t)part * ((size_t)s->d * 2 + 8) * sizeof(double);
  double *numbers = (double *)(void *)(at + 8 * sizeof(double));
  return (moments){(int64_t *)(void *)at, numbers, numbers + s->d};
}

static PLAIT_WIDE void update_moments(const double *restrict row, int64_t d, double share,
                                      double *restrict mean, double *restrict m2) {
  for (int64_t j = 0; j < d; j++) {
    double delta = row[j] - mean[j];
    mean[j] += delta * share;
    m2[j] += delta * (row[j] - mean[j]);
  }
}

static void survey_part(const plait_call *call, const km_shape *s, const plait_block *in,
                        int part) {
  moments m = moments_of(call, s, part);
  double *rows = call->scratch;
  int64_t first, end;
  part_rows(pl_kmeans_count(s, in), part, &first, &end);
  memset(m.points, 0, 8 * sizeof(double) + (size_t)s->d * 2 * sizeof(double));
  for (int64_t r = first; r < end; r++) {
    int64_t i = (r - first) % KM_BATCH;
    if (i == 0) pl_kmeans_rows(s, in, r, end - r < KM_BATCH ? end - r : KM_BATCH, rows);
    const double *row = rows + i * s->d;
    if (count_nan(row, s->d) > 0) {
      m.points[1]++;
      refuse(call, pl_kmeans_number(s, in, r));
      continue;
    }
    m.points[0]++;
    update_moments(row, s->d, 1 / (double)m.points[0], m.mean, m.m2);
  }
}

// The sample has one row of each of s->sample strata of rows, chosen by counter.
static void take_sample(const plait_call *call, const km_shape *s, const plait_block *in,
                        km_survey *v) {
  const kmeans_params *p = call->params;
  double *row = call->scratch;
  for (int64_t r = 0; r < pl_kmeans_count(s, in); r++) {
    int64_t number = pl_kmeans_number(s, in, r);
    int64_t stratum = (int64_t)(((__int128)(number + 1) * s->sample - 1) / s->n);
    if (pl_kmeans_chosen(s, p->seed, stratum) != number) continue;
    pl_kmeans_rows(s, in, r, 1, row);
    if (count_nan(row, s->d) > 0) continue;
    memcpy(v->sample + v->points[2]++ * s->d, row, (size_t)s->d * sizeof *row);
  }
}

static void survey_block(const plait_call *call, const km_shape *s, const plait_block *in,
                         void *partial) {
  km_survey v;
  pl_kmeans_survey(s, partial, &v);
#pragma omp for schedule(dynamic)
  for (int part = 0; part < KM_PARTS; part++) survey_part(call, s, in, part);
#pragma omp single
  {
    memset(v.points, 0, 3 * sizeof *v.points);
    memset(v.mean, 0, (size_t)s->d * sizeof *v.mean);
    memset(v.m2, 0, (size_t)s->d * sizeof *v.m2);
    for (int part = 0; part < KM_PARTS; part++) {
      moments m = moments_of(call, s, part);
      pl_kmeans_merge_moments(s->d, m.points, m.mean, m.m2, &v);
    }
    take_sample(call, s, in, &v);
  }
}

// ---- tally ----------------------------------------------------------------------------------
static void part_tally(const plait_call *call, const km_shape *s, int part, km_tally *t) {
  size_t bytes = pl_kmeans_tally(s, NULL, t);
  pl_kmeans_tally(s, (char *)call->shared + (size_t)part * bytes, t);
}

// Rows [row, row + n) of the block; what is left of the batch is zero. Returns whether one is
// missing.
static bool load_rows(const km_shape *s, const km_state *state, const plait_block *in, int64_t row,
                      int64_t n, batch *b) {
  pl_kmeans_rows(s, in, row, n, b->rows);
  memset(b->rows + n * s->d, 0, (size_t)((KM_BATCH - n) * s->d) * sizeof *b->rows);
  for (int64_t i = 0; i < n; i++) subtract(state->origin, s->d, b->rows + i * s->d);
  return count_nan(b->rows, n * s->d) > 0;
}

static void find_nearest(const km_shape *s, const km_state *state, batch *b) {
  float nearest[KM_BATCH];
  if (s->wide) {
    turn_f64(b->rows, s->d, b->turned);
    pl_kmeans_nearest_f64(s, state, b->turned, b->nearest, b->label);
    return;
  }
  turn_f32(b->rows, s->d, b->turned);
  pl_kmeans_nearest_f32(s, state, b->turned, nearest, b->label);
  for (int i = 0; i < KM_BATCH; i++) b->nearest[i] = (double)nearest[i];
}

// Eight sums side by side.
static PLAIT_WIDE double distance(const double *restrict row, const double *restrict centre,
                                  int64_t d) {
  double sum[8] = {0}, rest = 0;
  int64_t j = 0;
  for (; j + 8 <= d; j += 8)
    for (int l = 0; l < 8; l++) {
      double delta = row[j + l] - centre[j + l];
      sum[l] += delta * delta;
    }
  for (; j < d; j++) rest += (row[j] - centre[j]) * (row[j] - centre[j]);
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7])) + rest;
}

double pl_kmeans_distance(const double *a, const double *b, int64_t d) {
  return distance(a, b, d);
}

static void count_row(const km_shape *s, const km_state *state, const batch *b, int64_t i,
                      int64_t row, km_tally *t) {
  const double *x = b->rows + i * s->d;
  int64_t c = b->label[i];
  double d2 = distance(x, state->centre + c * s->d, s->d);
  t->points[0]++;
  t->count[c]++;
  *t->inertia += d2;
  add(x, s->d, t->sum + c * s->d);
  km_far point = {d2, row, c};
  if (t->points[2] < s->far || d2 > t->far[s->far - 1].distance)
    pl_kmeans_remember(s, t, &point, x);
}

static void tally_part(const plait_call *call, const km_shape *s, const km_state *state,
                       const plait_block *in, int part, int32_t *labels) {
  batch b = {.rows = call->scratch};
  km_tally t;
  int64_t first, end;
  b.turned = b.rows + s->d * KM_BATCH;
  part_tally(call, s, part, &t);
  memset(t.points, 0, pl_kmeans_tally(s, NULL, &(km_tally){0}));
  part_rows(pl_kmeans_count(s, in), part, &first, &end);
  for (int64_t r = first; r < end; r += KM_BATCH) {
    int64_t n = end - r < KM_BATCH ? end - r : KM_BATCH;
    bool missing = load_rows(s, state, in, r, n, &b);
    find_nearest(s, state, &b);
    for (int64_t i = 0; i < n; i++) {
      if (missing && count_nan(b.rows + i * s->d, s->d) > 0) {
        b.label[i] = -1;
        t.points[1]++;
        continue;
      }
      count_row(s, state, &b, i, pl_kmeans_number(s, in, r + i), &t);
    }
    if (labels) memcpy(labels + r, b.label, (size_t)n * sizeof *labels);
  }
}

static void join_far(const km_shape *s, const km_tally *from, km_tally *to) {
  for (int64_t i = 0; i < from->points[2]; i++)
    pl_kmeans_remember(s, to, &from->far[i], from->far_rows + i * s->d);
}

static void join_parts(const plait_call *call, const km_shape *s, km_tally *t) {
  km_tally part[KM_PARTS];
  for (int i = 0; i < KM_PARTS; i++) part_tally(call, s, i, &part[i]);
#pragma omp for
  for (int64_t c = 0; c < s->k; c++) {
    t->count[c] = part[0].count[c];
    memcpy(t->sum + c * s->d, part[0].sum + c * s->d, (size_t)s->d * sizeof *t->sum);
    for (int i = 1; i < KM_PARTS; i++) {
      t->count[c] += part[i].count[c];
      add(part[i].sum + c * s->d, s->d, t->sum + c * s->d);
    }
  }
#pragma omp single
  {
    memset(t->points, 0, 3 * sizeof *t->points);
    *t->inertia = 0;
    for (int i = 0; i < KM_PARTS; i++) {
      t->points[0] += part[i].points[0];
      t->points[1] += part[i].points[1];
      *t->inertia += *part[i].inertia;
      join_far(s, &part[i], t);
    }
  }
}

static void tally_block(const plait_call *call, const km_shape *s, const plait_block *in,
                        void *partial, int32_t *labels) {
  km_state state;
  km_tally t;
  pl_kmeans_state(s, (void *)call->state, &state);
  pl_kmeans_tally(s, partial, &t);
#pragma omp for schedule(dynamic)
  for (int part = 0; part < KM_PARTS; part++) tally_part(call, s, &state, in, part, labels);
  join_parts(call, s, &t);
}

// ---- what the engine calls ------------------------------------------------------------------
void pl_kmeans_block(const plait_call *call, const plait_block *in, void *partial) {
  km_shape s;
  pl_kmeans_shape(call->problem, call->params, &s);
  if (call->pass == 0)
    survey_block(call, &s, in, partial);
  else
    tally_block(call, &s, in, partial, NULL);
}

void pl_kmeans_emit(const plait_call *call, const plait_block *in, void *partial,
                    const plait_block out[]) {
  const kmeans_params *p = call->params;
  km_shape s;
  pl_kmeans_shape(call->problem, call->params, &s);
  tally_block(call, &s, in, partial, p->labels ? out[call->plan->noutputs - 1].data : NULL);
}

size_t pl_kmeans_used(const plait_call *call) {
  km_shape s;
  km_survey survey;
  km_tally tally;
  pl_kmeans_shape(call->problem, call->params, &s);
  return call->pass == 0 ? pl_kmeans_survey(&s, NULL, &survey) : pl_kmeans_tally(&s, NULL, &tally);
}

static void merge_surveys(const km_shape *s, void *left, const void *right) {
  km_survey a, b;
  pl_kmeans_survey(s, left, &a);
  pl_kmeans_survey(s, (void *)right, &b);
  pl_kmeans_merge_moments(s->d, b.points, b.mean, b.m2, &a);
  memcpy(a.sample + a.points[2] * s->d, b.sample, (size_t)(b.points[2] * s->d) * sizeof *a.sample);
  a.points[2] += b.points[2];
}

void pl_kmeans_merge(const plait_call *call, const plait_block *tile, void *left,
                     const void *right) {
  (void)tile;
  km_shape s;
  pl_kmeans_shape(call->problem, call->params, &s);
  if (call->pass == 0) {
#pragma omp single
    merge_surveys(&s, left, right);
    return;
  }
  km_tally a, b;
  pl_kmeans_tally(&s, left, &a);
  pl_kmeans_tally(&s, (void *)right, &b);
#pragma omp for
  for (int64_t c = 0; c < s.k; c++) {
    a.count[c] += b.count[c];
    add(b.sum + c * s.d, s.d, a.sum + c * s.d);
  }
#pragma omp single
  {
    a.points[0] += b.points[0];
    a.points[1] += b.points[1];
    *a.inertia += *b.inertia;
    join_far(&s, &b, &a);
  }
}

void pl_kmeans_merge_moments(int64_t d, const int64_t *points, const double *mean, const double *m2,
                             km_survey *left) {
  double na = (double)left->points[0], nb = (double)points[0];
  left->points[0] += points[0];
  left->points[1] += points[1];
  if (points[0] == 0) return;
  for (int64_t j = 0; j < d; j++) {
    double delta = mean[j] - left->mean[j];
    left->mean[j] += delta * (nb / (na + nb));
    left->m2[j] += m2[j] + delta * delta * (na * nb / (na + nb));
  }
}

// Keeps the list sorted: the farthest first, of equals the one that stands first in the file.
void pl_kmeans_remember(const km_shape *s, km_tally *t, const km_far *point, const double *row) {
  int64_t n = t->points[2], at = n;
  while (at > 0 &&
         (t->far[at - 1].distance < point->distance ||
          (t->far[at - 1].distance == point->distance && t->far[at - 1].row > point->row)))
    at--;
  if (at == s->far) return;
  if (n < s->far) t->points[2] = ++n;
  memmove(t->far + at + 1, t->far + at, (size_t)(n - 1 - at) * sizeof *t->far);
  memmove(t->far_rows + (at + 1) * s->d, t->far_rows + at * s->d,
          (size_t)((n - 1 - at) * s->d) * sizeof *row);
  t->far[at] = *point;
  memcpy(t->far_rows + at * s->d, row, (size_t)s->d * sizeof *row);
}
