// SPDX-License-Identifier: BSD-3-Clause
//
// predict - applies a network that train has made to the rows of a table.
//
// Shapes: in [rows, any axes]: features like those it was trained with; model: the file of train;
//   labels (may be left out) [rows]. Out: labels [rows] int32, the most likely class;
//   probabilities [rows, classes] float32; missing, a count; with labels: accuracy, loss (mean of
//   -log p(label)) and confusion [classes, classes] int64, a row for each true label.
// Missing values: the row gets the label -1 and probabilities NaN, and counts as missing only.
// Arithmetic: float32, 2 flops per weight and row; the loss in float64.
// Bits: the same for any ranks and threads.
#include "train.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PARTS = 16, ROWS = 64 }; // of a block; that a thread does at once
enum { NETWORK, LABELS, WEIGHTS };

typedef struct predict_params {
  const char *model, *labels;
  bool probabilities;
} predict_params;

#define AT(member) offsetof(predict_params, member)
static const plait_param predict_table[] = {
    {.name = "model",
     .kind = PLAIT_PARAM_FILE,
     .offset = AT(model),
     .unit = "",
     .help = "result of train"},
    {.name = "labels",
     .kind = PLAIT_PARAM_FILE,
     .offset = AT(labels),
     .unit = "",
     .standard = "",
     .help = "FILE or FILE:VAR with the true label of every row, for the accuracy"},
    {.name = "probabilities",
     .kind = PLAIT_PARAM_BOOL,
     .offset = AT(probabilities),
     .unit = "",
     .standard = "true",
     .help = "write the probabilities of all classes"},
    {0}};
#undef AT

typedef struct tally {   // the partial
  int64_t *rows, *right; // [1] with a label, and that of the network
  int64_t *missing;      // [1] rows with missing values
  double *loss;          // [PARTS]
  int64_t *confusion;    // [classes, classes]
} tally;

static size_t tally_of(int64_t classes, void *memory, tally *t) {
  int64_t *at = memory;
  t->rows = at;
  t->right = memory ? at + 1 : NULL;
  t->missing = memory ? at + 2 : NULL;
  t->loss = memory ? (double *)(void *)(at + 3) : NULL;
  t->confusion = memory ? at + 3 + PARTS : NULL;
  return (size_t)(3 + PARTS + classes * classes) * sizeof(int64_t);
}

// ---- the model ------------------------------------------------------------------------------
static int64_t network_at(const plait_aside *network, int64_t i) {
  double x;
  plait_row_to_f64(network->type,
                   (const char *)network->data + (size_t)i * plait_type_size(network->type), 1, &x);
  return (int64_t)x;
}

static const char *check_network(const plait_aside *a, int64_t features) {
  int64_t n = a->ndim == 1 ? a->shape[0] - 2 : 0, weights = 0;
  if (n < 1 || n > NET_LAYERS) return "model: its network is none of train";
  for (int64_t l = 0; l < n; l++) {
    int64_t in = network_at(a, l + 1), out = network_at(a, l + 2);
    if (in < 1 || out < 1 || in > 1000000000 || out > 1000000) return "model: sizes out of range";
    weights += (in + 1) * out;
    if (weights > 1000000000) return "model: more than 1e9 weights";
  }
  static _Thread_local char text[160];
  if (network_at(a, 1) == features) return NULL;
  snprintf(text, sizeof text, "model: takes rows of %lld features, the input has %lld",
           (long long)network_at(a, 1), (long long)features);
  return text;
}

static const char *check_weights(const plait_aside *aside) {
  for (int64_t l = 0; l < aside[NETWORK].shape[0] - 2; l++) {
    const plait_aside *w = &aside[WEIGHTS + l];
    if (w->ndim == 0) continue; // not read yet
    if (w->ndim != 2 || w->shape[0] != network_at(aside, l + 1) + 1 ||
        w->shape[1] != network_at(aside, l + 2))
      return "model: weights of another shape than its network says";
  }
  return NULL;
}

static int64_t features_of(const plait_array *in) {
  int64_t n = 1;
  for (int d = 1; d < in->ndim; d++) n *= in->shape[d];
  return n;
}

static void network_of(const plait_aside *a, net *n) {
  int64_t size[NET_LAYERS + 1];
  int layers = (int)(a->shape[0] - 2);
  for (int l = 0; l <= layers; l++) size[l] = network_at(a, l + 1);
  pl_net_make(layers, size, network_at(a, 0) == NET_RELU ? NET_RELU : NET_TANH, n);
}

static const char *predict_check(const plait_problem *problem, const void *params) {
  const predict_params *p = params;
  const plait_array *in = problem->input;
  const char *why = in->ndim < 1 || in->shape[0] < 1 ? "the input has no rows"
                    : !p->model[0]                   ? "model: a file is needed"
                                                     : NULL;
  if (why || !problem->aside) return why;
  why = check_network(&problem->aside[NETWORK], features_of(in));
  if (!why) why = check_weights(problem->aside);
  if (why || !p->labels[0]) return why;
  int64_t classes = network_at(problem->aside, problem->aside[NETWORK].shape[0] - 1), needed;
  return pl_labels_check(&problem->aside[LABELS], in->shape[0], classes, false, &needed);
}

