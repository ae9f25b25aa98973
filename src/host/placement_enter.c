// SPDX-License-Identifier: BSD-3-Clause
//
// Puts a placement into effect. libgomp reads its variables and the affinity mask when it is
// loaded, so they are set and the program executes itself again: same process id, same open files,
// so launchers do not notice. A guard variable with the process id carries the decision over and
// stops a second round; children (another id) decide anew, from the user's own variables, which are
// kept beside ours.
//
// How a thread of the team waits. Measured: 2 cores, outer region of 3 strands, an inner team of 2
// that stays open; a barrier when all come at once, and wall per block of a pipeline (0.5 ms CPU +
// 0.5 ms sleep to read and to write, 2 x 1 ms with 10 barriers to compute). libgomp manages more
// threads than there are CPUs (T + 2 on T cores), so more than 1000 spins are never made (about 20
// us of pauses), then the thread sleeps: in no row a team that waits 20 ms costs measurable CPU
// time.
//                                 barrier      block, threads bound   block, floating
//   OMP_WAIT_POLICY=passive       28-32 us     2.1 ms                 2.0 ms
//   not set (100 spins)           3-9 us       2.0 ms                 1.9 ms
//   active, GOMP_SPINCOUNT=100    1-5 us       1.9-2.0 ms             2.2-2.5 ms
//   active, GOMP_SPINCOUNT=300    0.4 us       1.7 ms                 2.0 ms
//   active, GOMP_SPINCOUNT=1000   0.3-0.7 us   1.8 ms                 2.0 ms
// GOMP_SPINCOUNT is set although `active` alone gives 1000 here: with fewer threads than cores
// libgomp would spin for minutes and keep a core from the strands.
#include "base/log.h"
#include "base/mem.h"
#include "host/placement_inside.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STRANDS    3 // reader, compute leader, writer: the outer team
#define SPIN_COUNT "1000"

// ---- the decision as text -------------------------------------------------------------------
// "threads flags ncpus cpu cpu .. | note"
enum { OVERSUBSCRIBED = 1, WIDENED = 2, USER_PLACES = 4, BOUND = 8 };

void pl_placement_write(const pl_placement *p, char *text, size_t room) {
  int flags = (p->oversubscribed ? OVERSUBSCRIBED : 0) | (p->widened ? WIDENED : 0) |
              (p->user_places ? USER_PLACES : 0) | (p->bound ? BOUND : 0);
  size_t n = (size_t)snprintf(text, room, "%d %d %d", p->threads, flags, p->ncpus);
  for (int i = 0; i < p->ncpus && n < room; i++)
    n += (size_t)snprintf(text + n, room - n, " %d", p->cpus[i]);
  if (n < room) snprintf(text + n, room - n, " | %s", p->note);
}

static plait_err read_cpus(const char *text, pl_placement *p) {
  TRY(pl_alloc((size_t)p->ncpus, sizeof *p->cpus, &p->cpus));
  for (int i = 0; i < p->ncpus; i++) {
    char *end;
    p->cpus[i] = (int)strtol(text, &end, 10);
    if (end == text) return plait_fail(PLAIT_BUG, "%s is damaged", PL_PLACED);
    text = end;
  }
  const char *bar = strstr(text, "| ");
  snprintf(p->note, sizeof p->note, "%s", bar == NULL ? "" : bar + 2);
  return PLAIT_OK;
}

plait_err pl_placement_read(const char *text, pl_placement *p) {
  int flags = 0, used = 0;
  *p = (pl_placement){0};
  if (sscanf(text, "%d %d %d%n", &p->threads, &flags, &p->ncpus, &used) != 3 || p->threads < 1 ||
      p->ncpus < 1 || p->ncpus > 1 << 16)
    return plait_fail(PLAIT_BUG, "%s is damaged", PL_PLACED);
  p->oversubscribed = flags & OVERSUBSCRIBED;
  p->widened = flags & WIDENED;
  p->user_places = flags & USER_PLACES;
  p->bound = flags & BOUND;
  plait_err err = read_cpus(text + used, p);
  if (err != PLAIT_OK) pl_placement_free(p);
  return err;
}

const char *pl_placement_decided(void) {
  const char *text = getenv(PL_PLACED);
  char *rest = NULL;
  if (text == NULL || strtol(text, &rest, 10) != (long)getpid() || *rest != ' ') return NULL;
  return rest + 1;
}

bool pl_placement_entered(void) {
  return pl_placement_decided() != NULL;
}

// ---- variables ------------------------------------------------------------------------------
typedef struct setting {
  const char *name;
  const char *value; // what it is to be; NULL: not set
} setting;

enum { SETTINGS = 9 };

