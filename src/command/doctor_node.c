// SPDX-License-Identifier: BSD-3-Clause
//
// plait doctor --topology: the same placement and the same findings for a node that is not here.
// Limits, storage and other programs of that node are not known, so nothing is said of them.
#include "base/mem.h"
#include "command/cli.h"
#include "command/doctor.h"
#include "engine/probe.h"

typedef struct imagined {
  pl_topology topology;
  int n;
  pl_station_facts *rank;
  pl_findings findings;
} imagined;

static plait_err place(imagined *node, const pl_wish *wish) {
  static const pl_storage_facts nowhere;
  static const pl_job_facts no_job;
  TRY(pl_calloc((size_t)node->n, sizeof *node->rank, &node->rank));
  for (int r = 0; r < node->n; r++) {
    pl_placement placement;
    TRY(pl_placement_imagine(&node->topology, r, node->n, wish, &placement));
    pl_probe_share("node", r, &node->topology, &placement, &node->rank[r]);
    pl_placement_free(&placement);
  }
  pl_findings_judge(node->rank, node->n, true, &nowhere, &no_job, &node->findings);
  return PLAIT_OK;
}

static plait_err print_text(const imagined *node) {
  const pl_topology *t = &node->topology;
  pl_text text = {0};
  pl_doctor_ranks(node->rank, node->n, &text);
  pl_text_add(&text, "\nnode      %d core%s, %d CPU%s, %d NUMA domain%s, as described\n", t->ncores,
              t->ncores == 1 ? "" : "s", t->ncpus, t->ncpus == 1 ? "" : "s", t->nnuma,
              t->nnuma == 1 ? "" : "s");
  pl_doctor_findings(&node->findings, &text);
  return pl_print_text(&text);
}

static plait_err print_json(const imagined *node, const char *description) {
  pl_json j = {0};
  pl_json_open(&j, NULL, '{');
  pl_json_int(&j, "schema_version", 1);
  pl_json_bool(&j, "healthy", node->findings.problems == 0);
  pl_json_string(&j, "topology", description);
  pl_doctor_json_ranks(node->rank, node->n, &j);
  pl_doctor_json_findings(&node->findings, &j);
  pl_json_close(&j, '}');
  return pl_print_json(&j);
}

plait_err pl_doctor_imagine(const char *description, int ranks, const pl_wish *wish, bool as_json) {
  imagined *node = NULL;
  plait_err err = PLAIT_OK;
  TRY(pl_calloc(1, sizeof *node, &node));
  node->n = ranks;
  GUARD(pl_topology_find(description, &node->topology));
  if (node->topology.ncpus > PL_STATION_CPUS)
    GUARD(plait_fail(PLAIT_USAGE, "--topology: more than %d CPUs", PL_STATION_CPUS));
  GUARD(place(node, wish));
  GUARD(as_json ? print_json(node, description) : print_text(node));
  err = pl_doctor_verdict(&node->findings);
done:
  pl_topology_free(&node->topology);
  pl_free(&node->rank);
  pl_free(&node);
  return err;
}
