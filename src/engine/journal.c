// SPDX-License-Identifier: BSD-3-Clause
//
// Writing the journal (journal.h says how and why). A segment is put together in memory, except the
// partials, which are written from where they are.
#include "engine/journal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "engine/journal_format.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { MOST_RUNS = 1 << 16 };
static const double soft = 1, share = 0.01, node_rate = 1e5; // s, of the time, bytes/s

struct pl_journal {
  pl_comm *comm;
  pl_counters *counters; // [0] on rank 0: bytes claimed behind `base`
  char *path;
  uint64_t id;
  int64_t base;
  bool fresh; // the header has still to be written
  int fd;     // -1: not open yet
  char *header;
  size_t header_bytes; // payload
  double every;
  double synced, saved, nodes_saved, state_saved; // when it was last
  double spent, longest;                          // s, the last save; the slowest sync
  int state_pass;                                 // whose state was appended last
  double node_pause;                              // s until partials may be written again
  pthread_mutex_t mutex;                          // guards runs
  pl_journal_run *runs;
  int64_t nruns, room, records;
  char *segment; // memory for one
  size_t segment_room;
};

plait_err pl_journal_name(const char *output, char **name) {
  pl_text text = {0};
  pl_text_add(&text, "%s.journal", output);
  plait_err err =
      text.failed ? plait_fail(PLAIT_MEMORY, "out of memory for a name") : pl_strdup(text.at, name);
  pl_text_free(&text);
  return err;
}

plait_err pl_journal_remove(const char *output) {
  char *path = NULL;
  TRY(pl_journal_name(output, &path));
  plait_err err = PLAIT_OK;
  if (unlink(path) == 0)
    err = pl_dir_sync(path);
  else if (errno != ENOENT)
    err = pl_fail_errno(PLAIT_IO, "cannot remove", path);
  pl_free(&path);
  return err;
}

static plait_err make_header(const pl_journal_plan *plan, pl_journal *j) {
  size_t text = strlen(plan->identity) + 1;
  pl_journal_header head = plan->cut;
  head.version = PL_JOURNAL_VERSION;
  j->header_bytes = sizeof head + text;
  TRY(pl_alloc(j->header_bytes, 1, &j->header));
  memcpy(j->header, &head, sizeof head);
  memcpy(j->header + sizeof head, plan->identity, text);
  return PLAIT_OK;
}

static int64_t header_room(const pl_journal *j) {
  return pl_journal_page((int64_t)(sizeof(pl_record) + pl_record_padded(j->header_bytes)));
}

static plait_err prepare(pl_comm *comm, const pl_journal_plan *plan, pl_journal **out) {
  TRY(pl_calloc(1, sizeof **out, out));
  pl_journal *j = *out;
  j->comm = comm;
  j->fd = -1;
  j->id = plan->id;
  j->every = plan->every;
  j->synced = j->saved = j->nodes_saved = j->state_saved = pl_now();
  j->fresh = plan->end == 0;
  pthread_mutex_init(&j->mutex, NULL);
  TRY(pl_journal_name(plan->output, &j->path));
  TRY(make_header(plan, j));
  j->base = j->fresh ? 2 * header_room(j) : pl_journal_page(plan->end);
  return PLAIT_OK;
}

plait_err pl_journal_start(pl_comm *comm, const pl_journal_plan *plan, pl_journal **journal) {
  *journal = NULL;
  plait_err err = pl_comm_agree(comm, prepare(comm, plan, journal));
  if (err == PLAIT_OK) err = pl_counters_start(comm, 1, &(*journal)->counters);
  if (err != PLAIT_OK) pl_journal_stop(journal);
  return err;
}

void pl_journal_stop(pl_journal **at) {
  pl_journal *j = *at;
  if (!j) return;
  if (j->counters) pl_counters_stop(&j->counters);
  if (j->fd >= 0) close(j->fd);
  pthread_mutex_destroy(&j->mutex);
  pl_free(&j->path);
  pl_free(&j->header);
  pl_free(&j->runs);
  pl_free(&j->segment);
  pl_free(at);
}

