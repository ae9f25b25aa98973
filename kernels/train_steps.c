// SPDX-License-Identifier: BSD-3-Clause
//
// A step of train: rows through the network and back, derivatives, the weights moved; and what
// happens at the end of an epoch. Threads share rows on the way through the network, then tiles of
// the weights: two barriers a step.
#include "train.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct batch_view { // the team's memory
  net_values values;
  float *loss, *right; // of each row
} batch_view;

static int64_t rows_up(const train_params *p) {
  return (p->batch + NET_TILE - 1) / NET_TILE * NET_TILE;
}

static size_t view_of(const net *n, const train_params *p, void *memory, batch_view *v) {
  size_t bytes = (pl_net_values(n, p->batch, true, memory, &v->values) + 63) / 64 * 64;
  size_t each = (size_t)rows_up(p) * sizeof(float);
  char *at = memory;
  v->loss = memory ? (float *)(void *)(at + bytes) : NULL;
  v->right = memory ? v->loss + rows_up(p) : NULL;
  return bytes + 2 * each;
}

size_t pl_train_shared(const net *n, const train_params *p) {
  batch_view v;
  return view_of(n, p, NULL, &v);
}

// ---- first weights ----------------------------------------------------------------------------
static void first_weights(const net *n, int l, int64_t seed, float *weights) {
  const net_layer *y = &n->layer[l];
  bool relu = n->activation == NET_RELU && l + 1 < n->layers;
  double bound = sqrt(6.0 / (double)(relu ? y->in : y->in + y->out));
  if (n->layers == 1) return; // softmax regression is convex: from 0
  for (int64_t i = 0; i < y->in; i++)
    for (int64_t j = 0; j < y->out; j++) {
      uint32_t r[4];
      plait_random((uint64_t)seed, (uint64_t)1 << 32 | (uint64_t)l, (uint64_t)(i * y->out + j), r);
      weights[pl_net_weight(y, i, j)] = (float)(bound * (2 * plait_uniform(r[0], r[1]) - 1));
    }
}

void pl_train_begin(const plait_call *call, void *bytes) {
  const train_params *p = call->params;
  train_state s;
  net n;
  pl_train_net(call->plan, p, &n);
  pl_train_state(&n, p, bytes, &s);
  double rate = p->rate > 0 ? p->rate : p->method == TRAIN_ADAM ? 0.001 : 0.05;
  *s.head = (train_head){.rate = rate, .first = 1, .second = 1};
  for (int l = 0; l < n.layers; l++) first_weights(&n, l, p->seed, s.weights);
  pl_net_turn(&n, s.weights, s.turned);
}

// ---- derivatives of a batch -------------------------------------------------------------------
static void load_rows(const plait_call *call, const net *n, const plait_batch *b, int64_t first,
                      int64_t end, batch_view *v) {
  const train_params *p = call->params;
  const plait_array *in = call->problem->input;
  double scale = pl_train_scale(in, p);
  for (int64_t r = first; r < end; r++) {
    float *to = v->values.a[0] + r * n->pitch[0];
    if (r >= b->rows)
      memset(to, 0, (size_t)n->pitch[0] * sizeof *to);
    else if (!pl_net_load(n, in->type, b->row[r], p->shift, scale, to))
      plait_call_refuse(call,
                        "train: row %lld has a missing value, and it skips none: fill it, or leave "
                        "the row out of the input and of the labels",
                        (long long)b->number[r]);
  }
}

// The loss of each row, and its derivatives by the logits: (probability - 1 or 0) / rows of the
// step.
static void losses(const plait_call *call, const net *n, const plait_batch *b, int64_t first,
                   int64_t end, batch_view *v) {
  int64_t classes = n->layer[n->layers - 1].out, pitch = n->pitch[n->layers], best;
  float share = 1 / (float)b->total;
  for (int64_t r = first; r < end && r < b->rows; r++) {
    const float *logits = v->values.a[n->layers] + r * pitch;
    float *d = v->values.d[n->layers] + r * pitch;
    int64_t label = pl_label_of(&call->aside[0], b->number[r]);
    v->loss[r] = (float)pl_net_softmax(logits, classes, label, d, &best);
    v->right[r] = best == label;
    d[label] -= 1;
    for (int64_t j = 0; j < classes; j++) d[j] *= share;
    for (int64_t j = classes; j < pitch; j++) d[j] = 0;
  }
}