// ---- plan -----------------------------------------------------------------------------------
static plait_output *add(plait_plan *plan, const char *name, const char *about, plait_type type,
                         int64_t rows) {
  plait_output *out = &plan->output[plan->noutputs++];
  snprintf(out->name, sizeof out->name, "%s", name);
  snprintf(out->long_name, sizeof out->long_name, "%s", about);
  out->type = type;
  out->emitted = rows > 0;
  if (rows > 0) out->shape[out->ndim++] = rows; // from: axis 0 of the input
  return out;
}

static void class_axis(plait_output *out, const char *name, int64_t classes) {
  out->from[out->ndim] = -1;
  snprintf(out->dims[out->ndim], PLAIT_NAME, "%s", name);
  out->shape[out->ndim++] = classes;
}

static void plan_outputs(const predict_params *p, int64_t rows, int64_t classes, plait_plan *plan) {
  add(plan, "labels", "the most likely class", PLAIT_I32, rows);
  if (p->probabilities)
    class_axis(add(plan, "probabilities", "of the classes", PLAIT_F32, rows), "class", classes);
  add(plan, "missing", "rows with missing values", PLAIT_I64, 0);
  if (!p->labels[0]) return;
  add(plan, "accuracy", "part of the rows whose label is right", PLAIT_F64, 0);
  add(plan, "loss", "mean of -log probability of the true label", PLAIT_F64, 0);
  plait_output *out = add(plan, "confusion", "rows by true and most likely class", PLAIT_I64, 0);
  class_axis(out, "true_class", classes);
  class_axis(out, "class", classes);
}

static void predict_plan(const plait_problem *problem, const void *params, plait_plan *plan) {
  const predict_params *p = params;
  const plait_array *in = problem->input;
  int64_t classes = 2; // until the model is read
  net n;
  net_values v;
  tally t;
  for (int d = 0; d < in->ndim; d++) plan->reduced[d] = true;
  for (int d = 1; d < in->ndim; d++) plan->whole[d] = true;
  plan->aside[NETWORK] = p->model;
  strcpy(plan->aside_var[NETWORK], "network");
  plan->aside[LABELS] = p->labels;
  if (problem->aside) {
    network_of(&problem->aside[NETWORK], &n);
    classes = n.layer[n.layers - 1].out;
    plan->scratch_bytes =
        pl_net_values(&n, ROWS, false, NULL, &v) + (size_t)classes * sizeof(float);
    plan->shared_bytes = n.weights * sizeof(float);
    plan->flops_per_cell = 2 * (double)n.weights / (double)features_of(in);
    for (int l = 0; l < n.layers; l++) {
      plan->aside[WEIGHTS + l] = p->model;
      snprintf(plan->aside_var[WEIGHTS + l], PLAIT_NAME, "weights%d", l);
    }
  }
  plan->partial_bytes = tally_of(classes, NULL, &t);
  plan_outputs(p, in->shape[0], classes, plan);
}

// ---- a block --------------------------------------------------------------------------------
// Every thread. The weights as the products want them.
static void spread_weights(const plait_call *call, const net *n, float *to) {
#pragma omp single
  memset(to, 0, n->weights * sizeof *to);
  for (int l = 0; l < n->layers; l++) {
    const net_layer *y = &n->layer[l];
    const plait_aside *w = &call->aside[WEIGHTS + l];
    size_t bytes = plait_type_size(w->type);
#pragma omp for
    for (int64_t i = 0; i <= y->in; i++)
      for (int64_t j = 0; j < y->out; j++)
        plait_row_to_f32(w->type, (const char *)w->data + (size_t)(i * y->out + j) * bytes, 1,
                         &to[pl_net_weight(y, i, j)]);
  }
}

typedef struct sheet { // where the results of a block go
  int32_t *labels;
  float *probabilities; // or NULL
} sheet;

static void count(const plait_call *call, int64_t row, int64_t classes, int64_t best, int64_t label,
                  tally *t) {
  (void)call, (void)row;
#pragma omp atomic
  t->confusion[label * classes + best]++;
#pragma omp atomic
  (*t->rows)++;
  if (best != label) return;
#pragma omp atomic
  (*t->right)++;
}

// Row r of the block, whose logits are there. The loss it adds.
static double settle_row(const plait_call *call, const plait_block *in, int64_t r, bool missing,
                         const float *logits, int64_t classes, float *p, const sheet *to,
                         tally *t) {
  bool known = call->aside[LABELS].ndim > 0 && !missing;
  int64_t row = in->origin[0] + r, best;
  int64_t label = known ? pl_label_of(&call->aside[LABELS], row) : -1;
  double loss = pl_net_softmax(logits, classes, label, p, &best);
  to->labels[r] = missing ? -1 : (int32_t)best;
  for (int64_t j = 0; j < classes && to->probabilities; j++)
    to->probabilities[r * classes + j] = missing ? NAN : p[j];
  if (missing) {
#pragma omp atomic
    (*t->missing)++;
  }
  if (!known) return 0;
  count(call, row, classes, best, label, t);
  return loss;
}

