# SPDX-License-Identifier: BSD-3-Clause
"""Is I/O hidden? Storage slowed by a preloaded shim so that reading, computing and writing take about as
long each; then wall time against the longest of the three. Beside it the same with the strands in line."""
import os, statistics, subprocess
import side

side.need("numpy")
import numpy as np

N, Y, X = 96, 1024, 1024
os.makedirs(side.PLACE, exist_ok=True)
# On the disk: a file system in memory would hand out its pages at the start of the run, and that time is
# neither reading nor writing. The disk must keep up with the shim (it says so when it does not).
INPUT, OUTPUT = (os.path.join(side.PLACE, f"slow_{n}.npy") for n in ("in", "out"))
SHIM = os.path.join(side.PLACE, "slow_io.so")
WORDS = [os.path.join(side.ROOT, "jobs", "relief-smooth.yaml"), f"input={INPUT}", f"output={OUTPUT}",
         "params.axes=[1,2]", "params.sigma=64", "params.type=same"]


def total(words, env=None):
    return side.report(side.plait(*words), env)["total"]


def main():
    np.save(INPUT, np.random.default_rng(3).normal(0, 1, (N, Y, X)).astype("f4"))
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", os.path.join(side.ROOT, "bench", "slow_io.c"),
                    "-o", SHIM, "-ldl"], check=True)
    total(WORDS)
    compute = statistics.median(total(WORDS)["compute_s"] for _ in range(3))
    rate = N * Y * X * 4 / compute  # reading and writing shall take as long as computing
    env = {"LD_PRELOAD": SHIM, "SLOW_PATH": "slow_", "SLOW_READ": str(rate), "SLOW_WRITE": str(rate)}
    rows = []
    for _ in range(side.REPEAT):
        rows.append((total(WORDS, env), total(WORDS + ["run.overlap=false"], env)))
    print(f"\noverlap: storage slowed to {rate / 1e6:.0f} MB/s each way")
    for name, k in (("strands side by side", 0), ("strands in line", 1)):
        r = [row[k] for row in rows]
        m = {key: statistics.median(x[key] for x in r) for key in ("read_s", "compute_s", "write_s", "wall_s")}
        ratio = statistics.median(x["wall_s"] / max(x["read_s"], x["compute_s"], x["write_s"]) for x in r)
        print(f"  {name:24s} read {m['read_s']:.3f}  compute {m['compute_s']:.3f}  write {m['write_s']:.3f}  "
              f"wall {m['wall_s']:.3f} s  = {ratio:.3f} x the longest")
        if k == 0:
            side.verdict("wall / longest strand", ratio, 1.10, "<=")
    for name in (INPUT, OUTPUT):
        os.remove(name)


main()
