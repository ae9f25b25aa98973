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
  on_head scontrol update nodename=n3 state=drain reason=spare
  PLAIT_LAUNCHER=$launcher submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml
  in_midst
  on_head scontrol update nodename=n3 state=resume
  node_crash n2
  mark_down n2 # Slurm notices by itself too, after SlurmdTimeout; this is the same at once
  ends "$id" COMPLETED
  last="job $id"
  [ "$(starts)" = 2 ] || fail "$launcher: the job was started $(starts) times"
  says 'plait.sbatch: job .* on n\[1,3\]: .* start 2,' 0
  says 'more were done before' 0
  same_as_laptop
  bring_back n2
done

# Nobody tells Slurm: it notices when the node does not answer, or the launcher ends first.
rm -f out.npy
on_head scontrol update nodename=n3 state=drain reason=spare
PLAIT_LAUNCHER=mpirun submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml
in_midst
on_head scontrol update nodename=n3 state=resume
node_crash n2
ends "$id" COMPLETED
says 'more were done before' 0
same_as_laptop
bring_back n2

# A rank is killed, as the kernel does when memory is short: one more try.
rm -f out.npy
submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml
in_midst && on_node "$(last_node)" pkill -KILL -x plait
ends "$id" COMPLETED
says 'plait.sbatch: crashed \(code 1[0-9][0-9]\): back in the queue' 0
same_as_laptop

# One that is killed again every time: an end after the third, however often it was stopped before.
cat >crash <<'END'
#!/bin/sh
[ "$1" = run ] || exit 0
echo >>runs
[ "$(wc -l <runs)" -gt 3 ] || exit 75
kill -KILL $$
END
chmod +x crash
PLAIT=$PWD/crash submit --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml
ends "$id" FAILED 137
says 'crashed \(code 137\), three times in a row: this is the end' 0
[ "$(starts)" = 6 ] || fail "crash: the job was started $(starts) times"
finish
