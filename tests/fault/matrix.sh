#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# matrix.sh PLAIT SHIM [MPIRUN] [--long]: breaks runs in every way that the shim and the kernel of the
# system offer, goes on with the same command, and compares the result byte by byte with that of a run
# that nothing happened to. Prints a table of faults and kernels: cases tried, results lost (wrong,
# missing, or a run that could not be continued). Exits with 1 when one was lost.
#   short form (ctest): some minutes' worth of each kind; --long: every call, more random instants.
set -u
long=0
words=()
for word in "$@"; do if [ "$word" = --long ]; then long=1; else words+=("$word"); fi; done
plait=$(realpath "${words[0]}")
shim=$(realpath "${words[1]}")
mpirun=${words[2]:-}
source_dir=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
seed=${PLAIT_FAULT_SEED:-$$}
RANDOM=$seed
work=$(mktemp -d "${PLAIT_FAULT_PLACE:-${TMPDIR:-/tmp}}/plait-fault-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
declare -A tried lost
faults=()
kernels=()
started=$SECONDS

# ---- jobs: small arrays in many blocks ----
write_job() { # KERNEL INPUT PARAMS...: NAME.yaml
  printf 'kernel: %s\ninput: "%s"\nparams:\n' "$2" "$3" >"$1.yaml"
  printf '  %s\n' "${@:4}" >>"$1.yaml"
}
job() { # KERNEL sets command and result
  local ext=nc block=64KiB
  case $1 in
    map) ext=npy block=100KiB
      write_job map gaussian 'generate:random?shape=24x160x160&type=float32' 'sigma: 3' 'axes: [1, 2]' ;;
    map-nc) block=60KiB
      write_job map-nc gaussian source.npy 'sigma: 3' 'axes: [1, 2]' 'type: float32' ;;
    reduce) write_job reduce stats 'generate:random?shape=64x100x90&type=float32' 'axes: all' ;;
    tiles) write_job tiles stats 'generate:random?shape=16x120x130&type=float64' 'axes: [0]' ;;
    passes) block=64KiB
      write_job passes kmeans 'generate:random?shape=6000x12&type=float32' 'k: 4' 'features: [1]' 'iterations: 15' ;;
  esac
  result=$work/$1.$ext
  command=("$work/$1.yaml" run.block=$block run.checkpoint=0 "output=$result" --quiet --threads 1)
}
source_array() { # an input of its own, which tests may change; int16, 20 x 90 x 90
  rm -f source.npy source.npy.*
  write_job source gaussian 'generate:random?shape=20x90x90&type=int16' 'sigma: 0.3' 'axes: [1, 2]' 'type: same'
  "$plait" run source.yaml "output=$work/source.npy" --quiet >out 2>err || { cat err; exit 1; }
}

