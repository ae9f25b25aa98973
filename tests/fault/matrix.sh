#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# matrix.sh PLAIT SHIM [MPIRUN] [--long]: breaks runs in every way that the shim and the kernel of the
# system offer, goes on with the same command, and compares the result byte by byte with that of a run
# that nothing happened to. Prints a table of faults and kernels: cases tried, results lost (wrong,
# missing, or a run that could not be continued). Exits with 1 when one was lost.
#   short form (ctest): some of each kind; --long: eight times as many calls, more random instants.
#   PLAIT_FAULT_KERNEL=heat: that kernel alone, rest: what is tried once; PLAIT_FAULT_SEED=N: the random choices of another run.
set -u
long=0
words=()
for word in "$@"; do if [ "$word" = --long ]; then long=1; else words+=("$word"); fi; done
plait=$(realpath "${words[0]}")
shim=$(realpath "${words[1]}")
mpirun=${words[2]:-}
only=${PLAIT_FAULT_KERNEL:-} share=100 several=1 kept=()
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
  printf 'kernel: %s\n' "$2" >"$1.yaml"
  [ -z "$3" ] || printf 'input: "%s"\n' "$3" >>"$1.yaml"
  printf 'params:\n' >>"$1.yaml"
  printf '  %s\n' "${@:4}" >>"$1.yaml"
}
write_evolve() { # KERNEL PARAMS...: NAME.yaml with all that an evolve can keep
  local input='' gauges='{name: a, x: 10.5, y: 11, z: 12}, {name: b, x: 1.5, y: 30, z: 2}' length='steps: 300, step: 1, snapshot_steps: 40'
  if [ "$1" = tsunami ]; then
    input=relief.nc:z gauges='{name: a, x: 151, y: 21}, {name: b, x: 142, y: 12}' length='steps: 240, snapshot_steps: 40'
  fi
  write_job "$1" "$1" "$input" "${@:2}"
  printf 'evolve: {%s, tile: 3, stride: 3, maximum: true, arrival: 0.5, gauges: [%s]}\n' "$length" "$gauges" >>"$1.yaml"
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
    kmeans) block=64KiB
      write_job kmeans kmeans 'generate:random?shape=6000x12&type=float32' 'k: 4' 'features: [1]' 'iterations: 15' ;;
    montecarlo) block=0
      write_job montecarlo montecarlo '' 'problem: asian' 'dimensions: 12' 'samples: 60000' 'rounds: 5' 'target: 1e-9' ;;
    heat) block=0
      write_evolve heat 'cells: [24, 40, 32]' 'diffusivity: 0.1' 'initial: [{kind: gaussian, amplitude: 2, x: 3, y: 5, z: 20, radius: 3}]' \
        'edges: [{face: x-, kind: periodic}, {face: y+, kind: fixed, value: 1}]' ;;
    tsunami) block=0
      write_evolve tsunami 'south: 10' 'north: 28' 'west: 140' 'east: 160' \
        'shapes: [{kind: gaussian, amplitude: 2, lon: 150, lat: 20, radius: 100}]' ;;
  esac
  result=$work/$1.$ext
  kept=()
  case $1 in heat | tsunami) kept=("$result.gauges.csv") ;; esac
  command=("$work/$1.yaml" run.block=$block run.checkpoint=0 "output=$result" --quiet --threads 1)
}
cp "$source_dir/jobs/data/relief10.nc" relief.nc
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
right() { # KERNEL: the result, and the table of gauges where there is one, are what they should be
  cmp -s "$result" "$1.ref" && { [ ${#kept[@]} = 0 ] || cmp -s "${kept[0]}" "$1.ref.csv"; }
}
leftovers() { # what an interrupted run left beside the result
  find "$(dirname "$result")" -maxdepth 1 -name "$(basename "$result").*" ! -name '*.gauges.csv'
}
settle() { # FAULT KERNEL RANKS WHAT
  local code=0
  count_case "$1" "$2"
  if [ -e "$result" ]; then
    right "$2" || { note_loss "$1" "$2" "$4: wrong file under the final name"; clear_result; return; }
    [ -n "$(leftovers)" ] || { clear_result; return; } # was complete
  fi
  launch "$3" "$plait" run "${command[@]}" >out 2>err </dev/null || code=$?
  # Ranks whose launcher was killed may have finished the work meanwhile.
  if [ $code = 2 ] && grep -q 'exists already' err && right "$2"; then code=0; fi
  if [ $code != 0 ]; then note_loss "$1" "$2" "$4: cannot be continued on $3 ranks (exit $code)"
  elif ! right "$2"; then note_loss "$1" "$2" "$4: other bytes after a resume on $3 ranks"
  elif [ -n "$(leftovers)" ]; then note_loss "$1" "$2" "$4: leaves $(leftovers)"
  fi
  clear_result
}
calls() { awk -v kind="$1" '$1 == kind { print $2 }' "$2.count"; }
pick() { # TOTAL HOW_MANY: numbers of calls to strike at: eight times as many in the long form
  local total=$1 many=$2 i
  if [ $long = 1 ]; then many=$((many * 8)); else many=$((many * share / 100)); fi
  if [ "$many" -lt 4 ]; then
    for ((i = 0; i < many || i < 1; i++)); do echo $((1 + RANDOM % total)); done
    return
  fi
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
  at_calls 'EIO' "$1" unlink eio 1
  at_calls 'ENOSPC' "$1" write enospc 5
  at_calls 'EINTR' "$1" write eintr 3; at_calls 'EINTR' "$1" sync eintr 2
  at_calls 'short count' "$1" write short 4; [ "$1" = map-nc ] && at_calls 'short count' "$1" read short 3
  at_calls 'no memory' "$1" alloc nomem 6
  at_calls 'a stalled call' "$1" any stall 2
  at_calls 'a stalled strand' "$1" queue stall 3
}

# ---- damage between two runs ----
half_done() { # KERNEL: something of it can be continued
  local total i
  total=$(calls write "$1")
  for ((i = 0; i < 5; i++)); do
    clear_result
    broken "write:$((total / 2 + RANDOM % (total / 3))):kill" 0
    [ ${#kept[@]} != 0 ] || return # else a checkpoint must be complete
    "$plait" resume-info "${command[@]:0:4}" >out 2>err && grep -q '^run *goes on' out && return
  done
}
flip() { # FILE: one bit
  local size at byte
  size=$(stat -c %s "$1")
  at=$(((RANDOM * 32768 + RANDOM) % size))
  byte=$(od -An -tu1 -j$at -N1 "$1")
  printf "$(printf '\\x%02x' $((byte ^ (1 << RANDOM % 8))))" | dd of="$1" bs=1 seek=$at conv=notrunc status=none
}
damaged() { # FAULT KERNEL HOW FILE...: after half a run each FILE that is there is damaged
  local file
  half_done "$2"
  for file in "${@:4}"; do
    [ -s "$file" ] || continue
    case $3 in
      flip) flip "$file" ;;
      cut) truncate -s -$((1 + RANDOM % $(($(stat -c %s "$file") < 5000 ? $(stat -c %s "$file") : 5000)))) "$file" ;;
      empty) truncate -s 0 "$file" ;;
      gone) rm "$file" ;;
    esac
  done
  settle "$1" "$2" "$(other_ranks 4)" "$3 of ${*:4}"
}
damage() { # KERNEL
  local i many=1
  [ $long = 1 ] && many=40
  for ((i = 0; i < many; i++)); do
    case $1 in
      heat | tsunami)
        damaged 'a bit of a checkpoint' "$1" flip "$result.checkpoint$((RANDOM % 2))"
        damaged 'checkpoint cut short' "$1" cut "$result.checkpoint$((RANDOM % 2))"
        ;;
      *)
        damaged 'a bit of the journal' "$1" flip "$result.journal"
        damaged 'journal cut short' "$1" cut "$result.journal"
        ;;
    esac
    damaged 'a bit of the output' "$1" flip "$result.partial"
  done
  case $1 in
    heat | tsunami)
      damaged 'both checkpoints' "$1" flip "$result.checkpoint0" "$result.checkpoint1"
      damaged 'both checkpoints' "$1" empty "$result.checkpoint0" "$result.checkpoint1"
      damaged 'both checkpoints' "$1" gone "$result.checkpoint$((RANDOM % 2))"
      ;;
  esac
  damaged 'output cut short' "$1" cut "$result.partial"
  damaged 'output cut short' "$1" gone "$result.partial"
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
changes_of_evolve() {
  job tsunami
  half_done tsunami; touch -d '2001-01-01' relief.nc; refused tsunami 'time of change'
  mv relief.nc away.nc; refused tsunami 'relief.nc'; mv away.nc relief.nc
  cp "$source_dir/jobs/data/relief10.nc" relief.nc; clear_result
  job heat
  half_done heat; refused heat 'params.diffusivity was' params.diffusivity=0.05
  refused heat 'evolve.steps was' evolve.steps=301
  refused heat 'evolve.arrival was' evolve.arrival=0.6
  printf 'kernel: gaussian\ninput: source.npy\nparams: {sigma: 3, axes: [1, 2], type: float32}\n' >other.yaml
  command[0]=$work/other.yaml; refused heat 'belongs to another run'; job heat
  "$plait" run "${command[@]}" evolve.tile=1 evolve.gauge_file="${kept[0]}" --threads 2 >out 2>err ||
    note_loss 'input or job changed' heat 'another tile is refused'
  grep -q 'exists' err || right heat || note_loss 'input or job changed' heat 'other bytes with another tile'
  clear_result; half_done heat
  "$plait" run "${command[@]}" --fresh >out 2>err || note_loss 'input or job changed' heat '--fresh fails'
  right heat || note_loss 'input or job changed' heat '--fresh: other bytes'
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
  full_for_checkpoints "$dir"
  umount "$dir"
}
full_for_checkpoints() { # DIRECTORY: the result fits, the checkpoints do not: warned, and done
  job heat
  result=$1/heat.nc kept=("$1/heat.nc.gauges.csv")
  command[3]="output=$result"
  count_case 'full disk' heat
  mount -o remount,size=$((($(stat -c %s heat.ref) + 200000) / 1024))k "$1"
  "$plait" run "${command[@]:0:4}" >out 2>err || note_loss 'full disk' heat 'fails without checkpoints'
  grep -q 'checkpoint could not be' err || note_loss 'full disk' heat 'no warning'
  right heat || note_loss 'full disk' heat 'other bytes'
  clear_result
  mount -o remount,size=$(($(stat -c %s heat.ref) / 2048))k "$1"
  "$plait" run "${command[@]}" >out 2>err && note_loss 'full disk' heat 'did not fail'
  mount -o remount,size=20m "$1"
  settle 'full disk' heat 0 'then space'
}

