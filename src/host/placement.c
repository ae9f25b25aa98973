// SPDX-License-Identifier: BSD-3-Clause
//
// Decides where a rank computes.
//
// Which CPUs. `base` is what the cpuset and the launcher's own mask allow; `mask` is what this
// process was given.
//   inherit asked for           the mask, as it is
//   no launcher                 the mask (taskset, numactl: deliberate)
//   the mask is base            my share of base: nobody was bound, all ranks see the same CPUs
//   the mask is deliberate      the mask; where several ranks must have the same one (--bind-to
//   socket
//                               and more ranks than sockets) they divide the threads and nobody is
//                               bound
//   a launcher's default        my share of base, and that is said: "widened"
// How a deliberate mask is told from a default: surroundings.c. Where Slurm gave the job fewer CPUs
// than the cpuset has (no control groups), nothing is widened.
//
// How many threads. --threads, else OMP_NUM_THREADS, else one per core of the share, less where
// --cpus-per-task, a CPU quota, Slurm or OMP_THREAD_LIMIT say so. The strands that read and write
// mostly sleep, so they are not counted.
#include "host/placement.h"
#include "base/mem.h"
#include "host/placement_inside.h"
#include "host/share.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct decision { // on the way
  const pl_topology *topology;
  const pl_launch *launch;
  const pl_wish *wish;
  const pl_surroundings *around;
  pl_cpu *base, *mask, *share; // [topology->ncpus] each
  int nbase, nmask, nshare;
  int sharers; // ranks that have the same share
  bool bind;
} decision;

static void note(pl_placement *p, const char *format, ...) PLAIT_PRINTF(2, 3);
static void note(pl_placement *p, const char *format, ...) {
  size_t n = strlen(p->note);
  if (n > 0) n += (size_t)snprintf(p->note + n, sizeof p->note - n, "; ");
  if (n >= sizeof p->note) return;
  va_list args;
  va_start(args, format);
  vsnprintf(p->note + n, sizeof p->note - n, format, args);
  va_end(args);
}

// ---- which CPUs -----------------------------------------------------------------------------
static int pick(const pl_topology *t, const int *os, int n, pl_cpu *out) {
  int count = 0;
  for (int i = 0; i < t->ncpus; i++)
    for (int k = 0; k < n; k++)
      if (t->cpus[i].os == os[k]) {
        out[count++] = t->cpus[i];
        break;
      }
  return count;
}

static void take_all(const pl_topology *t, pl_cpu *out, int *n) {
  memcpy(out, t->cpus, (size_t)t->ncpus * sizeof *out);
  *n = t->ncpus;
}

static bool has(const pl_cpu *cpus, int n, int os) {
  for (int i = 0; i < n; i++)
    if (cpus[i].os == os) return true;
  return false;
}

static bool covers(const pl_cpu *mask, int nmask, const pl_cpu *base, int nbase) {
  for (int i = 0; i < nbase; i++)
    if (!has(mask, nmask, base[i].os)) return false;
  return true;
}

static void keep_mask(decision *d) {
  bool whole;
  d->nshare = pl_share_cut(d->mask, d->nmask, 0, 1, d->share, &whole);
}

static void cut_base(decision *d) {
  bool overlaps;
  int size = d->launch->local_size;
  d->nshare = pl_share_cut(d->base, d->nbase, d->launch->local_rank, size, d->share, &overlaps);
  if (overlaps) d->sharers = size;
}

static bool is_deliberate(const decision *d) {
  const pl_surroundings *a = d->around;
  if (a->told || !a->may_bind) return true;
  if (strcmp(d->launch->launcher, "srun") != 0) return false;
  bool one_core = pl_share_cores(d->mask, d->nmask) == 1;
  return a->task_cpus > 0 ? d->nmask >= a->task_cpus : !one_core;
}

// Slurm gave the job fewer CPUs than it can reach: the others may be somebody else's.
static bool is_unconfined(const decision *d) {
  return d->around->job_cpus >= d->launch->local_size && d->around->job_cpus < d->nbase;
}

