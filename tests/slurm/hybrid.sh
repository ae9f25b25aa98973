#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# One job file on one node and on two, by srun and by mpirun, with one rank a node and with two: the
# same bytes as on the laptop.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
cores=$(nproc)

cat >job.yaml <<'END'
kernel: gaussian
input: "generate:random?shape=1500x1000&type=float32"
output: out.npy
params: {sigma: 3}
END
laptop job.yaml

for launcher in srun mpirun auto; do
  for ranks in 1 2; do
    [ "$ranks" -le "$cores" ] || continue
    [ "$launcher$ranks" != auto2 ] || continue
    rm -f out.npy
    PLAIT_LAUNCHER=$launcher submit --nodes=2 --ntasks-per-node=$ranks --cpus-per-task=$((cores / ranks)) \
      "$slurm/plait.sbatch" job.yaml
    ends "$id" COMPLETED
    says "^plait.sbatch: job $id on n\[1-2\]: $((2 * ranks)) x $((cores / ranks)) CPUs by ${launcher/auto/srun}, start 1" 0
    says "on $((2 * ranks)) ranks with $((2 * cores)) threads in all \(2 nodes\)" 0
    says_not 'warning|error'
    same_as_laptop
  done
done

# One rank of one node: the script as it stands, no option; MPI is not needed.
rm -f out.npy
submit "$slurm/plait.sbatch" job.yaml
ends "$id" COMPLETED
says 'on 1 rank with' 0
same_as_laptop

# Whole nodes, nothing said of CPUs: the script divides them.
rm -f out.npy
sed 's/^#SBATCH --cpus-per-task=.*/#SBATCH --exclusive/' "$slurm/plait.sbatch" >whole.sbatch
submit --nodes=2 whole.sbatch job.yaml
ends "$id" COMPLETED
says ": 2 x $cores CPUs by srun" 0
says "on 2 ranks with $((2 * cores)) threads in all" 0
same_as_laptop

# What is wrong is said once, is no reason to try again, and leaves no result.
rm -f out.npy
submit --nodes=2 "$slurm/plait.sbatch" job.yaml params.sigmma=3
ends "$id" FAILED 2
says 'sigma' 0
[ "$(grep -c 'sigmma' "$log")" = 1 ] || { fail "an error is said more than once"; show_log; }
[ ! -e out.npy ] || fail "a wrong job left a result"
finish
