// SPDX-License-Identifier: BSD-3-Clause
//
// What a run says at its end. Not hidden is the time for which a rank's team stood still because
// its input was not there yet or no output slot was free (the first block and the last result
// included). What the team copied out of the page cache by itself is neither: nobody waited.
// Waiting for other ranks is no matter of I/O and shows in the balance, which compares the busiest
// strand of each rank.
#include "engine/report.h"
#include "base/mem.h"
#include "engine/report_fields.h"
#include <math.h>
#include <string.h>

#define SCHEMA 1

void pl_report_free(pl_report *report) {
  pl_free(&report->input);
  pl_free(&report->output);
  pl_free(&report->job);
  pl_free(&report->rank);
  pl_free(&report->timeline);
  pl_free(&report->traces);
  *report = (pl_report){0};
}

static void add_meter(pl_meter *total, const pl_meter *m) {
  total->read += m->read;
  total->compute += m->compute;
  total->write += m->write;
  total->team_read += m->team_read;
  total->wait_read += m->wait_read;
  total->wait_write += m->wait_write;
  total->wall = fmax(total->wall, m->wall);
  total->cpu += m->cpu;
  total->bytes_read += m->bytes_read;
  total->bytes_written += m->bytes_written;
  if (m->storage_read < 0)
    total->storage_read = -1;
  else if (total->storage_read >= 0)
    total->storage_read += m->storage_read;
  total->mapped += m->mapped;
  if (m->passes > total->passes) total->passes = m->passes;
  total->blocks += m->blocks;
  total->stolen += m->stolen;
  total->cells += m->cells;
  if (m->peak_rss > total->peak_rss) total->peak_rss = m->peak_rss;
  if (m->budget > total->budget) total->budget = m->budget;
  total->comm += m->comm;
  total->team_cpu += m->team_cpu;
  total->team_delay += m->team_delay;
  total->switches += m->switches;
  total->messages += m->messages;
  total->bytes_sent += m->bytes_sent;
  total->threads += m->threads;
  total->ncpus += m->ncpus;
}

static int count_hosts(const pl_report *report) {
  int hosts = 0;
  for (int r = 0; r < report->ranks; r++) {
    bool seen = false;
    for (int q = 0; q < r && !seen; q++) seen = !strcmp(report->rank[q].host, report->rank[r].host);
    hosts += !seen;
  }
  return hosts;
}

static double busy(const pl_meter *m) {
  return fmax(m->compute + m->team_read, fmax(m->read, m->write));
}

void pl_report_derive(pl_report *report) {
  double io = 0, exposed = 0, sum = 0, most = 0;
  report->total = (pl_meter){0};
  for (int r = 0; r < report->ranks; r++) {
    const pl_meter *m = &report->rank[r];
    add_meter(&report->total, m);
    double strands = m->read - m->team_read + m->write;
    io += strands;
    exposed += fmin(strands, m->wait_read + m->wait_write);
    sum += busy(m);
    most = fmax(most, busy(m));
  }
  if (report->ranks) memcpy(report->total.host, report->rank[0].host, PLAIT_NAME);
  report->hidden = io > 0 ? 1 - exposed / io : -1;
  report->balance = most > 0 ? sum / report->ranks / most : 1;
  pl_report_judge(report);
}

// What this run has done: blocks that the ranks have shared, or steps that all of them have made.
static int64_t done_of(const pl_report *report, bool steps) {
  const pl_meter *t = &report->total;
  if (steps) return t->blocks / (report->ranks > 1 ? report->ranks : 1);
  return t->blocks / (t->passes > 1 ? t->passes : 1);
}

static void add_work(const pl_report *report, pl_text *out) {
  const pl_meter *t = &report->total;
  bool steps = report->pattern && !strcmp(report->pattern, "evolve");
  int64_t done = done_of(report, steps), count = steps ? done : t->blocks;
  const char *unit = report->unit ? report->unit : steps ? "step" : "block";
  char wall[32], read[32], written[32];
  pl_format_time(t->wall, wall);
  pl_format_size(t->bytes_read, read);
  pl_format_size(t->bytes_written, written);
  int hosts = count_hosts(report);
  pl_text_add(out, "%s: %lld %s%s in %s on %d rank%s with %d thread%s in all", report->kernel,
              (long long)count, unit, count == 1 ? "" : "s", wall, report->ranks,
              report->ranks == 1 ? "" : "s", t->threads, t->threads == 1 ? "" : "s");
  if (hosts > 1) pl_text_add(out, " (%d nodes)", hosts);
  if (report->blocks_resumed)
    pl_text_add(out, ", %lld more were done before", (long long)report->blocks_resumed);
  pl_text_add(out, "; %s read, %s written. ", read, written);
  if (!report->complete)
    pl_text_add(out, "Not complete: %lld of %lld %ss are done. ",
                (long long)(done + report->blocks_resumed), (long long)report->blocks_total, unit);
}

// Times are means over the ranks, so that they compare with the wall time.
static void add_strands(const pl_report *report, pl_text *out) {
  const pl_meter *t = &report->total;
  double ranks = report->ranks ? report->ranks : 1;
  char read[32], compute[32], write[32];
  pl_format_time(t->read / ranks, read);
  pl_format_time(t->compute / ranks, compute);
  pl_format_time(t->write / ranks, write);
  pl_text_add(out, "Reading took %s, computing %s, writing %s%s", read, compute, write,
              report->ranks > 1 ? " per rank" : "");
  if (report->hidden >= 0)
    pl_text_add(out, "; %.0f %% of reading and writing was hidden behind computing",
                100 * report->hidden);
}

