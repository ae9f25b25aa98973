# SPDX-License-Identifier: BSD-3-Clause
"""learn.py [kmeans] [montecarlo] [mlp] [softmax]: beside scikit-learn, numpy and GSL. The peer's own loop is timed inside
Python (its start-up and reading do not count), plait as a whole process; a peer runs in the first and the last of
the rounds only. kmeans takes longest, minutes on two cores."""
import atexit, os, shutil, subprocess, sys, tempfile
import side
import units

side.need("numpy", "sklearn")
import numpy as np

N, D, K, STEPS = 2_000_000, 32, 64, 20
os.makedirs(side.PLACE, exist_ok=True)
RESULTS = tempfile.mkdtemp(dir=side.MEMORY)  # of this run alone: a run that was killed leaves a journal
atexit.register(shutil.rmtree, RESULTS)
OUT = os.path.join(RESULTS, "out.nc")
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


def own_time(script, *words):
    """Seconds that a Python script says its loop took."""
    return float(subprocess.run([sys.executable, "-c", script, *words], stdout=subprocess.PIPE, check=True).stdout)


def rounds(runs, name, peer):
    """{name: [seconds]} of plait's commands in turn, and of the peer."""
    times = {n: [] for n in [*runs, name]}
    for i in range(side.REPEAT):
        for n, command in runs.items():
            times[n].append(side.run_once(command))
        if i in (0, side.REPEAT - 1):
            times[name].append(peer())
    return times


