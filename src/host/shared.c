// SPDX-License-Identifier: BSD-3-Clause
//
// See shared.h. Two ranks are on one node when one can open the other's file and finds its token
// there: host names and process ids may be the same in two containers.
#include "host/shared.h"
#include "base/clock.h"
#include "base/mem.h"
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

typedef struct head { // of each rank's memory; what it gives to others begins behind it
  _Alignas(64) uint64_t token[2];
  _Alignas(64) _Atomic int64_t here; // meetings that the rank has come to
} head;

typedef struct call_card { // how to find a rank's memory
  uint64_t token[2];
  int64_t pid, fd, bytes; // fd < 0: it has none
} call_card;

struct pl_shared {
  pl_comm *comm; // *borrowed*
  int rank, ranks;
  int64_t turn; // meetings so far
  head **at;    // by rank
  size_t *bytes;
};

static head *map(int fd, size_t bytes) {
  void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return at == MAP_FAILED ? NULL : at;
}

// This rank's own memory; card->fd < 0 when the node does not give it. fallocate: a lack of room is
// found here, not by a signal on the first write.
static void make_own(pl_shared *s, size_t bytes, call_card *card) {
  *card = (call_card){.pid = getpid(), .fd = -1, .bytes = (int64_t)(sizeof(head) + bytes)};
  size_t all = (size_t)card->bytes;
  int fd = memfd_create("plait", MFD_CLOEXEC);
  bool good = fd >= 0 && posix_fallocate(fd, 0, (off_t)all) == 0 &&
              getrandom(card->token, sizeof card->token, 0) == (ssize_t)sizeof card->token;
  if (good) s->at[s->rank] = map(fd, all);
  if (s->at[s->rank]) {
    memcpy(s->at[s->rank]->token, card->token, sizeof card->token);
    s->bytes[s->rank] = all;
    card->fd = fd;
  } else if (fd >= 0) {
    close(fd);
  }
}

static bool open_other(pl_shared *s, int rank, const call_card *card) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)card->pid, (long long)card->fd);
  int fd = card->fd < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  off_t bytes = lseek(fd, 0, SEEK_END);
  if (bytes == (off_t)card->bytes) s->at[rank] = map(fd, (size_t)bytes);
  close(fd);
  if (!s->at[rank]) return false;
  s->bytes[rank] = (size_t)bytes;
  return memcmp(s->at[rank]->token, card->token, sizeof card->token) == 0;
}

static plait_err open_all(pl_shared *s, size_t bytes, call_card *cards, bool *everywhere) {
  call_card own;
  make_own(s, bytes, &own);
  plait_err err = pl_comm_allgather(s->comm, &own, sizeof own, cards);
  int64_t missing = 0;
  for (int r = 0; err == PLAIT_OK && r < s->ranks; r++)
    if (r == s->rank ? own.fd < 0 : !open_other(s, r, &cards[r])) missing = 1;
  if (err == PLAIT_OK) err = pl_comm_max_int(s->comm, &missing, 1); // also: all have opened ours
  if (own.fd >= 0) close((int)own.fd);
  *everywhere = missing == 0;
  return err;
}

static plait_err allocate(pl_comm *comm, call_card **cards, pl_shared **out) {
  size_t ranks = (size_t)pl_comm_size(comm);
  TRY(pl_calloc(1, sizeof **out, out));
  **out = (pl_shared){.comm = comm, .rank = pl_comm_rank(comm), .ranks = pl_comm_size(comm)};
  TRY(pl_calloc(ranks, sizeof(head *), &(*out)->at));
  TRY(pl_calloc(ranks, sizeof(size_t), &(*out)->bytes));
  return pl_calloc(ranks, sizeof **cards, cards);
}

plait_err pl_shared_start(pl_comm *comm, size_t bytes, pl_shared **shared) {
  call_card *cards = NULL;
  bool everywhere = false;
  *shared = NULL;
  plait_err err = pl_comm_agree(comm, allocate(comm, &cards, shared));
  if (err == PLAIT_OK) err = open_all(*shared, bytes, cards, &everywhere);
  pl_free(&cards);
  if (err != PLAIT_OK || !everywhere) pl_shared_stop(shared);
  return err;
}

void pl_shared_stop(pl_shared **shared) {
  pl_shared *s = *shared;
  if (!s) return;
  for (int r = 0; s->at && s->bytes && r < s->ranks; r++)
    if (s->at[r]) munmap(s->at[r], s->bytes[r]);
  pl_free(&s->at);
  pl_free(&s->bytes);
  pl_free(shared);
}

void *pl_shared_at(const pl_shared *shared, int rank) {
  return shared->at[rank] + 1;
}

static bool has_come(const pl_shared *s, int rank) {
  return atomic_load_explicit(&s->at[rank]->here, memory_order_acquire) >= s->turn;
}

static plait_err await(pl_shared *s, int rank) {
  const double spin = 1e-3, nap = 1e-4;
  for (int i = 0; i < 200; i++)
    if (has_come(s, rank)) return PLAIT_OK;
  double start = pl_now();
  while (pl_now() - start < spin) {
    if (has_come(s, rank)) return PLAIT_OK;
    sched_yield();
  }
  while (!has_come(s, rank)) {
    TRY(pl_comm_poke(s->comm)); // others may want something of this rank
    pl_sleep(nap);
  }
  return PLAIT_OK;
}

plait_err pl_shared_meet(pl_shared *s) {
  atomic_store_explicit(&s->at[s->rank]->here, ++s->turn, memory_order_release);
  for (int r = 0; r < s->ranks; r++) TRY(await(s, r));
  return PLAIT_OK;
}
