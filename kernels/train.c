// SPDX-License-Identifier: BSD-3-Clause
//
// train - classifiers of the rows of a table by stochastic gradients: softmax regression (no hidden
// layers) or a multilayer perceptron.
//
// Minimises the mean over rows of -log p(label) + l2 / 2 |weights|^2 (biases left out). In every
// epoch the rows are shuffled anew by counter; a step takes `batch` of them, an equal share of each
// lane (plait.h, plait_stepping), adds the derivatives lane by lane and moves the weights by
// momentum or Adam. A part of the rows is left out of learning and checked after each epoch: the
// weights kept are those of the epoch with the smallest loss there, and learning ends when it has
// not become smaller for `patience` epochs. A loss that is no number ends it too.
//
// Shapes: in [rows, any axes]: the values of a row are its features; labels [rows], whole numbers
//   from 0. Out: weights0, weights1, .. [inputs + 1, outputs] float32, the last row is the bias,
//   for features as they stand in the file (scale and shift are folded in): logits = x w[:-1] +
//   w[-1]; network: the activation (0 relu, 1 tanh) and the sizes of all layers; by epoch loss,
//   check_loss, check_accuracy (NaN: not reached); best_epoch, from 1.
// Arithmetic: float32, losses float64. About 6 flops per weight and row. Memory: a batch, and 4 to
//   6 times the weights.
// Missing values: refused.
// Bits: the same for any ranks and threads; `lanes` is part of the job.
// Source: D. P. Kingma, J. Ba, Adam: a method for stochastic optimization (ICLR 2015), algorithm 1;
//   X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks
//   (AISTATS 2010), eq. 16, and for relu K. He et al., Delving deep into rectifiers (ICCV 2015):
//   the first weights.
#include "train.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const activations[] = {"relu", "tanh", NULL};
static const char *const methods[] = {"sgd", "adam", NULL};
static const char *const schedules[] = {"constant", "exponential", "cosine", NULL};

#define AT(member) offsetof(train_params, member)
#define INT(word, text, value, low, high)                                                          \
  {                                                                                                \
    .name = #word, .kind = PLAIT_PARAM_INT, .offset = AT(word), .unit = "", .help = text,          \
    .standard = value, .min = low, .max = high                                                     \
  }
#define REAL(word, text, value, low, high)                                                         \
  {                                                                                                \
    .name = #word, .kind = PLAIT_PARAM_REAL, .offset = AT(word), .unit = "", .help = text,         \
    .standard = value, .min = low, .max = high                                                     \
  }
#define CHOICE(word, text, value, list)                                                            \
  {                                                                                                \
    .name = #word, .kind = PLAIT_PARAM_CHOICE, .offset = AT(word), .unit = "", .help = text,       \
    .standard = value, .choices = list                                                             \
  }
static const plait_param train_table[] = {
    {.name = "labels",
     .kind = PLAIT_PARAM_FILE,
     .offset = AT(labels),
     .unit = "",
     .help = "FILE or FILE:VAR with the label of every row: whole numbers from 0"},
    {.name = "hidden",
     .kind = PLAIT_PARAM_REALS,
     .offset = AT(hidden),
     .unit = "",
     .standard = "[]",
     .min = 1,
     .max = 1e6,
     .help = "sizes of the hidden layers; none: softmax regression"},
    CHOICE(activation, "of the hidden layers", "relu", activations),
    INT(classes, "how many labels there are; 0: the largest + 1, each with a row", "0", 0, 65536),
    INT(batch, "rows of a step", "128", 1, 1e9),
    INT(epochs, "times through the rows, at most", "20", 1, 1e6),
    CHOICE(method, "how derivatives move the weights", "adam", methods),
    REAL(rate, "learning rate; 0: 0.001 for adam, 0.05 for sgd", "0", 0, 1e6),
    REAL(momentum, "of sgd", "0.9", 0, 0.9999),
    CHOICE(schedule, "of the rate, by epochs: constant, times decay, or half a cosine to 0",
           "constant", schedules),
    REAL(decay, "of the exponential schedule, by epoch", "0.95", 1e-6, 1),
    REAL(l2, "weight of the squared weights in the loss", "0", 0, 1e6),
    REAL(validation, "part of the rows that only checks", "0.1", 0, 0.9),
    INT(patience, "ends after so many epochs that check no better; 0: never", "10", 0, 1e6),
    INT(seed, "of the first weights and the shuffling", "0", 0, 9e15),
    INT(shuffle, "rows that are shuffled together; 0: those of 128 MiB", "0", 0, 2e9),
    INT(lanes,
        "shares of a batch, a power of 2: ranks that can help; 0: 8, or fewer for odd batches", "0",
        0, 4096),
    REAL(shift, "a feature is (x - shift) * scale", "0", -1e30, 1e30),
    REAL(scale, "0: 1/255 for uint8, 1/65535 for uint16, else 1", "0", 0, 1e30),
    {0}};
#undef AT

