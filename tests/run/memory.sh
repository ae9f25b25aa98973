#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Memory stays inside the budget however big the data: data eight times the budget pass within
# budget + 64 MiB, measured as peak resident memory.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
budget=$((32 << 20))
input='input=generate:ramp?shape=256x512x512&type=float32'

bounded() { # JOB WORDS...
  local job=$source_dir/jobs/$1 peak
  shift
  run 0 "$plait" run --quiet --format json "$job" "$input" output=null: run.memory=$budget "$@"
  peak=$(sed -n 's/.*"peak_rss[a-z_]*": *\([0-9]*\).*/\1/p' out | sort -n | tail -1)
  checks=$((checks + 1))
  [ "${peak:-0}" -gt 0 ] && [ "$peak" -le $((budget + (64 << 20))) ] || fail "$last: peak ${peak:-unknown} bytes"
}
bounded relief-smooth.yaml 'params.axes=[1,2]' params.type=float32
bounded relief-smooth.yaml params.axes=all params.sigma=1
bounded sst-stats.yaml params.axes=0 'params.statistics=[mean,std,min,max]'
bounded sst-stats.yaml params.axes=all 'params.statistics=[mean,std,min,max]'
bounded sst-stats.yaml 'params.axes=[1]' 'params.statistics=[mean,std,min,max]'
# A file in the page cache is not copied where a block of it fits the budget beside the rest.
run 0 "$plait" run --quiet "$source_dir/jobs/relief-smooth.yaml" "$input" output=file.npy params.axes=all params.sigma=0 params.type=float32
input=input=file.npy
for budget in $((32 << 20)) $((128 << 20)) $((1 << 30)); do
  bounded sst-stats.yaml params.axes=0 'params.statistics=[mean,std,min,max]'
done
rm file.npy
finish
