// SPDX-License-Identifier: BSD-3-Clause
//
// montecarlo - integrals over the unit cube and prices of options by random or Sobol points, with
// their standard errors.
//
// value = mean of f(x), x uniform in [0, 1]^d; error = its standard error. A sample is a point, or
//   with `antithetic` the mean of f(x) and f(1 - x). With a control variate g of known mean E:
//   value = mean f - b (mean g - E), b = cov(f, g) / var(g).
// Rounds of `samples` follow each other until the error is within `target`, `rounds` at most (when
//   that is not enough, a warning says so and `reached` is 0); each continues the sequence of
//   points. With a target or Sobol points a round is rounded up to 128 points of each sequence; the
//   output `samples` has the number that was used.
// Random points come from Philox, keyed by seed, dimension and number of the sample. Sobol
//   points are scrambled `scrambles` times independently, samples are shared out among them, and
//   the error is that of the mean of their values. Best with samples / scrambles a power of 2.
// Shapes: no input; out: value, error, samples, exact (NaN when it is not known), reached, and
//   round_value, round_error [rounds], NaN after the last: how it converged.
// Units: of money for options; rate and volatility per year, maturity in years.
// Bits: the same for any ranks, threads and schedules; the cut into blocks shows in the last bits.
// Source: P. Glasserman, Monte Carlo Methods in Financial Engineering (2003), chapters 4 and 5.
// montecarlo_integrands.c has the problems: a new one is ten lines and a row there. An integrand of
//   one's own is ten lines (PLAIT_INTEGRAND in plait.h): then it is the name of the kernel.
#include "montecarlo.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const methods[] = {"random", "sobol", NULL};
static const char *const options[] = {"call", "put", NULL};

#define ROW(member, what, normal, text)                                                            \
  .name = #member, .kind = what, .offset = offsetof(mc_params, member), .standard = normal,        \
  .help = text
#define SAMPLING                                                                                   \
  {ROW(samples, PLAIT_PARAM_INT, "1000000",                                                        \
       "of a round, each a point or with antithetic a pair; "                                      \
       "with a target or Sobol points rounded up to 128 of a sequence"),                           \
   .unit = "", .min = 2, .max = 1e15},                                                             \
      {ROW(target, PLAIT_PARAM_REAL, "0",                                                          \
           "ends when the standard error is below this; 0: one round"),                            \
       .unit = "", .min = 0, .max = 1e300},                                                        \
      {ROW(rounds, PLAIT_PARAM_INT, "100", "at most so many rounds"), .unit = "", .min = 1,        \
       .max = 100000},                                                                             \
      {ROW(method, PLAIT_PARAM_CHOICE, "random", "random points, or Sobol's"), .unit = "",         \
       .choices = methods},                                                                        \
      {ROW(scrambles, PLAIT_PARAM_INT, "16", "independent scramblings of Sobol points"),           \
       .unit = "", .min = 2, .max = 1024},                                                         \
      {ROW(antithetic, PLAIT_PARAM_BOOL, "false", "each point with its mirror image"),             \
       .unit = ""},                                                                                \
      {ROW(seed, PLAIT_PARAM_INT, "0", "of the random numbers"), .unit = "", .min = 0,             \
       .max = 9e15},                                                                               \
  {                                                                                                \
    ROW(dimensions, PLAIT_PARAM_INT, "2", "of the cube; steps of an average"),                     \
        .unit = "", .min = 1, .max = 10000                                                         \
  }
