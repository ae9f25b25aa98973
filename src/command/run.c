// SPDX-License-Identifier: BSD-3-Clause
//
// plait run JOB: the job on all ranks. Rank 0 speaks; every step ends with all ranks knowing
// whether all of them are well, so that none is left waiting.
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "command/commands.h"
#include "command/continuation.h"
#include "command/station.h"
#include "engine/study.h"
#include "engine/watchdog.h"
#include "host/deadline.h"
#include "host/stop.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct options {
  int format;
  bool force, fresh, quiet, verbose;
  const char *report, *trace, *deadline;
  int64_t threads, sample;
} options;

static const pl_option table[] = {
    {"force", 0, PL_OPTION_FLAG, offsetof(options, force), NULL, "replace an output that exists", 0,
     0, NULL},
    {"fresh", 0, PL_OPTION_FLAG, offsetof(options, fresh), NULL,
     "start over: what an earlier run left is not used", 0, 0, NULL},
    {"deadline", 0, PL_OPTION_TEXT, offsetof(options, deadline), "TIME",
     "stop, so that it can be continued, before TIME is over (\"50 min\")", 0, 0, NULL},
    PL_OPTION_FORMAT(options),
    {"report", 0, PL_OPTION_TEXT, offsetof(options, report), "FILE",
     "write what the run measured, as JSON ('plait report' draws it)", 0, 0, NULL},
    {"trace", 0, PL_OPTION_TEXT, offsetof(options, trace), "FILE",
     "write when each strand was busy, for ui.perfetto.dev", 0, 0, NULL},
    {"threads", 0, PL_OPTION_INT, offsetof(options, threads), "N", "compute threads of each rank",
     1, 4096, NULL},
    {"sample", 0, PL_OPTION_INT, offsetof(options, sample), "N",
     "do so many blocks or steps and keep no result: to measure", 1, INT64_MAX, NULL},
    {"quiet", 'q', PL_OPTION_FLAG, offsetof(options, quiet), NULL, "no progress, no notes", 0, 0,
     NULL},
    {"verbose", 'v', PL_OPTION_FLAG, offsetof(options, verbose), NULL, "notes of every rank", 0, 0,
     NULL},
    {0},
};

// What is written beside the result must be writable before hours of work, not after.
static plait_err check_place(const char *what, const char *path) {
  char *dir = NULL, message[64];
  if (!path) return PLAIT_OK;
  TRY(pl_path_dir(path, &dir));
  snprintf(message, sizeof message, "the %s cannot be written there", what);
  plait_err err = access(dir, W_OK | X_OK) ? pl_fail_errno(PLAIT_OUTPUT, message, dir) : PLAIT_OK;
  pl_free(&dir);
  return err;
}

static plait_err check_places(const options *o) {
  TRY(check_place("report", o->report));
  return check_place("trace", o->trace);
}

static plait_err write_report(const char *path, const pl_report *report) {
  pl_json json = {0};
  pl_report_json(report, &json);
  plait_err err = json.text.failed ? plait_fail(PLAIT_MEMORY, "no memory for the report")
                                   : pl_write_file(path, json.text.at, json.text.length);
  pl_text_free(&json.text);
  return err;
}

static plait_err write_trace(const char *path, const pl_report *report) {
  pl_text text = {0};
  const char **host = NULL;
  TRY(pl_alloc((size_t)report->ranks, sizeof *host, &host));
  for (int r = 0; r < report->ranks; r++) host[r] = report->rank[r].host;
  pl_trace_events(report->traces, report->ranks, host, &text);
  plait_err err = text.failed ? plait_fail(PLAIT_MEMORY, "no memory for the trace")
                              : pl_write_file(path, text.at, text.length);
  pl_free(&host);
  pl_text_free(&text);
  return err;
}

static plait_err print_result(const options *o, const pl_report *report) {
  pl_text text = {0};
  pl_json json = {0};
  pl_report_paragraph(report, &text);
  if (o->format == PL_FORMAT_TEXT) return pl_print_text(&text);
  if (!o->quiet && !text.failed) fprintf(stderr, "%s\n", text.at);
  pl_text_free(&text);
  pl_report_json(report, &json);
  return pl_print_json(&json);
}

// Rank 0 says how it went. A run that failed has no result, but its report may explain why.
static plait_err tell(const options *o, plait_err ran, const pl_report *report) {
  plait_err err = PLAIT_OK;
  if (report->rank && o->report) err = write_report(o->report, report);
  if (err == PLAIT_OK && report->traces) err = write_trace(o->trace, report);
  if (err == PLAIT_OK && (ran == PLAIT_OK || ran == PLAIT_STOPPED)) err = print_result(o, report);
  return err;
}

// From the thread of the watchdog, just before all ranks end.
static void tell_stall(void *data, const char *line) {
  pl_bar_clear(data);
  fprintf(stderr, "plait: error: %s\n", line);
}

// One job, or the many of a study. *opened: it came as far as running.
static plait_err run_either(const pl_station *station, pl_job *job, const pl_progress *progress,
                            pl_report *report, bool *opened) {
  pl_comm *comm = station->comm;
  int local_size = station->launch.local_size, threads = station->placement.threads;
  pl_study *study = NULL;
  pl_task *task = NULL;
  plait_err err = job->vary ? pl_study_open(comm, job, local_size, threads, &study)
                            : pl_task_open(comm, job, local_size, threads, &task);
  *opened = err == PLAIT_OK;
  if (study)
    err = pl_study_run(comm, study, &station->placement, progress, report);
  else if (task)
    err = pl_task_run(comm, task, &station->placement, progress, report);
  pl_study_close(&study);
  pl_task_close(&task);
  return err;
}

