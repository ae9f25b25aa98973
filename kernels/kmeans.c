// SPDX-License-Identifier: BSD-3-Clause
//
// kmeans - k clusters of the rows of a table: centres that minimise the sum of squared distances.
//
// Lloyd's iteration: every row goes to its nearest centre, every centre to the mean of its rows,
// until the centres move less than `tolerance` (relative to the mean variance of the columns, as in
// scikit-learn) or `iterations` are done. Pass 0 takes means, variances and a sample for seeding
// (kmeans_seed.c); a last pass gives labels and the inertia of the final centres. A centre without
// rows goes to the row that is farthest from its own centre.
//
// Shapes: in: any axes; those that `features` names (when empty: all but the first) make the d
//   features of a row, the others count the n rows. Out: NAME_centers [k, features], NAME_counts
//   [k], NAME_labels [rows], int32, -1 for rows with missing values; one value each: NAME_inertia,
//   NAME_iterations, NAME_converged (1 or 0), NAME_skipped (rows that were left out).
// Missing values (NaN): refused, or the row is left out.
// Arithmetic: distances in float32 for float32 input and small integers, else float64, of rows
//   relative to the mean of all; sums in float64. 2 k d flops per row and iteration.
// Memory: 16 sums of k x d float64 for a team, log2(blocks) for a rank; and the data, when they
// fit.
// Bits: the same for any ranks, threads and schedules; the cut into blocks (part of the job)
// shows in
//   the last bits of the sums.
// Source: S. P. Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory 28 (1982).
// kmeans_nearest.c finds the nearest centres, kmeans_block.c makes the sums.
#include "kmeans.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const inits[] = {"k-means++", "random", NULL};
static const char *const missings[] = {"refuse", "skip", NULL};
static const char *const types[] = {"auto", "float32", "float64", NULL};

#define AT(member) offsetof(kmeans_params, member)
static const plait_param kmeans_table[] = {
    {.name = "k",
     .kind = PLAIT_PARAM_INT,
     .offset = AT(k),
     .unit = "",
     .help = "number of clusters",
     .min = 1,
     .max = 1000000},
    {.name = "iterations",
     .kind = PLAIT_PARAM_INT,
     .offset = AT(iterations),
     .unit = "",
     .standard = "300",
     .help = "at most so many steps of the centres",
     .min = 0,
     .max = 1e9},
    {.name = "features",
     .kind = PLAIT_PARAM_AXES,
     .offset = AT(features),
     .unit = "",
     .standard = "[]",
     .help = "axes whose cells are the features of a row; when empty all but the first"},
    {.name = "tolerance",
     .kind = PLAIT_PARAM_REAL,
     .offset = AT(tolerance),
     .unit = "",
     .standard = "1e-4",
     .help = "ends when the squared step of all centres is below this part of the mean variance",
     .min = 0,
     .max = 1e300},
    {.name = "init",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = AT(init),
     .unit = "",
     .standard = "k-means++",
     .choices = inits,
     .help = "first centres: far from each other by k-means++, or rows at random"},
    {.name = "centers",
     .kind = PLAIT_PARAM_FILE,
     .offset = AT(centers),
     .unit = "",
     .standard = "",
     .help = "FILE or FILE:VAR with first centres [k, d], in place of init"},
    {.name = "sample",
     .kind = PLAIT_PARAM_INT,
     .offset = AT(sample),
     .unit = "",
     .standard = "0",
     .help = "rows that init looks at; 0: 1 MiB of rows, at least 8 for each cluster",
     .min = 0,
     .max = 1e9},
    {.name = "seed",
     .kind = PLAIT_PARAM_INT,
     .offset = AT(seed),
     .unit = "",
     .standard = "0",
     .help = "of the random numbers of init",
     .min = 0,
     .max = 9e15},
    {.name = "missing",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = AT(missing),
     .unit = "",
     .standard = "refuse",
     .choices = missings,
     .help = "rows with missing values: an error, or left out with label -1"},
    {.name = "labels",
     .kind = PLAIT_PARAM_BOOL,
     .offset = AT(labels),
     .unit = "",
     .standard = "true",
     .help = "write the cluster of every row"},
    {.name = "type",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = AT(type),
     .unit = "",
     .standard = "auto",
     .choices = types,
     .help = "of distances; auto: float32 for float32 input and integers up to 16 bits"},
    {0}};
#undef AT

// ---- shapes ---------------------------------------------------------------------------------
static bool is_wide(plait_type type, int wanted) {
  return wanted == KM_F64 || (wanted == KM_AUTO && plait_type_size(type) > 2 && type != PLAIT_F32);
}

