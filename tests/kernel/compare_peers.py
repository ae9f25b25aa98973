# SPDX-License-Identifier: BSD-3-Clause
"""The shipped kernels beside their peers, whole program, on the real data of jobs/data: gaussian
beside scipy.ndimage.gaussian_filter, stats beside CDO and numpy.  compare_peers.py PLAIT DATA
Exit code 77 (skipped) where numpy, netCDF4 or scipy is missing; without cdo its part is left out."""
import os
import shutil
import subprocess
import sys
import tempfile

try:
    import netCDF4
    import numpy as np
    from scipy import ndimage
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

PLAIT, DATA = map(os.path.abspath, sys.argv[1:3])
SST = os.path.join(DATA, "sst_monthly.nc")
RELIEF = os.path.join(DATA, "relief10.nc")
failures = []


def compare(what, got, want, tolerance):
    got = np.ma.filled(np.ma.asarray(got, dtype="f8"), np.nan)
    want = np.ma.filled(np.ma.asarray(want, dtype="f8"), np.nan).reshape(got.shape)
    if not np.array_equal(np.isnan(got), np.isnan(want)):
        failures.append(what)
        return print(f"FAILED  {what}: missing values differ")
    worst = np.nanmax(np.abs(got - want)) if got.size else 0.0
    if not worst <= tolerance:
        failures.append(what)
    print(f"{'FAILED ' if not worst <= tolerance else 'ok     '} {what}: {worst:.3g} <= {tolerance:g}")


def plait(kernel, source, *settings):
    job = os.path.join(tmp, "job.yaml")
    out = os.path.join(tmp, "out.nc")
    with open(job, "w") as f:
        f.write(f"kernel: {kernel}\ninput: {source}\noutput: {out}\n")
    subprocess.run([PLAIT, "run", job, "--force", "--quiet", *settings], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with netCDF4.Dataset(out) as d:
        return {name: v[...] for name, v in d.variables.items()}


def cdo(*operators):
    out = os.path.join(tmp, "cdo.nc")
    subprocess.run(["cdo", "-s", "-O", "-b", "F64", *operators, SST, out], check=True)
    with netCDF4.Dataset(out) as d:
        return d["sst"][...]


def stats_beside_numpy():
    with netCDF4.Dataset(SST) as d:
        sst = d["sst"][...].astype("f8")
    for axes, numbers in (("time", 0), ("lon", 2), ("[lat, lon]", (1, 2)), ("all", (0, 1, 2)),
                          ("[time, lon]", (0, 2))):
        got = plait("stats", SST + ":sst", f"params.axes={axes}", "params.type=float64",
                    "params.statistics=[count, mean, variance, std, min, max, sum]")
        for name, want in (("count", sst.count(numbers)), ("mean", sst.mean(numbers)),
                           ("variance", sst.var(numbers)), ("std", sst.std(numbers)),
                           ("min", sst.min(numbers)), ("max", sst.max(numbers)),
                           ("sum", sst.sum(numbers))):
            tolerance = {"count": 0, "min": 0, "max": 0, "sum": 1e-6}.get(name, 1e-9)
            compare(f"stats {axes} {name} / numpy", got["sst_" + name], want, tolerance)
    q = [0.05, 0.5, 0.9]
    got = plait("stats", SST + ":sst", "params.statistics=quantile", f"params.quantiles={q}",
                "params.type=float64")
    want = np.nanquantile(np.ma.filled(sst, np.nan), q, axis=0)
    compare("stats quantile / numpy", got["sst_quantile"], np.moveaxis(want, 0, -1), 1e-12)


def stats_beside_cdo():
    if not shutil.which("cdo"):
        return print("left out: cdo is not installed")
    both = ["params.type=float64", "params.statistics=[mean, std, min, max]"]
    time = plait("stats", SST + ":sst", "params.axes=time", *both)
    zonal = plait("stats", SST + ":sst", "params.axes=lon", *both)
    area = plait("stats", SST + ":sst", "params.axes=[lat, lon]", "params.weights=cos_lat", *both)
    sample = plait("stats", SST + ":sst", "params.axes=time", "params.ddof=1",
                   "params.type=float64", "params.statistics=std")
    for name in ("mean", "std", "min", "max"):
        compare(f"stats time {name} / cdo tim{name}", time["sst_" + name], cdo("tim" + name), 1e-5)
        compare(f"stats zonal {name} / cdo zon{name}", zonal["sst_" + name], cdo("zon" + name),
                1e-5)
        compare(f"stats area {name} / cdo fld{name}", area["sst_" + name], cdo("fld" + name), 1e-3)
    compare("stats time std, ddof 1 / cdo timstd1", sample["sst_std"], cdo("timstd1"), 1e-5)


def gaussian_beside_scipy():
    with netCDF4.Dataset(RELIEF) as d:
        z = d["z"][...].astype("f8")
    modes = {"reflect": "reflect", "nearest": "nearest", "mirror": "mirror", "periodic": "wrap"}
    for boundary, mode in modes.items():
        got = plait("gaussian", RELIEF + ":z", "params.sigma=[3, 5]", "params.type=float64",
                    f"params.boundary={boundary}")
        want = ndimage.gaussian_filter(z, [3, 5], mode=mode)
        compare(f"gaussian {boundary} float64 / scipy", got["z"], want, 1e-8)
    got = plait("gaussian", RELIEF + ":z", "params.sigma=5")  # in float32: 1e-7 of 1e4 m
    want = ndimage.gaussian_filter1d(ndimage.gaussian_filter1d(z, 5, axis=0), 5, axis=1, mode="wrap")
    compare("gaussian int16 / scipy, rounded, auto: round the globe", got["z"], want, 0.51)


with tempfile.TemporaryDirectory() as tmp:
    gaussian_beside_scipy()
    stats_beside_numpy()
    stats_beside_cdo()
print(f"{len(failures)} comparisons failed" if failures else "all agree")
sys.exit(1 if failures else 0)
