# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# A real Slurm of its own for a test: munged, slurmctld, and a slurmd per node, all on this machine.
# To be sourced; `cluster.sh shell [NODES]` starts one with an interactive shell to look around.
#
#   cluster_start NODES      CPUs of a node: as many as the machine has; all nodes share them
#   on_head COMMAND...       sbatch, squeue, ... (the shell's own directory)
#   on_node n2 COMMAND...    on a node, outside of any job
#   node_crash n2            power cut: all its processes are gone at once
#   node_boot n2             and on again
#   cluster_stop             also when the shell ends, however it ends
#
# The head is a PID namespace (and mount, net, uts, ipc), each node another one inside it, so there
# is one process to kill and everything is gone. That one is tied to the sourcing shell by a parent
# death signal: a test that ctest kills leaves nothing running. Nodes have a network each
# (10.213.0.N) on a bridge in the head's network: nothing is added to the machine's network, /etc,
# /run or /dev/shm, and several clusters can run at once. State lives in a temporary directory.
# cost: about two seconds for three nodes.

cluster_missing() { # prints what is missing here, nothing when a cluster can run
  local program
  if [ "$(id -u)" != 0 ]; then
    echo "root"
    return
  fi
  for program in munged:munge slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client srun:slurm-client \
    ip:iproute2 unshare:util-linux nsenter:util-linux setpriv:util-linux; do
    command -v "${program%%:*}" >/dev/null || echo "${program%%:*} (package ${program##*:})"
  done
  unshare --mount --uts --net --ipc --pid --fork true 2>/dev/null || echo "namespaces (unshare is refused)"
}

# ---- used by the tests ------------------------------------------------------------------------
on_head() { cluster_enter "$cluster_pid" env "${cluster_env[@]}" "$@"; }
on_node() {
  local node=$1
  shift
  cluster_enter "$cluster_pid" "${cluster_self[@]}" enter "$(cat "$cluster/pid/$node")" env "${cluster_env[@]}" "$@"
}
node_crash() { cluster_enter "$cluster_pid" kill -KILL "$(cat "$cluster/pid/$1")"; }
node_boot() { cluster_enter "$cluster_pid" "${cluster_self[@]}" node "$cluster" "${1#n}"; }

cluster_start() {
  local nodes=$1 here
  here=$(realpath "${BASH_SOURCE[0]}")
  cluster_self=(bash "$here")
  cluster=$(mktemp -d "${TMPDIR:-/tmp}/plait-slurm.XXXXXX") || return 1
  chmod 755 "$cluster"
  mkdir -p "$cluster"/{log,pid,spool,state,tmp}
  cluster_configure "$nodes" >"$cluster/slurm.conf"
  cluster_env=(SLURM_CONF="$cluster/slurm.conf" TMPDIR="$cluster/tmp" OMPI_MCA_orte_tmpdir_base="$cluster/tmp")
  setpriv --pdeathsig KILL unshare --mount --uts --net --ipc --pid --fork --kill-child --mount-proc \
    "${cluster_self[@]}" head "$cluster" "$nodes" </dev/null >"$cluster/log/head.log" 2>&1 &
  cluster_outer=$!
  disown
  cluster_until 90 cluster_settled
  if [ ! -e "$cluster/up" ]; then
    tail -n 5 "$cluster"/log/*.log >&2
    cluster_stop
    return 1
  fi
  read -r cluster_pid _ <"/proc/$cluster_outer/task/$cluster_outer/children"
  [ -n "$cluster_pid" ]
}
cluster_stop() {
  [ -n "${cluster_outer:-}" ] || return 0
  kill -KILL "$cluster_outer" 2>/dev/null
  cluster_until 10 cluster_gone
  rm -rf "$cluster"
  cluster_outer=
}
cluster_gone() { ! kill -0 "$cluster_outer" 2>/dev/null; }

cluster_settled() { [ -e "$cluster/up" ] || [ -e "$cluster/failed" ]; }

# ---- inside -----------------------------------------------------------------------------------
cluster_until() { # SECONDS COMMAND...: asks until it is true
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.05
  done
}
cluster_enter() { # PID COMMAND...: in the namespaces of that process, in this directory
  local pid=$1
  shift
  nsenter -t "$pid" --mount --uts --net --ipc --pid -- bash -c 'cd "$0" && exec "$@"' "$PWD" "$@"
}

cluster_configure() { # NODES: slurm.conf
  local topology memory
  topology=$(slurmd -C | sed -n 's/^NodeName=[^ ]* \(.*\) RealMemory.*/\1/p')
  memory=$(awk '/^MemTotal/ { m = int($2 / 1024 * 3 / 4); print (m > 4000 ? 4000 : m) }' /proc/meminfo)
  cat <<CONF
ClusterName=plaittest
SlurmctldHost=head(10.213.0.254)
SlurmctldPort=16917
SlurmdPort=16918
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# Slurm keeps a requeued job back until its credential has expired: 120 s if not said otherwise. With
# 5 s a start on a busy machine came too late now and then ("Job credential expired").
AuthInfo=socket=$cluster/munge.sock,cred_expire=10
# The daemons are more important than the jobs (see cluster_head); these are as they were submitted.
PropagatePrioProcess=1
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool/%n
SlurmctldPidFile=$cluster/pid/slurmctld
SlurmdPidFile=$cluster/pid/slurmd-%n
SlurmctldLogFile=$cluster/log/slurmctld.log
SlurmdLogFile=$cluster/log/slurmd-%n.log
TmpFS=$cluster/tmp/%n
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1,sched_min_interval=0
MpiDefault=none
ReturnToService=2
KillWait=10
SlurmdTimeout=10
MinJobAge=3600
OverTimeLimit=0
NodeName=n[1-$1] NodeAddr=10.213.0.[1-$1] $topology RealMemory=$memory State=UNKNOWN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=main Nodes=ALL Default=YES MaxTime=60 DefaultTime=10 DefMemPerCPU=200 State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=60 DefaultTime=10 DefMemPerCPU=200 State=UP PriorityTier=9
CONF
}

