// SPDX-License-Identifier: BSD-3-Clause
//
// stats - count, mean, variance, standard deviation, minimum, maximum, sum, quantiles, histogram
// over any axes of an array, in one pass over the data.
//
//   mean = sum w x / sum w,  variance = sum w (x - mean)^2 / (sum w - ddof)
//
//   with w = 1 or cos(latitude).
// Units: those of the input (their square for the variance, none for count and histogram).
// Shapes: in [n0, n1, ..]; out: the axes that are not reduced; NAME_quantile and NAME_histogram
//   have one more at the end.
// Missing values (NaN) are skipped, cell by cell; a cell without any value gives NaN, count 0.
// Arithmetic: float64 sums of differences from a value of the data, merged pairwise: the error of
//   the variance grows with |mean| / std, not with its square. Extremes are exact for every type.
//   About 7 flops per value.
// Types: mean, variance, std, sum, quantile: float32 of float32 input, else float64 (or `type`);
//   min, max: of the input; count, histogram: int32 where that is enough, else int64.
// Bits: the same for any ranks, threads and schedules; the cut into blocks, a part of the job,
//   shows in the last bits of mean and variance.
// Memory: 40 to 56 B per kept cell. Quantiles need the reduced axes whole in a block.
// Source: T. F. Chan, G. H. Golub, R. J. LeVeque, Updating formulae and a pairwise algorithm for
//   computing sample variances (1979); the same, Algorithms for computing the sample variance
//   (1983); R. J. Hyndman, Y. Fan, Sample quantiles in statistical packages (1996), definition 7.
// stats_block.c reads the values, stats_tally.c merges, stats_finish.c writes results.
#include "stats.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const statistics[] = {"count", "mean", "variance", "std",       "min",
                                         "max",   "sum",  "quantile", "histogram", NULL};
static const char *const weights[] = {"none", "cos_lat", NULL};
static const char *const types[] = {"auto", "float32", "float64", NULL};

#define AT(member) offsetof(stats_params, member)
static const plait_param stats_table[] = {
    {.name = "axes",
     .kind = PLAIT_PARAM_AXES,
     .offset = AT(axes),
     .unit = "",
     .standard = "[]",
     .help = "axes to reduce; when empty time, or the first axis where none has that name"},
    {.name = "statistics",
     .kind = PLAIT_PARAM_CHOICES,
     .offset = AT(statistics),
     .unit = "",
     .standard = "[count, mean, std, min, max]",
     .choices = statistics,
     .help = "what to compute; each becomes an array NAME_mean, NAME_std, .. Arithmetic is in "
             "float64: of 64-bit integers beyond 2^53 only count, min and max are exact"},
    {.name = "ddof",
     .kind = PLAIT_PARAM_INT,
     .offset = AT(ddof),
     .unit = "",
     .standard = "0",
     .help = "variance and std divide by count - ddof; 1 for a sample. Places with no more "
             "values than that are missing",
     .min = 0,
     .max = 1e9},
    {.name = "quantiles",
     .kind = PLAIT_PARAM_REALS,
     .offset = AT(quantiles),
     .unit = "",
     .standard = "[0.25, 0.5, 0.75]",
     .help = "probabilities for the statistic quantile, which needs the values that are reduced to "
             "one in memory, as float64, together; `plait check` says how much",
     .min = 0,
     .max = 1},
    {.name = "bins",
     .kind = PLAIT_PARAM_INT,
     .offset = AT(bins),
     .unit = "",
     .standard = "100",
     .help = "bins of the histogram, of equal width",
     .min = 1,
     .max = 1000000},
    {.name = "range",
     .kind = PLAIT_PARAM_REALS,
     .offset = AT(range),
     .unit = "",
     .standard = "[]",
     .help = "lowest and highest value of the histogram, in units of the input"},
    {.name = "weights",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = AT(weights),
     .unit = "",
     .standard = "none",
     .choices = weights,
     .help = "cos_lat weighs mean, variance and std by area when latitude is reduced"},
    {.name = "type",
     .kind = PLAIT_PARAM_CHOICE,
     .offset = AT(type),
     .unit = "",
     .standard = "auto",
     .choices = types,
     .help = "type of mean, variance, std, sum, quantiles; auto: float32 for float32 input"},
    {0}};
