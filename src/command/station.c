// SPDX-License-Identifier: BSD-3-Clause
//
// Placement comes first: libgomp and MPI look at the environment and the affinity mask when they
// start, so the program sets both and executes itself once more (a few milliseconds).
#include "command/station.h"
#include <stdio.h>

static plait_err place(const pl_launch *launch, const pl_wish *wish, char **argv,
                       pl_station *station) {
  TRY(pl_placement_decide(launch, wish, &station->placement));
  return pl_placement_enter(&station->placement, argv);
}

plait_err pl_station_start(const pl_launch *launch, const pl_wish *wish, bool all_ranks,
                           char **argv, pl_station *station) {
  *station = (pl_station){.launch = *launch};
  plait_err placed = place(launch, wish, argv, station);
  if (!all_ranks) return placed;
  char message[PL_MESSAGE_BYTES] = "";
  if (placed != PLAIT_OK) snprintf(message, sizeof message, "%s", pl_message());
  TRY(pl_comm_start(launch->launched, launch->size, &station->comm));
  if (placed != PLAIT_OK) pl_message_set(message);
  return pl_comm_agree(station->comm, placed);
}

plait_err pl_station_stop(pl_station *station, plait_err err) {
  if (err != PLAIT_OK && pl_station_speaks(station)) pl_voice_error(err);
  if (station->comm) pl_comm_stop(&station->comm);
  pl_placement_free(&station->placement);
  return err;
}

bool pl_station_speaks(const pl_station *station) {
  return station->comm ? pl_comm_rank(station->comm) == 0 : station->launch.rank <= 0;
}
