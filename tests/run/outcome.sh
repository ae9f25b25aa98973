#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# outcome.sh PLAIT [MPIRUN]: what a run says about its result: outputs without axes on the terminal and in
# the report, the same whoever computed them, and what the kernel warns of.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mpirun=${2:-}
jobs=$source_dir/jobs
result() { sed -n 's/^Result: \(.*\)\. [a-z]*: [0-9]* block.*/\1/p' "$1"; }
alike() { checks=$((checks + 1)); [ "$(result out)" = "$first" ] || fail "$last: '$(result out)', not '$first'"; }

# ---- k-means: inertia, iterations, whether it converged
run 0 "$plait" run "$jobs/kmeans-climates.yaml" output=k.nc params.iterations=300
has out '^Result: sst_inertia [0-9.]+, sst_iterations [0-9]+, sst_converged 1, sst_skipped 8790\. kmeans: '
has_not out 'not converged'; first=$(result out)
run 0 "$plait" run "$jobs/kmeans-climates.yaml" output=k.nc --force --format json --report k.json
is_json; has out '"sst_inertia": [0-9.]+,$'; has out '"sst_converged": 1,$'; has out '"result_warning": ""'; has err '^Result: '
run 0 "$plait" report k.json -o k.html; run 0 grep -q 'Result: sst_inertia' k.html
run 0 "$plait" run "$jobs/kmeans-climates.yaml" output=k.nc --force params.iterations=2
has out 'sst_converged 0.* Warning: kmeans has not converged after 2 iterations: .*params.iterations allows more'
run 0 "$plait" info k.nc:sst_converged; has out 'sst_converged: int64 = 0'
for n in 2 3; do
  [ -n "$mpirun" ] || break
  run 0 "$mpirun" -np $n "$plait" run "$jobs/kmeans-climates.yaml" output=k.nc --force params.iterations=300; alike
done

# ---- one pass over one tile: the rank that merged the last block knows
mean() { run 0 "$@" 'input=generate:random?shape=6000x1000&type=float32' --force 'params.axes=all' 'params.statistics=[mean,std,min,max]' run.block=64KiB; }
mean "$plait" run "$jobs/sst-stats.yaml" output=s.nc; has out 'Result: .*mean 0\.[0-9]+, .*stats: [0-9]+ blocks'; first=$(result out)
for n in 2 4; do
  [ -n "$mpirun" ] || break
  mean "$mpirun" -np $n "$plait" run "$jobs/sst-stats.yaml" output=s.nc; alike
done
run 0 "$plait" run "$jobs/sst-stats.yaml" output=t.nc; has_not out 'Result:'

# ---- what is missing is declared: as the input does, else as NaN, which many programs take for a value
if command -v ncdump >/dev/null; then
  run 0 ncdump -h t.nc; has out 'sst_mean:_FillValue = -1.e\+34f'
  run 0 ncdump -h s.nc; has out '_mean:_FillValue = NaNf?'
fi

# ---- Monte Carlo: a target that is not reached; how many samples were used
mc() { run 0 "$plait" run "$jobs/montecarlo-option.yaml" output=mc.nc --force "$@"; }
mc params.target=0.01; has out 'Result: value 5\.8[0-9]+, error 0\.00[0-9]+, samples [0-9]+, reached 1\. '; has_not out 'Warning: asian'
mc params.target=1e-6 params.rounds=2 params.samples=1000 params.method=random params.antithetic=true
has out 'samples 2048, reached 0\. Warning: asian: the standard error is [0-9.e-]+ after all 2 rounds, the target is 1e-06 \(.*times as many\)'
mc params.target=1e-6 params.rounds=2 params.samples=1000 params.method=random --format json -q
is_json; has out '"reached": 0$'; has out '"result_warning": "asian: '; empty err
mc params.target=0 params.samples=1000 params.method=random; has out 'samples 1000\. '; has_not out 'reached|Warning: asian'
run 0 "$plait" info mc.nc:reached; has out '= nan'
run 0 "$plait" describe montecarlo; has out 'antithetic a pair'; has out 'rounded'

finish
