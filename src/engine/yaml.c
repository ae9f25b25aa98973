// SPDX-License-Identifier: BSD-3-Clause
//
// Events of libyaml -> tree. The events are used and not libyaml's documents because a document
// expands aliases and forgets where keys stood. The stack is bounded, so is the depth; a mapping
// has a bounded number of keys, so that looking for duplicates stays cheap for any file.
#include "engine/yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

typedef struct frame {
  pl_yaml *node;
  const char *key; // read, its value not yet
  pl_mark key_mark;
} frame;

typedef struct builder {
  yaml_parser_t parser;
  const char *text;
  size_t bytes;
  pl_origin origin;
  pl_arena *arena;
  pl_issues *issues;
  frame stack[PL_YAML_DEPTH];
  int depth, documents;
  bool stop; // an issue after which the rest cannot be understood
  pl_yaml *root;
} builder;

static pl_mark mark_of(const builder *b, yaml_mark_t at) {
  return (pl_mark){b->origin, (int)at.line + 1, (int)at.column + 1};
}

// The reader of libyaml (wrong bytes) reports an offset only.
static pl_mark mark_of_offset(const builder *b, size_t offset) {
  pl_mark mark = {b->origin, 1, 1};
  for (size_t i = 0; i < offset && i < b->bytes; i++) {
    mark.column++;
    if (b->text[i] != '\n') continue;
    mark.line++;
    mark.column = 1;
  }
  return mark;
}

static void refuse(builder *b, pl_mark mark, const char *what) {
  pl_issue(b->issues, mark, "%s", what);
  b->stop = true;
}

static plait_err report_syntax(builder *b) {
  const yaml_parser_t *p = &b->parser;
  b->stop = true;
  if (p->error == YAML_MEMORY_ERROR) return plait_fail(PLAIT_MEMORY, "out of memory");
  if (p->error == YAML_READER_ERROR) {
    pl_issue(b->issues, mark_of_offset(b, p->problem_offset), "not a text in UTF-8: %s",
             p->problem);
    return PLAIT_OK;
  }
  if (b->origin != PL_FROM_FILE) { // short and without lines: show all of it
    pl_issue(b->issues, mark_of(b, p->problem_mark), "not valid YAML: %s in '%.60s'", p->problem,
             b->text);
    return PLAIT_OK;
  }
  size_t index = p->problem_mark.index;
  bool tab = index < b->bytes && b->text[index] == '\t';
  char context[128] = "";
  if (p->context) {
    snprintf(context, sizeof context, ", %s from line %d", p->context,
             (int)p->context_mark.line + 1);
  }
  pl_issue(b->issues, mark_of(b, p->problem_mark), "not valid YAML: %s%s%s", p->problem, context,
           tab ? " (indent with blanks, not with tabs)" : "");
  return PLAIT_OK;
}

plait_err pl_yaml_new(pl_arena *arena, pl_yaml_kind kind, pl_mark mark, pl_yaml **node) {
  TRY(pl_arena_get(arena, 1, sizeof **node, node));
  (*node)->kind = kind;
  (*node)->mark = mark;
  (*node)->text = "";
  return PLAIT_OK;
}

static void append(pl_yaml *parent, pl_yaml *child) {
  if (parent->last)
    parent->last->next = child;
  else
    parent->first = child;
  parent->last = child;
  parent->n++;
}

pl_yaml *pl_yaml_find(const pl_yaml *map, const char *key) {
  if (!map || map->kind != PL_YAML_MAP) return NULL;
  pl_yaml *child = map->first;
  while (child && strcmp(child->key, key) != 0) child = child->next;
  return child;
}

void pl_yaml_put(pl_yaml *map, pl_yaml *child) {
  pl_yaml **link = &map->first, *before = NULL;
  while (*link && strcmp((*link)->key, child->key) != 0) {
    before = *link;
    link = &before->next;
  }
  if (!*link) {
    append(map, child);
    return;
  }
  child->next = (*link)->next;
  *link = child;
  if (!child->next) map->last = child;
}

bool pl_yaml_null(const pl_yaml *node) {
  static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
  if (node->kind != PL_YAML_SCALAR || node->quoted || node->mark.origin != PL_FROM_FILE)
    return false;
  const char *const *word = words;
  while (*word && strcmp(node->text, *word) != 0) word++;
  return *word != NULL;
}

// Puts a finished value where it belongs: the root, the end of a list, or behind its key.
static void place(builder *b, pl_yaml *node) {
  if (b->depth == 0) {
    b->root = node;
    return;
  }
  frame *top = &b->stack[b->depth - 1];
  if (top->node->kind == PL_YAML_LIST) {
    append(top->node, node);
    return;
  }
  node->key = top->key;
  node->key_mark = top->key_mark;
  top->key = NULL;
  const pl_yaml *same = pl_yaml_find(top->node, node->key);
  if (same) {
    pl_issue(b->issues, node->key_mark, "duplicate key '%.60s', first given in line %d", node->key,
             same->key_mark.line);
  } else if (top->node->n == PL_YAML_KEYS) {
    refuse(b, node->key_mark, "too many keys in one mapping");
  } else {
    append(top->node, node);
  }
}

