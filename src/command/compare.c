// SPDX-License-Identifier: BSD-3-Clause
//
// plait compare JOB: how many ranks, how many threads? The job, or a sample of it, as children in
// every way that fills the cores of this machine; in turn, so that a disturbance hits all of them;
// each turn begins with another variant.
#include "command/compare.h"
#include "base/mem.h"
#include "command/commands.h"
#include "command/station.h"
#include "host/stop.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct options {
  int format;
  bool full, quiet;
  const char *picture;
  int64_t repeat;
} options;

static const pl_option table[] = {
    PL_OPTION_FORMAT(options),
    {"full", 0, PL_OPTION_FLAG, offsetof(options, full), NULL,
     "all blocks or steps, not a sample of them", 0, 0, NULL},
    {"output", 'o', PL_OPTION_TEXT, offsetof(options, picture), "FILE",
     "draw the times as bars: FILE.svg or FILE.png", 0, 0, NULL},
    {"repeat", 0, PL_OPTION_INT, offsetof(options, repeat), "N", "runs of each variant (3)", 3,
     PL_REPEATS, NULL},
    {"quiet", 'q', PL_OPTION_FLAG, offsetof(options, quiet), NULL, "do not say what runs", 0, 0,
     NULL},
    {0},
};

static const double sample_seconds = 2.0;

static void tell(const options *o, const pl_variant *v, int turn, int turns) {
  if (o->quiet) return;
  fprintf(stderr, "plait: compare: turn %d of %d: %s, %d x %d\n", turn + 1, turns, v->name,
          v->layout.ranks, v->layout.threads);
}

static plait_err run_turns(pl_comparison *c, const options *o, const pl_trial_job *job, int first,
                           int n) {
  for (int turn = 0; turn < c->repeats; turn++)
    for (int k = 0; k < n; k++) {
      pl_variant *v = &c->variant[first + (k + turn) % n];
      pl_trial_how how = {v->layout, v->overlap, c->sample};
      tell(o, v, turn, c->repeats);
      TRY(pl_trial_run(job, &how, &v->trial[v->n]));
      v->n++;
    }
  return PLAIT_OK;
}

// What overlap is worth, in the best layout.
static plait_err run_overlap(pl_comparison *c, const options *o, const pl_trial_job *job) {
  pl_layout_try layout = c->variant[c->best].layout;
  c->variant[c->n] = (pl_variant){.name = "overlap on", .layout = layout, .overlap = true};
  c->variant[c->n + 1] = (pl_variant){.name = "overlap off", .layout = layout};
  c->has_overlap = true;
  return run_turns(c, o, job, c->n, 2);
}

// The sample is chosen for the fastest that one can guess, so that no variant is shorter than
// wanted.
static plait_err choose_sample(pl_comparison *c, const options *o, const pl_trial_job *job) {
  pl_layout_try all = {1, 1, c->cores, c->cores};
  pl_trial trial;
  if (o->full) return PLAIT_OK;
  if (!o->quiet) fprintf(stderr, "plait: compare: choosing a sample\n");
  return pl_trial_calibrate(job, &all, sample_seconds, &c->sample, &trial);
}

static plait_err measure(pl_comparison *c, const options *o, const pl_trial_job *job) {
  TRY(choose_sample(c, o, job));
  TRY(run_turns(c, o, job, 0, c->n));
  pl_compare_settle(c);
  TRY(run_overlap(c, o, job));
  pl_compare_settle(c);
  pl_compare_explain(c);
  return PLAIT_OK;
}

static plait_err show(const pl_comparison *c, const options *o) {
  pl_text text = {0};
  pl_json json = {0};
  if (o->picture) TRY(pl_compare_draw(c, o->picture));
  if (o->format == PL_FORMAT_JSON) {
    pl_compare_json(c, &json);
    return pl_print_json(&json);
  }
  pl_compare_text(c, &text);
  return pl_print_text(&text);
}

// Cores that may be used and have time: an allowance of 1.5 CPUs is one core.
static plait_err count_cores(int *cores) {
  pl_topology topology;
  TRY(pl_topology_find(NULL, &topology));
  *cores = topology.ncores;
  if (topology.quota > 0 && topology.quota < *cores) *cores = (int)topology.quota;
  if (*cores < 1) *cores = 1;
  pl_topology_free(&topology);
  return PLAIT_OK;
}

static plait_err compare(const pl_cli *cli, const options *o, const pl_job *job) {
  plait_err err = PLAIT_OK;
  char *output = NULL;
  pl_comparison *c = NULL;
  TRY(pl_calloc(1, sizeof *c, &c));
  *c = (pl_comparison){.job = cli->args[0],
                       .kernel = job->kernel->name,
                       .unit = pl_trial_unit(job),
                       .repeats = o->repeat ? (int)o->repeat : 3,
                       .missing = pl_trial_no_ranks()};
  GUARD(count_cores(&c->cores));
  if (c->cores == 1) c->missing = "this machine gives one core: there is nothing to divide";
  pl_compare_variants(c, c->missing == NULL);
  GUARD(pl_trial_output(job->output, &output));
  c->null_output = !strncmp(output, "null:", 5);
  pl_trial_job trial = {cli->args[0], cli->nargs - 1, cli->args + 1, output};
  err = measure(c, o, &trial);
  if (err == PLAIT_OK) err = show(c, o);
done:
  if (output) pl_trial_clean(output);
  pl_free(&output);
  pl_free(&c);
  return err;
}

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  pl_job *job = NULL;
  if (cli->launch.launched)
    return plait_fail(PLAIT_USAGE, "compare launches the ranks itself: run it without %s",
                      cli->launch.launcher);
  if (o->picture && !pl_compare_can_draw(o->picture))
    return plait_fail(PLAIT_USAGE, "--output must end in .svg or .png, not '%s'", o->picture);
  TRY(pl_overrides_check(cli->nargs - 1, cli->args + 1));
  TRY(pl_job_load(cli->args[0], cli->nargs - 1, cli->args + 1, &job));
  plait_err err = pl_stop_listen();
  if (err == PLAIT_OK) err = compare(cli, o, job);
  pl_job_free(&job);
  return err;
}

const pl_command pl_command_compare = {
    .name = "compare",
    .arguments = "JOB [key=value ...]",
    .summary = "Measures a job with threads, with processes, and between",
    .details =
        "Runs the job, or a sample of its blocks or steps that takes two seconds, in turn as\n"
        "serial (one thread, nothing side by side), threads (one rank with all cores),\n"
        "processes (a rank on each core) and hybrids, and prints what each costs. wall is the\n"
        "whole program with its launch, speed-up is that of the whole job against serial, memory\n"
        "is the sum of proportional set sizes of all ranks, messages is the share of the time\n"
        "for which ranks waited for each other. Where the spread of the runs is larger than the\n"
        "difference no winner is named, but the simplest: the fewest ranks, then the fewest\n"
        "threads; --repeat N tells smaller differences apart. At last that one again, with and\n"
        "without overlap of I/O and computing. Trials write into a directory beside the job's "
        "output, which vanishes.\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 1,
    .max_args = -1,
    .run = run,
};