# ---- running ----
launch() { # RANKS COMMAND...: 0 ranks: no launcher
  local ranks=$1
  shift
  if [ "$ranks" = 0 ]; then "$@"; else timeout -s KILL 60 "$mpirun" -np "$ranks" "$@"; fi
}
launch_behind() { # the same in the background, so that $! is what a signal should meet
  local ranks=$1
  shift
  if [ "$ranks" = 0 ]; then "$@" >out 2>err </dev/null & else "$mpirun" -np "$ranks" "$@" >out 2>err </dev/null & fi
}
# The shim is preloaded into plait only, below the launcher.
broken() { # FAULT RANKS
  launch "$2" env LD_PRELOAD="$shim" PLAIT_FAULT="$1" PLAIT_FAULT_DIR="$work" PLAIT_FAULT_SEED=$RANDOM \
    "$plait" run "${command[@]}" >out 2>err </dev/null
}
clear_result() { rm -rf "$result" "$result".*; }
note_loss() { # FAULT KERNEL TEXT
  lost[$1,$2]=$((${lost[$1,$2]:-0} + 1))
  printf 'LOST: %s; %s: %s\n' "$1" "$2" "$3"
  tail -3 err | cut -c1-300 | sed 's/^/    /'
}
count_case() { # FAULT KERNEL
  [[ " ${faults[*]} " == *" $1 "* ]] || faults+=("$1")
  tried[$1,$2]=$((${tried[$1,$2]:-0} + 1))
}
# What must hold after any fault: no wrong file under the final name; the same command ends with the
# right bytes and leaves nothing else behind.
settle() { # FAULT KERNEL RANKS WHAT
  local code=0
  count_case "$1" "$2"
  if [ -e "$result" ]; then
    cmp -s "$result" "$2.ref" || { note_loss "$1" "$2" "$4: wrong file under the final name"; clear_result; return; }
    ls "$result".journal >/dev/null 2>&1 || { clear_result; return; } # was complete
  fi
  launch "$3" "$plait" run "${command[@]}" >out 2>err </dev/null || code=$?
  # Ranks whose launcher was killed may have finished the work meanwhile.
  if [ $code = 2 ] && grep -q 'exists already' err && cmp -s "$result" "$2.ref"; then code=0; fi
  if [ $code != 0 ]; then note_loss "$1" "$2" "$4: cannot be continued on $3 ranks (exit $code)"
  elif ! cmp -s "$result" "$2.ref"; then note_loss "$1" "$2" "$4: other bytes after a resume on $3 ranks"
  elif ls "$result".* >/dev/null 2>&1; then note_loss "$1" "$2" "$4: leaves $(ls "$result".*)"
  fi
  clear_result
}
calls() { awk -v kind="$1" '$1 == kind { print $2 }' "$2.count"; }
pick() { # TOTAL HOW_MANY: numbers of calls to strike at: all in the long form, the ends and some between
  local total=$1 many=$2 i
  [ $long = 1 ] && many=$((many * 8))
  if [ "$total" -le "$many" ]; then seq 1 "$total"; return; fi
  { echo 1; echo 2; echo "$total"; echo $((total - 1))
    for ((i = 4; i < many; i++)); do echo $((1 + RANDOM % total)); done; } | sort -nu
}
other_ranks() { # a number of ranks to go on with
  if [ -z "$mpirun" ] || [ $((RANDOM % ${1:-8})) != 0 ]; then echo 0; else echo $((1 + RANDOM % 4)); fi
}

# ---- faults in one process ----
at_calls() { # FAULT KERNEL KIND ACTION MANY
  local n
  for n in $(pick "$(calls "$3" "$2")" "$5"); do
    broken "$3:$n:$4" 0
    local code=$?
    case $4 in eintr | short | stall)
      if [ $code != 0 ] && [ "$3" != rename ]; then note_loss "$1" "$2" "$3 $n $4: exit $code"; fi ;;
    esac
    if [ $code != 0 ] && [ $code -lt 126 ] && [ "$(grep -c 'plait: error' err)" != 1 ]; then
      note_loss "$1" "$2" "$3 $n $4: not one message"
    fi
    settle "$1" "$2" "$(other_ranks 12)" "$3 $n $4"
  done
}
one_process() { # KERNEL
  at_calls 'kill -9 before a call' "$1" any kill 7
  at_calls 'kill -9 after a call' "$1" any after 6
  at_calls 'power loss' "$1" any power 8
  at_calls 'EIO' "$1" write eio 4; at_calls 'EIO' "$1" sync eio 4
  at_calls 'EIO' "$1" rename eio 2; [ "$1" = map-nc ] && at_calls 'EIO' "$1" read eio 4
  at_calls 'ENOSPC' "$1" write enospc 5
  at_calls 'EINTR' "$1" write eintr 3; at_calls 'EINTR' "$1" sync eintr 2
  at_calls 'short count' "$1" write short 4; [ "$1" = map-nc ] && at_calls 'short count' "$1" read short 3
  at_calls 'no memory' "$1" alloc nomem 6
  at_calls 'a stalled call' "$1" any stall 2
}