// Sums of the lanes of a node as a tree; in float64 within a lane.
static float tree(const plait_batch *b, const float *x, int lane, int width) {
  if (width > 1) return tree(b, x, lane, width / 2) + tree(b, x, lane + width / 2, width / 2);
  double sum = 0;
  for (int64_t r = b->lane[lane]; r < b->lane[lane + 1]; r++) sum += (double)x[r];
  return (float)sum;
}

static void extras(const plait_batch *b, const batch_view *v, float *const sum[]) {
  for (int i = 0; i < b->nodes; i++) {
    memset(sum[i], 0, TRAIN_EXTRAS * sizeof(float));
    sum[i][0] = tree(b, v->loss, b->first[i], b->width[i]);
    sum[i][1] = tree(b, v->right, b->first[i], b->width[i]);
  }
}

void pl_train_gather(const plait_call *call, const plait_batch *b, float *const sum[]) {
  const train_params *p = call->params;
  train_state s;
  batch_view v;
  net n;
  int64_t first, end;
  pl_train_net(call->plan, p, &n);
  pl_train_state(&n, p, (void *)call->state, &s);
  view_of(&n, p, call->shared, &v);
  pl_net_part(b->rows, call->thread, call->threads, &first, &end);
  load_rows(call, &n, b, first, end, &v);
  pl_net_forward(&n, s.weights, first, end, &v.values);
  losses(call, &n, b, first, end, &v);
  if (!b->check) pl_net_backward(&n, s.turned, first, end, &v.values);
#pragma omp barrier
#pragma omp single nowait
  extras(b, &v, sum);
  if (!b->check) pl_net_gradient(&n, &v.values, b, TRAIN_EXTRAS, sum);
}

// ---- moving the weights -----------------------------------------------------------------------
static PLAIT_WIDE void move_sgd(int64_t n, const float *restrict g, float l2, float rate,
                                float momentum, float *restrict v, float *restrict w) {
  for (int64_t i = 0; i < n; i++) {
    v[i] = momentum * v[i] - rate * (g[i] + l2 * w[i]);
    w[i] += v[i];
  }
}

static PLAIT_WIDE void move_adam(int64_t n, const float *restrict g, float l2, float rate,
                                 float *restrict m, float *restrict v, float *restrict w) {
  for (int64_t i = 0; i < n; i++) {
    float x = g[i] + l2 * w[i];
    m[i] = 0.9F * m[i] + 0.1F * x;
    v[i] = 0.999F * v[i] + 0.001F * (x * x);
    w[i] -= rate * m[i] / (sqrtf(v[i]) + 1e-8F);
  }
}

// Rows [from, from + rows) of a panel; the bias is not drawn to 0.
static void move_rows(const train_params *p, const train_state *s, const float *g, size_t at,
                      int64_t rows, double l2) {
  int64_t n = rows * NET_PANEL;
  const train_head *h = s->head;
  if (p->method == TRAIN_SGD) {
    move_sgd(n, g + at, (float)l2, (float)h->rate, (float)p->momentum, s->moment + at,
             s->weights + at);
    return;
  }
  double rate = h->rate * sqrt(1 - h->second * 0.999) / (1 - h->first * 0.9);
  move_adam(n, g + at, (float)l2, (float)rate, s->moment + at, s->square + at, s->weights + at);
}

static void move_panels(const net *n, const train_params *p, const train_state *s, const float *g) {
  enum { ROWS = 64 };
  for (int l = 0; l < n->layers; l++) {
    const net_layer *y = &n->layer[l];
    int64_t parts = (y->in + 1 + ROWS - 1) / ROWS;
#pragma omp for collapse(2) nowait
    for (int64_t panel = 0; panel < y->panels; panel++)
      for (int64_t part = 0; part < parts; part++) {
        int64_t from = part * ROWS, end = from + ROWS < y->in ? from + ROWS : y->in;
        size_t at = y->at + (size_t)((panel * y->k + from) * NET_PANEL);
        move_rows(p, s, g, at, end - from, p->l2);
        if (part == parts - 1) move_rows(p, s, g, at + (size_t)((end - from) * NET_PANEL), 1, 0);
      }
  }
#pragma omp barrier
}

