// SPDX-License-Identifier: BSD-3-Clause
//
// From trials to a verdict. Medians are taken of every figure by itself: one disturbed run must not
// choose which of the others is told.
#include "command/compare.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pl_compare_variants(pl_comparison *c, bool with_ranks) {
  pl_layout_try one = {1, 1, 1, c->cores}, all[PL_VARIANTS];
  c->n = 0;
  c->variant[c->n++] = (pl_variant){.name = "serial", .layout = one};
  if (c->cores == 1) return;
  int n = pl_model_layouts(1, c->cores, with_ranks, all, PL_VARIANTS - 4);
  for (int i = 0; i < n; i++) {
    const char *name = all[i].ranks == 1 ? "threads" : all[i].threads == 1 ? "processes" : "hybrid";
    c->variant[c->n++] = (pl_variant){.name = name, .layout = all[i], .overlap = true};
  }
}

// ---- medians --------------------------------------------------------------------------------
static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, by_value);
  return n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

#define REAL(member)                                                                               \
  { offsetof(pl_trial, member), true }
#define COUNT(member)                                                                              \
  { offsetof(pl_trial, member), false }
static const struct {
  size_t offset;
  bool real;
} figures[] = {REAL(wall),          REAL(cpu),          REAL(inside),      REAL(start),
               REAL(read),          REAL(compute),      REAL(write),       REAL(wait),
               REAL(comm),          REAL(cpu_inside),   REAL(waited),      REAL(delayed),
               REAL(hidden),        REAL(balance),      REAL(energy),      COUNT(units),
               COUNT(storage_read), COUNT(units_total), COUNT(bytes_read), COUNT(bytes_written),
               COUNT(messages),     COUNT(bytes_sent),  COUNT(cells),      COUNT(memory),
               COUNT(memory_rank),  COUNT(peak_rank),   REAL(team_read),   REAL(team_cpu)};

static void take_medians(pl_variant *v) {
  for (size_t f = 0; f < sizeof figures / sizeof *figures; f++) {
    double values[PL_REPEATS];
    for (int i = 0; i < v->n; i++) {
      const char *at = (const char *)&v->trial[i] + figures[f].offset;
      values[i] = figures[f].real ? *(const double *)(const void *)at
                                  : (double)*(const int64_t *)(const void *)at;
    }
    char *to = (char *)&v->mid + figures[f].offset;
    double mid = median(values, v->n);
    if (figures[f].real)
      *(double *)(void *)to = mid;
    else
      *(int64_t *)(void *)to = (int64_t)mid;
  }
}

static void widen(double value, double *least, double *most) {
  *least = fmin(*least, value);
  *most = fmax(*most, value);
}

static void settle(pl_variant *v) {
  take_medians(v);
  bool part = v->mid.units > 0 && v->mid.units_total > v->mid.units;
  double more = part ? (double)v->mid.units_total / (double)v->mid.units - 1 : 0;
  v->least = v->whole_least = INFINITY;
  v->most = v->whole_most = 0;
  for (int i = 0; i < v->n; i++) {
    const pl_trial *t = &v->trial[i];
    widen(t->wall, &v->least, &v->most);
    widen(t->wall + t->inside * more, &v->whole_least, &v->whole_most);
  }
  v->whole = v->mid.wall + v->mid.inside * more;
}

// They stand in this order: ranks, then threads, ascend.
static int simplest(const pl_comparison *c) {
  int i = 0;
  while (i < c->fastest && pl_compare_differ(&c->variant[i], &c->variant[c->fastest])) i++;
  return i;
}

void pl_compare_settle(pl_comparison *c) {
  int n = c->n + (c->has_overlap ? 2 : 0);
  c->fastest = 0;
  for (int i = 0; i < n; i++) {
    settle(&c->variant[i]);
    c->variant[i].speed_up =
        c->variant[i].whole > 0 ? c->variant[0].whole / c->variant[i].whole : 0;
    if (i < c->n && c->variant[i].whole < c->variant[c->fastest].whole) c->fastest = i;
  }
  c->best = simplest(c);
}

bool pl_compare_differ(const pl_variant *a, const pl_variant *b) {
  const double least = 1.03, plain = 1.2;
  const pl_variant *fast = a->whole <= b->whole ? a : b, *slow = fast == a ? b : a;
  if (slow->whole < least * fast->whole) return false;
  if (slow->whole_least > fast->whole_most) return true;
  return slow->whole > plain * fast->whole && slow->whole_least > plain * fast->whole_least;
}

// ---- why ------------------------------------------------------------------------------------
// Seconds of cores that the team's computing took: the more it grew against serial, the more the
// cores were in each other's way.
static double core_time(const pl_variant *v) {
  return v->mid.compute * v->layout.ranks * v->layout.threads;
}

