// SPDX-License-Identifier: BSD-3-Clause
//
// plait doctor [JOB]: what each rank of this launch got, and what is wrong with it. Started like
// the run it is asked about: plait doctor, mpirun -np 4 plait doctor, srun plait doctor.
#include "base/mem.h"
#include "base/path.h"
#include "command/commands.h"
#include "command/doctor.h"
#include "command/station.h"
#include "engine/probe.h"
#include "engine/task.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef struct options {
  int format;
  int64_t threads, ranks;
  const char *topology;
} options;

static const pl_option table[] = {
    PL_OPTION_FORMAT(options),
    {"threads", 0, PL_OPTION_INT, offsetof(options, threads), "N", "compute threads of each rank",
     1, 4096, NULL},
    {"topology", 0, PL_OPTION_TEXT, offsetof(options, topology), "DESCRIPTION",
     "of a node that is not here, as hwloc describes it: \"pack:2 [numa] core:64 pu:2\"", 0, 0,
     NULL},
    {"ranks", 0, PL_OPTION_INT, offsetof(options, ranks), "N",
     "with --topology: ranks on that node", 1, 4096, NULL},
    {0},
};

typedef struct visit { // all that is known, on rank 0
  const pl_station *station;
  int n;
  pl_station_facts *rank;
  pl_storage_facts storage;
  pl_job_facts job;
  pl_findings findings;
} visit;

// ---- libraries ------------------------------------------------------------------------------
// Asked of what is loaded (pl_formats_load): the program may be built without it.
static const char *netcdf_threads(void) {
  static char text[96];
  union {
    void *symbol;
    const char *(*call)(void);
  } ask = {.symbol = dlsym(RTLD_DEFAULT, "nc_inq_libvers")};
  if (!ask.symbol) return "not linked";
  const char *version = ask.call();
  snprintf(text, sizeof text, "%.*s, not thread-safe; one strand alone calls it",
           (int)strcspn(version, " "), version);
  return text;
}

static const char *hdf5_threads(void) {
  union {
    void *symbol;
    int (*call)(bool *safe);
  } ask = {.symbol = dlsym(RTLD_DEFAULT, "H5is_library_threadsafe")};
  bool safe[8] = {false};
  if (!ask.symbol) return "not linked";
  if (ask.call(safe) < 0) return "unknown";
  return safe[0] ? "thread-safe" : "not thread-safe; one strand alone calls it";
}

// ---- text -----------------------------------------------------------------------------------
static void add_place(const visit *v, pl_text *out) {
  const pl_station *s = v->station;
  const pl_station_facts *f = &v->rank[0];
  char memory[32], shm[32], free[32], rate[32];
  pl_format_size(f->memory, memory);
  pl_format_size(f->shm < 0 ? 0 : f->shm, shm);
  pl_text_add(out, "\nlaunch    %s, %d rank%s\n",
              *s->launch.launcher ? s->launch.launcher : "no launcher", v->n, v->n == 1 ? "" : "s");
  const char *level = pl_comm_threads();
  pl_text_add(out, "MPI       %s%s%s\n", pl_comm_library(), *level ? ", " : "", level);
  if (pl_comm_has_mpi() && !*level)
    pl_text_add(out, "          not started: no launcher, so threads alone\n");
  pl_text_add(out, "NetCDF    %s\n", netcdf_threads());
  pl_text_add(out, "HDF5      %s\n", hdf5_threads());
  pl_text_add(out, "node      %d cores, %d CPUs, %d NUMA domain%s, %s of memory, %s in /dev/shm\n",
              f->node_cores, f->node_cpus, f->node_numa, f->node_numa == 1 ? "" : "s", memory, shm);
  if (!*v->storage.dir) return;
  pl_format_size(v->storage.free, free);
  pl_format_size((int64_t)v->storage.rate, rate);
  pl_text_add(out, "storage   %s (%s): %s free", v->storage.dir, v->storage.kind, free);
  pl_text_add(out, v->storage.rate > 0 ? ", %s/s written and on the disk\n" : "\n", rate);
}

// ---- JSON -----------------------------------------------------------------------------------
static plait_err print_json(const visit *v) {
  pl_json j = {0};
  pl_json_open(&j, NULL, '{');
  pl_json_int(&j, "schema_version", 1);
  pl_json_bool(&j, "healthy", v->findings.problems == 0);
  pl_json_string(&j, "launcher", v->station->launch.launcher);
  pl_json_string(&j, "mpi_library", pl_comm_library());
  pl_json_string(&j, "mpi_threads", pl_comm_threads());
  pl_json_string(&j, "netcdf", netcdf_threads());
  pl_json_string(&j, "hdf5", hdf5_threads());
  pl_json_string(&j, "storage", v->storage.dir);
  pl_json_string(&j, "storage_kind", v->storage.kind);
  pl_json_int(&j, "storage_free_bytes", v->storage.free);
  pl_json_real(&j, "storage_bytes_per_s", v->storage.rate);
  pl_doctor_json_ranks(v->rank, v->n, &j);
  pl_doctor_json_findings(&v->findings, &j);
  pl_json_close(&j, '}');
  return pl_print_json(&j);
}

static plait_err print_text(const visit *v) {
  pl_text text = {0};
  pl_doctor_ranks(v->rank, v->n, &text);
  add_place(v, &text);
  pl_doctor_findings(&v->findings, &text);
  return pl_print_text(&text);
}

