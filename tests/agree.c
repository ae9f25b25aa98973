// SPDX-License-Identifier: BSD-3-Clause
//
// agree.h over pl_comm_agree, which is tested by itself first (tests/mpi/test_comm.c).
#include "agree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

void agree_code(pl_comm *comm, plait_err code, const char *what, const char *file, int line) {
  char text[PL_MESSAGE_BYTES + 256];
  if (code != PLAIT_OK) {
    snprintf(text, sizeof text, "%s: %s", what, pl_message());
    plait_fail(code, "%s", text);
  }
  if (pl_comm_agree(comm, code) == PLAIT_OK) return;
  print_error("%s\n", pl_message());
  _fail(file, line);
}

void agree_check(pl_comm *comm, bool good, const char *what, const char *file, int line) {
  plait_err code = good ? PLAIT_OK : plait_fail(PLAIT_VERIFY, "%s", what);
  if (pl_comm_agree(comm, code) == PLAIT_OK) return;
  print_error("%s\n", pl_message());
  _fail(file, line);
}

void agree_quiet(const pl_comm *comm) {
  if (pl_comm_rank(comm) == 0) return;
  bool quiet =
      freopen("/dev/null", "w", stdout) != NULL && freopen("/dev/null", "w", stderr) != NULL;
  (void)quiet; // else they are heard: no harm
}
