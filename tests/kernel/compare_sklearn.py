# SPDX-License-Identifier: BSD-3-Clause
"""compare_sklearn.py PLAIT: k-means from given centres beside scikit-learn's Lloyd: the same inertia,
labels, number of steps. Exit 77 (skipped) where scikit-learn or netCDF4 is missing."""
import os, subprocess, sys, tempfile

try:
    import netCDF4
    import numpy as np
    from sklearn.cluster import KMeans
except ImportError as missing:
    print(missing)
    sys.exit(77)

plait = sys.argv[1]
place = tempfile.TemporaryDirectory()


def compare(kind, n, d, k, offset):
    rng = np.random.default_rng(n)
    middle = rng.normal(0, 1.5, (k, d))
    x = (middle[rng.integers(0, k, n)] + rng.normal(0, 1, (n, d)) + offset).astype(kind)
    names = [os.path.join(place.name, name) for name in ("x.npy", "first.npy", "job.yaml", "out.nc")]
    np.save(names[0], x)
    np.save(names[1], x[:k])
    with open(names[2], "w") as job:
        job.write(f"{{kernel: kmeans, input: x.npy, output: out.nc, params: {{k: {k}, centers: first.npy}}}}\n")
    subprocess.run([plait, "run", "--quiet", "--force", names[2]], check=True, stdout=subprocess.DEVNULL)
    peer = KMeans(k, init=x[:k].astype("f8"), n_init=1, algorithm="lloyd").fit(x.astype("f8"))
    with netCDF4.Dataset(names[3]) as out:
        inertia, steps = float(out["x_inertia"][...]), int(out["x_iterations"][...])
        other = int((out["x_labels"][:] != peer.labels_).sum())
    print(f"{kind} {n} x {d}, k {k}: inertia {inertia:.10g} and {peer.inertia_:.10g}, "
          f"steps {steps} and {peer.n_iter_}, {other} other labels")
    exact = kind == "f8"
    assert abs(inertia / peer.inertia_ - 1) < (1e-12 if exact else 1e-5)
    assert other <= (0 if exact else n / 1000)
    assert not exact or steps == peer.n_iter_


compare("f8", 20000, 32, 16, 0)
compare("f8", 5000, 3, 7, 1000)
compare("f4", 20000, 17, 10, 100)
