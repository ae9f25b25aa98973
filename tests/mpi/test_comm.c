// SPDX-License-Identifier: BSD-3-Clause
//
// The communicator, on as many ranks as the launcher starts. Other ways to call it (one argument):
//   abort      rank 1 ends all with exit code 42 while the others wait
//   far        all tests but that of counters without their owner, which pt2pt windows do not give
//   singleton  one process claims that three were started: must be refused with the cure
//   srun       the same, started by srun without PMI
#include "agree.h"
#include "base/clock.h"
#include "base/mem.h"
#include "host/comm_wire.h"
#include "host/launch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pl_comm *comm;
static int rank, size;

static void knows_itself(void **state) {
  (void)state;
  pl_launch launch;
  pl_launch_find(&launch);
  agree_true(comm, launch.size < 0 || (launch.size == size && launch.rank == rank));
  agree_true(comm, rank >= 0 && rank < size && strlen(pl_comm_host(comm)) > 0);
  agree_true(comm, pl_comm_has_mpi() && strlen(pl_comm_library()) > 3);
  agree_true(comm, !strcmp(pl_comm_threads(), "MPI_THREAD_SERIALIZED") ||
                       !strcmp(pl_comm_threads(), "MPI_THREAD_MULTIPLE"));
  pl_comm_lock(comm);
  pl_comm_unlock(comm);
}

// Without agree_*: this is what they rest on.
static void agrees_on_success(void **state) {
  (void)state;
  assert_int_equal(pl_comm_agree(comm, PLAIT_OK), PLAIT_OK);
}

static void
check_message(int first) { // "disk of R is full", elsewhere with "rank R on HOST: " before
  char text[64], prefix[64];
  snprintf(text, sizeof text, "disk of %d is full", first);
  snprintf(prefix, sizeof prefix, "rank %d on ", first);
  const char *found = strstr(pl_message(), text);
  assert_non_null(found);
  assert_string_equal(found, text);
  if (rank == first)
    assert_ptr_equal(found, pl_message());
  else
    assert_int_equal(strncmp(pl_message(), prefix, strlen(prefix)), 0);
}

static void agrees_on_the_lowest_failure(void **state) {
  (void)state;
  for (int first = 0; first < size; first++) {
    plait_err mine = rank < first ? PLAIT_OK : rank == first ? PLAIT_IO : PLAIT_MEMORY;
    pl_message_set("");
    if (rank >= first) plait_fail(mine, "disk of %d is full", rank);
    assert_int_equal(pl_comm_agree(comm, mine), size == 1 ? mine : PLAIT_IO);
    check_message(first);
  }
}

static void agrees_on_a_long_message(void **state) {
  (void)state;
  char text[PL_MESSAGE_BYTES];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = 0;
  if (rank == size - 1) pl_message_set(text);
  plait_err err = pl_comm_agree(comm, rank == size - 1 ? PLAIT_KERNEL : PLAIT_OK);
  assert_int_equal(err, PLAIT_KERNEL);
  agree_true(comm, strlen(pl_message()) < PL_MESSAGE_BYTES && strlen(pl_message()) > 4000);
}

static void barrier_waits(void **state) {
  (void)state;
  for (int late = 0; late < size; late++) {
    agree_ok(comm, pl_comm_barrier(comm));
    double start = pl_now();
    if (rank == late) pl_sleep(0.05);
    agree_ok(comm, pl_comm_barrier(comm));
    agree_true(comm, pl_now() - start > 0.045);
  }
}

static void waiting_gives_the_core_away(void **state) {
  (void)state;
  agree_ok(comm, pl_comm_barrier(comm));
  double cpu = pl_cpu_process();
  if (rank == 0) pl_sleep(0.5);
  agree_ok(comm, pl_comm_barrier(comm));
  cpu = pl_cpu_process() - cpu;
  agree_true(comm, cpu < 0.15);
}

static void fill(unsigned char *data, size_t n, int seed) {
  for (size_t i = 0; i < n; i++) data[i] = (unsigned char)(i * 31 + (size_t)seed * 17 + i / 251);
}

static bool filled(const unsigned char *data, size_t n, int seed) {
  for (size_t i = 0; i < n; i++)
    if (data[i] != (unsigned char)(i * 31 + (size_t)seed * 17 + i / 251)) return false;
  return true;
}

