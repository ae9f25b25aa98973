// SPDX-License-Identifier: BSD-3-Clause
//
// The table of `plait compare`, and the same as JSON.
#include "command/compare.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- text -----------------------------------------------------------------------------------
static void cell_size(int64_t bytes, char out[32]) {
  if (bytes > 0)
    pl_format_size(bytes, out);
  else
    snprintf(out, 32, "-");
}

static void cell_share(double share, char out[32]) {
  if (share >= 0)
    snprintf(out, 32, "%.0f %%", 100 * share);
  else
    snprintf(out, 32, "-");
}

static void cell_energy(double joules, char out[32]) {
  if (joules >= 0)
    snprintf(out, 32, "%.1f J", joules);
  else
    snprintf(out, 32, "-");
}

static const char *const head[] = {"variant",  "execution", "wall",       "least .. most",
                                   "speed-up", "CPU",       "memory",     "per rank",
                                   "start-up", "messages",  "I/O hidden", "energy"};
static const int width[] = {12, 20, 9, 17, 8, 9, 10, 10, 9, 8, 10, 8};
enum { COLUMNS = sizeof width / sizeof *width };

static void add_row(pl_text *out, const char *const cell[], bool has_energy, const char *mark) {
  for (int i = 0; i < COLUMNS - !has_energy; i++)
    pl_text_add(out, i < 2 ? "%-*s " : " %*s", width[i], cell[i]);
  pl_text_add(out, "%s\n", mark);
}

static void add_variant(pl_text *out, const pl_variant *v, bool has_energy, const char *mark) {
  char how[32], wall[32], range[48], speed[32], cpu[32], memory[32], each[32], start[32], comm[32],
      hidden[32], energy[32], least[32], most[32];
  snprintf(how, sizeof how, "%d rank%s x %d thread%s", v->layout.ranks,
           v->layout.ranks == 1 ? "" : "s", v->layout.threads, v->layout.threads == 1 ? "" : "s");
  pl_format_time(v->mid.wall, wall);
  pl_format_time(v->least, least);
  pl_format_time(v->most, most);
  snprintf(range, sizeof range, v->most < 1 ? "%.1f .. %.1f ms" : "%.2f .. %.2f s",
           v->most < 1 ? 1e3 * v->least : v->least, v->most < 1 ? 1e3 * v->most : v->most);
  snprintf(speed, sizeof speed, "%.2f", v->speed_up);
  pl_format_time(v->mid.cpu, cpu);
  cell_size(v->mid.memory, memory);
  cell_size(v->mid.memory_rank, each);
  pl_format_time(v->mid.start, start);
  cell_share(v->mid.inside > 0 ? v->mid.comm / v->mid.inside : 0, comm);
  bool any_io = v->mid.read + v->mid.write > 0.01 * v->mid.inside; // else the share says nothing
  cell_share(any_io ? v->mid.hidden : -1, hidden);
  cell_energy(v->mid.energy, energy);
  const char *const cell[] = {v->name, how,  wall,  range, speed,  cpu,
                              memory,  each, start, comm,  hidden, energy};
  add_row(out, cell, has_energy, mark);
}

static bool has_energy(const pl_comparison *c) {
  return c->variant[0].mid.energy >= 0;
}

static void add_head(const pl_comparison *c, pl_text *out) {
  pl_text_add(out, "%s (%s), ", c->job, c->kernel);
  if (c->sample > 0)
    pl_text_add(out, "%lld of %lld %s", (long long)c->variant[0].mid.units,
                (long long)c->variant[0].mid.units_total, c->unit);
  else if (c->variant[0].mid.units == 1)
    pl_text_add(out, "its only %.*s", (int)strlen(c->unit) - 1, c->unit); // without the s
  else
    pl_text_add(out, "all %lld %s", (long long)c->variant[0].mid.units, c->unit);
  pl_text_add(out, ", %d cores, median of %d runs in turn%s\n\n", c->cores, c->repeats,
              c->null_output ? ", nothing written" : "");
}

static void add_overlap(const pl_comparison *c, pl_text *out) {
  const pl_variant *on = &c->variant[c->n], *off = on + 1;
  char with[32], without[32];
  pl_format_time(on->mid.wall, with);
  pl_format_time(off->mid.wall, without);
  pl_text_add(out, "\nOverlap: reading and writing beside computing %s, one after another %s", with,
              without);
  if (pl_compare_differ(on, off))
    pl_text_add(out, ": %+.0f %%.\n", 100 * (off->mid.wall / on->mid.wall - 1));
  else
    pl_text_add(out, ": no difference beyond the spread of the runs.\n");
}

static bool is_rival(const pl_comparison *c, int i) {
  return i != c->best && i < c->n && !pl_compare_differ(&c->variant[c->fastest], &c->variant[i]);
}

static int count_rivals(const pl_comparison *c) {
  int rivals = 0;
  for (int i = 0; i < c->n; i++) rivals += is_rival(c, i);
  return rivals;
}

static const char *mark_of(const pl_comparison *c, int i) {
  if (i == c->best) return count_rivals(c) ? "  <- simplest of the best" : "  <- best";
  return is_rival(c, i) ? "  <- no slower that can be measured" : "";
}

