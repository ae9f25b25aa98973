// SPDX-License-Identifier: BSD-3-Clause
//
// Open MPI reads its parameters in MPI_Init, from the environment too.
#include "host/transport.h"
#include <stdlib.h>

// What the user has set stays.
static void prefer(const char *variable, const char *value) {
  setenv(variable, value, 0);
}

// On one node messages go through shared memory, and Open MPI is told so: left to itself it asks
// each network that it knows whether it is there, which takes 0.2 of the 0.25 s of MPI_Init here
// (psm, psm2), and warns of an InfiniBand that nobody wants to use.
static void choose_messages(const pl_launch *launch) {
  if (launch->local_size != launch->size || getenv("OMPI_MCA_pml")) return;
  prefer("OMPI_MCA_pml", "ob1");
  prefer("OMPI_MCA_btl", "self,vader,tcp");
}

// osc/sm serves windows only where all ranks share a node. Between nodes osc/ucx takes them before
// osc/pt2pt and then fails without UCX-capable hardware; whoever has that sets OMPI_MCA_osc=ucx.
static void choose_windows(const pl_launch *launch) {
  bool one_node = launch->size > 1 && launch->local_size == launch->size;
  prefer("OMPI_MCA_osc", one_node ? "^rdma,ucx" : "^ucx");
}

void pl_transport_choose(const pl_launch *launch) {
  choose_messages(launch);
  choose_windows(launch);
}
