# SPDX-License-Identifier: BSD-3-Clause
"""fashion.py [softmax] [mlp]: test accuracy on Fashion-MNIST of the shipped jobs, for each of five seeds, beside the
scikit-learn figures of the data set's paper (Xiao, Rasul, Vollgraf 2017, arXiv 1708.07747, table 3)."""
import os, subprocess, sys
import side

side.need("numpy", "netCDF4")
import netCDF4

WANTED = {"softmax": 0.842, "mlp": 0.871}  # LogisticRegression, MLPClassifier


def accuracy(job, seed):
    model, test = (os.path.join(side.MEMORY, f"fashion_{name}.nc") for name in ("model", "test"))
    jobs = os.path.join(side.ROOT, "jobs")
    for words in ([os.path.join(jobs, f"fashion-{job}.yaml"), f"output={model}", f"params.seed={seed}"],
                  [os.path.join(jobs, "fashion-test.yaml"), f"output={test}", f"params.model={model}"]):
        subprocess.run([*side.plait(*words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    with netCDF4.Dataset(test) as d:
        found = float(d["accuracy"][...])
    os.remove(model), os.remove(test)
    return found


for job in sys.argv[1:] or WANTED:
    found = [accuracy(job, seed) for seed in range(1, 6)]
    print(f"{job}: test accuracy by seed " + ", ".join(f"{100 * a:.2f} %" for a in found), flush=True)
    side.verdict(f"{job}: smallest / published", min(found) / WANTED[job], 1, ">=")