# ---- damage between two runs ----
half_done() { # KERNEL
  local total
  total=$(calls write "$1")
  clear_result
  broken "write:$((total / 2 + RANDOM % (total / 3))):kill" 0
}
flip() { # FILE: one bit
  local size at byte
  size=$(stat -c %s "$1")
  at=$(((RANDOM * 32768 + RANDOM) % size))
  byte=$(od -An -tu1 -j$at -N1 "$1")
  printf "$(printf '\\x%02x' $((byte ^ (1 << RANDOM % 8))))" | dd of="$1" bs=1 seek=$at conv=notrunc status=none
}
damage() { # KERNEL
  local i many=4
  [ $long = 1 ] && many=40
  for ((i = 0; i < many; i++)); do
    half_done "$1"; [ -e "$result.journal" ] && flip "$result.journal"
    settle 'a bit of the journal' "$1" "$(other_ranks)" "flip $i"
    half_done "$1"; [ -e "$result.journal" ] && truncate -s -$((1 + RANDOM % 5000)) "$result.journal"
    settle 'journal cut short' "$1" "$(other_ranks)" "cut $i"
    half_done "$1"; [ -e "$result.partial" ] && flip "$result.partial"
    settle 'a bit of the output' "$1" "$(other_ranks)" "flip $i"
  done
  half_done "$1"; [ -e "$result.partial" ] && truncate -s -100 "$result.partial"
  settle 'output cut short' "$1" 0 'cut'
  half_done "$1"; rm -f "$result.partial"
  settle 'output cut short' "$1" 0 'no partial'
}
refused() { # KERNEL PATTERN: the same command must refuse, with the reason
  local code=0
  count_case 'input or job changed' "$1"
  "$plait" run "${command[@]}" "${@:3}" >out 2>err </dev/null || code=$?
  if [ $code != 2 ] || ! grep -q "$2" err; then note_loss 'input or job changed' "$1" "exit $code, no '$2'"; fi
}
changes() { # map-nc: it reads a file
  job map-nc
  half_done map-nc; touch -d '2001-01-01' source.npy; refused map-nc 'time of change'
  source_array; refused map-nc 'time of change'
  touch -d '2001-01-01' source.npy; clear_result; half_done map-nc; flip source.npy; touch -d '2001-01-01' source.npy
  refused map-nc 'content of the input'
  printf x >>source.npy; refused map-nc 'size of the input'
  mv source.npy away.npy; refused map-nc 'source.npy'; mv away.npy source.npy
  clear_result; source_array; half_done map-nc; refused map-nc 'params.sigma was' params.sigma=2
  "$plait" run "${command[@]}" --fresh >out 2>err || note_loss 'input or job changed' map-nc '--fresh fails'
  clear_result
}
full_disk() {
  local dir=$work/small
  mkdir -p "$dir"
  if ! mount -t tmpfs -o size=1500k tmpfs "$dir" 2>/dev/null; then
    echo 'skipped: full disk (no small file system can be mounted here)'
    return
  fi
  job map
  command+=("output=$dir/map.npy") # needs 2.4 MB
  result=$dir/map.npy
  "$plait" run "${command[@]}" >out 2>err && note_loss 'full disk' map 'did not fail'
  grep -q 'full\|space' err || note_loss 'full disk' map 'does not say so'
  mount -o remount,size=20m "$dir"
  settle 'full disk' map 0 'then space'
  umount "$dir"
}

