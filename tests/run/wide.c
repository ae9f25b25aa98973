// SPDX-License-Identifier: BSD-3-Clause
//
// wide - an evolve kernel as a user might write it, for tests: reads `below` and `above` cells
// along every axis, with weights that tell each of them from the others, in one to three
// dimensions.
#include <plait.h>
#include <string.h>

typedef struct wide_params {
  plait_reals cells;
  int64_t below, above;
  int edge;
} wide_params;

static const char *const edges[] = {"insulated", "fixed", "periodic", NULL};

static const plait_param wide_table[] = {{"cells", PLAIT_PARAM_REALS, offsetof(wide_params, cells),
                                          "", "along each axis", NULL, 0, 0, NULL, NULL, 0},
                                         {"below", PLAIT_PARAM_INT, offsetof(wide_params, below),
                                          "", "cells read below", "12", 0, 1000, NULL, NULL, 0},
                                         {"above", PLAIT_PARAM_INT, offsetof(wide_params, above),
                                          "", "cells read above", "12", 0, 1000, NULL, NULL, 0},
                                         {"edge", PLAIT_PARAM_CHOICE, offsetof(wide_params, edge),
                                          "", "of all faces", "insulated", 0, 0, edges, NULL, 0},
                                         {0}};

static void wide_plan(const plait_problem *problem, const void *params_, plait_grid *g) {
  static const plait_edge kinds[] = {PLAIT_EDGE_EVEN, PLAIT_EDGE_ODD, PLAIT_EDGE_PERIODIC};
  static const char *const names[] = {"z", "y", "x"};
  const wide_params *p = params_;
  (void)problem;
  g->ndim = p->cells.n;
  for (int a = 0; a < g->ndim; a++) {
    g->shape[a] = (int64_t)p->cells.at[a];
    strcpy(g->dims[a], names[3 - g->ndim + a]);
    g->spacing[a] = 1;
    g->edge[a][0] = g->edge[a][1] = kinds[p->edge];
    g->value[a][0] = 1;
    g->stage[0].below[a] = p->below;
    g->stage[0].above[a] = p->above;
  }
  g->nfields = g->nstages = g->ndiagnoses = 1;
  strcpy(g->field[0].name, "u");
  g->field[0].type = PLAIT_F64;
  g->field[0].twice = true;
  g->stage[0].writes = 1;
  strcpy(g->diagnose[0], "total");
}

static ptrdiff_t place(const plait_cells *b, const int64_t at[3]) {
  ptrdiff_t offset = 0;
  for (int a = 0; a < b->grid->ndim; a++) offset += at[a] * b->stride[a];
  return offset;
}

// Steps through the cells of a box; false behind the last.
static bool next_cell(const plait_cells *b, int64_t at[3]) {
  for (int a = b->grid->ndim - 1; a >= 0; a--) {
    if (++at[a] < b->n[a]) return true;
    at[a] = 0;
  }
  return false;
}

static void wide_initial(const plait_call *call, const plait_cells *b) {
  int64_t at[3] = {0};
  (void)call;
  do {
    uint32_t out[4], index = 0;
    for (int a = 0; a < b->grid->ndim; a++) index = index * 1000 + (uint32_t)(b->lo[a] + at[a]);
    plait_random(1, 0, index, out);
    ((double *)b->now[0])[place(b, at)] = plait_uniform(out[0], out[1]);
  } while (next_cell(b, at));
}

static void wide_advance(const plait_call *call, const plait_cells *b) {
  const wide_params *p = call->params;
  double reach = (double)(p->below + p->above + 1);
  int64_t at[3] = {0};
  do {
    const double *u = (const double *)b->now[0] + place(b, at);
    double sum = 0;
    for (int a = 0; a < b->grid->ndim; a++)
      for (int64_t k = -p->below; k <= p->above; k++)
        sum += (1 + 0.01 * (double)k) * (u[k * b->stride[a]] - u[0]);
    ((double *)b->next[0])[place(b, at)] = u[0] + 0.2 / reach * sum;
  } while (next_cell(b, at));
}

static void wide_diagnose(const plait_call *call, const plait_cells *b, double sum[]) {
  int64_t at[3] = {0};
  (void)call;
  do sum[0] += ((const double *)b->now[0])[place(b, at)];
  while (next_cell(b, at));
}

static const plait_kernel plait_kernel_wide = {.name = "wide",
                                               .summary = "reads many cells, for tests",
                                               .pattern = PLAIT_EVOLVE,
                                               .version = 1,
                                               .params = wide_table,
                                               .params_size = sizeof(wide_params),
                                               .evolve = {.plan = wide_plan,
                                                          .initial = wide_initial,
                                                          .advance = wide_advance,
                                                          .diagnose = wide_diagnose}};
PLAIT_OBJECT(wide)
