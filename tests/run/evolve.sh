#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# evolve.sh PLAIT [MPIRUN]: the evolve pattern on the whole program: the same bytes for ranks x threads x
# tile depths x overlap, gauges too; one clear line for what cannot be done.
. "$(dirname "$0")/lib.sh"
mpirun=${2:-}
relief=$source_dir/jobs/data/relief10.nc:z

cat >box.yaml <<'Y'
kernel: heat
output: box.nc
params:
  cells: [24, 40, 32]
  diffusivity: 0.1
  initial: [{kind: gaussian, amplitude: 2, x: 3, y: 5, z: 20, radius: 3}]
  sources: [{kind: gaussian, amplitude: 0.1, x: 20, y: 20, z: 2, radius: 2}]
  edges: [{face: x-, kind: periodic}, {face: y+, kind: fixed, value: 1}, {face: z-, kind: periodic}]
evolve: {steps: 45, step: 1, snapshot_steps: 10, stride: 3, maximum: true, arrival: 0.5,
  gauges: [{name: a, x: 10.5, y: 11, z: 12}]}
Y
cat >globe.yaml <<Y
kernel: tsunami
input: $relief
output: globe.nc
params: {south: -40, north: 50, coriolis: true,
  shapes: [{kind: gaussian, amplitude: 2, lon: 2, lat: -2, radius: 300}]}
evolve: {steps: 30, snapshot_steps: 15, stride: 8, arrival: 0.01, gauges: [{name: b, x: -0.1, y: 0.2}]}
Y

for job in box globe; do
  run 0 "$plait" run $job.yaml --quiet --threads 1 evolve.tile=1
  mv $job.nc one.nc; mv $job.nc.gauges.csv one.csv
  for ranks in 1 2 3 4; do
    [ $ranks = 1 ] || [ -n "$mpirun" ] || continue
    launch=(); [ $ranks = 1 ] || launch=("$mpirun" -np $ranks)
    for how in "1 0 true" "2 3 true" "3 7 false" "2 1 true"; do
      set -- $how
      run 0 "${launch[@]}" "$plait" run $job.yaml --force --quiet --threads "$1" evolve.tile="$2" run.overlap="$3"
      cmp -s $job.nc one.nc || fail "$job: other bytes with $ranks ranks, $1 threads, tile $2, overlap $3"
      cmp -s $job.nc.gauges.csv one.csv || fail "$job: other gauges with $ranks ranks, $how"
    done
  done
done

# Rows that ranks and threads cut along the last axis, so that no box holds a whole piece of one: the sums too.
plain=('params.edges=[]' 'params.sources=[]' 'evolve.gauges=[]')
for cells in '[8,200]' '[8,8,200]'; do
  run 0 "$plait" run box.yaml --force --quiet --threads 1 "${plain[@]}" params.cells="$cells" evolve.tile=1; mv box.nc one.nc
  for ranks in 1 2 4 5; do
    [ $ranks = 1 ] || [ -n "$mpirun" ] || continue
    launch=(); [ $ranks = 1 ] || launch=("$mpirun" -np $ranks)
    for how in "1 4" "2 3" "3 1"; do
      set -- $how
      run 0 "${launch[@]}" "$plait" run box.yaml --force --quiet --threads "$1" "${plain[@]}" params.cells="$cells" evolve.tile="$2"
      cmp -s box.nc one.nc || fail "cells $cells: other bytes with $ranks ranks, $1 threads, tile $2"
    done
  done
done

# The sums are those of the cells, pieces that the grid cuts off included.
run 0 "$plait" run box.yaml --quiet --force evolve.stride=1 'params.cells=[20,27,37]'
run 0 "$plait" run globe.yaml --quiet --force evolve.stride=1 params.south=-39.9
run 0 /usr/bin/python3 - <<'E'
import sys
try: import netCDF4, numpy as np
except ImportError: sys.exit(0)
d = netCDF4.Dataset('box.nc')
for t in range(len(d['time'])):
    assert abs(d['heat'][t] / d['temperature'][t].astype(float).sum() - 1) < 1e-13, t