static void widen(decision *d, pl_placement *p) {
  if (is_unconfined(d)) {
    keep_mask(d);
    note(p,
         "the binding to %d CPU%s is kept: Slurm gave the job %d of the %d CPUs that it can reach",
         d->nmask, d->nmask == 1 ? "" : "s", d->around->job_cpus, d->nbase);
    return;
  }
  cut_base(d);
  p->widened = !covers(d->mask, d->nmask, d->share, d->nshare);
  if (!p->widened) return;
  note(p, "%s bound this rank to %d of %d CPUs by default; it uses its share of %d",
       d->launch->launcher, d->nmask, d->nbase, d->nshare);
}

static void choose_cpus(decision *d, pl_placement *p) {
  bool alone = *d->launch->launcher == 0;
  int size = d->launch->local_size;
  if (alone || d->wish->inherit) {
    keep_mask(d);
    d->bind = alone && !d->wish->inherit;
  } else if (covers(d->mask, d->nmask, d->base, d->nbase)) {
    cut_base(d);
    if (is_unconfined(d)) d->bind = false;
  } else if (is_deliberate(d)) {
    keep_mask(d);
    d->sharers = (size * d->nmask + d->nbase - 1) / d->nbase;
  } else {
    widen(d, p);
  }
}

// ---- how many threads -----------------------------------------------------------------------
static int at_least_one(int n) {
  return n > 1 ? n : 1;
}

static void limit(int *threads, int most) {
  if (*threads > at_least_one(most)) *threads = at_least_one(most);
}

// srun hands less to its ranks than sbatch was given. Slurm counts hardware threads.
static void judge_step(const decision *d, int threads, pl_placement *p) {
  const pl_topology *t = d->topology;
  int size = d->launch->local_size, given = d->around->job_cpus,
      taken = d->around->task_cpus * size;
  if (taken > 0 && taken < given && threads * size < given * t->ncores / t->ncpus)
    note(p,
         "Slurm gave the job %d CPUs of this node, srun %d of them to its %d rank%s: "
         "srun --cpus-per-task=%d uses all",
         given, taken, size, size == 1 ? "" : "s", given / size);
}

static int own_threads(const decision *d, pl_placement *p) {
  int threads = at_least_one(pl_share_cores(d->share, d->nshare) / d->sharers), cores = threads;
  int size = d->launch->local_size;
  double quota = d->topology->quota;
  if (d->around->task_cpus > 0) limit(&threads, d->around->task_cpus);
  if (is_unconfined(d)) limit(&threads, d->around->job_cpus / size);
  judge_step(d, threads, p);
  if (d->around->omp_limit > 0) limit(&threads, d->around->omp_limit);
  if (quota > 0) limit(&threads, (int)(quota / size + 0.01));
  if (quota > 0 && quota < cores * size && threads < cores)
    note(p, "the control group allows the time of %.3g CPUs: %d thread%s on %d cores", quota,
         threads, threads == 1 ? "" : "s", cores);
  else if (quota > 0 && quota < cores * size)
    note(p, "the control group allows the time of %.3g CPUs to %d ranks", quota, size);
  return threads;
}

static void judge_wish(const decision *d, const char *what, pl_placement *p) {
  int cores = pl_share_cores(d->share, d->nshare);
  if (p->threads * d->sharers > d->nshare)
    note(p, "%s=%d: more threads than the %d CPU%s of the rank", what, p->threads, d->nshare,
         d->nshare == 1 ? "" : "s");
  else if (p->threads < cores / d->sharers)
    note(p, "%s=%d: %d of %d cores of the rank stay idle", what, p->threads, cores - p->threads,
         cores);
}

static void choose_threads(decision *d, pl_placement *p) {
  if (d->wish->threads > 0) {
    p->threads = d->wish->threads;
    judge_wish(d, "--threads", p);
  } else if (d->around->omp_threads > 0) {
    p->threads = d->around->omp_threads;
    judge_wish(d, "OMP_NUM_THREADS", p);
  } else {
    p->threads = own_threads(d, p);
  }
}