enum { MOST = 100000 };
static const size_t lengths[] = {0, 1, 7, 999, 1000, 1001, 4096, MOST};
enum { LENGTHS = sizeof lengths / sizeof lengths[0] };
static unsigned char mine[MOST + 1], *all; // all: size * MOST

static void broadcasts(void **state) {
  (void)state;
  for (int k = 0; k < LENGTHS * size; k++) {
    size_t n = lengths[k % LENGTHS];
    int root = k / LENGTHS;
    memset(mine, 0xee, sizeof mine);
    if (rank == root) fill(mine, n, k);
    agree_ok(comm, pl_comm_bcast(comm, mine, n, root));
    agree_true(comm, filled(mine, n, k) && mine[n] == 0xee);
  }
}

static bool gathered(size_t n, int k) {
  for (int r = 0; r < size; r++)
    if (!filled(all + (size_t)r * n, n, k + r)) return false;
  return all[(size_t)size * n] == 0xee;
}

static void gathers(void **state) {
  (void)state;
  for (int k = 0; k < LENGTHS * (size + 1); k++) {
    size_t n = lengths[k % LENGTHS];
    int root = k / LENGTHS; // size: to all
    memset(all, 0xee, (size_t)size * MOST + 1);
    fill(mine, n, k + rank);
    bool takes = rank == root || root == size;
    agree_ok(comm, root == size ? pl_comm_allgather(comm, mine, n, all)
                                : pl_comm_gather(comm, mine, n, takes ? all : NULL, root));
    agree_true(comm, takes ? gathered(n, k) : all[0] == 0xee);
  }
}

static void reduces(void **state) {
  (void)state;
  int64_t most[3] = {rank, -rank, INT64_MIN + rank}, sum[3] = {rank, 1, INT64_MAX / size};
  agree_ok(comm, pl_comm_max_int(comm, most, 3));
  agree_true(comm, most[0] == size - 1 && most[1] == 0 && most[2] == INT64_MIN + size - 1);
  agree_ok(comm, pl_comm_sum_int(comm, sum, 3));
  agree_true(comm, sum[0] == size * (size - 1) / 2 && sum[1] == size);
  agree_true(comm, sum[2] == INT64_MAX / size * size);
  agree_ok(comm, pl_comm_sum_int(comm, NULL, 0));
  agree_ok(comm, pl_comm_max_int(comm, NULL, 0));
}

// In small pieces, so that the way of messages beyond 2 GiB is taken without 2 GiB.
static void in_pieces(void (*test)(void **)) {
  size_t whole = comm->piece;
  comm->piece = 1000;
  test(NULL);
  comm->piece = whole;
}

static void sends_round_the_ring(void **state) {
  (void)state;
  for (int k = 0; k < LENGTHS; k++) {
    size_t n = lengths[k];
    int next = (rank + 1) % size, previous = (rank + size - 1) % size;
    pl_request both[2] = {{NULL}, {NULL}};
    memset(all, 0xee, MOST + 1);
    fill(mine, n, rank);
    plait_err err = pl_comm_receive(comm, all, n, previous, 5, &both[0]);
    if (err == PLAIT_OK) err = pl_comm_send(comm, mine, n, next, 5, &both[1]);
    if (err == PLAIT_OK) err = pl_comm_wait(comm, both, 2);
    agree_ok(comm, err);
    agree_true(comm, filled(all, n, previous) && all[n] == 0xee);
    agree_true(comm, both[0].impl == NULL && both[1].impl == NULL);
  }
}

static void broadcasts_in_pieces(void **state) {
  (void)state;
  in_pieces(broadcasts);
}

static void gathers_in_pieces(void **state) {
  (void)state;
  in_pieces(gathers);
}

static void sends_in_pieces(void **state) {
  (void)state;
  in_pieces(sends_round_the_ring);
}

enum { MANY = 64 };

