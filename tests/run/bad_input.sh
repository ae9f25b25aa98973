#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Bad input of every kind through the whole program: one clear line, the documented exit code, no file
# under the final name, no hang. $1 plait, $2 mpirun or nothing.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mpirun=${2:-}
smooth=$source_dir/jobs/relief-smooth.yaml
stats=$source_dir/jobs/sst-stats.yaml
relief=$source_dir/jobs/data/relief10.nc

# refused CODE PATTERN WORDS...: `plait run` says one line that matches and leaves no result
refused() {
  local code=$1 pattern=$2
  shift 2
  rm -f result.npy result.nc
  run "$code" timeout 60 "$plait" run --quiet "$@"
  has err "$pattern"
  empty out
  checks=$((checks + 1))
  [ "$(grep -c error: err)" = 1 ] || fail "$last: not one line of error"
  checks=$((checks + 1))
  { [ ! -e result.npy ] && [ ! -e result.nc ]; } || fail "$last: left a result"
}
smooth() { local c=$1 p=$2; shift 2; refused "$c" "$p" "$smooth" output=result.npy "$@"; }
stats() { local c=$1 p=$2; shift 2; refused "$c" "$p" "$stats" output=result.nc "$@"; }

# An NPY file: version 1.0, header dictionary $2, then $3 zero bytes.
npy() { # FILE DICT BYTES
  local dict="$2" length
  while [ $(((10 + ${#dict} + 1) % 64)) != 0 ]; do dict+=' '; done
  length=$((${#dict} + 1))
  { printf '\x93NUMPY\x01\x00'; printf "\\x$(printf %02x $((length % 256)))\\x$(printf %02x $((length / 256)))"
    printf '%s\n' "$dict"; head -c "$3" /dev/zero; } >"$1"
}

# ---- the job
printf 'kernel: gausian\ninputt: x.npy\noutput: result.npy\nparams: {sigma: wide}\n' >bad.yaml
run 2 "$plait" run bad.yaml
has err "bad.yaml:1:9: error: .*did you mean 'gaussian'"
has err "bad.yaml:2:1: error: .*did you mean 'input'"
smooth 2 "did you mean 'sigma'" params.sigmaa=3
smooth 2 'must be from 0' params.sigma=-1
smooth 2 'must be a number' params.sigma=wide
smooth 2 "did you mean 'reflect'" params.boundary=refelct
smooth 2 'must be a size' run.memory=lots
smooth 2 'too small: this job needs' run.memory=10KiB
smooth 2 "no axis 'lonn'.*did you mean 'lon'" 'params.axes=[lonn]'

# More memory than there is: told by check and run, and not taken at its word; the same for ranks together.
memory() { # PATTERN SIZE COMMAND...: as on a node that gives 512 MiB
  local pattern="warning: run.memory: $1" size=$2
  shift 2
  run 0 env SLURM_MEM_PER_NODE=512 "$@" "$smooth" output=result.npy --force "run.memory=$size"
  has err "$pattern"; checks=$((checks + 1)); [ "$(grep -c 'run.memory' err)" = 1 ] || fail "$last: not said once"
}
memory '1 TiB is more than the 512 MiB that this process may have; [0-9.]+ MiB is left' 1TiB "$plait" check
memory '1 TiB is more than the 512 MiB .* is left' 1TiB "$plait" run
has out 'budget [0-9.]+ MiB'
memory '600 MiB is more than' 600MiB "$plait" run -q
run 0 env SLURM_MEM_PER_NODE=512 "$plait" check "$smooth" output=result.npy --force run.memory=256MiB; empty err
[ -z "$mpirun" ] ||
  memory '256 MiB for each of 3 ranks is more than the 512 MiB' 256MiB "$mpirun" -np 3 "$plait" run
rm -f result.npy
run 0 env SLURM_MEM_PER_NODE=512 "$plait" run "$source_dir/jobs/option-study.yaml" output=s.csv run.memory=1TiB \
  'vary.params.seed=[1]' run.group=1
checks=$((checks + 1)); [ "$(grep -c 'run.memory' err)" = 1 ] || fail "$last: not said once"
rm -f s.csv

# What a kernel refuses is pointed at: the parameter that it names, in the file or on the command line; one
# that the job leaves at its default, at those of `params`. Also when files had to be read to find it.
heights=$source_dir/jobs/data/relief10.nc:z
points() { run 2 "$plait" run at.yaml "${@:2}"; has err "$1"; lines err 1; [ ! -e at.nc ] || fail "$last wrote"; }
printf 'kernel: gaussian\ninput: %s\noutput: at.nc\nparams:\n  axes: [0]\n  sigma: [1, 2, 3]\n' "$heights" >at.yaml
points 'at.yaml:6:10: error: gaussian: sigma: give one value'
points 'command line: error: gaussian: sigma: give one value' 'params.sigma=[1,2]'
printf 'kernel: heat\noutput: at.nc\nparams:\n  diffusivity: 1\n  cells: [8, 8]\n  spacing: [1, 1, 1]\nevolve: {steps: 2}\n' >at.yaml
points 'at.yaml:6:12: error: heat: spacing: '
points 'command line: error: heat: cells: ' 'params.cells=[8]'
printf 'kernel: tsunami\ninput: %s\noutput: at.nc\nparams:\n  south: 10\n  north: 10.1\n' "$heights" >at.yaml
printf '  faults: [{lon: 0, lat: 0, depth: 5, strike: 0, dip: 9, rake: 90, length: 9, width: 9, slip: 1}]\nevolve: {duration: 1 h}\n' >>at.yaml
points 'at.yaml:6:10: error: tsunami: north: fewer than 3 rows'
points 'at.yaml:7:11: error: tsunami: faults: one lies outside' params.north=30
printf 'kernel: stats\ninput: %s\noutput: at.nc\nparams:\n  axes: [0]\n  statistics: [histogram]\n' "$heights" >at.yaml
points 'at.yaml:5:3: error: stats: range: a histogram needs'
npy three.npy "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }" 3
printf "kernel: train\ninput: 'generate:random?shape=8x4'\noutput: at.nc\nparams:\n  labels: three.npy\n" >at.yaml
points 'at.yaml:5:11: error: train: labels: there are 3 of them for 8 rows'

# ---- the input
smooth 2 'none.npy: cannot open.*No such file' input=none.npy
mkdir -p directory
smooth 2 'is a directory' input=directory
: >empty.npy
smooth 2 'empty' input=empty.npy
echo 'some text' >text.npy
smooth 2 'not an array file' input=text.npy
npy short.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (100, 100), }" 399
smooth 2 'truncated: expected 40128 bytes' input=short.npy
npy huge.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }" 64
smooth 2 'huge.npy: ' input=huge.npy
npy zero.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }" 0
smooth 2 'zero.npy: ' input=zero.npy
npy complex.npy "{'descr': '<c8', 'fortran_order': False, 'shape': (4, 4), }" 128
smooth 2 'complex.npy: ' input=complex.npy
if [ "$("$plait" --version | grep -c netcdf)" != 0 ]; then
  head -c 100000 "$relief" >cut.nc
  smooth 2 'truncated' input=cut.nc:z
  smooth 2 'no variable "zz"; did you mean "z"' input="$relief:zz"
  stats 2 'ddof: must be less than the 12 values' params.ddof=12
  stats 2 'ddof: must be less than the 12 values' params.ddof=999 params.statistics=variance
  run 2 "$plait" check "$stats" output=result.nc params.ddof=12; has err 'ddof: must be less'
  run 0 "$plait" run -q "$stats" output=few.nc params.ddof=12 params.statistics=mean # it is not used
  run 0 "$plait" run -q "$stats" output=few.nc --force params.ddof=11
  stats 2 "did you mean 'lat'" input="$relief:z" 'params.axes=[latt]'
  cp "$relief" both.nc
  smooth 2 'is the input' input=both.nc:z output=both.nc --force
  checks=$((checks + 1)); cmp -s "$relief" both.nc || fail 'the input was touched'
fi
if [ "$(id -u)" != 0 ]; then
  npy secret.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 4), }" 64
  chmod 000 secret.npy
  smooth 2 'Permission denied' input=secret.npy
fi

# ---- the output
npy good.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 50), }" 8000
smooth 2 'nodir' input=good.npy output=nodir/result.npy
smooth 2 "'.xyz'" input=good.npy output=result.xyz
echo precious >taken.npy
smooth 2 'exists already' input=good.npy output=taken.npy
has taken.npy precious
run 0 "$plait" run --quiet --force "$smooth" input=good.npy output=taken.npy
has_not taken.npy precious

# ---- missing values: results, not errors
npy nan.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (16, 16), }" 0
for _ in $(seq 256); do printf '\x00\x00\xc0\x7f'; done >>nan.npy
for job in "$smooth" "$stats"; do
  run 0 "$plait" run --quiet --force "$job" input=nan.npy output=allnan.nc params.axes=all
