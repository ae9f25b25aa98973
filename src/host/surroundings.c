// SPDX-License-Identifier: BSD-3-Clause
//
// Tells a launcher's default binding from a deliberate one.
//   Open MPI  binds without being asked (a core each up to 2 ranks, then a package or domain).
//   Asked
//             for by --bind-to, --cpu-set, a rank file or PE=n it leaves an OMPI_MCA_ variable.
//             (Open MPI 5 does not for --bind-to: run.placement: inherit says it there.)
//   srun      binds a task to one CPU unless -c says more; SLURM_CPU_BIND_TYPE says "mask_cpu" for
//             that. Another type, or -c, was asked for.
//   others    do not bind by themselves: a mask is deliberate.
// The mask of the launcher's own process (mpirun, orted, slurmstepd) bounds everything: whoever
// writes `taskset -c 0-3 mpirun ..` means it, though Open MPI itself overlooks it.
#include "host/surroundings.h"
#include "base/mem.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *pl_user_variable(const char *name) {
  char kept[128];
  if (getenv(PL_PLACED) == NULL) return getenv(name);
  snprintf(kept, sizeof kept, "%s%s", PL_KEPT, name);
  return getenv(kept);
}

static int positive(const char *text) {
  long value = text == NULL ? 0 : strtol(text, NULL, 10);
  return value > 0 && value < 1 << 20 ? (int)value : 0;
}

// ---- OpenMP ---------------------------------------------------------------------------------
static int last_number(const char *list) { // "8", "3,8"
  const char *comma = list == NULL ? NULL : strrchr(list, ',');
  return positive(comma != NULL ? comma + 1 : list);
}

static void ask_openmp(pl_surroundings *around) {
  const char *bind = pl_user_variable("OMP_PROC_BIND");
  bool no = bind != NULL && strcasecmp(bind, "false") == 0;
  around->omp_threads = last_number(pl_user_variable("OMP_NUM_THREADS"));
  around->omp_limit = positive(pl_user_variable("OMP_THREAD_LIMIT"));
  around->omp_unbound = no;
  around->omp_places =
      !no && (bind != NULL || getenv("OMP_PLACES") != NULL || getenv("GOMP_CPU_AFFINITY") != NULL ||
              getenv("KMP_AFFINITY") != NULL);
}

static plait_err list_places(pl_surroundings *around) {
  int n = 0;
  for (int i = 0; i < omp_get_num_places(); i++) n += omp_get_place_num_procs(i);
  if (n == 0) return PLAIT_OK;
  TRY(pl_alloc((size_t)n, sizeof *around->places, &around->places));
  for (int i = 0; i < omp_get_num_places(); i++) {
    omp_get_place_proc_ids(i, around->places + around->nplaces);
    around->nplaces += omp_get_place_num_procs(i);
  }
  return PLAIT_OK;
}