static bool is_whole(const pl_single *s) {
  return s->type < PLAIT_F32 && fabs(s->value) < 9e15;
}

void pl_report_outcome(const pl_report *report, pl_text *out) {
  size_t before = out->length;
  for (int v = 0; v < PLAIT_OUTPUTS; v++) {
    const pl_single *s = &report->outcome.single[v];
    if (!s->name[0] || isnan(s->value)) continue;
    pl_text_add(out, "%s%s ", out->length > before ? ", " : "Result: ", s->name);
    pl_text_add(out, is_whole(s) ? "%.0f" : "%.8g", s->value);
  }
  if (out->length > before) pl_text_add(out, ". ");
  if (report->outcome.warning[0]) pl_text_add(out, "Warning: %s. ", report->outcome.warning);
}

void pl_report_paragraph(const pl_report *report, pl_text *out) {
  char peak[32], budget[32];
  pl_format_size(report->total.peak_rss, peak);
  pl_format_size(report->total.budget, budget);
  pl_report_outcome(report, out);
  add_work(report, out);
  add_strands(report, out);
  pl_text_add(out, ". Peak memory %s per rank%s (budget %s)", peak,
              report->total.mapped > 0 ? ", with pages of the input that it looked at in place"
                                       : "",
              budget);
  if (report->ranks > 1) pl_text_add(out, ", balance %.0f %%", 100 * report->balance);
  pl_text_add(out, ".");
  if (*report->warning) pl_text_add(out, " Warning: %s.", report->warning);
}

static void json_meter(const pl_meter *m, pl_json *j) {
  pl_json_string(j, "host", m->host);
  for (const pl_meter_field *f = pl_meter_fields; f->name; f++) {
    const void *at = (const char *)m + f->offset;
    if (f->kind == PL_FIELD_REAL) pl_json_real(j, f->name, *(const double *)at);
    if (f->kind == PL_FIELD_WHOLE) pl_json_int(j, f->name, *(const int64_t *)at);
    if (f->kind == PL_FIELD_INT) pl_json_int(j, f->name, *(const int *)at);
  }
}

// Strings, not lists of numbers: a report of a thousand ranks stays small, and is read by eye.
static void json_timeline(const pl_timeline *timeline, pl_json *j) {
  pl_json_open(j, "timeline", '{');
  for (int l = 0; l < PL_LANES; l++) pl_json_string(j, pl_lane_names[l], timeline->lane[l]);
  pl_json_close(j, '}');
}

static void json_ranks(const pl_report *report, pl_json *j) {
  pl_json_open(j, "per_rank", '[');
  for (int r = 0; r < report->ranks; r++) {
    pl_json_open(j, NULL, '{');
    pl_json_int(j, "rank", r);
    json_meter(&report->rank[r], j);
    if (report->timeline) json_timeline(&report->timeline[r], j);
    pl_json_close(j, '}');
  }
  pl_json_close(j, ']');
}

static void json_outcome(const pl_outcome *outcome, pl_json *j) {
  pl_json_open(j, "results", '{');
  for (int v = 0; v < PLAIT_OUTPUTS; v++) {
    const pl_single *s = &outcome->single[v];
    if (!s->name[0]) continue;
    if (is_whole(s))
      pl_json_int(j, s->name, (int64_t)s->value);
    else
      pl_json_real(j, s->name, s->value);
  }
  pl_json_close(j, '}');
  pl_json_string(j, "result_warning", outcome->warning);
}

void pl_report_json(const pl_report *report, pl_json *j) {
  pl_json_open(j, NULL, '{');
  pl_json_int(j, "schema_version", SCHEMA);
  pl_json_string(j, "plait", PLAIT_VERSION);
  pl_json_string(j, "kernel", report->kernel);
  pl_json_string(j, "pattern", report->pattern ? report->pattern : "");
  pl_json_string(j, "input", report->input ? report->input : "");
  pl_json_string(j, "output", report->output ? report->output : "");
  pl_json_bool(j, "complete", report->complete);
  json_outcome(&report->outcome, j);
  pl_json_int(j, "ranks", report->ranks);
  pl_json_int(j, "blocks_total", report->blocks_total);
  pl_json_int(j, "blocks_resumed", report->blocks_resumed);
  pl_json_int(j, "output_bytes", report->output_bytes);
  pl_json_real(j, "flops_per_cell", report->flops_per_cell);
  pl_json_real(j, "start_up_s", report->start_up);
  pl_json_real(j, "hidden_share", report->hidden < 0 ? NAN : report->hidden);
  pl_json_real(j, "balance", report->balance);
  pl_json_real(j, "waited_share", report->waited);
  pl_json_real(j, "delayed_share", report->delayed);
  pl_json_string(j, "warning", report->warning);
  pl_json_real(j, "timeline_s", report->span);
  pl_json_open(j, "total", '{');
  json_meter(&report->total, j);
  pl_json_close(j, '}');
  json_ranks(report, j);
  pl_json_string(j, "job", report->job ? report->job : "");
  pl_json_close(j, '}');
}
