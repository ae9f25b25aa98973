// SPDX-License-Identifier: BSD-3-Clause
//
// One function for each kind of finding; each says what it saw, with numbers, and the cure. A thing
// that several ranks of a node share is told once, by the lowest of them.
#include "engine/findings.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const int64_t mib = 1024 * 1024;
static const int64_t shm_of_rank = 16 * 1024 * 1024; // what Open MPI's segments and windows take
static const double slow_storage = 50e6;             // bytes/s

typedef struct bench { // what all judges see
  const pl_station_facts *rank;
  int n;
  bool launched;
  const pl_storage_facts *storage;
  const pl_job_facts *job;
  pl_findings *out;
} bench;

static pl_finding *next(bench *b, bool problem) {
  static pl_finding lost;
  b->out->problems += problem;
  pl_finding *f = b->out->n < PL_FINDINGS ? &b->out->at[b->out->n++] : &lost;
  *f = (pl_finding){.problem = problem};
  return f;
}

static void put(bench *b, bool problem, const char *cure, const char *format, ...)
    PLAIT_PRINTF(4, 5);
static void put(bench *b, bool problem, const char *cure, const char *format, ...) {
  pl_finding *f = next(b, problem);
  va_list args;
  va_start(args, format);
  vsnprintf(f->what, sizeof f->what, format, args);
  va_end(args);
  snprintf(f->cure, sizeof f->cure, "%s", cure);
}

// ---- sets of CPUs ---------------------------------------------------------------------------
enum { WORDS = PL_STATION_CPUS / 64 };

static int common(const pl_station_facts *a, const pl_station_facts *b) {
  int n = 0;
  for (int i = 0; i < WORDS; i++) n += __builtin_popcountll(a->cpus[i] & b->cpus[i]);
  return n;
}

void pl_findings_cpus(const pl_station_facts *rank, char *out, size_t room) {
  size_t used = 0;
  *out = 0;
  for (int i = 0; i < PL_STATION_CPUS && used < room; i++) {
    int from = i;
    while (i < PL_STATION_CPUS && rank->cpus[i / 64] >> (i % 64) & 1) i++;
    if (i == from) continue;
    int n = i - 1 == from
                ? snprintf(out + used, room - used, "%s%d", used ? "," : "", from)
                : snprintf(out + used, room - used, "%s%d-%d", used ? "," : "", from, i - 1);
    used += (size_t)n;
  }
}

// ---- nodes ----------------------------------------------------------------------------------
typedef struct node {
  const pl_station_facts *first; // its lowest rank
  int ranks, threads;
  int used; // CPUs in any rank's share
} node;

static bool same_host(const pl_station_facts *a, const pl_station_facts *b) {
  return !strcmp(a->host, b->host);
}

// The node whose lowest rank is `r`; false when another rank is.
static bool node_of(const bench *b, int r, node *found) {
  uint64_t seen[WORDS] = {0};
  *found = (node){.first = &b->rank[r]};
  for (int i = 0; i < r; i++)
    if (same_host(&b->rank[i], &b->rank[r])) return false;
  for (int i = r; i < b->n; i++) {
    if (!same_host(&b->rank[i], &b->rank[r])) continue;
    found->ranks++;
    found->threads += b->rank[i].threads;
    for (int w = 0; w < WORDS; w++) seen[w] |= b->rank[i].cpus[w];
  }
  for (int w = 0; w < WORDS; w++) found->used += __builtin_popcountll(seen[w]);
  return true;
}

static double cores_with_time(const pl_station_facts *f) {
  return f->quota > 0 && f->quota < f->node_cores ? f->quota : f->node_cores;
}

// Few CPUs come from a mask, few threads on them from a wish.
static const char *cure_of_idle(const node *n) {
  bool masked = n->used < n->first->node_cpus, few = n->threads < n->used;
  if (masked && !few)
    return "leave out taskset, --bind-to, --cpu-bind, OMP_PLACES or run.placement: inherit, "
           "whichever narrows the run to these CPUs; or start more ranks";
  if (few && !masked)
    return "leave out --threads, run.threads or OMP_NUM_THREADS, whichever is set; or start more "
           "ranks";
  return "start more ranks, or leave out --threads, run.threads, OMP_NUM_THREADS, --bind-to and "
         "taskset, whichever narrows the run";
}