static void judge_load(const decision *d, pl_placement *p) {
  int size = d->launch->local_size;
  bool crowded = p->threads * d->sharers > d->nshare;
  bool starved = d->topology->quota > 0 && p->threads * size > d->topology->quota + 0.01;
  p->oversubscribed = crowded || starved;
  if (d->sharers > 1 && crowded)
    note(p, "%d ranks share %d CPU%s: they wait passively", d->sharers, d->nshare,
         d->nshare == 1 ? "" : "s");
}

static void judge_places(const decision *d, pl_placement *p) {
  p->user_places = d->around->omp_places;
  p->bound = d->bind && d->sharers == 1 && !p->user_places && !d->around->omp_unbound &&
             !p->oversubscribed;
  if (p->user_places && d->launch->local_size > 1)
    note(
        p,
        "the user's OMP_PLACES / OMP_PROC_BIND are kept: see that the %d ranks of this node do not "
        "get the same cores",
        d->launch->local_size);
}

static plait_err settle(decision *d, pl_placement *p) {
  const pl_topology *t = d->topology;
  const pl_surroundings *a = d->around;
  d->nbase = a->nouter > 0 ? pick(t, a->outer, a->nouter, d->base) : 0;
  if (d->nbase == 0) take_all(t, d->base, &d->nbase);
  if (a->nplaces > 0)
    d->nmask = pick(t, a->places, a->nplaces, d->mask);
  else
    d->nmask = pick(t, t->mask, t->nmask, d->mask);
  if (d->nmask == 0) take_all(t, d->mask, &d->nmask);
  choose_cpus(d, p);
  TRY(pl_alloc((size_t)d->nshare, sizeof *p->cpus, &p->cpus));
  for (int i = 0; i < d->nshare; i++) p->cpus[i] = d->share[i].os;
  p->ncpus = d->nshare;
  choose_threads(d, p);
  judge_load(d, p);
  judge_places(d, p);
  return PLAIT_OK;
}

plait_err pl_placement_decide_in(const pl_topology *topology, const pl_launch *launch,
                                 const pl_wish *wish, const pl_surroundings *around,
                                 pl_placement *placement) {
  plait_err err = PLAIT_OK;
  size_t n = (size_t)topology->ncpus;
  decision d = {.topology = topology,
                .launch = launch,
                .wish = wish,
                .around = around,
                .sharers = 1,
                .bind = true};
  *placement = (pl_placement){0};
  GUARD(pl_alloc(n, sizeof *d.base, &d.base));
  GUARD(pl_alloc(n, sizeof *d.mask, &d.mask));
  GUARD(pl_alloc(n, sizeof *d.share, &d.share));
  GUARD(settle(&d, placement));
done:
  pl_free(&d.base);
  pl_free(&d.mask);
  pl_free(&d.share);
  if (err != PLAIT_OK) pl_placement_free(placement);
  return err;
}

plait_err pl_placement_decide(const pl_launch *launch, const pl_wish *wish,
                              pl_placement *placement) {
  pl_surroundings around = {0};
  pl_topology topology;
  const char *decided = pl_placement_decided();
  if (decided != NULL) return pl_placement_read(decided, placement);
  TRY(pl_topology_find(NULL, &topology));
  plait_err err = pl_surroundings_find(launch, &around);
  if (err == PLAIT_OK) err = pl_placement_decide_in(&topology, launch, wish, &around, placement);
  pl_surroundings_free(&around);
  pl_topology_free(&topology);
  return err;
}

plait_err pl_placement_imagine(const pl_topology *topology, int rank, int ranks,
                               const pl_wish *wish, pl_placement *placement) {
  const pl_launch launch = {.launcher = "mpirun",
                            .launched = true,
                            .rank = rank,
                            .size = ranks,
                            .local_rank = rank,
                            .local_size = ranks};
  const pl_surroundings nothing = {0};
  return pl_placement_decide_in(topology, &launch, wish, &nothing, placement);
}

void pl_placement_free(pl_placement *placement) {
  pl_free(&placement->cpus);
  *placement = (pl_placement){0};
}
