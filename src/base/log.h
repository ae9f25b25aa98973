// SPDX-License-Identifier: BSD-3-Clause
//
// What a run says while it runs. Nothing below src/command prints: the command sets the sink (rank
// 0 writes to stderr, the other ranks' notes and warnings are dropped unless they ask to be heard).
#ifndef PL_LOG_H
#define PL_LOG_H
#include "plait.h"

typedef enum pl_log_level { PL_LOG_WARNING, PL_LOG_NOTE, PL_LOG_DEBUG } pl_log_level;
typedef void pl_log_sink(pl_log_level level, const char *line, void *data);

void pl_log_to(pl_log_sink *sink, void *data); // NULL: nowhere. Threads: before threads start.
void pl_log(pl_log_level level, const char *format, ...) PLAIT_PRINTF(2, 3); // Threads: any.
#endif
