// SPDX-License-Identifier: BSD-3-Clause
//
// A report as one HTML page: style, drawing and numbers are in it, nothing is fetched and nothing
// is executed, so that it can be mailed, archived and opened years later. The timeline of a rank
// has a strip for each lane; its height is the share of time in which the strand was busy.
#include "engine/report.h"
#include <stdio.h>
#include <string.h>

enum {
  DRAWN = 64,  // ranks at most, evenly chosen
  LEFT = 190,  // px of names
  WIDTH = 800, // of a strip
  HEIGHT = 14, // of a strip
  STRIP = 17,  // from strip to strip
  TICKS = 4
};

static const struct {
  const char *color, *meaning;
} lanes[PL_LANES] = {
    [PL_LANE_READ] = {"#2b7bba", "reading"},
    [PL_LANE_COMPUTE] = {"#1b7837", "computing"},
    [PL_LANE_WRITE] = {"#7b3294", "writing"},
    [PL_LANE_WAIT] = {"#e08a1e", "the team stands still for reading or writing"},
    [PL_LANE_MESSAGES] = {"#c0392b", "waits for messages of other ranks"},
};

static const char style[] =
    "body{font:15px/1.5 sans-serif;max-width:64em;margin:2em auto;padding:0 1em;color:#222}"
    "h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}"
    "table{border-collapse:collapse;font-size:.9em}td,th{padding:.2em .7em;text-align:right;"
    "border-bottom:1px solid #ddd}td:first-child,th:first-child,td:nth-child(2){text-align:left}"
    "svg{width:100%;font:12px sans-serif}pre{background:#f4f4f4;padding:1em;overflow:auto}"
    ".warning{background:#fdf0d5;border-left:4px solid #e08a1e;padding:.6em 1em}"
    ".key{display:inline-block;width:.8em;height:.8em;margin:0 .4em 0 1.2em}";

static void add_words(const char *words, pl_text *out) {
  for (const char *at = words; *at;) {
    size_t n = strcspn(at, "&<>\"");
    pl_text_add(out, "%.*s", (int)n, at);
    at += n;
    if (!*at) break;
    pl_text_add(out, *at == '&' ? "&amp;" : *at == '<' ? "&lt;" : *at == '>' ? "&gt;" : "&quot;");
    at++;
  }
}

// ---- timeline -------------------------------------------------------------------------------
static bool is_idle(const pl_report *report, int lane) {
  for (int r = 0; r < report->ranks; r++)
    if (strspn(report->timeline[r].lane[lane], "0") < PL_BINS) return false;
  return true;
}

static void add_strip(const char *digits, int y, const char *color, pl_text *out) {
  pl_text_add(out, "<path fill=\"%s\" d=\"M%d,%d", color, LEFT, y + HEIGHT);
  for (int b = 0; b < PL_BINS; b++) {
    if (b == 0 || digits[b] != digits[b - 1])
      pl_text_add(out, "V%.3g", y + HEIGHT - HEIGHT * (digits[b] - '0') / 9.0);
    int end = b;
    while (end + 1 < PL_BINS && digits[end + 1] == digits[b]) end++;
    pl_text_add(out, "H%d", LEFT + (end + 1) * WIDTH / PL_BINS);
    b = end;
  }
  pl_text_add(out, "V%dZ\"/>\n", y + HEIGHT);
}

static int add_rank(const pl_report *report, int r, int y, pl_text *out) {
  pl_text_add(out, "<text x=\"0\" y=\"%d\">rank %d, ", y + HEIGHT - 2, r);
  add_words(report->rank[r].host, out);
  pl_text_add(out, "</text>\n");
  for (int l = 0; l < PL_LANES; l++) {
    if (is_idle(report, l)) continue;
    pl_text_add(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#777\">%s</text>\n",
                LEFT - 8, y + HEIGHT - 2, pl_lane_names[l]);
    pl_text_add(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#f4f4f4\"/>\n",
                LEFT, y, WIDTH, HEIGHT);
    add_strip(report->timeline[r].lane[l], y, lanes[l].color, out);
    y += STRIP;
  }
  return y + STRIP / 2;
}

static void add_ticks(const pl_report *report, int y, pl_text *out) {
  for (int t = 0; t <= TICKS; t++) {
    char time[32];
    pl_format_time(report->span * t / TICKS, time);
    pl_text_add(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" fill=\"#777\">%s</text>\n",
                LEFT + WIDTH * t / TICKS, y + 12,
                t == 0       ? "start"
                : t == TICKS ? "end"
                             : "middle",
                t == 0 ? "0" : time);
  }
}

