// SPDX-License-Identifier: BSD-3-Clause
//
// A mapping against its table: unknown keys, missing keys, defaults; and the short way from
// "name=value name=value" for verification and tests.
#include "engine/params.h"
#include "base/mem.h"
#include "engine/job.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const plait_param *find(const plait_param *table, const char *name) {
  while (table->name && strcmp(table->name, name) != 0) table++;
  return table->name ? table : NULL;
}

// The only parameter that is explained with this word: "clusters" or "n_clusters" for k.
static const char *explained(const plait_param *table, const char *word) {
  const char *found = NULL;
  if (strncmp(word, "n_", 2) == 0) word += 2;
  for (; strlen(word) >= 4 && table->name; table++) {
    if (!pl_has_word(table->help, word)) continue;
    if (found) return NULL;
    found = table->name;
  }
  return found;
}

// A slip of the pen first, then another word for the same thing, then what is at all alike.
static const char *nearest(const plait_param *table, const char *word) {
  const char *names[PL_YAML_KEYS + 1] = {NULL};
  for (int i = 0; i < PL_YAML_KEYS && table[i].name; i++) names[i] = table[i].name;
  const char *near = pl_nearest_within(word, 1 + (int)strlen(word) / 6, names);
  if (!near) near = explained(table, word);
  return near ? near : pl_nearest(word, names);
}

static void report_unknown(const pl_reader *reader, const plait_param *table, const char *prefix,
                           const pl_yaml *map) {
  for (const pl_yaml *child = map->first; child; child = child->next) {
    if (find(table, child->key)) continue;
    const char *near = nearest(table, child->key);
    pl_issue(reader->issues, child->key_mark, "unknown key '%s%.60s'%s%s%s", prefix, child->key,
             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
  }
}

static plait_err read_default(const pl_reader *reader, const plait_param *param, const char *name,
                              void *out) {
  pl_issues issues = {.path = name};
  pl_reader quiet = {reader->keep, &issues, reader->dir};
  pl_mark mark = {PL_FROM_DEFAULT, 0, 0};
  pl_yaml *value;
  plait_err err = PLAIT_OK;
  GUARD(pl_yaml_value(param->standard, mark, &reader->keep->arena, &issues, &value));
  if (value) GUARD(pl_value_read(&quiet, param, name, value, out));
  GUARD(pl_issues_result(&issues, PLAIT_BUG));
done:
  pl_issues_free(&issues);
  return err;
}

static plait_err fill_one(const pl_reader *reader, const plait_param *param, const char *name,
                          const pl_yaml *node, pl_mark mark, void *out) {
  if (node && !pl_yaml_null(node)) return pl_value_read(reader, param, name, node, out);
  if (node) {
    pl_issue(reader->issues, node->key_mark, "'%s' has no value", name);
  } else if (!param->standard) {
    pl_issue(reader->issues, mark, "'%s' is missing: %s", name, param->help);
  } else {
    return read_default(reader, param, name, out);
  }
  return PLAIT_OK;
}

plait_err pl_params_fill(const pl_reader *reader, const plait_param *table, const char *prefix,
                         const pl_yaml *map, pl_mark mark, void *params) {
  for (const plait_param *param = table; param->name; param++) {
    pl_text name = {0};
    pl_text_add(&name, "%s%s", prefix, param->name);
    plait_err err = name.failed ? plait_fail(PLAIT_MEMORY, "out of memory")
                                : fill_one(reader, param, name.at, pl_yaml_find(map, param->name),
                                           mark, (char *)params + param->offset);
    pl_text_free(&name);
    TRY(err);
  }
  return PLAIT_OK;
}

plait_err pl_params_read(const pl_reader *reader, const plait_param *table, const char *prefix,
                         const pl_yaml *map, pl_mark mark, void *params) {
  if (map) report_unknown(reader, table, prefix, map);
  return pl_params_fill(reader, table, prefix, map, mark, params);
}

void pl_keep_free(pl_keep **keep) {
  if (*keep) pl_arena_free(&(*keep)->arena);
  pl_free(keep);
}

// ---- "name=value name=value" ------------------------------------------------------------------

// A setting begins at a name followed by '='; so "sigma=3 px axes=[lat, lon]" is two of them.
static bool begins_setting(const char *text) {
  if (!isalpha((unsigned char)*text) && *text != '_') return false;
  while (isalnum((unsigned char)*text) || *text == '_') text++;
  return *text == '=';
}

// The end of the setting that begins at `text`: blanks are skipped, brackets are kept together.
static const char *end_of_setting(const char *text) {
  int depth = 0;
  for (; *text; text++) {
    if (*text == '[' || *text == '{') depth++;
    if (*text == ']' || *text == '}') depth--;
    if (depth <= 0 && *text == ' ' && begins_setting(text + strspn(text, " "))) break;
  }
  return text;
}

static plait_err add_setting(pl_arena *arena, pl_issues *issues, const char *text, pl_yaml *map) {
  pl_mark mark = {PL_FROM_COMMAND, 0, 0};
  const char *equal = strchr(text, '='), *value = equal + 1;
  pl_yaml *node;
  char *key;
  TRY(pl_arena_get(arena, (size_t)(equal - text) + 1, 1, &key));
  memcpy(key, text, (size_t)(equal - text));
  TRY(pl_yaml_value(value, mark, arena, issues, &node));
  if (!node) return PLAIT_OK;
  node->key = key;
  node->key_mark = mark;
  pl_yaml_put(map, node);
  return PLAIT_OK;
}

static plait_err parse_settings(pl_arena *arena, pl_issues *issues, const char *text,
                                pl_yaml *map) {
  pl_mark mark = {PL_FROM_COMMAND, 0, 0};
  for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
    if (!begins_setting(text)) {
      pl_issue(issues, mark, "'%.60s' is not NAME=VALUE", text);
      break;
    }
    const char *end = end_of_setting(text);
    char *setting;
    size_t length = (size_t)(end - text);
    TRY(pl_arena_get(arena, length + 1, 1, &setting));
    memcpy(setting, text, length);
    while (length > 0 && setting[length - 1] == ' ') setting[--length] = '\0';
    TRY(add_setting(arena, issues, setting, map));
    text = end;
  }
  return PLAIT_OK;
}