// Whether what was read came out of the page cache. The system counts bytes that a process fetched
// from storage, but not for every network file system: a reader that waits for one takes little CPU
// for its time, one that copies takes all of it.
static bool is_cached(const pl_variant *v) {
  const double fetched = 0.1, copying = 0.3;
  const pl_trial *t = &v->mid;
  double strands = (t->read - t->team_read) * v->layout.ranks, cpu = t->cpu_inside - t->team_cpu;
  if (t->bytes_read <= 0 || (double)t->storage_read > fetched * (double)t->bytes_read) return false;
  return t->team_read > 0.8 * t->read || cpu > copying * strands;
}

static void say_cached(pl_comparison *c, const pl_trial *t) {
  int n =
      snprintf(c->why, sizeof c->why,
               "memory-bandwidth/page-cache bound: reading takes %.0f %% of the time inside the "
               "run and arithmetic %.0f %%, but the input came out of the page cache: copying "
               "and decoding it is what takes the time, and faster storage cannot help",
               100 * t->read / t->inside, 100 * t->compute / t->inside);
  if (c->sample > 0 && n > 0 && n < (int)sizeof c->why)
    snprintf(c->why + n, sizeof c->why - (size_t)n,
             " (the trials read the same sample each time; a whole input that is not in memory yet "
             "waits for the storage besides)");
}

static void say_io(pl_comparison *c, const pl_variant *best) {
  const pl_trial *t = &best->mid;
  const char *what = t->read >= t->write ? "reading" : "writing";
  double io = fmax(t->read, t->write);
  if (io > 1.1 * t->compute)
    snprintf(c->why, sizeof c->why,
             "I/O-bound: %s takes %.0f %% of the time inside the run and arithmetic only %.0f %%; "
             "more cores cannot help, faster storage can",
             what, 100 * io / t->inside, 100 * t->compute / t->inside);
  else
    snprintf(c->why, sizeof c->why,
             "bound by I/O and arithmetic alike: %s takes %.0f %% of the time inside the run, "
             "arithmetic %.0f %%, and the team waits %.0f %% for what was not hidden; %s",
             what, 100 * io / t->inside, 100 * t->compute / t->inside, 100 * t->wait / t->inside,
             best->overlap ? "smaller blocks (run.block) hide more"
                           : "hiding it, as the other variants do, gained nothing here");
}

static void say(pl_comparison *c, const pl_variant *best, double growth) {
  const pl_trial *t = &best->mid;
  int workers = best->layout.ranks * best->layout.threads;
  if (!strcmp(c->bound, "start-up"))
    snprintf(c->why, sizeof c->why,
             "bound by start-up: %.0f %% of the wall time goes before the first and after the last "
             "block; the job is too small to gain from more cores",
             100 * t->start / best->whole);
  else if (!strcmp(c->bound, "I/O"))
    say_io(c, best);
  else if (!strcmp(c->bound, "page cache"))
    say_cached(c, t);
  else if (!strcmp(c->bound, "communication"))
    snprintf(
        c->why, sizeof c->why,
        "communication-bound: ranks wait %.0f %% of the time for messages; fewer ranks with more "
        "threads send less",
        100 * t->comm / t->inside);
  else if (!strcmp(c->bound, "other programs"))
    snprintf(c->why, sizeof c->why,
             "disturbed: threads had no core for %.0f %% of the time, because other programs ran; "
             "measure again on a quiet machine",
             100 * t->delayed);
  else if (!strcmp(c->bound, "memory"))
    snprintf(
        c->why, sizeof c->why,
        "memory-bound: with %d cores at work each is %.1f times slower than alone, because they "
        "share the bandwidth of the memory",
        workers, growth);
  else
    snprintf(
        c->why, sizeof c->why,
        "balanced: %d core%s give%s %.2f times the speed of one, and waiting (for I/O %.0f %%, "
        "messages %.0f %%) is small",
        workers, workers == 1 ? "" : "s", workers == 1 ? "s" : "", best->speed_up,
        100 * t->wait / fmax(t->inside, 1e-9), 100 * t->comm / fmax(t->inside, 1e-9));
}

void pl_compare_explain(pl_comparison *c) {
  const pl_variant *best = &c->variant[c->fastest], *serial = &c->variant[0];
  const pl_trial *t = &best->mid;
  double inside = fmax(t->inside, 1e-9), io = fmax(t->read, t->write);
  double growth = core_time(serial) > 0 ? core_time(best) / core_time(serial) : 1;
  if (t->start > 0.5 * best->whole)
    c->bound = "start-up";
  else if (io > 1.1 * t->compute || (t->wait > 0.3 * inside && io > 0.5 * t->compute))
    c->bound = t->read >= t->write && is_cached(best) ? "page cache" : "I/O";
  else if (t->comm > 0.15 * inside)
    c->bound = "communication";
  else if (t->delayed > 0.2)
    c->bound = "other programs";
  else if (growth > 1.25)
    c->bound = "memory";
  else
    c->bound = "balanced";
  say(c, best, growth);
}
