# SPDX-License-Identifier: BSD-3-Clause
"""learn.py [kmeans] [montecarlo] [train]: beside scikit-learn: seconds per iteration, the peer's own loop timed inside Python (its
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


SAMPLES = 200_000_000
GSL = r"""
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
int main(int n, char **word) { // european option, inverse method like plait's, one core
  gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
  double sum = 0;
  long samples = atol(word[n - 1]);
  for (long i = 0; i < samples; i++) {
    double gain = 100 * exp(0.03 + 0.2 * gsl_cdf_ugaussian_Pinv(gsl_rng_uniform_pos(r))) - 100;
    sum += gain > 0 ? gain : 0;
  }
  printf("%g\n", exp(-0.05) * sum / (double)samples);
}
"""
NUMPY = """
import sys, time
import numpy as np
r, n, sum = np.random.default_rng(1), int(sys.argv[1]), 0.0
for part in range(n // 1000000):
    gain = 100 * np.exp(0.03 + 0.2 * r.standard_normal(1000000)) - 100
    sum += np.maximum(gain, 0).sum()
print(np.exp(-0.05) * sum / n)
"""


def gsl():
    program = os.path.join(side.PLACE, "learn_gsl")
    with open(program + ".c", "w") as f:
        f.write(GSL)
    built = subprocess.run(["cc", "-O3", "-march=native", program + ".c", "-o", program, "-lgsl", "-lgslcblas", "-lm"],
                           stderr=subprocess.DEVNULL)
    return [program, str(SAMPLES // 10)] if built.returncode == 0 else None


def montecarlo():
    job = os.path.join(side.ROOT, "jobs", "montecarlo-option.yaml")
    out = os.path.join(side.MEMORY, "learn_out.nc")
    words = [job, f"output={out}", "params.problem=european", "params.antithetic=false", "params.control=false",
             "params.target=0", f"params.samples={SAMPLES}"]
    tenth = str(SAMPLES // 10)  # the peers do a tenth
    times = side.in_turn({"plait 1 x 1": side.plait(*words, threads=1), "plait 1 x 2": side.plait(*words),
                          "plait 2 x 1": side.plait(*words, ranks=2, threads=1),
                          "numpy, 1 core": [sys.executable, "-c", NUMPY, tenth], "GSL, 1 core": gsl()})
    for name in times:
        if not name.startswith("plait"):
            times[name] = [10 * t for t in times[name]]
    os.remove(out)
    m = side.show(f"European option, {SAMPLES} samples", times, base="plait 1 x 1", rate=SAMPLES / 1e6, unit="M samples")
    for name in m:
        if not name.startswith("plait"):
            side.verdict(f"{name} / plait 1 x 1", m[name] / m["plait 1 x 1"], 5, ">=")
    side.verdict("2 ranks x 1 / 1 rank x 2", m["plait 2 x 1"] / m["plait 1 x 2"], 1.10, "<=")


FASHION, EPOCHS, BATCH, HIDDEN = "/usr/share/datasets/fashion-mnist/train-", 3, 128, 128
CLASSIFIER = '''
import gzip, sys, time, warnings
import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
warnings.simplefilter("ignore")
x = np.frombuffer(gzip.open(sys.argv[1] + "images-idx3-ubyte.gz").read(), "u1", offset=16).reshape(-1, 784).astype("f4") / 255
y = np.frombuffer(gzip.open(sys.argv[1] + "labels-idx1-ubyte.gz").read(), "u1", offset=8)
epochs, batch, hidden = map(int, sys.argv[3:])
model = {"mlp": lambda: MLPClassifier((hidden,), batch_size=batch, max_iter=epochs, n_iter_no_change=epochs, tol=0),
         "sgd": lambda: SGDClassifier(loss="log_loss", max_iter=epochs, tol=None, n_jobs=2)}[sys.argv[2]]()
start = time.perf_counter()
model.fit(x, y)
print(time.perf_counter() - start)
'''


def classifiers():
    if not os.path.exists(FASHION + "images-idx3-ubyte.gz"):
        print("train: skipped, the package dataset-fashion-mnist is not installed")
        return
    out = os.path.join(side.MEMORY, "learn_out.nc")
    for job, theirs, name in (("mlp", "mlp", "MLPClassifier"), ("softmax", "sgd", "SGDClassifier")):
        words = [os.path.join(side.ROOT, "jobs", f"fashion-{job}.yaml"), f"output={out}", f"params.epochs={EPOCHS}",
                 f"params.batch={BATCH}", "params.validation=0"]
        runs = {"plait 1 x 2": side.plait(*words), "plait 2 x 1": side.plait(*words, ranks=2, threads=1)}
        times = {n: [] for n in [*runs, name]}
        for _ in range(side.REPEAT):
            for n, command in runs.items():
                times[n].append(side.run_once(command))
            done = subprocess.run([sys.executable, "-c", CLASSIFIER, FASHION, theirs, str(EPOCHS), str(BATCH), str(HIDDEN)],
                                  stdout=subprocess.PIPE, check=True)
            times[name].append(float(done.stdout))
        os.remove(out)
        m = side.show(f"train {job}, Fashion-MNIST, {EPOCHS} epochs of 60,000 rows", times, base=name,
                      rate=60e3 * EPOCHS, unit="samples")
        side.verdict(f"{name} / plait", m[name] / m["plait 1 x 2"], 2, ">=")
        side.verdict("2 ranks x 1 / 1 rank x 2", m["plait 2 x 1"] / m["plait 1 x 2"], 1.10, "<=")


parts = {"kmeans": lambda: (make(), kmeans()), "montecarlo": montecarlo, "train": classifiers}
for part in sys.argv[1:] or parts:
    parts[part]()
