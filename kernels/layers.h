// SPDX-License-Identifier: BSD-3-Clause
//
// A feed-forward network of dense layers, as train and predict calculate with it.
//
// Weights of a layer lie in panels of 16 outputs: [outputs / 16, k, 16], k = inputs + 1 rounded up
// to 4; row `inputs` of a panel is the bias (its input is 1), what is rounded up is 0. All layers
// in one vector. Values of rows: [rows, pitch], pitch = width + 1 rounded up to 16: the values, a
// 1, zeros.
#ifndef PLAIT_LAYERS_H
#define PLAIT_LAYERS_H
#include <plait.h>

enum { NET_LAYERS = 8, NET_PANEL = 16, NET_TILE = 4 };
enum { NET_RELU, NET_TANH };

typedef struct net_layer {
  int64_t in, out;
  int64_t k, panels;     // rows of a panel, panels
  size_t at, turned;     // first float of the weights; of the transposed ones (layer 0 has none)
  int64_t turned_panels; // [in / 16, panels * 16, 16]
} net_layer;

typedef struct net {
  int layers, activation; // of the hidden layers; the last one gives logits
  net_layer layer[NET_LAYERS];
  int64_t pitch[NET_LAYERS + 1]; // of the values before layer l, [layers]: of the logits
  size_t weights, turned;        // floats
} net;

typedef struct net_values { // of rows, where layer l takes them; behind the last: logits
  float *a[NET_LAYERS + 1];
  float *d[NET_LAYERS + 1]; // derivatives of the loss by them
} net_values;

// sizes[layers + 1]: the inputs, the outputs of each layer.
void pl_net_make(int layers, const int64_t sizes[], int activation, net *n);
size_t pl_net_weight(const net_layer *l, int64_t i, int64_t j); // from input i (in: bias) to j
// Finds the values of `rows` rows in memory; without memory it counts bytes. `learn`: d too.
size_t pl_net_values(const net *n, int64_t rows, bool learn, void *memory, net_values *v);

// The part of a thread, whole tiles of rows: [*first, *end).
void pl_net_part(int64_t rows, int thread, int threads, int64_t *first, int64_t *end);
// One row of the input: (x - shift) * scale, a 1, zeros. false: it has missing values.
bool pl_net_load(const net *n, plait_type type, const void *row, double shift, double scale,
                 float *to);
// Rows [first, end) of a thread through all layers. Bits: of a row, the same wherever it stands.
void pl_net_forward(const net *n, const float *weights, int64_t first, int64_t end, net_values *v);
// From d[layers] to the d of the hidden layers.
void pl_net_backward(const net *n, const float *turned, int64_t first, int64_t end, net_values *v);
// Probabilities of one row of logits; the loss -log p(label) when label >= 0. *best: the most
// likely.
double pl_net_softmax(const float *logits, int64_t classes, int64_t label, float *p, int64_t *best);
// Every thread (omp for): weights -> turned.
void pl_net_turn(const net *n, const float *weights, float *turned);
// Every thread (omp for): derivatives by the weights for each node, lanes added as a tree.
void pl_net_gradient(const net *n, const net_values *v, const plait_batch *batch, size_t skip,
                     float *const sum[]);
#endif
