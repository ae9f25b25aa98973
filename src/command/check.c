// SPDX-License-Identifier: BSD-3-Clause
//
// plait check JOB: everything `run` would do before it computes, and the plan: blocks, bytes,
// memory.
#include "command/check_evolve.h"
#include "command/check_study.h"
#include "command/voice.h"
#include "engine/task.h"

typedef struct options {
  int format;
  bool force;
  int64_t threads;
} options;

static const pl_option table[] = {
    PL_OPTION_FORMAT(options),
    {"force", 0, PL_OPTION_FLAG, offsetof(options, force), NULL,
     "an output that exists is not an error", 0, 0, NULL},
    {"threads", 0, PL_OPTION_INT, offsetof(options, threads), "N", "compute threads of each rank",
     1, 4096, NULL},
    {0},
};

static const char *dim_name(const pl_task *task, const plait_output *out, int d) {
  if (out->from[d] < 0) return out->dims[d];
  const char *name = task->array.dims[out->from[d]];
  return name ? name : "";
}

static const char *units_of(const pl_task *task, const plait_output *out) {
  return out->units[0] == '=' ? task->array.units : out->units;
}

static const char *name_of(const pl_task *task, const plait_output *out) {
  return *out->name ? out->name : task->array.name;
}

static void add_input(const pl_task *task, pl_text *out) {
  const plait_array *a = &task->array;
  pl_text_add(out, "input    %s: %s, ", task->job->input, plait_type_name(a->type));
  pl_add_shape(out, a->ndim, a->shape);
  pl_text_add(out, " (");
  for (int d = 0; d < a->ndim; d++) pl_text_add(out, d ? ", %s" : "%s", a->dims[d]);
  pl_text_add(out, *a->units ? "), in %s\n" : ")\n", a->units);
}

static void add_outputs(const pl_task *task, pl_text *out) {
  pl_text_add(out, "output   %s\n", task->job->output);
  for (int i = 0; i < task->plan.noutputs; i++) {
    const plait_output *o = &task->plan.output[i];
    pl_text_add(out, "         %s: %s, ", name_of(task, o), plait_type_name(o->type));
    pl_add_shape(out, o->ndim, o->shape);
    for (int d = 0; d < o->ndim; d++) pl_text_add(out, d ? ", %s" : " (%s", dim_name(task, o, d));
    pl_text_add(out, o->ndim ? ")" : "");
    pl_text_add(out, *units_of(task, o) ? ", in %s\n" : "\n", units_of(task, o));
  }
}

static void add_blocks(const pl_task *task, pl_text *out) {
  const pl_cut *cut = &task->cut;
  pl_text_add(out, "blocks   %lld of ", (long long)cut->nblocks);
  pl_add_shape(out, cut->ndim, cut->extent);
  pl_text_add(out, ", %d in flight per rank\n", task->slots);
}

static const char *each_pass(const pl_task *task) {
  return task->job->kernel->reduce.next && task->input ? " in each pass" : "";
}

// A page of the file that several blocks share is brought for each of them, if it does not stay.
static void add_fetched(const pl_task *task, pl_text *out) {
  char fetched[32];
  if (task->bytes_read == 0) return; // made up as it is read
  if ((double)task->bytes_fetched < 1.25 * (double)task->bytes_read) return;
  pl_format_size(task->bytes_fetched, fetched);
  pl_text_add(
      out,
      "         about %s from storage%s where memory cannot hold the file: blocks share its "
      "pages (a larger run.block: less)\n",
      fetched, each_pass(task));
}

static void add_sizes(const pl_task *task, pl_text *out) {
  char read[32], written[32], most[32], needed[32], budget[32];
  pl_format_size(task->bytes_read, read);
  pl_format_size(task->bytes_written, written);
  pl_format_size(task->needed, needed);
  pl_format_size(task->budget, budget);
  pl_text_add(out, "bytes    %s to read%s, %s to write\n", read, each_pass(task), written);
  add_fetched(task, out);
  pl_format_size(task->needed + task->kept, most);
  pl_text_add(out, "memory   %s of each rank's budget of %s", most, budget);
  if (task->kept > 0)
    pl_text_add(out, ": %s, the rest for blocks that stay between passes", needed);
  pl_text_add(out, "; the program itself comes on top\n");
}

static plait_err print_text(const pl_station *station, const pl_task *task) {
  pl_text out = {0};
  pl_text_add(&out, "kernel   %s: %s\n", task->job->kernel->name, task->job->kernel->summary);
  if (task->input) add_input(task, &out);
  if (task->evolve) {
    pl_check_evolve_text(task, &out);
  } else {
    add_outputs(task, &out);
    add_blocks(task, &out);
  }
  add_sizes(task, &out);
  pl_text_add(&out, "launch   %d rank%s of %d thread%s\n", pl_comm_size(station->comm),
              pl_comm_size(station->comm) == 1 ? "" : "s", station->placement.threads,
              station->placement.threads == 1 ? "" : "s");
  return pl_print_text(&out);
}