static int64_t sample_of(const km_shape *s, int64_t wanted) {
  int64_t m = wanted > 0 ? wanted : (1 << 20) / (8 * s->d);
  if (wanted == 0 && m < 8 * s->k) m = 8 * s->k;
  if (m < s->k) m = s->k;
  return m < s->n ? m : s->n;
}

static bool is_feature(const kmeans_params *p, int axis) {
  for (int i = 0; i < p->features.n; i++)
    if (p->features.axis[i] == axis) return true;
  return p->features.n == 0 && axis > 0;
}

static void split_axes(const plait_array *in, const kmeans_params *p, km_shape *s) {
  for (int d = 0; d < in->ndim; d++) {
    bool feature = is_feature(p, d);
    if (feature)
      s->col[s->ncol++] = d;
    else
      s->row[s->nrow++] = d;
    *(feature ? &s->d : &s->n) *= in->shape[d];
    s->packed = s->packed && (feature || s->ncol == 0);
    s->length[d] = in->shape[d];
  }
}

void pl_kmeans_shape(const plait_problem *problem, const kmeans_params *p, km_shape *s) {
  const plait_array *in = problem->input;
  *s = (km_shape){.n = 1, .d = 1, .k = p->k, .packed = true};
  split_axes(in, p, s);
  s->padded = (s->k + KM_GROUP - 1) / KM_GROUP * KM_GROUP;
  s->sample = sample_of(s, p->sample);
  s->far = s->k < KM_FAR ? s->k : KM_FAR;
  s->wide = is_wide(in->type, p->type);
}

static void *take(void *memory, size_t *used, int64_t n, size_t bytes) {
  void *at = memory ? (char *)memory + *used : NULL;
  *used += ((size_t)n * bytes + 63) / 64 * 64;
  return at;
}

size_t pl_kmeans_state(const km_shape *s, void *memory, km_state *v) {
  size_t used = 0, size = s->wide ? sizeof(double) : sizeof(float);
  v->head = take(memory, &used, 1, sizeof *v->head);
  v->origin = take(memory, &used, s->d, sizeof(double));
  v->centre = take(memory, &used, s->k * s->d, sizeof(double));
  v->table = take(memory, &used, s->padded * s->d, size);
  v->half = take(memory, &used, s->padded, size);
  return used;
}

size_t pl_kmeans_survey(const km_shape *s, void *memory, km_survey *v) {
  size_t used = 0;
  v->points = take(memory, &used, 3, sizeof(int64_t));
  v->mean = take(memory, &used, s->d, sizeof(double));
  v->m2 = take(memory, &used, s->d, sizeof(double));
  v->sample = take(memory, &used, s->sample * s->d, sizeof(double));
  return used;
}

size_t pl_kmeans_tally(const km_shape *s, void *memory, km_tally *v) {
  size_t used = 0;
  v->points = take(memory, &used, 3, sizeof(int64_t));
  v->inertia = take(memory, &used, 1, sizeof(double));
  v->count = take(memory, &used, s->k, sizeof(int64_t));
  v->sum = take(memory, &used, s->k * s->d, sizeof(double));
  v->far = take(memory, &used, s->far, sizeof(km_far));
  v->far_rows = take(memory, &used, s->far * s->d, sizeof(double));
  return used;
}

// ---- plan -----------------------------------------------------------------------------------
static const char *too_many(const km_shape *s) {
  static _Thread_local char text[120];
  if (s->k <= s->n) return NULL;
  snprintf(text, sizeof text, "k: %lld clusters are asked for, the input has %lld row%s",
           (long long)s->k, (long long)s->n, s->n == 1 ? "" : "s");
  return text;
}

static const char *kmeans_check(const plait_problem *problem, const void *params) {
  const kmeans_params *p = params;
  km_shape s;
  pl_kmeans_shape(problem, p, &s);
  return problem->input->ndim < 1          ? "the input has no rows"
         : s.nrow == 0                     ? "features: one axis must be left for the rows"
         : s.ncol == PLAIT_DIMS            ? "features: too many axes"
         : (double)s.k * (double)s.d > 1e9 ? "k: the centres alone would take more than 8 GB"
                                           : too_many(&s);
}

static plait_output *add_output(const plait_problem *problem, plait_plan *plan, const char *word,
                                const char *long_name, plait_type type) {
  const char *name = problem->input->name;
  plait_output *out = &plan->output[plan->noutputs++];
  int room = (int)(sizeof out->name - strlen(word) - 2);
  bool named = name && name[0];
  snprintf(out->name, sizeof out->name, "%.*s%s%s", room, named ? name : "", named ? "_" : "",
           word);
  snprintf(out->long_name, sizeof out->long_name, "%s", long_name);
  out->type = type;
  return out;
}

