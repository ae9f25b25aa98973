// SPDX-License-Identifier: BSD-3-Clause
//
// Launchers by the environments that they set; recorded from Open MPI 4.1, Slurm 22.05 and Hydra.
#include "host/launch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

// "NAME=value NAME=value": the whole environment.
static void only(const char *list) {
  char copy[2048], *place = NULL;
  clearenv();
  assert_true(strlen(list) < sizeof copy);
  strcpy(copy, list);
  for (char *at = strtok_r(copy, " ", &place); at != NULL; at = strtok_r(NULL, " ", &place)) {
    char *value = strchr(at, '=');
    *value++ = 0;
    setenv(at, value, 1);
  }
}

typedef struct expected {
  const char *environment;
  pl_launch launch;
} expected;

#define BATCH                                                                                      \
  "SLURM_JOB_ID=7 SLURM_NTASKS=4 SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_NODEID=0 "                   \
  "SLURM_TASKS_PER_NODE=4 SLURM_CPUS_ON_NODE=8 "
#define STEP                                                                                       \
  "SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_NTASKS=7 SLURM_STEP_NUM_TASKS=7 "                          \
  "SLURM_STEP_TASKS_PER_NODE=2(x3),1 "
#define OMPI                                                                                       \
  "OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_LOCAL_SIZE=2 "                    \
  "OMPI_COMM_WORLD_LOCAL_RANK=1 PMIX_RANK=3 "

static const expected table[] = {
    // alone
    {"", {"", false, -1, -1, 0, 1, false}},
    {"SLURM_JOB_ID=7 SLURM_NTASKS=4", {"", false, -1, -1, 0, 1, true}},  // salloc's shell
    {BATCH, {"", false, -1, -1, 0, 1, true}},                            // sbatch's script
    {BATCH "SLURM_STEP_ID=4294967291", {"", false, -1, -1, 0, 1, true}}, // batch step, numbered
    {BATCH "SLURM_STEP_ID=4294967290", {"", false, -1, -1, 0, 1, true}}, // interactive step
    {BATCH "SLURM_STEP_ID=batch", {"", false, -1, -1, 0, 1, true}},
    // mpirun
    {OMPI, {"mpirun", true, 3, 4, 1, 2, false}},
    {BATCH OMPI, {"mpirun", true, 3, 4, 1, 2, true}},
    {STEP "SLURM_PROCID=1 SLURM_LOCALID=0 SLURM_NODEID=1 " OMPI,
     {"mpirun", true, 3, 4, 1, 2, true}},
    {"OMPI_COMM_WORLD_SIZE=1 OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_LOCAL_SIZE=1 "
     "OMPI_COMM_WORLD_LOCAL_RANK=0",
     {"mpirun", true, 0, 1, 0, 1, false}},
    // srun
    {STEP "SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_NODEID=0", {"srun", true, 0, 7, 0, 2, true}},
    {STEP "SLURM_PROCID=5 SLURM_LOCALID=1 SLURM_NODEID=2", {"srun", true, 5, 7, 1, 2, true}},
    {STEP "SLURM_PROCID=6 SLURM_LOCALID=0 SLURM_NODEID=3 PMIX_RANK=6",
     {"srun", true, 6, 7, 0, 1, true}},
    {"SLURM_JOB_ID=7 SLURM_STEP_ID=1 SLURM_PROCID=0 SLURM_NTASKS=1 SLURM_LOCALID=0 SLURM_NODEID=0 "
     "SLURM_STEP_TASKS_PER_NODE=1",
     {"srun", false, 0, 1, 0, 1, true}}, // srun --pty bash
    // a step on 2 of the job's tasks
    {"SLURM_JOB_ID=7 SLURM_STEP_ID=2 SLURM_PROCID=1 SLURM_NTASKS=8 SLURM_STEP_NUM_TASKS=2 "
     "SLURM_LOCALID=1 SLURM_NODEID=0 SLURM_STEP_TASKS_PER_NODE=2 SLURM_TASKS_PER_NODE=8",
     {"srun", true, 1, 2, 1, 2, true}},
    // others
    {"PMI_RANK=2 PMI_SIZE=3 MPI_LOCALRANKID=0 MPI_LOCALNRANKS=1",
     {"mpiexec", true, 2, 3, 0, 1, false}},
    {STEP "SLURM_PROCID=1 SLURM_LOCALID=0 SLURM_NODEID=1 PMI_RANK=2 PMI_SIZE=3 MPI_LOCALRANKID=1 "
          "MPI_LOCALNRANKS=3",
     {"mpiexec", true, 2, 3, 1, 3, true}}, // Hydra's proxies below srun
    {"MV2_COMM_WORLD_SIZE=4 MV2_COMM_WORLD_RANK=1 MV2_COMM_WORLD_LOCAL_RANK=1 "
     "MV2_COMM_WORLD_LOCAL_SIZE=4",
     {"mpiexec", true, 1, 4, 1, 4, false}},
    {"PALS_RANKID=9 PALS_SIZE=16 PALS_LOCAL_RANKID=1 PALS_LOCAL_SIZE=8",
     {"mpiexec", true, 9, 16, 1, 8, false}},
    {"PMI_RANK=1 PMI_SIZE=2", {"mpiexec", true, 1, 2, 0, 1, false}},
    {"PMIX_RANK=1", {"mpiexec", true, 1, -1, 0, 1, false}},
    // nonsense is no launcher
    {"OMPI_COMM_WORLD_SIZE=", {"", false, -1, -1, 0, 1, false}},
    {"OMPI_COMM_WORLD_SIZE=x PMI_SIZE=-3", {"", false, -1, -1, 0, 1, false}},
    {"OMPI_COMM_WORLD_SIZE=99999999999999999999", {"", false, -1, -1, 0, 1, false}},
    // a local rank beyond the local size is not believed
    {"OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_LOCAL_SIZE=2 "
     "OMPI_COMM_WORLD_LOCAL_RANK=2",
     {"mpirun", true, 3, 4, 0, 1, false}},
    {"SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2 SLURM_LOCALID=1 "
     "SLURM_NODEID=0 SLURM_STEP_TASKS_PER_NODE=2(x",
     {"srun", true, 1, 2, 0, 1, true}},
};

static void knows_the_launchers(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    pl_launch got;
    const pl_launch *want = &table[i].launch;
    only(table[i].environment);
    pl_launch_find(&got);
    print_message("%s\n", table[i].environment);
    assert_string_equal(got.launcher, want->launcher);
    assert_int_equal(got.launched, want->launched);
    assert_int_equal(got.rank, want->rank);
    assert_int_equal(got.size, want->size);
    assert_int_equal(got.local_rank, want->local_rank);
    assert_int_equal(got.local_size, want->local_size);
    assert_int_equal(got.in_slurm, want->in_slurm);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(knows_the_launchers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
