#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A run over four allocations: each link submits its successor and is stopped in mid-run, one by USR1,
# one by the death of its node, one by somebody more important; the fourth finishes, its successor
# vanishes, the bytes are the same. A chain that is cancelled, and one whose job is wrong, end at once.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
slow_job 1200
laptop slow.yaml

# The running link: the chain's job that does not wait for another.
next_link() {
  local candidate
  candidate=$(on_head squeue -h -n "$1" -t RUNNING -o %i | sort -n | tail -1)
  [ -n "$candidate" ] && [ "$candidate" != "$id" ] || return 1
  id=$candidate
  log=$1-$id.log
}
link() { # NAME: waits for the next one and sets id and log
  checks=$((checks + 1))
  slurm_until 90 next_link "$1" || fail "no link of $1 follows $id: $(on_head squeue)"
}
queue_is_empty() { local list; list=$(on_head squeue -h) && [ -z "$list" ]; }
chain_is_over() {
  checks=$((checks + 1))
  slurm_until "${1:-30}" queue_is_empty || fail "the queue is not empty: $(on_head squeue)"
}

submit --job-name=long --nodes=1 --cpus-per-task=1 --time=9 --mem=700 "$slurm/chain.sbatch" slow.yaml
first=$id
in_midst && on_head scancel --signal=USR1 --batch "$id"
ends "$id" FAILED 75
says "link 1, .*successor $((first + 1))" 0
says "stopped early: job $((first + 1)) continues" 0

link long
says 'link 2,'
[ "$(field "$id" TimeLimit)" = 00:09:00 ] || fail "link 2 has another limit: $(field "$id" TimeLimit)"
[ "$(field "$id" MinMemoryNode)" = 700M ] || fail "link 2 has another memory: $(field "$id" MinMemoryNode)"
in_midst
node=$(last_node)
node_crash "$node"
mark_down "$node"
slurm_until 60 is_over "$id"

link long
says 'link 3,'
says 'successor [0-9]'
in_midst && take_nodes 1 # the other node is down
slurm_until 60 is_over "$id"
[ "$(field "$id" JobState)" = PREEMPTED ] || fail "link 3 ended as $(field "$id" JobState)"
says ': job [0-9]+ continues' 0

link long
says 'link 4,'
ends "$id" COMPLETED
says 'more were done before' 0
says 'plait ended with 0: end of the chain' 5
same_as_laptop
chain_is_over
bring_back "$node"

# Cancelled: no further link.
rm -f out.npy
submit --job-name=gone --cpus-per-task=1 "$slurm/chain.sbatch" slow.yaml
in_midst && on_head scancel "$id"
chain_is_over
says 'the job was cancelled: end of the chain' 5

# A mistake comes again every time.
submit --job-name=wrong --cpus-per-task=1 "$slurm/chain.sbatch" slow.yaml params.sigma=x
ends "$id" FAILED 2
chain_is_over

# So does a crash, three times in a row at most.
printf '#!/bin/sh\n[ "$1" != run ] || kill -KILL $$\n' >crash
chmod +x crash
PLAIT=$PWD/crash submit --job-name=crash --cpus-per-task=1 "$slurm/chain.sbatch" slow.yaml
chain_is_over 90
id=$((id + 2))
log=crash-$id.log
says 'link 3, ' 5
says 'crashed \(code 137\), three times in a row: end of the chain' 5

# As many links as were asked for.
PLAIT_LINKS=2 submit --job-name=short --cpus-per-task=1 "$slurm/chain.sbatch" slow.yaml
in_midst && on_head scancel --signal=USR1 --batch "$id"
link short
in_midst && on_head scancel --signal=USR1 --batch "$id"
ends "$id" FAILED 75
says 'this was the last link' 0
chain_is_over
finish
