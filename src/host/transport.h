// SPDX-License-Identifier: BSD-3-Clause
//
// Which of its ways Open MPI is to take; another MPI overlooks it.
#ifndef PL_TRANSPORT_H
#define PL_TRANSPORT_H
#include "host/launch.h"

// Before MPI_Init, before threads. What the user has set (`mpirun --mca`, OMPI_MCA_*) stays.
void pl_transport_choose(const pl_launch *launch);
#endif
