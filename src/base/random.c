// SPDX-License-Identifier: BSD-3-Clause
//
// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011)
// from the Random123 headers. A pure function, so that a number does not depend on who draws it.
// Words, low half first: counter and stream are the counter block, seed is the key.
#include "plait.h"

#include <Random123/philox.h>

void plait_random(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]) {
  philox4x32_ctr_t block = {
      {(uint32_t)counter, (uint32_t)(counter >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
  philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  philox4x32_ctr_t result = philox4x32_R(10, block, key);
  for (int i = 0; i < 4; i++) out[i] = result.v[i];
}