// Everyone to everyone, oneself too, receives posted in another order than sends; tested, not
// waited.
static void matches_by_rank_and_tag(void **state) {
  (void)state;
  int64_t out[MANY], in[8][MANY];
  pl_request *r = NULL;
  int n = 0;
  bool done = false;
  assert_true(size <= 8);
  agree_ok(comm, pl_calloc((size_t)size * MANY * 2, sizeof *r, &r));
  plait_err err = PLAIT_OK;
  for (int k = 0; k < MANY; k++) out[k] = rank * 1000 + k;
  for (int to = 0; to < size; to++)
    for (int k = 0; k < MANY && err == PLAIT_OK; k++)
      err = pl_comm_send(comm, &out[k], sizeof out[k], to, k, &r[n++]);
  for (int from = size - 1; from >= 0; from--)
    for (int k = MANY - 1; k >= 0 && err == PLAIT_OK; k--)
      err = pl_comm_receive(comm, &in[from][k], sizeof in[0][0], from, k, &r[n++]);
  while (err == PLAIT_OK && !done) err = pl_comm_test(comm, r, n, &done);
  agree_ok(comm, err);
  bool right = true;
  for (int from = 0; from < size; from++)
    for (int k = 0; k < MANY; k++) right = right && in[from][k] == from * 1000 + k;
  agree_true(comm, right);
  pl_free(&r);
}

static void keeps_the_order_of_one_tag(void **state) {
  (void)state;
  int out[MANY], in[MANY];
  pl_request r[2 * MANY] = {{NULL}};
  int next = (rank + 1) % size, previous = (rank + size - 1) % size;
  plait_err err = PLAIT_OK;
  for (int k = 0; k < MANY; k++) out[k] = 100 * rank + k;
  for (int k = 0; k < MANY && err == PLAIT_OK; k++)
    err = pl_comm_send(comm, &out[k], sizeof out[k], next, 0, &r[k]);
  for (int k = 0; k < MANY && err == PLAIT_OK; k++)
    err = pl_comm_receive(comm, &in[k], sizeof in[k], previous, 0, &r[MANY + k]);
  if (err == PLAIT_OK) err = pl_comm_wait(comm, r, 2 * MANY);
  agree_ok(comm, err);
  bool right = true;
  for (int k = 0; k < MANY; k++) right = right && in[k] == 100 * previous + k;
  agree_true(comm, right);
}

// Every rank takes tickets from one counter until it is used up; each must be given out once.
static void one_counter_gives_each_ticket_once(void **state) {
  (void)state;
  enum { TICKETS = 5000 };
  static int64_t taken[TICKETS];
  pl_counters *counters = NULL;
  memset(taken, 0, sizeof taken);
  agree_ok(comm, pl_counters_start(comm, 3, &counters));
  plait_err err = PLAIT_OK;
  for (int64_t ticket = 0; err == PLAIT_OK; taken[ticket]++) {
    err = pl_counters_add(counters, size - 1, 1, 1, &ticket);
    if (ticket >= TICKETS) break;
  }
  agree_ok(comm, err);
  agree_ok(comm, pl_comm_sum_int(comm, taken, TICKETS));
  bool right = true;
  for (int i = 0; i < TICKETS; i++) right = right && taken[i] == 1;
  agree_true(comm, right);
  pl_counters_stop(&counters);
  agree_true(comm, counters == NULL);
}

static void counters_are_apart(void **state) {
  (void)state;
  pl_counters *counters = NULL;
  int64_t before = -1;
  bool right = true;
  for (int round = 0; round < 3; round++) { // a second window starts at zero again
    agree_ok(comm, pl_counters_start(comm, 4, &counters));
    for (int to = 0; to < size; to++)
      for (int i = 0; i < 4; i++)
        right = pl_counters_add(counters, to, i, (to + 1) * 10 + i, &before) == PLAIT_OK && right;
    agree_ok(comm, pl_comm_barrier(comm));
    for (int to = 0; to < size; to++)
      for (int i = 0; i < 4; i++) {
        right = pl_counters_add(counters, to, i, 0, &before) == PLAIT_OK && right;
        right = right && before == (int64_t)size * ((to + 1) * 10 + i);
      }
    agree_true(comm, right);
    pl_counters_stop(&counters);
  }
  pl_counters_stop(&counters); // NULL inside is fine
}

static void counters_need_no_owner(void **state) { // rank 0 sleeps outside MPI; the others go on
  (void)state;
  pl_counters *counters = NULL;
  int64_t before;
  double start = 0;
  plait_err err = PLAIT_OK;
  agree_ok(comm, pl_counters_start(comm, 1, &counters));
  agree_ok(comm, pl_comm_barrier(comm));
  start = pl_now();
  if (rank == 0) pl_sleep(0.5);
  for (int i = 0; i < 1000 && rank > 0 && err == PLAIT_OK; i++)
    err = pl_counters_add(counters, 0, 0, 1, &before);
  bool quick = rank == 0 || pl_now() - start < 0.3;
  agree_ok(comm, err);
  agree_true(comm, quick);
  pl_counters_stop(&counters);
}

