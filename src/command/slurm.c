// SPDX-License-Identifier: BSD-3-Clause
//
// plait slurm: a job becomes a batch job. The script is slurm/plait.sbatch with the numbers of this
// job; memory comes from the plan that `run` would make, CPUs from Slurm's own list of nodes, ranks
// and time from `plait plan` where it has measured this job here.
#include "base/mem.h"
#include "command/commands.h"
#include "command/plan.h"
#include "command/slurm.h"
#include "command/station.h"
#include "engine/task.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct options {
  int format;
  int64_t nodes, tasks, cpus;
  const char *memory, *time, *partition, *account;
  bool force, submit, parsable, wait, status;
} options;

static const pl_option table[] = {
    {"nodes", 'N', PL_OPTION_INT, offsetof(options, nodes), "N", "nodes; by default 1", 1, 1000000,
     NULL},
    {"tasks", 0, PL_OPTION_INT, offsetof(options, tasks), "N",
     "ranks of each node; by default what `plait plan` said of the job, or 1", 1, 4096, NULL},
    {"cpus", 'c', PL_OPTION_INT, offsetof(options, cpus), "N",
     "CPUs of each rank; by default all of a node's", 1, 4096, NULL},
    {"memory", 0, PL_OPTION_TEXT, offsetof(options, memory), "SIZE",
     "of each node; by default what the job needs", 0, 0, NULL},
    {"time", 't', PL_OPTION_TEXT, offsetof(options, time), "TIME",
     "limit; by default what `plait plan` said of the job, or 1 h", 0, 0, NULL},
    {"partition", 'p', PL_OPTION_TEXT, offsetof(options, partition), "NAME",
     "by default Slurm's own", 0, 0, NULL},
    {"account", 'A', PL_OPTION_TEXT, offsetof(options, account), "NAME", "by default Slurm's own",
     0, 0, NULL},
    {"force", 0, PL_OPTION_FLAG, offsetof(options, force), NULL, "replace an output that exists", 0,
     0, NULL},
    {"submit", 0, PL_OPTION_FLAG, offsetof(options, submit), NULL,
     "give the script to sbatch instead of printing it", 0, 0, NULL},
    {"parsable", 0, PL_OPTION_FLAG, offsetof(options, parsable), NULL,
     "with --submit: print the number of the batch job alone", 0, 0, NULL},
    {"wait", 0, PL_OPTION_FLAG, offsetof(options, wait), NULL,
     "with --submit: return when the batch job ended", 0, 0, NULL},
    {"status", 0, PL_OPTION_FLAG, offsetof(options, status), NULL,
     "how far batch jobs are: those whose numbers are given, or all of yours", 0, 0, NULL},
    PL_OPTION_FORMAT(options),
    {0},
};

// ---- the batch job ----------------------------------------------------------------------------
// Beside the buffers: MPI, libraries, the stacks of the threads.
#define BASE_BYTES ((int64_t)192 << 20)

// run.memory is a budget; without one plait takes half of what the node has. What evolves is spread
// over all ranks.
static int64_t node_bytes(const pl_job *job, int64_t rank, const pl_batch *b) {
  if (job->kernel->pattern == PLAIT_EVOLVE && !job->vary) rank /= b->nodes * b->tasks;
  rank = job->run.memory > 0 ? job->run.memory : 2 * rank;
  return b->tasks * (rank + BASE_BYTES);
}

