# SPDX-License-Identifier: BSD-3-Clause
"""Learning kernels beside scikit-learn: seconds per iteration, the peer's own loop timed inside Python (its
start-up and reading do not count), plait as a whole process."""
import os, statistics, subprocess, sys
import side

side.need("numpy", "sklearn")
import numpy as np

N, D, K, STEPS = 2_000_000, 32, 64, 20
os.makedirs(side.PLACE, exist_ok=True)
DATA, FIRST = (os.path.join(side.PLACE, name) for name in ("learn_rows.npy", "learn_first.npy"))

PEER = """
import sys, time
import numpy as np
from sklearn.cluster import KMeans
x, first = np.load(sys.argv[1]), np.load(sys.argv[2])
start = time.perf_counter()
KMeans(len(first), init=first, n_init=1, max_iter=int(sys.argv[3]), tol=0, algorithm="lloyd").fit(x)
print(time.perf_counter() - start)
"""


def make():
    if os.path.exists(DATA) and os.path.exists(FIRST):
        return
    rng = np.random.default_rng(1)
    middle = rng.normal(0, 1.2, (K, D)).astype("f4")
    x = rng.standard_normal((N, D), dtype="f4")
    x += middle[rng.integers(0, K, N)]
    np.save(DATA, x)
    np.save(FIRST, x[:K])


def peer(*words):
    done = subprocess.run([sys.executable, "-c", PEER, *words], stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def kmeans():
    job = os.path.join(side.ROOT, "jobs", "kmeans-climates.yaml")
    out = os.path.join(side.MEMORY, "learn_out.nc")
    words = [job, f"input={DATA}", f"output={out}", f"params.k={K}", f"params.centers={FIRST}",
             f"params.iterations={STEPS}", "params.features=[]", "params.missing=refuse"]
    runs = {"plait 1 x 2, data kept in memory": side.plait(*words),
            "plait 1 x 2, streamed each pass": side.plait(*words, "run.memory=80MiB"),
            "plait 2 x 1, data kept in memory": side.plait(*words, ranks=2, threads=1)}
    times = {name: [] for name in [*runs, "scikit-learn, Lloyd"]}
    for _ in range(side.REPEAT):
        for name, command in runs.items():
            times[name].append(side.run_once(command))
        times["scikit-learn, Lloyd"].append(peer(DATA, FIRST, str(STEPS)))
    os.remove(out)
    per_step = {name: [t / STEPS for t in values] for name, values in times.items()}
    m = side.show(f"k-means, {N} x {D} float32, k {K}, per iteration of {STEPS}", per_step,
                  base="scikit-learn, Lloyd", rate=2e-9 * N * D * K, unit="GFlop")
    kept, streamed, ranks, theirs = (m[name] for name in times)
    side.verdict("scikit-learn / plait", theirs / kept, 1.5, ">=")
    side.verdict("streamed / kept", streamed / kept, 1.15, "<=")
    side.verdict("2 ranks x 1 / 1 rank x 2", ranks / kept, 1.10, "<=")


make()
kmeans()
