// SPDX-License-Identifier: BSD-3-Clause
//
// What plait doctor finds, on nodes that are not here.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "engine/findings.h"

#define GIB (INT64_C(1) << 30)

static pl_station_facts ranks[8];
static pl_storage_facts storage;
static pl_job_facts job;
static pl_findings found;

// `n` ranks of `threads` on a node of `cores`, each with its own share: nothing is wrong.
static void good(int n, int threads, int cores) {
  memset(ranks, 0, sizeof ranks);
  storage = (pl_storage_facts){0};
  job = (pl_job_facts){0};
  for (int r = 0; r < n; r++) {
    pl_station_facts *f = &ranks[r];
    *f = (pl_station_facts){.host = "n1", .rank = r, .threads = threads, .ncpus = threads};
    f->cores = threads;
    f->node_cores = f->node_cpus = cores;
    f->memory = 8 * GIB;
    f->shm = GIB;
    f->files = 1024;
    f->file_bytes = f->address_bytes = f->locked_bytes = -1;
    for (int i = 0; i < threads; i++) f->cpus[0] |= UINT64_C(1) << (r * threads + i);
  }
}

static void judge(int n) {
  pl_findings_judge(ranks, n, n > 1, &storage, &job, &found);
}

// The one finding, of this severity, with these words in it and a cure.
static void expect(bool problem, const char *words, bool cure) {
  if (found.n != 1) fail_msg("%d findings, the first: %s", found.n, found.at[0].what);
  assert_int_equal(found.at[0].problem, problem);
  assert_int_equal(found.problems, problem);
  if (!strstr(found.at[0].what, words)) fail_msg("no '%s' in: %s", words, found.at[0].what);
  assert_int_equal(found.at[0].cure[0] != 0, cure);
}

static void cured_by(const char *words, const char *others) {
  if (!strstr(found.at[0].cure, words)) fail_msg("no '%s' in: %s", words, found.at[0].cure);
  if (strstr(found.at[0].cure, others)) fail_msg("'%s' is wrong in: %s", others, found.at[0].cure);
}

static void a_healthy_launch_has_no_finding(void **state) {
  (void)state;
  good(1, 2, 2), judge(1);
  assert_int_equal(found.n, 0);
  good(4, 2, 8), judge(4);
  assert_int_equal(found.n, 0);
  good(2, 4, 4); // two nodes
  strcpy(ranks[1].host, "n2");
  ranks[1].cpus[0] = ranks[0].cpus[0];
  judge(2);
  assert_int_equal(found.n, 0);
}

static void idle_cores_are_found(void **state) {
  (void)state;
  good(2, 1, 8), judge(2);
  expect(true, "6 of 8 cores stay idle", true);
  cured_by("leave out taskset", "--threads"); // two CPUs of eight, both busy: a mask
  good(1, 8, 8), ranks[0].threads = 1, judge(1);
  cured_by("OMP_NUM_THREADS", "taskset");      // all CPUs, one busy: a wish
  good(1, 1, 2), ranks[0].quota = 1, judge(1); // no time for the other core
  expect(false, "allows the time of 1 CPUs", true);
}

static void ranks_on_the_same_cores_are_found(void **state) {
  (void)state;
  good(2, 2, 2);
  ranks[1].cpus[0] = ranks[0].cpus[0];
  judge(2);
  assert_int_equal(found.problems, 2); // and the crowd that comes of it
  assert_non_null(strstr(found.at[0].what, "ranks 0 and 1 use the same 2 CPUs"));
  assert_non_null(strstr(found.at[1].what, "4 compute threads take turns on 2 CPUs"));
  good(2, 1, 2); // the same mask, but the threads divide it: deliberate (--bind-to socket)
  for (int r = 0; r < 2; r++) ranks[r].cpus[0] = 3, ranks[r].ncpus = 2;
  judge(2);
  assert_int_equal(found.n, 0);
  good(2, 1, 1); // more ranks than CPUs: that is the crowd, not an overlap of its own
  for (int r = 0; r < 2; r++) ranks[r].cpus[0] = 1;
  judge(2);
  expect(true, "2 compute threads take turns on 1 CPU", true);
}

static void a_quota_crowds_as_well(void **state) {
  (void)state;
  good(1, 4, 4), ranks[0].quota = 2, judge(1);
  assert_int_equal(found.problems, 1);
  assert_non_null(strstr(found.at[0].what, "take turns on 2 CPUs"));
  cured_by("--threads 2", "mpirun"); // a single rank cannot be fewer
  good(4, 1, 2), ranks[2].cpus[0] = 1, ranks[3].cpus[0] = 2, judge(4);
  cured_by("mpirun -np 2", "OMP_NUM_THREADS");
  good(1, 4, 4), ranks[0].quota = 2, judge(1);
  assert_false(found.at[1].problem);             // the quota is told, behind the problem
  good(1, 1, 1), ranks[0].quota = 0.5, judge(1); // one thread is the least there is: no cure here
  expect(false, "the time of 0.5 CPUs", true);
}

static void memory_and_shm_are_counted_for_the_node(void **state) {
  (void)state;
  good(4, 1, 4);
  job = (pl_job_facts){.present = true, .needed = 3 * GIB};
  judge(4);
  expect(true, "4 ranks need 12 GiB together, the node gives 8 GiB", true);
  good(4, 1, 4), ranks[0].shm = 40 << 20, judge(4);
  expect(true, "40 MiB are free in /dev/shm", true);
  good(1, 4, 4), ranks[0].shm = 0, judge(1); // no messages, no need
  assert_int_equal(found.n, 0);
}

