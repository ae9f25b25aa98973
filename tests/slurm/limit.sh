#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Real time limits of a minute, for a run that takes longer: stopped in time by plait itself, which
# asks Slurm when the end is; and, where plait is told not to look, by Slurm's own end. Both times the
# job goes back into the queue, continues, and gives the same bytes. To need no minutes of CPU time,
# the runs are held (SIGSTOP) for a while. Slurm looks at limits twice a minute.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
slow_job 1500
laptop slow.yaml
submit_minute() { # NODE ARGUMENTS...; a signal that means nothing in place of USR1 before the end
  local node=$1
  shift
  submit --nodelist="$node" --time=1 --signal=B:CONT@1 --cpus-per-task=1 --mem=500 "$slurm/plait.sbatch" slow.yaml "$@"
  in_midst
}
hold() { on_node "$(last_node)" pkill -STOP -x plait; }
release() { on_node "$(last_node)" pkill -CONT -x plait; }
elapsed() { # SECONDS since the job started
  local start
  start=$(date -d "$(field "$id" StartTime)" +%s)
  [ $(($(date +%s) - start)) -ge "$1" ]
}

# Slurm sends CONT itself, then TERM.
submit_minute n1 output=b.npy --deadline '9 h'
hard=$id hard_log=$log
hold

submit_minute n2 output=a.npy
hold
slurm_until 90 elapsed 50
release
says 'stopped by the end of its time' 30
says 'stopped early: back in the queue' 30
[ ! -e a.npy ] || fail "a result that is not complete has its final name"
ends "$id" COMPLETED
[ "$(starts)" = 2 ] || fail "the job was started $(starts) times"
says 'more were done before' 0
same_as_laptop a.npy

id=$hard log=$hard_log
ends "$id" COMPLETED
says 'DUE TO TIME LIMIT' 0
says '(stopped early|ended by Slurm .*): back in the queue' 0
[ "$(starts)" = 2 ] || fail "the job was started $(starts) times"
says 'more were done before' 0
same_as_laptop b.npy
finish
