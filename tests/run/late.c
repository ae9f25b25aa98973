// SPDX-License-Identifier: BSD-3-Clause
//
// Preloaded into plait under mpirun: rank 0 comes late, PLAIT_LATE=start to main, or PLAIT_LATE=end
// out of MPI_Finalize. What it has to say must reach the user all the same.
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int MPI_Finalize(void);

static void come_late(const char *where) {
  const char *late = getenv("PLAIT_LATE"), *rank = getenv("OMPI_COMM_WORLD_RANK");
  if (late == NULL || rank == NULL || strcmp(late, where) != 0 || strcmp(rank, "0") != 0) return;
  struct timespec left = {.tv_sec = 1};
  while (nanosleep(&left, &left) != 0) {
  }
}

__attribute__((constructor)) static void start(void) {
  come_late("start");
}

int MPI_Finalize(void) {
  int code = ((int (*)(void))dlsym(RTLD_NEXT, "MPI_Finalize"))();
  come_late("end");
  return code;
}
