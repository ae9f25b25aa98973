// SPDX-License-Identifier: BSD-3-Clause
//
// What a run measured: per rank, and together on rank 0. What varies from run to run stands here and
// never in a result file.
#ifndef PL_REPORT_H
#define PL_REPORT_H
#include "base/text.h"

typedef struct pl_meter { // of one rank; all times in s
  double read, compute, write;         // strand busy
  double wait_read, wait_write;        // the compute leader waited for input / for a free output slot
  double wall, cpu;                    // of the pattern; CPU of the whole process
  int64_t bytes_read, bytes_written;   // of files
  int64_t blocks, stolen;              // done here; of those claimed from another rank's share
  int64_t cells;                       // own cells of those blocks
  int64_t peak_rss, budget;            // bytes
  int64_t messages, bytes_sent;        // between ranks
  int threads, ncpus;
  char host[PLAIT_NAME];
} pl_meter;

typedef struct pl_report {
  char kernel[PLAIT_NAME];
  const char *pattern;
  char *input, *output, *job; // *owned*; job: the echo
  int ranks;
  pl_meter *rank;  // `ranks` of them; *owned*
  pl_meter total;  // sums; wall: maximum; peak_rss: maximum; threads: sum
  double start_up; // s from process start to the first block
  double hidden;   // share of reading and writing that arithmetic covered, 0..1; -1: no I/O
  double balance;  // mean over maximum of the ranks' busy time, 0..1
  int64_t blocks_total, blocks_resumed;
  bool complete;
  char warning[512]; // "" none
} pl_report;

void pl_report_free(pl_report *report);
void pl_report_derive(pl_report *report); // total, hidden, balance from the ranks
void pl_report_paragraph(const pl_report *report, pl_text *out); // one paragraph for people
void pl_report_json(const pl_report *report, pl_json *out);      // "schema_version": 1
#endif
