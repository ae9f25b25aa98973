// SPDX-License-Identifier: BSD-3-Clause
//
// Memory that lies in a file may be lost: the file becomes shorter, the disk fails. The system then
// sends SIGBUS to whoever looks, and nothing can be returned from there.
#ifndef PL_LOST_H
#define PL_LOST_H
#include "base/err.h"

// From now on the process ends with `line` on stderr and exit code 1 when one of these bytes is
// lost; what is on the disk stays. One range at a time: false while there is another. *borrows*
// line. Threads: any.
bool pl_lost_watch(const void *begin, size_t bytes, const char *line);
void pl_lost_rest(void);
#endif
