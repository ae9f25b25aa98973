// SPDX-License-Identifier: BSD-3-Clause
//
// What a run measured: per rank, and together on rank 0. What varies from run to run stands here
// and never in a result file.
#ifndef PL_REPORT_H
#define PL_REPORT_H
#include "engine/trace.h"

typedef struct pl_meter {            // of one rank; all times in s
  double read, compute, write;       // strand busy
  double team_read;                  // part of read: by the team, from the page cache
  double wait_read, wait_write;      // the compute leader waited for input / for a free output slot
  double wall, cpu;                  // of the pattern; CPU of the whole process
  int64_t bytes_read, bytes_written; // of files
  int64_t storage_read;              // bytes that the process fetched from storage, not from the
                                     // page cache; -1: the system does not say
  int64_t mapped;                    // part of bytes_read: looked at where the page cache has them
  int64_t passes;                    // over the blocks; 0 where that has no meaning
  int64_t blocks, stolen;            // done here; of those claimed from another rank's share
  int64_t cells;                     // own cells of those blocks
  int64_t peak_rss, budget;          // bytes
  int64_t messages, bytes_sent;      // between ranks
  double comm;                       // waited for messages of other ranks
  double team_cpu;                   // CPU of all threads of the team while it computed
  double team_delay;                 // s that they were ready to run but had no core
  int64_t switches;                  // times that a thread of the process was taken off its core
  int threads, ncpus;
  char host[PLAIT_NAME];
  pl_trace *trace; // of this process; NULL in what was gathered
} pl_meter;

typedef struct pl_single { // an output without axes; plain bytes that travel
  char name[PLAIT_NAME];   // "" none
  plait_type type;
  double value;
} pl_single;

typedef struct pl_outcome { // what a pattern has to say about the result
  pl_single single[PLAIT_OUTPUTS];
  char warning[512]; // of the kernel; "" none
} pl_outcome;

typedef struct pl_report {
  char kernel[PLAIT_NAME];
  const char *pattern;
  const char *unit;           // of what is counted as blocks; NULL: "block"
  char *input, *output, *job; // *owned*; job: the echo
  int ranks;
  pl_meter *rank;        // `ranks` of them; *owned*
  pl_timeline *timeline; // likewise; NULL when there is none
  double span;           // s that a timeline covers
  void *traces;          // of all ranks, when they are wanted (pl_trace_of); *owned*
  pl_meter total;        // sums; wall: maximum; peak_rss: maximum; threads: sum
  double start_up;       // s from process start to the first block
  double hidden;         // share of reading and writing that arithmetic covered, 0..1; -1: no I/O
  double balance;        // mean over maximum of the ranks' busy time, 0..1
  // Shares of the time in which teams computed, 0..1: their threads did not run; had work but no
  // core
  double waited, delayed;
  double flops_per_cell;                // that the kernel declares; 0 unknown
  int64_t blocks_total, blocks_resumed; // evolve: steps
  int64_t output_bytes;                 // of the arrays that the whole job writes
  bool complete;
  bool kept;         // not complete, but the same command goes on from here
  char warning[512]; // "" none
  pl_outcome outcome;
} pl_report;

// What the system counts for this process, from start to stop: CPU, switches, memory. Threads: one.
void pl_meter_start(pl_meter *meter);
void pl_meter_stop(pl_meter *meter);
// s for which the calling thread was ready to run but had no core so far; 0 when the kernel does
// not say.
double pl_meter_delay(void);

void pl_report_free(pl_report *report);
void pl_report_derive(pl_report *report); // all but the ranks' own figures, from them
// Sets waited, delayed and, when a run was badly placed, the warning (report_judge.c;
// pl_report_derive calls it).
void pl_report_judge(pl_report *report);
void pl_report_paragraph(const pl_report *report, pl_text *out); // one paragraph for people
void pl_report_outcome(const pl_report *report, pl_text *out);   // its first sentence; "" none
void pl_report_json(const pl_report *report, pl_json *out);      // "schema_version": 1
// What pl_report_json wrote; `name` of the file for messages. PLAIT_INPUT (it is no report),
// PLAIT_MEMORY. Not collective.
plait_err pl_report_read(const char *json, size_t bytes, const char *name, pl_report *report);
// The report as a page for a browser that needs nothing else (report_page.c).
void pl_report_page(const pl_report *report, pl_text *out);
#endif