# ---- signals and several ranks ----
timed() { # FAULT KERNEL RANKS SIGNAL: at a random instant of the run
  local pid left time=$((RANDOM % 900 + 20))
  launch_behind "$3" "$plait" run "${command[@]}"
  pid=$!
  sleep "$(printf '0.%03d' $time)"
  kill "-$4" $pid 2>/dev/null
  # A signal while it starts can leave mpirun 4.1 waiting for itself for ever, its ranks being dead.
  for ((left = 3000; left > 0; left--)); do
    kill -0 $pid 2>/dev/null || break
    sleep 0.02
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
  local i n many=1
  [ $long = 1 ] && many=50
  for ((i = 0; i < many; i++)); do timed 'kill -9 at random' "$1" 0 KILL; done
  for ((i = 0; i < many; i++)); do timed 'SIGTERM, SIGUSR1' "$1" 0 $([ $((i % 2)) = 0 ] && echo TERM || echo USR1); done
  [ -n "$mpirun" ] && [ $several = 1 ] || return
  for n in 2 4; do
    [ $long = 1 ] || [ $((RANDOM % 2)) = 0 ] || continue
    for ((i = 0; i < (many + 2) / 3; i++)); do
      timed 'kill -9 of mpirun' "$1" $n KILL
      timed 'SIGTERM, SIGUSR1' "$1" $n USR1
      broken "write:$((2 + RANDOM % 6)):kill:$((n - 1))" $n
      settle 'kill -9 of a rank' "$1" $((n == 2 ? 1 : 3)) "rank $((n - 1)) of $n"
    done
  done
}
faults_of_a_rank() { # KERNEL: one rank of several is struck, then another number of ranks goes on
  local kind ranks total at many=1 i
  local kinds=(any:kill any:after any:power write:eio write:enospc sync:eio write:short alloc:nomem any:stall queue:stall)
  [ -n "$mpirun" ] && [ $several = 1 ] || return
  if [ $long = 1 ]; then many=12; else kinds=("${kinds[@]:RANDOM % 5 * 2:2}"); fi
  for kind in "${kinds[@]}"; do
    for ((i = 0; i < many; i++)); do
      ranks=$((2 + 2 * (RANDOM % 2)))
      total=$(calls "${kind%:*}" "$1")
      at=$((1 + RANDOM % (total / ranks + 1)))
      broken "${kind%:*}:$at:${kind#*:}:$((RANDOM % ranks))" $ranks
      case $?:$kind in
        137:any:stall | 137:*:[ens]*) note_loss 'a rank of 2 or 4' "$1" "$kind at $at: hangs on $ranks ranks" ;;
      esac
      settle 'a rank of 2 or 4' "$1" $((1 + (ranks + RANDOM % 3) % 4)) "$kind on $ranks ranks"
    done
  done
}
one_rank_fails() { # KERNEL
  local begin code=0
  [ -n "$mpirun" ] || return
  begin=$SECONDS
  broken "write:2:eio:1" 4 || code=$?
  [ $((SECONDS - begin)) -le 8 ] || note_loss 'a rank fails' "$1" "took $((SECONDS - begin)) s to end"
  case $1 in
    kmeans | heat | tsunami) ;; # may have written nothing there, or warned of a checkpoint
    *) [ $code != 0 ] || note_loss 'a rank fails' "$1" 'exit 0' ;;
  esac
  [ $code = 0 ] || [ "$(grep -c 'plait: error' err)" = 1 ] || note_loss 'a rank fails' "$1" 'not one message'
  settle 'a rank fails' "$1" 2 'EIO on rank 1 of 4'
}
time_is_over() { # KERNEL
  local code=0
  "$plait" run "${command[@]}" --deadline 1ms >out 2>err || code=$?
  [ $code = 75 ] || note_loss 'time limit' "$1" "--deadline: exit $code"
  settle 'time limit' "$1" "$(other_ranks 4)" '--deadline'
}
stalls() { # KERNEL: nothing moves for longer than run.stall, at a write behind those of the layout
  local code=0
  command+=(run.stall=0.2s run.overlap=false)
  broken "write:$(($(calls write "$1") * 2 / 3)):stall" 0 || code=$?
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
without_a_copy() { # no memory for a copy of the state: written in place while the team waits
  local code=0
  job tsunami
  clear_result
  "$plait" run "${command[@]}" run.memory=1MiB --deadline 1ms >out 2>err || code=$?
  [ $code = 75 ] || note_loss 'no room for a copy' tsunami "exit $code"
  "$plait" run "${command[@]}" run.memory=1MiB run.overlap=false --deadline 1ms >out 2>err
  settle 'no room for a copy' tsunami "$([ -z "$mpirun" ] && echo 0 || echo 3)" 'run.memory=1MiB'
}
tells_of_evolve() {
  local steps
  job heat
  count_case 'what is left is told' heat
  half_done heat
  "$plait" resume-info "${command[@]:0:4}" --format json >out 2>err || note_loss 'what is left is told' heat 'resume-info fails'
  steps=$(sed -n 's/.*"steps_done": \([0-9]*\).*/\1/p' out)
  grep -q '"run": "goes on"' out || note_loss 'what is left is told' heat 'resume-info does not see it'
  "$plait" run "${command[@]:0:4}" >out 2>err || note_loss 'what is left is told' heat 'resume fails'
  grep -q "goes on from .*: ${steps:-none} of 300 steps" err || note_loss 'what is left is told' heat "not $steps steps"
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
  printf "%12s" "${kernels[@]}"
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
exec 3>&1 # a signal comes while the output of a run goes elsewhere
trap '{ echo stopped early; table; } >&3; exit 1' TERM INT

# ---- all of it ----
source_array
for kernel in map map-nc reduce tiles kmeans montecarlo heat tsunami; do
  kernels+=("$kernel")
  job $kernel
  clear_result
  LD_PRELOAD=$shim PLAIT_FAULT_DIR=$work PLAIT_FAULT_COUNT=$work/$kernel.count "$plait" run "${command[@]}" >out 2>err ||
    { echo "the job $kernel does not run:"; cat err; exit 1; }
  mv "$result" $kernel.ref
  [ ${#kept[@]} = 0 ] || mv "${kept[0]}" $kernel.ref.csv
  clear_result
done
for kernel in "${kernels[@]}"; do
  [ -z "$only" ] || [ "$only" = "$kernel" ] || continue
  # In the short form: per cent of the cases, and whether several ranks are tried for this kernel.
  case $kernel in map | heat) share=30 several=1 ;; kmeans | tsunami) share=15 several=1 ;; *) share=15 several=$long ;; esac
  job "$kernel"; one_process "$kernel"
  job "$kernel"; damage "$kernel"
  job "$kernel"; ranks_and_signals "$kernel"
  job "$kernel"; faults_of_a_rank "$kernel"
  job "$kernel"; time_is_over "$kernel"
  case $kernel in map | kmeans | heat | tsunami) job "$kernel"; one_rank_fails "$kernel" ;; esac
  case $kernel in # behind the writes that lay out the file
    map) job map; stalls map ;;
    heat) job heat; stalls heat ;;
  esac
done
if [ -z "$only" ] || [ "$only" = rest ]; then
  changes
  changes_of_evolve
  full_disk
  two_runs
  tells
  tells_of_evolve
  without_a_copy
fi

table
