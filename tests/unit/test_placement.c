// SPDX-License-Identifier: BSD-3-Clause
//
// Placement on machines that are not here (synthetic topologies, masks and launchers in a table),
// and for real in children of this program that place themselves and report ("report" as argument).
#include "base/mem.h"
#include "host/placement_inside.h"
#include "host/share.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

// ---- shares ---------------------------------------------------------------------------------
static void print_share(int rank, const pl_cpu *share, int n) {
  char line[256];
  int used = snprintf(line, sizeof line, "  rank %2d:", rank);
  for (int i = 0; i < n && used < 80; i++)
    used += snprintf(line + used, sizeof line - (size_t)used, " %d", share[i].os);
  print_message("%s%s  (%d CPUs, %d cores)\n", line, n > 20 ? " .." : "", n,
                pl_share_cores(share, n));
}

// Disjoint and covering; counts the domains that the shares touch.
static int check_shares(const pl_topology *t, int ranks) {
  int users[1024] = {0}, domains = 0;
  pl_cpu share[1024];
  for (int r = 0; r < ranks; r++) {
    bool overlaps = true;
    int n = pl_share_cut(t->cpus, t->ncpus, r, ranks, share, &overlaps);
    uint64_t touched = 0;
    assert_false(overlaps);
    assert_in_range(n, 1, t->ncpus);
    for (int i = 0; i < n; i++) {
      users[share[i].os]++;
      touched |= 1ull << share[i].numa;
    }
    for (; touched != 0; touched &= touched - 1) domains++;
    int cores = pl_share_cores(share, n); // the first CPUs are whole cores
    assert_int_equal(pl_share_cores(share, cores), cores);
    print_share(r, share, n);
  }
  for (int i = 0; i < t->ncpus; i++) assert_int_equal(users[t->cpus[i].os], 1);
  return domains;
}

typedef struct node {
  const char *synthetic;
  int ranks;
  int domains; // summed over the ranks: the fewest possible, or as good as even shares allow
} node;

static void shares_are_disjoint_and_cover(void **state) {
  (void)state;
  static const node nodes[] = {
      {"pack:2 [numa] core:64 pu:2", 1, 2},
      {"pack:2 [numa] core:64 pu:2", 2, 2},
      {"pack:2 [numa] core:64 pu:2", 4, 4},
      {"pack:2 [numa] core:64 pu:2", 3, 4},
      {"pack:2 [numa] core:64 pu:2", 7, 8},
      {"pack:2 [numa] core:64 pu:2", 128, 128},
      {"pack:2 [numa] core:64 pu:2", 256, 256}, // a hardware thread each
      {"pack:2 [numa] core:64 pu:2", 129, 129},
      {"pack:2 numa:4 core:16 pu:2", 2, 8},
      {"pack:2 numa:4 core:16 pu:2", 8, 8}, // NPS4
      {"pack:2 numa:4 core:16 pu:2", 16, 16},
      {"core:1 pu:1", 1, 1},
      {"core:1 pu:2", 1, 1},
      {"core:1 pu:2", 2, 2},
      {"core:2 pu:1", 2, 2},
      {"core:2 pu:2", 3, 3},
  };
  for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
    pl_topology t;
    print_message("%d ranks on %s\n", nodes[i].ranks, nodes[i].synthetic);
    assert_int_equal(pl_topology_find(nodes[i].synthetic, &t), PLAIT_OK);
    assert_int_equal(check_shares(&t, nodes[i].ranks), nodes[i].domains);
    pl_topology_free(&t);
  }
}

// 2 fast cores with 2 hardware threads, 4 slow ones with 1; CPUs of a core are neighbours.
static pl_topology make_heterogeneous(pl_cpu cpus[8], int mask[8]) {
  static const int core[8] = {0, 1, 2, 3, 4, 5, 0, 1}, thread[8] = {0, 0, 0, 0, 0, 0, 1, 1};
  static const int os[8] = {0, 2, 4, 5, 6, 7, 1, 3};
  for (int i = 0; i < 8; i++) {
    cpus[i] = (pl_cpu){.os = os[i], .core = core[i], .thread = thread[i]};
    mask[i] = i;
  }
  return (pl_topology){.ncpus = 8, .cpus = cpus, .ncores = 6, .nnuma = 1, .nmask = 8, .mask = mask};
}