#undef AT

bool pl_stats_wants(const stats_params *p, int kind) {
  return p->statistics >> kind & 1;
}

bool pl_stats_wants_moments(const stats_params *p) {
  return (p->statistics & ((UINT64_C(1) << STATS_QUANTILE) - 1)) != 0;
}

void pl_stats_reduced(const plait_problem *problem, const stats_params *p, bool reduced[]) {
  int axis = 0;
  for (int i = 0; i < p->axes.n; i++) reduced[p->axes.axis[i]] = true;
  if (p->axes.n > 0) return;
  for (int d = problem->input->ndim - 1; d >= 0; d--)
    if (strcasecmp(problem->input->dims[d], "time") == 0) axis = d;
  reduced[axis] = true;
}

// An axis with coordinates in degrees north (CF 4.1), or called so.
int pl_stats_latitude(const plait_problem *problem) {
  static const char *const units[] = {"degrees_north", "degree_north", "degree_N",
                                      "degrees_N",     "degreeN",      "degreesN"};
  const plait_array *in = problem->input;
  for (int d = 0; d < in->ndim; d++) {
    bool found = !strcasecmp(in->dims[d], "lat") || !strcasecmp(in->dims[d], "latitude");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
      found = found || (in->coord_units[d] && !strcmp(in->coord_units[d], units[i]));
    if (found && in->coord[d]) return d;
  }
  return -1;
}

bool pl_stats_weighted(const plait_problem *problem, const stats_params *p) {
  bool reduced[PLAIT_DIMS] = {false};
  int latitude = pl_stats_latitude(problem);
  pl_stats_reduced(problem, p, reduced);
  return p->weights == STATS_COS_LAT && latitude >= 0 && reduced[latitude];
}

static int64_t reduced_values(const plait_array *in, const bool reduced[]) {
  int64_t values = 1;
  for (int d = 0; d < in->ndim; d++)
    if (reduced[d]) values *= in->shape[d];
  return values;
}

// count - ddof could be positive nowhere: a variance that is missing at every place.
static const char *too_few(const plait_problem *problem, const stats_params *p) {
  static _Thread_local char text[120];
  bool reduced[PLAIT_DIMS] = {false};
  if (!pl_stats_wants(p, STATS_VARIANCE) && !pl_stats_wants(p, STATS_STD)) return NULL;
  pl_stats_reduced(problem, p, reduced);
  int64_t values = reduced_values(problem->input, reduced);
  if (p->ddof < values) return NULL;
  snprintf(text, sizeof text, "ddof: must be less than the %lld value%s that a variance is of",
           (long long)values, values == 1 ? "" : "s");
  return text;
}

static const char *stats_check(const plait_problem *problem, const void *params) {
  const stats_params *p = params;
  bool histogram = pl_stats_wants(p, STATS_HISTOGRAM), cos_lat = p->weights == STATS_COS_LAT;
  return problem->input->ndim < 1 ? "the input has no axis to reduce"
         : p->statistics == 0     ? "statistics: name at least one"
         : pl_stats_wants(p, STATS_QUANTILE) && p->quantiles.n == 0
             ? "quantiles: name at least one probability"
         : histogram && p->range.n != 2 ? "range: a histogram needs its lowest and highest value"
         : histogram && !(p->range.at[0] < p->range.at[1]) ? "range: the lowest value comes first"
         : cos_lat && pl_stats_latitude(problem) < 0
             ? "weights: no axis with coordinates in degrees_north"
         : cos_lat && !pl_stats_weighted(problem, p)
             ? "weights: cos_lat weighs along the latitude, which must be one of the axes"
         : cos_lat && p->ddof > 0                  ? "ddof: must be 0 with area weights"
         : cos_lat && pl_stats_wants(p, STATS_SUM) ? "statistics: there is no weighted sum"
                                                   : too_few(problem, p);
}

