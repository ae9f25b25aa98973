// SPDX-License-Identifier: BSD-3-Clause
//
// A report back from its JSON. What an older version did not write stays zero, so that its reports
// can be drawn as well; what is no report is refused.
#include "base/mem.h"
#include "engine/report_fields.h"
#include "engine/yaml.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define OF(kind, member) kind, offsetof(pl_meter, member)
const pl_meter_field pl_meter_fields[] = {
    {"threads", OF(PL_FIELD_INT, threads)},
    {"cpus", OF(PL_FIELD_INT, ncpus)},
    {"wall_s", OF(PL_FIELD_REAL, wall)},
    {"read_s", OF(PL_FIELD_REAL, read)},
    {"compute_s", OF(PL_FIELD_REAL, compute)},
    {"write_s", OF(PL_FIELD_REAL, write)},
    {"team_read_s", OF(PL_FIELD_REAL, team_read)},
    {"wait_read_s", OF(PL_FIELD_REAL, wait_read)},
    {"wait_write_s", OF(PL_FIELD_REAL, wait_write)},
    {"cpu_s", OF(PL_FIELD_REAL, cpu)},
    {"bytes_read", OF(PL_FIELD_WHOLE, bytes_read)},
    {"bytes_written", OF(PL_FIELD_WHOLE, bytes_written)},
    {"bytes_from_storage", OF(PL_FIELD_WHOLE, storage_read)},
    {"bytes_mapped", OF(PL_FIELD_WHOLE, mapped)},
    {"passes", OF(PL_FIELD_WHOLE, passes)},
    {"blocks", OF(PL_FIELD_WHOLE, blocks)},
    {"blocks_stolen", OF(PL_FIELD_WHOLE, stolen)},
    {"cells", OF(PL_FIELD_WHOLE, cells)},
    {"peak_rss_bytes", OF(PL_FIELD_WHOLE, peak_rss)},
    {"budget_bytes", OF(PL_FIELD_WHOLE, budget)},
    {"comm_s", OF(PL_FIELD_REAL, comm)},
    {"team_cpu_s", OF(PL_FIELD_REAL, team_cpu)},
    {"team_delay_s", OF(PL_FIELD_REAL, team_delay)},
    {"involuntary_switches", OF(PL_FIELD_WHOLE, switches)},
    {"messages", OF(PL_FIELD_WHOLE, messages)},
    {"bytes_sent", OF(PL_FIELD_WHOLE, bytes_sent)},
    {NULL, PL_FIELD_INT, 0},
};

static double number(const pl_yaml *map, const char *key, double otherwise) {
  const pl_yaml *node = pl_yaml_find(map, key);
  double value;
  return node && pl_parse_real(node->text, &value) ? value : otherwise;
}

static int64_t whole(const pl_yaml *map, const char *key) {
  const pl_yaml *node = pl_yaml_find(map, key);
  int64_t value;
  return node && pl_parse_int(node->text, &value) ? value : 0;
}

static const char *words(const pl_yaml *map, const char *key) {
  const pl_yaml *node = pl_yaml_find(map, key);
  return node && node->kind == PL_YAML_SCALAR ? node->text : "";
}

static void read_meter(const pl_yaml *map, pl_meter *meter) {
  snprintf(meter->host, sizeof meter->host, "%s", words(map, "host"));
  for (const pl_meter_field *f = pl_meter_fields; f->name; f++) {
    char *at = (char *)meter + f->offset;
    double real = number(map, f->name, 0);
    int64_t count = whole(map, f->name);
    int few = (int)count;
    if (f->kind == PL_FIELD_REAL) memcpy(at, &real, sizeof real);
    if (f->kind == PL_FIELD_WHOLE) memcpy(at, &count, sizeof count);
    if (f->kind == PL_FIELD_INT) memcpy(at, &few, sizeof few);
  }
}

static bool read_timeline(const pl_yaml *map, pl_timeline *timeline) {
  const pl_yaml *lanes = pl_yaml_find(map, "timeline");
  for (int l = 0; lanes && l < PL_LANES; l++) {
    const char *digits = words(lanes, pl_lane_names[l]);
    if (strlen(digits) != PL_BINS || strspn(digits, "0123456789") != PL_BINS) return false;
    memcpy(timeline->lane[l], digits, PL_BINS + 1);
  }
  return lanes != NULL;
}