d = netCDF4.Dataset('globe.nc')
area = 6371000 ** 2 * np.radians(1 / 6) ** 2 * np.cos(np.radians(d['lat'][:].astype(float)))[:, None]
for t in range(len(d['time'])):
    h = np.ma.filled(d['height'][t], 0).astype(float)
    for name, want in ('volume', (area * h).sum()), ('potential_energy', (area * h * h).sum() * 0.5 * 1025 * 9.80665):
        assert abs(d[name][t] / want - 1) < 1e-9, (name, t, d[name][t], want)
E
rm -f box.nc* globe.nc*

# Ranks with different numbers of threads would choose tiles of different depth.
if [ -n "$mpirun" ]; then
  run 0 "$plait" run box.yaml --force --quiet params.cells='[16,200,200]' evolve.steps=60 --threads 1
  mv box.nc one.nc; rm box.nc.gauges.csv
  run 0 "$mpirun" -np 1 -x OMP_NUM_THREADS=1 "$plait" run box.yaml --quiet params.cells='[16,200,200]' \
    evolve.steps=60 : -np 1 -x OMP_NUM_THREADS=4 "$plait" run box.yaml --quiet params.cells='[16,200,200]' evolve.steps=60
  cmp -s box.nc one.nc || fail 'other bytes when ranks have different threads'
fi

# The plan says steps, arrays and parts; its numbers are those of the run.
rm -f box.nc* globe.nc*
run 0 "$plait" check box.yaml --threads 1
has out 'temperature: float64, 5 x 8 x 14 x 11 \(time, z, y, x\), in K'; has out 'gauge_temperature: float64, 46 x 1'
has out 'grid     24 x 40 x 32 cells, cut into 1 x 1 x 1 part,'
has out 'steps    45 of 1 s \(45(\.0)? s\); stable up to 1\.66667 s'; has out 'kept     5 snapshots, every 10 steps'
run 0 "$plait" check box.yaml --format json; is_json; has out '"steps": 45'; has out '"name": "heat"'
run 0 "$plait" check globe.yaml 'evolve.gauges=[{name: Sahara, x: 10, y: 25}]'; has out '^warning .*Sahara at'
pacific=(params.west=120 params.east=230 'params.shapes=[{kind: gaussian, amplitude: 2, lon: 180, lat: 20, radius: 300}]')
# A longitude may be written from -180 to 180 where the grid counts to 360, and the other way round.
for x in -157.87 202.13; do
  run 0 "$plait" run globe.yaml output=turn$x.nc "${pacific[@]}" evolve.gauges="[{name: Honolulu, x: $x, y: 21.31}]" -q
