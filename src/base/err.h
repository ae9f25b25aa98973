// SPDX-License-Identifier: BSD-3-Clause
//
// Errors: every function that can fail returns plait_err. The place that detects an error writes
// one line with plait_fail (plait.h); callers pass the code up with TRY and add nothing. The
// message is per thread, so strands do not mix theirs; a strand that ends with an error hands its
// message over with pl_message.
#ifndef PL_ERR_H
#define PL_ERR_H
#include "plait.h"

#define TRY(call)                                                                                  \
  do {                                                                                             \
    plait_err try_error_ = (call);                                                                 \
    if (try_error_ != PLAIT_OK) return try_error_;                                                 \
  } while (0)

// For functions with one exit label: `plait_err err = PLAIT_OK;` above, `done:` below.
#define GUARD(call)                                                                                \
  do {                                                                                             \
    err = (call);                                                                                  \
    if (err != PLAIT_OK) goto done;                                                                \
  } while (0)

#define PL_MESSAGE_BYTES 4096

const char *pl_message(void);          // last message of this thread, "" when none; *borrows*
void pl_message_set(const char *text); // hands a message from one thread to another; *copies*
int pl_exit_code(plait_err code);      // of the table in plait.h
const char *pl_err_text(plait_err code);
const char *pl_err_name(plait_err code); // "IO"
// "PATH: WHAT: " and strerror(errno); `what` reads like "cannot open"; path NULL: without it.
plait_err pl_fail_errno(plait_err code, const char *what, const char *path);
#endif
