// SPDX-License-Identifier: BSD-3-Clause
//
// train: the derivatives are those that differences of the loss give; the first step from zero
// weights is the one that can be written down; clouds that planes can part are learnt.
#include "train.h"
#include <math.h>
#include <string.h>

enum { ROWS = 10, CELLS = 4096 };

// ---- derivatives beside differences -----------------------------------------------------------
typedef struct small { // a network on ROWS rows
  net n;
  float weights[CELLS], turned[CELLS], derivatives[CELLS], memory[CELLS];
  int64_t label[ROWS];
} small;

static double noise(uint64_t stream, int64_t i) {
  uint32_t r[4];
  plait_random(11, stream, (uint64_t)i, r);
  return 2 * plait_uniform(r[0], r[1]) - 1;
}

static void make_small(int activation, small *s) {
  static const int64_t sizes[] = {5, 18, 6, 3};
  memset(s, 0, sizeof *s);
  pl_net_make(3, sizes, activation, &s->n);
  for (int l = 0; l < 3; l++)
    for (int64_t i = 0; i <= sizes[l]; i++)
      for (int64_t j = 0; j < sizes[l + 1]; j++)
        s->weights[pl_net_weight(&s->n.layer[l], i, j)] = (float)noise((uint64_t)l, i * 100 + j);
  for (int r = 0; r < ROWS; r++) s->label[r] = r % 3;
}

// The mean loss; the derivatives by the logits on the way.
static double loss_of(small *s, net_values *v) {
  double loss = 0;
  pl_net_values(&s->n, ROWS, true, s->memory, v);
  for (int r = 0; r < ROWS; r++) {
    double x[5];
    for (int i = 0; i < 5; i++) x[i] = noise(9, r * 5 + i);
    pl_net_load(&s->n, PLAIT_F64, x, 0.1, 1.5, v->a[0] + r * s->n.pitch[0]);
  }
  pl_net_forward(&s->n, s->weights, 0, 12, v);
  for (int r = 0; r < ROWS; r++) {
    int64_t best;
    float *d = v->d[3] + r * s->n.pitch[3];
    loss += pl_net_softmax(v->a[3] + r * s->n.pitch[3], 3, s->label[r], d, &best) / ROWS;
    d[s->label[r]] -= 1;
    for (int j = 0; j < 3; j++) d[j] /= ROWS;
  }
  return loss;
}

// Four lanes, one of them empty, in one node.
static void derive(small *s) {
  static const int64_t lane[] = {0, 3, 5, 5, ROWS};
  static const int first = 0, width = 4;
  plait_batch b = {.total = ROWS, .rows = ROWS, .lane = lane, .nodes = 1};
  float *sum[] = {s->derivatives};
  net_values v;
  b.first = &first;
  b.width = &width;
  loss_of(s, &v);
  pl_net_turn(&s->n, s->weights, s->turned);
  pl_net_backward(&s->n, s->turned, 0, 12, &v);
  pl_net_gradient(&s->n, &v, &b, 0, sum);
}

static double loss_at(small *s, size_t at, float weight) {
  net_values v;
  float kept = s->weights[at];
  s->weights[at] = weight;
  double loss = loss_of(s, &v);
  s->weights[at] = kept;
  return loss;
}

// Where relu has a kink between the two places, the derivative is between the slopes on both sides.
static plait_err check_derivative(small *s, size_t at) {
  const float step = 1.0F / 256, w = s->weights[at];
  double middle = loss_at(s, at, w), tolerance = 2e-4, d = (double)s->derivatives[at];
  double below = (middle - loss_at(s, at, w - step)) / (double)step;
  double above = (loss_at(s, at, w + step) - middle) / (double)step;
  bool relu = s->n.activation == NET_RELU;
  double low = relu ? fmin(below, above) : (below + above) / 2;
  double high = relu ? fmax(below, above) : low;
  if (d >= low - tolerance && d <= high + tolerance) return PLAIT_OK;
  return plait_fail(PLAIT_VERIFY, "train: derivative by weight %d is %g, differences give %g .. %g",
                    (int)at, d, low, high);
}

static plait_err check_derivatives(int activation) {
  static small s;
  make_small(activation, &s);
  derive(&s);
  for (int l = 0; l < 3; l++) {
    const net_layer *y = &s.n.layer[l];
    for (int64_t i = 0; i <= y->in; i++)
      for (int64_t j = 0; j < y->out; j++) {
        plait_err err = check_derivative(&s, pl_net_weight(y, i, j));
        if (err != PLAIT_OK) return err;
      }
  }
  return PLAIT_OK;
}

