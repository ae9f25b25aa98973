# SPDX-License-Identifier: BSD-3-Clause
"""Time stepping: updates per second beside hand-written loops and the memory (bench/evolve.c, built here
against the libraries of the build), ranks against threads, snapshots against none, messages and what of
the halo exchange is hidden. Words choose parts: loops ranks snapshots messages."""
import os, statistics, subprocess, sys
import side

BUILD = os.path.dirname(os.path.abspath(side.PLAIT))
EXE = os.path.join(side.PLACE, "bench_evolve")
OUT = os.path.join(side.MEMORY, f"evolve_{os.getpid()}.nc")
HEAT = """kernel: heat
output: OUT
params: {cells: [CELLS], diffusivity: 0.1, initial: [{kind: gaussian, x: 40, y: 40, z: 40, radius: 9}]}
evolve: {steps: STEPS, step: 1, sums: false}
"""
WAVE = """kernel: tsunami
input: RELIEF
output: OUT
params: {shapes: [{kind: gaussian, amplitude: 5, lon: 180, lat: 0, radius: 2000}]}
evolve: {steps: STEPS, sums: false}
"""


def libraries():
    words = [f"{BUILD}/libplait_{part}.a" for part in ("engine", "kernels", "data", "host", "base")]
    names = ["yaml-0.1", "hwloc", "libpng", "netcdf", "hdf5", "libdeflate", "libxxhash"]
    words += subprocess.run(["pkg-config", "--libs", *names], capture_output=True, text=True).stdout.split()
    if side.have("mpicc"):
        words += subprocess.run(["mpicc", "--showme:link"], capture_output=True, text=True).stdout.split()
    return words + ["-lm"]


def job(name, text, **words):
    path = os.path.join(side.PLACE, name + ".yaml")
    words.setdefault("OUT", OUT)
    words["RELIEF"] = os.path.join(side.ROOT, "jobs", "data", "relief10.nc:z")
    for key, value in words.items():
        text = text.replace(key, str(value))
    with open(path, "w") as f:
        f.write(text)
    return path


def command(path, ranks, threads, *words):
    launch = ["mpirun", "-np", str(ranks)] if ranks > 1 else []
    return [*launch, side.PLAIT, "run", path, "--force", "--quiet", "--threads", str(threads), *words]


def total(path, ranks, threads, *words):
    return side.report(command(path, ranks, threads, *words) + ["--format", "json"])["total"]


def ranks_and_threads(name, path):
    if not side.have("mpirun"):
        return
    rows = []
    for _ in range(side.REPEAT):
        rows.append((total(path, 2, 1)["compute_s"] / 2, total(path, 1, 2)["compute_s"]))
    ratio = statistics.median(one / two for two, one in rows)
    print(f"\n{name}: 2 ranks x 1 thread {statistics.median(r[0] for r in rows):.3f} s, "
          f"1 x 2 {statistics.median(r[1] for r in rows):.3f} s (stepping)")
    side.verdict("speed of 2 x 1 over 1 x 2", ratio, 0.9, ">=")


def snapshots(path):
    rows = []
    for _ in range(side.REPEAT):
        with_ = total(path, 1, 2, "evolve.snapshot_steps=20", "evolve.stride=4")["wall_s"]
        rows.append((with_, total(path, 1, 2)["wall_s"]))
    ratio = statistics.median(a / b for a, b in rows)
    print(f"\ntsunami, a snapshot (every 4th point) each 20 steps: {statistics.median(r[0] for r in rows):.3f} s, "
          f"none {statistics.median(r[1] for r in rows):.3f} s")
    side.verdict("wall with / without", ratio, 1.05, "<=")


def messages(path):
    """The exchanges that set up a run are left out: 2000 steps less 1000."""
    if not side.have("mpirun"):
        return
    small = job("small", HEAT, CELLS="64,64,64", STEPS=1000)
    count = {d: total(small, 2, 1, f"evolve.tile={d}", "evolve.steps=2000")["messages"] -
                total(small, 2, 1, f"evolve.tile={d}")["messages"] for d in (1, 8)}
    print(f"\nmessages per 1000 steps, 2 ranks: {count[1]} with tile depth 1, {count[8]} with 8")
    side.verdict("messages at depth 8 / depth 1", count[8] / count[1], 1 / 8, "<=")
    shown = [total(path, 2, 1, "run.overlap=false")["comm_s"] for _ in range(side.REPEAT)]
    hidden = [total(path, 2, 1)["comm_s"] for _ in range(side.REPEAT)]
    share = 1 - statistics.median(hidden) / statistics.median(shown)
    print(f"halo exchange of 512 x 512 faces: waited {statistics.median(shown):.4f} s in line, "
          f"{statistics.median(hidden):.4f} s behind the interior (imbalance of the ranks included)")
    side.verdict("share hidden", share, 0.8, ">=")


def loops():
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O3", "-ffp-contract=off", "-fno-math-errno",
                    "-fno-trapping-math", "-fopenmp", "-I", os.path.join(side.ROOT, "src"),
                    os.path.join(side.ROOT, "bench", "evolve.c"), "-o", EXE, *libraries()], check=True)
    print(subprocess.run([EXE], env={**os.environ, "OMP_PROC_BIND": "true"}, capture_output=True,
                         text=True, check=True).stdout, end="")


def main():
    os.makedirs(side.PLACE, exist_ok=True)
    wave = job("wave", WAVE, STEPS=600)
    cube = job("heat", HEAT, CELLS="256,256,256", STEPS=100)
    parts = {"loops": loops,
             "ranks": lambda: (ranks_and_threads("tsunami, the whole globe", wave),
                               ranks_and_threads("heat 256^3", cube)),
             "snapshots": lambda: snapshots(wave),
             "messages": lambda: messages(job("halo", HEAT, CELLS="64,512,512", STEPS=200))}
    for name in sys.argv[1:] or parts:
        parts[name]()
    if os.path.exists(OUT):
        os.remove(OUT)


main()