static const plait_param mc_table[] = {
    {ROW(problem, PLAIT_PARAM_CHOICE, NULL, "what to integrate"), .unit = "",
     .choices = pl_mc_names},
    SAMPLING,
    {ROW(control, PLAIT_PARAM_BOOL, "false", "use the control variate of the problem"), .unit = ""},
    {ROW(a, PLAIT_PARAM_REALS, "[1]", "Genz: difficulty, one number or one per dimension"),
     .unit = "", .min = 1e-6, .max = 1e4},
    {ROW(u, PLAIT_PARAM_REALS, "[0.5]", "Genz: shift, one number or one per dimension"), .unit = "",
     .min = 0, .max = 1},
    {ROW(option, PLAIT_PARAM_CHOICE, "call", "right to buy or to sell"), .unit = "",
     .choices = options},
    {ROW(spot, PLAIT_PARAM_REAL, "100", "price today"), .unit = "", .min = 1e-6, .max = 1e9},
    {ROW(strike, PLAIT_PARAM_REAL, "100", "price agreed on"), .unit = "", .min = 1e-6, .max = 1e9},
    {ROW(rate, PLAIT_PARAM_REAL, "0.05", "of interest, continuous"), .unit = "1/a", .min = -1,
     .max = 1},
    {ROW(volatility, PLAIT_PARAM_REAL, "0.2", "deviation of the logarithm of the price in a year"),
     .unit = "1/a^0.5", .min = 1e-6, .max = 10},
    {ROW(maturity, PLAIT_PARAM_REAL, "1", "time until the option ends"), .unit = "a", .min = 1e-6,
     .max = 1000},
    {0}};
static const plait_param own_table[] = {
    SAMPLING,
    {ROW(constants, PLAIT_PARAM_REALS, "[]", "numbers that the integrand takes"), .unit = ""},
    {0}};
#undef SAMPLING
#undef ROW

// ---- sizes ----------------------------------------------------------------------------------
typedef struct mc_sizes {
  const char *name;
  const mc_problem *problem;
  const plait_integrand *own; // in place of a problem
  int64_t d, streams, each;   // dimensions; independent sequences; points of each in a round
  bool control;
} mc_sizes;

static int64_t streams_of(const mc_params *p) {
  return p->method == MC_SOBOL ? p->scrambles : 1;
}

static mc_sizes sizes_of(const plait_problem *asked, const mc_params *p) {
  const plait_kernel *k = asked->kernel;
  mc_sizes s = {.name = k->name, .own = k->integrand.value ? &k->integrand : NULL};
  if (!s.own) s.problem = &pl_mc_problems[p->problem], s.name = s.problem->name;
  int64_t fixed = s.own ? s.own->dimensions : s.problem->dims;
  s.d = fixed > 0 ? fixed : p->dimensions;
  s.streams = streams_of(p);
  s.each = (p->samples + s.streams - 1) / s.streams;
  if (s.streams > 1 || p->target > 0) s.each = (s.each + MC_LANES - 1) / MC_LANES * MC_LANES;
  s.control = p->control && s.problem && s.problem->mean;
  return s;
}

static double exact(const mc_sizes *s, const mc_params *p) {
  if (s->problem) return s->problem->exact(p, s->d);
  return s->own->exact ? s->own->exact(s->d, &p->constants) : (double)NAN;
}

static bool fits(const plait_reals *list, int64_t d) {
  return list->n <= 1 || list->n == d;
}

static const char *mc_check(const plait_problem *problem, const void *params) {
  const mc_params *p = params;
  mc_sizes s = sizes_of(problem, p);
  return p->method == MC_SOBOL && s.d > MC_SOBOL_DIMS ? "dimensions: Sobol points have 64 at most"
         : p->method == MC_SOBOL && (double)s.each * (double)p->rounds > 4294967296.0 &&
                 p->target > 0
             ? "rounds: a Sobol sequence has 2^32 points at most"
         : p->method == MC_SOBOL && s.each > INT64_C(4294967296)
             ? "samples: a Sobol sequence has 2^32 points at most"
         : !fits(&p->a, s.d)        ? "a: give one number or one for each dimension"
         : !fits(&p->u, s.d)        ? "u: give one number or one for each dimension"
         : p->control && !s.control ? "control: this problem has no control variate"
         : s.own && s.own->constants != p->constants.n
             ? "constants: the integrand takes another number of them"
             : NULL;
}

typedef struct mc_state {
  mc_tally *tally;                   // [streams] of all rounds
  double *round_value, *round_error; // [rounds]
} mc_state;

static int64_t rounds_of(const mc_params *p) {
  return p->target > 0 ? p->rounds : 1;
}