static void heterogeneous_cores_count_one_each(void **state) {
  (void)state;
  pl_cpu cpus[8], share[8];
  int mask[8];
  bool overlaps;
  pl_topology t = make_heterogeneous(cpus, mask);
  assert_int_equal(check_shares(&t, 1), 1);
  assert_int_equal(check_shares(&t, 2), 2);
  assert_int_equal(check_shares(&t, 6), 6);
  assert_int_equal(check_shares(&t, 8), 8);
  assert_int_equal(pl_share_cut(cpus, 8, 0, 2, share, &overlaps), 5); // cores 0 1 2, threads of 0 1
  assert_true(share[0].os == 0 && share[1].os == 2 && share[2].os == 4 && share[3].os == 1);
}

static void uneven_domains_keep_their_edge(void **state) {
  (void)state;
  pl_topology t;
  pl_cpu share[128];
  bool overlaps;
  assert_int_equal(pl_topology_find("numa:2 core:32 pu:1", &t), PLAIT_OK);
  // A cpuset that lacks the last 3 cores: 61, of which 32 in the first domain. Even: 30 and 31.
  assert_int_equal(pl_share_cut(t.cpus, 61, 0, 2, share, &overlaps), 32);
  assert_int_equal(pl_share_cut(t.cpus, 61, 1, 2, share, &overlaps), 29);
  // One that lacks 20: 32 and 12. The edge is too far away.
  assert_int_equal(pl_share_cut(t.cpus, 44, 0, 2, share, &overlaps), 22);
  pl_topology_free(&t);
}

static void ranks_beyond_the_cpus_share_all(void **state) {
  (void)state;
  pl_topology t;
  pl_cpu share[2];
  bool overlaps = false;
  assert_int_equal(pl_topology_find("core:2 pu:1", &t), PLAIT_OK);
  for (int ranks = 3; ranks <= 5; ranks += 2)
    for (int r = 0; r < ranks; r++) {
      assert_int_equal(pl_share_cut(t.cpus, 2, r, ranks, share, &overlaps), 2);
      assert_true(overlaps);
    }
  pl_topology_free(&t);
}

// ---- decisions ------------------------------------------------------------------------------
typedef struct situation {
  const char *what;
  const char *synthetic;
  pl_launch launch; // launcher, launched, rank, size, local_rank, local_size, in_slurm
  pl_wish wish;
  pl_surroundings around;
  int mask_from, mask_n;   // os numbers of the mask; n = 0: all
  int outer_from, outer_n; // of the launcher's own mask; n = 0: unknown
  double quota;
  // expected
  int threads, ncpus, first; // first: os number of its first CPU
  bool oversubscribed, widened, places, bound;
  const char *note; // part of it; "" none at all
} situation;

// BIG: os 2k and 2k + 1 are the hardware threads of core k.
#define MPIRUN(r, n) .launch = {"mpirun", true, r, n, r, n, false}, .around.may_bind = true
#define SRUN(r, n)   .launch = {"srun", true, r, n, r, n, true}, .around.may_bind = true
#define PLAIN        .launch = {"", false, -1, -1, 0, 1, false}
#define BIG          .synthetic = "pack:2 [numa] core:64 pu:2"
#define TWO          .synthetic = "core:2 pu:1"

