#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# jobs.sh PLAIT EXPECT [MPIRUN]: every job that ships runs as it stands, gives what its `# expect:`
# lines say, and the same bytes under mpirun; check, report and overrides on the way.
. "$(dirname "$0")/lib.sh"
expect=$(realpath "$2")
mpirun=${3:-}
sed 's/^/  /' <<<"program $plait, mpirun ${mpirun:-none}"

for job in "$source_dir"/jobs/*.yaml "$source_dir/jobs/own/slope.yaml"; do
  name=$(basename "$job" .yaml)
  case $name in fashion-*) continue ;; esac # large, and their data may be missing: train.sh
  result=$work/$name.nc
  run 0 "$plait" check "$job" output="$result"; has out '^kernel '; has out '^(blocks|steps) '; has out '^memory '
  run 0 "$plait" check "$job" output="$result" --format json; is_json; has out '"memory_needed"'
  [ ! -e "$result" ] || fail "check wrote $result"
  run 0 "$plait" run "$job" output="$result"; lines out 1; has out 'Peak memory'; has_not err 'error'
  run 0 "$expect" "$job" "$result"
  [ ! -e "$result.partial" ] || fail "$result.partial stays"
  run 2 "$plait" run "$job" output="$result"; has err 'force'; lines err 1; empty out
  run 0 "$plait" run "$job" output="$work/again.nc" --force --format json --report report.json --quiet --threads 1
  is_json; empty err; cmp -s out report.json || fail "$name: report and stdout differ"
  cmp -s "$result" again.nc || fail "$name: other bytes with one thread"
  run 0 "$plait" run "$job" output="$work/again.nc" --force run.schedule=static run.overlap=false
  cmp -s "$result" again.nc || fail "$name: other bytes without overlap"
  run 2 "$plait" run "$job" output="$work/x.nc" --report nowhere/r.json; has err 'nowhere'; lines err 1
  [ ! -e x.nc ] || fail "$name ran although its report could not be written"
  [ -n "$mpirun" ] || continue
  for n in 2 4; do
    run 0 "$mpirun" -np $n "$plait" run "$job" output="$work/mpi.nc" --force; lines out 1
    has out "on $n ranks"
    cmp -s "$result" mpi.nc || fail "$name: other bytes with $n ranks"
  done
done

job=$source_dir/jobs/relief-smooth.yaml
run 2 "$plait" run "$job" output="$work/y.nc" params.sigma=wide; has err 'command line: error'; empty out
run 2 "$plait" run "$job" output="$work/y.nc" params.sigmma=2; has err 'sigma'
run 2 "$plait" run "$job" output="$work/nowhere/y.nc"; has err 'nowhere'; lines err 1
if [ -n "$mpirun" ]; then
  run 2 "$mpirun" -np 3 "$plait" run "$job" output="$work/nowhere/y.nc"
  [ "$(grep -c 'nowhere' err)" = 1 ] || fail 'three ranks say it more than once'
  run 0 "$mpirun" -np 3 "$plait" kernels
  [ "$(grep -c '^gaussian' out)" = 1 ] || fail 'three ranks list the kernels more than once'
fi
# ---- blocks of few columns: storage brings pages, which may be more than the values; kernels with passes say so
s=$source_dir/jobs/sst-stats.yaml
{ printf '\x93NUMPY\x01\x00\x76\x00'; printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (400, 20000), }"; head -c 32000000 /dev/zero; } >wide.npy
run 0 "$plait" check "$s" input=wide.npy params.axes=0 params.statistics=quantile output=y.nc run.block=256KiB
has out '30.5 MiB to read, '; has out '^ +about [0-9.]+ [MG]iB from storage where memory cannot hold the file'
run 0 "$plait" check "$s" input=wide.npy params.axes=0 params.statistics=quantile output=y.nc run.block=1GiB; has_not out 'from storage'
run 0 "$plait" check "$s" input=wide.npy params.axes=1 params.statistics=quantile output=y.nc run.block=256KiB; has_not out 'from storage'
run 0 "$plait" check "$s" 'input=generate:random?shape=3000x400x800&type=float32' params.axes=0 output=y.nc; has_not out 'from storage'
run 0 "$plait" check "$source_dir/jobs/kmeans-climates.yaml" output=y.nc; has out 'to read in each pass, '

finish
