# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
#
# Part of matrix.sh: the jobs that are broken, how they are run, and what must hold afterwards.

all_kernels=(map map-nc reduce tiles kmeans montecarlo train predict study study-runs heat tsunami)
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
# Small arrays in many blocks. Sets command, result, kept (other files that are results), half (files that
# an interrupted run keeps its work in) and change (words that make another job of it).
job() { # KERNEL
  local ext=nc block=64KiB
  kept=() change=()
  case $1 in
    map) ext=npy block=100KiB change=(params.sigma=2)
      write_job map gaussian 'generate:random?shape=24x160x160&type=float32' 'sigma: 3' 'axes: [1, 2]' ;;
    map-nc) block=60KiB change=(params.sigma=2)
      write_job map-nc gaussian source.npy 'sigma: 3' 'axes: [1, 2]' 'type: float32' ;;
    reduce) change=('params.axes=[0]')
      write_job reduce stats 'generate:random?shape=64x100x90&type=float32' 'axes: all' ;;
    tiles) ext=npz change=(params.axes=all)
      write_job tiles stats 'generate:random?shape=16x60x130&type=float64' 'axes: [0]' ;;
    kmeans) block=16KiB change=(params.k=5)
      write_job kmeans kmeans 'generate:random?shape=6000x12&type=float32' 'k: 4' 'features: [1]' 'iterations: 15' ;;
    montecarlo) block=0 change=(params.rounds=6)
      write_job montecarlo montecarlo '' 'problem: asian' 'dimensions: 12' 'samples: 60000' 'rounds: 5' 'target: 1e-9' ;;
    train) block=0 change=(params.batch=20)
      write_job train train rows.npy 'labels: labels.nc:rows_labels' 'hidden: [5]' 'batch: 40' 'epochs: 5' 'patience: 0' ;;
    predict) block=1KiB change=(params.probabilities=false)
      write_job predict predict rows.npy 'model: net.nc' 'labels: labels.nc:rows_labels' ;;
    study | study-runs) block=0 change=(params.samples=2001) kept=("$work/$1.csv")
      write_job "$1" montecarlo '' 'problem: european' 'samples: 2000'
      printf 'vary:\n  params.strike: {from: 80, to: 120, count: 3}\n  params.seed: {from: 1, to: %s}\n' \
        $([ "$1" = study ] && echo 12 || echo 4) >>"$1.yaml" ;;
    heat) block=0 change=(params.diffusivity=0.05)
      write_evolve heat 'cells: [24, 40, 32]' 'diffusivity: 0.1' 'initial: [{kind: gaussian, amplitude: 2, x: 3, y: 5, z: 20, radius: 3}]' \
        'edges: [{face: x-, kind: periodic}, {face: y+, kind: fixed, value: 1}]' ;;
    tsunami) block=0 change=(params.coriolis=true)
      write_evolve tsunami 'south: 10' 'north: 28' 'west: 140' 'east: 160' \
        'shapes: [{kind: gaussian, amplitude: 2, lon: 150, lat: 20, radius: 100}]' ;;
  esac
  place "$work" "$1" $ext
  command=("$work/$1.yaml" run.block=$block run.checkpoint=0 "output=$result" --quiet --threads 1)
  [ "$1" != study-runs ] || command+=(run.group=1)
}
place() { # DIRECTORY KERNEL EXTENSION: where the results go
  result=$1/$2.$3
  half=("$result.journal")
  case $2 in
    heat | tsunami) kept=("$result.gauges.csv") half=("$result.checkpoint0" "$result.checkpoint1") ;;
    study | study-runs) kept=("$1/$2.csv") ;;
  esac
}
is_evolve() { [ "$1" = heat ] || [ "$1" = tsunami ]; }
source_file() { # KERNEL: a file that it reads and that tests may change, "" none
  case $1 in map-nc) echo source.npy ;; train) echo rows.npy ;; predict) echo net.nc ;; tsunami) echo relief.nc ;; esac
}
plainly() { "$plait" run "$@" >out 2>err </dev/null || { echo "cannot run $*:"; cat err; exit 1; }; }
sources() { # KERNEL: files that it reads
  case $1 in
    map-nc) write_job source gaussian 'generate:random?shape=20x90x90&type=int16' 'sigma: 0.3' 'axes: [1, 2]' 'type: same'
      plainly source.yaml "output=$work/source.npy" --quiet ;;
    tsunami) cp "$source_dir/jobs/data/relief10.nc" relief.nc ;;
    train | predict)
      write_job rows gaussian 'generate:random?shape=400x6&type=float32' 'sigma: 0' 'axes: [1]'
      plainly rows.yaml "output=$work/rows.npy" --quiet
      write_job labels kmeans rows.npy 'k: 3' 'features: [1]'
      plainly labels.yaml "output=$work/labels.nc" --quiet
      [ "$1" = train ] || { job train; plainly "${command[@]:0:3}" "output=$work/net.nc"; } ;;
  esac
}
reference() { # KERNEL: its files, its result, and how many calls of each kind it makes
  sources "$1"
  job "$1"
  LD_PRELOAD=$shim PLAIT_FAULT_DIR=$work PLAIT_FAULT_COUNT=$work/$1.count plainly "${command[@]}"
  mv "$result" "$1.ref"
  [ ${#kept[@]} = 0 ] || mv "${kept[0]}" "$1.ref.csv"
  clear_result
}

# ---- running ----
launch() { # RANKS COMMAND...: 0 ranks: no launcher. What does not end is killed: exit code 137
  local ranks=$1
  shift
  if [ "$ranks" = 0 ]; then timeout -s KILL 60 "$@"; else timeout -s KILL 60 "$mpirun" -np "$ranks" "$@"; fi
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
clear_result() { rm -rf "$result" "$result".* "${kept[@]}" "${kept[@]/%/.partial}"; }
note_loss() { # FAULT KERNEL TEXT
  lost[$1,$2]=$((${lost[$1,$2]:-0} + 1))
  printf 'LOST: %s; %s: %s\n' "$1" "$2" "$3"
  tail -3 err | cut -c1-300 | sed 's/^/    /'
}
count_case() { # FAULT KERNEL
  [[ " ${faults[*]} " == *" $1 "* ]] || faults+=("$1")
  tried[$1,$2]=$((${tried[$1,$2]:-0} + 1))
}
right() { # KERNEL: the result, and the table of gauges where there is one, are what they should be
  cmp -s "$result" "$1.ref" && { [ ${#kept[@]} = 0 ] || cmp -s "${kept[0]}" "$1.ref.csv"; }
}
leftovers() { # what an interrupted run left beside the result
  find "$(dirname "$result")" -maxdepth 1 -name "$(basename "$result").*" ! -name '*.gauges.csv'
  [ ${#kept[@]} = 0 ] || [ ! -e "${kept[0]}.partial" ] || echo "${kept[0]}.partial"
}
# What must hold after any fault: no wrong file under the final name; the same command ends with the
# right bytes and leaves nothing else behind.
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
pick() { # TOTAL HOW_MANY MOST: numbers of calls to strike at: in the short form some, in the long form up to MOST
  local total=$1 many=$2 i
  if [ $long = 1 ]; then many=$3; else many=$((many * share / 100)); fi
  if [ "$total" -le "$many" ]; then seq 1 "$total"; return; fi
  if [ "$many" -lt 4 ]; then
    for ((i = 0; i < many || i < 1; i++)); do echo $((1 + RANDOM % total)); done
    return
  fi
  { echo 1; echo 2; echo "$total"; echo $((total - 1))
    for ((i = 4; i < many; i++)); do echo $((1 + RANDOM % total)); done; } | sort -nu
}
other_ranks() { # a number of ranks to go on with
  if [ -z "$mpirun" ] || [ $((RANDOM % ${1:-8})) != 0 ]; then echo 0; else echo $((1 + RANDOM % 4)); fi
}
