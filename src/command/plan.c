// SPDX-License-Identifier: BSD-3-Clause
//
// plait plan JOB: how many ranks and threads for it, here or on a machine that is described, how
// long it will take and how sure that is. The model is in engine/model.h; a sample of the job is
// measured once and the figures kept, by CPU, version of plait and job.
#include "command/plan.h"
#include "base/hash.h"
#include "base/mem.h"
#include "command/commands.h"
#include "command/station.h"
#include "engine/probe.h"
#include "host/stop.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct options {
  int format;
  int64_t nodes, cores;
  const char *memory, *time, *limit;
  pl_words layouts;
  bool measure, quiet;
} options;

static const pl_option table[] = {
    {"nodes", 'N', PL_OPTION_INT, offsetof(options, nodes), "N", "nodes to run on", 1, 100000,
     NULL},
    {"cores", 'c', PL_OPTION_INT, offsetof(options, cores), "C",
     "cores of a node; without it those of this machine", 1, 4096, NULL},
    {"memory", 'm', PL_OPTION_TEXT, offsetof(options, memory), "SIZE", "memory of a node: 64GiB", 0,
     0, NULL},
    {"time", 't', PL_OPTION_TEXT, offsetof(options, time), "TIME",
     "the run must end within: 2h, 01:30:00", 0, 0, NULL},
    {"layout", 0, PL_OPTION_REPEAT, offsetof(options, layouts), "RxT",
     "expect this one as well: ranks x threads; may be repeated", 0, 0, NULL},
    {"measure", 0, PL_OPTION_FLAG, offsetof(options, measure), NULL,
     "measure again, whatever is kept from earlier", 0, 0, NULL},
    {"limit", 0, PL_OPTION_TEXT, offsetof(options, limit), "TIME",
     "measure no longer than this (40 s): fewer turns, larger uncertainty", 0, 0, NULL},
    PL_OPTION_FORMAT(options),
    {"quiet", 'q', PL_OPTION_FLAG, offsetof(options, quiet), NULL, "do not say what runs", 0, 0,
     NULL},
    {0},
};

static plait_err read_wish(const options *o, pl_plan *plan) {
  pl_plan_wish *w = &plan->wish;
  w->nodes = (int)o->nodes;
  w->cores = (int)o->cores;
  if (o->memory && (!pl_parse_size(o->memory, &w->memory) || w->memory <= 0))
    return plait_fail(PLAIT_USAGE, "--memory must be a size like 64GiB, not '%s'", o->memory);
  if (o->time && (!pl_parse_time(o->time, &w->seconds) || !(w->seconds > 0)))
    return plait_fail(PLAIT_USAGE, "--time must be a time like 2h or 01:30:00, not '%s'", o->time);
  for (int i = 0; i < o->layouts.n; i++) {
    pl_layout_try *l = &plan->row[plan->asked++].layout;
    int used = 0;
    if (sscanf(o->layouts.at[i], "%dx%d%n", &l->ranks, &l->threads, &used) != 2 ||
        o->layouts.at[i][used] || l->ranks < 1 || l->threads < 1)
      return plait_fail(PLAIT_USAGE, "--layout must be like 4x2, not '%s'", o->layouts.at[i]);
  }
  return PLAIT_OK;
}

static plait_err read_effort(const options *o, pl_plan_effort *effort) {
  *effort = (pl_plan_effort){.again = o->measure, .quiet = o->quiet, .seconds = 40};
  if (o->limit && (!pl_parse_time(o->limit, &effort->seconds) || !(effort->seconds > 0)))
    return plait_fail(PLAIT_USAGE, "--limit must be a time like 10s or 2min, not '%s'", o->limit);
  return PLAIT_OK;
}

static plait_err look_around(pl_plan *plan) {
  pl_topology topology;
  TRY(pl_topology_find(NULL, &topology));
  plan->cores_here = topology.ncores;
  if (topology.quota >= 1 && topology.quota < plan->cores_here)
    plan->cores_here = (int)topology.quota;
  pl_topology_free(&topology);
  pl_probe_cpu(plan->cpu, sizeof plan->cpu);
  plan->missing = plan->cores_here > 1 ? pl_trial_no_ranks() : NULL;
  plan->with_ranks = !plan->missing && plan->cores_here > 1;
  return PLAIT_OK;
}

