#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Real time limits of a minute, for runs that take longer, one in blocks and one over time: stopped in time by plait itself, which
# asks Slurm when the end is; and, where plait is told not to look, by Slurm's own end. Both times the
# job goes back into the queue, continues, and gives the same bytes. To need no minutes of CPU time,
# the runs are held (SIGSTOP) for a while. Slurm looks at limits twice a minute.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
slow_job 1500
laptop slow.yaml
tsunami=("$source_dir/jobs/tohoku-2011.yaml" "evolve.duration=48 h" evolve.gauge_every=1h)
run 0 "$plait" run "${tsunami[@]}" output=ref.nc --quiet
same_tsunami() {
  checks=$((checks + 1))
  cmp -s "$1" ref.nc || fail "$1 has other bytes than on the laptop"
}
submit_minute() { # NODE ARGUMENTS...; a signal that means nothing in place of USR1 before the end
  local node=$1
  shift
  submit --nodelist="$node" --time=1 --signal=B:CONT@1 --cpus-per-task=1 --mem=500 "$slurm/plait.sbatch" "$@"
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
submit_minute n1 slow.yaml output=b.npy --deadline '9 h'
hard=$id hard_log=$log
hold
submit_minute n1 "${tsunami[@]}" output=b.nc run.checkpoint=1 --deadline '9 h'
over_time=$id over_time_log=$log
hold

submit_minute n2 slow.yaml output=a.npy
hold
first=$id first_log=$log
submit_minute n2 "${tsunami[@]}" output=a.nc
hold
second=$id second_log=$log
id=$first
slurm_until 90 elapsed 50
release
stopped_in_time() { # ID LOG OUTPUT
  id=$1 log=$2
  says 'stopped by the end of its time' 60
  says 'stopped early: back in the queue' 30
  [ ! -e "$3" ] || fail "a result that is not complete has its final name"
}
went_on() {
  ends "$id" COMPLETED
  [ "$(starts)" = 2 ] || fail "job $id was started $(starts) times"
  says '(more were done before|goes on from the checkpoint)' 0
}
stopped_in_time "$first" "$first_log" a.npy
stopped_in_time "$second" "$second_log" a.nc
id=$first log=$first_log
went_on
same_as_laptop a.npy
id=$second log=$second_log
went_on
same_tsunami a.nc

was_ended() {
  says 'DUE TO TIME LIMIT' 0
  says '(stopped early|ended by Slurm .*): back in the queue' 0
}
id=$hard log=$hard_log
went_on
was_ended
same_as_laptop b.npy
id=$over_time log=$over_time_log
went_on
was_ended
same_tsunami b.nc
finish