// Ranks and time as `plait plan` would have them, where it was asked about this job before; what
// the command line says stands. A limit is what the slow end of the forecast keeps, and five
// minutes: two for --signal, one by which Slurm may send it too early, two to start.
static plait_err consult(const options *o, const pl_job *job, pl_batch *b, char why[80]) {
  pl_plan *plan = NULL;
  int64_t node = b->cpus * b->tasks;
  char wall[32];
  TRY(pl_plan_known(job, (int)b->nodes, (int)node, &plan));
  if (!plan) return PLAIT_OK;
  if (o->tasks || o->cpus) pl_plan_ask(plan, (int)(b->nodes * b->tasks), (int)b->cpus);
  pl_plan_choose(plan);
  int row = plan->asked ? 0 : plan->best;
  if (row >= 0) {
    const pl_forecast *f = &plan->row[row].forecast;
    b->tasks = plan->row[row].layout.ranks / b->nodes;
    b->cpus = node / b->tasks;
    pl_format_time(f->wall, wall);
    if (!o->time) {
      b->seconds = 60 * ceil(f->wall * (1 + f->sure) / 60) + 300;
      snprintf(why, 80, "plait plan expects %s", wall);
      b->time_why = why;
    }
  }
  pl_free(&plan);
  return PLAIT_OK;
}

// Everything that `run` would complain about is said now, not after hours in a queue.
static plait_err plan(const options *o, const pl_cli *cli, pl_batch *b, char why[80]) {
  pl_comm *comm = NULL;
  pl_job *job = NULL;
  int64_t needed, written;
  plait_err err = PLAIT_OK;
  GUARD(pl_comm_start(false, 1, &comm));
  GUARD(pl_station_job(comm, cli->args[0], cli->nargs - 1, cli->args + 1, &job));
  job->force = o->force;
  GUARD(consult(o, job, b, why));
  GUARD(pl_job_size(comm, job, (int)b->tasks, (int)b->cpus, &needed, &written));
  b->memory = node_bytes(job, needed, b);
  b->memory_why = "of a node; the job needs so much";
done:
  pl_job_free(&job);
  pl_comm_stop(&comm);
  return err;
}

static plait_err read_options(const options *o, pl_batch *b) {
  b->nodes = o->nodes ? o->nodes : 1;
  b->tasks = o->tasks ? o->tasks : 1;
  b->cpus = o->cpus;
  b->cpus_why = "of a rank; its threads";
  b->seconds = 3600;
  b->time_why = "what is not done by then is done later";
  b->partition = o->partition;
  b->account = o->account;
  b->force = o->force;
  if (o->partition && !pl_batch_word(o->partition))
    return plait_fail(PLAIT_USAGE, "'%s' cannot be a partition", o->partition);
  if (o->account && !pl_batch_word(o->account))
    return plait_fail(PLAIT_USAGE, "'%s' cannot be an account", o->account);
  if (o->time && (!pl_parse_time(o->time, &b->seconds) || b->seconds < 1 || b->seconds > 3.2e7))
    return plait_fail(PLAIT_USAGE, "--time must be a time like '2 h' or 01:30:00, not '%s'",
                      o->time);
  if (!b->cpus) {
    b->cpus = pl_slurm_cpus(o->partition, &b->cpus_why) / b->tasks;
    if (b->cpus < 1) b->cpus = 1;
  }
  return PLAIT_OK;
}

static plait_err read_memory(const options *o, pl_batch *b) {
  if (!o->memory) return PLAIT_OK;
  if (!pl_parse_size(o->memory, &b->memory) || b->memory < 1 << 20)
    return plait_fail(PLAIT_USAGE, "--memory must be a size like '64 GiB', not '%s'", o->memory);
  b->memory_why = "of a node";
  return PLAIT_OK;
}

static void name_of_job(const char *path, char *name, size_t room) {
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
  const char *dot = strrchr(base, '.');
  snprintf(name, room, "%.*s", dot && dot != base ? (int)(dot - base) : (int)strlen(base), base);
}

// The script runs later and elsewhere: what it names must still be there.
static plait_err check_file(const char *path) {
  struct stat status;
  if (stat(path, &status)) return pl_fail_errno(PLAIT_JOB, "cannot open the job", path);
  if (S_ISREG(status.st_mode)) return PLAIT_OK;
  return plait_fail(PLAIT_JOB, "%s is not a file: a batch job reads it again", path);
}