static void add_timeline(const pl_report *report, pl_text *out) {
  pl_text body = {0};
  int y = 0, drawn = report->ranks < DRAWN ? report->ranks : DRAWN;
  pl_text_add(out, "<h2>Timeline</h2>\n");
  if (!report->timeline) {
    pl_text_add(out, "<p>The run kept none.</p>\n");
    return;
  }
  for (int i = 0; i < drawn; i++)
    y = add_rank(report, (int)((int64_t)i * report->ranks / drawn), y, &body);
  add_ticks(report, y, &body);
  pl_text_add(out, "<p>");
  for (int l = 0; l < PL_LANES; l++)
    if (!is_idle(report, l))
      pl_text_add(out, "<span class=\"key\" style=\"background:%s\"></span>%s", lanes[l].color,
                  lanes[l].meaning);
  pl_text_add(out, "</p>\n<svg viewBox=\"0 0 %d %d\">\n%s</svg>\n", LEFT + WIDTH, y + 16,
              body.at ? body.at : "");
  if (drawn < report->ranks)
    pl_text_add(out, "<p>%d of %d ranks are drawn.</p>\n", drawn, report->ranks);
  out->failed = out->failed || body.failed;
  pl_text_free(&body);
}

// ---- numbers --------------------------------------------------------------------------------
static void add_time(double seconds, pl_text *out) {
  char time[32];
  pl_format_time(seconds, time);
  pl_text_add(out, "<td>%s</td>", time);
}

static void add_row(const pl_meter *m, const char *name, pl_text *out) {
  char peak[32], in[32], written[32];
  pl_format_size(m->peak_rss, peak);
  pl_format_size(m->bytes_read, in);
  pl_format_size(m->bytes_written, written);
  pl_text_add(out, "<tr><td>%s</td><td>", name);
  add_words(m->host, out);
  pl_text_add(out, "</td><td>%d</td><td>%lld</td>", m->threads, (long long)m->blocks);
  const double times[] = {m->read, m->compute, m->write, m->wait_read + m->wait_write,
                          m->comm, m->cpu};
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) add_time(times[i], out);
  pl_text_add(out, "<td>%s</td><td>%s</td><td>%s</td></tr>\n", in, written, peak);
}

static void add_ranks(const pl_report *report, pl_text *out) {
  static const char *const heads[] = {
      "rank",           "host",         "threads", "blocks", "reading", "computing",  "writing",
      "waited for I/O", "for messages", "CPU",     "read",   "written", "peak memory"};
  pl_text_add(out, "<h2>Ranks</h2>\n<table><tr>");
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
    pl_text_add(out, "<th>%s</th>", heads[i]);
  pl_text_add(out, "</tr>\n");
  for (int r = 0; r < report->ranks; r++) {
    char name[16];
    snprintf(name, sizeof name, "%d", r);
    add_row(&report->rank[r], name, out);
  }
  if (report->ranks > 1) add_row(&report->total, "all", out);
  pl_text_add(out, "</table>\n");
}

static void add_head(const pl_report *report, pl_text *out) {
  pl_text_add(out,
              "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>plait: ");
  add_words(report->kernel, out);
  pl_text_add(out, "</title><style>%s</style></head><body>\n<h1>", style);
  add_words(report->kernel, out);
  pl_text_add(out, "</h1>\n<p>");
  add_words(*report->input ? report->input : "no input", out);
  pl_text_add(out, " &rarr; ");
  add_words(report->output, out);
  pl_text_add(out, "</p>\n");
}

void pl_report_page(const pl_report *report, pl_text *out) {
  pl_text words = {0};
  add_head(report, out);
  pl_report_paragraph(report, &words);
  pl_text_add(out, "<p%s>", *report->warning ? " class=\"warning\"" : "");
  add_words(words.at ? words.at : "", out);
  pl_text_add(out, "</p>\n");
  add_timeline(report, out);
  add_ranks(report, out);
  pl_text_add(out, "<h2>Job</h2>\n<pre>");
  add_words(report->job, out);
  pl_text_add(out, "</pre>\n</body></html>\n");
  out->failed = out->failed || words.failed;
  pl_text_free(&words);
}
