#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A kernel of the user's own, built from the template with the one line of docs/kernels.md and loaded by
# `kernel: ./slope.so`: its results, their bytes under other launches, a restart, and what is refused.
# $1 plait, $2 the C compiler, $3 the build directory, $4 mpirun or nothing.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
compiler=$2 mpirun=${4:-}
flags="-I$source_dir/src $(sed -n 's/^Cflags: -I[^ ]* //p' "$3/plait-uninstalled.pc")"
# shellcheck disable=SC2086
object() { "$compiler" $flags -shared "$1" -o "$2" 2>cc.err || fail "cc $1: $(head -3 cc.err)"; }
refused() { # PATTERN WORDS...
  local pattern=$1
  shift
  run 2 "$plait" run --quiet jobs/slope.yaml output=result.npy "$@"
  has err "$pattern"; lines err 1
}

mkdir jobs
sed 's/template/slope/g' "$source_dir/kernels/template.c" >slope.c
object slope.c jobs/slope.so
cat >jobs/slope.yaml <<'E'
kernel: ./slope.so
input: generate:random?shape=300x200&type=float32
output: slope.npy
params: {spacing: 0.5}
run: {block: 8 KiB}
E

# the same bytes as the kernel that is built in, under every launch, from anywhere
run 0 "$plait" verify jobs/slope.so; has out '^slope +ok'
run 0 "$plait" describe jobs/slope.so; has out 'distance of two cells'
run 0 "$plait" run --quiet jobs/slope.yaml kernel=template output=built-in.npy
run 0 "$plait" run --quiet jobs/slope.yaml; cmp -s jobs/slope.npy built-in.npy || fail 'other bytes'
run 0 "$plait" run --quiet jobs/slope.yaml kernel=jobs/slope.so output=here.npy --threads 3
cmp -s here.npy built-in.npy || fail 'other bytes with 3 threads'
if [ -n "$mpirun" ]; then
  run 0 "$mpirun" -np 3 "$plait" run --quiet jobs/slope.yaml output=ranks.npy
  cmp -s ranks.npy built-in.npy || fail 'other bytes on 3 ranks'
fi

# ---- the lines of the README, as they stand, in a tree like this one
if "$plait" --version | grep -q 'reads.*netcdf'; then
  mkdir tree tree/out && ln -s "$source_dir/kernels" "$source_dir/jobs" "$3" tree
  [ -e tree/build ] || ln -s "$3" tree/build
  sed -n '/^sed .*template.c > slope.c/,/^```/{/^```/!p;}' "$source_dir/README.md" >tree/lines.sh
  lines tree/lines.sh 3
  # the result would go beside the jobs: here into the tree
  sed -i 's/^build.plait run [^#]*/&output=out\/slope.nc /' tree/lines.sh
  run 0 env CC="$compiler" bash -ec 'cd tree; cc() { "$CC" "$@"; }; . ./lines.sh'
  has out '^slope: '
  [ -s tree/out/slope.nc ] || fail 'the lines of the README give no result'
fi

# ---- an integrand of ten lines, under all that montecarlo does
object "$source_dir/jobs/own/ball.c" ball.so
cp "$source_dir/jobs/own/ball.yaml" .
ball() { run 0 "$plait" run --quiet ball.yaml output=ball.nc --force "$@"; }
hits() { # ERRORS MOST
  run 0 /usr/bin/python3 - "$@" <<'E'
import sys
try: import netCDF4
except ImportError: sys.exit(0)
v, e, exact = (float(netCDF4.Dataset('ball.nc')[n][...]) for n in ('value', 'error', 'exact'))
assert abs(v - exact) < float(sys.argv[1]) * e and e < float(sys.argv[2]), (v, e, exact)
E
}
run 0 "$plait" verify ./ball.so; has out '^ball +ok'
run 0 "$plait" describe ./ball.so; has out 'unit ball'; has out 'antithetic'; has_not out 'strike'
ball; hits 4 1e-4; cp ball.nc first.nc
ball --threads 3 run.schedule=static; cmp -s ball.nc first.nc || fail 'integrand: other bytes with 3 threads'
if [ -n "$mpirun" ]; then
  run 0 "$mpirun" -np 3 "$plait" run --quiet ball.yaml output=ball.nc --force
  cmp -s ball.nc first.nc || fail 'integrand: other bytes on 3 ranks'
