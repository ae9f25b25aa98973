// SPDX-License-Identifier: BSD-3-Clause
//
// Was the run placed well? A team that computes should have a core for each of its threads: what is
// missing of (threads x time) in their CPU time is waiting. It has two causes that call for
// different cures. A thread that is ready but has no core (the run-queue delay that Linux counts,
// seen also as involuntary switches) is oversubscription, by our own ranks or by other programs.
// The rest is threads that wait for each other: blocks too small for the team, or messages.
//
// Thresholds: on a quiet machine a well placed run shows 1 to 3 % of either; 5 ranks on 2 cores
// show more than half. Runs of less than half a second of work are not judged: start-up dominates
// them.
#include "engine/report.h"
#include <math.h>
#include <stdio.h>

static const double least_time = 0.5;      // s of threads x computing
static const double crowded = 0.15;        // share of delay
static const double crowded_switches = 30; // a second and thread, where there is no schedstat
static const double idle = 0.30;           // share of waiting that is not delay

static void count_cores(const pl_report *report, double *time, double *messages) {
  *time = *messages = 0;
  for (int r = 0; r < report->ranks; r++) {
    const pl_meter *m = &report->rank[r];
    *time += m->threads * fmax(m->compute + m->team_read, 0);
    *messages += m->threads * m->comm;
  }
}

static void warn_crowded(pl_report *report, double rate) {
  snprintf(report->warning, sizeof report->warning,
           "threads had work but no core for %.0f %% of the time, and were taken off it %.3g times "
           "a second: other programs used the cores, or this run has more threads (%d) than there "
           "are cores ('plait doctor' says which, and how many there should be)",
           100 * report->delayed, rate, report->total.threads);
}

static void warn_idle(pl_report *report, double messages, double time) {
  bool comm = messages > 0.5 * (report->waited - report->delayed) * time;
  snprintf(
      report->warning, sizeof report->warning,
      comm ? "threads waited %.0f %% of the time, mostly for messages of other ranks: use fewer "
             "ranks with more threads each ('plait compare' measures it)"
           : "threads waited %.0f %% of the time for each other: use fewer threads, or larger "
             "blocks (run.block)",
      100 * (report->waited - report->delayed));
}

void pl_report_judge(pl_report *report) {
  const pl_meter *t = &report->total;
  double time, messages;
  count_cores(report, &time, &messages);
  bool known = time > 0 && t->team_cpu > 0;
  report->waited = known ? fmin(1, fmax(0, 1 - t->team_cpu / time)) : 0;
  report->delayed = time > 0 ? fmin(report->waited, t->team_delay / time) : 0;
  double rate = t->wall > 0 ? (double)t->switches / t->wall : 0;
  if (*report->warning || !known || time < least_time) return;
  bool uncounted = t->team_delay <= 0 && rate > crowded_switches * t->threads;
  if ((report->delayed > crowded && rate > 1) || (uncounted && report->waited > crowded))
    warn_crowded(report, rate);
  else if (report->waited - report->delayed > idle)
    warn_idle(report, messages, time);
}
