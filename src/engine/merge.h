// SPDX-License-Identifier: BSD-3-Clause
//
// Merging partials in block order through one fixed tree, whatever order they arrive in.
//
// Over n leaves, node i of level l stands for leaves [i 2^l, (i+1) 2^l): it is node 2i of the level
// below merged with node 2i+1, or node 2i alone where 2i+1 does not exist. Because the tree depends
// on n alone, the result has the same bits for every rank count, schedule and order of arrival. A
// rank that works through neighbouring leaves holds at most log2(n) nodes; nodes whose sibling is
// on another rank wait until the ranks exchange them (reduce.c).
#ifndef PL_MERGE_H
#define PL_MERGE_H
#include "base/err.h"

typedef struct pl_node {
  int64_t tile, index; // node `index` of level `level` of the tree of `tile`
  int32_t level;
  void *partial; // from the pool
  bool saved;    // stands in the journal like this (journal.h)
} pl_node;

// ---- buffers for partials, reused; counts what it holds
typedef struct pl_pool {
  size_t bytes;       // of one buffer
  int64_t live, peak; // buffers handed out now, at most
  void *free_list;
} pl_pool;
plait_err pl_pool_take(pl_pool *pool, void **buffer); // 64-byte aligned, contents undefined
void pl_pool_give(pl_pool *pool, void *buffer);
void pl_pool_free(pl_pool *pool); // only the returned ones

// ---- the nodes that a rank holds
typedef struct pl_merger {
  int64_t leaves; // per tile
  pl_pool *pool;  // *borrowed*
  pl_node *nodes; // without a sibling here; *owned*
  int64_t n, room;
} pl_merger;
void pl_merger_free(pl_merger *merger); // gives its partials back to the pool

// What to do with a new node before it can rest. `step` is filled by pl_merge_place.
typedef enum pl_merge_kind { PL_MERGE_REST, PL_MERGE_PAIR, PL_MERGE_ROOT } pl_merge_kind;
typedef struct pl_merge_step {
  pl_merge_kind kind;
  void *left, *right; // PAIR: merge right into left, then place again
} pl_merge_step;
// Places `node`: REST: kept. PAIR: its sibling was here and has been taken out; after
// `merge(left, right)` call again with the same node, which now stands one level higher and holds
// `left`; `right` has to be given back to the pool. ROOT: node->partial is the whole tile, the
// caller's.
plait_err pl_merge_place(pl_merger *merger, pl_node *node, pl_merge_step *step);
#endif
