// SPDX-License-Identifier: BSD-3-Clause
//
// Placement for real: this program decides, executes itself again and then looks at what it got.
// With no option given to the launcher, the ranks of a node must together have every CPU that the
// cpuset allows, each its own where there are enough, and the team must be as large as was decided.
#include "agree.h"
#include "host/placement.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1024 }; // CPUs of the machine that runs this test

static pl_comm *comm;
static pl_topology topology;
static pl_launch launch;
static pl_placement placement;

static void share_is_mask(void **state) {
  (void)state;
  cpu_set_t set;
  bool same = sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == placement.ncpus;
  for (int i = 0; i < placement.ncpus; i++) same = same && CPU_ISSET(placement.cpus[i], &set);
  agree_true(comm, same);
}

static void shares_cover_the_node(void **state) {
  (void)state;
  int64_t users[MOST] = {0};
  for (int i = 0; i < placement.ncpus; i++) users[placement.cpus[i]] = 1;
  agree_ok(comm, pl_comm_sum_int(comm, users, MOST)); // all ranks are on this node
  bool right = true, enough = pl_comm_size(comm) <= topology.ncpus;
  for (int i = 0; i < topology.ncpus; i++) {
    int64_t n = users[topology.cpus[i].os];
    right = right && (enough ? n == 1 : n == pl_comm_size(comm));
  }
  agree_true(comm, right);
  agree_true(comm, placement.oversubscribed == !enough || topology.quota > 0);
}

static void team_has_its_size(void **state) {
  (void)state;
  int strands = 0, threads = 0, wrong = 0, floating = 0;
#pragma omp parallel num_threads(3)
  {
#pragma omp single
    strands = omp_get_num_threads();
    if (omp_get_thread_num() == 1) {
#pragma omp parallel num_threads(placement.threads)
      {
        cpu_set_t set;
        pl_placement_bind_thread(&placement, omp_get_thread_num());
        sched_getaffinity(0, sizeof set, &set);
        int own = placement.cpus[omp_get_thread_num() % placement.ncpus];
        int expected = placement.bound ? 1 : placement.ncpus;
#pragma omp critical
        {
          threads++;
          wrong += CPU_COUNT(&set) != expected || !CPU_ISSET(own, &set);
        }
        pl_placement_float_thread(&placement);
        sched_getaffinity(0, sizeof set, &set);
#pragma omp atomic
        floating += CPU_COUNT(&set) == placement.ncpus;
      }
    }
  }
  agree_true(comm, strands == 3);
  agree_true(comm, threads == placement.threads);
  agree_true(comm, wrong == 0);
  agree_true(comm, floating == threads);
}

static void environment_is_set(void **state) {
  (void)state;
  const char *threads = getenv("OMP_NUM_THREADS"), *yields = getenv("OMPI_MCA_mpi_yield_when_idle");
  agree_true(comm, threads != NULL && strncmp(threads, "3,", 2) == 0);
  agree_true(comm, atoi(threads + 2) == placement.threads);
  agree_true(comm, getenv("GOMP_SPINCOUNT") != NULL);
  agree_true(comm, !placement.oversubscribed || (yields != NULL && strcmp(yields, "1") == 0));
}

// Asking networks for ranks of one node takes most of MPI_Init.
static void one_node_needs_no_network(void **state) {
  (void)state;
  const char *pml = getenv("OMPI_MCA_pml");
  agree_true(comm, launch.local_size != launch.size || pml != NULL);
}

static void deciding_again_changes_nothing(void **state) {
  (void)state;
  pl_placement again;
  pl_wish wish = {0};
  agree_ok(comm, pl_placement_decide(&launch, &wish, &again));
  bool same = again.threads == placement.threads && again.ncpus == placement.ncpus &&
              again.bound == placement.bound && again.widened == placement.widened &&
              strcmp(again.note, placement.note) == 0;
  agree_true(comm, same);
  pl_placement_free(&again);
}

static plait_err start(char **argv) {
  pl_wish wish = {0};
  pl_launch_find(&launch);
  TRY(pl_topology_find(NULL, &topology));
  TRY(pl_placement_decide(&launch, &wish, &placement));
  TRY(pl_placement_enter(&placement, argv));
  return pl_comm_start(launch.launched, launch.size, &comm);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(share_is_mask),
      cmocka_unit_test(shares_cover_the_node),
      cmocka_unit_test(team_has_its_size),
      cmocka_unit_test(environment_is_set),
      cmocka_unit_test(one_node_needs_no_network),
      cmocka_unit_test(deciding_again_changes_nothing),
  };
  (void)argc;
  if (start(argv) != PLAIT_OK) {
    print_error("%s\n", pl_message());
    return 1;
  }
  agree_quiet(comm);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  pl_placement_free(&placement);
  pl_topology_free(&topology);
  pl_comm_stop(&comm);
  return failed;
}
