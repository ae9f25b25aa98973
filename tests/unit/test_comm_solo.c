// SPDX-License-Identifier: BSD-3-Clause
//
// A communicator of one rank that no launcher started: the same with and without MPI compiled in.
#include "host/comm.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pl_comm *comm;

static int start(void **state) {
  (void)state;
  return pl_comm_start(false, -1, &comm) == PLAIT_OK ? 0 : 1;
}

static int stop(void **state) {
  (void)state;
  pl_comm_stop(&comm);
  pl_comm_stop(&comm); // NULL inside is fine
  return comm == NULL ? 0 : 1;
}

static void is_one_of_one(void **state) {
  (void)state;
  assert_int_equal(pl_comm_rank(comm), 0);
  assert_int_equal(pl_comm_size(comm), 1);
  assert_true(strlen(pl_comm_host(comm)) > 0);
  assert_true(strlen(pl_comm_library()) > 0);
  assert_string_equal(pl_comm_threads(), ""); // nobody launched this test
  assert_int_equal(strncmp(pl_comm_library(), "none", 4) != 0, pl_comm_has_mpi());
  pl_comm_lock(comm);
  pl_comm_unlock(comm);
}

static void refuses_company_without_mpi(void **state) {
  (void)state;
  pl_comm *other = comm;
  if (pl_comm_has_mpi()) skip();
  assert_int_equal(pl_comm_start(true, 2, &other), PLAIT_USAGE);
  assert_null(other);
  assert_non_null(strstr(pl_message(), "PLAIT_MPI=ON"));
  assert_int_equal(pl_comm_start(true, 1, &other), PLAIT_OK);
  pl_comm_stop(&other);
}

static void agrees_with_itself(void **state) {
  (void)state;
  assert_int_equal(pl_comm_agree(comm, PLAIT_OK), PLAIT_OK);
  plait_fail(PLAIT_IO, "the disk is full");
  assert_int_equal(pl_comm_agree(comm, PLAIT_IO), PLAIT_IO);
  assert_string_equal(pl_message(), "the disk is full");
}

static void collectives_keep_the_data(void **state) {
  (void)state;
  char mine[] = "block", all[8] = "";
  int64_t values[] = {3, -4};
  assert_int_equal(pl_comm_barrier(comm), PLAIT_OK);
  assert_int_equal(pl_comm_poke(comm), PLAIT_OK);
  assert_int_equal(pl_comm_bcast(comm, mine, sizeof mine, 0), PLAIT_OK);
  assert_int_equal(pl_comm_gather(comm, mine, sizeof mine, all, 0), PLAIT_OK);
  assert_string_equal(all, "block");
  memset(all, 0, sizeof all);
  assert_int_equal(pl_comm_allgather(comm, mine, sizeof mine, all), PLAIT_OK);
  assert_string_equal(all, "block");
  assert_int_equal(pl_comm_allgather(comm, all, sizeof all, all), PLAIT_OK); // in place
  assert_string_equal(all, "block");
  assert_int_equal(pl_comm_gather(comm, NULL, 0, NULL, 0), PLAIT_OK);
  assert_int_equal(pl_comm_bcast(comm, NULL, 0, 0), PLAIT_OK);
  assert_int_equal(pl_comm_max_int(comm, values, 2), PLAIT_OK);
  assert_int_equal(pl_comm_sum_int(comm, values, 2), PLAIT_OK);
  assert_true(values[0] == 3 && values[1] == -4);
  assert_string_equal(mine, "block");
}

static void sends_to_itself(void **state) {
  (void)state;
  int out[] = {1, 2, 3}, in[3] = {0};
  pl_request r[6] = {{NULL}};
  bool done = true;
  // Two of one tag keep their order; another tag overtakes; either side may come first.
  assert_int_equal(pl_comm_send(comm, &out[0], sizeof(int), 0, 7, &r[0]), PLAIT_OK);
  assert_int_equal(pl_comm_send(comm, &out[1], sizeof(int), 0, 7, &r[1]), PLAIT_OK);
  assert_int_equal(pl_comm_receive(comm, &in[2], sizeof(int), 0, 8, &r[2]), PLAIT_OK);
  assert_int_equal(pl_comm_test(comm, r, 6, &done), PLAIT_OK);
  assert_false(done);
  assert_int_equal(pl_comm_send(comm, &out[2], sizeof(int), 0, 8, &r[3]), PLAIT_OK);
  assert_int_equal(pl_comm_receive(comm, &in[0], sizeof(int), 0, 7, &r[4]), PLAIT_OK);
  assert_int_equal(pl_comm_receive(comm, &in[1], sizeof(int), 0, 7, &r[5]), PLAIT_OK);
  assert_int_equal(pl_comm_wait(comm, r, 6), PLAIT_OK);
  assert_true(in[0] == 1 && in[1] == 2 && in[2] == 3);
  for (int i = 0; i < 6; i++) assert_null(r[i].impl);
  assert_int_equal(pl_comm_test(comm, r, 6, &done), PLAIT_OK); // all zero: done
  assert_true(done);
  assert_int_equal(pl_comm_wait(comm, NULL, 0), PLAIT_OK);
}

