// SPDX-License-Identifier: BSD-3-Clause
//
// What the files of train share: parameters, the state between steps.
#ifndef PLAIT_TRAIN_H
#define PLAIT_TRAIN_H
#include "layers.h"

enum { TRAIN_SGD, TRAIN_ADAM };
enum { TRAIN_CONSTANT, TRAIN_EXPONENTIAL, TRAIN_COSINE };
enum { TRAIN_EXTRAS = 16 }; // floats before the derivatives: loss, rows that are right, zeros

typedef struct train_params {
  const char *labels;
  plait_reals hidden;
  int64_t batch, epochs, patience, seed, shuffle, lanes, classes;
  int activation, method, schedule;
  double rate, momentum, decay, l2, validation, scale, shift;
} train_params;

typedef struct train_head {
  int64_t epoch;        // epochs that are finished
  int64_t best_epoch;   // of the weights in `best`, from 1; 0 none yet
  int64_t diverged;     // the loss is no number any more
  double rate;          // of this epoch
  double first, second; // powers of Adam's decays
  double loss, rows;    // of the steps of this epoch
  double check_loss, check_right, check_rows;
  double best_loss;
  double spare[4];
} train_head;

typedef struct train_state { // places in the plain bytes of the state
  train_head *head;
  float *weights, *turned, *best;
  float *moment, *square; // momentum; squares for Adam
  double *history;        // [epochs, 3] loss, loss and part right of what only checks; NaN
} train_state;

void pl_train_net(const plait_plan *plan, const train_params *p, net *n);
size_t pl_train_state(const net *n, const train_params *p, void *memory, train_state *s);
double pl_train_scale(const plait_array *input, const train_params *p);
// Bytes that the team has together for a batch.
size_t pl_train_shared(const net *n, const train_params *p);

void pl_train_begin(const plait_call *call, void *state);
void pl_train_gather(const plait_call *call, const plait_batch *batch, float *const sum[]);
bool pl_train_update(const plait_call *call, const plait_batch *batch, const float *sum,
                     void *state);
bool pl_train_epoch(const plait_call *call, void *state, char note[160]);
plait_err pl_train_verify(const plait_lab *lab);
plait_err pl_predict_verify(const plait_lab *lab);
// What is wrong with labels, NULL nothing; *classes: as many as they need. Text: this thread's.
const char *pl_labels_check(const plait_aside *labels, int64_t rows, int64_t classes, bool all,
                            int64_t *needed);
int64_t pl_label_of(const plait_aside *labels, int64_t row);
#endif
