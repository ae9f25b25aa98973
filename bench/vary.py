# SPDX-License-Identifier: BSD-3-Clause
"""What a parameter study costs per combination beside the kernel: 10^5 combinations of a European option with two
samples each (about 2 us of arithmetic), beside GNU parallel and xargs, which start a process for each."""
import os
import side

COMBINATIONS, TASKS = 100_000, 1000
os.makedirs(side.PLACE, exist_ok=True)
JOB = os.path.join(side.PLACE, "vary.yaml")
with open(JOB, "w") as job:
    job.write("kernel: montecarlo\noutput: vary.nc\nparams: {problem: european, samples: 2}\nvary:\n"
              "  params.volatility: {from: 0.1, to: 0.5, count: 10}\n  params.strike: {from: 80, to: 120, count: 100}\n"
              "  params.seed: {from: 1, to: 100}\n")


def study(ranks, *words):
    return side.plait(JOB, "output=" + os.path.join(side.MEMORY, "plait-vary.nc"), *words, ranks=ranks, threads=1)


def main():
    one = "vary.params.seed=[1]"
    times = side.in_turn({"plait, 10^5 combinations, 1 thread": study(1), "plait, 10^5 combinations, 2 ranks x 1": study(2),
                          "plait, start-up and 1000 combinations": study(1, one)}, repeat=3)
    m = side.show("parameter study, table as NetCDF and CSV included", times)
    ours = (m["plait, 10^5 combinations, 1 thread"] - m["plait, start-up and 1000 combinations"]) / (COMBINATIONS - 1000)
    side.verdict("us per combination, one thread", ours * 1e6, 50.0, "<=")
    peers = side.in_turn({"GNU parallel -j 2 true": f"seq {TASKS} | parallel -j 2 true" if side.have("parallel") else None,
                          "xargs -P 2 true": f"seq {TASKS} | xargs -P 2 -n 1 true"}, repeat=1)
    for name, values in peers.items():
        print(f"  {name:44s} {min(values) / TASKS * 1e6:10.1f} us per task")
    for ending in (".nc", ".csv"):
        os.path.exists(side.MEMORY + "/plait-vary" + ending) and os.unlink(side.MEMORY + "/plait-vary" + ending)


main()
