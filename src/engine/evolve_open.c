// SPDX-License-Identifier: BSD-3-Clause
//
// From an opened job to a march at its initial state's door. The order is that in which mistakes
// should be heard: decomposition, memory, input, step, gauges, output.
#include "base/mem.h"
#include "base/text.h"
#include "engine/evolve.h"
#include "engine/watchdog.h"
#include "host/topology.h"
#include <math.h>
#include <string.h>

// Cache that a thread may fill: its share of the last level, at most four second levels (beyond, a
// plane is no longer found where the level before left it).
static size_t cache_of_thread(void) {
  pl_topology t;
  if (pl_topology_find(NULL, &t) != PLAIT_OK) return 1 << 20;
  size_t l2 = t.l2 ? t.l2 : 1 << 20, share = t.l3 / (size_t)(t.l3_cores > 0 ? t.l3_cores : 1);
  pl_topology_free(&t);
  return share < l2 ? l2 : share > 4 * l2 ? 4 * l2 : share;
}

static plait_err make_coords(pl_evolve *e) {
  const plait_grid *g = &e->march.grid;
  const plait_array *in = e->task->problem.input;
  for (int a = 0; a < g->ndim; a++) {
    TRY(pl_alloc((size_t)g->shape[a], sizeof(double), &e->coord[a]));
    for (int64_t i = 0; i < g->shape[a]; i++)
      e->coord[a][i] = in && in->coord[a] ? in->coord[a][g->first[a] + i]
                                          : g->start[a] + g->spacing[a] * (double)i;
  }
  return PLAIT_OK;
}

static plait_err choose_fields(pl_evolve *e, const char *words) {
  pl_snapshots *s = &e->snapshots;
  const plait_grid *g = &e->march.grid;
  s->stride = e->task->job->evolve.stride;
  while (*words) {
    size_t n = strcspn(words, " ,");
    int f = 0;
    while (f < g->nfields &&
           (strlen(g->field[f].name) != n || strncmp(words, g->field[f].name, n) != 0))
      f++;
    if (n > 0 && f == g->nfields)
      return plait_fail(PLAIT_JOB, "evolve.fields: %s has no field '%.*s'",
                        e->task->job->kernel->name, (int)n, words);
    if (n > 0) s->field[s->nfields++] = f;
    words += n + strspn(words + n, " ,");
    if (s->nfields == PLAIT_FIELDS) break;
  }
  if (s->nfields == 0) s->field[s->nfields++] = 0;
  return PLAIT_OK;
}

// The smallest limit of all ranks, and whether a kernel objected. Collective.
static plait_err find_limit(pl_evolve *e, double *limit) {
  pl_comm *comm = e->march.comm;
  double mine = pl_march_limit(&e->march), *all = NULL;
  TRY(pl_comm_agree(comm, pl_raised(&e->march.raise)));
  TRY(pl_comm_agree(comm, pl_alloc((size_t)pl_comm_size(comm), sizeof *all, &all)));
  plait_err err = pl_comm_allgather(comm, &mine, sizeof mine, all);
  *limit = INFINITY;
  for (int r = 0; err == PLAIT_OK && r < pl_comm_size(comm); r++)
    *limit = all[r] < *limit ? all[r] : *limit;
  pl_free(&all);
  return err;
}

static plait_err choose_steps(pl_evolve *e, double limit) {
  const pl_evolve_job *j = &e->task->job->evolve;
  double dt = j->dt;
  if (dt > limit)
    return plait_fail(PLAIT_JOB, "evolve.step: %g s is unstable: at most %.6g s on this grid", dt,
                      limit);
  if (dt == 0 && !isfinite(limit))
    return plait_fail(PLAIT_JOB, "evolve.step: give a step; the kernel knows no limit here");
  if (dt == 0) dt = 0.9 * limit;
  if (j->dt == 0 && j->snapshot_every > 0)
    dt = j->snapshot_every / ceil(j->snapshot_every / dt - 1e-9);
  double steps = j->duration > 0 ? ceil(j->duration / dt - 1e-9) : (double)j->steps;
  if (j->duration > 0 && j->steps > 0)
    return plait_fail(PLAIT_JOB, "evolve: give `duration` or `steps`, not both");
  if (!(steps >= 1))
    return plait_fail(PLAIT_JOB, "evolve: no steps to make (`duration` or `steps`)");
  double every = j->snapshot_every > 0 ? fmax(1, floor(j->snapshot_every / dt + 0.5))
                                       : (double)j->snapshot_steps;
  if (steps > 0x1p40 || every > 0x1p40 || !isfinite(dt * steps))
    return plait_fail(PLAIT_JOB, "evolve: %g steps of %g s are too many", steps, dt);
  e->march.dt = e->march.tiling.dt = dt;
  e->steps = (int64_t)steps;
  e->every = (int64_t)every;
  e->nsnapshots = e->every > 0 ? e->steps / e->every + 1 : 2;
  return PLAIT_OK;
}