// ---- the visit ------------------------------------------------------------------------------
// Collective. A job that would not run is a finding, not an error of the doctor.
static void ask_job(const pl_station *station, const pl_cli *cli, visit *v, char **output) {
  pl_job *job = NULL;
  if (cli->nargs == 0) return;
  v->job.present = true;
  plait_err err = pl_station_job(station->comm, cli->args[0], cli->nargs - 1, cli->args + 1, &job);
  if (err == PLAIT_OK) {
    job->force = true;
    if (pl_strdup(job->output, output) != PLAIT_OK) *output = NULL;
    err = pl_job_size(station->comm, job, station->launch.local_size, station->placement.threads,
                      &v->job.needed, &v->job.written);
  }
  if (err != PLAIT_OK) snprintf(v->job.error, sizeof v->job.error, "%s", pl_message());
  pl_job_free(&job);
}

static plait_err look_at_storage(const char *output, visit *v) {
  enum { BYTES = 32 << 20 };
  char *dir = NULL;
  if (output && !strncmp(output, "null:", 5)) return PLAIT_OK;
  TRY(pl_path_dir(output ? output : "./here", &dir));
  pl_probe_storage(dir, BYTES, &v->storage);
  pl_free(&dir);
  return PLAIT_OK;
}

// Collective. Other programs are looked for while all ranks are quiet.
static plait_err gather(const pl_station *station, visit *v) {
  pl_comm *comm = station->comm;
  pl_station_facts mine;
  pl_topology topology;
  v->n = pl_comm_size(comm);
  TRY(pl_comm_agree(comm, pl_topology_find(NULL, &topology)));
  TRY(pl_comm_barrier(comm));
  pl_probe_station(pl_comm_host(comm), pl_comm_rank(comm), &topology, &station->placement, &mine);
  pl_topology_free(&topology);
  bool root = pl_comm_rank(comm) == 0;
  TRY(pl_comm_agree(comm, pl_calloc(root ? (size_t)v->n : 0, sizeof *v->rank, &v->rank)));
  return pl_comm_gather(comm, &mine, sizeof mine, v->rank, 0);
}

static plait_err tell(const options *o, const char *output, visit *v) {
  TRY(look_at_storage(output, v));
  pl_findings_judge(v->rank, v->n, v->station->launch.launched, &v->storage, &v->job, &v->findings);
  TRY(o->format == PL_FORMAT_JSON ? print_json(v) : print_text(v));
  return pl_doctor_verdict(&v->findings);
}

plait_err pl_doctor_verdict(const pl_findings *findings) {
  int n = findings->problems;
  if (n == 0) return PLAIT_OK;
  return plait_fail(PLAIT_VERIFY, "the doctor found %d problem%s", n, n == 1 ? "" : "s");
}

static plait_err examine(const pl_station *station, const options *o, const pl_cli *cli) {
  visit *v = NULL;
  char *output = NULL;
  plait_err err = PLAIT_OK;
  GUARD(pl_comm_agree(station->comm, pl_calloc(1, sizeof *v, &v)));
  v->station = station;
  GUARD(gather(station, v));
  ask_job(station, cli, v, &output);
  if (pl_station_speaks(station)) {
    pl_formats_load();
    err = tell(o, output, v);
  }
  err = pl_comm_agree(station->comm, err);
done:
  if (v) pl_free(&v->rank);
  pl_free(&v);
  pl_free(&output);
  return err;
}

// One process is enough for that, whatever was launched.
static plait_err imagine(const options *o, const pl_cli *cli, const pl_wish *wish) {
  if (cli->nargs > 0)
    return plait_fail(PLAIT_USAGE, "--topology describes a node, '%s' is a job: one of them",
                      cli->args[0]);
  if (cli->launch.rank > 0) return PLAIT_OK;
  return pl_doctor_imagine(o->topology, o->ranks > 0 ? (int)o->ranks : 1, wish,
                           o->format == PL_FORMAT_JSON);
}

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  pl_station station;
  pl_wish wish = {.threads = (int)o->threads};
  int overrides = cli->nargs > 1 ? cli->nargs - 1 : 0;
  TRY(pl_overrides_check(overrides, cli->args + 1));
  if (o->topology) return imagine(o, cli, &wish);
  if (o->ranks)
    return plait_fail(PLAIT_USAGE,
                      "--ranks goes with --topology; for this machine launch them: "
                      "mpirun -np %d plait doctor",
                      (int)o->ranks);
  if (cli->nargs > 0) pl_job_wish(cli->args[0], overrides, cli->args + 1, false, &wish);
  plait_err err = pl_station_start(&cli->launch, &wish, true, cli->argv, &station);
  if (err == PLAIT_OK) err = examine(&station, o, cli);
  return pl_station_stop(&station, err);
}

const pl_command pl_command_doctor = {
    .name = "doctor",
    .arguments = "[JOB [key=value ...]]",
    .summary = "Says what every rank of a launch gets, what is wrong, and the cure",
    .details =
        "Launch it like the run: plait doctor, mpirun -np 4 plait doctor, srun plait doctor.\n"
        "One line for each rank, then findings: idle cores, ranks on the same cores, more\n"
        "threads than cores, limits of time and memory, variables that contradict each other,\n"
        "storage where the output of JOB (or the working directory) is. Exits with 0 when there\n"
        "is no problem and with 3 when there is one; notes are no problems.\n"
        "With --topology it says what ranks would get on a node that is not here.\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 0,
    .max_args = -1,
    .on_all_ranks = true,
    .run = run,
};