static bool awaits_key(const builder *b) {
  const frame *top = b->depth > 0 ? &b->stack[b->depth - 1] : NULL;
  return top && top->node->kind == PL_YAML_MAP && !top->key;
}

static plait_err open_node(builder *b, const yaml_event_t *event, pl_yaml_kind kind) {
  pl_mark mark = mark_of(b, event->start_mark);
  pl_yaml *node;
  if (awaits_key(b)) {
    refuse(b, mark, "a key must be a word");
  } else if (b->depth == PL_YAML_DEPTH) {
    refuse(b, mark, "too many brackets in brackets");
  } else {
    TRY(pl_yaml_new(b->arena, kind, mark, &node));
    place(b, node);
    b->stack[b->depth++] = (frame){.node = node};
  }
  return PLAIT_OK;
}

static plait_err take_scalar(builder *b, const yaml_event_t *event) {
  const char *value = (const char *)event->data.scalar.value, *text;
  pl_mark mark = mark_of(b, event->start_mark);
  pl_yaml *node;
  if (strlen(value) != event->data.scalar.length) {
    refuse(b, mark, "a text must not contain a zero byte");
    return PLAIT_OK;
  }
  TRY(pl_arena_text(b->arena, value, &text));
  if (awaits_key(b)) {
    frame *top = &b->stack[b->depth - 1];
    top->key = text;
    top->key_mark = mark;
    return PLAIT_OK;
  }
  TRY(pl_yaml_new(b->arena, PL_YAML_SCALAR, mark, &node));
  node->text = text;
  node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  place(b, node);
  return PLAIT_OK;
}

// Anchors and tags stand in three kinds of events, at three places.
static bool decorated(const yaml_event_t *event) {
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    return event->data.scalar.anchor || event->data.scalar.tag;
  case YAML_SEQUENCE_START_EVENT:
    return event->data.sequence_start.anchor || event->data.sequence_start.tag;
  case YAML_MAPPING_START_EVENT:
    return event->data.mapping_start.anchor || event->data.mapping_start.tag;
  default:
    return event->type == YAML_ALIAS_EVENT;
  }
}

static plait_err take_event(builder *b, const yaml_event_t *event) {
  pl_mark mark = mark_of(b, event->start_mark);
  if (decorated(event)) {
    refuse(b, mark, "anchors (&), aliases (*) and tags (!) are not for job files; quote the text");
    return PLAIT_OK;
  }
  switch (event->type) {
  case YAML_DOCUMENT_START_EVENT:
    if (++b->documents > 1) refuse(b, mark, "a second document; a job is one");
    return PLAIT_OK;
  case YAML_SCALAR_EVENT:
    return take_scalar(b, event);
  case YAML_SEQUENCE_START_EVENT:
    return open_node(b, event, PL_YAML_LIST);
  case YAML_MAPPING_START_EVENT:
    return open_node(b, event, PL_YAML_MAP);
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    b->depth--;
    return PLAIT_OK;
  case YAML_STREAM_END_EVENT:
    b->stop = true;
    return PLAIT_OK;
  default:
    return PLAIT_OK;
  }
}

static plait_err build(builder *b) {
  plait_err err = PLAIT_OK;
  while (!b->stop && err == PLAIT_OK) {
    yaml_event_t event;
    if (!yaml_parser_parse(&b->parser, &event)) return report_syntax(b);
    err = take_event(b, &event);
    yaml_event_delete(&event);
  }
  return err;
}

plait_err pl_yaml_parse(const char *text, size_t bytes, pl_origin origin, pl_arena *arena,
                        pl_issues *issues, pl_yaml **root) {
  builder b = {.text = text, .bytes = bytes, .origin = origin, .arena = arena, .issues = issues};
  *root = NULL;
  if (!yaml_parser_initialize(&b.parser)) return plait_fail(PLAIT_MEMORY, "out of memory");
  yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, bytes);
  int before = issues->count;
  plait_err err = build(&b);
  yaml_parser_delete(&b.parser);
  bool whole = err == PLAIT_OK && b.depth == 0;
  if (whole && !b.root && issues->count == before) {
    pl_issue(issues, (pl_mark){origin, 1, 1}, "nothing in it");
  }
  *root = whole ? b.root : NULL;
  return err;
}

plait_err pl_yaml_value(const char *text, pl_mark mark, pl_arena *arena, pl_issues *issues,
                        pl_yaml **value) {
  if (*text && strchr("[{\"'", *text)) {
    return pl_yaml_parse(text, strlen(text), mark.origin, arena, issues, value);
  }
  TRY(pl_yaml_new(arena, PL_YAML_SCALAR, mark, value));
  return pl_arena_text(arena, text, &(*value)->text);
}
