# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
#
# Part of matrix.sh: what happens to the files between two runs, and to the place where they are.

half_done() { # KERNEL: something of it can be continued
  local total i
  total=$(calls write "$1")
  for ((i = 0; i < 8; i++)); do
    clear_result
    broken "write:$((total / 2 + RANDOM % (total / 3 + 1))):kill" 0
    "$plait" resume-info "${command[@]:0:4}" >out 2>err && grep -q '^run *goes on' out && return
  done
  note_loss 'half done' "$1" 'nothing to continue in eight runs'
}
flip() { # FILE [BYTES]: one bit, of the first BYTES
  local size at byte
  size=$(stat -c %s "$1")
  [ "$size" -le "${2:-$size}" ] || size=$2
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
  local i many=1 word=journal
  [ $long = 1 ] && many=12
  is_evolve "$1" && word=checkpoint
  for ((i = 0; i < many; i++)); do
    damaged "a bit of the $word" "$1" flip "${half[RANDOM % ${#half[@]}]}"
    damaged "$word cut short" "$1" cut "${half[RANDOM % ${#half[@]}]}"
    damaged 'a bit of the output' "$1" flip "$result.partial"
  done
  # A study has two tables; when one has its name, the journal alone tells whose it is.
  [ ${#kept[@]} = 0 ] || [ $word = checkpoint ] || return
  damaged "$word gone" "$1" gone "${half[RANDOM % ${#half[@]}]}"
  if is_evolve "$1"; then
    damaged 'both checkpoints' "$1" flip "${half[@]}"
    damaged 'both checkpoints' "$1" empty "${half[@]}"
  fi
  damaged 'output cut short' "$1" cut "$result.partial"
  damaged 'output cut short' "$1" gone "$result.partial"
}
refused() { # KERNEL PATTERN: the same command must refuse, with the reason
  local code=0
  count_case 'input or job changed' "$1"
  "$plait" run "${command[@]}" "${@:3}" >out 2>err </dev/null || code=$?
  if [ $code != 2 ] || ! grep -q "$2" err; then note_loss 'input or job changed' "$1" "exit $code, no '$2'"; fi
}
changes() { # KERNEL: its input changed or went, or the job is another
  local file
  file=$(source_file "$1")
  half_done "$1"
  refused "$1" 'belongs to another run.*--fresh' "${change[@]}"
  if [ -n "$file" ]; then
    cp -p "$file" was
    touch -d '2001-01-01' "$file"; refused "$1" 'time of change'
    # Of a large file the head and samples of the rest are looked at. A head that makes no sense is refused too.
    cp -p was "$file"; flip "$file" 60000; touch -r was "$file"; refused "$1" "content of\|$file\|row"
    cp -p was "$file"; printf x >>"$file"; refused "$1" 'size of'
    rm "$file"; refused "$1" "$file"
    mv was "$file"
  fi
  settle 'input or job changed' "$1" 0 'back again'
  half_done "$1"
  "$plait" run "${command[@]}" --fresh >out 2>err </dev/null || note_loss 'input or job changed' "$1" '--fresh fails'
  right "$1" || note_loss 'input or job changed' "$1" '--fresh: other bytes'
  clear_result
}
full_disk() { # KERNEL: half of the room that the result needs, then all of it
  local dir=$work/small
  mkdir -p "$dir"
  if ! mount -t tmpfs -o size=$(($(stat -c %s "$1.ref") / 2048 + 1))k tmpfs "$dir" 2>/dev/null; then
    echo 'skipped: full disk (no small file system can be mounted here)'
    return
  fi
  place "$dir" "$1" "${result##*.}"
  command[3]=output=$result
  "$plait" run "${command[@]}" >out 2>err </dev/null && note_loss 'full disk' "$1" 'did not fail'
  grep -q 'full\|space' err || note_loss 'full disk' "$1" 'does not say so'
  mount -o remount,size=200m "$dir" # with run.checkpoint=0 a journal keeps every partial
  settle 'full disk' "$1" 0 'then space'
  [ "$1" != heat ] || full_for_checkpoints "$dir"
  umount "$dir"
}
full_for_checkpoints() { # DIRECTORY: the result fits, the checkpoints do not: warned, and done
  count_case 'full disk' heat
  mount -o remount,size=$((($(stat -c %s heat.ref) + 200000) / 1024))k "$1"
  "$plait" run "${command[@]:0:4}" >out 2>err || note_loss 'full disk' heat 'fails without checkpoints'
  grep -q 'checkpoint could not be' err || note_loss 'full disk' heat 'no warning'
  right heat || note_loss 'full disk' heat 'other bytes'
  clear_result
}
tells() { # KERNEL: resume-info and the note of a resume say the same
  local done
  count_case 'what is left is told' "$1"
  half_done "$1"
  "$plait" resume-info "${command[@]:0:4}" --format json >out 2>err || note_loss 'what is left is told' "$1" 'resume-info fails'
  done=$(sed -n 's/.*"\(steps_done\|blocks_in_results\)": \([0-9]*\).*/\2/p' out)
  grep -q '"run": "goes on"' out || note_loss 'what is left is told' "$1" 'resume-info does not see it'
  "$plait" run "${command[@]//--quiet/--verbose}" >out 2>err || note_loss 'what is left is told' "$1" 'resume fails'
  case $1 in
    map | map-nc | tiles | study | study-runs | heat | tsunami)
      grep -q "goes on from .*: ${done:-none} of " err || note_loss 'what is left is told' "$1" "not $done" ;;
    *) grep -q 'goes on .*[1-9]' err || note_loss 'what is left is told' "$1" 'nothing of it is used' ;;
  esac
  right "$1" || note_loss 'what is left is told' "$1" 'other bytes'
  clear_result
}

# ---- what is tried once ----
rest() {
  two_runs
  another_tile
  without_a_copy
}
another_tile() {
  job heat
  half_done heat
  count_case 'another tile' heat
  refused heat 'evolve.steps was' evolve.steps=301
  printf 'kernel: gaussian\ninput: "generate:random?shape=20x90x90"\nparams: {sigma: 3, axes: [1, 2]}\n' >other.yaml
  command[0]=$work/other.yaml; refused heat 'belongs to another run'; job heat
  "$plait" run "${command[@]}" evolve.tile=1 evolve.gauge_file="${kept[0]}" --threads 2 >out 2>err ||
    note_loss 'another tile' heat 'is refused'
  right heat || note_loss 'another tile' heat 'other bytes'
  clear_result
}
without_a_copy() { # no memory for a copy of the state: written in place while the team waits
  local code=0
  job tsunami
  clear_result
  "$plait" run "${command[@]}" run.memory=700KiB --deadline 1ms >out 2>err || code=$?
  [ $code = 75 ] || note_loss 'no room for a copy' tsunami "exit $code"
  "$plait" run "${command[@]}" run.memory=700KiB run.overlap=false --deadline 1ms >out 2>err
  settle 'no room for a copy' tsunami "$([ -z "$mpirun" ] && echo 0 || echo 3)" 'run.memory=700KiB'
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