done
cmp -s turn-157.87.nc.gauges.csv turn202.13.nc.gauges.csv || fail 'a gauge a turn further west is another place'
run 2 "$plait" check globe.yaml "${pacific[@]}" 'evolve.gauges=[{name: Denver, x: -105, y: 39}]'
has err 'Denver at \(-105, 39\) lies outside the grid: x from 120 to 230, y from -40 to 50'
# box.nc must not be there: a refused job leaves nothing behind
rm -f box.nc globe.nc
no() { run 2 "$plait" run "$@"; lines err 1; empty out; [ ! -e box.nc ] && [ ! -e globe.nc ] || fail "$last wrote"; }
no box.yaml evolve.step=2; has err 'unstable: at most 1\.66667 s'
no box.yaml evolve.steps=0; has err 'no steps'
no box.yaml evolve.duration='1 h'; has err 'not both'
no box.yaml evolve.steps=0 evolve.duration=1e300 evolve.step=1e-5; has err 'too many'
no box.yaml evolve.steps=1000000000000; has err 'time axes of 1e\+11 snapshots and 1e\+12 values'
no box.yaml evolve.steps=1000000000 evolve.snapshot_steps=1 run.memory=1GiB 'evolve.gauges=[]'
has err 'time axes of 1e\+09 snapshots .* run.memory is 1 GiB'
no box.yaml evolve.fields=presure; has err 'presure'
no box.yaml params.cells=[200000,200000,200000]; has err 'grid of 200000 x 200000 x 200000 cells takes .* of memory on a rank'
no box.yaml run.memory=100KiB; has err 'takes [0-9.]+ [KM]iB of memory on a rank, which may have 100 KiB'
no box.yaml 'evolve.gauges=[{name: far, x: 1, y: 99}]'; has err 'far.*outside the grid: x from 0.5 to 31.5, y from 0.5'
no box.yaml params.diffusivity_file=nowhere.nc; has err 'nowhere'
no box.yaml "params.diffusivity_file=$relief"; has err 'shape'
no box.yaml params.cells=[5]; has err 'axes'
no globe.yaml input=nowhere.nc; has err 'nowhere'
no globe.yaml 'params.faults=[{lon: 0, lat: 70, depth: 5, strike: 0, dip: 10, rake: 90, length: 10, width: 10, slip: 1}]'
has err 'fault.*outside'
no globe.yaml 'params.shapes=[{kind: gaussian, lon: 20, lat: 15, radius: 30}]'; has err 'land'
no globe.yaml 'params.shapes=[{kind: gaussian, lon: 20, lat: 85, radius: 30}]'; has err 'outside'
# Of several ranks one speaks, nothing is left, nobody hangs.
none() { # RANKS PATTERN WORDS...
  local ranks=$1 pattern=$2; shift 2
  run 2 timeout 60 "$mpirun" -np "$ranks" "$plait" run "$@"
  has err "$pattern"
  checks=$((checks + 1)); [ "$(grep -c error: err)" = 1 ] || fail "$last: not one line of error"
  checks=$((checks + 1)); [ -z "$(ls -d box.nc* globe.nc* 2>/dev/null)" ] || fail "$last: left something"
}
if [ -n "$mpirun" ]; then
  rm -f box.nc* globe.nc*
  none 4 'grid of 8 x 8 x 10 cells is too small for 4 ranks.*; use 2$' box.yaml 'params.cells=[8,8,10]' 'evolve.gauges=[]'
  none 7 'grid of 3 x 5 cells is too small for 7 ranks.*; use 1$' box.yaml 'params.cells=[3,5]' \
    'params.edges=[]' 'params.sources=[]' 'params.initial=[{kind: constant, amplitude: 1}]' 'evolve.gauges=[]'
  none 7 'too small for 7 ranks.*; use 6$' box.yaml 'params.cells=[40,40]' \
    'params.edges=[]' 'params.sources=[]' 'params.initial=[{kind: constant, amplitude: 1}]' 'evolve.gauges=[]'
  none 4 'no steps' box.yaml evolve.steps=0
  none 4 'too many' box.yaml evolve.steps=0 evolve.duration=1e300 evolve.step=1e-5
  none 4 'unstable: at most' box.yaml evolve.step=2
  none 4 'far.*outside' box.yaml 'evolve.gauges=[{name: far, x: 1, y: 99}]'
  none 4 'on land or outside' globe.yaml 'params.shapes=[{kind: gaussian, lon: 20, lat: 15, radius: 30}]'
  # Parts of one unit of 8 cells: the tile is as shallow as they are thin, the bytes are the same.
  run 0 "$plait" run box.yaml --quiet 'params.cells=[16,16,10]' 'evolve.gauges=[]' evolve.tile=32; mv box.nc one.nc
  run 0 timeout 60 "$mpirun" -np 4 "$plait" run box.yaml --quiet 'params.cells=[16,16,10]' 'evolve.gauges=[]' evolve.tile=32
  cmp -s box.nc one.nc || fail 'other bytes where parts are thinner than the tile that was asked for'
  rm -f box.nc