static void counters_move_when_their_owner_pokes(void **state) {
  (void)state;
  pl_counters *counters = NULL;
  int64_t before;
  plait_err err = PLAIT_OK;
  agree_ok(comm, pl_counters_start(comm, 1, &counters));
  agree_ok(comm, pl_comm_barrier(comm));
  double start = pl_now();
  while (rank == 0 && pl_now() - start < 1 && err == PLAIT_OK) {
    err = pl_comm_poke(comm);
    pl_sleep(1e-4);
  }
  for (int i = 0; i < 100 && rank > 0 && err == PLAIT_OK; i++)
    err = pl_counters_add(counters, 0, 0, 1, &before);
  bool quick = rank == 0 || pl_now() - start < 0.9;
  agree_ok(comm, err);
  agree_true(comm, quick);
  agree_ok(comm, pl_counters_add(counters, 0, 0, 0, &before));
  agree_true(comm, before == 100 * (size - 1));
  pl_counters_stop(&counters);
}

static int abort_all(void) {
  if (rank == 1) {
    pl_sleep(0.2);
    pl_comm_abort(comm, 42);
  }
  pl_comm_barrier(comm); // the others wait here for ever
  pl_comm_stop(&comm);
  return 1;
}

static int refuse_bare_srun(void) { // srun without PMI: before MPI can end the process
  setenv("SLURM_STEP_ID", "0", 1);
  setenv("SLURM_PROCID", "0", 1);
  setenv("SLURM_NTASKS", "3", 1);
  plait_err err = pl_comm_start(true, 3, &comm);
  printf("%s\n", pl_message());
  return err == PLAIT_USAGE && comm == NULL && strstr(pl_message(), "--mpi=pmix") != NULL ? 0 : 1;
}

static int refuse_singleton(void) {
  plait_err err = pl_comm_start(true, 3, &comm);
  bool right = err == PLAIT_USAGE && comm == NULL && strstr(pl_message(), "--mpi=pmix") != NULL;
  printf("%s\n", pl_message());
  return right ? 0 : 1;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_on_success),
      cmocka_unit_test(agrees_on_the_lowest_failure),
      cmocka_unit_test(agrees_on_a_long_message),
      cmocka_unit_test(knows_itself),
      cmocka_unit_test(barrier_waits),
      cmocka_unit_test(waiting_gives_the_core_away),
      cmocka_unit_test(broadcasts),
      cmocka_unit_test(broadcasts_in_pieces),
      cmocka_unit_test(gathers),
      cmocka_unit_test(gathers_in_pieces),
      cmocka_unit_test(reduces),
      cmocka_unit_test(sends_round_the_ring),
      cmocka_unit_test(sends_in_pieces),
      cmocka_unit_test(matches_by_rank_and_tag),
      cmocka_unit_test(keeps_the_order_of_one_tag),
      cmocka_unit_test(one_counter_gives_each_ticket_once),
      cmocka_unit_test(counters_are_apart),
      cmocka_unit_test(counters_move_when_their_owner_pokes),
      cmocka_unit_test(counters_need_no_owner),
  };
  if (argc > 1 && strcmp(argv[1], "singleton") == 0) return refuse_singleton();
  if (argc > 1 && strcmp(argv[1], "srun") == 0) return refuse_bare_srun();
  pl_launch launch;
  pl_launch_find(&launch);
  if (pl_comm_start(launch.launched, launch.size, &comm) != PLAIT_OK) return 1;
  rank = pl_comm_rank(comm);
  size = pl_comm_size(comm);
  if (argc > 1 && strcmp(argv[1], "abort") == 0) return abort_all();
  agree_quiet(comm);
  if (pl_alloc((size_t)size * MOST + 1, 1, &all) != PLAIT_OK) return 1;
  if (argc > 1 && strcmp(argv[1], "far") == 0) cmocka_set_skip_filter("counters_need_no_owner");
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  pl_free(&all);
  pl_comm_stop(&comm);
  return failed;
}