// What is kept of every snapshot and every value of a gauge until the end, on rank 0, which has all
// of it: refused here, or a job of a billion snapshots takes the memory of the node bit by bit.
static plait_err check_series(pl_evolve *e) {
  const pl_evolve_job *j = &e->task->job->evolve;
  double sums = j->sums ? (double)e->march.grid.ndiagnoses : 0;
  double samples = (double)pl_gauges_samples(j, e->march.dt, e->steps);
  double series = (double)e->nsnapshots * (3 + 2 * sums); // time, checksum; both twice when saved
  series += samples * (1 + (double)j->gauges.n * (2 + pl_comm_size(e->march.comm)));
  double bytes = series * sizeof(double);
  if (bytes > (double)e->task->budget) {
    char budget[32];
    pl_format_size(e->task->budget, budget);
    return plait_fail(PLAIT_JOB,
                      "evolve: the time axes of %.6g snapshots and %.6g values of a gauge take "
                      "%.3g GiB of memory, run.memory is %s: keep fewer",
                      (double)e->nsnapshots, samples, bytes / 0x1p30, budget);
  }
  e->task->needed += (int64_t)bytes;
  return PLAIT_OK;
}

int64_t pl_evolve_snapshot_at(const pl_evolve *e, int64_t step) {
  if (e->every > 0) return step % e->every == 0 ? step / e->every : -1;
  return step == 0 ? 0 : step == e->steps ? 1 : -1;
}

int64_t pl_evolve_step_of(const pl_evolve *e, int64_t snapshot) {
  return e->every > 0 ? snapshot * e->every : snapshot * e->steps;
}

// All of what is left where the job does not say: the state must be in memory.
static double most_bytes(const pl_task *task) {
  return (task->job->run.memory > 0 ? 1 : 2) * (double)task->budget;
}

static plait_err start_march(pl_comm *comm, pl_evolve *e, int threads) {
  const pl_job *job = e->task->job;
  pl_march_setup setup = {.kernel = job->kernel,
                          .problem = &e->task->problem,
                          .params = job->params,
                          .threads = threads > 0 ? threads : 1,
                          .cache = cache_of_thread(),
                          .depth = (int)job->evolve.tile,
                          .overlap = job->run.overlap,
                          .most_bytes = most_bytes(e->task)};
  TRY(pl_march_start(comm, &setup, &e->march));
  e->task->needed = (int64_t)pl_fields_bytes(&e->march.grid, &e->march.fields.part);
  TRY(make_coords(e));
  TRY(choose_fields(e, job->evolve.fields));
  pl_watchdog_begin(job->dog, PL_WATCH_FILES, -1);
  plait_err err = pl_evolve_load(e);
  pl_watchdog_end(job->dog, PL_WATCH_FILES);
  return err;
}

// Memory beside the fields: snapshots, maxima and arrival times of own cells, partial sums.
static void count_outputs(pl_evolve *e) {
  const pl_snapshots *s = &e->snapshots;
  int64_t bytes = 0, own = 1;
  for (int i = 0; i < s->nfields; i++)
    bytes += s->nslots * s->cells * (int64_t)e->march.fields.size[s->field[i]];
  for (int a = 0; a < PL_AXES; a++) own *= e->march.fields.part.n[a];
  bytes += ((e->gauges.maximum != NULL) + (e->gauges.arrival != NULL)) * own * 4;
  if (e->sums) bytes += pl_sums_bytes(&e->block_sums);
  e->task->needed += bytes;
}

