// SPDX-License-Identifier: BSD-3-Clause
//
// The command that goes on where a run ended.
#ifndef PL_CONTINUATION_H
#define PL_CONTINUATION_H
#include "command/cli.h"

// Appends "; continue with: COMMAND" to the message, ready to be pasted into a shell.
void pl_add_continuation(const pl_cli *cli, char *message, size_t room);
#endif
