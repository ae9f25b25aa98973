#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A node loses its power in mid-run: the job starts again on the nodes that are left, and the bytes
# are the same. Then a rank that is killed, and one that is killed every time.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 3
slow_job 800
laptop slow.yaml

for launcher in srun mpirun; do
  rm -f out.npy
  PLAIT_LAUNCHER=$launcher submit --nodes=2 --cpus-per-task=1 --nodelist=n1,n2 "$slurm/plait.sbatch" slow.yaml
  # The list of nodes would hold the job until n2 is back.
  in_midst && on_head scontrol update "jobid=$id" nodelist= 2>/dev/null
  node_crash n2
  # Slurm notices by itself too, after SlurmdTimeout; this is the same at once.
  on_head scontrol update nodename=n2 state=down reason=power
  ends "$id" COMPLETED
  last="job $id"
  [ "$(starts)" = 2 ] || fail "$launcher: the job was started $(starts) times"
  says 'plait.sbatch: job .* start 2,' 0
  same_as_laptop
  node_boot n2
  on_head scontrol update nodename=n2 state=resume
  slurm_until 30 node_is_up n2 || fail "n2 does not come back"
done

# A rank is killed, as the kernel does when memory is short: one more try.
rm -f out.npy
submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml
in_midst && on_node "$(last_node)" pkill -KILL -x plait
ends "$id" COMPLETED
says 'plait.sbatch: crashed \(code 1[0-9][0-9]\): back in the queue' 0
same_as_laptop
finish
