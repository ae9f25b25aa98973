// SPDX-License-Identifier: BSD-3-Clause
//
// The node, real and synthetic, and the limits of control groups from directories written here.
#include "host/limits.h"
#include "host/topology.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- topology -------------------------------------------------------------------------------
static void check_order(const pl_topology *t) { // what every topology promises
  for (int i = 1; i < t->ncpus; i++) {
    const pl_cpu *a = &t->cpus[i - 1], *b = &t->cpus[i];
    bool ascends = a->numa != b->numa       ? a->numa < b->numa
                   : a->thread != b->thread ? a->thread < b->thread
                                            : a->core < b->core;
    assert_true(ascends);
  }
  for (int i = 0; i < t->ncpus; i++) {
    assert_in_range(t->cpus[i].core, 0, t->ncores - 1);
    assert_in_range(t->cpus[i].numa, 0, t->nnuma - 1);
  }
}

static void this_machine(void **state) {
  (void)state;
  pl_topology t;
  cpu_set_t before, after;
  CPU_ZERO(&before);
  CPU_ZERO(&after);
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  assert_int_equal(pl_topology_find(NULL, &t), PLAIT_OK);
  assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
  assert_true(CPU_EQUAL(&before, &after));
  assert_int_equal(t.nmask, CPU_COUNT(&before));
  assert_true(t.ncpus >= t.nmask && t.ncores >= 1 && t.ncores <= t.ncpus && t.nnuma >= 1);
  check_order(&t);
  pl_topology_free(&t);
  assert_null(t.cpus);
  pl_topology_free(&t);
}

static void a_narrow_mask_does_not_narrow_the_node(void **state) {
  (void)state;
  pl_topology wide, narrow;
  cpu_set_t before, one;
  assert_int_equal(pl_topology_find(NULL, &wide), PLAIT_OK);
  sched_getaffinity(0, sizeof before, &before);
  CPU_ZERO(&one);
  CPU_SET(wide.cpus[wide.ncpus - 1].os, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  assert_int_equal(pl_topology_find(NULL, &narrow), PLAIT_OK);
  sched_setaffinity(0, sizeof before, &before);
  assert_int_equal(narrow.ncpus, wide.ncpus);
  assert_int_equal(narrow.nmask, 1);
  assert_int_equal(narrow.mask[0], wide.cpus[wide.ncpus - 1].os);
  pl_topology_free(&wide);
  pl_topology_free(&narrow);
}

typedef struct shape {
  const char *synthetic;
  int cpus, cores, numa;
} shape;

static void synthetic_machines(void **state) {
  (void)state;
  static const shape shapes[] = {
      {"pack:2 core:64 pu:2", 256, 128, 1},
      {"pack:2 [numa] core:64 pu:2", 256, 128, 2},
      {"pack:2 numa:4 core:16 pu:2", 256, 128, 8}, // NPS4
      {"core:1 pu:1", 1, 1, 1},
      {"pack:1 core:4 pu:4", 16, 4, 1},
      {"numa:2 pu:3", 6, 6, 2}, // no cores known: each CPU is one
  };
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    pl_topology t;
    assert_int_equal(pl_topology_find(shapes[i].synthetic, &t), PLAIT_OK);
    assert_int_equal(t.ncpus, shapes[i].cpus);
    assert_int_equal(t.ncores, shapes[i].cores);
    assert_int_equal(t.nnuma, shapes[i].numa);
    assert_int_equal(t.nmask, shapes[i].cpus);
    assert_true(t.quota == 0);
    check_order(&t);
    pl_topology_free(&t);
  }
}

static void first_cpus_are_whole_cores(void **state) {
  (void)state;
  pl_topology t;
  assert_int_equal(pl_topology_find("pack:1 core:4 pu:2", &t), PLAIT_OK);
  for (int i = 0; i < 8; i++) {
    assert_int_equal(t.cpus[i].core, i % 4);
    assert_int_equal(t.cpus[i].thread, i / 4);
  }
  pl_topology_free(&t);
}

static void caches(void **state) {
  (void)state;
  pl_topology t;
  const char *text = "pack:2 l3:2(size=33554432) l2:4(size=1048576) l1:1(size=32768) core:1 pu:2";
  assert_int_equal(pl_topology_find(text, &t), PLAIT_OK);
  assert_int_equal(t.l1, 32768);
  assert_int_equal(t.l2, 1048576);
  assert_int_equal(t.l3, 33554432);
  assert_int_equal(t.l3_cores, 4);
  pl_topology_free(&t);
}

static void nonsense_is_refused(void **state) {
  (void)state;
  pl_topology t;
  assert_int_equal(pl_topology_find("two sockets, please", &t), PLAIT_USAGE);
  assert_non_null(strstr(pl_message(), "two sockets, please"));
  assert_null(t.cpus);
}

// ---- limits ---------------------------------------------------------------------------------
static char root[] = "limits-XXXXXX";

static void put(const char *path, const char *text) { // makes the directories on the way
  char full[512];
  snprintf(full, sizeof full, "%s/%s", root, path);
  for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
    *at = 0;
    mkdir(full, 0755);
    *at = '/';
  }
  FILE *file = fopen(full, "w");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

