# SPDX-License-Identifier: BSD-3-Clause
"""Side-by-side timing: several commands in turn, medians, ratios.

Machines are noisy, so commands are run in turn (A B C, A B C, ...) after one warm-up each, and the
median of each is compared with the median of the others taken in the same minutes. Whole processes are
timed: start-up counts.
"""
import json, os, shutil, statistics, subprocess, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLAIT = os.environ.get("PLAIT", os.path.join(ROOT, "build", "plait"))
PLACE = os.environ.get("BENCH_DIR", os.path.join(ROOT, "out", "bench"))
# Where results go when the disk is not the point: memory, if there is a file system in it.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else PLACE
REPEAT = int(os.environ.get("BENCH_REPEAT", "5"))
MPI_ENV = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
           "OMPI_MCA_rmaps_base_oversubscribe": "1",
           "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}


def have(program):
    return shutil.which(program) is not None


def run_once(command, env=None):
    """Seconds of wall time of one run; raises with the program's own words when it fails."""
    shell = isinstance(command, str)
    start = time.perf_counter()
    done = subprocess.run(command, shell=shell, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          env={**os.environ, **MPI_ENV, **(env or {})})
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise RuntimeError(f"{command}: exit {done.returncode}\n{done.stderr.decode()}")
    return seconds


def in_turn(commands, repeat=REPEAT, env=None, fresh=None):
    """{name: command} -> {name: [seconds, ...]}; a command that is None is left out. fresh: a result that is removed
    before each run: to free the blocks of the last one is not the work of the next."""
    commands = {n: c for n, c in commands.items() if c is not None}
    times = {n: [] for n in commands}
    for name, command in commands.items():
        run_once(command, env)
    for _ in range(repeat):
        for name, command in commands.items():
            if fresh and os.path.exists(fresh):
                os.remove(fresh)
            times[name].append(run_once(command, env))
    return times


def medians(times):
    return {name: statistics.median(values) for name, values in times.items()}


def show(title, times, base=None, rate=None, unit=""):
    """Prints a table: median, spread, ratio to `base`, and work per second where `rate` is the work."""
    m = medians(times)
    print(f"\n{title}")
    for name, seconds in m.items():
        line = f"  {name:44s} {seconds:8.3f} s  [{min(times[name]):.3f} .. {max(times[name]):.3f}]"
        if base and base in m:
            line += f"  {seconds / m[base]:6.2f} x {base}"
        if rate:
            line += f"  {rate / seconds:10.4g} {unit}/s"
        print(line, flush=True)
    return m


def verdict(what, value, bar, better):
    ok = value <= bar if better == "<=" else value >= bar
    print(f"  => {what}: {value:.3f} (wanted {better} {bar}) {'reached' if ok else 'NOT REACHED'}", flush=True)
    return ok


def plait(*words, ranks=0, threads=0):
    command = ["mpirun", "-np", str(ranks)] if ranks else []
    command += [PLAIT, "run", "--quiet", "--force", *words]
    if threads:
        command += ["--threads", str(threads)]
    return command


def report(command, env=None):
    """The JSON run report of one run."""
    done = subprocess.run(command + ["--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **MPI_ENV, **(env or {})})
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    return json.loads(done.stdout)


def need(*modules):
    """Ends the script with a reason when a Python module of a peer or of the test data is missing."""
    for module in modules:
        try:
            __import__(module)
        except ImportError:
            print(f"skipped: Python module {module} is not installed")
            sys.exit(0)
