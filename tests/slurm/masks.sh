#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Which CPUs the ranks of a batch job stand on, read from the kernel while they compute: ranks of a
# node have disjoint shares, together all that the job was given there and nothing else, and each
# compute thread is bound to one CPU of its own.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
cores=$(nproc)
[ "$cores" -ge 2 ] || { echo "skipped: one CPU can be shared out in one way only"; exit 77; }
slow_job 600

# A line for each rank of a node: "PID THREADS_BOUND_TO_ONE CPUS_OF_THE_PROCESS"
# shellcheck disable=SC2016
look='for p in $(pgrep -x plait); do
  bound=; all=
  for t in /proc/$p/task/*; do
    list=$(sed -n "s/^Cpus_allowed_list:[ \t]*//p" $t/status)
    case $list in *[-,]*) ;; *) bound="$bound $list" ;; esac
    all="$all $list"
  done
  cpus=$(for l in $(echo $all | tr , " "); do seq ${l%-*} ${l#*-}; done | sort -nu | paste -sd,)
  echo "$p $(echo $bound | wc -w) $cpus"
done'
# NODE RANKS CPUS_OF_A_RANK: what is right there
check_node() {
  local lines ranks cpus threads
  lines=$(on_node "$1" bash -c "$look")
  checks=$((checks + 1))
  ranks=$(wc -l <<<"$lines")
  threads=$(awk '{ print $2 }' <<<"$lines" | sort -u)
  cpus=$(awk '{ print $3 }' <<<"$lines" | tr , '\n' | sort -n)
  if [ "$ranks" != "$2" ] || [ "$(wc -l <<<"$cpus")" != $(($2 * $3)) ] || [ "$(uniq -d <<<"$cpus")" ] ||
    { [ "$threads" != "$3" ] && [ "$3" != 1 ]; }; then
    fail "$what: $1 has"$'\n'"$lines"
  fi
}
check() { # LAUNCHER RANKS CPUS_OF_A_RANK
  what="$1, $2 x $3 CPUs a node"
  rm -f out.npy*
  PLAIT_LAUNCHER=$1 submit --nodes=2 --ntasks-per-node="$2" --cpus-per-task="$3" "$slurm/plait.sbatch" slow.yaml
  in_midst
  check_node n1 "$2" "$3"
  check_node n2 "$2" "$3"
  says_not 'warning|note: .*bound'
  on_head scancel "$id"
  slurm_until 60 is_over "$id"
}

for launcher in srun mpirun; do
  check $launcher 1 "$cores"
  check $launcher 2 $((cores / 2))
  check $launcher 1 $((cores / 2)) # half a node: the rest may be somebody else's
done

# What is wasted is said.
printf '#!/bin/sh\nsrun --ntasks=1 "%s" run slow.yaml\n' "$plait" >slow.sbatch
rm -f out.npy*
OMP_NUM_THREADS=1 submit --cpus-per-task="$cores" "$slurm/plait.sbatch" slow.yaml
in_midst
says "OMP_NUM_THREADS=1: $((cores - 1)) of $cores cores of the rank stay idle" 0
on_head scancel "$id"
slurm_until 60 is_over "$id"
rm -f out.npy*
submit --nodes=1 --ntasks="$cores" --cpus-per-task=1 slow.sbatch
in_midst
says "Slurm gave the job $cores CPUs of this node, srun 1 of them to its 1 rank" 0
on_head scancel "$id"
finish