// ---- sizes ----------------------------------------------------------------------------------
double pl_train_scale(const plait_array *in, const train_params *p) {
  if (p->scale > 0) return p->scale;
  return in->type == PLAIT_U8 ? 1.0 / 255 : in->type == PLAIT_U16 ? 1.0 / 65535 : 1.0;
}

// Read off the outputs, where `plan` has put them: the labels are not looked at again.
void pl_train_net(const plait_plan *plan, const train_params *p, net *n) {
  int64_t size[NET_LAYERS + 1];
  int layers = p->hidden.n + 1;
  for (int l = 0; l < layers; l++) {
    size[l] = plan->output[l].shape[0] - 1;
    size[l + 1] = plan->output[l].shape[1];
  }
  pl_net_make(layers, size, p->activation, n);
}

static void *take(void *memory, size_t *used, size_t n, size_t bytes) {
  void *at = memory ? (char *)memory + *used : NULL;
  *used += (n * bytes + 63) / 64 * 64;
  return at;
}

size_t pl_train_state(const net *n, const train_params *p, void *memory, train_state *s) {
  size_t used = 0, f = sizeof(float);
  s->head = take(memory, &used, 1, sizeof *s->head);
  s->weights = take(memory, &used, n->weights, f);
  s->turned = take(memory, &used, n->turned, f);
  s->best = take(memory, &used, n->weights, f);
  s->moment = take(memory, &used, n->weights, f);
  s->square = take(memory, &used, p->method == TRAIN_ADAM ? n->weights : 0, f);
  s->history = take(memory, &used, (size_t)p->epochs * 3, sizeof(double));
  return used;
}

static int64_t features_of(const plait_array *in) {
  int64_t n = 1;
  for (int d = 1; d < in->ndim; d++) n *= in->shape[d];
  return n;
}

static int64_t lanes_of(const train_params *p) {
  int64_t lanes = p->lanes > 0 ? p->lanes : 8;
  while (p->lanes == 0 && p->batch % lanes != 0) lanes /= 2;
  return lanes;
}

static const char *check_sizes(const plait_array *in, const train_params *p) {
  double weights = 0, before = (double)features_of(in);
  for (int i = 0; i < p->hidden.n; i++) {
    if (p->hidden.at[i] != floor(p->hidden.at[i])) return "hidden: sizes are whole numbers";
    weights += (before + 1) * p->hidden.at[i];
    before = p->hidden.at[i];
  }
  return weights > 1e9 ? "hidden: more than 1e9 weights" : NULL;
}

static const char *train_check(const plait_problem *problem, const void *params) {
  const train_params *p = params;
  const plait_array *in = problem->input;
  int64_t lanes = lanes_of(p), needed;
  const char *why = in->ndim < 1 || in->shape[0] < 1 ? "the input has no rows"
                    : p->hidden.n >= NET_LAYERS      ? "hidden: at most 7 layers"
                    : !p->labels[0]                  ? "labels: a file is needed"
                    : lanes & (lanes - 1)            ? "lanes: must be a power of 2"
                    : p->batch % lanes               ? "batch: must be a multiple of lanes"
                                                     : check_sizes(in, p);
  if (why || !problem->aside) return why;
  why = pl_labels_check(&problem->aside[0], in->shape[0], p->classes, p->classes == 0, &needed);
  if (why) return why;
  return p->classes == 0 && needed < 2 ? "labels: all rows have the label 0" : NULL;
}

// ---- plan -----------------------------------------------------------------------------------
static plait_output *add(plait_plan *plan, const char *name, const char *about, plait_type type) {
  plait_output *out = &plan->output[plan->noutputs++];
  snprintf(out->name, sizeof out->name, "%s", name);
  snprintf(out->long_name, sizeof out->long_name, "%s", about);
  out->type = type;
  return out;
}

static void axis(plait_output *out, const char *name, int number, int64_t length) {
  out->from[out->ndim] = -1;
  snprintf(out->dims[out->ndim], PLAIT_NAME, number < 0 ? "%s" : "%s%d", name, number);
  out->shape[out->ndim++] = length;
}

static void plan_outputs(const train_params *p, int64_t features, int64_t classes,
                         plait_plan *plan) {
  int64_t before = features;
  for (int l = 0; l <= p->hidden.n; l++) {
    char name[PLAIT_NAME];
    int64_t after = l < p->hidden.n ? (int64_t)p->hidden.at[l] : classes;
    snprintf(name, sizeof name, "weights%d", l);
    plait_output *out = add(plan, name, "weights of a layer; the last row is the bias", PLAIT_F32);
    axis(out, "input", l, before + 1);
    axis(out, "output", l, after);
    before = after;
  }
  axis(add(plan, "network", "activation (0 relu, 1 tanh), then the sizes of the layers", PLAIT_I64),
       "entry", -1, p->hidden.n + 3);
  axis(add(plan, "loss", "mean loss while learning", PLAIT_F64), "epoch", -1, p->epochs);
  axis(add(plan, "check_loss", "mean loss of the rows that only check", PLAIT_F64), "epoch", -1,
       p->epochs);
  axis(add(plan, "check_accuracy", "part of those rows that is right", PLAIT_F64), "epoch", -1,
       p->epochs);
  add(plan, "best_epoch", "epoch of the weights, from 1", PLAIT_I64);
  add(plan, "best_loss", "mean loss while learning in that epoch", PLAIT_F64);
  add(plan, "best_check_accuracy", "part of the checking rows that is right after it", PLAIT_F64);
}