static plait_err finish_open(pl_evolve *e) {
  pl_task *task = e->task;
  if (task->job->evolve.sums && e->march.grid.ndiagnoses > 0) {
    TRY(pl_calloc((size_t)(e->nsnapshots * e->march.grid.ndiagnoses), sizeof(double), &e->sums));
    TRY(pl_sums_start(&e->march, &e->block_sums));
  }
  TRY(pl_calloc((size_t)e->nsnapshots, sizeof *e->snapshots.hash, &e->snapshots.hash));
  TRY(pl_snapshots_start(&e->march, &e->snapshots));
  count_outputs(e);
  TRY(pl_evolve_layout(e));
  int64_t cells = 1;
  for (int a = 0; a < e->march.grid.ndim; a++)
    cells *= pl_snapshot_kept(e->march.grid.shape[a], e->snapshots.stride);
  for (int i = 0; i < e->snapshots.nfields; i++)
    task->bytes_written +=
        e->nsnapshots * cells * (int64_t)e->march.fields.size[e->snapshots.field[i]];
  if (task->input) task->bytes_read = pl_dataset_file_bytes(task->input);
  return PLAIT_OK;
}

static plait_err check_output(const pl_task *task) {
  if (task->resume.finished) return PLAIT_OK;
  TRY(pl_output_check(task->job->output, &task->layout, task->job->force));
  return task->job->sample > 0 ? PLAIT_OK : pl_evolve_check_gauges(task->evolve);
}

plait_err pl_evolve_open(pl_comm *comm, pl_task *task, int local_size, int threads) {
  (void)local_size;
  pl_evolve *e = NULL;
  TRY(pl_comm_agree(comm, pl_calloc(1, sizeof *e, &e)));
  task->evolve = e;
  e->task = task;
  e->var_sum = e->var_maximum = e->var_arrival = e->var_gauge = -1;
  TRY(pl_comm_agree(comm, start_march(comm, e, threads)));
  TRY(find_limit(e, &e->limit));
  TRY(pl_comm_agree(comm, choose_steps(e, e->limit)));
  return pl_comm_agree(comm, check_series(e));
}

// A wave needs a start: in a field with a mask (water), the source lay on land or outside.
// Collective.
static plait_err check_start(pl_comm *comm, const pl_evolve *e) {
  const pl_march *m = &e->march;
  const pl_part *p = &m->fields.part;
  int64_t moved = m->grid.field[0].mask == 0, c[PL_AXES];
  for (c[0] = p->lo[0]; c[0] < p->lo[0] + p->n[0] && !moved; c[0]++)
    for (c[1] = p->lo[1]; c[1] < p->lo[1] + p->n[1] && !moved; c[1]++)
      for (c[2] = p->lo[2]; c[2] < p->lo[2] + p->n[2] && !moved; c[2]++) {
        const char *at = m->fields.data[0][0] + pl_part_offset(p, c) * (ptrdiff_t)m->fields.size[0];
        for (size_t b = 0; b < m->fields.size[0]; b++) moved |= at[b] != 0;
      }
  TRY(pl_comm_max_int(comm, &moved, 1));
  if (moved) return PLAIT_OK;
  return plait_fail(
      PLAIT_JOB,
      "%s is 0 everywhere at the start: no source, or it lies on land or outside the grid",
      m->grid.field[0].name);
}

// The gauges need the kernel's masks, and those its initial state: made with a team of one here.
plait_err pl_evolve_prepare(pl_comm *comm, pl_task *task) {
  pl_evolve *e = task->evolve;
  int threads = e->march.threads;
  e->march.threads = 1;
  plait_err err = pl_march_initial(&e->march, e->march.dt, 0);
  e->march.threads = threads;
  TRY(pl_comm_agree(comm, err));
  TRY(pl_comm_agree(comm, pl_raised(&e->march.raise)));
  TRY(check_start(comm, e));
  const double *coord[PL_AXES] = {e->coord[0], e->coord[1], e->coord[2]};
  TRY(pl_gauges_start(&e->march, &task->job->evolve, coord, e->steps, &e->gauges));
  TRY(pl_comm_agree(comm, finish_open(e)));
  TRY(pl_evolve_find(e));
  return pl_comm_agree(comm, check_output(task));
}

void pl_evolve_close(pl_evolve **at) {
  if (!*at) return;
  pl_evolve *e = *at;
  pl_snapshots_stop(&e->snapshots);
  pl_gauges_stop(&e->gauges);
  pl_march_stop(&e->march);
  pl_checkpoints_close(&e->store);
  pl_sums_stop(&e->block_sums);
  pl_free(&e->sums);
  for (int a = 0; a < PL_AXES; a++) pl_free(&e->coord[a]);
  pl_free(at);
}