static void json_input(const pl_task *task, pl_json *j) {
  const plait_array *a = &task->array;
  pl_json_open(j, "input", '{');
  pl_json_string(j, "file", task->job->input);
  pl_json_string(j, "name", a->name);
  pl_json_string(j, "type", plait_type_name(a->type));
  pl_json_string(j, "units", a->units);
  pl_json_shape(j, "shape", a->ndim, a->shape);
  pl_json_open(j, "dims", '[');
  for (int d = 0; d < a->ndim; d++) pl_json_string(j, NULL, a->dims[d]);
  pl_json_close(j, ']');
  pl_json_close(j, '}');
}

static void json_output(const pl_task *task, const plait_output *o, pl_json *j) {
  pl_json_open(j, NULL, '{');
  pl_json_string(j, "name", name_of(task, o));
  pl_json_string(j, "type", plait_type_name(o->type));
  pl_json_string(j, "units", units_of(task, o));
  pl_json_shape(j, "shape", o->ndim, o->shape);
  pl_json_open(j, "dims", '[');
  for (int d = 0; d < o->ndim; d++) pl_json_string(j, NULL, dim_name(task, o, d));
  pl_json_close(j, ']');
  pl_json_close(j, '}');
}

static void json_blocks(const pl_task *task, pl_json *j) {
  pl_json_open(j, "arrays", '[');
  for (int i = 0; i < task->plan.noutputs; i++) json_output(task, &task->plan.output[i], j);
  pl_json_close(j, ']');
  pl_json_open(j, "blocks", '{');
  pl_json_int(j, "count", task->cut.nblocks);
  pl_json_int(j, "tiles", task->cut.ntiles);
  pl_json_shape(j, "extent", task->cut.ndim, task->cut.extent);
  pl_json_close(j, '}');
  pl_json_int(j, "blocks_in_flight", task->slots);
}

static void json_sizes(const pl_station *station, const pl_task *task, pl_json *j) {
  pl_json_int(j, "bytes_read", task->bytes_read);
  pl_json_int(j, "bytes_fetched_most", task->bytes_fetched);
  pl_json_int(j, "bytes_written", task->bytes_written);
  pl_json_int(j, "memory_budget", task->budget);
  pl_json_int(j, "memory_needed", task->needed);
  pl_json_int(j, "memory_kept", task->kept);
  pl_json_int(j, "ranks", pl_comm_size(station->comm));
  pl_json_int(j, "threads", station->placement.threads);
}

static plait_err print_json(const pl_station *station, const pl_task *task) {
  pl_json j = {0};
  pl_json_open(&j, NULL, '{');
  pl_json_int(&j, "schema_version", 1);
  pl_json_string(&j, "kernel", task->job->kernel->name);
  pl_json_string(&j, "job", task->job->echo);
  if (task->input) json_input(task, &j);
  pl_json_string(&j, "output", task->job->output);
  if (task->evolve)
    pl_check_evolve_json(task, &j);
  else
    json_blocks(task, &j);
  json_sizes(station, task, &j);
  pl_json_close(&j, '}');
  return pl_print_json(&j);
}

static plait_err check_job(const pl_station *station, const options *o, const pl_cli *cli) {
  pl_job *job = NULL;
  pl_task *task = NULL;
  plait_err err = PLAIT_OK;
  pl_voice voice = {.rank = pl_comm_rank(station->comm), .quiet = true}; // warnings, no notes
  pl_voice_start(&voice);
  GUARD(pl_station_job(station->comm, cli->args[0], cli->nargs - 1, cli->args + 1, &job));
  job->force = o->force;
  if (job->vary) {
    err = pl_check_study(station, job, o->format);
    goto done;
  }
  GUARD(pl_task_open(station->comm, job, station->launch.local_size, station->placement.threads,
                     &task));
  if (pl_station_speaks(station))
    err = o->format == PL_FORMAT_JSON ? print_json(station, task) : print_text(station, task);
  err = pl_comm_agree(station->comm, err);
done:
  pl_voice_stop();
  pl_task_close(&task);
  pl_job_free(&job);
  return err;
}

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  pl_station station;
  pl_wish wish = {.threads = (int)o->threads};
  TRY(pl_overrides_check(cli->nargs - 1, cli->args + 1));
  pl_job_wish(cli->args[0], cli->nargs - 1, cli->args + 1, false, &wish);
  plait_err err = pl_station_start(&cli->launch, &wish, true, cli->argv, &station);
  if (err == PLAIT_OK) err = check_job(&station, o, cli);
  return pl_station_stop(&station, err);
}

const pl_command pl_command_check = {
    .name = "check",
    .arguments = "JOB [key=value ...]",
    .summary = "Checks a job and prints its plan, without running it",
    .details =
        "Reads the job, opens the input, asks the kernel, and prints blocks (or grid, steps\n"
        "and snapshots), bytes to read and write, and the memory that each rank will\n"
        "take at most, beside the program itself. Nothing is written.\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 1,
    .max_args = -1,
    .on_all_ranks = true,
    .run = run,
};
