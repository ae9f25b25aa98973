# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What the tests under a real Slurm share. A test sources this with $1 = the program, calls
# `cluster NODES`, submits, and ends with `finish`. Exit code 77: skipped, the reason is printed.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=../run/lib.sh
. "$here/../run/lib.sh"
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "$source_dir/tests/slurm/cluster.sh"
trap 'cluster_stop; cd /; rm -rf "$work"' EXIT
slurm=$source_dir/slurm

# For every job. All nodes share the cores of this machine: ranks that wait must give way.
export PLAIT=$plait OMPI_MCA_mpi_yield_when_idle=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
unset OMP_NUM_THREADS OMP_PLACES OMP_PROC_BIND

cluster() {
  local missing
  missing=$(cluster_missing | paste -sd, | sed 's/,/, /g')
  "$plait" version | grep -q '^MPI *Open MPI' || missing="${missing:+$missing, }plait built with Open MPI"
  if [ -n "$missing" ]; then
    echo "skipped: this test needs $missing"
    exit 77
  fi
  cluster_start "$1" || { echo "FAILED: the cluster does not start"; exit 1; }
}

# A job of many seconds: every cell is summed over 8001 neighbours of its row. 80 kB a block.
slow_job() { # SLICES
  printf '%s\n' 'kernel: gaussian' "input: \"generate:random?shape=$1x100x200&type=float32\"" \
    'output: out.npy' 'params: {sigma: 1000, axes: [2]}' 'run: {block: 80000, checkpoint: 1}' >slow.yaml
}
laptop() { # JOB [key=value ...]: the bytes that all others must give, in ref.npy
  run 0 "$plait" run "$@" output=ref.npy --force --quiet
}
same_as_laptop() { # [FILE]
  checks=$((checks + 1))
  cmp -s "${1:-out.npy}" ref.npy || fail "${1:-out.npy} has other bytes than on the laptop"
}

# ---- batch jobs -------------------------------------------------------------------------------
submit() { # OPTIONS... SCRIPT ARGUMENTS...: sets id and log
  id=$(on_head sbatch --parsable --output='%x-%j.log' "$@") || fail "sbatch $*"
  log=$(on_head scontrol show job "$id" | sed -n 's/^ *StdOut=//p')
}
field() { on_head scontrol show job "$1" 2>/dev/null | tr ' ' '\n' | sed -n "s/^$2=//p" | head -1; }
is_over() {
  case $(field "$1" JobState) in
    PENDING | RUNNING | COMPLETING | CONFIGURING | SUSPENDED | REQUEUED | "") return 1 ;;
    *) return 0 ;;
  esac
}
ends() { # ID STATE [EXIT CODE] [SECONDS]
  checks=$((checks + 1))
  if ! slurm_until "${4:-300}" is_over "$1"; then
    fail "job $1 did not end in time: $(field "$1" JobState)"
    show_log
    return 1
  fi
  last="job $1"
  if [ "$(field "$1" JobState)" != "$2" ] || [ "$(field "$1" ExitCode)" != "${3:-0}:0" ]; then
    fail "job $1 ended as $(field "$1" JobState), $(field "$1" ExitCode), expected $2, ${3:-0}:0"
    show_log
  fi
}
show_log() { tail -n 25 "$log" 2>/dev/null | sed 's/^/    /'; }
slurm_until() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}
log_has() { grep -qE -e "$1" "$log" 2>/dev/null; }
# The log says it within so many seconds.
says() { # PATTERN [SECONDS]
  checks=$((checks + 1))
  last="job $id"
  slurm_until "${2:-120}" log_has "$1" && return
  fail "the log of job $id does not say '$1'"
  show_log
  return 1
}
says_not() {
  checks=$((checks + 1))
  ! log_has "$1" || { fail "the log of job $id says '$1'"; show_log; }
}
# So many progress lines stand in the log: the run is in its midst.
progress_lines() { [ -e "$log" ] && [ "$(grep -c '^plait: *[0-9]* %' "$log")" -ge "$1" ]; }
in_midst() { # [LINES]
  checks=$((checks + 1))
  slurm_until 120 progress_lines "${1:-1}" && return
  fail "job $id makes no progress"
  show_log
  return 1
}
# A job that takes these nodes from those that run there.
take_nodes() { on_head sbatch --output=/dev/null --partition=urgent --nodes="$1" --exclusive --wrap='sleep 1' >/dev/null; }
starts() { grep -c '^plait.sbatch: job' "$log"; } # how often the script began
nothing_left() { # on a node: no process of plait or of a launcher
  local node
  checks=$((checks + 1))
  for node in "$@"; do
    slurm_until 20 node_is_free "$node" || fail "processes are left on $node: $(on_node "$node" ps -e -o args)"
  done
}
last_node() { on_head scontrol show hostnames "$(on_head squeue -h -j "$id" -o %N)" | tail -1; }
mark_down() { on_head scontrol update "nodename=$1" state=down reason=test; }
is_idle() { on_head sinfo -h -N -n "$1" -o %T | grep -qx idle; }
bring_back() { # NODE: whatever became of it
  node_boot "$1"
  slurm_until 5 is_idle "$1" || on_head scontrol update "nodename=$1" state=resume
  slurm_until 30 is_idle "$1" || fail "$1 does not come back: $(on_head sinfo -N)"
}
node_is_free() {
  local name
  for name in plait orted mpirun srun; do
    ! on_node "$1" pgrep -x $name >/dev/null || return 1
  done
}
