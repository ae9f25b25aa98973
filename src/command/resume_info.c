// SPDX-License-Identifier: BSD-3-Clause
//
// plait resume-info JOB: what an earlier run of the job left and what `plait run` would do with it.
// With --format json the journal or the checkpoints in full. Writes nothing, reads no result:
// whether the output still holds what the journal says, and a checkpoint what its checksums say, is
// checked by the run itself.
#include "command/commands.h"
#include "command/resume_dump.h"
#include "command/station.h"
#include "engine/evolve.h"
#include "engine/study.h"
#include <stdio.h>
#include <string.h>

typedef struct options {
  int format;
  bool force;
} options;

static const pl_option table[] = {
    PL_OPTION_FORMAT(options),
    {"force", 0, PL_OPTION_FLAG, offsetof(options, force), NULL, "as `run --force` would do it", 0,
     0, NULL},
    {0},
};

typedef struct finding {
  const pl_job *job;
  pl_journal_found journal;
  char refusal[PL_MESSAGE_BYTES]; // why `run` would not start, "" it would
  bool found, finished;
  int64_t rows;                // of a study
  int64_t blocks, tiles, reds; // of the cut that would be used
  pl_checkpoints_seen checkpoints;
  int64_t steps, done; // evolve; 0 when the job cannot be opened
} finding;

static bool is_evolve(const finding *f) {
  return f->job->kernel->pattern == PLAIT_EVOLVE && !f->job->vary;
}

static const char *verdict(const finding *f) {
  if (*f->refusal) return "refuses";
  if (f->finished) return "is complete already";
  return f->found ? "goes on" : "starts from the beginning";
}

static int64_t journaled(const finding *f) {
  int64_t n = 0;
  if (f->job->vary) return f->rows;
  for (int64_t i = 0; i < f->journal.nruns; i++) n += f->journal.runs[i].count;
  return n * (f->reds > 0 ? f->reds : 1);
}

// Whether it goes through blocks in passes: then what is counted belongs to one of them.
static bool in_passes(const finding *f) {
  return f->journal.pass > 0 && !f->job->vary && f->job->kernel->reduce.block;
}

static void text_journal(const finding *f, pl_text *out) {
  const pl_journal_found *j = &f->journal;
  if (!j->exists || !j->readable) {
    pl_text_add(out, "journal     %s\n", j->exists ? "cannot be read" : "none");
    return;
  }
  pl_text_add(out, "journal     %lld bytes, %lld records", (long long)j->file_bytes,
              (long long)j->records);
  if (j->damaged) pl_text_add(out, ", damaged in %lld places", (long long)j->damaged);
  pl_text_add(out, "%s\n", j->torn ? ", the last write was cut short" : "");
  if (j->pass) pl_text_add(out, "passes      %lld are done\n", (long long)pl_pass_number(j->pass));
  pl_text_add(out, "results     %lld", (long long)journaled(f));
  if (f->blocks > 0) pl_text_add(out, " of %lld", (long long)f->blocks);
  pl_text_add(out, " %s%s%s\n", f->job->vary ? "combinations" : "blocks",
              in_passes(f) ? " of the pass after these" : "", j->complete ? ", all of it" : "");
  if (j->nnodes) pl_text_add(out, "partials    %lld (of merged blocks)\n", (long long)j->nnodes);
  if (f->found && !f->finished && !f->job->vary)
    pl_text_add(out, "left        %lld of %lld blocks%s\n", (long long)(f->blocks - f->done),
                (long long)f->blocks, j->pass ? " of this pass, and the passes that follow" : "");
}

static void text_checkpoints(const finding *f, pl_text *out) {
  const pl_checkpoints_seen *seen = &f->checkpoints;
  if (!seen->file[0].exists && !seen->file[1].exists) pl_text_add(out, "checkpoint  none\n");
  for (int i = 0; i < 2; i++) {
    const pl_checkpoint_table *t = &seen->file[i];
    if (!t->exists) continue;
    pl_text_add(out, "checkpoint  %s: ", seen->path[i]);
    if (!t->good)
      pl_text_add(out, "%s\n", seen->bad[i]);
    else if (t->complete)
      pl_text_add(out, "all steps are done\n");
    else
      pl_text_add(out, "step %lld%s\n", (long long)t->head.step,
                  i == seen->usable ? ", the newest" : "");
  }
  if (f->found)
    pl_text_add(out, "steps       %lld of %lld are done\n", (long long)f->done,
                (long long)f->steps);
}

