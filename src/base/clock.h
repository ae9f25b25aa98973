// SPDX-License-Identifier: BSD-3-Clause
//
// Time for measuring: seconds of the monotonic clock, and CPU seconds.
#ifndef PL_CLOCK_H
#define PL_CLOCK_H
double pl_now(void);         // s since some fixed point; Threads: any
double pl_cpu_process(void); // s of CPU of all threads of this process
double pl_cpu_thread(void);  // s of CPU of the calling thread
double pl_process_age(void); // s since this process was started (10 ms steps); 0 when unknown
void pl_sleep(double seconds);
#endif