static void count_step(const plait_batch *b, const float *sum, train_head *h) {
  if (b->check) {
    h->check_loss += (double)sum[0];
    h->check_right += (double)sum[1];
    h->check_rows += (double)b->total;
    return;
  }
  h->loss += (double)sum[0];
  h->rows += (double)b->total;
  h->first *= 0.9;
  h->second *= 0.999;
}

bool pl_train_update(const plait_call *call, const plait_batch *b, const float *sum, void *bytes) {
  const train_params *p = call->params;
  train_state s;
  net n;
  pl_train_net(call->plan, p, &n);
  pl_train_state(&n, p, bytes, &s);
  bool sound = isfinite(sum[0]);
  if (!b->check && sound) {
    move_panels(&n, p, &s, sum + TRAIN_EXTRAS);
    pl_net_turn(&n, s.weights, s.turned);
  }
#pragma omp single
  {
    count_step(b, sum, s.head);
    if (!b->check && !sound) s.head->diverged = 1;
  }
  return sound;
}

// ---- the end of an epoch ----------------------------------------------------------------------
static double rate_after(const train_params *p, int64_t epoch, double rate) {
  const double pi = 3.14159265358979323846;
  double first = p->rate > 0 ? p->rate : p->method == TRAIN_ADAM ? 0.001 : 0.05;
  if (p->schedule == TRAIN_EXPONENTIAL) return rate * p->decay;
  if (p->schedule == TRAIN_COSINE)
    return first * 0.5 * (1 + cos(pi * (double)epoch / (double)p->epochs));
  return rate;
}

static bool diverged(const plait_call *call, const train_head *h, char note[160]) {
  if (h->best_epoch == 0)
    plait_call_raise(
        call,
        "train: the loss is no number any more in epoch %lld: nothing has been learnt; "
        "a smaller params.rate (it was %g) may help",
        (long long)h->epoch + 1, h->rate);
  else
    snprintf(note, 160, "diverged in epoch %lld (rate %g): the weights are those of epoch %lld",
             (long long)h->epoch + 1, h->rate, (long long)h->best_epoch);
  return false;
}

// Keeps the weights when they check better than any before; without rows that check: always.
static void keep_best(const net *n, const train_state *s, double loss) {
  train_head *h = s->head;
  if (h->best_epoch > 0 && !(loss < h->best_loss)) return;
  h->best_loss = loss;
  h->best_epoch = h->epoch;
  memcpy(s->best, s->weights, n->weights * sizeof *s->best);
}

bool pl_train_epoch(const plait_call *call, void *bytes, char note[160]) {
  const train_params *p = call->params;
  train_state s;
  net n;
  pl_train_net(call->plan, p, &n);
  pl_train_state(&n, p, bytes, &s);
  train_head *h = s.head;
  bool checks = h->check_rows > 0;
  double loss = h->loss / h->rows, check = checks ? h->check_loss / h->check_rows : (double)NAN;
  double right = checks ? h->check_right / h->check_rows : (double)NAN;
  if (h->diverged || !isfinite(loss) || (checks && !isfinite(check)))
    return diverged(call, h, note);
  memcpy(s.history + 3 * h->epoch, (double[]){loss, check, right}, 3 * sizeof(double));
  h->epoch++;
  if (!checks) h->best_epoch = 0;
  keep_best(&n, &s, checks ? check : loss);
  h->loss = h->rows = h->check_loss = h->check_right = h->check_rows = 0;
  h->rate = rate_after(p, h->epoch, h->rate);
  if (checks)
    snprintf(note, 160, "epoch %lld: loss %.4f, checked %.4f, %.2f %% right%s", (long long)h->epoch,
             loss, check, 100 * right, h->best_epoch == h->epoch ? ", the best" : "");
  else
    snprintf(note, 160, "epoch %lld: loss %.4f", (long long)h->epoch, loss);
  return h->epoch < p->epochs &&
         !(p->patience > 0 && checks && h->epoch - h->best_epoch >= p->patience);
}
