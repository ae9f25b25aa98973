#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# last_words.sh PLAIT LATE MPIRUN: mpirun kills the ranks that are left when one has ended with an error.
# The line that says why comes from rank 0; it must be there even if rank 0 is the last to end (LATE, a
# library to preload, makes it so; a loaded machine does now and then).
late=$(realpath "$2")
mpirun=$3
. "$(dirname "$0")/lib.sh"
printf 'kernel: heat\noutput: out.nc\nparams: {cells: [8, 8, 10], diffusivity: 0.1}\nevolve: {steps: 5, step: 1}\n' >job.yaml
# late WHEN CODE PATTERN COMMAND...
late() {
  run "$2" "$mpirun" -np 4 -x LD_PRELOAD="$late" -x PLAIT_LATE="$1" "$plait" "${@:4}"
  checks=$((checks + 1))
  [ "$(grep -cE "$3" err)" = 1 ] || fail "$last: '$3' is not once in its err"
}
late end 2 'too small for 4 ranks' run job.yaml
late end 2 'too small for 4 ranks' check job.yaml
late end 2 'unknown kernel' check job.yaml kernel=hate
late start 2 "unknown option '--bogus'" run job.yaml --bogus
late start 2 "unknown command 'runn'" runn
late start 2 "not key=value" run job.yaml nonsense
finish
