// SPDX-License-Identifier: BSD-3-Clause
//
// The half of the communicator that needs no MPI: one rank alone (memory copies and local
// counters), agreement on errors, and waiting. More ranks go through the wire (comm_wire.h). One
// rank takes this way under mpirun too, so a single rank never pays for MPI.
#include "host/comm_wire.h"
#include "base/clock.h"
#include "base/mem.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SPIN_SECONDS 20e-6
#define NAP_SHORTEST 20e-6
#define NAP_LONGEST  1e-3

void pl_patience_wait(pl_patience *patience) {
  double now = pl_now();
  if (patience->since == 0) patience->since = now;
  if (now - patience->since < SPIN_SECONDS) return;
  patience->nap = patience->nap == 0 ? NAP_SHORTEST : patience->nap * 1.5;
  if (patience->nap > NAP_LONGEST) patience->nap = NAP_LONGEST;
  pl_sleep(patience->nap);
}

plait_err pl_comm_alone(pl_comm **out) {
  pl_comm *comm = NULL;
  *out = NULL;
  TRY(pl_calloc(1, sizeof *comm, &comm));
  comm->size = 1;
  comm->piece = (size_t)1 << 30;
  if (gethostname(comm->host, sizeof comm->host - 1) != 0) strcpy(comm->host, "unknown");
  pthread_mutex_init(&comm->lock, NULL);
  *out = comm;
  return PLAIT_OK;
}

plait_err pl_comm_split(pl_comm *comm, int part, pl_comm **out) {
  plait_err err = pl_comm_alone(out);
  if (comm->size == 1) return err;
  err = pl_comm_agree(comm, err);
  if (err == PLAIT_OK) {
    (*out)->piece = comm->piece;
    err = pl_comm_agree(comm, comm->wire->split(comm, part, *out));
  }
  if (err != PLAIT_OK) pl_comm_stop(out);
  return err;
}

int pl_comm_rank(const pl_comm *comm) {
  return comm->rank;
}
int pl_comm_size(const pl_comm *comm) {
  return comm->size;
}
const char *pl_comm_host(const pl_comm *comm) {
  return comm->host;
}
void pl_comm_lock(pl_comm *comm) {
  pthread_mutex_lock(&comm->lock);
}
void pl_comm_unlock(pl_comm *comm) {
  pthread_mutex_unlock(&comm->lock);
}

void pl_comm_abort(pl_comm *comm, int exit_code) {
  if (comm != NULL && comm->wire != NULL) comm->wire->abort(comm, exit_code);
  _exit(exit_code);
}

// ---- agreement ------------------------------------------------------------------------------
typedef struct verdict { // travels as bytes: all ranks are the same program
  plait_err code;
  char host[256];
  char message[PL_MESSAGE_BYTES];
} verdict;

static void write_verdict(const pl_comm *comm, plait_err mine, verdict *v) {
  v->code = mine;
  snprintf(v->host, sizeof v->host, "%s", comm->host);
  snprintf(v->message, sizeof v->message, "%s", pl_message());
}

static void take_verdict(const verdict *v, int from) {
  char text[PL_MESSAGE_BYTES + 300];
  snprintf(text, sizeof text, "rank %d on %s: %s", from, v->host, v->message);
  text[PL_MESSAGE_BYTES - 1] = 0;
  pl_message_set(text);
}

plait_err pl_comm_agree(pl_comm *comm, plait_err mine) {
  if (comm->size == 1) return mine;
  // The largest of (size - rank) over the failing ranks belongs to the lowest of them.
  int64_t first = mine == PLAIT_OK ? 0 : comm->size - comm->rank;
  TRY(comm->wire->reduce(comm, &first, 1, false));
  if (first == 0) return PLAIT_OK;
  int from = comm->size - (int)first;
  verdict v = {.code = PLAIT_OK};
  if (from == comm->rank) write_verdict(comm, mine, &v);
  TRY(comm->wire->bcast(comm, &v, sizeof v, from));
  if (from != comm->rank) take_verdict(&v, from);
  return v.code;
}

