#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# scancel: the job ends and stays ended, no process and no half result is left, and the same job
# submitted again gives the same bytes.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
slow_job 800
laptop slow.yaml

for launcher in srun mpirun; do
  rm -f out.npy
  PLAIT_LAUNCHER=$launcher submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml
  in_midst && on_head scancel "$id"
  slurm_until 60 is_over "$id"
  says 'the job was cancelled' 20
  sleep 13 # the time after which a requeued job would start again
  [ "$(field "$id" JobState)" = CANCELLED ] || fail "$launcher: after scancel: $(field "$id" JobState)"
  [ "$(starts)" = 1 ] || fail "$launcher: a cancelled job was started again"
  nothing_left n1 n2
  [ ! -e out.npy ] || fail "$launcher: a cancelled job left a result"
done
submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml
ends "$id" COMPLETED
same_as_laptop

# Requeued by somebody else: Slurm does it, the script keeps out of it.
rm -f out.npy
submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml
in_midst && on_head scontrol requeue "$id"
ends "$id" COMPLETED
[ "$(starts)" = 2 ] || fail "requeue: the job was started $(starts) times"
says 'put back into the queue from outside, it will continue' 0
same_as_laptop

# Somebody more important takes the nodes.
rm -f out.npy
submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml
in_midst && take_nodes 2
ends "$id" COMPLETED
[ "$(starts)" = 2 ] || fail "preempted: the job was started $(starts) times"
says 'put back into the queue from outside, it will continue' 0
says 'more were done before' 0
same_as_laptop
finish