int64_t pl_stats_cells(const plait_block *box, const bool reduced[]) {
  int64_t cells = 1;
  for (int d = 0; d < box->ndim; d++)
    if (!reduced[d]) cells *= box->extent[d];
  return cells;
}

// ---- plan -----------------------------------------------------------------------------------
static plait_type type_of(const plait_array *in, const stats_params *p, const bool reduced[],
                          int kind) {
  if (kind == STATS_COUNT || kind == STATS_HISTOGRAM)
    return reduced_values(in, reduced) <= INT32_MAX ? PLAIT_I32 : PLAIT_I64;
  if (kind == STATS_MIN || kind == STATS_MAX) return in->type;
  if (p->type == STATS_AUTO) return in->type == PLAIT_F32 ? PLAIT_F32 : PLAIT_F64;
  return p->type == STATS_F32 ? PLAIT_F32 : PLAIT_F64;
}

// Differences of times ("days since 2000-01-01") are durations ("days").
static void name_units(const char *units, int kind, plait_output *out) {
  const char *since = strstr(units, " since ");
  int length = (int)(since ? (size_t)(since - units) : strlen(units));
  if (kind == STATS_COUNT || kind == STATS_HISTOGRAM)
    strcpy(out->units, "1");
  else if (kind != STATS_VARIANCE && !(kind == STATS_STD && since))
    strcpy(out->units, "=");
  else if (length > 0 && (size_t)length + 4 < sizeof out->units)
    snprintf(out->units, sizeof out->units, kind == STATS_STD ? "%.*s" : "(%.*s)2", length, units);
}

static void name_output(const plait_array *in, const stats_params *p, int kind, plait_output *out) {
  const char *word = statistics[kind];
  int room = (int)(sizeof out->name - strlen(word) - 2);
  if (in->name && in->name[0])
    snprintf(out->name, sizeof out->name, "%.*s_%s", room, in->name, word);
  else
    snprintf(out->name, sizeof out->name, "%s", word);
  if (kind == STATS_HISTOGRAM)
    snprintf(out->long_name, sizeof out->long_name, "values in %d bins from %.9g to %.9g",
             (int)p->bins, p->range.at[0], p->range.at[1]);
  else
    snprintf(out->long_name, sizeof out->long_name, "%s%s of %.60s",
             p->weights == STATS_COS_LAT && kind >= STATS_MEAN && kind <= STATS_STD
                 ? "area-weighted "
                 : "",
             word, in->name ? in->name : "");
  name_units(in->units ? in->units : "", kind, out);
}

static void add_axis(plait_output *out, const char *name, int64_t length, const double *coord) {
  int d = out->ndim++;
  out->shape[d] = length;
  out->from[d] = -1;
  out->coord[d] = coord;
  strcpy(out->dims[d], name);
}

static void plan_output(const plait_array *in, const stats_params *p, const bool reduced[],
                        int kind, plait_output *out) {
  name_output(in, p, kind, out);
  out->type = type_of(in, p, reduced, kind);
  for (int d = 0; d < in->ndim; d++) {
    if (reduced[d]) continue;
    out->shape[out->ndim] = in->shape[d];
    out->from[out->ndim++] = d;
  }
  if (kind == STATS_QUANTILE) add_axis(out, "quantile", p->quantiles.n, p->quantiles.at);
  if (kind == STATS_HISTOGRAM) add_axis(out, "bin", p->bins, NULL);
}