static void judge_idle(bench *b, const node *n) {
  int busy = n->threads < n->used ? n->threads : n->used;
  int idle = (int)(cores_with_time(n->first) + 0.01) - busy;
  if (idle <= 0) return;
  put(b, true, cure_of_idle(n),
      "%s: %d of %d cores stay idle (%d rank%s with %d compute thread%s in all)", n->first->host,
      idle, n->first->node_cores, n->ranks, n->ranks == 1 ? "" : "s", n->threads,
      n->threads == 1 ? "" : "s");
}

static void judge_crowd(bench *b, const node *n) {
  double have = n->used;
  if (n->first->quota > 0 && n->first->quota < have) have = n->first->quota;
  if (n->threads <= (have < 1 ? 1 : have + 0.01)) return; // one is the least: judge_quota
  char cure[160];
  int fit = have >= 1 ? (int)(have + 0.01) : 1;
  if (n->ranks == 1)
    snprintf(cure, sizeof cure,
             "--threads %d, or leave out what asks for more (OMP_NUM_THREADS, "
             "run.threads)",
             fit);
  else
    snprintf(cure, sizeof cure,
             "%d compute thread%s in all on this node: fewer ranks (mpirun -np %d), or --threads",
             fit, fit == 1 ? "" : "s", fit);
  put(b, true, cure, "%s: %d compute threads take turns on %.3g CPU%s", n->first->host, n->threads,
      have, have == 1 ? "" : "s");
}

static void judge_overlap(bench *b, const node *n) {
  int pairs = 0, shared = 0, one = -1, other = -1;
  for (int i = 0; i < b->n; i++)
    for (int k = i + 1; k < b->n; k++) {
      const pl_station_facts *x = &b->rank[i], *y = &b->rank[k];
      if (!same_host(x, n->first) || !same_host(y, n->first)) continue;
      int both = common(x, y);
      if (both == 0 || x->threads + y->threads <= x->ncpus + y->ncpus - both) continue;
      if (pairs++ == 0) one = i, other = k, shared = both;
    }
  if (pairs == 0 || n->ranks > n->first->node_cpus) return; // more ranks than CPUs: judge_crowd
  put(b, true,
      "leave out OMP_PLACES, OMP_PROC_BIND and the launcher's binding options: plait divides the "
      "cores",
      "%s: ranks %d and %d use the same %d CPU%s%s", n->first->host, b->rank[one].rank,
      b->rank[other].rank, shared, shared == 1 ? "" : "s", pairs > 1 ? ", and others too" : "");
}

static void judge_quota(bench *b, const node *n) {
  const pl_station_facts *f = n->first;
  bool told = strstr(f->note, "control group") != NULL; // by the placement
  if (f->quota <= 0 || f->quota >= f->node_cores || told) return;
  put(b, false, "raise the CPU limit of the control group or container, if there is more to be had",
      "%s: the control group allows the time of %.3g CPUs, of %d cores", f->host, f->quota,
      f->node_cores);
}

static void judge_others(bench *b, const node *n) {
  if (n->first->others < 0.3) return;
  put(b, false, "wait for them, or give plait fewer cores: times will be uneven",
      "%s: other programs use %.1f of %d CPUs just now", n->first->host, n->first->others,
      n->first->node_cpus);
}

static void judge_shm(bench *b, const node *n) {
  int64_t needed = n->ranks * shm_of_rank;
  if (!b->launched || n->ranks < 2 || n->first->shm < 0 || n->first->shm >= needed) return;
  put(b, true,
      "docker run --shm-size=1g, or mount -o remount,size=1g /dev/shm; remove what killed runs "
      "left "
      "there (vader_segment.*)",
      "%s: %lld MiB are free in /dev/shm, the messages of %d ranks need about %lld MiB",
      n->first->host, (long long)(n->first->shm / mib), n->ranks, (long long)(needed / mib));
}

static void judge_memory(bench *b, const node *n) {
  if (!b->job->present || b->job->needed <= 0 || n->first->memory <= 0) return;
  double needed = (double)b->job->needed * n->ranks;
  if (needed <= (double)n->first->memory) return;
  put(b, true, "fewer ranks with more threads each, or a smaller run.memory",
      "%s: %d ranks need %.3g GiB together, the node gives %.3g GiB", n->first->host, n->ranks,
      needed / 0x1p30, (double)n->first->memory / 0x1p30);
}

// ---- ranks ----------------------------------------------------------------------------------
static void judge_note(bench *b, const pl_station_facts *f) {
  if (!*f->note) return;
  put(b, false,
      f->widened ? "nothing to do; run.placement: inherit keeps the launcher's binding" : "",
      "%s, rank %d: %s", f->host, f->rank, f->note);
}