static int64_t window_of(const plait_array *in, const train_params *p, int64_t lanes) {
  int64_t bytes = features_of(in) * (int64_t)plait_type_size(in->type);
  int64_t rows = p->shuffle > 0 ? p->shuffle : ((int64_t)128 << 20) / (bytes > 0 ? bytes : 1);
  if (rows < p->batch) rows = p->batch;
  return (rows + lanes - 1) / lanes;
}

static void train_plan(const plait_problem *problem, const void *params, plait_plan *plan) {
  const train_params *p = params;
  const plait_array *in = problem->input;
  int64_t lanes = lanes_of(p), classes = p->classes;
  net n;
  train_state s;
  for (int d = 0; d < in->ndim; d++) plan->reduced[d] = plan->whole[d] = true;
  plan->aside[0] = p->labels;
  if (classes == 0 && problem->aside)
    pl_labels_check(&problem->aside[0], in->shape[0], 0, false, &classes);
  if (classes < 2) classes = 2; // the labels are still to be read
  plan_outputs(p, features_of(in), classes, plan);
  pl_train_net(plan, p, &n);
  plan->state_bytes = pl_train_state(&n, p, NULL, &s);
  plan->shared_bytes = pl_train_shared(&n, p);
  plan->flops_per_cell = 6 * (double)n.weights / (double)features_of(in);
  plan->stepping = (plait_stepping){.lanes = (int)lanes,
                                    .rows = p->batch / lanes,
                                    .window = window_of(in, p, lanes),
                                    .epochs = p->epochs,
                                    .check = p->validation,
                                    .seed = (uint64_t)p->seed,
                                    .sums = {TRAIN_EXTRAS + n.weights, TRAIN_EXTRAS}};
}

// ---- results --------------------------------------------------------------------------------
// w for x as it stands in the file: w (x - shift) scale + b = (w scale) x + (b - shift scale sum
// w).
static void write_layer(const net_layer *y, const float *w, double shift, double scale, float *to) {
  for (int64_t j = 0; j < y->out; j++) {
    double sum = 0;
    for (int64_t i = 0; i < y->in; i++) {
      double x = (double)w[pl_net_weight(y, i, j)] * scale;
      to[i * y->out + j] = (float)x;
      sum += x;
    }
    to[y->in * y->out + j] = (float)((double)w[pl_net_weight(y, y->in, j)] - shift * sum);
  }
}

static void train_finish(const plait_call *call, const plait_block *tile, const void *partial,
                         const plait_block out[]) {
  (void)tile, (void)partial;
  const train_params *p = call->params;
  train_state s;
  net n;
  pl_train_net(call->plan, p, &n);
  pl_train_state(&n, p, (void *)call->state, &s);
  for (int l = 0; l < n.layers; l++)
    write_layer(&n.layer[l], s.best, l ? 0 : p->shift,
                l ? 1 : pl_train_scale(call->problem->input, p), out[l].data);
  int64_t *network = out[n.layers].data;
  network[0] = n.activation;
  for (int l = 0; l <= n.layers; l++)
    network[l + 1] = l < n.layers ? n.layer[l].in : n.layer[l - 1].out;
  for (int64_t e = 0; e < p->epochs; e++)
    for (int k = 0; k < 3; k++)
      ((double *)out[n.layers + 1 + k].data)[e] =
          e < s.head->epoch ? s.history[3 * e + k] : (double)NAN;
  *(int64_t *)out[n.layers + 4].data = s.head->best_epoch;
  const double *best = s.history + 3 * (s.head->best_epoch - 1); // without one it was refused
  *(double *)out[n.layers + 5].data = best[0];
  *(double *)out[n.layers + 6].data = best[2];
  if (s.head->diverged)
    plait_call_warn(call, "the training diverged: the weights are those of epoch %lld",
                    (long long)s.head->best_epoch);
}

const plait_kernel plait_kernel_train = {
    .name = "train",
    .summary = "a classifier of the rows of a table: softmax regression or multilayer perceptron",
    .pattern = PLAIT_REDUCE,
    .version = 3,
    .params = train_table,
    .params_size = sizeof(train_params),
    .takes = PLAIT_TAKES_ALL,
    .check = train_check,
    .plan = train_plan,
    .reduce = {.finish = train_finish,
               .steps = {.begin = pl_train_begin,
                         .gather = pl_train_gather,
                         .update = pl_train_update,
                         .epoch = pl_train_epoch}},
    .verify = pl_train_verify};
