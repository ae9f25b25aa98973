// SPDX-License-Identifier: BSD-3-Clause
//
// See environ.h.
#include "base/environ.h"
#include <stdatomic.h>

static atomic_bool shared;

void pl_environ_share(void) {
  atomic_store(&shared, true);
}

bool pl_environ_shared(void) {
  return atomic_load(&shared);
}