static plait_err run_task(const pl_station *station, const options *o, const pl_cli *cli,
                          pl_job *job, pl_bar *bar) {
  bool opened;
  pl_report report = {0};
  pl_progress progress = {
      .tell = pl_bar_tell, .pass = pl_bar_pass, .before = pl_bar_before, .data = bar};
  const pl_watchdog_plan watch = {
      .comm = station->comm, .stall = job->run.stall, .stalled = tell_stall, .data = bar};
  if (job->kernel->pattern >= PLAIT_EVOLVE) bar->unit = "steps";
  if (job->vary) bar->unit = "combinations";
  TRY(pl_comm_agree(station->comm, pl_watchdog_start(&watch, &job->dog)));
  plait_err ran = run_either(station, job, &progress, &report, &opened);
  pl_watchdog_stop(&job->dog);
  plait_err err = ran;
  if (!opened) return err;
  pl_bar_clear(bar);
  if (pl_station_speaks(station)) {
    char message[PL_MESSAGE_BYTES];
    snprintf(message, sizeof message, "%s", pl_message());
    if (report.kept) pl_add_continuation(cli, message, sizeof message);
    plait_err told = tell(o, ran, &report);
    if (ran == PLAIT_OK)
      err = told;
    else
      pl_message_set(message); // why the run failed matters more than that its report did
  }
  pl_report_free(&report);
  return pl_comm_agree(station->comm, err);
}

// Rank 0 watches the clock for all. The batch system looks at its limits twice a minute and kills
// half a minute after its first signal: stopping begins that much before the end.
static void set_deadline(const options *o, const pl_launch *launch) {
  double seconds = INFINITY, now = pl_now();
  if (o->deadline && pl_parse_time(o->deadline, &seconds)) seconds -= pl_process_age();
  if (!o->deadline && launch->in_slurm) {
    seconds = pl_deadline_find();
    seconds -= fmin(30, seconds / 10);
  }
  if (isfinite(seconds)) pl_stop_by(now + fmax(seconds, 1e-3));
}

static plait_err run_job(const pl_station *station, const options *o, const pl_cli *cli) {
  pl_job *job = NULL;
  pl_bar bar;
  pl_voice voice = {pl_comm_rank(station->comm), o->quiet, o->verbose, &bar};
  pl_bar_start(&bar, o->quiet);
  pl_voice_start(&voice);
  plait_err err = PLAIT_OK;
  if (*station->placement.note) pl_log(PL_LOG_NOTE, "%s", station->placement.note);
  GUARD(pl_station_job(station->comm, cli->args[0], cli->nargs - 1, cli->args + 1, &job));
  job->force = o->force;
  job->sample = o->sample;
  job->fresh = o->fresh;
  job->trace = o->trace != NULL;
  job->lock = true;
  GUARD(pl_comm_agree(station->comm, pl_station_speaks(station) ? check_places(o) : PLAIT_OK));
  GUARD(pl_comm_agree(station->comm, pl_stop_listen()));
  if (pl_station_speaks(station)) set_deadline(o, &cli->launch);
  err = run_task(station, o, cli, job, &bar);
done:
  pl_voice_stop();
  pl_job_free(&job);
  return err;
}

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  pl_station station;
  pl_wish wish = {.threads = (int)o->threads};
  double seconds;
  if (o->deadline && !pl_parse_time(o->deadline, &seconds))
    return plait_fail(PLAIT_USAGE, "--deadline: '%s' is not a time like \"50 min\"", o->deadline);
  TRY(pl_overrides_check(cli->nargs - 1, cli->args + 1));
  // Libraries may load beside the start of a single process only: MPI_Init sets variables, and a
  // library that reads one meanwhile crashes when the environment moves.
  pl_job_wish(cli->args[0], cli->nargs - 1, cli->args + 1, !cli->launch.launched, &wish);
  plait_err err = pl_station_start(&cli->launch, &wish, true, cli->argv, &station);
  if (err == PLAIT_OK) err = run_job(&station, o, cli);
  return pl_station_stop(&station, err);
}

const pl_command pl_command_run = {
    .name = "run",
    .arguments = "JOB [key=value ...]",
    .summary = "Runs a job",
    .details = "JOB is a YAML file (docs/job-file.md). What stands behind it overrides the file:\n"
               "  input=FILE[:VAR] output=FILE[:VAR] params.NAME=VALUE run.NAME=VALUE\n"
               "The same command serves three launches:\n"
               "  plait run JOB           mpirun -np 4 plait run JOB           srun plait run JOB\n"
               "The result is the same bytes under each of them. What the run measured is printed\n"
               "on stdout; progress and notes go to stderr.\n\n"
               "A run that was killed or stopped is continued by the same command, on any number\n"
               "of ranks: NAME.partial and NAME.journal beside the output hold what is done.\n"
               "SIGINT, SIGTERM and SIGUSR1 stop it at the next safe point (exit code 75).\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 1,
    .max_args = -1,
    .on_all_ranks = true,
    .run = run,
};
