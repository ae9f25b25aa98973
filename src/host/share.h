// SPDX-License-Identifier: BSD-3-Clause
//
// Cuts the CPUs of a node into the shares of its ranks. Pure.
#ifndef PL_SHARE_H
#define PL_SHARE_H
#include "host/topology.h"

// The share of rank `rank` of `size` on this node, out of `n` CPUs (core numbers ascend with the
// NUMA domain, as pl_topology has them). Shares are disjoint and cover the CPUs:
//   ranks <= cores: neighbouring cores, evenly; an edge less than 1/8 of a share away from the edge
//                   of a NUMA domain moves there
//   ranks <= CPUs:  neighbouring hardware threads
//   more ranks:     everybody gets all of them, and *overlaps is set
// `share` [n] is in the order thread, core: its first CPUs are whole cores. Returns its length
// >= 1.
int pl_share_cut(const pl_cpu *cpus, int n, int rank, int size, pl_cpu *share, bool *overlaps);

int pl_share_cores(const pl_cpu *cpus, int n); // how many cores they are on
#endif
