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

#define AT(member) offsetof(template_params, member)
static const plait_param template_table[] = {
    // what `plait describe` prints and every job file is checked against
    {.name = "axis",
     .kind = PLAIT_PARAM_AXES,
     .offset = AT(axis),
     .unit = "",
     .standard = "-1",
     .help = "the axis to differentiate along"},
    {.name = "spacing",
     .kind = PLAIT_PARAM_REAL,
     .offset = AT(spacing),
     .unit = "",
     .standard = "1",
     .help = "distance of two cells",
     .min = 1e-300,
     .max = 1e300},
    {0}};
#undef AT

static const char *template_check(const plait_problem *problem, const void *params) {
  const template_params *p = params;
  return p->axis.n != 1                               ? "axis: name one axis"
         : problem->input->shape[p->axis.axis[0]] < 2 ? "axis: has a single cell"
                                                      : NULL;
}

static void template_plan(const plait_problem *problem, const void *params, plait_plan *plan) {
  const template_params *p = params;
  plan->halo[p->axis.axis[0]] = 1;
  plan->boundary[p->axis.axis[0]] = PLAIT_NEAREST;
  plan->flops_per_cell = 2;
  plan->noutputs = 1;
  plan->output[0].type = PLAIT_F32;
  plan->output[0].ndim = problem->input->ndim;
  for (int d = 0; d < problem->input->ndim; d++) {
    plan->output[0].shape[d] = problem->input->shape[d];
    plan->output[0].from[d] = d;
  }
}

static PLAIT_WIDE void difference(const float *restrict in, ptrdiff_t step, float factor, int64_t n,
                                  float *restrict out) {
  for (int64_t i = 0; i < n; i++) out[i] = (in[i + step] - in[i - step]) * factor;
}

// Every thread of the team comes here; the loop is shared among them.
static void template_block(const plait_call *call, const plait_block *in, const plait_block *out) {
  const template_params *p = call->params;
  ptrdiff_t step = in->stride[p->axis.axis[0]];
#pragma omp for
  for (int64_t row = 0; row < plait_rows(out); row++)
    difference(plait_row(in, row), step, (float)(0.5 / p->spacing), in->extent[in->ndim - 1],
               plait_row(out, row));
}

// The difference of a line 3x is 3, and half of that at its ends, where the last value is repeated.
static plait_err template_verify(const plait_lab *lab) {
  float in[100], out[100];
  plait_array line = {.name = "line",
                      .units = "",
                      .type = PLAIT_F32,
                      .ndim = 1,
                      .shape = {100},
                      .dims = {"x"},
                      .coord_units = {""}};
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
