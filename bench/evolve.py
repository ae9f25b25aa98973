# SPDX-License-Identifier: BSD-3-Clause
"""Time stepping: updates per second beside hand-written loops and the memory (bench/evolve.c, built here
against the libraries of the build), ranks against threads, snapshots against none, messages and what of
the halo exchange is hidden. Words choose parts: loops ranks snapshots messages."""
import json, os, statistics, subprocess, sys
import side

BUILD = os.path.dirname(os.path.abspath(side.PLAIT))
EXE = os.path.join(side.PLACE, "bench_evolve")
OUT = os.path.join(side.MEMORY, f"evolve_{os.getpid()}.nc")
HEAT = """kernel: heat
output: OUT
params: {cells: [CELLS], diffusivity: 0.1, initial: [{kind: gaussian, x: 40, y: 40, z: 40, radius: 9}]}
evolve: {steps: STEPS, step: 1, sums: false, stride: 8}
"""
WAVE = """kernel: tsunami
input: RELIEF
output: OUT
params: {shapes: [{kind: gaussian, amplitude: 5, lon: 180, lat: 0, radius: 2000}]}
evolve: {steps: STEPS, sums: false, stride: 4}
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


def in_turn(*ways, rounds=3):
    """[[total of a way, ...] of a round, ...]: one after the other, because the machine drifts."""
    return [[total(*way) for way in ways] for _ in range(rounds * side.REPEAT)]


def middle(values):
    return statistics.median(values)


def ranks_and_threads(name, path):
    """Of the stepping alone: the states at both ends are written thinned (stride in the job)."""
    if not side.have("mpirun"):
        return
    rows = [(a["compute_s"] / 2, b["compute_s"]) for a, b in in_turn((path, 2, 1), (path, 1, 2))]
    print(f"\n{name}: 2 ranks x 1 thread {middle(r[0] for r in rows):.3f} s, "
          f"1 x 2 {middle(r[1] for r in rows):.3f} s (stepping)")
    side.verdict("speed of 2 x 1 over 1 x 2", middle(b / a for a, b in rows), 0.9, ">=")


def snapshots(path):
    """With the same stride both: without snapshots there are the states at the ends. The sums of the kernel
    (volume, energy), which are there unless a job says no, look at every cell."""
    rows = in_turn((path, 1, 2, "evolve.snapshot_steps=20"), (path, 1, 2), (path, 1, 2, "evolve.tile=20"),
                   (path, 1, 2, "evolve.snapshot_steps=20", "evolve.sums=true"), rounds=4)
    wall = [[way["wall_s"] for way in row] for row in rows]
    print(f"\ntsunami, a snapshot (every 4th point) each 20 steps: {middle(r[0] for r in wall):.3f} s, "
          f"none {middle(r[1] for r in wall):.3f} s, none but tiles of 20 steps {middle(r[2] for r in wall):.3f} s")
    for name, way in (("without sums", 0), ("with sums", 3)):
        q = statistics.quantiles([r[way] / r[1] for r in wall], n=4)
        print(f"  {name}: with / without snapshots, quartiles {q[0]:.3f} .. {q[2]:.3f}; "
              f"with / tiles of 20 steps {middle(r[way] / r[2] for r in wall):.3f}")
        side.verdict(f"wall with / without, {name}", q[1], 1.05, "<=")


def waits(path, *words):
    """[[s of rank 0, s of rank 1], ...] of the exchanges at whose end somebody waited."""
    trace = os.path.join(side.PLACE, "trace.json")
    total(path, 2, 1, *words, "--trace", trace)
    with open(trace) as f:
        events = [e for e in json.load(f)["traceEvents"] if e["name"] == "messages" and e["ph"] == "X"]
    return [[e["dur"] * 1e-6 for e in events if e["pid"] == rank] for rank in (0, 1)]


def hidden(path):
    """Of an exchange, what the rank waits that comes to it last: the other one waits for that rank as
    well, in line or not, and on a busy machine many times as long. In line both ranks wait every time, so
    that is known exchange by exchange; behind the interior, where many waits are none, the rank that
    waited less in all has waited at least that much. Between ranks of one node the copy is work of the
    same cores and stays (here 1.5 % of the stepping): what is hidden is waiting."""
    line, behind, late = [], [], []
    for _ in range(3 * side.REPEAT):
        one, two = waits(path, "run.overlap=false")
        line.append(2 * sum(min(pair) for pair in zip(one, two)))
        both = [sum(of_rank) for of_rank in waits(path)]
        behind.append(2 * min(both))
        late.append(sum(both))
    share = sorted(1 - b / middle(line) for b in behind)
    all_ = total(path, 2, 1)
    print(f"\nhalo exchange, {all_['bytes_sent'] / all_['messages'] / 1e6:.1f} MB a message, {len(line)} rounds: "
          f"both ranks {middle(line):.4f} s [{min(line):.4f} .. {max(line):.4f}] in line, "
          f"{middle(behind):.4f} s [{min(behind):.4f} .. {max(behind):.4f}] behind the interior "
          f"({middle(late):.4f} s with waiting for the later rank)\n  share hidden, quartiles "
          f"{share[len(share) // 4]:.2f} .. {share[3 * len(share) // 4]:.2f}, worst {share[0]:.2f}")
    side.verdict("share hidden", middle(share), 0.8, ">=")


def messages():
    """The exchanges that set up a run are left out: 2000 steps less 1000."""
    small = job("small", HEAT, CELLS="64,64,64", STEPS=1000)
    count = {d: total(small, 2, 1, f"evolve.tile={d}", "evolve.steps=2000")["messages"] -
                total(small, 2, 1, f"evolve.tile={d}")["messages"] for d in (1, 8)}
    print(f"\nmessages per 1000 steps, 2 ranks: {count[1]} with tile depth 1, {count[8]} with 8")
    side.verdict("messages at depth 8 / depth 1", count[8] / count[1], 1 / 8, "<=")


def exchanges():
    if not side.have("mpirun"):
        return
    messages()
    hidden(job("halo", HEAT, CELLS="64,512,512", STEPS=100))


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
             "messages": exchanges}
    for name in sys.argv[1:] or parts:
        parts[name]()
    if os.path.exists(OUT):
        os.remove(OUT)


main()
