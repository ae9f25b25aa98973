// SPDX-License-Identifier: BSD-3-Clause
//
// plait slurm --status: what Slurm says of batch jobs, and how far plait says it is in their logs.
#include "base/mem.h"
#include "command/cli.h"
#include "command/slurm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The end of a log; a run says how far it is in a short line now and then.
static void read_progress(const char *path, char *out, size_t room) {
  enum { TAIL = 64 * 1024 };
  char *text = NULL;
  *out = 0;
  FILE *file = *path ? fopen(path, "re") : NULL;
  if (!file) return;
  if (pl_alloc(TAIL + 1, 1, &text) == PLAIT_OK) {
    if (fseeko(file, -TAIL, SEEK_END)) rewind(file);
    text[fread(text, 1, TAIL, file)] = 0;
    pl_batch_progress(text, out, room);
  }
  pl_free(&text);
  fclose(file);
}

static void add_state(const pl_batch_state *s, const char *progress, pl_text *out) {
  pl_text_add(out, "%-8s %s", s->id, s->state);
  if (*s->reason) pl_text_add(out, " (%s)", s->reason);
  if (*s->nodes) pl_text_add(out, " on %s", s->nodes);
  pl_text_add(out, ", %s of %s", s->run_time, s->limit);
  if (s->restarts) pl_text_add(out, ", start %d", s->restarts + 1);
  if (pl_batch_ended(s)) pl_text_add(out, ", exit code %s", s->exit_code);
  if (*progress) pl_text_add(out, ": %s", progress);
  pl_text_add(out, "\n         log %s\n", s->log);
}

static void json_state(const pl_batch_state *s, const char *progress, pl_json *j) {
  pl_json_open(j, NULL, '{');
  pl_json_string(j, "batch_job", s->id);
  pl_json_string(j, "state", s->state);
  pl_json_string(j, "reason", s->reason);
  pl_json_string(j, "nodes", s->nodes);
  pl_json_string(j, "run_time", s->run_time);
  pl_json_string(j, "time_limit", s->limit);
  pl_json_int(j, "restarts", s->restarts);
  pl_json_string(j, "exit_code", s->exit_code);
  pl_json_bool(j, "ended", pl_batch_ended(s));
  pl_json_string(j, "progress", progress);
  pl_json_string(j, "log", s->log);
  pl_json_close(j, '}');
}

typedef struct answer {
  pl_text text;
  pl_json json;
} answer;

static void add_record(const char *record, answer *a) {
  pl_batch_state state;
  char progress[256];
  if (!pl_batch_parse(record, &state)) return;
  read_progress(state.log, progress, sizeof progress);
  add_state(&state, progress, &a->text);
  json_state(&state, progress, &a->json);
}

// An array of batch jobs is answered with a record for each task, an empty line behind each.
static plait_err add_status(const char *id, answer *a) {
  const char *const argv[] = {"scontrol", "show", "job", id, NULL};
  pl_text records = {0};
  TRY(pl_slurm_ask(argv, &records));
  for (char *at = records.at, *next; at && *at; at = next) {
    next = strstr(at, "\n\n");
    if (next) {
      *next = 0;
      next += 2;
    }
    add_record(at, a);
  }
  pl_text_free(&records);
  return PLAIT_OK;
}

// Is this line among those before it?
static bool is_again(const char *list, const char *line, size_t length) {
  for (const char *at = list; at < line; at += strcspn(at, "\n") + 1)
    if (strcspn(at, "\n") == length && !strncmp(at, line, length)) return true;
  return false;
}

// One question for a whole array, however many tasks it has. A job that ends meanwhile is left out.
static plait_err add_mine(answer *a) {
  char user[32], id[32];
  const char *const argv[] = {"squeue", "-h", "-o", "%F", "-u", user, NULL};
  pl_text list = {0};
  snprintf(user, sizeof user, "%lu", (unsigned long)getuid());
  TRY(pl_slurm_ask(argv, &list));
  for (const char *at = list.at; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
    size_t length = strcspn(at, "\n");
    if (is_again(list.at, at, length)) continue;
    snprintf(id, sizeof id, "%.*s", (int)length, at);
    if (add_status(id, a) != PLAIT_OK) pl_message_set("");
  }
  pl_text_free(&list);
  return PLAIT_OK;
}

static bool is_id(const char *text) { // 12, 12_3
  return *text >= '0' && *text <= '9' && strspn(text, "0123456789_") == strlen(text);
}

static plait_err add_all(int n, const char *const ids[], answer *a) {
  if (!n) return add_mine(a);
  for (int i = 0; i < n; i++)
    if (!is_id(ids[i])) return plait_fail(PLAIT_USAGE, "'%s' is no number of a batch job", ids[i]);
  for (int i = 0; i < n; i++) TRY(add_status(ids[i], a));
  return PLAIT_OK;
}

plait_err pl_batch_tell(int n, const char *const ids[], bool as_json) {
  answer a = {0};
  pl_json_open(&a.json, NULL, '{');
  pl_json_int(&a.json, "schema_version", 1);
  pl_json_open(&a.json, "batch_jobs", '[');
  plait_err err = add_all(n, ids, &a);
  pl_json_close(&a.json, ']');
  pl_json_close(&a.json, '}');
  if (err == PLAIT_OK && !a.text.length) pl_text_add(&a.text, "no batch jobs\n");
  if (err == PLAIT_OK) err = as_json ? pl_print_json(&a.json) : pl_print_text(&a.text);
  pl_text_free(&a.text);
  pl_text_free(&a.json.text);
  return err;
}