static plait_err read_ranks(const pl_yaml *list, pl_report *report) {
  bool drawn = true;
  TRY(pl_calloc((size_t)list->n, sizeof *report->rank, &report->rank));
  TRY(pl_calloc((size_t)list->n, sizeof *report->timeline, &report->timeline));
  report->ranks = list->n;
  int r = 0;
  for (const pl_yaml *one = list->first; one; one = one->next, r++) {
    read_meter(one, &report->rank[r]);
    drawn = drawn && read_timeline(one, &report->timeline[r]);
  }
  if (!drawn) pl_free(&report->timeline);
  return PLAIT_OK;
}

// A number without a point or an exponent was whole; null is NaN.
static void read_outcome(const pl_yaml *root, pl_outcome *to) {
  const pl_yaml *results = pl_yaml_find(root, "results");
  const pl_yaml *one = results ? results->first : NULL;
  for (int v = 0; one && v < PLAIT_OUTPUTS; one = one->next, v++) {
    pl_single *s = &to->single[v];
    bool whole = one->text[strspn(one->text, "-0123456789")] == '\0';
    snprintf(s->name, sizeof s->name, "%s", one->key);
    s->type = whole ? PLAIT_I64 : PLAIT_F64;
    if (!pl_parse_real(one->text, &s->value)) s->value = NAN;
  }
  snprintf(to->warning, sizeof to->warning, "%s", words(root, "result_warning"));
}

static plait_err read_root(const pl_yaml *root, const char *name, pl_report *report) {
  static const char *const patterns[] = {"map", "reduce", "evolve", "solve", NULL};
  const pl_yaml *ranks = root ? pl_yaml_find(root, "per_rank") : NULL;
  const pl_yaml *total = root ? pl_yaml_find(root, "total") : NULL;
  if (!total || !ranks || ranks->kind != PL_YAML_LIST || ranks->n < 1 ||
      whole(root, "ranks") != ranks->n)
    return plait_fail(PLAIT_INPUT,
                      "%s is no report of plait ('plait run JOB --report FILE' makes one)", name);
  if (whole(root, "schema_version") != 1)
    return plait_fail(PLAIT_INPUT, "%s was written by another version of plait (%s)", name,
                      words(root, "plait"));
  snprintf(report->kernel, sizeof report->kernel, "%s", words(root, "kernel"));
  for (int i = 0; patterns[i]; i++)
    if (!strcmp(words(root, "pattern"), patterns[i])) report->pattern = patterns[i];
  TRY(pl_strdup(words(root, "input"), &report->input));
  TRY(pl_strdup(words(root, "output"), &report->output));
  TRY(pl_strdup(words(root, "job"), &report->job));
  TRY(read_ranks(ranks, report));
  pl_report_derive(report);
  report->complete = !strcmp(words(root, "complete"), "true");
  report->blocks_total = whole(root, "blocks_total");
  report->blocks_resumed = whole(root, "blocks_resumed");
  report->output_bytes = whole(root, "output_bytes");
  report->flops_per_cell = number(root, "flops_per_cell", 0);
  report->start_up = number(root, "start_up_s", 0);
  report->span = number(root, "timeline_s", 0);
  snprintf(report->warning, sizeof report->warning, "%s", words(root, "warning"));
  read_outcome(root, &report->outcome);
  return PLAIT_OK;
}

plait_err pl_report_read(const char *json, size_t bytes, const char *name, pl_report *report) {
  pl_arena arena = {0};
  pl_issues issues = {.path = name};
  pl_yaml *root = NULL;
  *report = (pl_report){0};
  plait_err err = pl_yaml_parse(json, bytes, PL_FROM_FILE, &arena, &issues, &root);
  if (err == PLAIT_OK) err = read_root(root, name, report);
  if (err != PLAIT_OK) pl_report_free(report);
  pl_issues_free(&issues);
  pl_arena_free(&arena);
  return err;
}
