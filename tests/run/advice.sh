#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# doctor, compare and plan on the real program, on whatever machine this is; with $2 = mpirun also under
# it, with binding options, taskset and variables of OpenMP. Cores and times differ, so what is checked
# is what must hold anywhere.
. "$(dirname "$0")/lib.sh"
mpirun=${2:-}
export XDG_CACHE_HOME=$work/cache
unset OMP_NUM_THREADS OMP_PLACES OMP_PROC_BIND
cores=$("$plait" doctor --format json 2>/dev/null | sed -n 's/.*"node_cores": \([0-9]*\).*/\1/p' | head -1)
cpus=$("$plait" doctor --format json 2>/dev/null | sed -n 's/.*"node_cpus": \([0-9]*\).*/\1/p' | head -1)
cat >job.yaml <<'E2'
kernel: gaussian
input: generate:ramp?shape=700x500
output: result.npy
params: {sigma: 6, axes: [0, 1]}
E2

# doctor: a quota of the machine that tests run on may be a problem, so 0 or 3
code=0
"$plait" doctor >out 2>err || code=$?
last=doctor
[ $code = 0 ] || [ $code = 3 ] || fail "doctor exits with $code"
has out '^ *rank +host'
if "$plait" --version | grep -q 'reads.*netcdf'; then has out '^NetCDF +[4-9]'; has_not out 'HDF5 +not linked'; fi
has out '^ *0 .*read, write'
has out '^MPI '
has out '^storage '
"$plait" doctor --format json >out 2>err; last='doctor --format json'; is_json
run 3 "$plait" doctor gone.yaml; has out 'PROBLEM .*gone.yaml'
mkdir locked; printf 'kernel: gausian\n' >bad.yaml
run 3 "$plait" doctor bad.yaml; has out 'PROBLEM .*bad.yaml:1:1: error'; has out "bad.yaml:1:9: error: .*'gaussian'"
run 2 "$plait" doctor --bogus; has err 'unknown option'
run 2 "$plait" doctor job.yaml nonsense; has err 'not key=value'
run 3 env OMP_THREAD_LIMIT=1 "$plait" doctor; has out 'PROBLEM .*OMP_THREAD_LIMIT=1'
run 3 "$plait" doctor --threads $((cpus + 1)); has out 'PROBLEM .*take turns'
if [ "$cores" -gt 1 ]; then
  run 3 "$plait" doctor --threads 1; has out 'PROBLEM .*stay idle'; has out 'cure: '
  first=$(taskset -pc $$ 2>/dev/null | sed 's/.*: //; s/[-,].*//')
  [ -z "$first" ] || { run 3 taskset -c "$first" "$plait" doctor; has out 'stay idle'; }
fi
(ulimit -n 100 && run 3 "$plait" doctor && has out 'PROBLEM .*100 files' && has out 'ulimit -n 1024') ||
  fail 'doctor under ulimit -n'
[ -z "$(ls -A locked)" ] || fail 'doctor leaves files'
# nodes that are not here
run 0 "$plait" doctor --topology 'pack:2 [numa] core:64 pu:2' --ranks 4
has out '^ *2 node +128-191 +32 1 +32, bound'; has out '128 cores, 256 CPUs, 2 NUMA'; has out '^healthy'
run 0 "$plait" doctor --topology 'pack:2 numa:4 core:16 pu:2' --ranks 8; has out '^ *7 node +224-255 +16 7 '
run 0 "$plait" doctor --topology 'pack:2 [numa] core:64 pu:2' --ranks 3 --format json; is_json; has out '"cpus": "84-169"'
run 3 "$plait" doctor --topology 'core:1 pu:1' --ranks 3; has out 'PROBLEM .*3 compute threads'; has out 'mpirun -np 1'
run 3 "$plait" doctor --topology 'core:4 pu:2' --threads 2; has out 'PROBLEM .*2 of 4 cores stay idle'
run 2 "$plait" doctor --topology nonsense; has err 'nonsense'
run 2 "$plait" doctor --ranks 2; has err 'mpirun -np 2 plait doctor'
run 2 "$plait" doctor job.yaml --topology 'core:1 pu:1'; has err "'job.yaml' is a job"

