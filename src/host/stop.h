// SPDX-License-Identifier: BSD-3-Clause
//
// SIGINT, SIGTERM, SIGUSR1 -> one flag that the engine reads at safe points. The ranks agree on
// stopping by a collective or a shared counter, never by this local flag alone. A second SIGINT or
// SIGTERM ends the process at once.
#ifndef PL_STOP_H
#define PL_STOP_H
#include "base/err.h"
plait_err pl_stop_listen(void); // installs the handlers; Threads: before threads start
bool pl_stop_asked(void);       // Threads: any; async-signal-safe
int pl_stop_signal(void);       // which one, 0 none
#endif
