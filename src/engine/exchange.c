// SPDX-License-Identifier: BSD-3-Clause
//
// See exchange.h.
#include "engine/exchange.h"
#include "base/clock.h"
#include "base/mem.h"

enum { TAG = 41 };

typedef struct heading { // of a node, as it travels
  int64_t tile, index, level;
} heading;

typedef struct exchange {
  pl_comm *comm;
  pl_merger *merger;
  int rank, size;
  size_t bytes;        // of a partial
  int64_t room;        // headings per rank
  heading *mine, *all; // room; size * room; tile -1 ends a list
  pl_request *sends;
  void **sent; // partials that are on their way
  int nsends;
} exchange;

static int home(const exchange *x, int64_t tile) {
  return (int)(tile % x->size);
}

static plait_err allocate(exchange *x, int64_t room) {
  pl_free(&x->mine);
  pl_free(&x->all);
  TRY(pl_calloc((size_t)room, sizeof *x->mine, &x->mine));
  return pl_calloc((size_t)(room * x->size), sizeof *x->all, &x->all);
}

// As many as neighbouring blocks leave; where there are more the ranks agree a second time.
static plait_err make_room(exchange *x) {
  enum { FEW = 32 };
  plait_err err = allocate(x, FEW);
  int64_t word[] = {x->merger->n + 1, err != PLAIT_OK}; // one for the end mark
  TRY(pl_comm_max_int(x->comm, word, 2));
  x->room = word[0];
  if (word[1]) return pl_comm_agree(x->comm, err);
  return x->room <= FEW ? PLAIT_OK : pl_comm_agree(x->comm, allocate(x, x->room));
}

static plait_err share_headings(exchange *x) {
  TRY(make_room(x));
  for (int64_t i = 0; i < x->merger->n; i++) {
    const pl_node *node = &x->merger->nodes[i];
    x->mine[i] = (heading){node->tile, node->index, node->level};
  }
  x->mine[x->merger->n].tile = -1;
  return pl_comm_allgather(x->comm, x->mine, (size_t)x->room * sizeof *x->mine, x->all);
}

// Takes as many buffers as will arrive and gives them back: they are in the pool from then on.
static plait_err reserve(exchange *x) {
  int64_t arriving = 0, leaving = 0;
  for (int r = 0; r < x->size; r++)
    for (const heading *h = x->all + r * x->room; h->tile >= 0; h++)
      if (r != x->rank && home(x, h->tile) == x->rank) arriving++;
  for (int64_t i = 0; i < x->merger->n; i++)
    if (home(x, x->merger->nodes[i].tile) != x->rank) leaving++;
  plait_err err = pl_calloc((size_t)leaving, sizeof *x->sends, &x->sends);
  if (err == PLAIT_OK) err = pl_calloc((size_t)leaving, sizeof *x->sent, &x->sent);
  void *chain = NULL;
  for (int64_t i = 0; err == PLAIT_OK && i < arriving; i++) {
    void *buffer = NULL;
    err = pl_pool_take(x->merger->pool, &buffer);
    if (err != PLAIT_OK) break;
    *(void **)buffer = chain;
    chain = buffer;
  }
  while (chain) {
    void *buffer = chain;
    chain = *(void **)buffer;
    pl_pool_give(x->merger->pool, buffer);
  }
  return pl_comm_agree(x->comm, err);
}

static plait_err post_sends(exchange *x, pl_meter *meter) {
  int64_t kept = 0;
  plait_err err = PLAIT_OK;
  for (int64_t i = 0; i < x->merger->n; i++) {
    pl_node *node = &x->merger->nodes[i];
    int to = home(x, node->tile);
    if (to == x->rank || err != PLAIT_OK) {
      x->merger->nodes[kept++] = *node;
      continue;
    }
    err = pl_comm_send(x->comm, node->partial, x->bytes, to, TAG, &x->sends[x->nsends]);
    x->sent[x->nsends++] = node->partial;
    meter->messages++;
    meter->bytes_sent += (int64_t)x->bytes;
  }
  x->merger->n = kept;
  return err;
}

static plait_err receive_one(exchange *x, int from, const heading *h, pl_node_arrives *arrives,
                             void *context) {
  pl_node node = {.tile = h->tile, .index = h->index, .level = (int32_t)h->level};
  TRY(pl_pool_take(x->merger->pool, &node.partial));
  pl_request request = {0};
  TRY(pl_comm_receive(x->comm, node.partial, x->bytes, from, TAG, &request));
  TRY(pl_comm_wait(x->comm, &request, 1));
  return arrives(context, &node);
}

static plait_err receive_all(exchange *x, pl_node_arrives *arrives, void *context) {
  for (int r = 0; r < x->size; r++) {
    if (r == x->rank) continue;
    for (const heading *h = x->all + r * x->room; h->tile >= 0; h++)
      if (home(x, h->tile) == x->rank) TRY(receive_one(x, r, h, arrives, context));
  }
  return PLAIT_OK;
}

plait_err pl_exchange_nodes(pl_comm *comm, pl_merger *merger, size_t bytes,
                            pl_node_arrives *arrives, void *context, pl_meter *meter) {
  exchange x = {.comm = comm, .merger = merger, .bytes = bytes};
  x.rank = pl_comm_rank(comm);
  x.size = pl_comm_size(comm);
  if (x.size == 1) return PLAIT_OK;
  double start = pl_now();
  plait_err err = share_headings(&x);
  if (err == PLAIT_OK) err = reserve(&x);
  if (err == PLAIT_OK) {
    err = post_sends(&x, meter);
    if (err == PLAIT_OK) err = receive_all(&x, arrives, context);
    plait_err sent = pl_comm_wait(comm, x.sends, x.nsends);
    for (int i = 0; i < x.nsends; i++) pl_pool_give(merger->pool, x.sent[i]);
    if (err == PLAIT_OK) err = sent;
  }
  double end = pl_now();
  meter->comm += end - start;
  pl_trace_add(meter->trace, PL_LANE_MESSAGES, start, end, end - start);
  pl_free(&x.sends);
  pl_free(&x.sent);
  pl_free(&x.mine);
  pl_free(&x.all);
  return err;
}
