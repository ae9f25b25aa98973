# SPDX-License-Identifier: BSD-3-Clause
"""Is `plait plan` right? For every kernel a job, six layouts on this machine: expected beside measured.

Expectation and measurement drift with the machine, so each job is planned anew (--measure) immediately
before its layouts are run in turn; the error of a layout is that of the median of its runs. Wanted: the
median error over all kernels and layouts within 20 %."""
import json, os, statistics, subprocess, sys, time
import side

LAYOUTS = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1)]
OUT = os.path.join(side.MEMORY, f"plan_{os.getpid()}.nc")
SST, RELIEF = (os.path.join(side.ROOT, "jobs", "data", f) for f in ("sst_monthly.nc:sst", "relief10.nc:z"))

# Jobs of a second or more on one core. A kernel without a job here is named at the end.
JOBS = {
    "gaussian": "input: 'generate:random?shape=6000x8000'\nparams: {sigma: 48, axes: [0, 1]}\n",
    "stats": "input: 'generate:random?shape=800x1000x1000'\n"
             "params: {axes: [0], statistics: [mean, std, min, max, quantile]}\n",
    "template": "input: 'generate:ramp?shape=2000x1000x1000'\noutput: 'null:'\nparams: {axis: 0}\n",
    "kmeans": "input: 'generate:random?shape=4000000x8'\nparams: {k: 16, iterations: 10}\n",
    "heat": "params: {cells: [2048, 2048], initial: [{kind: gaussian, radius: 100}]}\nevolve: {steps: 1500}\n",
    "tsunami": f"input: {RELIEF}\nparams: {{south: -60, north: 65, west: 110, east: 295, faults: "
               "[{lon: 144.0, lat: 38.80, depth: 5.1, strike: 203, dip: 16, rake: 101, length: 186, "
               "width: 129, slip: 24.7}]}\nevolve: {duration: 20 h}\n",
    "montecarlo": None, "train": None, "poisson": None, "spectrum": None, "matmul": None, "nbody": None,
}


def write_job(kernel, text):
    path = os.path.join(side.PLACE, f"plan_{kernel}.yaml")
    with open(path, "w") as f:
        f.write(f"kernel: {kernel}\n" + ("" if "output:" in text else f"output: {OUT}\n") + text)
    return path


def expected(job):
    words = [side.PLAIT, "plan", job, "--measure", "-q", "--format", "json"]
    for ranks, threads in LAYOUTS:
        words += ["--layout", f"{ranks}x{threads}"]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **side.MPI_ENV})
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return {(r["ranks"], r["threads"]): r for r in json.loads(done.stdout)["layouts"][:len(LAYOUTS)]}


def run(job, ranks, threads):
    """Wall time of a run, and the same without the time in which other programs had its cores.

    Linux counts how long threads had work but no core. More threads than cores make that themselves, so
    there nothing is taken out."""
    command = side.plait(job, ranks=ranks if ranks > 1 else 0, threads=threads)
    if ranks > 1:
        command.insert(1, "--oversubscribe")
    start = time.perf_counter()
    report = side.report(command)
    wall = time.perf_counter() - start
    lost = min(report["waited_share"], threads * report["delayed_share"])
    if ranks * threads > os.cpu_count():
        lost = 0
    return wall, wall - lost * report["total"]["compute_s"] / ranks


def measured(job):
    found = {layout: [] for layout in LAYOUTS}
    for _ in range(max(3, side.REPEAT // 2)):
        for ranks, threads in LAYOUTS:
            found[(ranks, threads)].append(run(job, ranks, threads))
    return {layout: [statistics.median(column) for column in zip(*runs)] for layout, runs in found.items()}


def remove_output():
    for name in (OUT, OUT + ".gauges.csv"):
        if os.path.exists(name):
            os.remove(name)


def main():
    os.makedirs(side.PLACE, exist_ok=True)
    known = json.loads(subprocess.run([side.PLAIT, "kernels", "--format", "json"], capture_output=True, text=True).stdout)
    names = [k["name"] for k in known["kernels"]]
    errors, raw, unplanned = [], [], []
    print("\nplan: expected wall time, measured, measured without the delays by other programs, s")
    for kernel in names:
        if sys.argv[1:] and kernel not in sys.argv[1:]:
            continue
        if not JOBS.get(kernel):
            unplanned.append(kernel)
            continue
        job = write_job(kernel, JOBS[kernel])
        plan = expected(job)
        found = measured(job)
        remove_output()
        for layout in LAYOUTS:
            wall, quiet = found[layout]
            error, true_error = plan[layout]["wall_s"] / quiet - 1, plan[layout]["wall_s"] / wall - 1
            errors.append(abs(error))
            raw.append(abs(true_error))
            print(f"  {kernel:10s} {layout[0]} x {layout[1]}  {plan[layout]['wall_s']:7.3f}  {wall:7.3f}  {quiet:7.3f}"
                  f"  {100 * error:+6.1f} %  (said within {100 * plan[layout]['uncertainty']:.0f} %,"
                  f" {plan[layout]['bound']})", flush=True)
    if unplanned:
        print("  without a job here:", ", ".join(unplanned))
    print(f"  median error against the wall time as it was: {statistics.median(raw):.3f}")
    ok = side.verdict("median error", statistics.median(errors), 0.20, "<=")
    sys.exit(not ok)


main()
