// SPDX-License-Identifier: BSD-3-Clause
//
// A YAML document (JSON is one) as a small tree in which every word knows its line and column.
// libyaml reads; anchors, aliases and tags are refused: a job file does not need them.
#ifndef PL_YAML_H
#define PL_YAML_H
#include "base/arena.h"
#include "engine/issues.h"

typedef enum pl_yaml_kind { PL_YAML_SCALAR, PL_YAML_LIST, PL_YAML_MAP } pl_yaml_kind;

typedef struct pl_yaml { // lives in an arena
  pl_yaml_kind kind;
  bool quoted;      // scalar
  pl_mark mark;     // of the value
  pl_mark key_mark; // in a map
  const char *key;  // in a map, else NULL
  const char *text; // scalar; "" otherwise
  int n;            // children
  struct pl_yaml *first, *last, *next;
} pl_yaml;

#define PL_YAML_DEPTH 32  // brackets in brackets, at most
#define PL_YAML_KEYS  256 // of one mapping, at most

// Mistakes go to `issues`; *root is then NULL (bad YAML, nothing in it) or what could be read
// (duplicate keys: the first stays). Returns PLAIT_MEMORY only.
plait_err pl_yaml_parse(const char *text, size_t bytes, pl_origin origin, pl_arena *arena,
                        pl_issues *issues, pl_yaml **root);

// A value outside a file, `params.list=[1,2]` or a default: YAML when it begins with a bracket or a
// quote, else the text as it stands ('#', ':' and '*' need no care on a command line).
plait_err pl_yaml_value(const char *text, pl_mark mark, pl_arena *arena, pl_issues *issues,
                        pl_yaml **value);

pl_yaml *pl_yaml_find(const pl_yaml *map, const char *key); // NULL when absent or not a mapping
void pl_yaml_put(pl_yaml *map, pl_yaml *child); // replaces the child of that key, or appends
plait_err pl_yaml_new(pl_arena *arena, pl_yaml_kind kind, pl_mark mark, pl_yaml **node);
bool pl_yaml_null(const pl_yaml *node); // a file's empty, ~ or null
#endif
