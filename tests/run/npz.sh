#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# NumPy archives: several results in one file, the same from every launch; NumPy reads them and plait
# reads those of NumPy.
. "$(dirname "$0")/lib.sh"
mpirun=${2:-}
job=$source_dir/jobs/sst-stats.yaml

run 0 "$plait" run "$job" output=stats.npz -q
run 0 "$plait" run "$job" output=again.npz -q --threads 1
cmp -s stats.npz again.npz || fail 'another number of threads gives another archive'
if [ -n "$mpirun" ]; then
  run 0 "$mpirun" -np 3 "$plait" run "$job" output=ranks.npz -q
  cmp -s stats.npz ranks.npz || fail 'three ranks give another archive'
fi
run 0 "$plait" info stats.npz; has out '^sst_mean: float32'; has out '^lat: float64'
run 0 "$plait" view stats.npz:sst_mean --no-legend -o npz.png; [ -s npz.png ] || fail 'no picture'
run 2 "$plait" view stats.npz:sst_men --no-legend -o bad.png; has err "did you mean 'sst_mean'"; lines err 1
run 2 "$plait" run "$job" output=stats.npy -q; has err 'write .npz or NetCDF'; lines err 1
run 0 "$plait" run "$source_dir/jobs/relief-smooth.yaml" input=stats.npz:sst_mean output=smooth.npz params.axes=all -q
run 0 "$plait" run "$source_dir/jobs/heat-rod3d.yaml" output=rod.npz -q; run 0 "$plait" info rod.npz
if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
  /usr/bin/python3 - <<'EOF' || fail 'NumPy does not agree'
import numpy, zipfile
for name in ("stats", "smooth", "rod"):
    assert zipfile.ZipFile(name + ".npz").testzip() is None, name
d = numpy.load("stats.npz")
assert d["sst_mean"].shape == (90, 180) and d["lat"][0] == -89 and d["lon"].shape == (180,)
assert numpy.nanmin(d["sst_max"] - d["sst_min"]) >= 0
numpy.savez("mine.npz", a=d["sst_mean"], b=numpy.int16(7))
numpy.savez_compressed("small.npz", a=d["sst_mean"])
EOF
  run 0 "$plait" info mine.npz; has out '^a: float32'; has out '^b: int16 = 7$'
  run 0 "$plait" run "$source_dir/jobs/relief-smooth.yaml" input=mine.npz:a output=mine-smooth.npz params.axes=all -q
  run 2 "$plait" info small.npz:a; has err 'compressed: save it with numpy.savez'; lines err 1
fi
finish
