#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# plait slurm: writes, submits, waits, says how far a job is; a job file may be called anything.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
queue_is_empty() { local list; list=$(on_head squeue -h) && [ -z "$list" ]; }
on_login() { on_head "$plait" slurm "$@"; } # where users are

name="a b;\$(touch pwned)\`touch pwned\`'\".yaml"
slow_job 40
cp slow.yaml "$name"
laptop slow.yaml

run 0 on_login "$name" --nodes 2 --cpus 1 --submit --wait --parsable output="it's \$(touch pwned).npy"
lines out 1
id=$(cat out)
[ "$(field "$id" JobState)" = COMPLETED ] || fail "--wait returned at $(field "$id" JobState)"
has out '^[0-9]+$'
same_as_laptop "it's \$(touch pwned).npy"
[ ! -e pwned ] || fail "a name was executed"
run 0 on_login --status "$id"; has out "^$id +COMPLETED"; has out 'exit code 0:0: 100 %|exit code 0:0$'
run 0 on_login --status "$id" --format json; is_json; has out '"state": *"COMPLETED"'; has out '"ended": *true'

# CPUs, ranks and nodes as asked for; the rest as the plan has it.
run 0 on_login slow.yaml --nodes 2 --time '90 min'
has out "^#SBATCH --cpus-per-task=$(nproc) .*nodes have so many"; has out '^#SBATCH --nodes=2 '
has out '^#SBATCH --time=01:30:00 '; has out '^#SBATCH --mem=[0-9]+M'

# How far a running job is.
slow_job 1500
run 0 on_login slow.yaml --cpus 1 --submit output=long.npy
id=$(sed -n 's/^batch job \([0-9]*\);.*/\1/p' out)
log=$(field "$id" StdOut)
in_midst
run 0 on_login --status "$id"; has out "^$id +RUNNING on n[12], .*: [0-9]+ % +[0-9]+/1500 blocks"
run 0 on_login --status; has out "^$id +RUNNING"
on_head scancel "$id"
slurm_until 60 is_over "$id"
run 0 on_login --status "$id"; has out "^$id +CANCELLED"
run 0 on_login --status; has out '^no batch jobs'

# An array: each of its tasks, whichever number is asked for.
printf 'output=one.npy\noutput=two.npy\n' >list.txt
array=$(on_head sbatch --parsable --array=1-2%1 "$slurm/array.sbatch" slow.yaml list.txt)
id=${array}_1 log=plait-array-$array-1.log
in_midst
run 0 on_login --status; has out "^${array}_1 +RUNNING"; has out "^${array}_2.* PENDING"
run 0 on_login --status "${array}_1"; has out "^${array}_1 +RUNNING"; lines out 2
run 0 on_login --status "$array"; has out 'RUNNING on .*1500 blocks'; has out 'PENDING'
on_head scancel "$array"
slurm_until 60 queue_is_empty || fail "the array is still there"

# What sbatch or the job would refuse is one line; --wait hands on how it ended.
run 1 on_login slow.yaml --submit --partition nowhere; has err 'partition'; lines err 1; empty out
run 2 on_login slow.yaml --submit params.sigma=x; has err 'sigma'; lines err 1; empty out
run 2 on_login slow.yaml --submit input=nothere.npy; has err 'nothere'; lines err 1; empty out
run 1 on_login --status 99999; has err '[Ii]nvalid job id|not know'; lines err 1
run 2 on_login --status x; has err 'no number'
slow_job 40
touch out.npy
run 2 on_login slow.yaml --submit; has err 'out.npy'; lines err 1
run 0 on_login slow.yaml --submit --wait --force --cpus 1
same_as_laptop
finish
