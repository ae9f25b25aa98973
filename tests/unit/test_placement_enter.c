// SPDX-License-Identifier: BSD-3-Clause
//
// What placement reads from its environment and what it sets there: in children of this program
// that place themselves and report what they see ("report" as argument).
#include "host/placement_inside.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char self[4096];

// ---- the environment ------------------------------------------------------------------------
static const char *const names[] = {"OMP_NUM_THREADS",
                                    "OMP_THREAD_LIMIT",
                                    "OMP_PROC_BIND",
                                    "OMP_PLACES",
                                    "GOMP_CPU_AFFINITY",
                                    "SLURM_CPUS_PER_TASK",
                                    "SLURM_CPUS_ON_NODE",
                                    "SLURM_CPU_BIND_TYPE",
                                    PL_PLACED,
                                    PL_KEPT "OMP_NUM_THREADS",
                                    "OMPI_MCA_hwloc_base_binding_policy",
                                    "OMPI_MCA_rmaps_base_mapping_policy"};

static void forget(void) {
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) unsetenv(names[i]);
}

static pl_surroundings with(const char *launcher, const char *name, const char *value) {
  pl_surroundings around;
  pl_launch launch = {.launcher = launcher,
                      .launched = *launcher != 0,
                      .local_size = 1,
                      .in_slurm = strcmp(launcher, "srun") == 0};
  setenv(name, value, 1);
  assert_int_equal(pl_surroundings_find(&launch, &around), PLAIT_OK);
  unsetenv(name);
  return around;
}

static int free_after(pl_surroundings around, int value) {
  pl_surroundings_free(&around);
  return value;
}

#define SEEN(field, launcher, name, value) seen_##field(with(launcher, name, value))
static int seen_omp_threads(pl_surroundings a) {
  return free_after(a, a.omp_threads);
}
static int seen_omp_limit(pl_surroundings a) {
  return free_after(a, a.omp_limit);
}
static int seen_omp_places(pl_surroundings a) {
  return free_after(a, a.omp_places);
}
static int seen_omp_unbound(pl_surroundings a) {
  return free_after(a, a.omp_unbound);
}
static int seen_told(pl_surroundings a) {
  return free_after(a, a.told);
}
static int seen_may_bind(pl_surroundings a) {
  return free_after(a, a.may_bind);
}
static int seen_task_cpus(pl_surroundings a) {
  return free_after(a, a.task_cpus);
}
static int seen_job_cpus(pl_surroundings a) {
  return free_after(a, a.job_cpus);
}
static int seen_nouter(pl_surroundings a) {
  return free_after(a, a.nouter);
}

static void the_users_openmp_is_read(void **state) {
  (void)state;
  forget();
  assert_int_equal(SEEN(omp_threads, "", "OMP_NUM_THREADS", "8"), 8);
  assert_int_equal(SEEN(omp_threads, "", "OMP_NUM_THREADS", "3,4"), 4);
  assert_int_equal(SEEN(omp_threads, "", "OMP_NUM_THREADS", "lots"), 0);
  assert_int_equal(SEEN(omp_threads, "", "OMP_NUM_THREADS", "-2"), 0);
  assert_int_equal(SEEN(omp_limit, "", "OMP_THREAD_LIMIT", "5"), 5);
  assert_true(SEEN(omp_places, "", "OMP_PLACES", "cores"));
  assert_true(SEEN(omp_places, "", "OMP_PROC_BIND", "close"));
  assert_true(SEEN(omp_places, "", "GOMP_CPU_AFFINITY", "0-1"));
  assert_false(SEEN(omp_places, "", "OMP_PROC_BIND", "FALSE"));
  assert_true(SEEN(omp_unbound, "", "OMP_PROC_BIND", "FALSE"));
  // What a placed parent set is not the user's; what it kept is.
  setenv(PL_PLACED, "1 ..", 1);
  assert_int_equal(SEEN(omp_threads, "", "OMP_NUM_THREADS", "3,64"), 0);
  assert_int_equal(SEEN(omp_threads, "", PL_KEPT "OMP_NUM_THREADS", "6"), 6);
  assert_null(pl_placement_decided()); // that was another process
  unsetenv(PL_PLACED);
}

static void the_launchers_orders_are_read(void **state) {
  (void)state;
  forget();
  assert_false(SEEN(told, "mpirun", "UNRELATED", "1"));
  assert_true(SEEN(told, "mpirun", "OMPI_MCA_hwloc_base_binding_policy", "core"));
  assert_true(SEEN(told, "mpirun", "OMPI_MCA_rmaps_base_mapping_policy", "slot:PE=2"));
  assert_false(SEEN(told, "mpirun", "OMPI_MCA_rmaps_base_mapping_policy", "socket"));
  assert_false(SEEN(told, "mpirun", "PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"));
  assert_false(SEEN(told, "srun", "SLURM_CPU_BIND_TYPE", "mask_cpu:"));
  assert_true(SEEN(told, "srun", "SLURM_CPU_BIND_TYPE", "map_cpu:"));
  assert_true(SEEN(may_bind, "srun", "UNRELATED", "1"));
  assert_false(SEEN(may_bind, "mpiexec", "UNRELATED", "1"));
  assert_int_equal(SEEN(task_cpus, "srun", "SLURM_CPUS_PER_TASK", "4"), 4);
  assert_int_equal(SEEN(task_cpus, "mpirun", "SLURM_CPUS_PER_TASK", "4"), 0); // sbatch's, not ours
  assert_int_equal(SEEN(job_cpus, "srun", "SLURM_CPUS_ON_NODE", "16"), 16);
  assert_int_equal(SEEN(job_cpus, "mpirun", "SLURM_CPUS_ON_NODE", "16"), 0); // not in a job
  assert_int_equal(SEEN(nouter, "", "UNRELATED", "1"), 0);
  assert_true(SEEN(nouter, "mpirun", "UNRELATED", "1") > 0); // our parent's mask
  unsetenv("UNRELATED");
}

