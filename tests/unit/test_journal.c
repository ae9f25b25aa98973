// SPDX-License-Identifier: BSD-3-Clause
//
// The journal: what is written is read, and whatever is done to the file, nothing is read that was
// not written.
#include "base/mem.h"
#include "engine/journal.h"
#include "engine/journal_format.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTIAL = 6000, RUNS = 40, NODES = 3 };
static char place[] = "/tmp/plait-journal-XXXXXX", output[64], path[80];
static pl_comm *comm;
static pl_output *out;

static void make_output(void) {
  pl_layout layout = {.ndims = 1, .nvars = 1};
  layout.dims[0] = (pl_outdim){"x", 8, false};
  layout.vars[0] = (pl_outvar){.name = "v", .type = PLAIT_F32, .stored = PLAIT_F32, .ndim = 1};
  assert_int_equal(pl_output_open(comm, output, &layout, true, &out), PLAIT_OK);
}

static pl_journal_run run_of(int64_t i) {
  return (pl_journal_run){3 * i, 1 + i % 3, 0x9e3779b97f4a7c15u * (uint64_t)(i + 1)};
}

static void fill_partial(int64_t i, unsigned char *at) {
  for (int k = 0; k < PARTIAL; k++) at[k] = (unsigned char)(k * 7 + i * 31);
}

static pl_journal *start(int64_t end) {
  pl_journal *journal = NULL;
  pl_journal_plan plan = {.output = output,
                          .id = 4711,
                          .end = end,
                          .every = 1e9,
                          .identity = "params.sigma: 3\n",
                          .cut = {.ndim = 2, .shape = {100, 7}, .extent = {10, 7}}};
  assert_int_equal(pl_journal_start(comm, &plan, &journal), PLAIT_OK);
  return journal;
}

// Runs [first, first + n), and nodes with it when `nodes`; as a segment for each few of them.
static void append(pl_journal *journal, int64_t first, int64_t n, bool nodes) {
  pl_pool pool = {.bytes = PARTIAL};
  pl_merger merger = {.leaves = 8, .pool = &pool};
  const pl_journal_kept kept = {.nodes = &merger, .pass = 2, .state = "state", .state_bytes = 6};
  for (int64_t i = first; i < first + n; i++) {
    const pl_journal_run run = run_of(i);
    assert_int_equal(pl_journal_add(journal, &run), PLAIT_OK);
    if (i % 10 == 9) assert_int_equal(pl_journal_save(journal, out, NULL, true), PLAIT_OK);
  }
  for (int64_t i = 0; nodes && i < NODES; i++) {
    pl_node node = {.tile = i, .index = 2 * i, .level = 1};
    pl_merge_step step;
    assert_int_equal(pl_pool_take(&pool, &node.partial), PLAIT_OK);
    fill_partial(i, node.partial);
    assert_int_equal(pl_merge_place(&merger, &node, &step), PLAIT_OK);
  }
  assert_int_equal(pl_journal_save(journal, out, &kept, true), PLAIT_OK);
  assert_int_equal(pl_journal_save(journal, out, &kept, true), PLAIT_OK); // saved: not again
  pl_merger_free(&merger);
  pl_pool_free(&pool);
}

static void write_all(void) {
  pl_journal *journal = start(0);
  assert_int_equal(pl_journal_state(journal, 2, "state", 5, true), PLAIT_OK);
  append(journal, 0, RUNS, true);
  pl_journal_stop(&journal);
}

// Nothing may be read that was not written.
static void check_honest(const pl_journal_found *found) {
  unsigned char partial[PARTIAL], expected[PARTIAL];
  for (int64_t i = 0; i < found->nruns; i++) {
    const pl_journal_run *run = &found->runs[i], right = run_of(run->first / 3);
    assert_true(run->first == right.first && run->count == right.count && run->hash == right.hash);
  }
  for (int64_t i = 0; i < found->nnodes; i++) {
    const pl_journal_node *node = &found->nodes[i];
    assert_true(node->tile < NODES && node->index == 2 * node->tile && node->level == 1 &&
                node->pass == 2 && node->at.bytes == PARTIAL);
    assert_int_equal(pl_journal_read(output, &node->at, partial), PLAIT_OK);
    fill_partial(node->tile, expected);
    assert_memory_equal(partial, expected, PARTIAL);
  }
  if (found->readable) {
    assert_int_equal(found->id, 4711);
    assert_string_equal(found->identity, "params.sigma: 3\n");
    assert_int_equal(found->cut.extent[0], 10);
  }
}