fi
# The table of the gauges is a result: replaced when that is asked for, found out before the work.
rm -f box.nc.gauges.csv globe.nc.gauges.csv
echo mine >box.nc.gauges.csv
no box.yaml; has err 'box.nc.gauges.csv exists already'
no globe.yaml evolve.gauge_file=box.nc.gauges.csv; has err 'box.nc.gauges.csv exists already'
no globe.yaml evolve.gauge_file=nowhere/a.csv; has err 'nowhere'
[ "$(cat box.nc.gauges.csv)" = mine ] || fail 'a table of gauges was replaced'
run 0 "$plait" run box.yaml --quiet --force evolve.steps=3; has_not box.nc.gauges.csv mine
rm -f box.nc box.nc.gauges.csv
# A file of uplift may be as large as the relief or as the part of it that is computed: the same result.
/usr/bin/python3 - "$source_dir/jobs/data/relief10.nc" <<'E'
import sys
try: import netCDF4, numpy as np
except ImportError: sys.exit(0)
d = netCDF4.Dataset(sys.argv[1]); lat = d['lat'][:]
up = np.exp(-(lat[:, None] / 2) ** 2 - ((d['lon'][:][None] - 190) / 2) ** 2).astype('f4')
for name, rows in ('all', lat > -99), ('some', (lat >= -40 - 1e-9) & (lat <= 50 + 1e-9)):
    with netCDF4.Dataset(name + '.nc', 'w') as f:
        f.createDimension('lat', rows.sum()); f.createDimension('lon', up.shape[1])
        f.createVariable('up', 'f4', ('lat', 'lon'))[:] = up[rows]
E
if [ -e some.nc ]; then
  for part in all some; do
    run 0 "$plait" run globe.yaml --quiet --force params.shapes=[] params.uplift=$part.nc:up output=$part-up.nc
  done
  cmp -s all-up.nc some-up.nc || fail 'an uplift of the part that is computed gives other bytes'
  run 2 "$plait" run globe.yaml --force params.shapes=[] params.uplift=some.nc:up params.south=-30
  has err 'some.nc:up has not the shape of the grid: 541 x 2160 in place of 481 x 2160 \(or 1081 x 2160, as the input\)'
  rm -f all*.nc* some*.nc*
fi
# A gauge on land takes the nearest water: a warning, also with --quiet, in the report and beside the series.
run 0 "$plait" run globe.yaml --quiet --report r.json 'evolve.gauges=[{name: sea, x: 0, y: 0}, {name: "Sahara, \"Sud\"", x: 10, y: 25}]'
has err 'warning: gauges on land take the nearest water: Sahara, "Sud" at \(12\.3'; has_not err 'sea at'; lines err 1
has r.json 'result_warning.*Sahara'
checks=$((checks + 1)); grep -aq 'nearest water: Sahara' globe.nc || fail 'the series does not say where it was taken'
[ "$(head -1 globe.nc.gauges.csv)" = 'time_s,sea,"Sahara, ""Sud"""' ] || fail "a name with a comma: $(head -1 globe.nc.gauges.csv)"
run 0 "$plait" run globe.yaml --quiet --force; lines err 0; has_not out land
run 0 "$plait" run box.yaml --quiet --force evolve.steps=3; run 0 "$plait" info box.nc; has out 'gauge_z'
rm -f box.nc box.nc.gauges.csv
# What becomes infinite on the way is found and told; the snapshots before it can be looked at.
infinite='params.sources=[{kind: constant, amplitude: 2.1e306}]'
for ranks in 1 2; do
  [ $ranks = 1 ] || [ -n "$mpirun" ] || continue
  launch=(); [ $ranks = 1 ] || launch=("$mpirun" -np $ranks)
  run 1 "${launch[@]}" "$plait" run box.yaml --force --quiet "$infinite"
  has err 'temperature is NaN or infinite at cell \(.*\) after step 4[0-9] \(none was seen after step 40\); the snapshots before are in .*box.nc.partial'
  [ $ranks -gt 1 ] || lines err 1
  [ ! -e box.nc ] || fail 'an infinite result got its name'
  run 0 "$plait" view box.nc.partial:temperature --slice time=4 --slice z=1 -o last.png
done
# What is infinite from the start is said so, and not even the first snapshot is written.
run 1 "$plait" run box.yaml --quiet 'params.initial=[{kind: constant, amplitude: 1e308}, {kind: constant, amplitude: 1e308}]'
has err 'temperature is NaN or infinite at cell \(0, 0, 0\) at the start'
# An infinite value where a snapshot looks is found there, not only when all cells are looked at.
run 1 "$plait" run box.yaml --force --quiet "$infinite" evolve.snapshot_steps=1
has err 'after step 44 \(none was seen after step 43\)'
run 0 "$plait" run box.yaml --force --quiet; [ ! -e box.nc.partial ] || fail 'the partial result of an infinite run stays'
finish