// Every variable that may ever be set here, so that a child of a placed process, which inherits our
// values, gets each of them right again: ours or the user's.
static void list_settings(const pl_placement *p, char threads[48], setting list[SETTINGS]) {
  bool crowded = p->oversubscribed, waits = pl_user_variable("OMP_WAIT_POLICY") == NULL &&
                                            pl_user_variable("GOMP_SPINCOUNT") == NULL;
  const setting ours[SETTINGS] = {
      {"OMP_NUM_THREADS", threads},
      {"OMP_MAX_ACTIVE_LEVELS", "2"},
      {"OMP_DYNAMIC", "false"},
      {"OMP_THREAD_LIMIT", NULL}, // it counts strands too; the decision has heeded it
      {"OMP_PROC_BIND", p->user_places ? pl_user_variable("OMP_PROC_BIND") : "false"},
      {"OMP_WAIT_POLICY", !waits    ? pl_user_variable("OMP_WAIT_POLICY")
                          : crowded ? "passive"
                                    : "active"},
      {"GOMP_SPINCOUNT", !waits    ? pl_user_variable("GOMP_SPINCOUNT")
                         : crowded ? "0"
                                   : SPIN_COUNT},
      {"KMP_BLOCKTIME", !waits    ? pl_user_variable("KMP_BLOCKTIME")
                        : crowded ? "0"
                                  : "1"}, // ms, clang
      {"OMPI_MCA_mpi_yield_when_idle",
       crowded ? "1" : pl_user_variable("OMPI_MCA_mpi_yield_when_idle")},
  };
  snprintf(threads, 48, "%d,%d", STRANDS, p->threads);
  memcpy(list, ours, sizeof ours);
}

static bool is_set(const setting *s) {
  const char *now = getenv(s->name);
  return s->value == NULL ? now == NULL : now != NULL && strcmp(now, s->value) == 0;
}

static void keep_users_value(const char *name) {
  char kept[128];
  const char *now = getenv(name);
  snprintf(kept, sizeof kept, "%s%s", PL_KEPT, name);
  if (now != NULL) setenv(kept, now, 1);
}

static void apply(const setting *s) {
  if (is_set(s)) return;
  if (s->value == NULL)
    unsetenv(s->name);
  else
    setenv(s->name, s->value, 1);
}

// ---- masks ----------------------------------------------------------------------------------
static cpu_set_t *make_mask(const int *cpus, int n, size_t *bytes) {
  int most = 0;
  for (int i = 0; i < n; i++)
    if (cpus[i] > most) most = cpus[i];
  *bytes = CPU_ALLOC_SIZE(most + 1);
  cpu_set_t *set = CPU_ALLOC(most + 1);
  if (set == NULL) return NULL;
  CPU_ZERO_S(*bytes, set);
  for (int i = 0; i < n; i++) CPU_SET_S(cpus[i], *bytes, set);
  return set;
}

// Fails only when the cpuset has changed meanwhile; then the mask stays, which is right as well.
static void set_mask(const int *cpus, int n) {
  size_t bytes;
  cpu_set_t *set = make_mask(cpus, n, &bytes);
  if (set != NULL) sched_setaffinity(0, bytes, set);
  CPU_FREE(set);
}

void pl_placement_bind_thread(const pl_placement *placement, int thread) {
  if (placement->bound) set_mask(&placement->cpus[thread % placement->ncpus], 1);
}

void pl_placement_float_thread(const pl_placement *placement) {
  if (placement->bound) set_mask(placement->cpus, placement->ncpus);
}

// ---- again ----------------------------------------------------------------------------------
static bool has_mask(const pl_placement *p) {
  enum { MOST = 8192 };
  size_t bytes = CPU_ALLOC_SIZE(MOST);
  cpu_set_t *set = CPU_ALLOC(MOST);
  bool same =
      set != NULL && sched_getaffinity(0, bytes, set) == 0 && CPU_COUNT_S(bytes, set) == p->ncpus;
  for (int i = 0; same && i < p->ncpus; i++) same = CPU_ISSET_S(p->cpus[i], bytes, set);
  CPU_FREE(set);
  return same;
}

static bool is_right(const pl_placement *p, const setting *list) {
  bool right = has_mask(p);
  for (int i = 0; i < SETTINGS; i++) right = right && is_set(&list[i]);
  return right;
}

static plait_err write_guard(const pl_placement *p) {
  size_t room = 1024 + 8 * (size_t)p->ncpus;
  char *text = NULL;
  TRY(pl_alloc(room, 1, &text));
  int n = snprintf(text, room, "%ld ", (long)getpid());
  pl_placement_write(p, text + n, room - (size_t)n);
  setenv(PL_PLACED, text, 1);
  pl_free(&text);
  return PLAIT_OK;
}

// By its own path where that still leads to it: the kernel names a process after the file, and
// tools that look for "plait" (top, pgrep, a batch system) would not find "exe".
static void start_again(char **argv) {
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  fflush(NULL);
  if (n > 0) {
    path[n] = 0;
    execv(path, argv);
  }
  execv("/proc/self/exe", argv);
}

plait_err pl_placement_enter(const pl_placement *placement, char **argv) {
  setting list[SETTINGS];
  char threads[48];
  if (pl_placement_decided() != NULL) return PLAIT_OK;
  list_settings(placement, threads, list);
  if (is_right(placement, list)) return PLAIT_OK;
  for (int i = 0; getenv(PL_PLACED) == NULL && i < SETTINGS; i++) keep_users_value(list[i].name);
  for (int i = 0; i < SETTINGS; i++) apply(&list[i]);
  set_mask(placement->cpus, placement->ncpus);
  TRY(write_guard(placement));
  start_again(argv);
  pl_log(PL_LOG_WARNING, "cannot start again with OpenMP set up; threads may wait longer");
  return PLAIT_OK;
}
