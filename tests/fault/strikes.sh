# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
#
# Part of matrix.sh: faults while a run is under way. Functions with one argument, a kernel, are groups.

# ---- in one process ----
at_calls() { # FAULT KERNEL KIND ACTION MANY MOST: how many in the short and in the long form
  local n code total
  total=$(calls "$3" "$2")
  [ "$total" -gt 0 ] || return
  for n in $(pick "$total" "$5" "$6"); do
    code=0
    broken "$3:$n:$4" 0 || code=$?
    case $4 in eintr | short | stall)
      if [ $code != 0 ] && [ "$3" != rename ]; then note_loss "$1" "$2" "$3 $n $4: exit $code"; fi ;;
    esac
    case $4:$code in kill:* | after:* | power:* | term:0 | term:75 | usr:0 | usr:75) ;;
      term:* | usr:*) note_loss "$1" "$2" "$3 $n $4: exit $code" ;;
      *:137) note_loss "$1" "$2" "$3 $n $4: hangs" ;;
    esac
    if [ $code != 0 ] && [ $code != 75 ] && [ $code -lt 126 ] && [ "$(grep -c 'plait: error' err)" != 1 ]; then
      note_loss "$1" "$2" "$3 $n $4: not one message"
    fi
    settle "$1" "$2" "$(other_ranks 12)" "$3 $n $4"
  done
}
kills() { at_calls 'kill -9 before a call' "$1" any kill 7 80; }
kills_behind() { at_calls 'kill -9 after a call' "$1" any after 6 80; }
power() { at_calls 'power loss' "$1" any power 8 80; }
errors() {
  at_calls 'EIO' "$1" write eio 4 40; at_calls 'EIO' "$1" sync eio 4 30
  at_calls 'EIO' "$1" rename eio 2 4; [ -z "$(source_file "$1")" ] || at_calls 'EIO' "$1" read eio 4 20
  at_calls 'EIO' "$1" unlink eio 1 200
}
no_space() { at_calls 'ENOSPC' "$1" write enospc 5 70; }
half_calls() {
  at_calls 'EINTR' "$1" write eintr 3 20; at_calls 'EINTR' "$1" sync eintr 2 20
  at_calls 'short count' "$1" write short 4 40
  [ -z "$(source_file "$1")" ] || at_calls 'short count' "$1" read short 3 20
}
no_memory() { at_calls 'no memory' "$1" alloc nomem 6 100; }
signals() { at_calls 'SIGTERM, SIGUSR1' "$1" any term 3 24; at_calls 'SIGTERM, SIGUSR1' "$1" any usr 3 24; }
stalls() {
  at_calls 'a stalled call' "$1" any stall 2 12
  at_calls 'a stalled strand' "$1" queue stall 3 36
}
# Nothing moves for longer than run.stall: while the input is opened, and at a write behind the layout's.
watched() {
  local place places=(read:1) code
  is_evolve "$1" || [ "$1" = map ] && places+=("write:$(($(calls write "$1") * 2 / 3))")
  for place in "${places[@]}"; do
    [ "$place" != read:1 ] || [ -n "$(source_file "$1")" ] || continue
    job "$1"
    command+=(run.stall=0.2s run.overlap=false)
    code=0
    broken "$place:stall" 0 || code=$?
    if [ $code != 1 ] || ! grep -q 'nothing has moved on rank 0' err; then
      note_loss 'nothing moves' "$1" "run.stall at $place: exit $code"
    fi
    job "$1"
    settle 'nothing moves' "$1" 0 'run.stall'
  done
}

# ---- signals and several ranks ----
timed() { # FAULT KERNEL RANKS SIGNAL: at a random instant of the run
  local pid left time=$((RANDOM % ($3 == 0 ? 400 : 1200) + 20)) # ms: some are behind its end
  launch_behind "$3" "$plait" run "${command[@]}"
  pid=$!
  sleep "$(printf '%d.%03d' $((time / 1000)) $((time % 1000)))"
  kill "-$4" $pid 2>/dev/null
  # A signal while it starts can leave mpirun 4.1 waiting for itself for ever, its ranks being dead.
  for ((left = 3000; left > 0; left--)); do
    kill -0 $pid 2>/dev/null || break
    sleep 0.02
  done
  [ $left -gt 0 ] || kill -9 $pid
  wait $pid 2>/dev/null
  settle "$1" "$2" "$(other_ranks 4)" "SIG$4 after $time ms on $3 ranks"
}
alone() { # random instants, signals, and the end of its time
  local i many=1 signal
  [ $long = 1 ] && many=20
  for ((i = 0; i < many; i++)); do
    signal=$([ $((i % 2)) = 0 ] && echo TERM || echo USR1)
    timed 'kill -9 at random' "$1" 0 KILL
    timed 'SIGTERM, SIGUSR1' "$1" 0 "$signal"
  done
  time_is_over "$1"
}
time_is_over() { # KERNEL
  local code=0
  "$plait" run "${command[@]}" --deadline 1ms >out 2>err || code=$?
  [ $code = 75 ] || note_loss 'time limit' "$1" "--deadline: exit $code"
  settle 'time limit' "$1" "$(other_ranks 4)" '--deadline'
}
launcher() { # what meets mpirun itself, and the death of a rank
  local i n many=1
  [ -n "$mpirun" ] && [ $several = 1 ] || return
  [ $long = 1 ] && many=4
  for n in 2 4; do
    [ $long = 1 ] || [ $((RANDOM % 2)) = 0 ] || continue
    for ((i = 0; i < many; i++)); do
      timed 'kill -9 of mpirun' "$1" $n KILL
      timed 'SIGTERM, SIGUSR1' "$1" $n $([ $((i % 2)) = 0 ] && echo USR1 || echo TERM)
      broken "write:$((2 + RANDOM % 6)):kill:$((n - 1))" $n
      settle 'kill -9 of a rank' "$1" $((n == 2 ? 1 : 3)) "rank $((n - 1)) of $n"
    done
  done
}
of_a_rank() { # KERNEL: one rank of several is struck, then another number of ranks goes on
  local kind ranks total at many=1 i
  local kinds=(any:kill any:after any:power write:eio write:enospc sync:eio write:short alloc:nomem any:stall queue:stall)
  [ -n "$mpirun" ] && [ $several = 1 ] || return
  if [ $long = 1 ]; then many=2; else kinds=("${kinds[@]:RANDOM % 5 * 2:2}"); fi
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
one_rank_fails() {
  local begin code=0
  [ -n "$mpirun" ] && [ $several = 1 ] || return
  begin=$(date +%s%N)
  broken "write:2:eio:1" 4 || code=$?
  begin=$((($(date +%s%N) - begin) / 100000000))
  [ $begin -le 80 ] || note_loss 'a rank fails' "$1" "took $begin tenths of a second to end"
  # It may have written nothing there, or warned of a checkpoint; at most one message says why.
  [ $code = 0 ] || [ "$(grep -c 'plait: error' err)" = 1 ] || note_loss 'a rank fails' "$1" 'not one message'
  settle 'a rank fails' "$1" 2 'EIO on rank 1 of 4'
}