done

# ---- a full disk: one line, no result, then it works when there is room
if [ "$(id -u)" = 0 ] && mkdir -p small && mount -t tmpfs -o size=2m none small 2>/dev/null; then
  smooth 1 'the disk is full' 'input=generate:ramp?shape=2000x1000&type=float32' output=small/result.npy
  checks=$((checks + 1)); [ ! -e small/result.npy ] || fail 'a result on a full disk'
  umount small
else
  echo 'skipped: a full disk (needs root for a small tmpfs)'
fi

# ---- many ranks, little work: nothing hangs, errors are said once
if [ -n "$mpirun" ]; then
  for shape in 3x8 1x1 2x3000; do
    run 0 timeout 100 "$mpirun" -np 4 "$plait" run --quiet --force "$smooth" \
      "input=generate:ramp?shape=$shape&type=float32" output=few.npy params.sigma=1
    run 0 timeout 100 "$mpirun" -np 4 "$plait" run --quiet --force "$stats" \
      "input=generate:ramp?shape=$shape&type=float32" output=few.nc params.axes=all
  done
  for words in 'input=none.npy' 'params.sigma=wide' 'output=nodir/result.npy'; do
    run 2 timeout 100 "$mpirun" -np 3 "$plait" run --quiet "$smooth" output=result.npy "$words"
    checks=$((checks + 1)); [ "$(grep -c 'error:' err)" = 1 ] || fail "$last: said more than once"
  done
