# SPDX-License-Identifier: BSD-3-Clause
"""What it costs that nothing is lost. A journal at some 10^4 blocks/s: beside a plait that is linked here
without one (bench/no_journal.c). Checkpoints of heat and tsunami every few seconds, beside none. Each ratio
is the median of pairs that were run in turn. Words choose parts: journal heat tsunami."""
import glob, os, resource, statistics, subprocess, sys
import side

BUILD = os.path.dirname(os.path.abspath(side.PLAIT))
BARE, WHOLE = (os.path.join(side.PLACE, f"plait_{name}") for name in ("bare", "whole"))
JOB = os.path.join(side.ROOT, "jobs", "relief-smooth.yaml")
CHECKPOINT = 3  # s
HEAT = """kernel: heat
output: OUT
params: {cells: [256, 256, 256], diffusivity: 0.1, initial: [{kind: gaussian, x: 40, y: 40, z: 40, radius: 9}]}
evolve: {steps: STEPS, step: 1, sums: false, stride: 4}
"""
WAVE = """kernel: tsunami
input: RELIEF
output: OUT
params: {shapes: [{kind: gaussian, amplitude: 5, lon: 180, lat: 0, radius: 2000}]}
evolve: {steps: STEPS, sums: false, stride: 4}
"""


def link():
    """The same objects twice, so that both programs lie alike in memory."""
    objects = glob.glob(os.path.join(BUILD, "CMakeFiles", "plait.dir", "**", "*.o"), recursive=True)
    words = [f"{BUILD}/libplait_{part}.a" for part in ("engine", "kernels", "data", "host", "base")]
    names = ["yaml-0.1", "hwloc", "libpng", "netcdf", "hdf5", "libdeflate", "libxxhash"]
    words += subprocess.run(["pkg-config", "--libs", *names], capture_output=True, text=True).stdout.split()
    if side.have("mpicc"):
        words += subprocess.run(["mpicc", "--showme:link"], capture_output=True, text=True).stdout.split()
    source = os.path.join(side.ROOT, "src")
    for program, wrap in ((WHOLE, []), (BARE, ["-Wl,--wrap=pl_journal_start,--wrap=pl_output_hash"])):
        subprocess.run(["cc", "-O2", "-fopenmp", "-rdynamic", "-I", source,
                        os.path.join(side.ROOT, "bench", "no_journal.c"), *objects, *words, *wrap, "-lm", "-ldl",
                        "-o", program], check=True)


def cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def total(command):
    before = cpu_of_children()
    result = side.report(command)["total"]
    result["all_cpu_s"] = cpu_of_children() - before
    return result


def pairs(name, one, two, bar, repeat):
    """Wall time of `one` over that of `two`, and what is known of the runs of `one`."""
    total(one), total(two)
    rows = [(total(one), total(two)) for _ in range(repeat)]
    ratio = statistics.median(a["wall_s"] / b["wall_s"] for a, b in rows)
    work = statistics.median(a["all_cpu_s"] / b["all_cpu_s"] for a, b in rows)
    print(f"\n{name}: {statistics.median(a['wall_s'] for a, b in rows):.3f} s, "
          f"without {statistics.median(b['wall_s'] for a, b in rows):.3f} s, ratios "
          + " ".join(f"{a['wall_s'] / b['wall_s']:.3f}" for a, b in rows) + f"; of the CPU time {work:.3f}")
    side.verdict("ratio of wall time", ratio, bar, "<=")
    return [a for a, _ in rows]


def journal():
    link()
    out = os.path.join(side.MEMORY, f"durable_{os.getpid()}.npy")  # the disk is not the point
    blocks = 25_000
    words = [JOB, f"input=generate:ramp?shape={blocks}x1024&type=float32", f"output={out}", "run.block=4KiB",
             "params.axes=[1]", "params.sigma=60"]
    bare, whole = ([program if w == side.PLAIT else w for w in side.plait(*words)] for program in (BARE, WHOLE))
    runs = pairs("journal", whole, bare, 1.02, side.REPEAT)
    rate = statistics.median(blocks / run["wall_s"] for run in runs)
    print(f"  {blocks} blocks, {rate:.3g} blocks/s")
    os.remove(out)


def checkpoints(name, text, steps):
    out = os.path.join(side.PLACE, f"durable_{name}.nc")  # a checkpoint goes to a disk
    path = os.path.join(side.PLACE, f"durable_{name}.yaml")
    relief = os.path.join(side.ROOT, "jobs", "data", "relief10.nc:z")
    with open(path, "w") as f:
        f.write(text.replace("OUT", out).replace("RELIEF", relief).replace("STEPS", str(steps)))
    runs = pairs(f"{name}, a checkpoint every {CHECKPOINT} s", side.plait(path, "--fresh", f"run.checkpoint={CHECKPOINT}s"),
                 side.plait(path, "--fresh", "run.checkpoint=1h"), 1.05, max(1, side.REPEAT // 2))
    written = statistics.median(run["bytes_written"] for run in runs)
    print(f"  {written / 1e6:.0f} MB written in a run, {runs[0]['wall_s'] / CHECKPOINT:.1f} checkpoints")
    os.remove(out)


def main():
    os.makedirs(side.PLACE, exist_ok=True)
    parts = sys.argv[1:] or ["journal", "heat", "tsunami"]
    if "journal" in parts:
        journal()
    if "heat" in parts:
        checkpoints("heat", HEAT, 900)
    if "tsunami" in parts:
        checkpoints("tsunami", WAVE, 8000)


main()