static const situation situations[] = {
    // alone
    {"laptop", TWO, PLAIN, .threads = 2, .ncpus = 2, .bound = true, .note = ""},
    {"one core", .synthetic = "core:1 pu:1", PLAIN, .threads = 1, .ncpus = 1, .bound = true,
     .note = ""},
    {"large node", BIG, PLAIN, .threads = 128, .ncpus = 256, .bound = true, .note = ""},
    {"taskset", BIG, PLAIN, .mask_from = 8, .mask_n = 8, .threads = 4, .ncpus = 8, .first = 8,
     .bound = true, .note = ""},
    {"taskset to one hardware thread", BIG, PLAIN, .mask_from = 9, .mask_n = 1, .threads = 1,
     .ncpus = 1, .first = 9, .bound = true, .note = ""},
    // mpirun's default
    {"mpirun -np 1: bound to a core", TWO, MPIRUN(0, 1), .mask_n = 1, .outer_n = 2, .threads = 2,
     .ncpus = 2, .widened = true, .bound = true,
     .note = "mpirun bound this rank to 1 of 2 CPUs by default; it uses its share of 2"},
    {"mpirun -np 2 on 2 cores: right already", TWO, MPIRUN(1, 2), .mask_from = 1, .mask_n = 1,
     .outer_n = 2, .threads = 1, .ncpus = 1, .first = 1, .bound = true, .note = ""},
    {"mpirun -np 2, large", BIG, MPIRUN(1, 2), .mask_from = 2, .mask_n = 2, .outer_n = 256,
     .threads = 64, .ncpus = 128, .first = 128, .widened = true, .bound = true,
     .note = "share of 128"},
    {"mpirun -np 4, bound to packages", BIG, MPIRUN(2, 4), .mask_n = 128, .outer_n = 256,
     .threads = 32, .ncpus = 64, .first = 128, .widened = true, .bound = true,
     .note = "share of 64"},
    {"mpirun -np 4, not bound", BIG, MPIRUN(3, 4), .outer_n = 256, .threads = 32, .ncpus = 64,
     .first = 192, .bound = true, .note = ""},
    {"the launcher's mask is not known", TWO, MPIRUN(0, 1), .mask_n = 1, .threads = 2, .ncpus = 2,
     .widened = true, .bound = true, .note = "share of 2"},
    {"taskset mpirun", BIG, MPIRUN(1, 2), .mask_from = 0, .mask_n = 2, .outer_from = 16,
     .outer_n = 8, .threads = 2, .ncpus = 4, .first = 20, .widened = true, .bound = true,
     .note = "share of 4"},
    // deliberate
    {"--bind-to core", TWO, MPIRUN(0, 1), .around.told = true, .mask_n = 1, .outer_n = 2,
     .threads = 1, .ncpus = 1, .bound = true, .note = ""},
    {"--bind-to none", TWO, MPIRUN(1, 2), .around.told = true, .outer_n = 2, .threads = 1,
     .ncpus = 1, .first = 1, .bound = true, .note = ""},
    {"--map-by slot:PE=4", BIG, MPIRUN(1, 2), .around.told = true, .mask_from = 8, .mask_n = 8,
     .outer_n = 256, .threads = 4, .ncpus = 8, .first = 8, .bound = true, .note = ""},
    {"--bind-to socket, 4 ranks", BIG, MPIRUN(1, 4), .around.told = true, .mask_from = 128,
     .mask_n = 128, .outer_n = 256, .threads = 32, .ncpus = 128, .first = 128, .note = ""},
    {"Hydra -bind-to core", TWO, .launch = {"mpiexec", true, 0, 1, 0, 1, false}, .mask_n = 1,
     .outer_n = 2, .threads = 1, .ncpus = 1, .bound = true, .note = ""},
    {"inherit", TWO, MPIRUN(0, 1), .wish.inherit = true, .mask_n = 1, .outer_n = 2, .threads = 1,
     .ncpus = 1, .note = ""},
    // srun
    {"srun: one CPU by default", BIG, SRUN(0, 2), .around.job_cpus = 256, .mask_n = 2,
     .outer_n = 256, .threads = 64, .ncpus = 128, .widened = true, .bound = true,
     .note = "srun bound"},
    {"srun without -c in a job with -c", BIG, SRUN(0, 2), .around.task_cpus = 64, .mask_n = 2,
     .outer_n = 256, .threads = 64, .ncpus = 128, .widened = true, .bound = true,
     .note = "srun bound"},
    {"srun -c 8", BIG, SRUN(1, 2), .around.task_cpus = 8, .mask_from = 8, .mask_n = 8,
     .outer_n = 256, .threads = 4, .ncpus = 8, .first = 8, .bound = true, .note = ""},
    {"srun -c 2, not bound", BIG, SRUN(1, 2), .around.task_cpus = 2, .outer_n = 256, .threads = 2,
     .ncpus = 128, .first = 128, .bound = true, .note = ""},
    {"srun --cpu-bind=cores", BIG, SRUN(1, 2), .around.told = true, .mask_from = 8, .mask_n = 2,
     .outer_n = 256, .threads = 1, .ncpus = 2, .first = 8, .bound = true, .note = ""},
    {"part of a node without control groups", BIG, SRUN(0, 1), .around.job_cpus = 8, .mask_n = 2,
     .outer_n = 256, .threads = 1, .ncpus = 2, .bound = true,
     .note = "is kept: Slurm gave the job 8"},
    {"the same, not bound", BIG, SRUN(0, 2), .around.job_cpus = 8, .outer_n = 256, .threads = 4,
     .ncpus = 128, .note = ""},
    {"srun takes a part of the job", BIG, SRUN(0, 1), .around.job_cpus = 8, .around.task_cpus = 2,
     .outer_n = 256, .threads = 2, .ncpus = 256,
     .note = "Slurm gave the job 8 CPUs of this node, srun 2 of them to its 1 rank"},
    {"srun takes all of it", BIG, SRUN(0, 2), .around.job_cpus = 8, .around.task_cpus = 4,
     .outer_n = 256, .threads = 4, .ncpus = 128, .note = ""},
    // more ranks than CPUs
    {"3 ranks on 2 cores", TWO, MPIRUN(1, 3), .outer_n = 2, .threads = 1, .ncpus = 2,
     .oversubscribed = true, .note = "3 ranks share 2 CPUs"},
    {"5 ranks on 2 cores", TWO, MPIRUN(4, 5), .outer_n = 2, .threads = 1, .ncpus = 2,
     .oversubscribed = true, .note = "5 ranks share 2 CPUs"},
    {"3 ranks on 2 cores with SMT", .synthetic = "core:2 pu:2", MPIRUN(2, 3), .threads = 1,
     .ncpus = 2, .first = 2, .bound = true, .note = ""},
    // the user's threads
    {"--threads beats OMP_NUM_THREADS", TWO, PLAIN, .wish.threads = 2, .around.omp_threads = 1,
     .threads = 2, .ncpus = 2, .bound = true, .note = ""},
    {"too many", TWO, PLAIN, .around.omp_threads = 8, .threads = 8, .ncpus = 2,
     .oversubscribed = true, .note = "OMP_NUM_THREADS=8: more threads than the 2 CPUs of the rank"},
    {"too few", TWO, PLAIN, .around.omp_threads = 1, .threads = 1, .ncpus = 2, .bound = true,
     .note = "OMP_NUM_THREADS=1: 1 of 2 cores of the rank stay idle"},
    {"hardware threads asked for", BIG, PLAIN, .wish.threads = 256, .threads = 256, .ncpus = 256,
     .bound = true, .note = ""},
    {"OMP_THREAD_LIMIT", BIG, PLAIN, .around.omp_limit = 5, .threads = 5, .ncpus = 256,
     .bound = true, .note = ""},
    {"OMP_PLACES, one rank", TWO, PLAIN, .around.omp_places = true, .threads = 2, .ncpus = 2,
     .places = true, .note = ""},
    {"OMP_PLACES, two ranks", TWO, MPIRUN(0, 2), .around.omp_places = true, .outer_n = 2,
     .threads = 1, .ncpus = 1, .places = true, .note = "see that the 2 ranks"},
    {"OMP_PROC_BIND=false", TWO, PLAIN, .around.omp_unbound = true, .threads = 2, .ncpus = 2,
     .note = ""},
    // quota
    {"half of the time", TWO, PLAIN, .quota = 1, .threads = 1, .ncpus = 2, .bound = true,
     .note = "the time of 1 CPUs: 1 thread on 2 cores"},
    {"enough", TWO, PLAIN, .quota = 2, .threads = 2, .ncpus = 2, .bound = true, .note = ""},
    {"less than a CPU for two ranks", TWO, MPIRUN(0, 2), .outer_n = 2, .quota = 0.5, .threads = 1,
     .ncpus = 1, .oversubscribed = true, .note = "the time of 0.5 CPUs to 2 ranks"},
};

