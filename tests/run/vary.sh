#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# vary.sh PLAIT [MPIRUN]: parameter studies. The same table under every launch and on both roads,
# after kill -9 and SIGTERM, with combinations that fail, and with every kind of mistake.
. "$(dirname "$0")/lib.sh"
mpirun=${2:-}
sst=$source_dir/jobs/data/sst_monthly.nc:sst
relief=$source_dir/jobs/data/relief10.nc:z
same() { checks=$((checks + 1)); cmp -s "$1" "$2" || fail "$last: $1 and $2 differ"; }
rows() { checks=$((checks + 1)); [ "$(wc -l <"$1")" = $(($2 + 1)) ] || fail "$last: $1 has not $2 rows"; }
gone() { checks=$((checks + 1)); local f; for f in "$@"; do [ ! -e "$f" ] || fail "$last: $f is there"; done; }

cat >price.yaml <<'EOF'
kernel: montecarlo
output: price.nc
params: {problem: european, samples: 3000}
vary:
  params.option: [call, put]
  params.strike: {from: 80, to: 120, count: 3, scale: log}
  params.seed: {from: 1, to: 4}
EOF

# ---- the table, and the same bytes whoever computes it
run 0 "$plait" check price.yaml; has out '24 combinations: 2 params.option x 3 params.strike x 4'
has out '1: option=call strike=80 seed=2'; has out 'value, error'
run 0 "$plait" check price.yaml --format json; is_json; has out '"combinations": 24'
gone price.nc
run 0 "$plait" run price.yaml; has out '24 combinations'; has out '[0-9.]+ KiB written'; rows price.csv 24; gone price.nc.journal price.nc.lock
head -1 price.csv >err; has err '^combination,option,strike,seed,value,error,.*,status,message$'
checks=$((checks + 1)); [ "$(cut -d, -f1-4 price.csv | sed -n 15p)" = 13,put,80,2 ] || fail 'row 13'
run 0 "$plait" run price.yaml output=b.nc --threads 1 run.schedule=static; same price.nc b.nc; same price.csv b.csv
run 0 "$plait" run price.yaml output=c.csv; same price.csv c.csv; gone c.nc
# A row is what a run of its own gives: the second road is one.
run 0 "$plait" run price.yaml output=d.nc run.group=1; same price.nc d.nc; gone d.nc.combination*
run 0 "$plait" info price.nc; has out 'value'
if [ -n "$mpirun" ]; then
  for n in 1 2 3 4; do
    run 0 "$mpirun" -np $n "$plait" run price.yaml output=m.nc --force -q; same price.nc m.nc; same price.csv m.csv
  done
  run 0 "$mpirun" -np 3 "$plait" run price.yaml output=g.nc run.group=2 -q; same price.nc g.nc
  run 0 "$mpirun" -np 4 "$plait" run price.yaml output=f.nc 'vary.params.seed=[1]' 'vary.params.option=[call]' -q
  run 0 "$plait" run price.yaml output=e.nc 'vary.params.seed=[1]' 'vary.params.option=[call]' -q; same e.nc f.nc
fi
run 2 "$plait" run price.yaml; has err 'exists already'