static void what_is_written_is_read(void **state) {
  (void)state;
  pl_journal_found found;
  char text[5];
  write_all();
  assert_int_equal(pl_journal_scan(output, &found), PLAIT_OK);
  assert_true(found.exists && found.readable && !found.complete && !found.torn);
  assert_int_equal(found.damaged, 0);
  assert_int_equal(found.nruns, RUNS);
  assert_int_equal(found.nnodes, NODES);
  assert_int_equal(found.pass, 2);
  assert_int_equal(pl_journal_read(output, &found.state, text), PLAIT_OK);
  assert_memory_equal(text, "state", 5);
  check_honest(&found);
  int64_t end = found.end;
  pl_journal_found_free(&found);
  pl_journal *journal = start(end); // a resume goes on behind
  append(journal, RUNS, 7, false);
  assert_int_equal(pl_journal_complete(journal), PLAIT_OK);
  pl_journal_stop(&journal);
  assert_int_equal(pl_journal_scan(output, &found), PLAIT_OK);
  assert_int_equal(found.nruns, RUNS + 7);
  assert_true(found.complete && found.end > end);
  check_honest(&found);
  pl_journal_found_free(&found);
}

static void no_records_no_file(void **state) {
  (void)state;
  pl_journal_found found;
  pl_journal *journal = start(0);
  const pl_journal_run run = run_of(0);
  assert_int_equal(pl_journal_add(journal, &run), PLAIT_OK);
  assert_int_equal(pl_journal_save(journal, out, NULL, false), PLAIT_OK); // not yet time
  assert_int_equal(pl_journal_complete(journal), PLAIT_OK);
  assert_int_not_equal(access(path, F_OK), 0);
  pl_journal_stop(&journal);
  assert_int_equal(pl_journal_scan(output, &found), PLAIT_OK);
  assert_false(found.exists);
}

static void any_flipped_byte(void **state) {
  (void)state;
  struct stat info;
  write_all();
  int fd = open(path, O_RDWR);
  assert_true(fd >= 0 && fstat(fd, &info) == 0);
  int64_t most = 0, lost = 0;
  for (off_t at = 0; at < info.st_size; at += at < 2 * 4096 + 600 ? 1 : 13) {
    unsigned char byte = 0, flipped;
    pl_journal_found found;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    flipped = byte ^ (unsigned char)(1 << at % 8);
    assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
    assert_int_equal(pl_journal_scan(output, &found), PLAIT_OK);
    assert_true(found.readable); // the header stands twice
    check_honest(&found);
    int64_t missing = RUNS - found.nruns + NODES - found.nnodes;
    if (missing > 0) assert_true(found.damaged > 0 || found.torn);
    lost += missing > 0;
    if (missing > most) most = missing;
    pl_journal_found_free(&found);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
  }
  close(fd);
  assert_true(lost > 0);
  assert_int_equal(most, 10); // one segment
}

static void cut_anywhere(void **state) {
  (void)state;
  struct stat info;
  write_all();
  assert_int_equal(stat(path, &info), 0);
  int64_t before = RUNS;
  for (off_t size = info.st_size - 1; size >= 0; size -= 61) {
    pl_journal_found found;
    assert_int_equal(truncate(path, size), 0);
    assert_int_equal(pl_journal_scan(output, &found), PLAIT_OK);
    check_honest(&found);
    assert_int_equal(found.damaged, 0); // a torn tail is no damage
    assert_true(found.nruns <= before);
    before = found.nruns;
    pl_journal_found_free(&found);
  }
  assert_int_equal(before, 0);
}

static void what_is_no_journal(void **state) {
  (void)state;
  pl_journal_found found;
  char noise[20000];
  for (size_t i = 0; i < sizeof noise; i++) noise[i] = (char)(i * 2654435761u >> 13);
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0 && write(fd, noise, sizeof noise) == (ssize_t)sizeof noise);
  close(fd);
  assert_int_equal(pl_journal_scan(output, &found), PLAIT_OK);
  assert_true(found.exists && !found.readable);
  pl_journal_found_free(&found);
  assert_int_equal(truncate(path, 0), 0);
  assert_int_equal(pl_journal_scan(output, &found), PLAIT_OK);
  assert_true(found.exists && !found.readable);
  pl_journal_found_free(&found);
  unlink(path);
  assert_int_equal(symlink("/dev/zero", path), 0);
  assert_int_equal(pl_journal_scan(output, &found), PLAIT_OUTPUT);
}

static int set_up(void **state) {
  (void)state;
  unlink(path);
  make_output();
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  pl_output_remove(out);
  pl_output_close(&out);
  return unlink(path) == 0 || access(path, F_OK) != 0 ? 0 : -1;
}

static int make_place(void **state) {
  (void)state;
  if (!mkdtemp(place)) return -1;
  snprintf(output, sizeof output, "%s/r.npy", place);
  snprintf(path, sizeof path, "%s.journal", output);
  return pl_comm_start(false, 1, &comm) == PLAIT_OK ? 0 : -1;
}

static int clear_place(void **state) {
  (void)state;
  pl_comm_stop(&comm);
  return rmdir(place);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_written_is_read, set_up, tear_down),
      cmocka_unit_test_setup_teardown(no_records_no_file, set_up, tear_down),
      cmocka_unit_test_setup_teardown(any_flipped_byte, set_up, tear_down),
      cmocka_unit_test_setup_teardown(cut_anywhere, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_no_journal, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, make_place, clear_place);
}