// ---- collectives ----------------------------------------------------------------------------
plait_err pl_comm_barrier(pl_comm *comm) {
  return comm->size == 1 ? PLAIT_OK : comm->wire->barrier(comm);
}

plait_err pl_comm_bcast(pl_comm *comm, void *data, size_t bytes, int root) {
  assert(root >= 0 && root < comm->size);
  return comm->size == 1 || bytes == 0 ? PLAIT_OK : comm->wire->bcast(comm, data, bytes, root);
}

static plait_err gather(pl_comm *comm, const void *mine, size_t bytes, void *all, int root) {
  if (bytes == 0) return PLAIT_OK;
  if (comm->size > 1) return comm->wire->gather(comm, mine, bytes, all, root);
  memmove(all, mine, bytes);
  return PLAIT_OK;
}

plait_err pl_comm_gather(pl_comm *comm, const void *mine, size_t bytes, void *all, int root) {
  assert(root >= 0 && root < comm->size);
  return gather(comm, mine, bytes, all, root);
}

plait_err pl_comm_allgather(pl_comm *comm, const void *mine, size_t bytes, void *all) {
  return gather(comm, mine, bytes, all, -1);
}

plait_err pl_comm_max_int(pl_comm *comm, int64_t *values, int n) {
  return comm->size == 1 || n == 0 ? PLAIT_OK : comm->wire->reduce(comm, values, n, false);
}

plait_err pl_comm_sum_int(pl_comm *comm, int64_t *values, int n) {
  return comm->size == 1 || n == 0 ? PLAIT_OK : comm->wire->reduce(comm, values, n, true);
}

// ---- messages -------------------------------------------------------------------------------
// The only rank to itself: a send and a receive of the same tag meet in the order in which they
// were posted; whichever comes second copies.
typedef struct pl_letter {
  const void *from; // of a send, else NULL
  void *to;
  size_t bytes;
  int tag;
  bool sends, matched, cut;
  struct pl_letter *next;
} pl_letter;

static void deliver(pl_letter *send, pl_letter *receive) {
  receive->cut = send->bytes > receive->bytes;
  if (!receive->cut && send->bytes > 0) memmove(receive->to, send->from, send->bytes);
  send->matched = receive->matched = true;
}

static void post(pl_comm *comm, pl_letter *letter) {
  pl_letter **at = &comm->letters;
  while (*at != NULL && ((*at)->tag != letter->tag || (*at)->sends == letter->sends))
    at = &(*at)->next;
  pl_letter *other = *at;
  if (other == NULL) {
    *at = letter;
    return;
  }
  *at = other->next; // unlinked: from now on only its request knows it
  deliver(letter->sends ? letter : other, letter->sends ? other : letter);
}

static plait_err post_letter(pl_comm *comm, pl_letter draft, pl_request *r) {
  pl_letter *letter = NULL;
  TRY(pl_alloc(1, sizeof *letter, &letter));
  *letter = draft;
  r->impl = letter;
  post(comm, letter);
  return PLAIT_OK;
}

static plait_err test_letter(pl_letter *letter, bool *done) {
  *done = letter->matched;
  if (!letter->matched) return PLAIT_OK;
  bool cut = letter->cut;
  size_t room = letter->bytes;
  int tag = letter->tag;
  pl_free(&letter);
  if (!cut) return PLAIT_OK;
  return plait_fail(PLAIT_COMM, "a message of tag %d is longer than the %zu bytes expected", tag,
                    room);
}

plait_err pl_comm_send(pl_comm *comm, const void *data, size_t bytes, int to, int tag,
                       pl_request *r) {
  assert(to >= 0 && to < comm->size && tag >= 0 && tag < 1000);
  r->impl = NULL;
  if (comm->size > 1) return comm->wire->send(comm, data, bytes, to, tag, &r->impl);
  return post_letter(comm, (pl_letter){.from = data, .bytes = bytes, .tag = tag, .sends = true}, r);
}

