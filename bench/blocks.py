# SPDX-License-Identifier: BSD-3-Clause
"""What the engine costs per block: 10^6 tiny blocks, dynamic schedule, 2 ranks; beside GNU parallel and
mpi4py.futures on (fewer) no-op tasks."""
import os, subprocess
import side

BLOCKS = 1_000_000
os.makedirs(side.PLACE, exist_ok=True)
JOB = os.path.join(side.ROOT, "jobs", "relief-smooth.yaml")


def words(blocks):
    return [JOB, f"input=generate:ramp?shape={blocks}x16&type=float32", "output=null:", "run.block=64",
            "params.axes=[1]", "params.sigma=0", "run.schedule=dynamic"]


def peer_mpi4py(tasks):
    if subprocess.run(["/usr/bin/python3", "-c", "import mpi4py"], stderr=subprocess.DEVNULL).returncode:
        return None
    code = ("from mpi4py.futures import MPICommExecutor as E\n"
            "from mpi4py import MPI\n"
            "with E(MPI.COMM_WORLD, root=0) as e:\n"
            f"    if e: n=sum(1 for _ in e.map(abs, range({tasks}), chunksize=1))\n")
    return ["mpirun", "-np", "2", "/usr/bin/python3", "-c", code]


def main():
    few = 16_384
    times = side.in_turn({"plait, 10^6 blocks, 2 ranks x 1": side.plait(*words(BLOCKS), ranks=2, threads=1),
                          "plait, start-up alone (16 k blocks)": side.plait(*words(few), ranks=2, threads=1)}, repeat=3)
    m = side.show("engine cost per block", times)
    ours = (m["plait, 10^6 blocks, 2 ranks x 1"] - m["plait, start-up alone (16 k blocks)"]) / (BLOCKS - few) * 2
    print(f"  per block and rank: {ours * 1e6:.2f} us")
    side.verdict("us per block", ours * 1e6, 5.0, "<=")
    tasks = 2000
    peers = side.in_turn({"GNU parallel, 2000 no-ops": f"seq {tasks} | parallel -j 2 true" if side.have("parallel") else None,
                          "mpi4py.futures, 2000 no-ops": peer_mpi4py(tasks)}, repeat=1)
    for name, values in peers.items():
        print(f"  {name:44s} {min(values) / tasks * 1e6:10.1f} us per task")


main()