// What was measured holds for this job, input, machine and version.
static void make_key(const pl_job *job, const pl_plan *plan, char key[96]) {
  pl_text text = {0};
  struct stat input = {0}, program = {0};
  if (stat(job->input, &input)) input.st_size = 0;
  if (stat("/proc/self/exe", &program)) program.st_size = 0;
  pl_text_add(&text, "%s\n%s\n%d %d\n%lld\n%lld %lld\n%s", PLAIT_VERSION, plan->cpu,
              plan->cores_here, plan->with_ranks, (long long)input.st_size,
              (long long)program.st_size, (long long)program.st_mtime, job->echo);
  uint64_t hash = pl_hash(text.at ? text.at : "", text.length, 0);
  snprintf(key, 96, "plan-%.40s-%016llx", job->kernel->name, (unsigned long long)hash);
  pl_text_free(&text);
}

static pl_plan plan_of(const pl_job *job) {
  // Combinations of a study are shared out like the blocks of a map: ranks exchange claims only.
  plait_pattern pattern = job->vary ? PLAIT_MAP : job->kernel->pattern;
  return (pl_plan){.kernel = job->kernel->name,
                   .unit = pl_trial_unit(job),
                   .load = {.pattern = pattern,
                            .stepwise = !job->vary && job->kernel->reduce.steps.gather != NULL}};
}

plait_err pl_plan_known(const pl_job *job, int nodes, int cores, pl_plan **out) {
  char key[96];
  plait_err err = PLAIT_OK;
  pl_plan *plan = NULL;
  *out = NULL;
  TRY(pl_calloc(1, sizeof *plan, &plan));
  *plan = plan_of(job);
  plan->wish.nodes = nodes;
  plan->wish.cores = cores;
  GUARD(look_around(plan));
  make_key(job, plan, key);
  if (!pl_plan_recall(key, plan)) goto done;
  *out = plan;
  return PLAIT_OK;
done:
  pl_free(&plan);
  return err;
}

static plait_err measure(const pl_cli *cli, const options *o, const pl_job *job, pl_plan *plan) {
  char key[96], *output = NULL;
  pl_plan_effort effort;
  TRY(read_effort(o, &effort));
  make_key(job, plan, key);
  TRY(pl_trial_output(job->output, &output));
  pl_trial_job trial = {cli->args[0], cli->nargs - 1, cli->args + 1, output};
  plait_err err = pl_plan_measure(&trial, key, &effort, plan);
  pl_trial_clean(output);
  pl_free(&output);
  return err;
}

static plait_err show(const pl_plan *plan, int format) {
  pl_text text = {0};
  pl_json json = {0};
  if (format == PL_FORMAT_JSON) {
    pl_plan_json(plan, &json);
    return pl_print_json(&json);
  }
  pl_plan_text(plan, &text);
  return pl_print_text(&text);
}

static plait_err make_plan(const pl_cli *cli, const options *o, const pl_job *job) {
  pl_plan *plan = NULL;
  plait_err err = PLAIT_OK;
  TRY(pl_calloc(1, sizeof *plan, &plan));
  *plan = plan_of(job);
  plan->job = cli->args[0];
  plan->noverrides = cli->nargs - 1;
  plan->overrides = cli->args + 1;
  GUARD(read_wish(o, plan));
  GUARD(look_around(plan));
  GUARD(measure(cli, o, job, plan));
  pl_plan_choose(plan);
  err = show(plan, o->format);
done:
  pl_free(&plan);
  return err;
}

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  pl_job *job = NULL;
  if (cli->launch.launched)
    return plait_fail(PLAIT_USAGE, "plan launches ranks itself: run it without %s",
                      cli->launch.launcher);
  TRY(pl_overrides_check(cli->nargs - 1, cli->args + 1));
  TRY(pl_job_load(cli->args[0], cli->nargs - 1, cli->args + 1, &job));
  plait_err err = pl_stop_listen();
  if (err == PLAIT_OK) err = make_plan(cli, o, job);
  pl_job_free(&job);
  return err;
}

const pl_command pl_command_plan = {
    .name = "plan",
    .arguments = "JOB [key=value ...]",
    .summary = "Recommends ranks and threads for a job, and says how long it will take",
    .details =
        "Measures a sample of the job here once (some twenty seconds, on a busy machine no more\n"
        "than --limit unless a single turn takes longer; kept in the user's cache directory), and\n"
        "computes from it what every way to divide the cores would take, on this machine or on\n"
        "--nodes of --cores. Prints the recommended launch and the head of a batch script. Where\n"
        "what was measured spreads by more than layouts differ it names no winner, but the fewest\n"
        "ranks. With --time and without --nodes it looks for the fewest nodes that will do.\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 1,
    .max_args = -1,
    .run = run,
};
