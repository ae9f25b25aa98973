#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The rules of style that a machine can check; each is one function that prints what breaks it.
#   check.sh [BUILD]    BUILD: a build directory, to see that every test is registered there
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=${1:-}

sources() { find src kernels tests bench -name '*.[ch]' | sort; }

# An arrow may only point down: command -> engine -> data -> host -> base.
include_direction() {
  local below=base layer
  for layer in base host data engine command; do
    below="$below|$layer"
    [ -d src/$layer ] || continue
    grep -nE '^#include "[a-z]+/' src/$layer/*.[ch] | grep -vE "#include \"($below)/" |
      sed 's/$/   <- points up/'
  done
}
only_one_file_knows_mpi() {
  grep -lE '#include *[<"]mpi\.h' $(sources) | grep -vE '^(src/host/comm_mpi|bench/hybrid)\.c$' |
    sed 's/$/: includes mpi.h/'
}
# Kernels see plait.h, the C library and a header of their own beside them; list.h is the table of
# the registry.
kernel_includes() {
  grep -nE '^ *#include' kernels/*.[ch] 2>/dev/null |
    grep -vE '#include (<plait\.h>|"[a-z0-9_]+\.h"|<(assert|complex|ctype|errno|fenv|float|inttypes|limits|math|stdalign|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|omp|cblas|fftw3|[a-z]*intrin)\.h>)'
  grep -n '#include "list\.h"' kernels/*.c
}
kernels_open_no_region() {
  grep -nE '#pragma +omp +(target +)?parallel' kernels/*.c 2>/dev/null
  grep -nE '\b(malloc|calloc|fopen|printf|exit|abort) *\(' kernels/*.c 2>/dev/null |
    grep -vE '//|snprintf|_ref|verify' | sed 's/$/   <- not in a kernel/'
}
only_commands_print_or_exit() {
  grep -nE '(^|[^a-z_])(exit|abort|_exit|puts|printf|fprintf|perror) *\(' src/{base,host,data,engine}/*.c |
    grep -vE '^[^:]+:[0-9]+: *//' | grep -vE 'src/host/(comm_mpi|comm_solo|comm|stop|placement|lost)\.c:.*exit'
}
spdx_and_head() {
  local file
  for file in $(sources) $(find . -name CMakeLists.txt -not -path './build*' -not -path './out/*'); do
    head -3 "$file" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' || echo "$file: no SPDX line"
  done
  for file in $(find src kernels -name '*.[ch]'); do
    sed -n '2,4p' "$file" | grep -qE '^// *[^ ]' || echo "$file: no comment at its head"
  done
}
file_length() {
  local file limit lines
  for file in $(sources); do
    case $file in
      src/plait.h) limit=575 ;;             # one header by design
      tests/*) limit=500 ;;                 # a list of cases
      *) limit=400 ;;
    esac
    lines=$(wc -l <"$file")
    [ "$lines" -le $limit ] || echo "$file: $lines lines, $limit are allowed"
  done
}
line_width() {
  # Bytes are counted, so a line of text with umlauts is the stricter for it.
  grep -nE '^.{101,}' $(sources) | cut -c1-60 | sed 's/$/ ... wider than 100/'
}
function_length() {
  command -v ctags >/dev/null || return 0
  ctags --version 2>/dev/null | grep -q Universal || return 0
  ctags -x --c-kinds=f --fields=+ne --_xformat='%{input} %N %n %{end}' $(sources) 2>/dev/null |
    awk '$4 - $3 + 1 > 80 { print $1 ": " $2 " has " $4 - $3 + 1 " lines, 80 are allowed" }'
}
every_test_registered() {
  [ -n "$build" ] || return 0
  local file name known
  known=$(ctest --test-dir "$build" -N 2>/dev/null)
  for file in $(find tests -name 'test_*.c') $(find tests/run -name '*.sh' -not -name lib.sh); do
    # without MPI its tests have nothing to run on
    case $file in tests/mpi/* | */last_words.sh | */passes.sh | */environ.sh) grep -q ' mpi/' <<<"$known" || continue ;; esac
    # nor those that read and write NetCDF without it
    case $file in *netcdf* | *idx* | tests/run/*) grep -q ' run/jobs' <<<"$known" || continue ;; esac
    name=$(basename "${file%.*}")
    grep -qw -- "$name" <<<"$known" || echo "$file: not registered in ctest"
  done
}
no_name_of_the_work_place() {
  grep -nE '(^|[^[:alnum:]._-])/(home|tmp/build-)' -r src kernels tests bench docs jobs slurm README.md quickstart .ci 2>/dev/null |
    grep -vE '^tests/(style/check.sh|unit/test_slurm.c):'
}

failed=0
for rule in include_direction only_one_file_knows_mpi kernel_includes kernels_open_no_region \
  only_commands_print_or_exit spdx_and_head file_length line_width function_length \
  every_test_registered no_name_of_the_work_place; do
  found=$($rule)
  if [ -n "$found" ]; then
    printf '%s:\n%s\n' "$rule" "$found"
    failed=1
  fi
done
[ $failed = 0 ] && echo "all rules hold"
exit $failed