static int *run_of(int from, int n) {
  int *list = NULL;
  assert_int_equal(pl_alloc((size_t)n, sizeof *list, &list), PLAIT_OK);
  for (int i = 0; i < n; i++) list[i] = from + i;
  return list;
}

static void narrow(pl_topology *t, const situation *s) {
  t->quota = s->quota;
  if (s->mask_n == 0) return;
  pl_free(&t->mask);
  t->mask = run_of(s->mask_from, s->mask_n);
  t->nmask = s->mask_n;
}

static void check_situation(const situation *s) {
  pl_topology t;
  pl_placement p;
  pl_surroundings around = s->around;
  assert_int_equal(pl_topology_find(s->synthetic, &t), PLAIT_OK);
  narrow(&t, s);
  around.outer = s->outer_n > 0 ? run_of(s->outer_from, s->outer_n) : NULL;
  around.nouter = s->outer_n;
  assert_int_equal(pl_placement_decide_in(&t, &s->launch, &s->wish, &around, &p), PLAIT_OK);
  print_message("%s: %d threads on %d CPUs from %d. %s\n", s->what, p.threads, p.ncpus, p.cpus[0],
                p.note);
  assert_int_equal(p.threads, s->threads);
  assert_int_equal(p.ncpus, s->ncpus);
  assert_int_equal(p.cpus[0], s->first);
  assert_int_equal(p.oversubscribed, s->oversubscribed);
  assert_int_equal(p.widened, s->widened);
  assert_int_equal(p.user_places, s->places);
  assert_int_equal(p.bound, s->bound);
  if (*s->note == 0)
    assert_string_equal(p.note, "");
  else
    assert_non_null(strstr(p.note, s->note));
  pl_placement_free(&p);
  pl_topology_free(&t);
  pl_surroundings_free(&around);
}

