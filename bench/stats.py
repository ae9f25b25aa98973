# SPDX-License-Identifier: BSD-3-Clause
"""stats over time in one pass, 1 GiB float32, warm page cache, beside cat and CDO.

stats.py [npy] [contiguous] [classic] [chunked]
"""
import os, subprocess, sys
import side

side.need("numpy", "netCDF4")
import numpy as np
import netCDF4

T, Y, X = 1024, 512, 512  # 1 GiB of float32
os.makedirs(side.PLACE, exist_ok=True)
NPY, CONT, CLASSIC, CHUNK = (os.path.join(side.PLACE, n) for n in
                             ("stats.npy", "stats_contiguous.nc", "stats_classic.nc", "stats_chunked.nc"))


def make_netcdf(path, data, **how):
    kind = how.pop("format", "NETCDF4")
    with netCDF4.Dataset(path + ".new", "w", format=kind) as f:
        for name, n in (("time", T), ("lat", Y), ("lon", X)):
            f.createDimension(name, n)
            v = f.createVariable(name, "f8", (name,))
            v[:] = np.arange(n) if name == "time" else np.linspace(-89, 89, n) if name == "lat" else np.arange(n) * 360 / n
            v.units = {"time": "days since 2000-01-01", "lat": "degrees_north", "lon": "degrees_east"}[name]
        v = f.createVariable("t", "f4", ("time", "lat", "lon"), **how)
        for k in range(0, T, 64):
            v[k:k + 64] = data[k:k + 64]
    os.rename(path + ".new", path)


def make():
    if all(os.path.exists(p) for p in (NPY, CONT, CLASSIC, CHUNK)):
        return
    data = np.random.default_rng(1).normal(280, 10, (T, Y, X)).astype("f4")
    np.save(NPY, data)
    make_netcdf(CONT, data, contiguous=True)
    make_netcdf(CLASSIC, data, format="NETCDF3_64BIT_OFFSET")
    make_netcdf(CHUNK, data, chunksizes=(16, 128, 128))


def settle(path):
    """As a file is that came from the disk. One that was just written lies in the page cache in pages of 4 KiB, from
    which everybody copies half as fast as from the large ones that reading brings."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    while os.read(fd, 1 << 22):
        pass
    os.close(fd)


def bare_loops():
    """What the machine allows: bare loops in C, over a mapping and reading part by part; {} where none can be built."""
    program = os.path.join(side.PLACE, "stats_loop")
    source = os.path.join(side.ROOT, "bench", "stats_loop.c")
    if subprocess.run(["cc", "-O3", "-fopenmp", source, "-o", program, "-lm"]).returncode != 0:
        return {}
    return {f"a bare loop in C, {what}": [program, NPY, str(T), str(Y * X), how, width]
            for what, how, width in (("mapping, 2 KiB wide", "map", "512"), ("mapping, 64 KiB wide", "map", "16384"),
                                     ("parts of 1 MiB", "read", "16384"))}


def bench(path, job, cdo, loops):
    settle(path)
    npy = path.endswith(".npy")
    out = os.path.join(side.PLACE, "stats_out." + ("npz" if npy else "nc"))  # as the input: NumPy or NetCDF
    spec = path if npy else path + ":t"
    axes = "params.axes=0" if npy else "params.axes=time"
    one = [job, f"input={spec}", f"output={out}", "params.statistics=[mean,std,min,max]", axes]
    four = " && ".join(f"cdo -s -P 2 {op} {path} {out}.{op}.nc" for op in ("timmean", "timstd", "timmin", "timmax"))
    commands = {"cat": f"cat {path} >/dev/null", **loops,
                "plait 1 x 2": side.plait(*one),
                "plait 1 x 2, result in NetCDF": side.plait(*one, f"output={out}.nc") if npy else None,
                "plait, mpirun -np 1": side.plait(*one, ranks=1),
                "plait, mpirun -np 2": side.plait(*one, ranks=2, threads=1),
                "cdo -P 2 timmean": f"cdo -s -P 2 timmean {path} {out}.cdo.nc" if cdo else None,
                "cdo, four operators in turn": four if cdo else None}
    times = side.in_turn(commands, fresh=out)
    m = side.show(os.path.basename(path), times, base="cat", rate=T * Y * X * 4 / 1e9, unit="GB")
    side.verdict("2 ranks x 1 / 1 rank x 2, both under mpirun", m["plait, mpirun -np 2"] / m["plait, mpirun -np 1"],
                 1.1, "<=")
    if path != CHUNK:
        side.verdict("time / cat", m["plait 1 x 2"] / m["cat"], 1.3, "<=")
    if cdo:
        side.verdict("cdo timmean alone / plait", m["cdo -P 2 timmean"] / m["plait 1 x 2"], 1.0, ">=")
        side.verdict("cdo four operators / plait", m["cdo, four operators in turn"] / m["plait 1 x 2"], 4.0, ">=")


def main():
    make()
    job = os.path.join(side.ROOT, "jobs", "sst-stats.yaml")
    for path in (NPY, CONT, CLASSIC, CHUNK):
        if sys.argv[1:] and not any(word in path for word in sys.argv[1:]):
            continue
        bench(path, job, path != NPY and side.have("cdo"), bare_loops() if path == NPY else {})


main()