fi
# ---- learning and sampling
climates() { local c=$1 p=$2; shift 2; refused "$c" "$p" "$source_dir/jobs/kmeans-climates.yaml" output=result.nc "$@"; }
climates 2 'k: 100000 clusters are asked for, the input has 16200 rows' params.k=100000
climates 2 "unknown key 'params.clusters'; did you mean 'k'" params.clusters=5
climates 2 "unknown key 'params.n_clusters'; did you mean 'k'" params.n_clusters=5
climates 2 "unknown key 'params.label'; did you mean 'labels'" params.label=false
# What was refused is not done and will be refused again: nothing is kept to go on with.
for again in 1 2 3; do
  climates 2 'row [0-9]+ has a missing value' params.missing=refuse run.block=64KiB; has_not err 'continue with'
  [ ! -e result.nc.journal ] && [ ! -e result.nc.partial ] || fail "$last: left something to be continued"
done
run 0 "$plait" run "$source_dir/jobs/kmeans-climates.yaml" output=result.nc params.missing=skip -q
climates 2 'none.npy: cannot open' params.centers=none.npy
option() { local c=$1 p=$2; shift 2; refused "$c" "$p" "$source_dir/jobs/montecarlo-option.yaml" output=result.nc "$@"; }
option 2 'must be from 2' params.samples=-1
option 2 'must be one of pi' params.problem=nothing
option 2 'takes no input' input="$relief"

finish
