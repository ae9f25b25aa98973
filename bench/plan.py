# SPDX-License-Identifier: BSD-3-Clause
"""Is `plait plan` right? For every kernel a job, six layouts on this machine: expected beside measured.

`plan.py gaussian heat` does only these: the whole takes some ten minutes.

The machine drifts while this runs, for the plan and for the runs alike. So in each turn a job is planned
anew (--measure) and its layouts run immediately after; the error of a layout is the median over the turns
of that within a turn. Wanted: the median error over all kernels and layouts within 20 %."""
import json, os, statistics, subprocess, sys, time
import side

TURNS = max(3, side.REPEAT // 2)
LAYOUTS = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1)]
OUT = os.path.join(side.MEMORY, f"plan_{os.getpid()}.nc")
SST, RELIEF = (os.path.join(side.ROOT, "jobs", "data", f) for f in ("sst_monthly.nc:sst", "relief10.nc:z"))

CUBE = os.path.join(side.PLACE, "plan_cube.npy")
LABELS, ROWS = os.path.join(side.PLACE, "plan_labels.npy"), 100_000
MODEL = os.path.join(side.PLACE, "plan_model.nc")  # of one epoch of `train`

# Jobs of a second or more on one core. A kernel without a job here is named at the end.
JOBS = {
    "gaussian": "input: 'generate:random?shape=2000x8000'\nparams: {sigma: 48, axes: [0, 1]}\n",
    "stats": f"input: {CUBE}\nparams: {{axes: [0], statistics: [mean, std, min, max, quantile]}}\n",
    "template": "input: 'generate:ramp?shape=700x1000x1000'\noutput: 'null:'\nparams: {axis: 0}\n",
    "kmeans": "input: 'generate:random?shape=1000000x16'\nparams: {k: 32, iterations: 20}\n",
    "heat": "params: {cells: [2048, 2048], initial: [{kind: gaussian, radius: 100}]}\nevolve: {steps: 500}\n",
    "tsunami": f"input: {RELIEF}\nparams: {{south: -60, north: 65, west: 110, east: 295, faults: "
               "[{lon: 144.0, lat: 38.80, depth: 5.1, strike: 203, dip: 16, rake: 101, length: 186, "
               "width: 129, slip: 24.7}]}\nevolve: {duration: 20 h}\n",
    "montecarlo": "params: {problem: asian, dimensions: 52, samples: 400000, control: true, antithetic: true}\n",
    "train": f"input: 'generate:random?shape={ROWS}x64'\n"
             f"params: {{labels: {LABELS}, hidden: [64], epochs: 8, batch: 512, patience: 0}}\n",
    "predict": f"input: 'generate:random?shape=1000000x64'\nparams: {{model: {MODEL}}}\n",
}


def write_labels():
    """A label for every row of `train`, as NPY."""
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({ROWS},), }}"
    head += " " * (-(11 + len(head)) % 64) + "\n"
    with open(LABELS, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode())
        f.write(bytes((i * 40503 >> 8) % 10 for i in range(ROWS)))


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
    """Wall time of a run, the same without the time in which other programs had its cores, and start-up.

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
    total = report["total"]
    return wall, wall - lost * total["compute_s"] / ranks, wall - total["wall_s"]


def one_turn(job):
    """{layout: (expected, wall, undisturbed wall, start-up expected, measured, what was said)}"""
    plan = expected(job)
    found = {}
    for layout in LAYOUTS:
        row = plan[layout]
        wall, quiet, start = run(job, *layout)
        found[layout] = (row["wall_s"], wall, quiet, row["start_up_s"], start, row["uncertainty"], row["bound"])
    return found


def remove_output():
    for name in (OUT, OUT + ".gauges.csv"):
        if os.path.exists(name):
            os.remove(name)


def judge(kernel, turns, errors, raw):
    known = len(errors)
    for layout in LAYOUTS:
        rows = [turn[layout] for turn in turns]
        error, true_error = (statistics.median(row[0] / row[i] - 1 for row in rows) for i in (2, 1))
        errors.append(abs(error))
        raw.append(abs(true_error))
        wall, real, quiet, start, started, sure = (statistics.median(column) for column in list(zip(*rows))[:6])
        print(f"  {kernel:10s} {layout[0]} x {layout[1]}  {wall:7.3f}  {real:7.3f}  {quiet:7.3f}  {start:7.3f}  {started:7.3f}"
              f"  {100 * error:+6.1f} %  (said within {100 * sure:.0f} %, {rows[0][6]})", flush=True)
    print(f"  {kernel}: median error {100 * statistics.median(errors[known:]):.1f} %", flush=True)


def make_inputs():
    os.makedirs(side.PLACE, exist_ok=True)
    write_labels()
    if not os.path.exists(CUBE):
        side.run_once(side.plait(write_job("template", JOBS["template"]), "input=generate:random?shape=90x500x1000",
                                 f"output={CUBE}"))
    if not os.path.exists(MODEL):
        side.run_once(side.plait(write_job("train", JOBS["train"]), "params.epochs=1", f"output={MODEL}"))


def main():
    make_inputs()
    known = json.loads(subprocess.run([side.PLAIT, "kernels", "--format", "json"], capture_output=True, text=True).stdout)
    names = [k["name"] for k in known["kernels"]]
    errors, raw, unplanned = [], [], []
    print("\nplan: expected wall time, measured, measured without the delays by other programs;"
          " start-up expected, measured, s")
    for kernel in names:
        if sys.argv[1:] and kernel not in sys.argv[1:]:
            continue
        if kernel not in JOBS:
            unplanned.append(kernel)
            continue
        job = write_job(kernel, JOBS[kernel])
        judge(kernel, [one_turn(job) for _ in range(TURNS)], errors, raw)
        remove_output()
    if unplanned:
        print("  without a job here:", ", ".join(unplanned))
    print("  errors:", " ".join(f"{100 * e:.1f}" for e in errors))
    print(f"  median error against the wall time as it was: {statistics.median(raw):.3f}")
    ok = side.verdict("median error", statistics.median(errors), 0.20, "<=")
    sys.exit(not ok)


main()