# compare: three runs of each, nothing left behind
run 0 "$plait" compare job.yaml -q; has out '^serial '; has out '^(Best|No difference)'; empty err
[ "$cores" = 1 ] || { has out '^threads '; has out '<- (best|simplest)'; has out '^overlap off'; }
[ ! -e result.npy ] || fail 'compare leaves a result'
[ "$(find . -name '.plait-trial*' | wc -l)" = 0 ] || fail 'compare leaves trials'
run 0 "$plait" compare job.yaml -q --full --format json -o bars.svg; is_json; has out '"bound": "'
has bars.svg '^<svg '; has bars.svg 'serial'
run 0 "$plait" compare job.yaml -q --repeat 3 -o bars.png params.sigma=2
[ "$(head -c 4 bars.png | tail -c 3)" = PNG ] || fail 'bars.png is no PNG'
run 0 env PATH=/nowhere "$plait" compare job.yaml -q
[ "$cores" = 1 ] || { has out 'Not compared: '; has_not out '^processes'; }
run 2 "$plait" compare job.yaml -o bars.pdf; has err 'must end in .svg or .png'
run 2 "$plait" compare bad.yaml; has err "'gaussian'"
run 2 "$plait" compare job.yaml -q params.sigma=-1; has err 'sigma'
run 2 "$plait" compare job.yaml -q input=gone.npy; has err 'gone.npy'
[ "$(find . -name '.plait-trial*' | wc -l)" = 0 ] || fail 'a failed compare leaves trials'
# stopped in the middle: the children end, the trials vanish
timeout -s INT 1.5 "$plait" compare job.yaml -q params.sigma=200 --full >out 2>err
last='compare, interrupted'; has err 'stopped by signal 2'
[ "$(find . -name '.plait-trial*' | wc -l)" = 0 ] || fail 'a stopped compare leaves trials'

# plan: measured once, then recalled
begun=$SECONDS
run 0 "$plait" plan job.yaml; took=$((SECONDS - begun)); has out '<- (best|fewest)'; has out 'plait run job.yaml'; has out '^#SBATCH --nodes=1'
has err '^plait: plan: measuring'
# every two seconds a line, so a plan without ranks may have ended before the first one
[ $took -lt 6 ] || has err '^plait: +[0-9]+ %  [0-9]+/[0-9]+ trials'
run 0 "$plait" plan job.yaml --format json; is_json; has out '"recalled": true'; empty err
[ "$(ls cache/plait | wc -l)" = 1 ] || fail 'plan keeps not one file'
run 0 "$plait" plan job.yaml --nodes 4 --cores 16 --memory 64GiB --time 2h --layout 3x5
has out '^3 x 5 '; has out 'map-by ppr:'; has out '^#SBATCH --nodes=4'; has out '^#SBATCH --time=02:00:00'; has out 'Assumed'
run 0 "$plait" plan job.yaml --memory 1KiB; has out 'No layout fits'
# it does not take longer than it may
run 0 "$plait" plan job.yaml --measure params.sigma=2 --limit 0.1s; has out 'within'
has err '^plait: plan: measuring'
has out 'Measured in 1 turn instead of 5'
run 2 "$plait" plan job.yaml --limit soon; has err '10s'
run 0 env XDG_CACHE_HOME=/proc "$plait" plan job.yaml -q; has out '<- (best|fewest)'; empty err
run 2 "$plait" plan job.yaml --memory lots; has err '64GiB'
run 2 "$plait" plan job.yaml --time soon; has err '2h'
run 2 "$plait" plan job.yaml --layout 3by5; has err '4x2'
[ ! -e result.npy ] || fail 'plan leaves a result'
[ "$(find . -name '.plait-trial*' | wc -l)" = 0 ] || fail 'plan leaves trials'

# a sample computes what it was asked to and leaves nothing
run 0 "$plait" run job.yaml --sample 2 --format json -q; has out '"complete": false'; has out '"blocks": 2'
[ ! -e result.npy ] && [ ! -e result.npy.partial ] || fail 'a sample leaves a result'
run 2 "$plait" run job.yaml --sample 0; has err 'sample'

# what a run measured: the report as a page, the trace for a viewer
run 0 "$plait" run job.yaml -q output=null: --report r.json --trace t.json
grep -q '"ph":"X".*"name":"compute"' t.json || fail 'no work in the trace'
[ ! -x /usr/bin/python3 ] || /usr/bin/python3 -c 'import json; json.load(open("t.json"))' || fail 'the trace is not JSON'
run 0 "$plait" report r.json; has out '^r.html: 1 rank of gaussian'; has r.html '<svg '; has r.html 'kernel: gaussian'
run 0 "$plait" report r.json -o page.html; has page.html '</html>'
run 2 "$plait" report job.yaml; has err 'no report of plait'
run 2 "$plait" report gone.json; has err 'gone.json'
run 2 "$plait" report .; has err 'no file'
run 2 "$plait" report r.json -o r.json; has err 'another file'
run 2 "$plait" run job.yaml output=null: --trace gone/t.json; has err 'gone: the trace cannot be written there'