static void add_names(const pl_comparison *c, pl_text *out) {
  const pl_variant *best = &c->variant[c->best];
  int left = count_rivals(c);
  pl_text_add(out, "%s", best->name);
  for (int i = 0; i < c->n; i++) {
    const pl_variant *v = &c->variant[i];
    if (!is_rival(c, i)) continue;
    pl_text_add(out, "%s%s", --left ? ", " : " and ", v->name);
    if (!strcmp(v->name, "hybrid"))
      pl_text_add(out, " %d x %d", v->layout.ranks, v->layout.threads);
  }
}

static void add_verdict(const pl_comparison *c, pl_text *out) {
  const pl_variant *best = &c->variant[c->best];
  if (count_rivals(c)) {
    pl_text_add(out, "\nNo difference that can be measured between ");
    add_names(c, out);
    pl_text_add(out, ": it is within the spread of the runs. The simplest: ");
  } else {
    pl_text_add(out, "\nBest: ");
  }
  pl_text_add(out, "%s, %d x %d; %s.\n", best->name, best->layout.ranks, best->layout.threads,
              c->why);
}

// What the columns are of.
static void add_footnote(const pl_comparison *c, pl_text *out) {
  pl_text_add(
      out,
      "\nspeed-up: time of the whole job against serial (1 rank x 1 thread, nothing side by "
      "side)%s.\n",
      c->sample > 0 ? ", from the sample; the other columns are of the sample" : "");
}

void pl_compare_text(const pl_comparison *c, pl_text *out) {
  const pl_variant *best = &c->variant[c->best];
  char whole[32];
  add_head(c, out);
  add_row(out, head, has_energy(c), "");
  for (int i = 0; i < c->n; i++) add_variant(out, &c->variant[i], has_energy(c), mark_of(c, i));
  for (int i = c->n; c->has_overlap && i < c->n + 2; i++)
    add_variant(out, &c->variant[i], has_energy(c), "");
  add_footnote(c, out);
  if (c->has_overlap) add_overlap(c, out);
  add_verdict(c, out);
  pl_format_time(best->whole, whole);
  if (c->sample > 0) pl_text_add(out, "The whole job would take about %s like that.\n", whole);
  if (c->missing) pl_text_add(out, "Not compared: %s.\n", c->missing);
}

// ---- JSON -----------------------------------------------------------------------------------
static void json_figures(const pl_trial *t, pl_json *j) {
  pl_json_real(j, "wall_s", t->wall);
  pl_json_real(j, "inside_s", t->inside);
  pl_json_real(j, "start_up_s", t->start);
  pl_json_real(j, "cpu_s", t->cpu);
  pl_json_real(j, "read_s", t->read);
  pl_json_real(j, "compute_s", t->compute);
  pl_json_real(j, "write_s", t->write);
  pl_json_real(j, "wait_io_s", t->wait);
  pl_json_real(j, "comm_s", t->comm);
  pl_json_real(j, "waited_share", t->waited);
  pl_json_real(j, "delayed_share", t->delayed);
  pl_json_real(j, "hidden_share", t->hidden < 0 ? NAN : t->hidden);
  pl_json_real(j, "balance", t->balance);
  pl_json_int(j, "messages", t->messages);
  pl_json_int(j, "bytes_sent", t->bytes_sent);
  pl_json_int(j, "bytes_read", t->bytes_read);
  pl_json_int(j, "bytes_from_storage", t->storage_read);
  pl_json_int(j, "pss_bytes", t->memory);
  pl_json_int(j, "pss_rank_bytes", t->memory_rank);
  pl_json_int(j, "peak_rss_rank_bytes", t->peak_rank);
  pl_json_real(j, "energy_j", t->energy < 0 ? NAN : t->energy);
}

static void json_variant(const pl_comparison *c, int i, pl_json *j) {
  const pl_variant *v = &c->variant[i];
  pl_json_open(j, NULL, '{');
  pl_json_string(j, "variant", v->name);
  pl_json_int(j, "ranks", v->layout.ranks);
  pl_json_int(j, "threads", v->layout.threads);
  pl_json_bool(j, "overlap", v->overlap);
  pl_json_bool(j, "best", i == c->best);
  pl_json_bool(j, "as_good", i == c->best || is_rival(c, i)); // as far as the runs tell
  pl_json_real(j, "speed_up", v->speed_up);
  pl_json_real(j, "whole_job_s", v->whole);
  json_figures(&v->mid, j);
  pl_json_open(j, "walls_s", '[');
  for (int k = 0; k < v->n; k++) pl_json_real(j, NULL, v->trial[k].wall);
  pl_json_close(j, ']');
  pl_json_close(j, '}');
}

void pl_compare_json(const pl_comparison *c, pl_json *j) {
  pl_json_open(j, NULL, '{');
  pl_json_int(j, "schema_version", 1);
  pl_json_string(j, "job", c->job);
  pl_json_string(j, "kernel", c->kernel);
  pl_json_int(j, "cores", c->cores);
  pl_json_int(j, "repeats", c->repeats);
  pl_json_int(j, "units", c->variant[0].mid.units);
  pl_json_int(j, "units_total", c->variant[0].mid.units_total);
  pl_json_string(j, "unit", c->unit);
  pl_json_bool(j, "writes", !c->null_output);
  pl_json_open(j, "variants", '[');
  for (int i = 0; i < c->n + (c->has_overlap ? 2 : 0); i++) json_variant(c, i, j);
  pl_json_close(j, ']');
  pl_json_string(j, "best", c->variant[c->best].name);
  pl_json_string(j, "bound", c->bound);
  pl_json_string(j, "why", c->why);
  pl_json_string(j, "missing", c->missing ? c->missing : "");
  pl_json_close(j, '}');
}
