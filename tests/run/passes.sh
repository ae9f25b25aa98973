#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# passes.sh PLAIT MPIRUN: many short passes of a reduction over several ranks: the bytes of one rank;
# between two passes only what the pass uses of a partial travels.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mpirun=$2
cat >job.yaml <<'END'
kernel: kmeans
input: 'generate:random?shape=20000x8'
output: one.nc
params: {k: 16, iterations: 40, tolerance: 0}
END
whole() { sed -n '1,/"per_rank"/s/.*"'"$1"'": *\([0-9]*\).*/\1/p' out; } # a number of the last report

run 0 "$plait" run job.yaml -q --threads 1
for ranks in 2 3 4; do
  for schedule in static dynamic; do
    run 0 "$mpirun" -np $ranks "$plait" run job.yaml output=r.nc run.schedule=$schedule --force -q --format json
    checks=$((checks + 3))
    cmp one.nc r.nc || fail "$ranks ranks, $schedule: other bytes"
    [ "$(whole passes)" -ge 42 ] || fail "$ranks ranks, $schedule: $(whole passes) passes"
    # The first pass takes a sample of the rows along, 1 MiB a partial; a later one needs 5 KiB.
    [ "$(whole bytes_sent)" -lt $((16 << 20)) ] || fail "$ranks ranks, $schedule: $(whole bytes_sent) bytes sent"
  done
done
finish