# ---- signals and several ranks ----
timed() { # FAULT KERNEL RANKS SIGNAL: at a random instant of the run
  local pid left time=$((RANDOM % 900 + 20))
  launch_behind "$3" "$plait" run "${command[@]}"
  pid=$!
  sleep "$(printf '0.%03d' $time)"
  kill "-$4" $pid 2>/dev/null
  # A signal while it starts can leave mpirun 4.1 waiting for itself for ever, its ranks being dead.
  for ((left = 600; left > 0; left--)); do
    kill -0 $pid 2>/dev/null || break
    sleep 0.1
  done
  [ $left -gt 0 ] || kill -9 $pid
  wait $pid 2>/dev/null
  local code=$?
  if [ "$4" != KILL ] && [ $code != 0 ] && [ $code != 75 ] && [ $time -gt 600 ] && [ "$3" = 0 ]; then
    note_loss "$1" "$2" "SIG$4 after 0.$time s: exit $code"
  fi
  settle "$1" "$2" "$(other_ranks 4)" "SIG$4 after 0.$time s on $3 ranks"
}
ranks_and_signals() { # KERNEL
  local i n many=3
  [ $long = 1 ] && many=50
  for ((i = 0; i < many; i++)); do timed 'kill -9 at random' "$1" 0 KILL; done
  for ((i = 0; i < many; i++)); do timed 'SIGTERM, SIGUSR1' "$1" 0 $([ $((i % 2)) = 0 ] && echo TERM || echo USR1); done
  [ -n "$mpirun" ] || return
  for n in 2 4; do
    for ((i = 0; i < (many + 2) / 3; i++)); do
      timed 'kill -9 of mpirun' "$1" $n KILL
      timed 'SIGTERM, SIGUSR1' "$1" $n USR1
      broken "write:$((2 + RANDOM % 6)):kill:$((n - 1))" $n
      settle 'kill -9 of a rank' "$1" $((n == 2 ? 1 : 3)) "rank $((n - 1)) of $n"
    done
  done
}
one_rank_fails() {
  local begin code=0
  [ -n "$mpirun" ] || return
  job map
  count_case 'a rank fails' map
  begin=$SECONDS
  broken "write:2:eio:1" 4 || code=$?
  [ $((SECONDS - begin)) -le 8 ] || note_loss 'a rank fails' map "took $((SECONDS - begin)) s to end"
  [ $code != 0 ] || note_loss 'a rank fails' map 'exit 0'
  [ "$(grep -c 'plait: error' err)" = 1 ] || note_loss 'a rank fails' map 'not one message'
  settle 'a rank fails' map 2 'EIO on rank 1 of 4'
}
time_is_over() { # KERNEL
  local code=0
  "$plait" run "${command[@]}" --deadline 1ms >out 2>err || code=$?
  [ $code = 75 ] || note_loss 'time limit' "$1" "--deadline: exit $code"
  settle 'time limit' "$1" "$(other_ranks 4)" '--deadline'
}
stalls() { # KERNEL: nothing moves for longer than run.stall
  local code=0
  command+=(run.stall=0.2s)
  broken 'write:6:stall' 0 || code=$?
  if [ $code != 1 ] || ! grep -q 'nothing has moved on rank 0' err; then
    note_loss 'nothing moves' "$1" "run.stall: exit $code"
  fi
  job "$1"
  settle 'nothing moves' "$1" 0 'run.stall'
}
tells() { # resume-info and the note of a resume say the same
  local blocks
  job map
  count_case 'what is left is told' map
  half_done map
  "$plait" resume-info "${command[@]:0:4}" --format json >out 2>err || note_loss 'what is left is told' map 'resume-info fails'
  blocks=$(sed -n 's/.*"blocks_in_results": \([0-9]*\).*/\1/p' out)
  grep -q '"run": "goes on"' out || note_loss 'what is left is told' map 'resume-info does not see it'
  "$plait" run "${command[@]:0:4}" >out 2>err || note_loss 'what is left is told' map 'resume fails'
  grep -q "goes on from .*: ${blocks:-none} of " err || note_loss 'what is left is told' map "not $blocks blocks"
  clear_result
}
two_runs() {
  job map
  count_case 'two runs at once' map
  broken 'sync:2:stall' 0 &
  local first=$! one=0 two=0
  "$plait" run "${command[@]}" >out2 2>err2 || two=$?
  wait $first || one=$?
  # One of them does it, the other waits for it and then finds it done, or is refused.
  [ $one = 0 ] || [ $two = 0 ] || note_loss 'two runs at once' map 'both failed'
  case $one$two in 00 | 02 | 20) ;; *) note_loss 'two runs at once' map "exit $one and $two" ;; esac
  cmp -s "$result" map.ref || note_loss 'two runs at once' map 'wrong bytes'
  clear_result
}

table() {
  local all=0 bad=0 fault kernel n m
  printf '%-24s' 'cases (lost)'
  printf '%12s' "${kernels[@]}"
  echo
  for fault in "${faults[@]}"; do
    printf '%-24s' "$fault"
    for kernel in "${kernels[@]}"; do
      n=${tried[$fault,$kernel]:-0} m=${lost[$fault,$kernel]:-0}
      all=$((all + n)) bad=$((bad + m))
      printf '%12s' "$([ $n = 0 ] && echo - || echo "$n ($m)")"
    done
    echo
  done
  echo "$all cases, $bad lost, $((SECONDS - started)) s, PLAIT_FAULT_SEED=$seed"
  return $((bad > 0))
}
trap 'echo stopped early; table; exit 1' TERM INT

# ---- all of it ----
source_array
for kernel in map map-nc reduce tiles passes; do
  kernels+=("$kernel")
  job $kernel
  clear_result
  LD_PRELOAD=$shim PLAIT_FAULT_DIR=$work PLAIT_FAULT_COUNT=$work/$kernel.count "$plait" run "${command[@]}" >out 2>err ||
    { echo "the job $kernel does not run:"; cat err; exit 1; }
  mv "$result" $kernel.ref
  clear_result
done
for kernel in "${kernels[@]}"; do
  job "$kernel"; one_process "$kernel"
  job "$kernel"; damage "$kernel"
  job "$kernel"; ranks_and_signals "$kernel"
  job "$kernel"; time_is_over "$kernel"
done
changes
full_disk
one_rank_fails
two_runs
job map; stalls map
tells

table