# ---- what a kernel warns of a result that stands: in its row, and counted at the end; the same on both roads
warn() { run 0 "$plait" run price.yaml 'vary.params.seed=[1]' 'vary.params.option=[call]' params.method=random params.samples=1000 params.rounds=2 "$@"; }
warn output=w.nc params.target=1e-6; rows w.csv 3
has err 'warning: 3 of 3 combinations have a warning .column message.; the first is 0 .*: european: the standard error is .* the target is'
checks=$((checks + 1)); [ "$(grep -cE ',done,"?european: the standard error is' w.csv)" = 3 ] || fail "$last: no warnings in the rows"
warn output=w2.nc params.target=1e-6 run.group=1; same w.nc w2.nc; same w.csv w2.csv
if [ -n "$mpirun" ]; then
  run 0 "$mpirun" -np 2 "$plait" run price.yaml 'vary.params.seed=[1]' 'vary.params.option=[call]' params.method=random \
    params.samples=1000 params.rounds=2 params.target=1e-6 output=w3.nc run.group=2
  same w.nc w3.nc; has err '3 of 3 combinations have a warning'
fi
warn output=w4.nc params.target=10; has_not err 'warning'

# ---- other kernels: an input in memory, arrays as columns, shapes that differ
cat >climates.yaml <<EOF
kernel: kmeans
input: $sst
output: climates.nc
params: {features: [time], missing: skip}
vary: {params.k: [2, 3, 20000], params.seed: [1, 2], columns: [sst_inertia, sst_counts, sst_labels.max]}
EOF
run 0 "$plait" run climates.yaml; has err '2 of 6 combinations failed; the first is 4 .k=20000 seed=1.: kmeans: k'; rows climates.csv 6
checks=$((checks + 1)); [ "$(grep -c ',failed,' climates.csv)" = 2 ] || fail 'two combinations with k > N'
checks=$((checks + 1)); [ "$(grep -c ',1,done,$' climates.csv)" = 2 ] || fail 'the greatest of two labels is 1'
run 0 "$plait" run climates.yaml output=c2.nc run.group=1; same climates.nc c2.nc; same climates.csv c2.csv
run 2 "$plait" run climates.yaml output=no.nc run.keep_going=false; has err 'combination 4'; gone no.nc no.csv

# ---- a file for each combination
cat >smooth.yaml <<EOF
kernel: gaussian
input: $relief
output: s{params.sigma}-{boundary}.nc
vary: {params.sigma: [0.5, 2], params.boundary: [reflect, nearest], columns: [z.max, z.mean], table: smooth.nc}
EOF
run 0 "$plait" run smooth.yaml -q; has out '[0-9.]+ MiB read, [0-9.]+ MiB written'; rows smooth.csv 4
sed '/^vary/d' smooth.yaml >one.yaml
run 0 "$plait" run one.yaml output=one.nc params.sigma=2 params.boundary=nearest -q
run 0 "$plait" check smooth.yaml --force
checks=$((checks + 1)); [ -s s0.5-reflect.nc ] && [ -s s2-reflect.nc ] || fail 'no file for a combination'
same s2-nearest.nc one.nc
run 2 "$plait" run smooth.yaml; has err 'exists already'
run 2 "$plait" run smooth.yaml output='s{sigma}.nc' --force; has err 'would both write'
run 2 "$plait" run smooth.yaml output='s{sigmma}.nc' --force; has err "did you mean '.sigma"
cat >rod.yaml <<EOF
kernel: heat
output: rod.nc
params: {cells: [16, 16], initial: [{kind: gaussian, x: 8, y: 8, radius: 3}]}
evolve: {steps: 20, maximum: true}
vary: {params.diffusivity: [1, 2], evolve.steps: [10, 20], how: zip, columns: [temperature.max, temperature_maximum.max]}
EOF
run 0 "$plait" run rod.yaml -q; rows rod.csv 2; gone rod.nc.combination-0.nc

# ---- kill -9, SIGTERM, going on with another number of ranks
slow=(run price.yaml output=k.nc params.samples=6000000 'vary.params.seed={from: 1, to: 20}' -q)
run 0 "$plait" "${slow[@]}"
mv k.nc whole.nc; mv k.csv whole.csv
"$plait" "${slow[@]}" >out 2>err & pid=$!
for ((i = 0; i < 300; i++)); do [ -e k.nc.journal ] && break; sleep 0.1; done
sleep 0.3; kill -9 $pid; wait $pid 2>/dev/null
gone k.nc k.csv
run 0 "$plait" resume-info price.yaml output=k.nc params.samples=6000000 'vary.params.seed={from: 1, to: 20}'
if [ -e k.nc.journal ]; then has out 'results .*[1-9][0-9]* of 120 combinations'; fi
run 2 "$plait" run price.yaml output=k.nc params.samples=6000001 'vary.params.seed={from: 1, to: 20}'; has err 'fresh'
"$plait" "${slow[@]}" >out 2>err & pid=$!
sleep 1; kill -TERM $pid; code=0; wait $pid || code=$?
checks=$((checks + 1)); last='kill -TERM'
[ $code = 75 ] || [ $code = 0 ] || fail "$last: exit $code"
if [ $code = 75 ]; then has err 'combinations done'; gone k.nc; fi
if [ $code = 75 ] && [ -n "$mpirun" ]; then run 0 "$mpirun" -np 3 "$plait" "${slow[@]}"; elif [ $code = 75 ]; then run 0 "$plait" "${slow[@]}"; fi
same k.nc whole.nc; same k.csv whole.csv; gone k.nc.journal k.nc.partial

# ---- mistakes
printf 'kernel: montecarlo\noutput: x.nc\nvary:\n  params.sed: [1]\n  params.strike: [1, two]\n  params.problem: [pii]\n  haw: zip\n' >bad.yaml
run 2 "$plait" check bad.yaml
has err "bad.yaml:4:3: error: .*did you mean 'vary.params.seed'"; has err "bad.yaml:5:22: error: .*'two'"
has err "bad.yaml:6:20: error: .*did you mean 'pi'"; has err "bad.yaml:7:3: error: .*did you mean 'vary.how'"
run 2 "$plait" run price.yaml output=x.nc 'vary.params.vol=[1]'; has err "did you mean 'vary.params.volatility'"
run 2 "$plait" run price.yaml output=x.nc 'vary.params.zzz=[1]'; has err "unknown key 'vary.params.zzz'"; has_not err 'did you mean'
run 2 "$plait" run price.yaml output=x.npy; has err '.nc or .csv'
run 2 "$plait" run price.yaml output=x.nc vary.table=y.nc; has err 'vary.table'
# Which launch suits it: combinations are what is counted.
run 0 "$plait" compare price.yaml -q output=x.nc; has out 'all 24 combinations'; has out '<- (best|simplest)'
run 0 env XDG_CACHE_HOME="$PWD/cache" "$plait" plan price.yaml -q output=x.nc; has out 'combinations/s'; has out '<- (best|fewest)'
rm -r cache; gone x.nc x.csv .plait-trial*
run 2 "$plait" run price.yaml output='x{seed}.nc'; has err 'name the table'
run 2 "$plait" run price.yaml output=x.nc 'vary.columns=[valu]'; has err "no output 'valu'; did you mean 'value'"
run 2 "$plait" run price.yaml output=x.nc run.group=9; has err 'only . were started'
run 2 "$plait" run price.yaml output=x.nc run.memory=1KiB; has err 'too small for a table'
run 2 "$plait" run price.yaml output=nowhere/x.nc; has err 'nowhere'
run 2 "$plait" run smooth.yaml output=x.nc vary.table= 'vary.columns=[z]' ; has err "vary.table|too large for a table"
gone x.nc x.csv
finish