fi
ball params.method=sobol params.target=0 params.dimensions=3; hits 5 1e-3
run 0 "$plait" run --quiet ball.yaml output=study.csv params.target=0 'vary.params.dimensions=[1,2]'
has study.csv ',0.785398163397448'
run 2 "$plait" run --quiet ball.yaml output=no.nc 'params.constants=[1]'; has err 'another number of them'
run 2 "$plait" run --quiet ball.yaml output=no.nc params.problem=pi; has err 'problem'
cat >two.c <<'E'
#include <plait.h>
static double plane(const double *x, int64_t d, const plait_reals *c) {
  return c->at[0] * x[d - 1] + c->at[1] / PARTS;
}
PLAIT_INTEGRAND(plane, "a plane", .dimensions = 1, .constants = 2, .value = plane)
E
sed 's/PARTS/1/' two.c >one.c; object one.c one.so
run 0 "$plait" run --quiet ball.yaml kernel=./one.so output=one.nc params.target=0 'params.constants=[0,7]'
run 0 "$plait" run --quiet ball.yaml kernel=./one.so output=ball.csv params.target=0 'vary.params.seed=[1]' 'params.constants=[0,7]'
has ball.csv ',7,0,'
run 2 "$plait" run --quiet ball.yaml kernel=./one.so output=no.nc; has err 'constants'
sed 's/PARTS/0/' two.c >zero.c; object zero.c zero.so
run 1 "$plait" run --quiet ball.yaml kernel=./zero.so output=no.nc 'params.constants=[1,0]'
has err 'plane has values that are not finite'
sed 's/, .value = plane/, .exact = 0/; s/^static/static __attribute__((unused))/; s/PARTS/1/' two.c >none.c
object none.c none.so
refused 'its kernel has no' kernel=./none.so; rm none.so

# an interrupted run goes on with the same object, not with another
big='input=generate:random?shape=10000x2000&type=float32'
run 0 "$plait" run --quiet jobs/slope.yaml kernel=template output=whole.npy "$big"
for deadline in 50ms 100ms 200ms 400ms 800ms 1600ms 3200ms; do # until it came between the first block and the last
  run 75 "$plait" run --quiet jobs/slope.yaml output=cut.npy "$big" --deadline $deadline
  [ ! -e cut.npy.journal ] || break
done
mv jobs/slope.so same.so
sed 's/0.5 \//1.5 \//' slope.c >other.c
object other.c jobs/slope.so
refused 'of the kernel was' output=cut.npy "$big"
mv same.so jobs/slope.so
run 0 "$plait" run --quiet jobs/slope.yaml output=cut.npy "$big"
cmp -s cut.npy whole.npy || fail 'other bytes after a restart'

# compare and plan start it like any other
run 0 "$plait" compare jobs/slope.yaml -q; has out 'slope.yaml \(slope\)'; has out '<- (best|simplest)'
run 0 env XDG_CACHE_HOME="$PWD/cache" "$plait" plan jobs/slope.yaml -q; has out 'plait run jobs/slope.yaml'
checks=$((checks + 1)); [ -z "$(find . -name '.plait-trial*')" ] || fail 'trials are left'
rm -rf cache

# ---- what is refused
refused "named by its path: './slope.so'" kernel=slope.so
refused 'none.so: cannot open the kernel: No such file' kernel=./none.so
refused 'C source; build it and name the object' kernel=./slope.c
refused 'a kernel is a file' kernel=./jobs/
refused 'a job, not a kernel' kernel=jobs/slope.yaml
cp slope.c slope.c.txt; refused 'not a shared object' kernel=./slope.c.txt
for bytes in 5 100 2000 9000; do
  head -c $bytes jobs/slope.so >cut.so; refused 'cut short' kernel=./cut.so
done
grep -v '^PLAIT_OBJECT' slope.c >mute.c; object mute.c mute.so
refused 'holds no kernel; its source ends with PLAIT_OBJECT' kernel=./mute.so
sed 's/\.plan = slope_plan,//' slope.c >bare.c; object bare.c bare.so
refused 'its kernel has no plan' kernel=./bare.so
sed 's/, "distance of two cells"/, NULL/' slope.c >dumb.c; object dumb.c dumb.so
refused "its parameter 'spacing' has no help" kernel=./dumb.so
sed 's/int version; *\/\//int version, again, more; \/\//' "$source_dir/src/plait.h" >plait.h
flags="-I. $flags" object slope.c old.so
refused 'was built for another plait.h' kernel=./old.so
checks=$((checks + 1))
"$compiler" -I"$source_dir/src" -fPIC -shared slope.c -o x.so 2>cc.err && fail 'built without -fopenmp'
run 2 "$plait" verify ./none.so; has err 'cannot open the kernel'
checks=$((checks + 1)); [ ! -e result.npy ] || fail 'a result in spite of an error'
finish
