// SPDX-License-Identifier: BSD-3-Clause
//
// See merge.h. The list of resting nodes is searched from its end: the sibling of a node is nearly
// always among the last few, because blocks come in order.
#include "engine/merge.h"
#include "base/mem.h"

plait_err pl_pool_take(pl_pool *pool, void **buffer) {
  *buffer = pool->free_list;
  if (*buffer) {
    pool->free_list = *(void **)*buffer;
  } else {
    size_t bytes = pool->bytes < sizeof(void *) ? sizeof(void *) : pool->bytes;
    TRY(pl_alloc(bytes, 1, buffer));
  }
  if (++pool->live > pool->peak) pool->peak = pool->live;
  return PLAIT_OK;
}

void pl_pool_give(pl_pool *pool, void *buffer) {
  if (!buffer) return;
  *(void **)buffer = pool->free_list;
  pool->free_list = buffer;
  pool->live--;
}

void pl_pool_free(pl_pool *pool) {
  while (pool->free_list) {
    void *buffer = pool->free_list;
    pool->free_list = *(void **)buffer;
    pl_free(&buffer);
  }
}

void pl_merger_free(pl_merger *merger) {
  for (int64_t i = 0; i < merger->n; i++) pl_pool_give(merger->pool, merger->nodes[i].partial);
  pl_free(&merger->nodes);
  merger->n = merger->room = 0;
}

static int64_t nodes_on_level(int64_t leaves, int level) {
  return (leaves + ((int64_t)1 << level) - 1) >> level;
}

static plait_err rest(pl_merger *merger, const pl_node *node) {
  if (merger->n == merger->room) {
    int64_t room = merger->room ? 2 * merger->room : 64;
    TRY(pl_grow(&merger->nodes, (size_t)merger->room, (size_t)room, sizeof *merger->nodes));
    merger->room = room;
  }
  merger->nodes[merger->n++] = *node;
  return PLAIT_OK;
}

static void *take_sibling(pl_merger *merger, const pl_node *node) {
  int64_t wanted = node->index ^ 1;
  for (int64_t i = merger->n - 1; i >= 0; i--) {
    pl_node *other = &merger->nodes[i];
    if (other->tile != node->tile || other->level != node->level || other->index != wanted)
      continue;
    void *partial = other->partial;
    *other = merger->nodes[--merger->n];
    return partial;
  }
  return NULL;
}

plait_err pl_merge_place(pl_merger *merger, pl_node *node, pl_merge_step *step) {
  *step = (pl_merge_step){.kind = PL_MERGE_REST};
  for (;;) {
    int64_t count = nodes_on_level(merger->leaves, node->level);
    if (count == 1) {
      step->kind = PL_MERGE_ROOT;
      return PLAIT_OK;
    }
    if (node->index != count - 1 || node->index % 2 == 1) break;
    node->level++; // a last node without a sibling moves up as it is
    node->index /= 2;
  }
  void *sibling = take_sibling(merger, node);
  if (!sibling) return rest(merger, node);
  bool is_left = node->index % 2 == 0;
  step->kind = PL_MERGE_PAIR;
  step->left = is_left ? node->partial : sibling;
  step->right = is_left ? sibling : node->partial;
  node->partial = step->left;
  node->saved = false;
  node->level++;
  node->index /= 2;
  return PLAIT_OK;
}