// ---- the whole --------------------------------------------------------------------------------
// Row r has the label r mod 256 and stands at that corner of a cube in 8 dimensions.
enum { N = 1024, D = 8, CLASSES = 256, HIDDEN = 32, EPOCHS = 40 };
#define LABELS "labels=generate:ramp?shape=1024,type=uint8 "

static void make_corners(float *x) {
  for (int64_t i = 0; i < N * D; i++)
    x[i] = (float)((i / D >> i % D & 1 ? 1.0 : -1.0) + 0.2 * noise(5, i));
}

typedef struct learnt {
  float first[(D + 1) * CLASSES], second[(HIDDEN + 1) * CLASSES];
  int64_t network[4], best_epoch;
  double best_loss, best_right;
  double loss[EPOCHS], check_loss[EPOCHS], right[EPOCHS];
} learnt;

static plait_err apply(const plait_lab *lab, const char *settings, bool deep, const float *x,
                       learnt *m) {
  plait_array in = {.name = "x",
                    .units = "",
                    .type = PLAIT_F32,
                    .ndim = 2,
                    .shape = {N, D},
                    .dims = {"row", "column"},
                    .coord_units = {"", ""}};
  void *const one[] = {m->first, m->network,     m->loss,       m->check_loss,
                       m->right, &m->best_epoch, &m->best_loss, &m->best_right};
  void *const two[] = {m->first, m->second,      m->network,    m->loss,       m->check_loss,
                       m->right, &m->best_epoch, &m->best_loss, &m->best_right};
  return lab->apply(lab, settings, &in, x, NULL, deep ? two : one);
}

// From zero weights every class has the probability 1/256: w = rate / N sum x (is it this class -
// 1/256).
static plait_err check_first_step(const plait_lab *lab, const float *x) {
  static learnt m;
  plait_err err = apply(lab, LABELS "epochs=1 batch=1024 validation=0 method=sgd momentum=0 rate=2",
                        false, x, &m);
  if (err != PLAIT_OK) return err;
  for (int64_t c = 0; c < CLASSES; c++)
    for (int64_t i = 0; i <= D; i++) {
      double sum = 0;
      for (int64_t r = 0; r < N; r++)
        sum += (i < D ? (double)x[r * D + i] : 1) * ((r % CLASSES == c) - 1.0 / CLASSES);
      if (fabs(2 * sum / N - (double)m.first[i * CLASSES + c]) > 1e-6)
        return plait_fail(PLAIT_VERIFY,
                          "train: the first step moves weight %d of class %d by %g, "
                          "should be %g",
                          (int)i, (int)c, (double)m.first[i * CLASSES + c], 2 * sum / N);
    }
  if (fabs(m.loss[0] - log(CLASSES)) > 1e-6)
    return plait_fail(PLAIT_VERIFY, "train: the first loss is %g, should be log 256", m.loss[0]);
  return PLAIT_OK;
}

static int64_t label_of(const learnt *m, const float *x) {
  double h[HIDDEN], most = -INFINITY;
  int64_t best = 0;
  for (int64_t j = 0; j < HIDDEN; j++) {
    h[j] = (double)m->first[D * HIDDEN + j];
    for (int64_t i = 0; i < D; i++) h[j] += (double)(x[i] * m->first[i * HIDDEN + j]);
    h[j] = tanh(h[j]);
  }
  for (int64_t c = 0; c < CLASSES; c++) {
    double z = (double)m->second[HIDDEN * CLASSES + c];
    for (int64_t j = 0; j < HIDDEN; j++) z += h[j] * (double)m->second[j * CLASSES + c];
    if (z > most) most = z, best = c;
  }
  return best;
}

static plait_err check_learning(const plait_lab *lab, const float *x) {
  static learnt m;
  int right = 0;
  plait_err err =
      apply(lab, LABELS "hidden=32 activation=tanh epochs=40 batch=32 rate=0.01 shuffle=300", true,
            x, &m);
  if (err != PLAIT_OK) return err;
  for (int64_t r = 0; r < N; r++) right += label_of(&m, x + r * D) == r % CLASSES;
  if (right < N * 98 / 100)
    return plait_fail(PLAIT_VERIFY, "train: knows %d of %d corners of a cube", right, N);
  return PLAIT_OK;
}

plait_err pl_train_verify(const plait_lab *lab) {
  static float x[N * D];
  make_corners(x);
  plait_err err = check_derivatives(NET_TANH);
  if (err == PLAIT_OK) err = check_derivatives(NET_RELU);
  if (err == PLAIT_OK) err = check_first_step(lab, x);
  return err == PLAIT_OK ? check_learning(lab, x) : err;
}