// ---- launcher -------------------------------------------------------------------------------
static bool asked_mpirun(void) {
  static const char *const names[] = {
      "OMPI_MCA_hwloc_base_binding_policy",    "OMPI_MCA_hwloc_base_cpu_list",
      "OMPI_MCA_hwloc_base_cpu_set",           "OMPI_MCA_orte_rankfile",
      "OMPI_MCA_rmaps_rank_file_path",         "OMPI_MCA_rmaps_base_cpus_per_rank",
      "PRTE_MCA_hwloc_default_binding_policy", "PRTE_MCA_hwloc_default_cpu_list"};
  static const char *const maps[] = {"OMPI_MCA_rmaps_base_mapping_policy",
                                     "PRTE_MCA_rmaps_default_mapping_policy"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (getenv(names[i]) != NULL) return true;
  for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
    if (getenv(maps[i]) != NULL && strcasestr(getenv(maps[i]), "pe=") != NULL) return true;
  return false;
}

static bool asked_srun(void) {
  const char *type = getenv("SLURM_CPU_BIND_TYPE");
  return type != NULL && *type != 0 && strncmp(type, "mask_cpu", 8) != 0;
}

static void ask_launcher(const pl_launch *launch, pl_surroundings *around) {
  bool mpirun = strcmp(launch->launcher, "mpirun") == 0,
       srun = strcmp(launch->launcher, "srun") == 0;
  around->may_bind = mpirun || srun;
  around->told = mpirun ? asked_mpirun() : srun ? asked_srun() : false;
  if (srun) around->task_cpus = positive(getenv("SLURM_CPUS_PER_TASK"));
  if (launch->in_slurm) around->job_cpus = positive(getenv("SLURM_CPUS_ON_NODE"));
}

// ---- the launcher's process -----------------------------------------------------------------
// Does the environment of a process have this variable? A process that is not ours hides it: no.
static bool process_has(long pid, const char *name) {
  char path[64], *entry = NULL;
  size_t room = 0, n = strlen(name);
  bool found = false;
  snprintf(path, sizeof path, "/proc/%ld/environ", pid);
  FILE *file = fopen(path, "re");
  if (file == NULL) return false;
  while (!found && getdelim(&entry, &room, 0, file) > 0)
    found = strncmp(entry, name, n) == 0 && entry[n] == '=';
  free(entry);
  fclose(file);
  return found;
}

static bool process_line(long pid, const char *key, char *value, int room) {
  char path[64];
  size_t n = strlen(key);
  bool found = false;
  snprintf(path, sizeof path, "/proc/%ld/status", pid);
  FILE *file = fopen(path, "re");
  if (file == NULL) return false;
  while (!found && fgets(value, room, file) != NULL) found = strncmp(value, key, n) == 0;
  fclose(file);
  if (found) memmove(value, value + n, strlen(value + n) + 1);
  return found;
}

static long launcher_process(const pl_launch *launch) {
  const char *mark = strcmp(launch->launcher, "mpirun") == 0 ? "OMPI_COMM_WORLD_RANK"
                     : strcmp(launch->launcher, "srun") == 0 ? "SLURM_PROCID"
                                                             : "PMI_RANK";
  char text[64];
  long pid = getppid();
  while (pid > 1 && process_has(pid, mark)) // a shell or wrapper that the launcher started
    pid = process_line(pid, "PPid:", text, sizeof text) ? strtol(text, NULL, 10) : 0;
  return pid;
}

static plait_err read_list(const char *list, int **out, int *count) { // "0-3,8"
  int n = 0, *cpus = NULL;
  for (const char *at = list; *at != 0 && *at != '\n';) {
    char *end;
    long first = strtol(at, &end, 10), last = first;
    if (end == at) break;
    if (*end == '-') last = strtol(end + 1, &end, 10);
    if (first < 0 || last < first || last >= 1 << 16) break;
    plait_err err = pl_grow(&cpus, (size_t)n, (size_t)(n + last - first + 1), sizeof *cpus);
    if (err != PLAIT_OK) {
      pl_free(&cpus);
      return err;
    }
    for (long cpu = first; cpu <= last; cpu++) cpus[n++] = (int)cpu;
    at = *end == ',' ? end + 1 : end;
  }
  *out = cpus;
  *count = n;
  return PLAIT_OK;
}

plait_err pl_surroundings_find(const pl_launch *launch, pl_surroundings *around) {
  char list[16384];
  *around = (pl_surroundings){0};
  ask_openmp(around);
  ask_launcher(launch, around);
  if (around->omp_places) TRY(list_places(around));
  if (*launch->launcher == 0) return PLAIT_OK;
  if (!process_line(launcher_process(launch), "Cpus_allowed_list:", list, sizeof list))
    return PLAIT_OK;
  return read_list(list + strspn(list, " \t"), &around->outer, &around->nouter);
}

void pl_surroundings_free(pl_surroundings *around) {
  pl_free(&around->outer);
  pl_free(&around->places);
  *around = (pl_surroundings){0};
}
