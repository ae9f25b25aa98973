#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# own_evolve.sh PLAIT CC BUILD [MPIRUN]: an evolve kernel of the user's own that reads 12 cells on either
# side, more than a block is wide: the same numbers as NumPy and the same bytes for ranks x threads x tile
# depths in one to three dimensions, and one line where the grid is too small for it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
compiler=$2 mpirun=${4:-}
flags="-I$source_dir/src $(sed -n 's/^Cflags: -I[^ ]* //p' "$3/plait-uninstalled.pc")"
# shellcheck disable=SC2086
"$compiler" $flags -shared "$source_dir/tests/run/wide.c" -o wide.so || fail 'cannot build wide.c'
cat >wide.yaml <<'E'
kernel: ./wide.so
output: wide.nc
params: {cells: [200]}
evolve: {steps: 12, step: 1, snapshot_steps: 5, maximum: true}
E
cat >compare.py <<'E'
import sys
try: import netCDF4, numpy as np
except ImportError: sys.exit(0)
below, above, edge = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
d = netCDF4.Dataset('wide.nc'); d.set_auto_mask(False)
u = d['u'][0]
def wide(u, axis):
    n, width = u.shape[axis], [(0, 0)] * u.ndim
    width[axis] = (below, above)
    p = np.pad(u, width, 'wrap' if edge == 'periodic' else 'symmetric')
    if edge == 'fixed': # 1 at the lower face, 0 at the upper
        q = np.moveaxis(p, axis, 0)
        q[:below] = 2 - q[:below]
        q[below + n:] = -q[below + n:]
    return p
for step in range(1, 11):
    total = np.zeros_like(u)
    for axis in range(u.ndim):
        p, n = wide(u, axis), u.shape[axis]
        for k in range(-below, above + 1):
            total += (1 + 0.01 * k) * (np.take(p, range(below + k, below + k + n), axis) - u)
    u = u + 0.2 / (below + above + 1) * total
    if step % 5 == 0:
        assert np.abs(d['u'][step // 5] - u).max() < 1e-12, (step, np.abs(d['u'][step // 5] - u).max())
        assert abs(d['total'][step // 5] / u.sum() - 1) < 1e-12
E

for grid in '[200] 12 12' '[120,41] 12 5' '[26,40,119] 4 12'; do
  read -r cells below above <<<"$grid"
  for edge in insulated fixed periodic; do
    how=("params.cells=$cells" "params.below=$below" "params.above=$above" "params.edge=$edge" --quiet --force)
    run 0 "$plait" run wide.yaml "${how[@]}" --threads 1 evolve.tile=1
    cp wide.nc one.nc
    run 0 /usr/bin/python3 compare.py "$below" "$above" $edge
    launches=('1 3 4' '3 2 2') # ranks, threads, tile depth
    [ $edge != periodic ] || launches=('1 2 0' '2 1 5' '3 2 1' '4 1 2' '7 1 0')
    for launch in "${launches[@]}"; do
      read -r ranks threads tile <<<"$launch"
      [ "$ranks" = 1 ] || [ -n "$mpirun" ] || continue
      start=(); [ "$ranks" = 1 ] || start=("$mpirun" -np "$ranks")
      run 0 "${start[@]}" "$plait" run wide.yaml "${how[@]}" --threads "$threads" evolve.tile="$tile"
      cmp -s wide.nc one.nc || fail "$cells, $edge: other bytes with $ranks ranks, $threads threads, tile $tile"
    done
  done
done

# Beyond a face lie copies of cells inside: there must be as many. Before, zeros were read in silence.
rm wide.nc
for edge in insulated fixed periodic; do
  for cells in '[11]' '[11,40]' '[40,11]' '[40,40,11]'; do
    run 2 "$plait" run wide.yaml "params.cells=$cells" params.edge=$edge
    has err 'cells is too small: along axis [012] a step reads 12 cells'; lines err 1
  done
done
run 2 "$plait" run wide.yaml 'params.cells=[0]'; has err 'too small'; lines err 1
run 1 "$plait" run wide.yaml 'params.cells=[20,20,20,20]'; has err 'grid of 4 axes: 1 to 3'; lines err 1
if [ -n "$mpirun" ]; then
  run 2 "$mpirun" -np 7 "$plait" run wide.yaml 'params.cells=[70,60]'
  has err 'grid of 70 x 60 cells is too small for 7 ranks.*; use 6$'
fi
checks=$((checks + 1)); [ ! -e wide.nc ] || fail 'a result in spite of an error'
finish
