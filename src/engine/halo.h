// SPDX-License-Identifier: BSD-3-Clause
//
// The exchange of halos: one message to each neighbour, diagonal ones too, with all fields in it;
// deep enough for a whole time tile. Packing and unpacking are shared by the team; messages are
// posted, moved and awaited by its leader.
#ifndef PL_HALO_H
#define PL_HALO_H
#include "engine/decompose.h"
#include "engine/tile.h"
#include "host/comm.h"

#define PL_HALO_MESSAGES 26

typedef struct pl_parcel {
  int rank; // neighbour
  int way[PL_AXES];
  int tag_out, tag_in;
  char *out, *in; // *owned*; in == NULL: from this rank itself (the message `twin`'s out)
  int twin;
  size_t room;
} pl_parcel;

typedef struct pl_halo {
  pl_comm *comm;
  const pl_fields *fields;
  const pl_tiling *tiling;
  int n;
  pl_parcel message[PL_HALO_MESSAGES];
  pl_request request[2 * PL_HALO_MESSAGES];
  int pending;
  int steps;               // of the exchange under way: how deep it is
  bool fixed;              // all fields, not only those that change
  plait_err error;         // of a poke; told by wait
  int64_t messages, bytes; // sent to other ranks
  double waited;           // s
  struct pl_trace *trace;  // *borrowed*; NULL none
} pl_halo;

// PLAIT_MEMORY. Not collective.
plait_err pl_halo_start(pl_comm *comm, const pl_fields *fields, const pl_tiling *tiling,
                        const int ranks[PL_AXES], pl_halo *halo);
void pl_halo_stop(pl_halo *halo);
bool pl_halo_remote(const pl_halo *halo); // any other rank
// Team: packs what neighbours need for `steps` steps from `step`. `fixed`: with the constant
// fields.
void pl_halo_pack(pl_halo *halo, int64_t step, int steps, bool fixed, int thread, int threads);
plait_err pl_halo_post(pl_halo *halo); // leader
void pl_halo_poke(pl_halo *halo);      // leader
plait_err pl_halo_wait(pl_halo *halo); // leader
// Team: puts in place what came from this rank itself (`mine`) or from others.
void pl_halo_unpack(pl_halo *halo, int64_t step, bool mine, int thread, int threads);
#endif