static void limits_are_told_with_their_cure(void **state) {
  (void)state;
  good(1, 2, 2), ranks[0].files = 64, judge(1);
  expect(true, "64 files", true);
  assert_string_equal(found.at[0].cure, "ulimit -n 1024");
  good(1, 2, 2), ranks[0].address_bytes = 100 << 20, judge(1);
  expect(true, "100 MiB of address space", true);
  good(1, 2, 2), ranks[0].file_bytes = 1 << 20;
  job = (pl_job_facts){.present = true, .written = 2 << 20};
  judge(1);
  expect(true, "a file may have 1 MiB", true);
  good(1, 2, 2), ranks[0].file_bytes = 4 << 20;
  job = (pl_job_facts){.present = true, .written = 2 << 20};
  judge(1);
  assert_int_equal(found.n, 0);
  good(1, 2, 2), ranks[0].locked_bytes = 65536, ranks[0].infiniband = true, judge(1);
  expect(false, "InfiniBand", true);
}

static void variables_that_contradict_are_found(void **state) {
  (void)state;
  good(1, 2, 2), ranks[0].thread_limit = 2, judge(1);
  expect(true, "OMP_THREAD_LIMIT=2", true);
  good(1, 2, 2), ranks[0].thread_limit = 4, judge(1);
  assert_int_equal(found.n, 0);
  good(2, 1, 2), strcpy(ranks[0].affinity, "GOMP_CPU_AFFINITY"), judge(2);
  expect(false, "GOMP_CPU_AFFINITY", true);
  good(1, 4, 2), ranks[0].cpus[0] = 3, ranks[0].ncpus = 2, ranks[0].spins = true, judge(1);
  assert_int_equal(found.problems, 2);
}

static void storage_and_job_are_judged(void **state) {
  (void)state;
  good(1, 2, 2);
  storage = (pl_storage_facts){.dir = "out", .kind = "ext4", .rate = 1e9, .free = GIB};
  job = (pl_job_facts){.present = true, .written = 2 * GIB};
  judge(1);
  expect(true, "1 GiB are free, the output has 2 GiB", true);
  good(1, 2, 2);
  storage = (pl_storage_facts){.dir = "out", .kind = "nfs", .rate = 1e6, .free = GIB};
  judge(1);
  expect(false, "1 MB/s", true);
  good(1, 2, 2);
  storage = (pl_storage_facts){.dir = "out", .error = "cannot write into out: no"};
  judge(1);
  expect(true, "cannot write", true);
  good(1, 2, 2);
  job = (pl_job_facts){.present = true, .error = "job.yaml:1:1: error: no"};
  judge(1);
  expect(true, "job.yaml:1:1", false);
  good(1, 2, 2), ranks[0].others = 1.5, judge(1);
  expect(false, "other programs use 1.5", true);
  good(1, 2, 2), strcpy(ranks[0].note, "mpirun bound it"), ranks[0].widened = true, judge(1);
  expect(false, "mpirun bound it", true);
}

static void cpus_are_listed_in_ranges(void **state) {
  (void)state;
  char list[64];
  pl_station_facts f = {.cpus = {0x10f, 1}};
  pl_findings_cpus(&f, list, sizeof list);
  assert_string_equal(list, "0-3,8,64");
  f = (pl_station_facts){0};
  f.cpus[PL_STATION_CPUS / 64 - 1] = UINT64_C(3) << 62;
  pl_findings_cpus(&f, list, sizeof list);
  assert_string_equal(list, "8190-8191");
  f = (pl_station_facts){0};
  pl_findings_cpus(&f, list, sizeof list);
  assert_string_equal(list, "");
  for (int i = 0; i < PL_STATION_CPUS / 64; i++) f.cpus[i] = UINT64_C(0x5555555555555555);
  pl_findings_cpus(&f, list, sizeof list); // cut, not overrun
  assert_int_equal(strlen(list), sizeof list - 1);
}

static void many_findings_are_counted(void **state) {
  (void)state;
  static pl_station_facts many[100];
  good(1, 1, 1);
  for (int r = 0; r < 100; r++) {
    many[r] = ranks[0];
    many[r].rank = r;
    many[r].files = 3;
    snprintf(many[r].host, sizeof many[r].host, "n%d", r);
  }
  pl_findings_judge(many, 100, true, &storage, &job, &found);
  assert_int_equal(found.n, PL_FINDINGS);
  assert_int_equal(found.problems, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_healthy_launch_has_no_finding),
      cmocka_unit_test(idle_cores_are_found),
      cmocka_unit_test(ranks_on_the_same_cores_are_found),
      cmocka_unit_test(a_quota_crowds_as_well),
      cmocka_unit_test(memory_and_shm_are_counted_for_the_node),
      cmocka_unit_test(limits_are_told_with_their_cure),
      cmocka_unit_test(variables_that_contradict_are_found),
      cmocka_unit_test(storage_and_job_are_judged),
      cmocka_unit_test(cpus_are_listed_in_ranges),
      cmocka_unit_test(many_findings_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