static void clear(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s/*", root);
  assert_int_equal(system(command), 0);
}

static pl_limits limits(void) {
  pl_limits found;
  pl_limits_find(root, &found);
  return found;
}

#define MOUNT_V2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static void nothing_readable_limits_nothing(void **state) {
  (void)state;
  clear();
  assert_true(limits().quota == 0 && limits().memory == INT64_MAX);
  put("proc/self/cgroup", "nonsense\n0:\n");
  put("proc/self/mountinfo", "- - -\n\n1 2 3\n");
  assert_true(limits().quota == 0 && limits().memory == INT64_MAX);
}

static void v2_takes_the_least_on_the_way_up(void **state) {
  (void)state;
  clear();
  put("proc/self/cgroup", "0::/slurm/job_7/step_0/task\n");
  put("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" MOUNT_V2);
  put("sys/fs/cgroup/slurm/job_7/step_0/task/memory.max", "max\n");
  put("sys/fs/cgroup/slurm/job_7/step_0/task/cpu.max", "max 100000\n");
  assert_true(limits().quota == 0 && limits().memory == INT64_MAX);
  put("sys/fs/cgroup/slurm/job_7/step_0/memory.max", "3000000000\n");
  put("sys/fs/cgroup/slurm/job_7/memory.max", "2000000000\n");
  put("sys/fs/cgroup/slurm/memory.max", "9000000000\n");
  put("sys/fs/cgroup/slurm/job_7/cpu.max", "150000 100000\n");
  put("sys/fs/cgroup/cpu.max", "800000 100000\n"); // a container's own root
  assert_true(limits().quota == 1.5);
  assert_int_equal(limits().memory, 2000000000);
  put("sys/fs/cgroup/slurm/memory.high", "1000000000\n");
  assert_int_equal(limits().memory, 1000000000);
}

static void v1_has_a_hierarchy_each(void **state) {
  (void)state;
  clear();
  put("proc/self/cgroup", "9:name=systemd:/\n4:memory:/job/step\n2:cpu,cpuacct:/job\n0::/\n");
  put("proc/self/mountinfo",
      "33 32 0:30 / /cg/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
      "34 32 0:31 / /cg/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
      "35 32 0:32 / /cg/memory rw,relatime shared:9 master:1 - cgroup cgroup rw,memory\n");
  put("cg/memory/job/step/memory.limit_in_bytes", "9223372036854771712\n");
  put("cg/cpu/job/cpu.cfs_quota_us", "-1\n");
  put("cg/cpu/job/cpu.cfs_period_us", "100000\n");
  assert_true(limits().quota == 0 && limits().memory == INT64_MAX);
  put("cg/memory/job/memory.limit_in_bytes", "1073741824\n");
  put("cg/cpu/job/cpu.cfs_quota_us", "50000\n");
  put("cg/cpu/job/cpu.cfs_period_us", "200000\n");
  assert_true(limits().quota == 0.25);
  assert_int_equal(limits().memory, 1073741824);
}

static void containers_mount_a_part(void **state) {
  (void)state;
  clear();
  put("proc/self/cgroup", "0::/docker/abc/inner\n");
  put("proc/self/mountinfo", "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  put("sys/fs/cgroup/inner/memory.max", "5000000\n");
  assert_int_equal(limits().memory, 5000000);
  put("proc/self/cgroup", "0::/somewhere/else\n"); // not visible: the mounted part itself counts
  assert_int_equal(limits().memory, INT64_MAX);
  put("sys/fs/cgroup/memory.max", "7000000\n");
  assert_int_equal(limits().memory, 7000000);
}

// ---- memory ---------------------------------------------------------------------------------
static void memory_is_what_slurm_gave(void **state) {
  (void)state;
  unsetenv("SLURM_MEM_PER_NODE");
  unsetenv("SLURM_MEM_PER_CPU");
  int64_t machine = pl_memory_limit();
  assert_true(machine > 16 << 20);
  setenv("SLURM_MEM_PER_NODE", "8", 1); // MiB
  assert_int_equal(pl_memory_limit(), 8 << 20);
  assert_int_equal(pl_memory_most(), 8 << 20);
  setenv("SLURM_MEM_PER_NODE", "0", 1); // all of the node
  setenv("SLURM_MEM_PER_CPU", "3", 1);
  setenv("SLURM_CPUS_ON_NODE", "4", 1);
  assert_int_equal(pl_memory_limit(), 12 << 20);
  setenv("SLURM_MEM_PER_CPU", "999999999999999999999", 1);
  assert_true(pl_memory_limit() > machine / 2);
  assert_true(pl_memory_most() > machine / 2);
  unsetenv("SLURM_MEM_PER_NODE");
  unsetenv("SLURM_MEM_PER_CPU");
  unsetenv("SLURM_CPUS_ON_NODE");
}

static int make_root(void **state) {
  (void)state;
  return mkdtemp(root) == NULL;
}

static int remove_root(void **state) {
  (void)state;
  clear();
  return rmdir(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(this_machine),
      cmocka_unit_test(a_narrow_mask_does_not_narrow_the_node),
      cmocka_unit_test(synthetic_machines),
      cmocka_unit_test(first_cpus_are_whole_cores),
      cmocka_unit_test(caches),
      cmocka_unit_test(nonsense_is_refused),
      cmocka_unit_test(nothing_readable_limits_nothing),
      cmocka_unit_test(v2_takes_the_least_on_the_way_up),
      cmocka_unit_test(v1_has_a_hierarchy_each),
      cmocka_unit_test(containers_mount_a_part),
      cmocka_unit_test(memory_is_what_slurm_gave),
  };
  return cmocka_run_group_tests(tests, make_root, remove_root);
}
