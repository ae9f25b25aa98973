# SPDX-License-Identifier: BSD-3-Clause
"""seeds.py [SETS]: how often k-means ends in a bad local minimum, of 60 seeds, beside scikit-learn with one start each:
seeds whose sum of squared distances is more than 1 % above the best that either found."""
import csv, os, shutil, subprocess, sys, tempfile
import side

side.need("numpy", "sklearn")
import numpy as np
from sklearn.cluster import KMeans

SEEDS = 60


def grid(rng):
    middle = np.array([(i, j) for i in range(5) for j in range(5)], float) * 10
    return middle[rng.integers(0, 25, 50000)] + rng.normal(0, 1, (50000, 2)), 25


def clouds(k, d, n, deviation, rng):
    middle = rng.uniform(-10, 10, (k, d))
    return middle[rng.integers(0, k, n)] + rng.normal(0, deviation, (n, d)), k


SETS = {"grid, 25 clusters in 2 dimensions": grid,
        "8 clusters in 3 dimensions": lambda rng: clouds(8, 3, 5000, 0.7, rng),
        "16 clusters in 8 dimensions": lambda rng: clouds(16, 8, 40000, 1, rng),
        "50 clusters in 4 dimensions": lambda rng: clouds(50, 4, 60000, 0.5, rng)}


def ours(place, x, k):
    np.save(os.path.join(place, "x.npy"), x)
    job = os.path.join(place, "job.yaml")
    with open(job, "w") as file:
        file.write(f"kernel: kmeans\ninput: x.npy\noutput: seeds.csv\nparams: {{k: {k}, labels: false}}\n"
                   f"vary: {{params.seed: {{from: 0, to: {SEEDS - 1}}}, columns: [x_inertia]}}\n")
    subprocess.run([side.PLAIT, "run", job, "--force", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(place, "seeds.csv")) as file:
        return np.array([float(row["x_inertia"]) for row in csv.DictReader(file)])


def main():
    place = tempfile.mkdtemp(dir=side.MEMORY)
    for name, make in SETS.items():
        if sys.argv[1:] and not any(word in name for word in sys.argv[1:]):
            continue
        x, k = make(np.random.default_rng(5))
        x = x.astype("f4")
        sums = {"plait": ours(place, x, k),
                "scikit-learn": np.array([KMeans(k, n_init=1, random_state=s, algorithm="lloyd").fit(x).inertia_
                                          for s in range(SEEDS)])}
        best = min(s.min() for s in sums.values())
        print(f"{name}, {len(x)} rows: " + "; ".join(
            f"{who} {(s > 1.01 * best).sum()} of {SEEDS} seeds, mean {s.mean() / best:.4f} of the best"
            for who, s in sums.items()), flush=True)
    shutil.rmtree(place)


main()