static plait_err read_settings(const pl_reader *reader, const plait_param *table,
                               const char *settings, void *params) {
  pl_mark mark = {PL_FROM_COMMAND, 0, 0};
  pl_yaml *map;
  TRY(pl_yaml_new(&reader->keep->arena, PL_YAML_MAP, mark, &map));
  TRY(parse_settings(&reader->keep->arena, reader->issues, settings, map));
  TRY(pl_params_read(reader, table, "", map, mark, params));
  return pl_issues_result(reader->issues, PLAIT_JOB);
}

plait_err pl_params_from_text(const plait_param *table, size_t size, const char *settings,
                              void **params, void **keep) {
  pl_issues issues = {.command = "settings"};
  pl_keep *kept = NULL;
  plait_err err = PLAIT_OK;
  *params = *keep = NULL;
  GUARD(pl_calloc(1, size, params));
  GUARD(pl_calloc(1, sizeof *kept, &kept));
  kept->command = "settings";
  *keep = kept;
  GUARD(read_settings(&(pl_reader){kept, &issues, "."}, table, settings ? settings : "", *params));
done:
  pl_issues_free(&issues);
  if (err != PLAIT_OK) pl_params_free(params, keep);
  return err;
}

// The table is not needed: `keep` knows which values are axes.
plait_err pl_params_bind(const plait_param *table, void *params, void *keep,
                         const plait_array *input) {
  (void)table;
  (void)params;
  pl_keep *kept = keep;
  pl_issues issues = {.path = kept->path, .command = kept->command};
  plait_err err = pl_axes_bind(kept, input, &issues);
  if (err == PLAIT_OK) err = pl_issues_result(&issues, PLAIT_JOB);
  pl_issues_free(&issues);
  return err;
}

void pl_params_free(void **params, void **keep) {
  pl_keep *kept = *keep;
  pl_keep_free(&kept);
  *keep = NULL;
  pl_free(params);
}
