# SPDX-License-Identifier: BSD-3-Clause
"""Where do ranks and threads go? First a table: launch line -> threads and CPUs, for a plain hybrid program
and for plait. Then `mpirun -np N plait run` without any option beside every placement by hand of the same
ranks, run in turn. `placement.py table` does the first only, `placement.py 2 5` the second for 2 and for
5 ranks."""
import json, os, statistics, subprocess, sys
import side

HYBRID = os.path.join(side.PLACE, "hybrid")
JOB = os.path.join(side.PLACE, "placement.yaml")
CORES = os.cpu_count()

# (environment, words in front of the program)
LINES = [
    ("", ""),
    ("", "taskset -c 0"),
    ("", "mpirun -np 1"),
    ("", "mpirun -np 2"),
    ("", "mpirun -np 3"),
    ("", "mpirun -np 4"),
    ("", "mpirun -np 5"),
    ("", "mpirun --bind-to none -np 2"),
    ("", "mpirun --bind-to core -np 1"),
    ("", "mpirun --bind-to core -np 2"),
    ("", "mpirun --bind-to socket -np 2"),
    ("", "mpirun --map-by slot:PE=2 -np 1"),
    ("", "taskset -c 0 mpirun -np 2"),
    ("OMP_NUM_THREADS=2", "mpirun -np 1"),
    ("OMP_NUM_THREADS=1", "mpirun -np 2"),
    ("OMP_PLACES=cores OMP_PROC_BIND=close", "mpirun --bind-to none -np 2"),
    ("OMP_PLACES=cores OMP_PROC_BIND=close OMP_NUM_THREADS=1", "mpirun --bind-to none -np 2"),
]


def environment(text):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    env.update(side.MPI_ENV)
    env.update(word.split("=", 1) for word in text.split())
    return env


def before(env, line):
    done = subprocess.run(line.split() + [HYBRID], env=environment(env), capture_output=True, text=True)
    if done.returncode != 0:
        return None
    words = done.stdout.split()
    return int(words[1]), int(words[3])


def after(env, line):
    done = subprocess.run(line.split() + [side.PLAIT, "doctor", "--format", "json"], env=environment(env),
                          capture_output=True, text=True)
    if "{" not in done.stdout:
        return None
    report = json.loads(done.stdout)
    cpus = set()
    for rank in report["ranks"]:
        for part in rank["cpus"].split(","):
            first, _, last = part.partition("-")
            cpus.update(range(int(first), int(last or first) + 1))
    return sum(rank["threads"] for rank in report["ranks"]), len(cpus)


def cell(found):
    if found is None:
        return "refused"
    threads, cpus = found
    note = f", {threads} threads take turns" if threads > cpus else ""
    return f"{min(threads, cpus)} of {CORES}{note}"


def table():
    if side.have("mpicc"):
        subprocess.run(["mpicc", "-O2", "-fopenmp", os.path.join(side.ROOT, "bench", "hybrid.c"), "-o", HYBRID],
                       check=True)
    print("\n| launch line | cores used by a plain hybrid program | by plait |\n|---|---|---|")
    for env, line in LINES:
        words = " ".join(w for w in (env, line, "PROGRAM") if w)
        print(f"| `{words}` | {cell(before(env, line))} | {cell(after(env, line))} |", flush=True)


# ---- speed ----------------------------------------------------------------------------------
def run(front, *words):
    return front.split() + [side.PLAIT, "run", "--quiet", "--force", JOB, *words]


def by_hand(ranks):
    """Every placement of so many ranks that a careful user could choose."""
    threads = max(1, CORES // ranks)
    yield "--bind-to none", run(f"mpirun --bind-to none -np {ranks}", "run.placement=inherit", "--threads", str(threads))
    if ranks * threads <= CORES:
        yield f"--map-by slot:PE={threads}", run(f"mpirun --map-by slot:PE={threads} --bind-to core -np {ranks}",
                                                 "run.placement=inherit", "--threads", str(threads))
    else:
        yield "--bind-to core:overload", run(f"mpirun --bind-to core:overload-allowed --map-by core:OVERSUBSCRIBE -np {ranks}",
                                             "run.placement=inherit", "--threads", "1")
    if ranks == 1 and CORES > 1:
        yield "OMP_NUM_THREADS", ["env", f"OMP_NUM_THREADS={CORES}"] + run("mpirun --bind-to none -np 1", "run.placement=inherit")


def speed(counts):
    reached = True
    for ranks in counts:
        commands = {"plait, no option": run(f"mpirun -np {ranks}")}
        for name, command in by_hand(ranks):
            try:
                side.run_once(command)
                commands[name] = command
            except RuntimeError as error:
                print(f"  {name}: refused by mpirun ({str(error).splitlines()[1:2]})")
        times = side.in_turn(commands)
        m = side.show(f"{ranks} ranks on {CORES} cores", times, base="plait, no option")
        # Ratio within each turn, then the median: neighbours of this machine disturb whole turns.
        best = min((n for n in m if n != "plait, no option"), key=lambda n: m[n])
        ratio = statistics.median(b / p for b, p in zip(times[best], times["plait, no option"]))
        reached &= side.verdict(f"speed against the best by hand ({best})", ratio, 0.95, ">=")
        if ranks == 5:
            base = {"plait, 5 ranks": commands["plait, no option"], "best placement": run("mpirun -np 2")}
            t = side.in_turn(base)
            side.show("5 ranks against the best placement of any number of ranks", t, base="best placement")
            r = statistics.median(a / b for a, b in zip(t["plait, 5 ranks"], t["best placement"]))
            reached &= side.verdict("5 ranks / best placement", r, 1.3, "<=")
    return reached


os.makedirs(side.PLACE, exist_ok=True)
with open(JOB, "w") as f:
    f.write("kernel: gaussian\ninput: generate:ramp?shape=3600x3600\noutput: 'null:'\n"
            "params: {sigma: 60, axes: [0, 1]}\n")
counts = [int(word) for word in sys.argv[1:] if word != "table"]
if not counts:
    table()
if sys.argv[1:] != ["table"] and not speed(counts or (1, 2, 3, 4, 5)):
    sys.exit(1)
