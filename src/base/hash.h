// SPDX-License-Identifier: BSD-3-Clause
//
// XXH3 (Collet, xxhash 0.8), 64 bits: checksums of records and fingerprints of results.
#ifndef PL_HASH_H
#define PL_HASH_H
#include <stddef.h>
#include <stdint.h>
uint64_t pl_hash(const void *data, size_t bytes, uint64_t seed);
#endif
