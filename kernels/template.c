// SPDX-License-Identifier: BSD-3-Clause
//
// template - central difference along one axis: out(i) = (in(i + 1) - in(i - 1)) / (2 spacing).
// A kernel to copy: a map that reads one neighbour on each side. float32 only, to stay short.
//
// Units: of the input per unit of spacing.
// Shapes: in [.., n + 2, ..] along the axis, out [.., n, ..]. Cost: 8 B and 2 flops a cell.
// Bits: the same for any cut, ranks and threads.
// Source: B. Taylor, Methodus incrementorum (1715); error spacing^2 / 6 of the third derivative.
#include <plait.h>

typedef struct template_params {
  plait_axes axis;
  double spacing;
} template_params;

// What `plait describe` prints and every job file is checked against: name, kind, place in the
// struct, unit, help, default, range.
static const plait_param template_table[] = {
    {"axis", PLAIT_PARAM_AXES, offsetof(template_params, axis), "", "axis to differentiate along",
     .standard = "-1"},
    {"spacing", PLAIT_PARAM_REAL, offsetof(template_params, spacing), "", "distance of two cells",
     .standard = "1", .min = 1e-300, .max = 1e300},
    {0}};

// Optional: why these parameters or this input cannot work.
static const char *template_check(const plait_problem *problem, const void *params) {
  (void)problem;
  return ((const template_params *)params)->axis.n == 1 ? NULL : "axis: name one axis";
}

static void template_plan(const plait_problem *problem, const void *params, plait_plan *plan) {
  int axis = ((const template_params *)params)->axis.axis[0];
  plan->halo[axis] = 1; // cells that a result reads on each side, and what lies beyond the ends
  plan->boundary[axis] = PLAIT_NEAREST;
  plait_plan_map(plan, problem, PLAIT_F32);
}

static PLAIT_WIDE void difference(const float *restrict in, ptrdiff_t step, float factor, int64_t n,
                                  float *restrict out) {
  for (int64_t i = 0; i < n; i++) out[i] = (in[i + step] - in[i - step]) * factor;
}

// Every thread of the team comes here; the loop is shared among them.
static void template_block(const plait_call *call, const plait_block *in, const plait_block *out) {
  const template_params *p = call->params;
#pragma omp for
  for (int64_t row = 0; row < plait_rows(out); row++)
    difference(plait_row(in, row), in->stride[p->axis.axis[0]], (float)(0.5 / p->spacing),
               in->extent[in->ndim - 1], plait_row(out, row));
}

// Optional, and wise: the difference of a line 3x is 3, and half of that at its ends.
static plait_err template_verify(const plait_lab *lab) {
  float in[100], out[100];
  plait_array line = {.name = "line", .type = PLAIT_F32, .ndim = 1, .shape = {100}, .dims = {"x"}};
  for (int i = 0; i < 100; i++) in[i] = 3.0F * (float)i;
  plait_err err = lab->apply(lab, "spacing=1", &line, in, (int64_t[]){7}, (void *const[]){out});
  for (int i = 0; i < 100 && err == PLAIT_OK; i++)
    if (out[i] != (i % 99 ? 3.0F : 1.5F))
      err = plait_fail(PLAIT_VERIFY, "template: the slope of 3x is %g at %d", (double)out[i], i);
  return err;
}

const plait_kernel plait_kernel_template = {
    .name = "template",
    .summary = "central difference along one axis: the kernel to copy",
    .pattern = PLAIT_MAP,
    .version = 1,
    .params = template_table,
    .params_size = sizeof(template_params),
    .takes = PLAIT_TAKES(PLAIT_F32),
    .check = template_check,
    .plan = template_plan,
    .map = {.block = template_block},
    .verify = template_verify};
PLAIT_OBJECT(template)
