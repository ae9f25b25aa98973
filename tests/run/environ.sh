#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# environ.sh PLAIT ENVIRON MPIRUN: nobody changes the environment while another thread reads it (ENVIRON, a
# library to preload, makes the reading slow and ends who does): alone and under mpirun, where MPI_Init does.
slow=$(realpath "$2")
mpirun=$3
. "$(dirname "$0")/lib.sh"
job=$source_dir/jobs/sst-stats.yaml
run 0 env LD_PRELOAD="$slow" "$plait" run "$job" output=alone.nc --quiet
run 0 "$mpirun" -np 2 -x LD_PRELOAD="$slow" "$plait" run "$job" output=ranks.nc --quiet
cmp -s alone.nc ranks.nc || fail 'other bytes'
# Evolve kernels look at the machine once more, while NetCDF is being loaded for the result.
run 0 env LD_PRELOAD="$slow" "$plait" run "$source_dir/jobs/heat-rod3d.yaml" output=heat.nc evolve.duration='1 min' --quiet
finish
