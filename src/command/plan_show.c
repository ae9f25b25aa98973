// SPDX-License-Identifier: BSD-3-Clause
//
// The plan for people, with the lines to launch it, and as JSON.
#include "command/plan.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void add_word(pl_text *out, const char *word) {
  static const char safe[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,+-%@";
  if (*word && word[strspn(word, safe)] == 0) {
    pl_text_add(out, " %s", word);
    return;
  }
  pl_text_add(out, " '");
  for (; *word; word++) pl_text_add(out, *word == '\'' ? "'\\''" : "%c", *word);
  pl_text_add(out, "'");
}

static void add_launch(const pl_plan *p, const pl_layout_try *l, pl_text *out) {
  if (l->ranks > 1) pl_text_add(out, "mpirun -np %d ", l->ranks);
  if (l->nodes > 1) pl_text_add(out, "--map-by ppr:%d:node ", l->ranks / l->nodes);
  pl_text_add(out, "plait run");
  add_word(out, p->job);
  for (int i = 0; i < p->noverrides; i++) add_word(out, p->overrides[i]);
  if (l->ranks * l->threads != l->nodes * l->cores) pl_text_add(out, " --threads %d", l->threads);
}

// A limit that the slow end of the forecast keeps, in whole minutes; or what was asked for.
static double limit_of(const pl_plan *p, const pl_forecast *f) {
  if (p->wish.seconds > 0) return p->wish.seconds;
  return 60 * ceil((f->wall * (1 + f->sure) + 60) / 60);
}

static double memory_of_node(const pl_layout_try *l, const pl_forecast *f) {
  double launcher = 64.0 * 0x1p20; // of MPI and of the file cache's own needs, a rank
  return (1.2 * f->memory + launcher) * ceil((double)l->ranks / l->nodes);
}

static void add_batch(const pl_plan *p, const pl_plan_row *row, pl_text *out) {
  const pl_layout_try *l = &row->layout;
  long long seconds = (long long)limit_of(p, &row->forecast);
  pl_text_add(out, "#SBATCH --nodes=%d\n", l->nodes);
  pl_text_add(out, "#SBATCH --ntasks-per-node=%d\n", l->ranks / l->nodes);
  pl_text_add(out, "#SBATCH --cpus-per-task=%d\n", l->threads);
  pl_text_add(out, "#SBATCH --mem=%lldM\n",
              (long long)ceil(memory_of_node(l, &row->forecast) / 0x1p20));
  pl_text_add(out, "#SBATCH --time=%02lld:%02lld:%02lld\n", seconds / 3600, seconds / 60 % 60,
              seconds % 60);
}

static void add_measured(const pl_plan *p, pl_text *out) {
  pl_text_add(out, "%s (%s) on %d cores of %s%s\n", p->job, p->kernel, p->cores_here, p->cpu,
              p->recalled ? ", measured before (--measure does it again)" : "");
  if (p->cells_rate > 0)
    pl_text_add(out, "one core computes %.3g M cells/s", p->cells_rate / 1e6);
  else
    pl_text_add(out, "one core computes %.3g %s/s", p->load.units / p->load.compute, p->unit);
  if (p->cells_rate > 0 && p->flops_per_cell > 0)
    pl_text_add(out, " of %.3g flop: %.3g GFLOP/s", p->flops_per_cell,
                p->cells_rate * p->flops_per_cell / 1e9);
  if (p->cores_here > 1)
    pl_text_add(out, "; with all %d busy each is %.2f times slower", p->cores_here,
                p->load.sharing);
  pl_text_add(out, "\n\n");
}

static void add_row(const pl_plan_row *row, const char *mark, pl_text *out) {
  char wall[32], memory[32], sure[32], how[48];
  const pl_forecast *f = &row->forecast;
  pl_format_time(f->wall, wall);
  pl_format_size((int64_t)f->memory, memory);
  snprintf(sure, sizeof sure, "+-%.0f %%", 100 * f->sure);
  snprintf(how, sizeof how, "%d x %d", row->layout.ranks, row->layout.threads);
  pl_text_add(out, "%-14s %12s %9s %14s  %-12s%s%s\n", how, wall, sure, memory, f->bound,
              row->fits ? "" : "  too much memory", mark);
}

static int count_as_good(const pl_plan *p) {
  int n = 0;
  for (int i = p->asked; i < p->n; i++) n += p->row[i].as_good;
  return n;
}

static const char *mark_of(const pl_plan *p, int i) {
  if (i == p->best) return count_as_good(p) > 1 ? "  <- fewest ranks of the best" : "  <- best";
  return i >= p->asked && p->row[i].as_good ? "  <- no slower that can be measured" : "";
}

static void add_equals(const pl_plan *p, pl_text *out) {
  int left = count_as_good(p);
  if (left < 2) return;
  pl_text_add(out, "\nNo difference that can be measured between ");
  for (int i = p->asked; i < p->n; i++) {
    const pl_layout_try *l = &p->row[i].layout;
    if (!p->row[i].as_good) continue;
    left--;
    pl_text_add(out, "%d x %d%s", l->ranks, l->threads, left > 1 ? ", " : left == 1 ? " and " : "");
  }
  pl_text_add(
      out,
      " (what is measured again differs by %.0f %%): the fewest ranks need least memory and "
      "messages.\n",
      100 * fmax(p->load.spread, 0.03));
}