static size_t state_bytes(const mc_params *p) {
  size_t streams = (size_t)streams_of(p), rounds = (size_t)rounds_of(p);
  return 3 * sizeof(double) + streams * sizeof(mc_tally) + 2 * rounds * sizeof(double);
}

static double *state_arrays(const mc_params *p, double *at, mc_state *s) {
  s->tally = (mc_tally *)(void *)(at + 3);
  s->round_value = (double *)(s->tally + streams_of(p));
  s->round_error = s->round_value + rounds_of(p);
  return at; // [0] rounds, [1] value, [2] error
}

// ---- plan -----------------------------------------------------------------------------------
static plait_output *add(plait_plan *plan, const char *name, const char *long_name) {
  plait_output *out = &plan->output[plan->noutputs++];
  snprintf(out->name, sizeof out->name, "%s", name);
  snprintf(out->long_name, sizeof out->long_name, "%s", long_name);
  out->type = PLAIT_F64;
  return out;
}

static void by_round(plait_output *out, int64_t rounds) {
  out->ndim = 1;
  out->from[0] = -1;
  out->shape[0] = rounds;
  snprintf(out->dims[0], sizeof out->dims[0], "round");
}

static void mc_plan(const plait_problem *problem, const void *params, plait_plan *plan) {
  const mc_params *p = params;
  mc_sizes s = sizes_of(problem, p);
  plan->space_ndim = 1;
  plan->space[0] = s.streams * s.each;
  plan->reduced[0] = true;
  plan->scratch_bytes = (size_t)(2 * s.d) * MC_LANES * sizeof(double) +
                        (size_t)s.d * 32 * sizeof(uint32_t) + (size_t)s.d * sizeof(double);
  plan->partial_bytes = (size_t)s.streams * sizeof(mc_tally);
  plan->shared_bytes = MC_PARTS * plan->partial_bytes;
  plan->state_bytes = state_bytes(p);
  add(plan, "value", "value of the integral");
  add(plan, "error", "standard error of the value");
  add(plan, "samples", "points, or with antithetic pairs, that were used");
  add(plan, "exact", "value in closed form");
  by_round(add(plan, "round_value", "value after each round"), rounds_of(p));
  by_round(add(plan, "round_error", "standard error after each round"), rounds_of(p));
  add(plan, "reached", "1: the error is within the target, 0: it is not; NaN without a target");
}

// ---- a block --------------------------------------------------------------------------------
typedef struct points {       // in the scratch of a thread
  double *u, *mirrored, *one; // [d, MC_LANES], [d, MC_LANES], [d]
  uint32_t (*v)[32];          // [d] direction numbers
  mc_keys keys;               // of the random numbers
} points;

static points points_of(const plait_call *call, const mc_sizes *s) {
  points x = {.u = call->scratch, .keys = pl_mc_keys(((const mc_params *)call->params)->seed)};
  x.mirrored = x.u + s->d * MC_LANES;
  x.one = x.mirrored + s->d * MC_LANES;
  x.v = (uint32_t(*)[32])(void *)(x.one + s->d);
  return x;
}

static void draw(const mc_params *p, const mc_sizes *s, int64_t stream, int64_t first, points *x) {
  if (p->method == MC_RANDOM) {
    for (int64_t j = 0; j < s->d; j++) pl_mc_uniform(&x->keys, j, first, x->u + j * MC_LANES);
    return;
  }
  for (int64_t j = 0; j < s->d; j++) {
    uint32_t key[4];
    plait_random((uint64_t)p->seed, (uint64_t)stream, (uint64_t)j, key);
    pl_mc_sobol(x->v[j], key[0] | 1, first, x->u + j * MC_LANES);
  }
}

static void values_at(const mc_params *p, const mc_sizes *s, const points *x, const double *u,
                      double *f, double *g) {
  if (s->own)
    pl_mc_own(s->own, p, s->d, u, x->one, f);
  else
    s->problem->value(p, s->d, u, f, g);
}

