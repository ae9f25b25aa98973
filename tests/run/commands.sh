#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The command line: help, versions, unknown words, exit codes, one document on stdout. commands.sh PLAIT
# [MPIRUN SOLO]: SOLO is plait built without MPI.
. "$(dirname "$0")/lib.sh"

commands='run check kernels describe info view verify version help'

# help
run 0 "$plait" --help; has out '^Usage: plait COMMAND'; empty err
for c in $commands; do has out "^  $c "; done
has out '75 +stopped early'
run 0 "$plait" help; has out 'Usage'
run 0 "$plait" -h; has out 'Usage'
for c in $commands; do
  run 0 "$plait" "$c" --help; has out "^Usage: plait $c"; empty err; cp out first
  run 0 "$plait" help "$c"
  cmp -s out first || fail "help $c and $c --help differ"
done
run 0 "$plait" run x.yaml --help; has out 'Usage: plait run'
run 2 "$plait"; empty out; lines err 1

# unknown words
run 2 "$plait" rum job.yaml; empty out; lines err 1; has err "did you mean 'run'"
run 2 "$plait" xyzzy; has err "unknown command 'xyzzy'"; has_not err 'did you mean'
run 2 "$plait" --versoin; has err "did you mean '--version'"
run 2 "$plait" --nonsense-option; has err 'unknown option'
run 2 "$plait" run job.yaml --fource; has err "did you mean '--force'"; lines err 1
run 2 "$plait" run job.yaml --report; has err '--report needs FILE'
run 2 "$plait" run job.yaml --force=yes; has err '--force takes no value'
run 2 "$plait" run job.yaml --format xml; has err 'text\|json'
run 2 "$plait" run job.yaml --threads many; has err 'whole number from 1'
run 2 "$plait" run job.yaml --threads 0; has err 'whole number from 1'
run 2 "$plait" run job.yaml -x; has err "unknown option '-x'"
run 2 "$plait" run; has err 'usage: plait run JOB'
run 2 "$plait" run job.yaml sigma; has err "'sigma' is not key=value"
run 2 "$plait" run job.yaml =3; has err "not key=value"
run 2 "$plait" describe; has err 'usage'
run 2 "$plait" describe gaussian stats; has err "'stats' is one argument too many"
run 2 "$plait" help rum; has err "did you mean 'run'"

# version
run 0 "$plait" --version; has out '^plait [0-9]+\.[0-9]+\.[0-9]+'; has out '^MPI '; has out 'npy'; empty err
run 0 "$plait" -V; has out '^plait '
run 0 "$plait" version --format json; is_json; has out '"mpi_library"'

# kernels
run 0 "$plait" kernels; has out '^gaussian +map '; has out '^stats +reduce '; empty err
run 0 "$plait" kernels --format=json; is_json; has out '"gaussian"'
run 0 "$plait" describe gaussian; has out 'sigma'; has out 'px'
run 0 "$plait" describe gaussian --format json; is_json; has out '"sigma"'
run 2 "$plait" describe gausian; has err "did you mean 'gaussian'"; lines err 1
run 2 "$plait" verify gausian; has err "did you mean 'gaussian'"

# a job that cannot be read
run 2 "$plait" run missing.yaml; has err 'missing.yaml.*No such file'; empty out; lines err 1
run 2 "$plait" check .; has err '[Ii]s a directory'; lines err 1
run 2 "$plait" run ./-odd.yaml --quiet; has err 'No such file'
touch empty.yaml
run 2 "$plait" run empty.yaml; has err 'empty.yaml'; empty out
mkfifo fifo.yaml
echo 'kernel: gausian' >fifo.yaml &
run 2 timeout 20 "$plait" check fifo.yaml; has err "fifo.yaml:1:9: error: .*'gaussian'"

# data in the place of the job: told what it is and where it belongs
data_is() { # WHAT FILE BYTES
  printf "$3" >"$2"
  run 2 "$plait" run "$2"; lines err 1; empty out
  has err "^plait: error: $2 is data \($1\); a job is a YAML file .*plait run JOB input=$2 output=FILE"
  run 2 "$plait" check "$2"; has err 'is data'
}
# what else may stand there by mistake
run 2 "$plait" run gaussian; has err 'gaussian is a kernel; a job is a YAML file'; lines err 1
run 2 "$plait" run "$source_dir/jobs/relief-smooth"; has err 'did you mean .*/relief-smooth.yaml'; lines err 1
run 2 "$plait" run input=x.npy job.yaml; has err "'job.yaml' is not key=value: the job comes first"
run 2 "$plait" run input=x.npy; has err "'input=x.npy' stands where the job belongs"
run 2 "$plait" run job.yaml -o x.nc; has err 'without dashes, output=FILE'
run 2 "$plait" run job.yaml --input x.nc; has err 'without dashes, input=FILE'
run 2 "$plait" describe "$source_dir/jobs/relief-smooth.yaml"; has err 'a job, not a kernel; .plait check '
run 2 "$plait" describe ./gone.so; has err 'No such file.*; it is built from its C file: cc .* ./gone.c -o ./gone.so'
printf 'CDF\\x01' >b.nc
run 2 "$plait" run b.nc:z; has err 'b.nc:z is data \(a NetCDF file\).*input=b.nc:z'
data_is 'a NumPy file' a.npy '\x93NUMPY\x01\x00'
data_is 'a NetCDF file' a.nc 'CDF\x01\x00\x00'
data_is 'an HDF5 or NetCDF-4 file' a.h5 '\x89HDF\r\n\x1a\n'
data_is 'a gzip file' a.gz '\x1f\x8b\x08'
data_is 'an IDX file' a.idx '\x00\x00\x08\x03\x00\x00\x00\x01'
{ printf '\x93NUMPY\x01\x00'; head -c 2000000 /dev/zero; } >large.npy
run 2 "$plait" run large.npy; has err 'is data \(a NumPy file\)'

# several processes of a build without MPI: a mistake of the launch (exit code 2), told once
if [ $# = 3 ]; then
  run 2 "$2" -np 2 "$3" run "$source_dir/jobs/montecarlo-option.yaml" output=null:
  checks=$((checks + 1)); [ "$(grep -c 'built without MPI' err)" = 1 ] || fail "$last: not said once"
fi

# files that cannot be read
run 2 "$plait" info missing.nc; has err 'missing.nc'; lines err 1; empty out
run 2 "$plait" info .; has err 'directory'; lines err 1
echo 'neither' >text.nc
run 2 "$plait" info text.nc; lines err 1; empty out
run 2 "$plait" view text.nc -o x.png; lines err 1; [ ! -e x.png ] || fail "a picture of nothing"
run 2 "$plait" view text.nc; has err 'say where the picture goes'

# stdout that cannot be written is an error, not silence
if [ -e /dev/full ]; then
  code=0
  "$plait" kernels >/dev/full 2>err || code=$?
  [ $code = 1 ] || fail "kernels >/dev/full exits with $code"
  has err 'standard output'
fi
finish
