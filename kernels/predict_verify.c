// SPDX-License-Identifier: BSD-3-Clause
//
// predict: rows through a network beside a plain calculation in float64; a row gives the same bits
// wherever it stands; probabilities add up to 1 and their order is that of the logits.
#include "train.h"
#include <math.h>
#include <string.h>

enum { ROWS = 9, WIDEST = 600, CELLS = 1 << 16 };

typedef struct trial {
  net n;
  float weights[CELLS], memory[CELLS];
  double x[ROWS][WIDEST];
} trial;

static double noise(uint64_t stream, int64_t i) {
  uint32_t r[4];
  plait_random(13, stream, (uint64_t)i, r);
  return 2 * plait_uniform(r[0], r[1]) - 1;
}

static void make_trial(int activation, trial *t) {
  static const int64_t sizes[] = {WIDEST, 21, 17, 5}; // more than the products do at once
  memset(t, 0, sizeof *t);
  pl_net_make(3, sizes, activation, &t->n);
  for (int l = 0; l < 3; l++)
    for (int64_t i = 0; i <= sizes[l]; i++)
      for (int64_t j = 0; j < sizes[l + 1]; j++)
        t->weights[pl_net_weight(&t->n.layer[l], i, j)] =
            (float)(noise((uint64_t)l, i * 100 + j) * 2 / sqrt((double)sizes[l]));
  for (int r = 0; r < ROWS; r++)
    for (int i = 0; i < WIDEST; i++) t->x[r][i] = noise(7, r * WIDEST + i);
}

static void logits_ref(const trial *t, const double *x, double *z) {
  double a[WIDEST], b[WIDEST];
  memcpy(a, x, sizeof a);
  for (int l = 0; l < t->n.layers; l++) {
    const net_layer *y = &t->n.layer[l];
    for (int64_t j = 0; j < y->out; j++) {
      b[j] = (double)t->weights[pl_net_weight(y, y->in, j)];
      for (int64_t i = 0; i < y->in; i++) b[j] += a[i] * (double)t->weights[pl_net_weight(y, i, j)];
      if (l < t->n.layers - 1) b[j] = t->n.activation == NET_RELU ? fmax(b[j], 0) : tanh(b[j]);
    }
    memcpy(a, b, (size_t)y->out * sizeof *a);
  }
  memcpy(z, a, 5 * sizeof *z);
}

// Rows from `first` on, through the layers; their logits.
static void logits(trial *t, int first, int rows, float z[][5]) {
  net_values v;
  pl_net_values(&t->n, ROWS, false, t->memory, &v);
  for (int r = 0; r < rows; r++)
    pl_net_load(&t->n, PLAIT_F64, t->x[first + r], 0, 1, v.a[0] + r * t->n.pitch[0]);
  pl_net_forward(&t->n, t->weights, 0, (rows + 3) / 4 * 4, &v);
  for (int r = 0; r < rows; r++) memcpy(z[r], v.a[3] + r * t->n.pitch[3], sizeof z[r]);
}

static plait_err check_softmax(const float z[5]) {
  float p[5];
  double sum = 0, exact = 0;
  int64_t best;
  double loss = pl_net_softmax(z, 5, 2, p, &best);
  for (int j = 0; j < 5; j++) {
    sum += (double)p[j];
    exact += exp((double)z[j]);
    if (z[j] > z[best]) return plait_fail(PLAIT_VERIFY, "predict: the best class is not the best");
  }
  if (fabs(sum - 1) > 1e-6)
    return plait_fail(PLAIT_VERIFY, "predict: probabilities add up to %.9g", sum);
  if (fabs(loss - (log(exact) - (double)z[2])) > 1e-12 * fmax(1, loss))
    return plait_fail(PLAIT_VERIFY, "predict: loss %.17g, should be %.17g", loss,
                      log(exact) - (double)z[2]);
  return PLAIT_OK;
}

static plait_err check_rows(trial *t) {
  float all[ROWS][5], one[1][5];
  logits(t, 0, ROWS, all);
  for (int r = 0; r < ROWS; r++) {
    double z[5];
    logits_ref(t, t->x[r], z);
    for (int j = 0; j < 5; j++)
      if (!(fabs(z[j] - (double)all[r][j]) <= 1e-5))
        return plait_fail(PLAIT_VERIFY, "predict: logit %d of row %d is %.8g, should be %.8g", j, r,
                          (double)all[r][j], z[j]);
    logits(t, r, 1, one);
    if (memcmp(one[0], all[r], sizeof one[0]) != 0)
      return plait_fail(PLAIT_VERIFY, "predict: row %d alone gives other bits", r);
    plait_err err = check_softmax(all[r]);
    if (err != PLAIT_OK) return err;
  }
  return PLAIT_OK;
}

plait_err pl_predict_verify(const plait_lab *lab) {
  static trial t;
  (void)lab;
  for (int activation = NET_RELU; activation <= NET_TANH; activation++) {
    make_trial(activation, &t);
    plait_err err = check_rows(&t);
    if (err != PLAIT_OK) return err;
  }
  return PLAIT_OK;
}