// ---- for real -------------------------------------------------------------------------------
static plait_err place(char **argv, pl_placement *p) {
  pl_launch launch;
  pl_wish wish = {.threads = argv[2] == NULL ? 0 : atoi(argv[2])};
  pl_launch_find(&launch);
  TRY(pl_placement_decide(&launch, &wish, p));
  return pl_placement_enter(p, argv);
}

static const char *value(const char *name) {
  return getenv(name) == NULL ? "-" : getenv(name);
}

// What a placed process sees: threads, CPUs, size of its mask, placed by exec?, variables.
static int report(char **argv) {
  pl_placement p;
  cpu_set_t set;
  if (place(argv, &p) != PLAIT_OK) return 1;
  sched_getaffinity(0, sizeof set, &set);
  printf("%d %d %d %d %s %s %s\n", p.threads, p.ncpus, CPU_COUNT(&set),
         pl_placement_decided() != NULL, value("OMP_NUM_THREADS"), value("OMP_PROC_BIND"),
         value("OMP_WAIT_POLICY"));
  pl_placement_free(&p);
  return 0;
}

typedef struct reported {
  int threads, ncpus, mask, executed;
  char omp[32], bind[32], waits[32];
} reported;

static reported run_with(const char *prefix, const char *arguments) {
  char command[8192];
  reported r = {0};
  snprintf(command, sizeof command, "%s '%s' %s", prefix, self, arguments);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  int n = fscanf(pipe, "%d %d %d %d %31s %31s %31s", &r.threads, &r.ncpus, &r.mask, &r.executed,
                 r.omp, r.bind, r.waits);
  assert_int_equal(pclose(pipe), 0);
  assert_int_equal(n, 7);
  return r;
}

static void it_executes_itself_once(void **state) {
  (void)state;
  forget();
  reported r = run_with("", "report");
  assert_true(r.executed && r.threads >= 1 && r.mask == r.ncpus);
  assert_int_equal(atoi(r.omp + 2), r.threads);
  assert_string_equal(r.bind, "false");
  assert_string_equal(r.waits, "active");
  r = run_with("env OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive", "report");
  assert_string_equal(r.omp, "3,1");
  assert_string_equal(r.waits, "passive"); // the user's
  r = run_with("", "report 1000");         // more threads than CPUs
  assert_string_equal(r.omp, "3,1000");
  assert_string_equal(r.waits, "passive");
}

static void nothing_is_done_twice(void **state) {
  (void)state;
  forget();
  const char *right = "env OMP_NUM_THREADS=3,1 OMP_MAX_ACTIVE_LEVELS=2 OMP_DYNAMIC=false "
                      "OMP_PROC_BIND=false OMP_WAIT_POLICY=passive";
  reported r = run_with(right, "report");
  assert_false(r.executed); // all was right: no exec
  assert_int_equal(r.threads, 1);
}

static void children_decide_anew(void **state) {
  (void)state;
  forget();
  // A parent that is placed with 1 thread by --threads; its child has no such wish.
  char nested[4200];
  snprintf(nested, sizeof nested, "parent 1 '%s'", self);
  reported child = run_with("", nested), alone = run_with("", "report");
  assert_int_equal(child.threads, alone.threads);
  assert_int_equal(child.ncpus, alone.ncpus);
  child = run_with("env OMP_NUM_THREADS=7", nested); // the user's, through both
  assert_int_equal(child.threads, 7);
}

static int parent(char **argv) {
  pl_placement p;
  if (place(argv, &p) != PLAIT_OK || p.threads != 1) return 1;
  pl_placement_free(&p);
  execl(argv[3], argv[3], "shell", (char *)NULL);
  return 1;
}

static int in_child(char **argv) { // another process id than the placed one
  int status = 1;
  pid_t child = fork();
  if (child == 0) {
    execl(argv[0], argv[0], "report", (char *)NULL);
    _exit(1);
  }
  return waitpid(child, &status, 0) == child && status == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_users_openmp_is_read), cmocka_unit_test(the_launchers_orders_are_read),
      cmocka_unit_test(it_executes_itself_once),  cmocka_unit_test(nothing_is_done_twice),
      cmocka_unit_test(children_decide_anew),
  };
  if (argc > 1 && strcmp(argv[1], "report") == 0) return report(argv);
  if (argc > 3 && strcmp(argv[1], "parent") == 0) return parent(argv);
  if (argc > 1 && strcmp(argv[1], "shell") == 0) return in_child(argv);
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n <= 0) return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
