// SPDX-License-Identifier: BSD-3-Clause
//
// KEY=VALUE of the command line, put into the tree of the job file before it is checked: an
// override is checked like a line of the file, and only the place that an error names is another.
#include "engine/params.h"

#include <string.h>

static bool is_utf8(const char *text) {
  while (*text) {
    int n = pl_utf8_length(text);
    if (n == 0) return false;
    text += n;
  }
  return true;
}

// The mapping behind `key` in `map`, made when absent; *inner NULL (reported) when it is no
// mapping.
static plait_err descend(const pl_reader *reader, pl_yaml *map, const char *key, pl_yaml **inner) {
  pl_mark mark = {PL_FROM_COMMAND, 0, 0};
  *inner = pl_yaml_find(map, key);
  if (*inner && (*inner)->kind == PL_YAML_MAP) return PLAIT_OK;
  if (*inner && !pl_yaml_null(*inner)) {
    pl_issue(reader->issues, mark, "'%.60s' is not a mapping, nothing in it can be set", key);
    *inner = NULL;
    return PLAIT_OK;
  }
  TRY(pl_yaml_new(&reader->keep->arena, PL_YAML_MAP, mark, inner));
  (*inner)->key = key;
  (*inner)->key_mark = mark;
  pl_yaml_put(map, *inner);
  return PLAIT_OK;
}

// KEY=VALUE or SECTION.KEY=VALUE. `text` is in the arena and is cut into pieces.
static plait_err apply(const pl_reader *reader, pl_yaml *root, char *text) {
  pl_mark mark = {PL_FROM_COMMAND, 0, 0};
  pl_yaml *map = root, *value;
  char *equal = strchr(text, '=');
  if (!equal || equal == text || !is_utf8(text)) {
    pl_issue(reader->issues, mark, "'%.60s' is not KEY=VALUE%s", text,
             is_utf8(text) ? "" : " in UTF-8");
    return PLAIT_OK;
  }
  *equal = '\0';
  char *key = text;
  for (char *dot; map && (dot = strchr(key, '.')); key = dot + 1) {
    *dot = '\0';
    TRY(descend(reader, map, key, &map));
  }
  if (!map) return PLAIT_OK;
  TRY(pl_yaml_value(equal + 1, mark, &reader->keep->arena, reader->issues, &value));
  if (!value) return PLAIT_OK;
  value->key = key;
  value->key_mark = mark;
  pl_yaml_put(map, value);
  return PLAIT_OK;
}

plait_err pl_overrides_apply(const pl_reader *reader, pl_yaml *root, int n,
                             const char *const overrides[]) {
  for (int i = 0; i < n; i++) {
    const char *copy;
    TRY(pl_arena_text(&reader->keep->arena, overrides[i], &copy));
    TRY(apply(reader, root, (char *)copy));
  }
  return PLAIT_OK;
}
