# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What the tests of the whole program share. A test sources this with $1 = the program, works in a
# directory of its own that vanishes at its end, and ends with `finish`.
plait=$(realpath "$1")
source_dir=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
checks=0

fail() {
  failures=$((failures + 1))
  printf 'FAILED: %s\n' "$*"
  if [ -s out ]; then echo "  stdout:" && head -5 out | sed 's/^/    /'; fi
  if [ -s err ]; then echo "  stderr:" && head -20 err | sed 's/^/    /'; fi
}
# run EXPECTED_EXIT_CODE COMMAND...; what it prints is in the files out and err
run() {
  local expected=$1 code=0
  shift
  checks=$((checks + 1))
  "$@" >out 2>err </dev/null || code=$?
  last="$* -> exit $code"
  [ $code = "$expected" ] || fail "$last, expected $expected"
}
# has FILE PATTERN: after run; has_not the same reversed
has() { checks=$((checks + 1)); grep -qE -e "$2" "$1" || fail "$last: no '$2' in its $1"; }
has_not() { checks=$((checks + 1)); ! grep -qE -e "$2" "$1" || fail "$last: '$2' in its $1"; }
empty() { checks=$((checks + 1)); [ ! -s "$1" ] || fail "$last: its $1 is not empty"; }
lines() { checks=$((checks + 1)); [ "$(wc -l <"$1")" = "$2" ] || fail "$last: its $1 has not $2 lines"; }
# The document on stdout is JSON (checked where a reader is installed) with a schema version.
is_json() {
  has out '"schema_version": *1'
  if [ -x /usr/bin/python3 ]; then
    checks=$((checks + 1))
    /usr/bin/python3 -c 'import json,sys; json.load(open("out"))' 2>/dev/null || fail "$last: not JSON"
  fi
}
finish() {
  printf '%d of %d checks failed\n' $failures $checks
  exit $((failures > 0))
}