// ---- the file ----

static void fill_head(const pl_journal *j, pl_record_type type, uint64_t bytes, uint64_t hash,
                      pl_record *head) {
  *head = (pl_record){PL_JOURNAL_MAGIC, type, j->id, bytes, hash, 0};
  head->head = pl_record_hash(head);
}

// The header stands twice, so that one bad page does not make the rest worthless.
static plait_err write_header(pl_journal *j) {
  pl_record head;
  uint64_t hash = pl_journal_hash(j->header, j->header_bytes, 0);
  fill_head(j, PL_RECORD_HEADER, j->header_bytes, hash, &head);
  for (int copy = 0; copy < 2; copy++) {
    int64_t at = copy * header_room(j);
    TRY(pl_pwrite_all(j->fd, &head, sizeof head, at, j->path));
    TRY(pl_pwrite_all(j->fd, j->header, j->header_bytes, at + (int64_t)sizeof head, j->path));
  }
  return PLAIT_OK;
}

static plait_err open_file(pl_journal *j) {
  if (j->fd >= 0) return PLAIT_OK;
  int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | (j->fresh ? O_CREAT : 0);
  j->fd = open(j->path, flags, 0666);
  if (j->fd < 0) return pl_fail_errno(PLAIT_IO, "cannot write", j->path);
  return j->fresh ? write_header(j) : PLAIT_OK;
}

static plait_err claim(pl_journal *j, int64_t bytes, int64_t *offset) {
  int64_t before = 0;
  pl_comm_lock(j->comm);
  plait_err err = pl_counters_add(j->counters, 0, 0, pl_journal_page(bytes), &before);
  pl_comm_unlock(j->comm);
  *offset = j->base + before;
  return err;
}

// One record as a segment of its own, its payload in two parts.
static plait_err append(pl_journal *j, pl_record_type type, const void *a, size_t na, const void *b,
                        size_t nb) {
  int64_t offset;
  size_t front = sizeof(pl_record) + na;
  if (front > j->segment_room) {
    pl_free(&j->segment);
    j->segment_room = 0;
    TRY(pl_alloc(front, 1, &j->segment));
    j->segment_room = front;
  }
  uint64_t hash = pl_journal_hash(a, na, 0);
  fill_head(j, type, na + nb, pl_journal_hash(b, nb, hash), (pl_record *)(void *)j->segment);
  if (na) memcpy(j->segment + sizeof(pl_record), a, na);
  TRY(open_file(j));
  TRY(claim(j, (int64_t)(front + nb), &offset));
  TRY(pl_pwrite_all(j->fd, j->segment, front, offset, j->path));
  return pl_pwrite_all(j->fd, b, nb, offset + (int64_t)front, j->path);
}

// ---- records ----

plait_err pl_journal_add(pl_journal *j, const pl_journal_run *run) {
  plait_err err = PLAIT_OK;
  pthread_mutex_lock(&j->mutex);
  if (j->nruns == j->room) {
    int64_t room = j->room ? 2 * j->room : 256;
    err = pl_grow(&j->runs, (size_t)j->room, (size_t)room, sizeof *j->runs);
    if (err == PLAIT_OK) j->room = room;
  }
  if (err == PLAIT_OK) {
    j->runs[j->nruns++] = *run;
    j->records++;
  }
  pthread_mutex_unlock(&j->mutex);
  return err;
}

static void count_record(pl_journal *j) {
  pthread_mutex_lock(&j->mutex);
  j->records++;
  pthread_mutex_unlock(&j->mutex);
}

static int64_t runs_waiting(pl_journal *j) {
  pthread_mutex_lock(&j->mutex);
  int64_t n = j->nruns;
  pthread_mutex_unlock(&j->mutex);
  return n;
}