static void empty_messages_arrive(void **state) {
  (void)state;
  pl_request r[2] = {{NULL}};
  assert_int_equal(pl_comm_send(comm, NULL, 0, 0, 0, &r[0]), PLAIT_OK);
  assert_int_equal(pl_comm_receive(comm, NULL, 0, 0, 0, &r[1]), PLAIT_OK);
  assert_int_equal(pl_comm_wait(comm, r, 2), PLAIT_OK);
}

static void a_message_too_long_is_refused(void **state) {
  (void)state;
  char out[8] = "1234567", in[4] = "abc";
  pl_request r[2] = {{NULL}};
  assert_int_equal(pl_comm_receive(comm, in, sizeof in, 0, 0, &r[0]), PLAIT_OK);
  assert_int_equal(pl_comm_send(comm, out, sizeof out, 0, 0, &r[1]), PLAIT_OK);
  assert_int_equal(pl_comm_wait(comm, r, 2), PLAIT_COMM);
  assert_string_equal(in, "abc");
  assert_true(r[0].impl == NULL && r[1].impl == NULL);
}

static void waiting_for_nobody_is_a_bug(void **state) {
  (void)state;
  int value = 0;
  pl_request r = {NULL};
  assert_int_equal(pl_comm_receive(comm, &value, sizeof value, 0, 1, &r), PLAIT_OK);
  assert_int_equal(pl_comm_wait(comm, &r, 1), PLAIT_BUG);
  pl_request s = {NULL}; // so that nothing is left
  assert_int_equal(pl_comm_send(comm, &value, sizeof value, 0, 1, &s), PLAIT_OK);
  assert_int_equal(pl_comm_wait(comm, &s, 1), PLAIT_OK);
  assert_int_equal(pl_comm_wait(comm, &r, 1), PLAIT_OK);
}

static void counters_count(void **state) {
  (void)state;
  pl_counters *counters = NULL;
  int64_t before = -1;
  assert_int_equal(pl_counters_start(comm, 2, &counters), PLAIT_OK);
  assert_int_equal(pl_counters_add(counters, 0, 1, 5, &before), PLAIT_OK);
  assert_int_equal(before, 0);
  assert_int_equal(pl_counters_add(counters, 0, 1, -2, &before), PLAIT_OK);
  assert_int_equal(before, 5);
  assert_int_equal(pl_counters_add(counters, 0, 0, 0, &before), PLAIT_OK);
  assert_int_equal(before, 0);
  assert_int_equal(pl_counters_add(counters, 0, 1, 0, &before), PLAIT_OK);
  assert_int_equal(before, 3);
  pl_counters_stop(&counters);
  assert_null(counters);
  pl_counters_stop(&counters);
}

static void counters_stand_threads(void **state) {
  (void)state;
  pl_counters *counters = NULL;
  int64_t sum = 0, last = 0;
  assert_int_equal(pl_counters_start(comm, 1, &counters), PLAIT_OK);
#pragma omp parallel for num_threads(4) reduction(+ : sum)
  for (int i = 0; i < 10000; i++) {
    int64_t before = 0;
    pl_counters_add(counters, 0, 0, 1, &before);
    sum += before;
  }
  pl_counters_add(counters, 0, 0, 0, &last);
  pl_counters_stop(&counters);
  assert_int_equal(last, 10000);
  assert_int_equal(sum, 9999 * 10000 / 2);
}

static void abort_ends_the_process(void **state) {
  (void)state;
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    pl_comm_abort(comm, 42);
    _exit(0);
  }
  assert_true(waitpid(child, &status, 0) == child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_one_of_one),
      cmocka_unit_test(refuses_company_without_mpi),
      cmocka_unit_test(agrees_with_itself),
      cmocka_unit_test(collectives_keep_the_data),
      cmocka_unit_test(sends_to_itself),
      cmocka_unit_test(empty_messages_arrive),
      cmocka_unit_test(a_message_too_long_is_refused),
      cmocka_unit_test(waiting_for_nobody_is_a_bug),
      cmocka_unit_test(abort_ends_the_process),
      cmocka_unit_test(counters_count),
      cmocka_unit_test(counters_stand_threads),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