def kmeans():
    job = os.path.join(side.ROOT, "jobs", "kmeans-climates.yaml")
    words = [job, f"input={DATA}", f"output={OUT}", f"params.k={K}", f"params.centers={FIRST}",
             f"params.iterations={STEPS}", "params.features=[]", "params.missing=refuse"]
    runs = {"plait 1 x 2, data kept in memory": side.plait(*words),
            "plait 1 x 2, streamed each pass": side.plait(*words, "run.memory=80MiB"),
            "plait, mpirun -np 1": side.plait(*words, ranks=1),
            "plait 2 x 1, data kept in memory": side.plait(*words, ranks=2, threads=1)}
    times = rounds(runs, "scikit-learn, Lloyd", lambda: own_time(PEER, DATA, FIRST, str(STEPS)))
    per_step = {name: [t / STEPS for t in values] for name, values in times.items()}
    m = side.show(f"k-means, {N} x {D} float32, k {K}, per iteration of {STEPS}", per_step,
                  base="scikit-learn, Lloyd", rate=2e-9 * N * D * K, unit="GFlop")
    kept, streamed, one, ranks, theirs = (m[name] for name in times)
    side.verdict("scikit-learn / plait", theirs / kept, 1.5, ">=")
    side.verdict("streamed / kept", streamed / kept, 1.15, "<=")
    side.verdict("2 ranks x 1 / 1 rank x 2, both under mpirun", ranks / one, 1.10, "<=")


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
    program = os.path.join(RESULTS, "gsl")
    with open(program + ".c", "w") as f:
        f.write(GSL)
    built = subprocess.run(["cc", "-O3", "-march=native", program + ".c", "-o", program, "-lgsl", "-lgslcblas", "-lm"],
                           stderr=subprocess.DEVNULL)
    return [program, str(SAMPLES // 10)] if built.returncode == 0 else None


PEAK = r"""
#include <stdio.h>
#include <time.h>
typedef double v __attribute__((vector_size(8 * LANES)));
static double now(void) { struct timespec t; clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec; }
#define KEEP(x) __asm__("" : "+x"(x))
// vector operations per second of one core: multiply and add in 6 chains each
#define LOOP(name, per, n, body) __attribute__((noinline)) static double name(void) { \
  v up = (v){0} + 1.0000001, down = (v){0} + 0.9999999, a = up, b = up, c = up, d = up, e = up, f = up, g = up, h = up; \
  v i = up, j = up, k = up, l = up; double start = now(); \
  for (long x = 0; x < n; x++) { body } \
  double seconds = now() - start; sink += (a + b + c + d + e + f + g + h + i + j + k + l + down)[0]; return per * (double)n / seconds; }
static volatile double sink;
#define ADD(x) x += up; KEEP(x);
#define MUL(x) x *= down; KEEP(x);
LOOP(peak, 12, 50000000L, ADD(a) MUL(g) ADD(b) MUL(h) ADD(c) MUL(i) ADD(d) MUL(j) ADD(e) MUL(k) ADD(f) MUL(l))
int main(void) {
  double best = 0;
  for (int round = 0; round < 5; round++) {
    double found = peak();
    if (found > best) best = found;
  }
  printf("%g\n", best);
  return 0;
}
"""
# Functions of the kernel that a sample of the European option goes through, samples that one trip of the loop does with
# vectors of n numbers, which of its loops that is, and how many products the loop within it does in all its trips.
HOT = {"wide": (lambda n: 16, max, 0), "pl_mc_normal": (lambda n: 4 * n, max, 12 * 2 * 4),
       "pl_mc_gain": (lambda n: 4 * n, min, 0), "add_f": (lambda n: 128, max, 0)}


def hot_work(lanes, register):
    """{class: instructions for as many samples as a vector has lanes}, from the machine code of the hot loops. What stands
    outside of them, tails and what is done once for 128 samples, counts as waste."""
    work = {}
    for name, (samples, which, products) in HOT.items():
        lines = units.disassemble(side.PLAIT, name if name == "wide" else f"{name}.arch_x86_64_v{4 if lanes == 8 else 3}")
        found = units.loops(lines)
        body, inner = which(found, key=lambda f: len(f[0])) if found else (lines, [])  # a loop that was unrolled whole
        if len(inner) != (products > 0):
            raise SystemExit(f"learn.py: {name} has other loops than it had")
        register_here = "%ymm" if name == "wide" else register
        for lines, times in [(body, 1)] + [(b, products // units.count(b, register)["fma"] - 1) for b in inner]:
            for kind, n in units.count(lines, register_here).items():
                work[kind] = work.get(kind, 0) + n * times * lanes / samples(lanes)
    return work


def mixed_rate(lanes):
    """Vector instructions per second of additions and multiplications in turn: how it was counted before."""
    program = os.path.join(RESULTS, "peak")
    with open(program + ".c", "w") as f:
        f.write(PEAK)
    subprocess.run(["gcc", "-O3", "-march=native", "-ffp-contract=off", "-Wno-psabi", f"-DLANES={lanes}", program + ".c",
                    "-o", program], check=True)
    return float(subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout)


def vector_share(seconds):
    """What part of the time of one thread its vector units must work, see units.py."""
    with open("/proc/cpuinfo") as f:
        lanes = 8 if " avx512vl " in f.read() else 4
    register = "%zmm" if lanes == 8 else "%ymm"
    work = hot_work(lanes, register)
    cycle, said, cycles, mix = units.least(work, register, RESULTS)
    spent = seconds * lanes / SAMPLES
    print(f"  instructions for {lanes} samples: " + ", ".join(f"{c} {n:.1f}" for c, n in work.items()))
    for line in said:
        print("  " + line)
    old = sum(work[c] for c in units.CLASSES) / mixed_rate(lanes)
    print(f"  {spent / cycle:.1f} cycles were spent, {cycles:.1f} are the least, {mix:.1f} does the same mix without waiting: "
          f"{mix * cycle / spent:.2f} of the time; as before, all at the rate of add and multiply: {old / spent:.2f}")
    side.verdict("share of what the vector units allow", cycles * cycle / spent, 0.6, ">=")


def montecarlo():
    job = os.path.join(side.ROOT, "jobs", "montecarlo-option.yaml")
    words = [job, f"output={OUT}", "params.problem=european", "params.antithetic=false", "params.control=false",
             "params.target=0", f"params.samples={SAMPLES}"]
    tenth = str(SAMPLES // 10)  # the peers do a tenth
    times = side.in_turn({"plait 1 x 1": side.plait(*words, threads=1), "plait 1 x 2": side.plait(*words),
                          "plait, mpirun -np 1": side.plait(*words, ranks=1),
                          "plait 2 x 1": side.plait(*words, ranks=2, threads=1),
                          "numpy, 1 core": [sys.executable, "-c", NUMPY, tenth], "GSL, 1 core": gsl()})
    for name in times:
        if not name.startswith("plait"):
            times[name] = [10 * t for t in times[name]]
    m = side.show(f"European option, {SAMPLES} samples", times, base="plait 1 x 1", rate=SAMPLES / 1e6, unit="M samples")
    vector_share(m["plait 1 x 1"])
    for name in m:
        if not name.startswith("plait"):
            side.verdict(f"{name} / plait 1 x 1", m[name] / m["plait 1 x 1"], 5, ">=")
            side.verdict(f"{name} / plait 1 x 2", m[name] / m["plait 1 x 2"], 5, ">=")
    side.verdict("2 ranks x 1 / 1 rank x 2, both under mpirun", m["plait 2 x 1"] / m["plait, mpirun -np 1"], 1.10, "<=")


FASHION, EPOCHS, BATCH, HIDDEN = "/usr/share/datasets/fashion-mnist/train-", 6, 128, 128
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


def classifier(job, theirs, name):
    if not os.path.exists(FASHION + "images-idx3-ubyte.gz"):
        print(f"{job}: skipped, the package dataset-fashion-mnist is not installed")
        return
    words = [os.path.join(side.ROOT, "jobs", f"fashion-{job}.yaml"), f"output={OUT}", f"params.epochs={EPOCHS}",
             f"params.batch={BATCH}", "params.validation=0"]
    runs = {"plait 1 x 2": side.plait(*words), "plait, mpirun -np 1": side.plait(*words, ranks=1),
            "plait 2 x 1": side.plait(*words, ranks=2, threads=1)}
    times = rounds(runs, name, lambda: own_time(CLASSIFIER, FASHION, theirs, str(EPOCHS), str(BATCH), str(HIDDEN)))
    m = side.show(f"train {job}, Fashion-MNIST, {EPOCHS} epochs of 60,000 rows", times, base=name, rate=60e3 * EPOCHS,
                  unit="samples")
    side.verdict(f"{name} / plait", m[name] / m["plait 1 x 2"], 2, ">=")
    loops = {n: [side.report(c)["total"]["wall_s"] for _ in range(side.REPEAT)] for n, c in runs.items()}
    loop = side.show("the same, without start-up", loops, rate=60e3 * EPOCHS, unit="samples")
    side.verdict("2 ranks x 1 / 1 rank x 2, both under mpirun", m["plait 2 x 1"] / m["plait, mpirun -np 1"], 1.10, "<=")
    side.verdict("2 ranks x 1 / 1 rank x 2, without start-up", loop["plait 2 x 1"] / loop["plait 1 x 2"], 1.10, "<=")


parts = {"kmeans": lambda: (make(), kmeans()), "montecarlo": montecarlo,
         "mlp": lambda: classifier("mlp", "mlp", "MLPClassifier"),
         "softmax": lambda: classifier("softmax", "sgd", "SGDClassifier")}
for part in sys.argv[1:] or parts:
    parts[part]()
