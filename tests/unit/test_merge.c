// SPDX-License-Identifier: BSD-3-Clause
//
// The tree of merge.h: for every number of leaves and many orders of arrival the same tree is
// built. A partial is a text of its leaves with brackets, so a wrong shape or order shows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "engine/merge.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 1024 };

static void join(char *left, const char *right) {
  char both[2 * TEXT];
  snprintf(both, sizeof both, "(%s%s)", left, right);
  assert_true(strlen(both) < TEXT);
  strcpy(left, both);
}

static bool insert(pl_merger *merger, int64_t tile, int64_t leaf, char *root) {
  pl_node node = {.tile = tile, .index = leaf};
  assert_int_equal(pl_pool_take(merger->pool, &node.partial), PLAIT_OK);
  snprintf(node.partial, TEXT, "%c", (int)('a' + leaf));
  pl_merge_step step;
  for (;;) {
    assert_int_equal(pl_merge_place(merger, &node, &step), PLAIT_OK);
    if (step.kind != PL_MERGE_PAIR) break;
    join(step.left, step.right);
    pl_pool_give(merger->pool, step.right);
  }
  if (step.kind == PL_MERGE_REST) return false;
  strcpy(root, node.partial);
  pl_pool_give(merger->pool, node.partial);
  return true;
}

static void shuffle(int *order, int n) {
  for (int i = 0; i < n; i++) order[i] = i;
  for (int i = n - 1; i > 0; i--) {
    int j = rand() % (i + 1), t = order[i];
    order[i] = order[j];
    order[j] = t;
  }
}

static void same_tree_in_any_order(void **state) {
  (void)state;
  for (int n = 1; n <= 26; n++) {
    char expected[TEXT] = "";
    for (int trial = 0; trial < 40; trial++) {
      pl_pool pool = {.bytes = TEXT};
      pl_merger merger = {.leaves = n, .pool = &pool};
      int order[26];
      char root[TEXT] = "";
      shuffle(order, n);
      for (int i = 0; i < n; i++) {
        int leaf = trial == 0 ? i : order[i];
        assert_int_equal(insert(&merger, 7, leaf, root), i == n - 1);
      }
      if (trial == 0) {
        strcpy(expected, root);
        assert_true(pool.peak <= 7); // in order: log2(n) + 2 partials are enough
      }
      assert_string_equal(root, expected);
      assert_int_equal(pool.live, 0);
      pl_merger_free(&merger);
      pl_pool_free(&pool);
    }
  }
}

static void shape_of_seven(void **state) {
  (void)state;
  pl_pool pool = {.bytes = TEXT};
  pl_merger merger = {.leaves = 7, .pool = &pool};
  char root[TEXT] = "";
  for (int i = 6; i >= 0; i--) insert(&merger, 0, i, root);
  assert_string_equal(root, "(((ab)(cd))((ef)g))");
  pl_merger_free(&merger);
  pl_pool_free(&pool);
}

static void tiles_do_not_mix(void **state) {
  (void)state;
  pl_pool pool = {.bytes = TEXT};
  pl_merger merger = {.leaves = 2, .pool = &pool};
  char root[TEXT] = "";
  assert_false(insert(&merger, 0, 0, root));
  assert_false(insert(&merger, 1, 1, root));
  assert_true(insert(&merger, 1, 0, root));
  assert_string_equal(root, "(ab)");
  assert_int_equal(merger.n, 1);
  pl_merger_free(&merger);
  assert_int_equal(pool.live, 0);
  pl_pool_free(&pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(same_tree_in_any_order),
      cmocka_unit_test(shape_of_seven),
      cmocka_unit_test(tiles_do_not_mix),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