static void evaluate(const mc_params *p, const mc_sizes *s, points *x, double *f, double *g) {
  _Alignas(64) double other[MC_LANES], control[MC_LANES];
  values_at(p, s, x, x->u, f, s->control ? g : NULL);
  if (!p->antithetic) return;
  pl_mc_mirror(x->u, s->d * MC_LANES, x->mirrored);
  values_at(p, s, x, x->mirrored, other, s->control ? control : NULL);
  pl_mc_average(f, other);
  if (s->control) pl_mc_average(g, control);
}

// Points [lo, hi) of one stream in this round, MC_SPAN at most.
static void count_stream(const plait_call *call, const mc_sizes *s, points *x, int64_t stream,
                         int64_t lo, int64_t hi, mc_tally *tally) {
  mc_params p = *(const mc_params *)call->params;
  mc_sums sums = {.n = 0};
  _Alignas(64) double f[MC_LANES], g[MC_LANES];
  pl_mc_derive(&p);
  for (int64_t at = lo / MC_LANES * MC_LANES; at < hi; at += MC_LANES) {
    int64_t first = lo > at ? lo - at : 0, last = hi - at < MC_LANES ? hi - at : MC_LANES;
    draw(&p, s, stream, call->pass * s->each + at, x);
    evaluate(&p, s, x, f, g);
    pl_mc_count(f, s->control ? g : NULL, first, last, &sums);
  }
  pl_mc_close(&sums, tally);
}

// Points [lo, hi) of all the streams of this round, which lie one behind the other.
static void count_part(const plait_call *call, const mc_sizes *s, points *x, int64_t lo, int64_t hi,
                       mc_tally *tally) {
  for (int64_t end; lo < hi; lo = end) {
    int64_t stream = lo / s->each, start = stream * s->each, at = lo - start;
    int64_t last = at / MC_SPAN * MC_SPAN + MC_SPAN;
    if (last > s->each) last = s->each;
    end = hi < start + last ? hi : start + last;
    count_stream(call, s, x, stream, at, end - start, &tally[stream]);
  }
}

// Where a part begins: between vectors of points, unless that is where the block begins or ends.
static int64_t part_start(const plait_block *in, int part) {
  int64_t lo = in->origin[0], n = in->extent[0];
  int64_t at = (lo + n * part / MC_PARTS) / MC_LANES * MC_LANES;
  return part == MC_PARTS ? lo + n : at < lo ? lo : at;
}

static void mc_block(const plait_call *call, const plait_block *in, void *partial) {
  const mc_params *p = call->params;
  mc_sizes s = sizes_of(call->problem, p);
  points x = points_of(call, &s);
  mc_tally *parts = call->shared;
  if (p->method == MC_SOBOL)
    for (int64_t j = 0; j < s.d; j++) pl_mc_directions(j, x.v[j]);
#pragma omp for schedule(dynamic)
  for (int part = 0; part < MC_PARTS; part++) {
    mc_tally *mine = parts + part * s.streams;
    memset(mine, 0, (size_t)s.streams * sizeof *mine);
    count_part(call, &s, &x, part_start(in, part), part_start(in, part + 1), mine);
  }
#pragma omp single
  {
    memset(partial, 0, (size_t)s.streams * sizeof *parts);
    for (int64_t i = 0; i < MC_PARTS * s.streams; i++)
      pl_mc_join((mc_tally *)partial + i % s.streams, &parts[i]);
  }
}

static void mc_merge(const plait_call *call, const plait_block *tile, void *left,
                     const void *right) {
  (void)tile;
  int64_t streams = streams_of(call->params);
#pragma omp single
  for (int64_t i = 0; i < streams; i++)
    pl_mc_join((mc_tally *)left + i, (const mc_tally *)right + i);
}

// ---- results --------------------------------------------------------------------------------
static double factor(const mc_sizes *s, const mc_tally *all) {
  return s->control && all->gg > 0 ? all->fg / all->gg : 0;
}