static void decisions(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof situations / sizeof situations[0]; i++)
    check_situation(&situations[i]);
}

static void a_decision_survives_as_text(void **state) {
  (void)state;
  int cpus[] = {7, 3, 1000};
  char text[256];
  pl_placement p = {.threads = 12, .ncpus = 3, .cpus = cpus, .widened = true, .bound = true}, q;
  strcpy(p.note, "a | b; c");
  pl_placement_write(&p, text, sizeof text);
  assert_int_equal(pl_placement_read(text, &q), PLAIT_OK);
  assert_int_equal(q.threads, 12);
  assert_int_equal(q.ncpus, 3);
  assert_memory_equal(q.cpus, cpus, sizeof cpus);
  assert_true(q.widened && q.bound && !q.oversubscribed && !q.user_places);
  assert_string_equal(q.note, p.note);
  pl_placement_free(&q);
  assert_null(q.cpus);
  static const char *const bad[] = {"", "x", "0 0 1 1 | ", "1 0 0 | ", "1 0 3 1 2 | ", "1 0 -1 | "};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(pl_placement_read(bad[i], &q), PLAIT_BUG);
    assert_null(q.cpus);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shares_are_disjoint_and_cover),
      cmocka_unit_test(heterogeneous_cores_count_one_each),
      cmocka_unit_test(uneven_domains_keep_their_edge),
      cmocka_unit_test(ranks_beyond_the_cpus_share_all),
      cmocka_unit_test(decisions),
      cmocka_unit_test(a_decision_survives_as_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
