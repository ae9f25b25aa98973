#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# kept.sh PLAIT SHIM: what stays between passes and between runs. The memory that check promises is what a run takes,
# blocks kept for the next pass included; a kill between two passes leaves passes, and both commands say how many; a run
# that was complete but for its last step tells its values.
shim=$(realpath "$2")
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
itself=$((40 << 20)) # docs/job-file.md: the program, its libraries and stacks
number() { sed -n 's/.*"'"$1"'": *\([0-9]*\).*/\1/p' out | sort -n | tail -1; }

promised() { # JOB WORDS...: the peak is at most the promise and the program itself; the promise within the budget
  local promise peak
  run 0 "$plait" check --format json "$@" output=m.nc
  local needed kept
  needed=$(number memory_needed) kept=$(number memory_kept) promise=$((needed + ${kept:-0}))
  checks=$((checks + 1)); [ $promise -le "$(number memory_budget)" ] || fail "$last: $promise are beyond the budget"
  run 0 "$plait" run --quiet --format json "$@" output=m.nc
  peak=$(number peak_rss_bytes)
  checks=$((checks + 1))
  [ "${peak:-0}" -gt 0 ] && [ "$peak" -le $((promise + itself)) ] || fail "$last: peak ${peak:-unknown}, not $promise"
  rm -f m.nc
}
cat >rows.yaml <<'END'
kernel: kmeans
input: 'generate:random?shape=4000000x8&type=float32'
output: rows.nc
params: {k: 8, iterations: 3, tolerance: 0}
END
promised rows.yaml run.memory=80MiB
promised rows.yaml run.memory=80MiB run.block=5MiB
promised rows.yaml run.memory=2GiB # all of it stays
promised rows.yaml run.memory=24MiB
promised "$source_dir/jobs/relief-smooth.yaml"
promised "$source_dir/jobs/sst-stats.yaml"
promised "$source_dir/jobs/heat-rod3d.yaml"
run 0 "$plait" check rows.yaml run.memory=80MiB; has out 'memory +[78][0-9.]* MiB of .* 80 MiB: .* between passes'
run 0 "$plait" check "$source_dir/jobs/sst-stats.yaml" output=m.nc; has_not out 'between passes'

# ---- killed between passes, later and later after its journal appears, until there is a pass to tell of
cat >long.yaml <<'END'
kernel: kmeans
input: 'generate:random?shape=300000x8&type=float32'
output: long.nc
params: {k: 8, iterations: 400, tolerance: 0, labels: false}
END
passes=0
for seconds in 0.3 0.6 1.2 2.4; do
  "$plait" run long.yaml --quiet --threads 1 >/dev/null 2>&1 & pid=$!
  for _ in $(seq 100); do [ -e long.nc.journal ] && break; sleep 0.05; done
  sleep $seconds; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
  [ ! -e long.nc ] || break
  run 0 "$plait" resume-info long.yaml --format json
  passes=$(number passes_done); [ "${passes:-0}" = 0 ] || break
done
echo "  killed after ${passes:-0} passes"
checks=$((checks + 1)); [ "${passes:-0}" -gt 0 ] || fail "no pass was kept"
run 0 "$plait" resume-info long.yaml
has out "^passes +$passes are done"; has out '^results +[0-9]+ of [0-9]+ blocks of the pass after these'
left=$(sed -n 's/^left *\([0-9]*\) of \([0-9]*\) blocks.*/\1 \2/p' out)
"$plait" run long.yaml --threads 1 >/dev/null 2>err & pid=$!
sleep 0.5; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
last='the run that goes on'
done=$((${left#* } - ${left% *}))
has err "goes on from .*: $passes pass(es are| is) done, and $done of ${left#* } blocks of the next"

# ---- resume-info counts as the run does
cat >map.yaml <<'END'
kernel: gaussian
input: 'generate:random?shape=400x1000x1000&type=float32'
output: map.nc
params: {sigma: 5}
run: {block: 4 MB}
END
"$plait" run map.yaml --quiet --threads 1 >/dev/null 2>&1 & pid=$!
for _ in $(seq 100); do [ -e map.nc.journal ] && break; sleep 0.05; done
sleep 0.3; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
run 0 "$plait" resume-info map.yaml
left=$(sed -n 's/^left *\([0-9]*\) of.*/\1/p' out)
checks=$((checks + 1)); [ "${left:-0}" -gt 0 ] || fail "nothing is left"
"$plait" run map.yaml --threads 1 >/dev/null 2>err & pid=$!
sleep 0.5; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
last='the map that goes on'
has err "goes on from .*: [1-9][0-9]* of [0-9]+ blocks are done, $left are left"

# ---- complete, but killed before its journal was gone
export PLAIT_FAULT_DIR="$work" PLAIT_FAULT=rename:1:after
run 137 env LD_PRELOAD="$shim" "$plait" run "$work/long.yaml" --quiet
checks=$((checks + 1)); [ -e long.nc ] && [ -e long.nc.journal ] || fail "no complete result with its journal: $(ls)"
run 0 "$plait" info long.nc; inertia=$(sed -n 's/^random_inertia: float64 = \([0-9]*\).*/\1/p' out)
run 0 "$plait" run long.yaml
has err 'complete already'; has out "^Result: random_inertia ${inertia:-none}[0-9.]*, random_iterations 400, random_converged 0, "
finish