# First process of the head (PID 1 there): starts all, then reaps what is orphaned.
cluster_head() { # DIRECTORY NODES
  cluster=$1
  cluster_self=(bash "$(realpath "${BASH_SOURCE[0]}")")
  trap 'touch "$cluster/failed"' EXIT
  set -e
  hostname head
  renice -n -10 $$ >/dev/null 2>&1 || true
  ip link set lo up
  ip link add br0 type bridge
  ip link set br0 up
  ip addr add 10.213.0.254/24 dev br0
  { echo "127.0.0.1 localhost"; echo "10.213.0.254 head"; for i in $(seq "$2"); do echo "10.213.0.$i n$i"; done; } >"$cluster/hosts"
  mount --bind "$cluster/hosts" /etc/hosts
  mount -t tmpfs shm /dev/shm
  cd "$cluster"
  export SLURM_CONF=$cluster/slurm.conf
  (umask 077; head -c 128 /dev/urandom >munge.key)
  munged --force --key-file="$cluster/munge.key" --socket="$cluster/munge.sock" --pid-file="$cluster/pid/munged" \
    --log-file="$cluster/log/munged.log" --seed-file="$cluster/munge.seed" --num-threads=2
  slurmctld -c
  cluster_until 30 cluster_answers # a slurmd whose first try fails waits for ten seconds
  for i in $(seq "$2"); do cluster_node "$cluster" "$i"; done
  cluster_until 60 cluster_idle "$2"
  touch up
  while :; do
    sleep 3600 &
    wait $!
  done
}
cluster_answers() { scontrol ping 2>/dev/null | grep -q UP; }
cluster_idle() { [ "$(sinfo -h -N -t idle -o %N | sort -u | wc -l)" = "$1" ]; }

# In the head: a node's namespaces, its cable, its slurmd.
cluster_node() { # DIRECTORY NUMBER
  cluster=$1
  local i=$2 outer node
  rm -rf "$cluster/spool/n$i" "$cluster/tmp/n$i" "$cluster/pid/n$i"
  mkdir -p "$cluster/spool/n$i" "$cluster/tmp/n$i"
  setsid unshare --mount --uts --net --ipc --pid --fork --kill-child --mount-proc bash -c '
    hostname "$0"; ip link set lo up; mount -t tmpfs shm /dev/shm
    while :; do sleep 3600 & wait $!; done' "n$i" </dev/null >"$cluster/log/node-n$i.log" 2>&1 &
  outer=$!
  cluster_until 30 grep -q . "/proc/$outer/task/$outer/children"
  read -r node _ <"/proc/$outer/task/$outer/children" || true # the file has no newline
  ip link del "v$i" 2>/dev/null || true
  ip link add "v$i" type veth peer name eth0 netns "$node"
  ip link set "v$i" master br0 up
  nsenter -t "$node" --net ip addr add "10.213.0.$i/24" dev eth0
  nsenter -t "$node" --net ip link set eth0 up
  cluster_until 30 cluster_node_ready "$node" "n$i"
  echo "$node" >"$cluster/pid/n$i"
  cluster_enter "$node" env SLURM_CONF="$cluster/slurm.conf" slurmd -N "n$i"
}
cluster_node_ready() { [ "$(nsenter -t "$1" --uts hostname)" = "$2" ] && nsenter -t "$1" --mount mountpoint -q /dev/shm; }

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  command=${1:-}
  shift
  case $command in
    head) cluster_head "$@" ;;
    node) cluster_node "$@" ;;
    enter) cluster_enter "$@" ;;
    shell)
      missing=$(cluster_missing)
      [ -z "$missing" ] || { echo "missing: $missing"; exit 1; }
      cluster_start "${1:-2}" && on_head bash -i
      cluster_stop
      ;;
    *) sed -n '4,20s/^# \{0,1\}//p' "$0" ;;
  esac
fi