static void own_axis(plait_output *out, const char *name, int64_t length) {
  out->from[out->ndim] = -1;
  snprintf(out->dims[out->ndim], PLAIT_NAME, "%s", name);
  out->shape[out->ndim++] = length;
}

static void follow(plait_output *out, const plait_array *in, int axis) {
  out->from[out->ndim] = axis;
  out->shape[out->ndim++] = in->shape[axis];
}

static void plan_outputs(const plait_problem *problem, const kmeans_params *p, const km_shape *s,
                         plait_plan *plan) {
  const plait_array *in = problem->input;
  plait_output *out = add_output(problem, plan, "centers", "centres of the clusters",
                                 s->wide ? PLAIT_F64 : PLAIT_F32);
  strcpy(out->units, "=");
  own_axis(out, "cluster", s->k);
  for (int i = 0; i < s->ncol; i++) follow(out, in, s->col[i]);
  own_axis(add_output(problem, plan, "counts", "rows of each cluster", PLAIT_I64), "cluster", s->k);
  add_output(problem, plan, "inertia", "sum of squared distances from the centres", PLAIT_F64);
  add_output(problem, plan, "iterations", "steps of the centres", PLAIT_I64);
  add_output(problem, plan, "converged", "1: the last step was within the tolerance, 0: it was not",
             PLAIT_I64);
  add_output(problem, plan, "skipped", "rows that were left out: missing values", PLAIT_I64);
  if (!p->labels) return;
  out = add_output(problem, plan, "labels", "cluster of each row", PLAIT_I32);
  out->emitted = true;
  for (int i = 0; i < s->nrow; i++) follow(out, in, s->row[i]);
}

static void kmeans_plan(const plait_problem *problem, const void *params, plait_plan *plan) {
  const kmeans_params *p = params;
  km_shape s;
  km_state state;
  km_survey survey;
  km_tally tally;
  pl_kmeans_shape(problem, p, &s);
  for (int d = 0; d < problem->input->ndim; d++) plan->reduced[d] = true;
  for (int i = 0; i < s.ncol; i++) plan->whole[s.col[i]] = true;
  plan->aside[0] = p->centers;
  plan->scratch_bytes = pl_kmeans_scratch(&s);
  plan->shared_bytes = pl_kmeans_shared(&s);
  plan->state_bytes = pl_kmeans_state(&s, NULL, &state);
  size_t first = pl_kmeans_survey(&s, NULL, &survey), later = pl_kmeans_tally(&s, NULL, &tally);
  plan->partial_bytes = first > later ? first : later;
  plan->flops_per_cell = 2 * (double)s.k;
  plan_outputs(problem, p, &s, plan);
}

// ---- results --------------------------------------------------------------------------------
static void warn(const plait_call *call, const km_head *h) {
  if (h->converged || h->iteration == 0) return;
  plait_call_warn(call,
                  "kmeans has not converged after %lld iterations: the square of the last step is "
                  "%.3g, the tolerance asks for %.3g (params.iterations allows more)",
                  (long long)h->iteration, h->moved, h->limit);
}

static void kmeans_finish(const plait_call *call, const plait_block *tile, const void *partial,
                          const plait_block out[]) {
  (void)tile;
  km_shape s;
  km_state state;
  km_tally t;
  pl_kmeans_shape(call->problem, call->params, &s);
  pl_kmeans_state(&s, (void *)call->state, &state);
  pl_kmeans_tally(&s, (void *)partial, &t);
#pragma omp single
  {
    for (int64_t i = 0; i < s.k * s.d; i++)
      pl_kmeans_store(&s, out[0].data, i, state.centre[i] + state.origin[i % s.d]);
    memcpy(out[1].data, t.count, (size_t)s.k * sizeof *t.count);
    *(double *)out[2].data = *t.inertia;
    *(int64_t *)out[3].data = state.head->iteration;
    *(int64_t *)out[4].data = state.head->converged;
    *(int64_t *)out[5].data = state.head->skipped;
    warn(call, state.head);
  }
}

const plait_kernel plait_kernel_kmeans = {
    .name = "kmeans",
    .summary = "k clusters of the rows of a table: centres, labels, inertia",
    .pattern = PLAIT_REDUCE,
    .version = 3,
    .params = kmeans_table,
    .params_size = sizeof(kmeans_params),
    .takes = PLAIT_TAKES_ALL,
    .check = kmeans_check,
    .plan = kmeans_plan,
    .reduce = {.block = pl_kmeans_block,
               .merge = pl_kmeans_merge,
               .finish = kmeans_finish,
               .next = pl_kmeans_next,
               .used = pl_kmeans_used,
               .emit = pl_kmeans_emit},
    .verify = pl_kmeans_verify};
