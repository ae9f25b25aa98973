// SPDX-License-Identifier: BSD-3-Clause
//
// Why a run should stop early: SIGINT, SIGTERM, SIGUSR1, or the time that it was given is over. The
// engine looks at it at safe points. The ranks agree on stopping by a collective or a shared
// counter, never by this alone. A second SIGINT or SIGTERM ends the process at once.
#ifndef PL_STOP_H
#define PL_STOP_H
#include "base/err.h"
#define PL_STOP_TIME 1000 // among the numbers of signals: the time is over

plait_err pl_stop_listen(void); // installs the handlers; Threads: before threads start
bool pl_stop_asked(void);       // a signal came. Threads: any; async-signal-safe
int pl_stop_signal(void);       // which one, 0 none

void pl_stop_by(double when);             // pl_now() at which the time is over; <= 0: never
double pl_stop_time(void);                // that; 0: none. For telling other ranks
void pl_stop_margin(double seconds);      // so much earlier: what stopping will take. Threads: any
int pl_stop_why(void);                    // 0, a signal, or PL_STOP_TIME. Threads: any
void pl_stop_text(int why, char out[80]); // "Terminated (signal 15)", "the end of its time"
#endif
