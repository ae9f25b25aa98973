#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Who fetches: the team what is in the page cache, the reader strand what has to be waited for. The
# result is the same to the byte, for every road into a file.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
shim=$2
smooth=$source_dir/jobs/relief-smooth.yaml
stats=$source_dir/jobs/sst-stats.yaml

team_read() { # the last report: prints the seconds in which the team fetched and the bytes it looked at in the cache
  sed -n '1,/"per_rank"/s/.*"\(team_read_s\|bytes_mapped\)": *\([-0-9.e]*\).*/\2/p' out | paste -sd' '
}
# job INPUT NAME WORDS...: the reader strand alone, the team, slow storage
job() {
  local input=$1 name=$2 try
  shift 2
  run 0 "$plait" run --quiet --force "$@" "input=$input" output=alone.nc run.overlap=false --format json
  checks=$((checks + 3))
  team=$(team_read)
  [ "${team% *}" = 0 ] || fail "$name: in line the team fetched too"
  for try in 1 2 3 4 5; do # a page that was taken out of the cache in between is read by the reader
    cat "${input%%:[a-z]*}" >/dev/null
    run 0 "$plait" run --quiet --force "$@" "input=$input" output=team.nc --format json
    team=$(team_read)
    [ "$team" = '0 0' ] || break
  done
  [ "$team" != '0 0' ] || fail "$name: the team never fetched"
  cmp alone.nc team.nc || fail "$name: other bytes when the team fetches"
  [ -e "$shim" ] || return
  run 0 env "LD_PRELOAD=$shim" SLOW_PATH=slow_ SLOW_READ=2e8 SLOW_WRITE=1e12 \
    "$plait" run --quiet --force "$@" "input=$input" output=slow.nc --format json
  [ "$(team_read)" = '0 0' ] || fail "$name: the team waited for slow storage"
  cmp alone.nc slow.nc || fail "$name: other bytes from slow storage"
}

in_place() { # the same, and the team looked at the file without reading it
  job "$@"
  checks=$((checks + 1)); [ "${team#* }" != 0 ] || fail "$2: it was read"
}

make() { # SHAPE OUTPUT WORDS...: random numbers, float32
  local shape=$1 output=$2
  shift 2
  run 0 "$plait" run --quiet --force "$smooth" "input=generate:random?shape=$shape&type=float32" \
    "output=$output" params.axes=all params.sigma=0 "$@"
}
make 64x256x256 slow_a.npy
make 64x256x256 slow_c.nc run.format=cdf5
make 64x256x256 slow_4.nc run.format=netcdf4
variable=$("$plait" info slow_c.nc | sed -n 's/^\([a-z_]*\): float32.*/\1/p' | head -1)
one=(params.statistics=mean run.block=2MiB)
job slow_a.npy npy "$stats" "${one[@]}" params.axes=0
job slow_a.npy 'npy, halo' "$smooth" params.axes=all params.sigma=1 run.block=1MiB
job slow_a.npy 'npy, periodic halo' "$smooth" params.axes=all params.sigma=1 params.boundary=periodic run.block=1MiB
job "slow_c.nc:$variable" 'classic NetCDF' "$stats" "${one[@]}" params.axes=0
job "slow_4.nc:$variable" 'NetCDF-4' "$stats" "${one[@]}" params.axes=0
if command -v nccopy >/dev/null; then
  dims=$(ncdump -h slow_4.nc | sed -n "s/.*float $variable(\(.*\)) ;/\1/p" | tr -d ' ')
  IFS=, read -r d0 d1 d2 <<<"$dims"
  nccopy -c "$d0/16,$d1/64,$d2/64" slow_4.nc slow_chunks.nc
  nccopy -c "$d0/8,$d1/32,$d2/256" slow_4.nc slow_rows.nc
  job "slow_chunks.nc:$variable" 'chunks' "$stats" "${one[@]}" params.axes=0
  job "slow_chunks.nc:$variable" 'chunks, all' "$stats" "${one[@]}" params.axes=all
  job "slow_rows.nc:$variable" 'chunks with long rows' "$stats" "${one[@]}" params.axes=0
