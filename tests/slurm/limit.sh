#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Real time limits of a minute, for a run that takes longer: stopped in time by plait itself, which
# asks Slurm when the end is; and, where it does not look at the time, by Slurm's own end. Both times
# the job goes back into the queue, continues, and gives the same bytes. Slurm looks at limits twice a
# minute, so this takes some minutes.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
slow_job 6000
laptop slow.yaml

# A cluster of two: both at once, each on a node with one CPU.
submit --time=1 --signal=B:USR1@10 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml output=a.npy
own=$id own_log=$log
submit --time=1 --signal=B:USR2@1 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml output=b.npy --deadline '9 h'

id=$own log=$own_log
says 'stopped by the end of its time' 90
says 'stopped early: back in the queue' 30
[ ! -e a.npy ] || fail "a result that is not complete has its final name"
hard=$((own + 1)) hard_log=plait-$((own + 1)).log
ends "$id" COMPLETED 0 600
[ "$(starts)" -ge 2 ] || fail "the job was started $(starts) times"
says 'more were done before' 0
same_as_laptop a.npy

id=$hard log=$hard_log
ends "$id" COMPLETED 0 600
says 'DUE TO TIME LIMIT' 0
says '(stopped early|ended by Slurm .*): back in the queue' 0
says 'more were done before' 0
same_as_laptop b.npy
finish