static void stats_plan(const plait_problem *problem, const void *params, plait_plan *plan) {
  const stats_params *p = params;
  stats_partial view;
  pl_stats_reduced(problem, p, plan->reduced);
  for (int d = 0; d < problem->input->ndim && pl_stats_wants(p, STATS_QUANTILE); d++)
    plan->whole[d] = plan->reduced[d];
  plan->unaligned = true;
  plan->strips = pl_stats_wants_moments(p) && !pl_stats_wants(p, STATS_HISTOGRAM) &&
                 !pl_stats_wants(p, STATS_QUANTILE) && !plan->reduced[problem->input->ndim - 1];
  plan->scratch_bytes = pl_stats_scratch(problem, p);
  size_t none = pl_stats_view(problem, p, 0, NULL, &view);
  plan->partial_per_cell = pl_stats_view(problem, p, 64, NULL, &view) / 64 - none / 64;
  plan->partial_bytes = none + 12 * 64; // each array begins on a line of 64 bytes
  plan->flops_per_cell = 7;
  for (int kind = 0; kind < STATS_KINDS; kind++)
    if (pl_stats_wants(p, kind))
      plan_output(problem->input, p, plan->reduced, kind, &plan->output[plan->noutputs++]);
}

// ---- partials -------------------------------------------------------------------------------
static void *take(char *memory, size_t *used, int64_t cells, size_t bytes) {
  void *at = memory ? memory + *used : NULL;
  *used += ((size_t)cells * bytes + 63) / 64 * 64;
  return at;
}

static void view_tally(const plait_problem *problem, const stats_params *p, int64_t cells,
                       char *memory, size_t *used, stats_tally *t) {
  t->cells = cells;
  t->count = take(memory, used, cells, 8);
  t->mean = take(memory, used, cells, 8);
  t->m2 = take(memory, used, cells, 8);
  t->lo = take(memory, used, cells, 8);
  t->hi = take(memory, used, cells, 8);
  t->weight = pl_stats_weighted(problem, p) ? take(memory, used, cells, 8) : t->count;
  t->sum = pl_stats_wants(p, STATS_SUM) ? take(memory, used, cells, 8) : NULL;
}

// Finds the arrays of a partial of `cells` cells in its bytes, or, without memory, counts those.
size_t pl_stats_view(const plait_problem *problem, const stats_params *p, int64_t cells,
                     void *memory, stats_partial *view) {
  size_t used = 0;
  *view = (stats_partial){.tally.cells = 0};
  if (pl_stats_wants_moments(p)) {
    view_tally(problem, p, STATS_SLOTS, memory, &used, &view->slots);
    view_tally(problem, p, cells, memory, &used, &view->tally);
  }
  if (pl_stats_wants(p, STATS_HISTOGRAM))
    view->histogram = take(memory, &used, cells, (size_t)p->bins * sizeof(int64_t));
  if (pl_stats_wants(p, STATS_QUANTILE))
    view->quantile = take(memory, &used, cells, (size_t)p->quantiles.n * sizeof(double));
  return used;
}

// Every thread merges its own pieces of the cells.
static void stats_merge(const plait_call *call, const plait_block *tile, void *left,
                        const void *right) {
  const stats_params *p = call->params;
  stats_partial a, b;
  int64_t cells = pl_stats_cells(tile, call->plan->reduced), piece = 4096;
  pl_stats_view(call->problem, p, cells, left, &a);
  pl_stats_view(call->problem, p, cells, (void *)right, &b);
  if (pl_stats_wants_moments(p)) {
#pragma omp for
    for (int64_t i = 0; i < cells; i += piece)
      pl_stats_merge(call->problem->input->type, &a.tally, i, &b.tally, i,
                     cells - i < piece ? cells - i : piece);
  }
  if (a.histogram) {
#pragma omp for
    for (int64_t i = 0; i < cells * p->bins; i++) a.histogram[i] += b.histogram[i];
  }
}

const plait_kernel plait_kernel_stats = {
    .name = "stats",
    .summary = "count, mean, std, min, max, quantiles, histogram over any axes in one pass",
    .pattern = PLAIT_REDUCE,
    .version = 1,
    .params = stats_table,
    .params_size = sizeof(stats_params),
    .takes = PLAIT_TAKES_ALL,
    .check = stats_check,
    .plan = stats_plan,
    .reduce = {.block = pl_stats_block, .merge = stats_merge, .finish = pl_stats_finish},
    .verify = pl_stats_verify};