static plait_err write_script(const options *o, const pl_cli *cli, pl_text *script) {
  char name[PLAIT_NAME], program[4096] = "", why[80], *dir = NULL;
  pl_batch b = {.job = cli->args[0],
                .nargs = cli->nargs - 1,
                .args = cli->args + 1,
                .name = name,
                .program = program};
  TRY(pl_overrides_check(b.nargs, b.args));
  TRY(read_options(o, &b));
  TRY(check_file(b.job));
  TRY(plan(o, cli, &b, why));
  TRY(read_memory(o, &b));
  name_of_job(b.job, name, sizeof name);
  if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
    return pl_fail_errno(PLAIT_IO, "cannot find out where plait is", NULL);
  b.dir = dir = getcwd(NULL, 0);
  if (!dir) return pl_fail_errno(PLAIT_IO, "cannot find out the working directory", NULL);
  pl_batch_script(&b, script);
  free(dir);
  return script->failed ? plait_fail(PLAIT_MEMORY, "no memory for the script") : PLAIT_OK;
}

// ---- submit -----------------------------------------------------------------------------------
static plait_err judge_end(const pl_batch_state *s) {
  if (!strcmp(s->state, "COMPLETED")) return PLAIT_OK;
  int code = (int)strtol(s->exit_code, NULL, 10); // "75:0": exit code, signal
  return plait_fail(code == 75  ? PLAIT_STOPPED
                    : code == 2 ? PLAIT_JOB
                    : code == 3 ? PLAIT_VERIFY
                                : PLAIT_IO,
                    "the batch job %s ended as %s, exit code %s; its log is %s", s->id, s->state,
                    s->exit_code, s->log);
}

static plait_err print_submitted(const options *o, const char *id) {
  pl_text text = {0};
  pl_json json = {0};
  if (o->format == PL_FORMAT_JSON) {
    pl_json_open(&json, NULL, '{');
    pl_json_int(&json, "schema_version", 1);
    pl_json_string(&json, "batch_job", id);
    pl_json_close(&json, '}');
    return pl_print_json(&json);
  }
  pl_text_add(&text, o->parsable ? "%s\n" : "batch job %s; see plait slurm --status %s\n", id, id);
  return pl_print_text(&text);
}

static plait_err submit_job(const options *o, const pl_text *script) {
  char id[32] = "";
  pl_batch_state state;
  TRY(pl_batch_submit(script, id));
  TRY(print_submitted(o, id));
  if (!o->wait) return PLAIT_OK;
  TRY(pl_batch_wait(id, &state));
  return judge_end(&state);
}

// ---- the command ------------------------------------------------------------------------------
static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  pl_text script = {0};
  if (o->status) return pl_batch_tell(cli->nargs, cli->args, o->format == PL_FORMAT_JSON);
  if (!cli->nargs)
    return plait_fail(PLAIT_USAGE, "usage: plait slurm JOB [key=value ...], or --status [ID ...]");
  if ((o->wait || o->parsable) && !o->submit)
    return plait_fail(PLAIT_USAGE, "--%s needs --submit", o->wait ? "wait" : "parsable");
  plait_err err = write_script(o, cli, &script);
  if (err == PLAIT_OK && !o->submit) return pl_print_text(&script);
  if (err == PLAIT_OK) err = submit_job(o, &script);
  pl_text_free(&script);
  return err;
}

const pl_command pl_command_slurm = {
    .name = "slurm",
    .arguments = "[JOB [key=value ...]]",
    .summary = "Runs a job as a batch job of Slurm, or says how far one is",
    .details =
        "Prints the script for sbatch: CPUs as Slurm's nodes have them, memory as the job needs,\n"
        "ranks and time as 'plait plan' said of this job on this machine, if it was asked.\n"
        "With --submit the script goes to sbatch. A job that is not done when its time is\n"
        "over goes back into the queue and continues.\n"
        "  plait slurm JOB --nodes 4 --time 2h --submit\n"
        "  plait slurm --status 12\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 0,
    .max_args = -1,
    .run = run,
};
