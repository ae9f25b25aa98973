// SPDX-License-Identifier: BSD-3-Clause
//
// The start of a communicator in a build without MPI: one process. The linker takes this file in
// the place of comm_mpi.c; all that one rank does is in comm.c.
#include "host/comm_wire.h"

bool pl_comm_has_mpi(void) {
  return false;
}

const char *pl_comm_library(void) {
  return "none (one process)";
}

const char *pl_comm_threads(void) {
  return "";
}

plait_err pl_comm_start(bool launched, int promised_size, pl_comm **comm) {
  *comm = NULL;
  if (launched && promised_size > 1)
    return plait_fail(
        PLAIT_USAGE,
        "%d processes were started, but this plait is built without MPI: start one, or "
        "build with -DPLAIT_MPI=ON",
        promised_size);
  return pl_comm_alone(comm);
}