static double do_rows(const plait_call *call, const net *n, const plait_block *in, int64_t first,
                      int64_t rows, const sheet *to, tally *t) {
  net_values v;
  bool missing[ROWS];
  double loss = 0;
  int64_t classes = n->layer[n->layers - 1].out, pitch = n->pitch[n->layers];
  float *p =
      (float *)(void *)((char *)call->scratch + pl_net_values(n, ROWS, false, call->scratch, &v));
  ptrdiff_t bytes = in->stride[0] * (ptrdiff_t)plait_type_size(in->type);
  for (int64_t r = 0; r < ROWS; r++) {
    int64_t row = first + (r < rows ? r : 0); // what is too much is calculated and forgotten
    missing[r] = !pl_net_load(n, in->type, (const char *)in->data + row * bytes, 0, 1,
                              v.a[0] + r * n->pitch[0]);
  }
  pl_net_forward(n, call->shared, 0, (rows + NET_TILE - 1) / NET_TILE * NET_TILE, &v);
  for (int64_t r = 0; r < rows; r++)
    loss +=
        settle_row(call, in, first + r, missing[r], v.a[n->layers] + r * pitch, classes, p, to, t);
  return loss;
}

static void predict_emit(const plait_call *call, const plait_block *in, void *partial,
                         const plait_block out[]) {
  const predict_params *params = call->params;
  net n;
  tally t;
  network_of(&call->aside[NETWORK], &n);
  int64_t rows = in->extent[0];
  size_t bytes = tally_of(n.layer[n.layers - 1].out, partial, &t);
  sheet to = {out[0].data, params->probabilities ? out[1].data : NULL};
#pragma omp single
  memset(partial, 0, bytes);
  spread_weights(call, &n, call->shared);
#pragma omp for schedule(dynamic)
  for (int part = 0; part < PARTS; part++) {
    int64_t end = rows * (part + 1) / PARTS;
    for (int64_t r = rows * part / PARTS; r < end; r += ROWS)
      t.loss[part] += do_rows(call, &n, in, r, end - r < ROWS ? end - r : ROWS, &to, &t);
  }
}

static void predict_merge(const plait_call *call, const plait_block *tile, void *left,
                          const void *right) {
  (void)tile;
  net n;
  tally a, b;
  network_of(&call->aside[NETWORK], &n);
  int64_t classes = n.layer[n.layers - 1].out;
  tally_of(classes, left, &a);
  tally_of(classes, (void *)right, &b);
#pragma omp single
  {
    *a.rows += *b.rows;
    *a.right += *b.right;
    *a.missing += *b.missing;
    for (int i = 0; i < PARTS; i++) a.loss[i] += b.loss[i];
    for (int64_t i = 0; i < classes * classes; i++) a.confusion[i] += b.confusion[i];
  }
}

// With labels: accuracy, loss, confusion.
static void score(const tally *t, int64_t classes, const plait_block out[]) {
  double loss = 0;
  for (int i = 0; i < PARTS; i++) loss += t->loss[i];
  *(double *)out[0].data = (double)*t->right / (double)*t->rows;
  *(double *)out[1].data = loss / (double)*t->rows;
  memcpy(out[2].data, t->confusion, (size_t)(classes * classes) * sizeof(int64_t));
}

static void predict_finish(const plait_call *call, const plait_block *tile, const void *partial,
                           const plait_block out[]) {
  (void)tile;
  const predict_params *p = call->params;
  net n;
  tally t;
  network_of(&call->aside[NETWORK], &n);
  int64_t classes = n.layer[n.layers - 1].out;
  tally_of(classes, (void *)partial, &t);
  out += p->probabilities ? 2 : 1;
#pragma omp single
  {
    *(int64_t *)out[0].data = *t.missing;
    if (p->labels[0]) score(&t, classes, out + 1);
    if (*t.missing > 0)
      plait_call_warn(call, "%lld of %lld rows have missing values: their label is -1",
                      (long long)*t.missing, (long long)call->problem->input->shape[0]);
  }
}

const plait_kernel plait_kernel_predict = {
    .name = "predict",
    .summary = "labels and probabilities of rows by a network that train has made",
    .pattern = PLAIT_REDUCE,
    .version = 3,
    .params = predict_table,
    .params_size = sizeof(predict_params),
    .takes = PLAIT_TAKES_ALL,
    .check = predict_check,
    .plan = predict_plan,
    .reduce = {.merge = predict_merge, .finish = predict_finish, .emit = predict_emit},
    .verify = pl_predict_verify};