static plait_err print_text(const finding *f) {
  pl_text out = {0};
  pl_text_add(&out, "output      %s\n", f->job->output);
  (is_evolve(f) ? text_checkpoints : text_journal)(f, &out);
  pl_text_add(&out, "run         %s%s%s\n", verdict(f), *f->refusal ? ": " : "", f->refusal);
  return pl_print_text(&out);
}

static plait_err print_json(const finding *f) {
  pl_json out = {0};
  pl_json_open(&out, NULL, '{');
  pl_json_int(&out, "schema_version", 1);
  pl_json_string(&out, "output", f->job->output);
  pl_json_string(&out, "run", verdict(f));
  pl_json_string(&out, "refusal", f->refusal);
  if (is_evolve(f)) {
    pl_json_int(&out, "steps_total", f->steps);
    pl_json_int(&out, "steps_done", f->done);
  } else {
    pl_json_int(&out, "blocks_total", f->blocks);
    pl_json_int(&out, "blocks_in_results", journaled(f));
    pl_json_int(&out, "blocks_done", f->job->vary ? f->rows : f->finished ? f->blocks : f->done);
    pl_json_int(&out, "passes_done", pl_pass_number(f->journal.pass));
  }
  if (is_evolve(f))
    pl_dump_checkpoints(&f->checkpoints, &out);
  else
    pl_dump_journal(&f->journal, &out);
  pl_json_close(&out, '}');
  return pl_print_json(&out);
}

static plait_err try_study(pl_comm *comm, pl_job *job, finding *f) {
  pl_study *study = NULL;
  pl_study_facts facts;
  if (pl_study_open(comm, job, 1, 1, &study) != PLAIT_OK) {
    snprintf(f->refusal, sizeof f->refusal, "%s", pl_message());
    return PLAIT_OK;
  }
  pl_study_facts_of(study, &facts);
  f->found = facts.resumed > 0;
  f->finished = facts.finished;
  f->blocks = facts.count;
  f->rows = facts.resumed;
  pl_study_close(&study);
  return PLAIT_OK;
}

// Blocks that `run` would not do again if the output holds what the journal says.
static plait_err count_done(pl_comm *comm, pl_task *task, finding *f) {
  f->done = task->resume.blocks;
  if (is_evolve(f) || !f->found || f->finished) return PLAIT_OK;
  TRY(pl_resume_check(comm, task, NULL, &task->resume));
  f->done = task->resume.blocks;
  return PLAIT_OK;
}

// Opens the job as `run` would, by itself and without the lock.
static plait_err try_open(pl_comm *comm, pl_job *job, finding *f) {
  pl_task *task = NULL;
  if (pl_task_open(comm, job, 1, 1, &task) != PLAIT_OK) {
    snprintf(f->refusal, sizeof f->refusal, "%s", pl_message());
    return PLAIT_OK;
  }
  f->found = task->resume.found;
  f->finished = task->resume.finished;
  f->blocks = task->cut.nblocks;
  f->tiles = task->cut.ntiles;
  const plait_kernel *kernel = job->kernel; // what is emitted is counted by blocks
  f->reds = kernel->pattern == PLAIT_REDUCE && kernel->reduce.emit ? 1 : task->cut.nreds;
  f->steps = task->evolve ? task->evolve->steps : 0;
  plait_err err = count_done(comm, task, f);
  pl_task_close(&task);
  return err;
}

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  pl_job *job = NULL;
  pl_comm *comm = NULL;
  finding f = {0};
  plait_err err = PLAIT_OK;
  TRY(pl_overrides_check(cli->nargs - 1, cli->args + 1));
  GUARD(pl_job_load(cli->args[0], cli->nargs - 1, cli->args + 1, &job));
  job->force = o->force;
  f.job = job;
  GUARD(pl_comm_start(false, 1, &comm));
  GUARD(
      pl_journal_scan(job->vary && *job->vary->table ? job->vary->table : job->output, &f.journal));
  if (is_evolve(&f)) GUARD(pl_checkpoints_scan(job->output, &f.checkpoints));
  GUARD((job->vary ? try_study : try_open)(comm, job, &f));
  err = o->format == PL_FORMAT_JSON ? print_json(&f) : print_text(&f);
done:
  pl_journal_found_free(&f.journal);
  pl_checkpoints_seen_free(&f.checkpoints);
  pl_comm_stop(&comm);
  pl_job_free(&job);
  return err;
}

const pl_command pl_command_resume_info = {
    .name = "resume-info",
    .arguments = "JOB [key=value ...]",
    .summary = "Shows what an earlier run of a job left, and what would be done with it",
    .details = "Reads the journal or the checkpoints beside the output. Nothing is written or\n"
               "computed; --format json prints them in full.\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 1,
    .max_args = -1,
    .run = run,
};
