// SPDX-License-Identifier: BSD-3-Clause
//
// Reads the variables by which launchers tell a process who it is. A table, most specific launcher
// first: Open MPI's mpirun may itself run inside a Slurm job and Hydra's mpiexec below srun, whose
// variables are then those of the outer step. No MPI call, no file: can run before everything.
//
// The shell of sbatch and salloc is *not* launched: it has SLURM_JOB_ID and SLURM_NTASKS, the batch
// step even SLURM_PROCID=0, but no SLURM_STEP_ID (or one of the reserved numbers of its batch,
// interactive and extern steps). A single task of srun is not launched either: `srun --pty bash`
// looks the same to what is started in it, and one process needs no MPI.
#include "host/launch.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// The value of a variable as a number >= 0, or -1.
static int number(const char *name) {
  const char *text = name == NULL ? NULL : getenv(name);
  if (text == NULL || !isdigit((unsigned char)*text)) return -1;
  char *end = NULL;
  long long value = strtoll(text, &end, 10);
  return *end != 0 || value > 1 << 30 ? -1 : (int)value;
}

static int first_number(const char *const *names) {
  for (; *names != NULL; names++)
    if (number(*names) >= 0) return number(*names);
  return -1;
}

// Entry `node` of "2(x3),1": tasks per node with repeat counts. -1 when the list does not say.
static int tasks_on(const char *list, int node) {
  while (list != NULL && isdigit((unsigned char)*list)) {
    char *end = NULL;
    long tasks = strtol(list, &end, 10), repeat = 1;
    if (strncmp(end, "(x", 2) == 0) repeat = strtol(end + 2, &end, 10);
    if (*end == ')') end++;
    if (node < repeat) return (int)tasks;
    node -= (int)repeat;
    list = *end == ',' ? end + 1 : NULL;
  }
  return -1;
}

static bool in_step(void) { // reserved steps (batch, extern, interactive) do not fit in `number`
  return number("SLURM_PROCID") >= 0 && number("SLURM_STEP_ID") >= 0;
}

typedef struct family {
  const char *launcher;
  const char *mark; // it is this launcher when this variable is a number
  const char *rank[3], *size[3], *local_rank[4], *local_size[4]; // the first that is set counts
} family;

static const family families[] = {
    {"mpirun",
     "OMPI_COMM_WORLD_SIZE",
     {"OMPI_COMM_WORLD_RANK"},
     {"OMPI_COMM_WORLD_SIZE"},
     {"OMPI_COMM_WORLD_LOCAL_RANK"},
     {"OMPI_COMM_WORLD_LOCAL_SIZE"}},
    {"mpiexec",
     "MPI_LOCALNRANKS",
     {"PMI_RANK", "PMIX_RANK"},
     {"PMI_SIZE"}, // Hydra, Intel MPI
     {"MPI_LOCALRANKID"},
     {"MPI_LOCALNRANKS"}},
    {"mpiexec",
     "MV2_COMM_WORLD_SIZE",
     {"MV2_COMM_WORLD_RANK"},
     {"MV2_COMM_WORLD_SIZE"}, // MVAPICH2
     {"MV2_COMM_WORLD_LOCAL_RANK"},
     {"MV2_COMM_WORLD_LOCAL_SIZE"}},
    {"mpiexec",
     "PALS_LOCAL_RANKID",
     {"PALS_RANKID", "PMI_RANK"},
     {"PALS_SIZE", "PMI_SIZE"}, // HPE
     {"PALS_LOCAL_RANKID"},
     {"PALS_LOCAL_SIZE", "PMI_LOCAL_SIZE"}},
    {"srun",
     "SLURM_STEP_ID",
     {"SLURM_PROCID"},
     {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"},
     {"SLURM_LOCALID"},
     {NULL}},
    {"mpiexec", "PMI_SIZE", {"PMI_RANK"}, {"PMI_SIZE"}, {"PMI_LOCAL_RANK"}, {"PMI_LOCAL_SIZE"}},
    {"mpiexec", "PMIX_RANK", {"PMIX_RANK"}, {NULL}, {"PMIX_LOCAL_RANK"}, {"PMIX_LOCAL_SIZE"}},
};

static bool is_srun(const family *f) {
  return strcmp(f->launcher, "srun") == 0;
}

static const family *find_family(void) {
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
    const family *f = &families[i];
    if (number(f->mark) >= 0 && (!is_srun(f) || in_step())) return f;
  }
  return NULL;
}

// A launcher that does not say where its ranks are: as if each had a node to itself.
static void find_place(const family *f, pl_launch *launch) {
  int local_rank = first_number(f->local_rank), local_size = first_number(f->local_size);
  if (is_srun(f)) {
    int node = number("SLURM_NODEID");
    const char *tasks = getenv("SLURM_STEP_TASKS_PER_NODE");
    local_size =
        tasks_on(tasks != NULL ? tasks : getenv("SLURM_TASKS_PER_NODE"), node < 0 ? 0 : node);
  }
  if (local_rank >= 0 && local_size > local_rank) {
    launch->local_rank = local_rank;
    launch->local_size = local_size;
  }
}

void pl_launch_find(pl_launch *launch) {
  *launch = (pl_launch){.launcher = "", .rank = -1, .size = -1, .local_size = 1};
  launch->in_slurm = getenv("SLURM_JOB_ID") != NULL;
  const family *f = find_family();
  if (f == NULL) return;
  launch->launcher = f->launcher;
  launch->rank = first_number(f->rank);
  launch->size = first_number(f->size);
  launch->launched = !(is_srun(f) && launch->size == 1);
  find_place(f, launch);
}