// The writer strand may go on adding meanwhile: what is appended is taken out first.
static plait_err append_runs(pl_journal *j) {
  pthread_mutex_lock(&j->mutex);
  pl_journal_run *runs = j->runs;
  int64_t n = j->nruns;
  j->runs = NULL;
  j->nruns = j->room = 0;
  pthread_mutex_unlock(&j->mutex);
  plait_err err = n ? append(j, PL_RECORD_DONE, NULL, 0, runs, (size_t)n * sizeof *runs) : PLAIT_OK;
  pl_free(&runs);
  return err;
}

static plait_err append_nodes(pl_journal *j, pl_merger *merger, int pass, double now) {
  int64_t written = 0;
  for (int64_t i = 0; i < merger->n; i++) {
    pl_node *node = &merger->nodes[i];
    if (node->saved) continue;
    pl_record_node head = {node->tile, node->index, node->level, pass};
    TRY(append(j, PL_RECORD_NODE, &head, sizeof head, node->partial, merger->pool->bytes));
    node->saved = true;
    count_record(j);
    written += (int64_t)merger->pool->bytes;
  }
  j->nodes_saved = now;
  j->node_pause = (double)written / node_rate;
  return PLAIT_OK;
}

static plait_err sync_all(pl_journal *j, pl_output *output, double now) {
  if (output) TRY(pl_output_sync(output));
  if (j->fd >= 0) {
    TRY(pl_file_sync(j->fd, j->path));
    if (j->fresh) TRY(pl_dir_sync(j->path));
    j->fresh = false;
  }
  j->synced = pl_now();
  if (j->synced - now > j->longest) j->longest = j->synced - now;
  return PLAIT_OK;
}

// The state of a pass first: without it its nodes are of no use.
static plait_err append_kept(pl_journal *j, const pl_journal_kept *kept, bool sync, double now) {
  if (kept->pass > 0 && kept->pass != j->state_pass && pl_comm_rank(j->comm) == 0)
    TRY(pl_journal_state(j, kept->pass, kept->state, kept->state_bytes, sync));
  if (!sync && now - j->nodes_saved < j->node_pause) return PLAIT_OK;
  return append_nodes(j, kept->nodes, kept->pass, now);
}

plait_err pl_journal_save(pl_journal *j, pl_output *output, const pl_journal_kept *kept,
                          bool must) {
  double now = pl_now(), pause = j->spent / share;
  bool sync = must || now - j->synced >= j->every || runs_waiting(j) >= MOST_RUNS;
  if (!sync && now - j->saved < (pause > soft ? pause : soft)) return PLAIT_OK;
  if (kept) TRY(append_kept(j, kept, sync, now));
  TRY(append_runs(j));
  if (sync) TRY(sync_all(j, output, now));
  j->saved = pl_now();
  j->spent = sync ? 0 : j->saved - now;
  return PLAIT_OK;
}

plait_err pl_journal_state(pl_journal *j, int pass, const void *state, size_t bytes, bool must) {
  const int64_t number = pass;
  double now = pl_now(), pause = fmax(soft, (double)bytes / node_rate);
  if (!must && now - j->state_saved < fmin(pause, j->every / 4)) return PLAIT_OK;
  j->state_saved = now;
  j->state_pass = pass;
  count_record(j);
  return append(j, PL_RECORD_STATE, &number, sizeof number, state, bytes);
}

plait_err pl_journal_rows(pl_journal *j, const void *rows, size_t bytes) {
  count_record(j);
  return append(j, PL_RECORD_ROWS, NULL, 0, rows, bytes);
}

plait_err pl_journal_complete(pl_journal *j) {
  if (j->fd < 0 && j->fresh && access(j->path, F_OK) != 0) return PLAIT_OK; // nobody needed one
  TRY(append(j, PL_RECORD_COMPLETE, NULL, 0, NULL, 0));
  return pl_file_sync(j->fd, j->path);
}

int64_t pl_journal_records(const pl_journal *j) {
  return j->records;
}

double pl_journal_longest(const pl_journal *j) {
  return j->longest;
}
