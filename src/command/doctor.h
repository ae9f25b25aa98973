// SPDX-License-Identifier: BSD-3-Clause
//
// Inside of `plait doctor`.
#ifndef PL_DOCTOR_H
#define PL_DOCTOR_H
#include "engine/findings.h"
#include "host/placement.h"

void pl_doctor_ranks(const pl_station_facts *rank, int n, pl_text *out); // a line each
void pl_doctor_findings(const pl_findings *findings, pl_text *out);
void pl_doctor_json_ranks(const pl_station_facts *rank, int n, pl_json *json);
void pl_doctor_json_findings(const pl_findings *findings, pl_json *json);
// PLAIT_VERIFY when there is a problem.
plait_err pl_doctor_verdict(const pl_findings *findings);

// doctor --topology: prints what `ranks` ranks would get on a node that hwloc's synthetic
// description describes. Errors as pl_topology_find, and those of the verdict.
plait_err pl_doctor_imagine(const char *description, int ranks, const pl_wish *wish, bool as_json);
#endif