# a run that has more threads than cores says so
run 0 "$plait" run job.yaml -q output=null: params.sigma=60 input='generate:ramp?shape=3000x2000' --threads $((8 * cpus))
has out 'Warning: threads'

# a quota of CPU time, where control groups can be made (root, v1 or v2)
for dir in /sys/fs/cgroup/cpu /sys/fs/cgroup; do
  group=$dir/plait-test-$$
  mkdir "$group" 2>/dev/null || continue
  { echo 100000 >"$group/cpu.cfs_quota_us" || echo '100000 100000' >"$group/cpu.max"; } 2>/dev/null
  if [ "$cores" -gt 1 ] && (echo "$BASHPID" >"$group/cgroup.procs") 2>/dev/null && [ -e "$group/cpu.max" -o -e "$group/cpu.cfs_quota_us" ]; then
    (echo "$BASHPID" >"$group/cgroup.procs"; exec "$plait" doctor) >out 2>err
    last='doctor under a quota of 1 CPU'
    has out 'control group allows the time of 1 CPUs: 1 thread on'
    has out '^ *0 .* 1, '
  fi
  rmdir "$group"
  break
done

[ -n "$mpirun" ] || finish
# under a launcher: one document, a line for each rank, all cores used, whatever the launcher binds
for ranks in 1 2 3 4; do
  code=0
  "$mpirun" -np $ranks "$plait" doctor >out 2>err || code=$?
  last="mpirun -np $ranks plait doctor"
  [ $code = 0 ] || [ $code = 3 ] || fail "$last exits with $code"
  [ "$(grep -c 'read, write' out)" = $ranks ] || fail "$last: not $ranks ranks"
  [ $ranks -le "$cores" ] && has_not out 'stay idle'
  [ $ranks -le "$cores" ] && has_not out 'take turns'
done
has out '^MPI .*MPI_THREAD_(SERIALIZED|MULTIPLE)'
use() { # EXPECTED_CORES WORDS...: the CPUs of all ranks together, limited by their threads
  local expected=$1 used
  shift
  "$@" "$plait" doctor --format json >out 2>err
  last="$* plait doctor"
  checks=$((checks + 1))
  used=$(awk -F'"' '/"cpus"/ {n = split($4, part, ","); for (i = 1; i <= n; i++) {m = split(part[i], e, "-");
         for (c = e[1]; c <= e[m]; c++) seen[c] = 1}}
         /"threads"/ {sub(/.*: /, ""); t += $0 + 0} END {for (c in seen) k++; print (t < k ? t : k)}' out)
  [ "$used" = "$expected" ] || fail "$last: $used cores used, not $expected"
}
if [ "$cores" = "$cpus" ] && [ "$cores" -gt 1 ]; then
  use "$cores" "$mpirun" -np 1
  use "$cores" "$mpirun" -np 2
  use "$cores" "$mpirun" --bind-to none -np 1
  use "$cores" "$mpirun" --bind-to none -np 2
  use 1 "$mpirun" --bind-to core -np 1 # asked for: kept
  run 0 "$mpirun" -np 1 "$plait" run job.yaml output=null:
  [ "$(grep -c 'mpirun bound this rank to' err)" = 1 ] || fail "$last: widening is not said in one line"
  run 3 "$mpirun" -np 1 "$plait" doctor job.yaml run.placement=inherit; has out 'stay idle'
  run 3 "$mpirun" -np 1 "$plait" doctor --threads 1; has out 'stay idle'
  use 2 "$mpirun" --bind-to core -np 2
  use 2 "$mpirun" --map-by slot:PE=2 -np 1
  use "$cores" env OMP_PLACES=cores OMP_PROC_BIND=close "$mpirun" --bind-to none -np 2
  use 2 env OMP_NUM_THREADS=1 "$mpirun" -np 2
  use 2 env OMP_NUM_THREADS=2 "$mpirun" -np 1
fi
run 0 "$mpirun" -np 2 "$plait" run job.yaml -q output=null: --report two.json --trace two.trace
has two.trace 'rank 1 on'; run 0 "$plait" report two.json; has two.html 'rank 1, '
run 2 "$mpirun" -np 2 "$plait" compare job.yaml; has err 'launches the ranks itself'
run 2 "$mpirun" -np 2 "$plait" plan job.yaml; has err 'launches ranks itself'
finish