// Value and standard error: of one random sequence by its variance, of several by theirs.
static void estimate(const mc_params *p, const mc_sizes *s, const mc_tally *tally, double *value,
                     double *error) {
  mc_tally all = {0}, means = {0};
  for (int64_t i = 0; i < s->streams; i++) pl_mc_join(&all, &tally[i]);
  double b = factor(s, &all), known = s->control ? s->problem->mean(p, s->d) : 0;
  for (int64_t i = 0; i < s->streams; i++) {
    mc_tally one = {.n = 1, .f = tally[i].f - b * (tally[i].g - known)};
    pl_mc_join(&means, &one);
  }
  double left = all.ff - b * all.fg;
  *value = means.f;
  *error = s->streams > 1 ? sqrt(means.ff / (means.n - 1) / means.n)
                          : sqrt((left > 0 ? left : 0) / (all.n - 1) / all.n);
}

static bool mc_next(const plait_call *call, const void *partial, void *bytes) {
  const mc_params *p = call->params;
  mc_sizes s = sizes_of(call->problem, p);
  mc_state state;
  double *head = state_arrays(p, bytes, &state);
  int64_t round = call->pass;
  for (int64_t i = 0; i < s.streams; i++)
    pl_mc_join(&state.tally[i], (const mc_tally *)partial + i);
  estimate(p, &s, state.tally, &head[1], &head[2]);
  if (!isfinite(head[1]) || !isfinite(head[2])) {
    plait_call_raise(call, "montecarlo: %s has values that are not finite", s.name);
    return false;
  }
  head[0] = (double)(round + 1);
  state.round_value[round] = head[1];
  state.round_error[round] = head[2];
  return round + 1 < rounds_of(p) && head[2] > p->target;
}

static void warn(const plait_call *call, const mc_params *p, const mc_sizes *s,
                 const double *head) {
  plait_call_warn(call,
                  "%s: the standard error is %.3g after all %.0f rounds, the target is %.3g "
                  "(params.rounds or params.samples: about %.3g times as many)",
                  s->name, head[2], head[0], p->target,
                  head[2] / p->target * (head[2] / p->target));
}

static void mc_finish(const plait_call *call, const plait_block *tile, const void *partial,
                      const plait_block out[]) {
  (void)tile, (void)partial;
  const mc_params *p = call->params;
  mc_sizes s = sizes_of(call->problem, p);
  mc_state state;
  const double *head = state_arrays(p, (void *)call->state, &state);
#pragma omp single
  {
    *(double *)out[0].data = head[1];
    *(double *)out[1].data = head[2];
    *(double *)out[2].data = head[0] * (double)(s.streams * s.each);
    *(double *)out[3].data = exact(&s, p);
    for (int64_t r = 0; r < rounds_of(p); r++) {
      ((double *)out[4].data)[r] = (double)r < head[0] ? state.round_value[r] : NAN;
      ((double *)out[5].data)[r] = (double)r < head[0] ? state.round_error[r] : NAN;
    }
    bool reached = head[2] <= p->target;
    *(double *)out[6].data = p->target > 0 ? reached : (double)NAN;
    if (p->target > 0 && !reached) warn(call, p, &s, head);
  }
}

const plait_kernel plait_kernel_montecarlo = {
    .name = "montecarlo",
    .summary = "integrals and option prices by random or Sobol points, with standard errors",
    .pattern = PLAIT_REDUCE,
    .version = 5,
    .params = mc_table,
    .params_size = sizeof(mc_params),
    .takes = 0,
    .check = mc_check,
    .plan = mc_plan,
    .reduce = {.block = mc_block, .merge = mc_merge, .finish = mc_finish, .next = mc_next},
    .verify = pl_mc_verify};

// What the loader makes of an object with PLAIT_INTEGRAND, under its own name.
const plait_kernel plait_kernel_integrand = {
    .name = "integrand",
    .summary = "an integral over the unit cube by random or Sobol points",
    .pattern = PLAIT_REDUCE,
    .version = 5,
    .params = own_table,
    .params_size = sizeof(mc_params),
    .takes = 0,
    .check = mc_check,
    .plan = mc_plan,
    .reduce = {.block = mc_block, .merge = mc_merge, .finish = mc_finish, .next = mc_next},
    .verify = pl_mc_verify_own};
