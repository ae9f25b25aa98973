// SPDX-License-Identifier: BSD-3-Clause
//
// Measuring for a plan: the trials (plan_trials.c), the storage, and the file that keeps the
// figures for the next call.
#include "command/plan.h"
#include "engine/probe.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- keeping --------------------------------------------------------------------------------
static int list_of(pl_plan *p, pl_measured list[32]) {
  pl_load *l = &p->load;
  const pl_measured all[] = {{"compute", l->compute},
                             {"sharing", l->sharing},
                             {"team", l->team},
                             {"crowding", l->crowding},
                             {"read", l->read},
                             {"write", l->write},
                             {"io_cpu", l->io_cpu},
                             {"units", l->units},
                             {"pieces", l->pieces},
                             {"messages", l->messages},
                             {"message_bytes", l->message_bytes},
                             {"start_one", l->start_one},
                             {"start_ranks", l->start_ranks},
                             {"start_more", l->start_more},
                             {"storage_bytes", l->storage_bytes},
                             {"storage_rate", l->storage_rate},
                             {"exposed", l->exposed},
                             {"team_reads", l->team_reads},
                             {"memory_fixed", l->memory_fixed},
                             {"memory_thread", l->memory_thread},
                             {"memory_shared", l->memory_shared},
                             {"spread", l->spread},
                             {"cells_rate", p->cells_rate},
                             {"flops_per_cell", p->flops_per_cell}};
  memcpy(list, all, sizeof all);
  return (int)(sizeof all / sizeof *all);
}

static void take_list(const pl_measured list[], pl_plan *p) {
  pl_load *l = &p->load;
  double *const to[] = {&l->compute,       &l->sharing,    &l->team,          &l->crowding,
                        &l->read,          &l->write,      &l->io_cpu,        &l->units,
                        &l->pieces,        &l->messages,   &l->message_bytes, &l->start_one,
                        &l->start_ranks,   &l->start_more, &l->storage_bytes, &l->storage_rate,
                        &l->exposed,       &l->team_reads, &l->memory_fixed,  &l->memory_thread,
                        &l->memory_shared, &l->spread,     &p->cells_rate,    &p->flops_per_cell};
  for (size_t i = 0; i < sizeof to / sizeof *to; i++) *to[i] = list[i].value;
}

bool pl_plan_recall(const char *key, pl_plan *plan) {
  pl_measured list[32];
  int n = list_of(plan, list);
  plan->load.cores = plan->cores_here;
  if (!pl_probe_recall(key, list, n)) return false;
  take_list(list, plan);
  return true;
}

static void measure_storage(const char *output, pl_load *load) {
  enum { BYTES = 64 << 20 };
  pl_storage_facts storage;
  char dir[4096];
  if (!strncmp(output, "null:", 5)) return;
  snprintf(dir, sizeof dir, "%s", output);
  char *slash = strrchr(dir, '/');
  if (!slash) return;
  *slash = 0;
  pl_probe_storage(dir, BYTES, &storage);
  load->storage_rate = storage.rate;
}

plait_err pl_plan_measure(const pl_trial_job *job, const char *key, const pl_plan_effort *effort,
                          pl_plan *plan) {
  pl_measured list[32];
  plan->recalled = !effort->again && pl_plan_recall(key, plan);
  if (plan->recalled) return PLAIT_OK;
  pl_plan_trials t = {.spread = 0};
  TRY(pl_plan_run_trials(job, plan, effort, &t));
  plan->turns = t.turns;
  pl_plan_load(&t, plan->cores_here, &plan->load);
  measure_storage(job->output, &plan->load);
  plan->cells_rate = t.one.compute > 0 ? (double)t.one.cells / t.one.compute : 0;
  plan->flops_per_cell = fmax(t.one.flops_per_cell, 0);
  pl_probe_keep(key, list, list_of(plan, list));
  return PLAIT_OK;
}
