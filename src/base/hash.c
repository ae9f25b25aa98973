// SPDX-License-Identifier: BSD-3-Clause
//
// XXH3: the same 64 bits on every machine, tens of GB/s; it guards against accidents, not
// attackers.
#include "base/hash.h"

#include <xxhash.h>

uint64_t pl_hash(const void *data, size_t bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(data, bytes, seed);
}
