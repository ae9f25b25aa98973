// SPDX-License-Identifier: BSD-3-Clause
//
// How long a job takes on N nodes with R ranks of T threads each: the model of `plait plan`,
// written down. Pure functions; what they need was measured here (trials of a sample, probe.h).
//
//   wall     = start + longest + what is exposed
//   longest  = max(compute + messages, read, write, strands, storage)
//   exposed  = of the other strands' time the share that overlap did not hide when it was measured;
//              at least the edges: a rank's first read and last write, which nothing can hide
//   compute  = (one thread's time + the reading that the team does) / workers x sharing x team
//              x turns x idle
//     workers  threads that have a core: the least of ranks x threads and the cores
//     sharing  cores that compute at once share the memory of their node. With all cores of this
//              node busy a core is `sharing` times slower than alone (measured). A node's memory
//              is either enough or it is not, so with w of c cores busy: max(1, sharing x w / c).
//     team     threads of one rank wait for each other where ranks do not (measured: one team of
//              all cores against a rank on each); grows with the logarithm of the team.
//     turns    more threads than cores take turns, refill caches, and hold up the ranks that wait
//              for them (measured: twice as many ranks as cores); grows with the logarithm of the
//              crowd.
//     idle     blocks are not divided: 9 of them on 8 ranks take as long as 16.
//   messages = evolve: the exchanges (measured between two ranks, by the cells of a halo: the
//              surface of a rank's part). reduce: the merge at the end of a pass, one partial up
//              each level of the tree of ranks; reduce in steps: the same in every step.
//   read, write = a rank's strand by itself / ranks; storage: bytes / what the storage gives to
//              all.
//   strands  = CPU time of everything / cores: what is hidden behind arithmetic still needs a core.
//   start    = one process; or mpirun with two ranks, and more for each further rank of a node.
//
// Beyond this machine it assumes the same cores, as much memory bandwidth for each, a network of
// 10 GB/s and 2 us, and storage as fast as here. `sure` grows with the distance from what was
// measured.
#ifndef PL_MODEL_H
#define PL_MODEL_H
#include "plait.h"

typedef struct pl_layout_try { // a launch
  int nodes;
  int ranks;   // in all
  int threads; // of each
  int cores;   // of a node
} pl_layout_try;

typedef struct pl_load { // a whole job, from what was measured of a sample of it here; times in s
  plait_pattern pattern;
  int cores;            // of the machine that measured
  double compute;       // one thread, nothing beside it
  bool stepwise;        // a reduction in steps: messages in every step
  double sharing, team; // >= 1, see above
  double crowding;      // >= 1: `turns` of twice as many threads as cores; 0: not measured
  double read, write;   // one rank, one after another
  double io_cpu;        // CPU of reading and writing
  double units;         // blocks or steps
  double pieces;        // blocks of a pass, that ranks share out; 0: all ranks work on every unit
  double messages;      // two ranks: waiting for messages that nothing hid
  double message_bytes; // two ranks: sent, in all
  double start_one, start_ranks, start_more;
  double storage_bytes; // written
  double storage_rate;  // bytes/s to the disk; 0: nothing is written
  double exposed;       // share of the shorter strands that overlap does not hide, 0..1
  double team_reads;    // share of the reading that the team does, from the page cache, 0..1
  double memory_fixed, memory_thread, memory_shared; // bytes: a rank, each thread, divided by ranks
  double spread; // of repeated measurements: (most - least) / median
} pl_load;

typedef struct pl_forecast {
  double wall;
  double start, compute, read, write, messages, strands; // s, parts of it; hidden ones too
  double sure;   // expected within wall / (1 + sure) .. wall x (1 + sure)
  double memory; // bytes of a rank
  const char
      *bound; // "computing", "reading", "writing", "copying", "storage", "messages", "start-up"
} pl_forecast;

void pl_model_forecast(const pl_load *load, const pl_layout_try *layout, pl_forecast *forecast);

// Layouts that fill the cores of all nodes: every way to divide a node's cores into ranks of equal
// size, one rank of all cores first. Returns how many, at most `room`. Without ranks: one process.
int pl_model_layouts(int nodes, int cores, bool with_ranks, pl_layout_try layouts[], int room);
#endif
