// SPDX-License-Identifier: BSD-3-Clause
//
// The parts of what the doctor says that hold for this machine and for one that is described.
#include "command/doctor.h"
#include <stdio.h>

void pl_doctor_ranks(const pl_station_facts *rank, int n, pl_text *out) {
  pl_text_add(out, "%5s %-16s %-14s %5s %-5s %-17s %s\n", "rank", "host", "CPUs", "cores", "NUMA",
              "compute threads", "strands");
  for (int r = 0; r < n; r++) {
    const pl_station_facts *f = &rank[r];
    char cpus[256], numa[32], threads[48];
    pl_findings_cpus(f, cpus, sizeof cpus);
    snprintf(numa, sizeof numa, f->numa_first == f->numa_last ? "%d" : "%d-%d", f->numa_first,
             f->numa_last);
    snprintf(threads, sizeof threads, "%d, %s", f->threads, f->bound ? "bound" : "floating");
    pl_text_add(out, "%5d %-16.16s %-14s %5d %-5s %-17s read, write: floating\n", f->rank, f->host,
                cpus, f->cores, numa, threads);
  }
}

void pl_doctor_findings(const pl_findings *f, pl_text *out) {
  pl_text_add(out, "\n");
  for (int i = 0; i < f->n; i++) {
    pl_text_add(out, "%s  %s\n", f->at[i].problem ? "PROBLEM " : "note    ", f->at[i].what);
    if (*f->at[i].cure) pl_text_add(out, "          cure: %s\n", f->at[i].cure);
  }
  if (f->problems == 0) pl_text_add(out, "healthy\n");
}

// ---- JSON -----------------------------------------------------------------------------------
static void json_rank(const pl_station_facts *f, pl_json *j) {
  char cpus[4096];
  pl_findings_cpus(f, cpus, sizeof cpus);
  pl_json_open(j, NULL, '{');
  pl_json_int(j, "rank", f->rank);
  pl_json_string(j, "host", f->host);
  pl_json_int(j, "pid", f->pid);
  pl_json_string(j, "cpus", cpus);
  pl_json_int(j, "cores", f->cores);
  pl_json_int(j, "numa_first", f->numa_first);
  pl_json_int(j, "numa_last", f->numa_last);
  pl_json_int(j, "threads", f->threads);
  pl_json_bool(j, "bound", f->bound);
  pl_json_bool(j, "widened", f->widened);
  pl_json_int(j, "node_cores", f->node_cores);
  pl_json_int(j, "node_cpus", f->node_cpus);
  pl_json_real(j, "quota", f->quota);
  pl_json_int(j, "memory_bytes", f->memory);
  pl_json_int(j, "shm_free_bytes", f->shm);
  pl_json_close(j, '}');
}

void pl_doctor_json_ranks(const pl_station_facts *rank, int n, pl_json *j) {
  pl_json_open(j, "ranks", '[');
  for (int r = 0; r < n; r++) json_rank(&rank[r], j);
  pl_json_close(j, ']');
}

void pl_doctor_json_findings(const pl_findings *f, pl_json *j) {
  pl_json_open(j, "findings", '[');
  for (int i = 0; i < f->n; i++) {
    pl_json_open(j, NULL, '{');
    pl_json_string(j, "severity", f->at[i].problem ? "problem" : "note");
    pl_json_string(j, "what", f->at[i].what);
    pl_json_string(j, "cure", f->at[i].cure);
    pl_json_close(j, '}');
  }
  pl_json_close(j, ']');
}