plait_err pl_comm_receive(pl_comm *comm, void *data, size_t bytes, int from, int tag,
                          pl_request *r) {
  assert(from >= 0 && from < comm->size && tag >= 0 && tag < 1000);
  r->impl = NULL;
  if (comm->size > 1) return comm->wire->receive(comm, data, bytes, from, tag, &r->impl);
  return post_letter(comm, (pl_letter){.to = data, .bytes = bytes, .tag = tag}, r);
}

plait_err pl_comm_test(pl_comm *comm, pl_request *requests, int n, bool *all_done) {
  plait_err err = PLAIT_OK;
  *all_done = true;
  for (int i = 0; i < n; i++) {
    if (requests[i].impl == NULL) continue;
    bool done = false;
    plait_err one = comm->size > 1 ? comm->wire->test(comm, requests[i].impl, &done)
                                   : test_letter(requests[i].impl, &done);
    if (done || one != PLAIT_OK)
      requests[i].impl = NULL;
    else
      *all_done = false;
    if (err == PLAIT_OK) err = one;
  }
  return err;
}

plait_err pl_comm_wait(pl_comm *comm, pl_request *requests, int n) {
  pl_patience patience = {0};
  for (;;) {
    bool done = false;
    TRY(pl_comm_test(comm, requests, n, &done));
    if (done) return PLAIT_OK;
    // Whoever could post the other half shares this communicator, and it is in use here.
    if (comm->size == 1) return plait_fail(PLAIT_BUG, "waiting for a message that nobody sends");
    pl_patience_wait(&patience);
  }
}

plait_err pl_comm_poke(pl_comm *comm) {
  return comm->size == 1 ? PLAIT_OK : comm->wire->poke(comm);
}

// ---- counters -------------------------------------------------------------------------------
struct pl_counters {
  pl_comm *comm;
  int n;
  void *impl;           // of the wire
  _Atomic int64_t *own; // one rank: plain atomics
};

plait_err pl_counters_start(pl_comm *comm, int n, pl_counters **out) {
  plait_err err = PLAIT_OK;
  pl_counters *counters = NULL;
  *out = NULL;
  GUARD(pl_calloc(1, sizeof *counters, &counters));
  counters->comm = comm;
  counters->n = n;
  if (comm->size == 1) GUARD(pl_calloc((size_t)n, sizeof *counters->own, &counters->own));
done:
  err = pl_comm_agree(comm, err); // nobody opens a window that another rank cannot
  if (err == PLAIT_OK && comm->size > 1) err = comm->wire->counters_start(comm, n, &counters->impl);
  if (err != PLAIT_OK) pl_free(&counters);
  *out = counters;
  return err;
}

void pl_counters_stop(pl_counters **counters) {
  if (*counters == NULL) return;
  pl_comm *comm = (*counters)->comm;
  if (comm->size > 1) comm->wire->counters_stop(comm, (*counters)->impl);
  pl_free(&(*counters)->own);
  pl_free(counters);
}

plait_err pl_counters_add(pl_counters *counters, int rank, int index, int64_t delta,
                          int64_t *before) {
  assert(rank >= 0 && rank < counters->comm->size && index >= 0 && index < counters->n);
  if (counters->comm->size > 1)
    return counters->comm->wire->counters_add(counters->impl, rank, index, delta, before);
  *before = atomic_fetch_add(&counters->own[index], delta);
  return PLAIT_OK;
}

// ---- end ------------------------------------------------------------------------------------
void pl_comm_stop(pl_comm **comm) {
  if (*comm == NULL) return;
  if ((*comm)->wire != NULL) (*comm)->wire->stop(*comm);
  while ((*comm)->letters != NULL) { // never matched: their requests are lost as well
    pl_letter *letter = (*comm)->letters;
    (*comm)->letters = letter->next;
    pl_free(&letter);
  }
  pthread_mutex_destroy(&(*comm)->lock);
  pl_free(comm);
}