fi
# A kernel that takes strips gets blocks of this size in parts (tests/unit/test_strips.c), and the
# block as a whole is never in memory.
all=('params.statistics=[count,mean,variance,std,min,max,sum]' run.block=4MiB)
# 32 MiB: several parts a block.
make 256x128x256 slow_wa.npy
make 256x128x256 slow_wc.nc run.format=cdf5
make 256x128x256 slow_w4.nc run.format=netcdf4
in_place slow_wa.npy 'npy, parts' "$stats" "${all[@]}" params.axes=0
in_place "slow_wc.nc:$variable" 'classic NetCDF, parts' "$stats" "${all[@]}" params.axes=0
in_place "slow_w4.nc:$variable" 'NetCDF-4, parts' "$stats" "${all[@]}" params.axes=0
job slow_wa.npy 'npy, middle axis: runs too short for parts' "$stats" "${all[@]}" params.axes=1
if command -v nccopy >/dev/null; then
  nccopy -c "$d0/16,$d1/32,$d2/64" slow_w4.nc slow_wchunks.nc
  job "slow_wchunks.nc:$variable" 'chunks, parts' "$stats" "${all[@]}" params.axes=0
fi
# Values that begin at odd bytes, as in contiguous NetCDF-4 of other writers; the other byte order.
odd() { # DESCR SHAPE OUTPUT: the numbers of slow_wa.npy taken for others, behind a header of 129 bytes
  { printf '\x93NUMPY\x01\x00\x77\x00'
    printf '%-118s\n' "{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"
    tail -c +129 slow_wa.npy; } >"$3"
}
for descr in '<f4:256,128,256' '>f4:256,128,256' '<f8:256,64,256' '<i2:256,256,256' '>i4:256,128,256' '<i8:256,64,256'; do
  odd "${descr%:*}" "${descr#*:}" slow_odd.npy
  in_place slow_odd.npy "odd bytes, ${descr%:*}" "$stats" "${all[@]}" params.axes=0
done
# Who writes to the input during a run is told of, whatever was read.
if [ -e "$shim" ]; then
  run 0 "$plait" run --quiet --force "$stats" "${one[@]}" input=slow_a.npy output=still.nc params.axes=0
  has_not out 'written to'
  env "LD_PRELOAD=$shim" SLOW_PATH=slow_ SLOW_READ=1e7 SLOW_WRITE=1e12 \
    "$plait" run --quiet --force "$stats" "${one[@]}" input=slow_a.npy output=moved.nc params.axes=0 >out 2>err & pid=$!
  sleep 0.8; touch slow_a.npy; wait $pid || fail 'a touched input'
  has out 'Warning: slow_a.npy was written to or replaced during the run'
fi
# Packed: the stored bytes are not those that the kernel sees.
if command -v ncgen >/dev/null; then
  { echo 'netcdf p { dimensions: y = 1024; x = 1024; variables: short p(y, x); p:scale_factor = 0.5f; data: p ='
    seq 1 1048575 | awk '{ printf "%d,", $1 % 30011 }'
    echo '7; }'; } >packed.cdl
  run 0 ncgen -k 2 -o slow_packed.nc packed.cdl
  job slow_packed.nc:p packed "$stats" params.statistics=mean params.axes=0 run.block=1MiB
  # The first 40 values of each third cell are missing, all of each 97th.
  { echo 'netcdf p { dimensions: y = 256; x = 8192; variables: short p(y, x); p:scale_factor = 0.5f;
      p:_FillValue = -1s; data: p ='
    awk 'BEGIN { for (i = 0; i < 256 * 8192; i++) {
      x = i % 8192; y = (i - x) / 8192
      printf "%d%s", x % 97 == 5 || (x % 3 == 0 && y < 40) ? -1 : i % 30011, i == 256 * 8192 - 1 ? ";}" : "," } }'
  } >gaps.cdl
  run 0 ncgen -k 2 -o slow_gaps.nc gaps.cdl
  in_place slow_gaps.nc:p 'packed, missing values, parts' "$stats" "${all[@]}" params.axes=0
  # Records of two variables take turns in the file.
  { echo 'netcdf r { dimensions: t = UNLIMITED; x = 8192; variables: short a(t, x); a:scale_factor = 0.25f; float b(t, x); data: a ='
    seq 1 1048575 | awk '{ printf "%d,", $1 % 30011 }'; echo '7; b ='
    seq 1 1048575 | awk '{ printf "%d,", $1 % 29989 }'; echo '8; }'; } >records.cdl
  run 0 ncgen -k 1 -o slow_records.nc records.cdl
  in_place slow_records.nc:a 'records, packed' "$stats" "${all[@]}" params.axes=0
  in_place slow_records.nc:b 'records' "$stats" "${all[@]}" params.axes=0
fi
finish