static void add_assumptions(const pl_plan *p, const pl_plan_row *row, pl_text *out) {
  if (row->layout.nodes == 1 && row->layout.cores == p->cores_here) return;
  pl_text_add(out,
              "\nAssumed beyond this machine: the same cores with as much memory bandwidth each, "
              "storage as fast as here%s.\n",
              row->layout.nodes > 1 ? ", a network of 10 GB/s and 2 us" : "");
}

void pl_plan_text(const pl_plan *p, pl_text *out) {
  add_measured(p, out);
  pl_text_add(out, "%-14s %12s %9s %14s  %s\n", "ranks x threads", "expected", "within",
              "memory a rank", "bound by");
  for (int i = 0; i < p->n; i++) add_row(&p->row[i], mark_of(p, i), out);
  if (p->best < 0) {
    pl_text_add(out,
                "\nNo layout fits into the memory of the node: give it more, or set run.memory.\n");
    return;
  }
  const pl_plan_row *best = &p->row[p->best];
  add_equals(p, out);
  pl_text_add(out, "\nLaunch:\n  ");
  add_launch(p, &best->layout, out);
  pl_text_add(out, "\n\nBatch ('plait help slurm', slurm/plait.sbatch):\n");
  add_batch(p, best, out);
  if (!p->in_time)
    pl_text_add(out,
                "\nIt may not end within the time asked for: then it stops in time, and the same "
                "command goes on from there.\n");
  add_assumptions(p, best, out);
  if (p->turns > 0 && p->turns < PL_PLAN_TURNS)
    pl_text_add(
        out,
        "\nMeasured in %d turn%s instead of %d, as each took long: --limit TIME allows more, "
        "with --measure.\n",
        p->turns, p->turns == 1 ? "" : "s", PL_PLAN_TURNS);
  if (p->missing) pl_text_add(out, "\nNot measured: %s.\n", p->missing);
}

// ---- JSON -----------------------------------------------------------------------------------
static void json_row(const pl_plan *p, int i, pl_json *j) {
  const pl_plan_row *row = &p->row[i];
  const pl_forecast *f = &row->forecast;
  pl_json_open(j, NULL, '{');
  pl_json_int(j, "nodes", row->layout.nodes);
  pl_json_int(j, "ranks", row->layout.ranks);
  pl_json_int(j, "threads", row->layout.threads);
  pl_json_real(j, "wall_s", f->wall);
  pl_json_real(j, "uncertainty", f->sure);
  pl_json_real(j, "start_up_s", f->start);
  pl_json_real(j, "compute_s", f->compute);
  pl_json_real(j, "read_s", f->read);
  pl_json_real(j, "write_s", f->write);
  pl_json_real(j, "messages_s", f->messages);
  pl_json_real(j, "strands_s", f->strands);
  pl_json_real(j, "memory_rank_bytes", f->memory);
  pl_json_string(j, "bound", f->bound);
  pl_json_bool(j, "fits", row->fits);
  pl_json_bool(j, "best", i == p->best);
  pl_json_bool(j, "as_good", row->as_good); // as far as what was measured tells
  pl_json_close(j, '}');
}

static void json_measured(const pl_plan *p, pl_json *j) {
  const pl_load *l = &p->load;
  pl_json_open(j, "measured", '{');
  pl_json_bool(j, "recalled", p->recalled);
  pl_json_string(j, "cpu", p->cpu);
  pl_json_int(j, "cores", p->cores_here);
  pl_json_real(j, "cells_per_s", p->cells_rate);
  pl_json_real(j, "flops_per_cell", p->flops_per_cell);
  pl_json_real(j, "compute_s", l->compute);
  pl_json_real(j, "read_s", l->read);
  pl_json_real(j, "write_s", l->write);
  pl_json_real(j, "io_cpu_s", l->io_cpu);
  pl_json_real(j, "sharing", l->sharing);
  pl_json_real(j, "team", l->team);
  pl_json_real(j, "crowding", l->crowding);
  pl_json_real(j, "exposed", l->exposed);
  pl_json_real(j, "team_reads", l->team_reads);
  pl_json_real(j, "storage_bytes_per_s", l->storage_rate);
  pl_json_real(j, "start_one_s", l->start_one);
  pl_json_real(j, "start_ranks_s", l->start_ranks);
  pl_json_real(j, "spread", l->spread);
  pl_json_close(j, '}');
}

void pl_plan_json(const pl_plan *p, pl_json *j) {
  pl_text launch = {0}, batch = {0};
  pl_json_open(j, NULL, '{');
  pl_json_int(j, "schema_version", 1);
  pl_json_string(j, "job", p->job);
  pl_json_string(j, "kernel", p->kernel);
  json_measured(p, j);
  pl_json_open(j, "layouts", '[');
  for (int i = 0; i < p->n; i++) json_row(p, i, j);
  pl_json_close(j, ']');
  if (p->best >= 0) {
    add_launch(p, &p->row[p->best].layout, &launch);
    add_batch(p, &p->row[p->best], &batch);
    pl_json_string(j, "launch", launch.at ? launch.at : "");
    pl_json_string(j, "batch", batch.at ? batch.at : "");
  }
  pl_json_bool(j, "in_time", p->in_time);
  pl_json_string(j, "missing", p->missing ? p->missing : "");
  pl_json_close(j, '}');
  pl_text_free(&launch);
  pl_text_free(&batch);
}
