#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# matrix.sh PLAIT SHIM [MPIRUN] [--long]: breaks runs in every way that the shim and the kernel of the
# system offer, goes on with the same command, and compares the result byte by byte with that of a run
# that nothing happened to. Prints a table of faults and kernels: cases tried, results lost (wrong,
# missing, or a run that could not be continued). Exits with 1 when one was lost.
#   short form (ctest): some of each kind; --long: at every call where there are not too many, all kernels
#   on several ranks, more random instants; most of an hour on two cores.
# A piece is a kernel (short form), or a kernel and a group of faults; PLAIT_FAULT_JOBS (2) run side by side.
#   --list             the names of the pieces
#   --only PATTERN     only pieces whose name matches the regular expression
#   --into DIRECTORY   keeps what each piece found there; what is there already is not done again
# PLAIT_FAULT_SEED=N: the random choices of another run. The short form has those of seed 1 unless told
# otherwise: a change is judged by the cases that the one before it was; the long form has new ones.
set -u
long=0 list=0 only=. into='' piece='' words=()
while [ $# -gt 0 ]; do
  case $1 in
    --long) long=1 ;;
    --list) list=1 ;;
    --only | --into | --piece) declare "${1#--}=$2"; shift ;;
    *) words+=("$1") ;;
  esac
  shift
done
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
source_dir=$(realpath "$here/../..")
seed=${PLAIT_FAULT_SEED:-$([ $long = 1 ] && echo $$ || echo 1)}
. "$here/jobs.sh"
. "$here/strikes.sh"
. "$here/between.sh"
groups=(kills kills_behind power errors no_space half_calls no_memory signals stalls watched alone launcher of_a_rank
  one_rank_fails damage changes full_disk tells)

# ---- pieces ----
pieces() {
  local kernel group each=("${groups[@]}")
  [ $long = 1 ] || each=(all)
  { for kernel in "${all_kernels[@]}"; do for group in "${each[@]}"; do echo "$kernel:$group"; done; done
    echo heat:rest; } | grep -E "$only"
}
if [ $list = 1 ]; then pieces; exit; fi
plait=$(realpath "${words[0]}")
shim=$(realpath "${words[1]}")
mpirun=${words[2]:-}

all() { for group in "${groups[@]}"; do job "$1"; "$group" "$1"; done; }
# One line per fault and kernel: fault|kernel|tried|lost.
one_piece() { # KERNEL:GROUP
  local kernel=${1%:*} group=${1#*:} name
  RANDOM=$((seed + $(cksum <<<"$1" | cut -d' ' -f1) % 30000))
  # In the short form: per cent of the cases, and whether several ranks are tried.
  case $kernel in map | heat) share=30 several=1 ;; kmeans | tsunami) share=15 several=1 ;; *) share=15 several=$long ;; esac
  work=$(mktemp -d "${PLAIT_FAULT_PLACE:-${TMPDIR:-/tmp}}/plait-fault-XXXXXX")
  trap 'umount "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
  cd "$work" || exit 1
  export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
  declare -A tried=() lost=()
  faults=()
  if [ "$group" = rest ]; then for name in map heat tsunami; do reference $name; done; else reference "$kernel"; fi
  job "$kernel"
  "$group" "$kernel"
  cd / || exit 1
  for name in "${!tried[@]}"; do echo "${name%,*}|${name##*,}|${tried[$name]}|${lost[$name]:-0}"; done >"$into/$1.done"
}
if [ -n "$piece" ]; then
  into=$(realpath "$into")
  [ -e "$into/$piece.done" ] || one_piece "$piece"
  exit
fi

# ---- all of them ----
table() { # of all that is in the directory
  cat "$into"/*.done | awk -F'|' -v all="${all_kernels[*]}" '
    { if (!($1 in row)) { row[$1] = ++n; name[n] = $1 } t[$1, $2] += $3; l[$1, $2] += $4; cases += $3; lost += $4 }
    END {
      k = split(all, kernel, " ")
      printf "%-24s", "cases (lost)"; for (i = 1; i <= k; i++) printf "%12s", kernel[i]; print ""
      for (f = 1; f <= n; f++) {
        printf "%-24s", name[f]
        for (i = 1; i <= k; i++) {
          c = t[name[f], kernel[i]]
          printf "%12s", c ? c " (" l[name[f], kernel[i]] + 0 ")" : "-"
        }
        print ""
      }
      printf "%d cases, %d lost", cases, lost
      exit lost > 0
    }'
}
started=$SECONDS
[ -n "$into" ] || { into=$(mktemp -d); trap 'rm -rf "$into"' EXIT; }
into=$(realpath "$into")
form=()
[ $long = 0 ] || form=(--long)
export PLAIT_FAULT_SEED=$seed
failed=0
pieces | xargs -P "${PLAIT_FAULT_JOBS:-2}" -I{} "$here/matrix.sh" "${words[@]}" "${form[@]}" --into "$into" --piece {} || failed=1
table || failed=1
echo ", $((SECONDS - started)) s, PLAIT_FAULT_SEED=$seed"
for name in $(pieces); do [ -e "$into/$name.done" ] || { echo "not done: $name"; failed=1; }; done
exit $failed