static void judge_variables(bench *b, const node *n) {
  const pl_station_facts *f = n->first;
  if (f->spins && n->threads > n->used)
    put(b, true, "unset OMP_WAIT_POLICY",
        "%s: OMP_WAIT_POLICY=active lets waiting threads burn the CPUs that others need", f->host);
  if (f->thread_limit > 0 && f->thread_limit < f->threads + 2)
    put(b, true, "unset OMP_THREAD_LIMIT, or raise it by 2",
        "%s: OMP_THREAD_LIMIT=%d leaves no threads for reading and writing beside %d compute "
        "threads",
        f->host, f->thread_limit, f->threads);
  if (*f->affinity && n->ranks > 1 && !strstr(f->note, "OMP_PLACES"))
    put(b, false, "unset it: plait binds the threads of every rank to cores of its own",
        "%s: %s places threads for all %d ranks alike", f->host, f->affinity, n->ranks);
}

static void judge_limits(bench *b, const node *n) {
  const pl_station_facts *f = n->first;
  if (f->files >= 0 && f->files < 256)
    put(b, true, "ulimit -n 1024", "%s: a process may open %lld files only", f->host,
        (long long)f->files);
  if (f->file_bytes >= 0 && (f->file_bytes < b->job->written || !b->job->present))
    put(b, b->job->present, "ulimit -f unlimited", "%s: a file may have %.3g MiB only", f->host,
        (double)f->file_bytes / (double)mib);
  if (f->address_bytes >= 0 && f->address_bytes < b->job->needed + 512 * mib)
    put(b, true, "ulimit -v unlimited; ulimit -d unlimited",
        "%s: a process may have %.3g MiB of address space only", f->host,
        (double)f->address_bytes / (double)mib);
  if (f->infiniband && f->locked_bytes >= 0 && f->locked_bytes < 64 * mib)
    put(b, false, "ulimit -l unlimited (in limits.conf, or LimitMEMLOCK of slurmd)",
        "%s: InfiniBand is here, but only %.3g MiB may be locked for it", f->host,
        (double)f->locked_bytes / (double)mib);
}

// ---- storage and job ------------------------------------------------------------------------
static void judge_storage(bench *b) {
  const pl_storage_facts *s = b->storage;
  if (!*s->dir) return;
  if (*s->error) {
    put(b, true, "another output, or the right to write there", "%s: %s", s->dir, s->error);
    return;
  }
  if (b->job->present && s->free < b->job->written)
    put(b, true, "another place for the output, or delete something",
        "%s: %.3g GiB are free, the output has %.3g GiB", s->dir, (double)s->free / 0x1p30,
        (double)b->job->written / 0x1p30);
  if (!strcmp(s->kind, "tmpfs"))
    put(b, false, "a directory on a disk, if the output is large",
        "%s is in memory: the output takes away from what the ranks may use", s->dir);
  else if (s->rate > 0 && s->rate < slow_storage)
    put(b, false, "a faster file system (scratch) for the output", "%s: written at %.3g MB/s only",
        s->dir, s->rate / 1e6);
}

static void judge_job(bench *b) {
  if (*b->job->error) put(b, true, "", "%s", b->job->error);
}

static void problems_first(pl_findings *out) {
  for (int i = 1; i < out->n; i++)
    for (int k = i; k > 0 && out->at[k].problem && !out->at[k - 1].problem; k--) {
      pl_finding swap = out->at[k];
      out->at[k] = out->at[k - 1];
      out->at[k - 1] = swap;
    }
}

void pl_findings_judge(const pl_station_facts *ranks, int n, bool launched,
                       const pl_storage_facts *storage, const pl_job_facts *job,
                       pl_findings *findings) {
  static void (*const of_node[])(bench *, const node *) = {
      judge_overlap, judge_crowd,     judge_idle,   judge_memory, judge_shm,
      judge_limits,  judge_variables, judge_others, judge_quota};
  bench b = {ranks, n, launched, storage, job, findings};
  *findings = (pl_findings){0};
  judge_job(&b);
  judge_storage(&b);
  for (int r = 0; r < n; r++) {
    node one;
    if (!node_of(&b, r, &one)) continue;
    for (size_t i = 0; i < sizeof of_node / sizeof *of_node; i++) of_node[i](&b, &one);
    judge_note(&b, &ranks[r]);
  }
  problems_first(findings);
}
