#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# train.sh PLAIT [MPIRUN]: models of train: the same bytes under every launch, also when the rows are
# streamed and when the run was killed; what predict says of them; input that makes no sense. Fashion-MNIST
# only where the Debian package dataset-fashion-mnist is.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mpirun=${2:-}
[ -x /usr/bin/python3 ] || { echo 'no python3'; exit 77; }

# Three clouds in six dimensions, their labels, and the same with mistakes.
/usr/bin/python3 - <<'END'
import random, struct
def npy(name, code, size, shape, values):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (size, shape)
    head += ' ' * (117 - len(head)) + '\n'
    open(name, 'wb').write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head.encode() + struct.pack('<%d%s' % (len(values), code), *values))
r, n, d = random.Random(1), 6000, 6
y = [i % 3 for i in range(n)]
x = [2.0 * (y[i // d] == i % d % 3) + r.gauss(0, 0.6) for i in range(n * d)]
npy('x.npy', 'f', '<f4', (n, d), x)
npy('y.npy', 'b', '|i1', (n,), y)
npy('few.npy', 'b', '|i1', (n - 1,), y[1:])
npy('minus.npy', 'b', '|i1', (n,), [-1] + y[1:])
npy('half.npy', 'f', '<f4', (n,), [0.5] + y[1:])
npy('gap.npy', 'b', '|i1', (n,), [2 * (v > 0) for v in y])
npy('one.npy', 'b', '|i1', (n,), [0] * n)
npy('nan.npy', 'f', '<f4', (n, d), x[:5 * d] + [float('nan')] + x[5 * d + 1:])
npy('same.npy', 'f', '<f4', (n, d), [1.5] * (n * d))
END
cat >net.yaml <<'END'
kernel: train
input: x.npy
output: net.nc
params: {labels: y.npy, hidden: [20], activation: tanh, batch: 40, epochs: 4, l2: 1e-4, seed: 3}
END
cat >say.yaml <<'END'
kernel: predict
input: x.npy
output: said.nc
params: {model: net.nc, labels: y.npy}
END

# ---- the same bytes
run 0 "$plait" check net.yaml; has out 'memory'
run 0 "$plait" run net.yaml; has err 'epoch 4: loss 0\.[0-9]+, checked 0\.[0-9]+, 9[0-9]\.'
same() { run 0 "$@" output=other.nc --force --quiet; cmp -s net.nc other.nc || fail "$last: other bytes"; }
same "$plait" run net.yaml --threads 1
same "$plait" run net.yaml --threads 3 run.overlap=false
if [ -n "$mpirun" ]; then for n in 2 3 4; do same "$mpirun" -np $n "$plait" run net.yaml --threads 1; done; fi
# which launch suits it; the labels are found from wherever trials write
run 0 "$plait" compare net.yaml -q; has out '<- (best|simplest)'; has out 'processes|Not compared'
run 0 env XDG_CACHE_HOME="$PWD/cache" "$plait" plan net.yaml -q; has out 'plait run net.yaml'
rm -r cache
run 0 "$plait" run net.yaml params.shuffle=400 output=window.nc
for memory in 64MiB 700KiB; do
  run 0 "$plait" run net.yaml params.shuffle=400 run.memory=$memory output=other.nc --force
  cmp -s window.nc other.nc || fail "other bytes with $memory"
done
cmp -s window.nc net.nc && fail 'small windows shuffle like a large one'
run 2 "$plait" run net.yaml run.memory=10KiB output=other.nc --force; has err 'too small: this job needs'

# ---- predict
run 0 "$plait" run say.yaml
# which launch suits it; the model is found from wherever trials write
run 0 "$plait" compare say.yaml -q output=none.nc; has out '\(predict\)'; has out '<- (best|simplest)'; empty err
run 2 "$plait" compare say.yaml -q params.model=gone.nc; has err 'gone.nc'
run 0 env XDG_CACHE_HOME="$PWD/cache" "$plait" plan say.yaml -q output=none.nc
has out '^  (mpirun .*)?plait run say.yaml output=none.nc'; has out 'cells/s of [0-9.]+ flop'; has out '<- (best|fewest)'
[ ! -e none.nc ] || fail 'compare or plan leaves a result of predict'
[ "$(find . -name '.plait-trial*' | wc -l)" = 0 ] || fail 'compare or plan of predict leaves trials'
rm -r cache
/usr/bin/python3 - >out 2>err <<'END' || fail 'the model in Python'
import sys
try: import netCDF4, numpy as np
except ImportError: sys.exit(0)
x, y = np.load('x.npy'), np.load('y.npy')
d = netCDF4.Dataset('net.nc'); w = [d[f'weights{i}'][:].data for i in range(2)]
h = np.tanh(x @ w[0][:-1] + w[0][-1]) @ w[1][:-1] + w[1][-1]
s = netCDF4.Dataset('said.nc')
assert (h.argmax(1) == s['labels'][:]).mean() > 0.9999
p = np.exp(h - h.max(1, keepdims=True)); p /= p.sum(1, keepdims=True)
assert abs(p - s['probabilities'][:]).max() < 1e-5
assert abs((h.argmax(1) == y).mean() - float(s['accuracy'][...])) < 1e-3 and float(s['accuracy'][...]) > 0.95
assert s['confusion'][:].sum() == len(y) and abs(-np.log(p[range(len(y)), y]).mean() - float(s['loss'][...])) < 1e-5
END
cp said.nc reference.nc
run 0 "$plait" run say.yaml --threads 1 --force; cmp -s said.nc reference.nc || fail 'predict: other bytes with one thread'
if [ -n "$mpirun" ]; then for n in 2 3; do
  run 0 "$mpirun" -np $n "$plait" run say.yaml --force; cmp -s said.nc reference.nc || fail "predict: other bytes on $n ranks"
done; fi

# ---- killed, stopped, continued
long=(net.yaml --threads 1 params.epochs=60 params.patience=0 params.batch=16 'params.hidden=[80,80]')
run 0 "$plait" run "${long[@]}" output=whole.nc --quiet
stop_after() { # SECONDS SIGNAL: 1: it had ended before
  rm -f part.nc*
  "$plait" run "${long[@]}" output=part.nc --quiet >/dev/null 2>&1 & local pid=$!
  for _ in $(seq 300); do [ -e part.nc.journal ] && break; sleep 0.05; done
  sleep "$1"; kill -"$2" $pid 2>/dev/null; wait $pid; local code=$?
  [ $code != 0 ] || return 1
  [ "$2" = KILL ] || [ $code = 75 ] || fail "exit code $code after $2"
}
again() { # SIGNAL RANKS: stops a run once it has a journal, goes on until it ends
  local seconds
  for seconds in 0.2 0.5 1; do # a busy machine may not have ended an epoch yet
    stop_after $seconds "$1" || { echo "  ended before $1"; return; }
    if [ "${2:-1}" = 1 ]; then run 0 "$plait" run "${long[@]}" output=part.nc
    else run 0 "$mpirun" -np "$2" "$plait" run "${long[@]}" output=part.nc; fi
    cmp -s whole.nc part.nc || fail "other bytes after $1 and $2 ranks"
    ! grep -q 'goes on behind step [1-9]' err || break
  done
  has err 'goes on behind step [1-9]'
}
again KILL 1
again TERM "${mpirun:+2}"

# ---- a study of rates and layers, also when it was killed
cat >study.yaml <<'END'
kernel: train
input: x.npy
output: study.nc
params: {labels: y.npy, batch: 40, epochs: 6, patience: 0}
vary:
  params.rate: [0.001, 0.01, 0.1]
  params.hidden: [[8], [40, 40]]
  columns: [best_epoch, check_accuracy.max, loss.min]
END
run 0 "$plait" run study.yaml --quiet; has study.csv '^5,0\.1,.*,done,$'; lines study.csv 7
run 0 "$plait" run net.yaml --quiet output=one.nc 'params.hidden=[40,40]' params.rate=0.01 params.activation=relu \
  params.epochs=6 params.patience=0 params.l2=0 params.seed=0
/usr/bin/python3 - >out 2>err <<'END' || fail 'a row is not what a run of its own gives'
import csv, sys
try: import netCDF4
except ImportError: sys.exit(0)
row = list(csv.DictReader(open('study.csv')))[3]
d = netCDF4.Dataset('one.nc')
assert float(row['rate']) == 0.01 and int(row['best_epoch']) == int(d['best_epoch'][...]), row
assert abs(float(row['loss.min']) - float(d['loss'][:].min())) < 1e-12, row
END
if [ -n "$mpirun" ]; then for group in 1 2; do
  run 0 "$mpirun" -np 2 "$plait" run study.yaml --quiet output=ranks.nc run.group=$group --force
  cmp -s study.nc ranks.nc || fail "study: other bytes on 2 ranks in groups of $group"
done; fi
rows=0
for seconds in 0.1 0.3 0.6 1.2 2.4; do # killed until there was something to go on with
  "$plait" run study.yaml --quiet --threads 1 output=killed.nc params.epochs=40 >/dev/null 2>&1 & pid=$!
  for _ in $(seq 100); do [ -e killed.nc.journal ] && break; sleep 0.02; done
  sleep $seconds; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
  [ ! -e killed.nc ] || break
  run 0 "$plait" resume-info study.yaml output=killed.nc params.epochs=40
  rows=$(sed -n 's/^results[^0-9]*\([0-9]*\).*/\1/p' out); [ "${rows:-0}" = 0 ] || break
done
echo "  killed with ${rows:-0} combinations done"
[ -e killed.nc ] || run 0 "$plait" run study.yaml --quiet output=killed.nc params.epochs=40
run 0 "$plait" run study.yaml --quiet output=whole-study.nc params.epochs=40
cmp -s killed.nc whole-study.nc || fail 'study: other bytes after kill -9'
cmp -s killed.csv whole-study.csv || fail 'study: another table after kill -9'

# ---- what makes no sense
bad() { # CODE PATTERN WORDS...
  local code=$1 pattern=$2; shift 2
  rm -f bad.nc*
  run "$code" timeout 60 "$plait" run --quiet "$@" output=bad.nc
  has err "$pattern"
  [ "$(grep -c error: err)" = 1 ] || fail "$last: not one line of error"
  [ ! -e bad.nc ] || fail "$last: left a result"
}
bad 2 'there are 5999 of them for 6000 rows' net.yaml params.labels=few.npy
bad 2 'row 0 has the label -1, expected a whole number' net.yaml params.labels=minus.npy
bad 2 'row 0 has the label 0.5, expected a whole number' net.yaml params.labels=half.npy
bad 2 'row 2 has the label 2, expected a whole number 0 .. 1' net.yaml params.classes=2
bad 2 'no row has the label 1 of 0 .. 2' net.yaml params.labels=gap.npy
bad 2 'all rows have the label 0' net.yaml params.labels=one.npy
# labels as one array of several in a file
run 0 "$plait" run say.yaml output=labels.nc --quiet
run 0 "$plait" run net.yaml params.labels=labels.nc:labels output=again.nc --quiet
bad 2 'labels.nc: no variable "label"; did you mean "labels"' net.yaml params.labels=labels.nc:label
bad 2 'multiple of lanes' net.yaml params.lanes=16
bad 2 'power of 2' net.yaml params.lanes=5
bad 2 'whole numbers' net.yaml 'params.hidden=[3.5]'
bad 2 'No such file.*; to get it: ask' net.yaml input=none.npy 'source=ask'
bad 2 'row 5 has a missing value.*: fill it, or leave the row out' net.yaml input=nan.npy params.validation=0
bad 1 'no number any more in epoch 1.*smaller params.rate' net.yaml params.method=sgd params.rate=1e6 params.activation=relu 'params.hidden=[20,20]'
[ ! -e bad.nc.journal ] || fail 'a run that must fail again can be continued'
if [ -n "$mpirun" ]; then
  run 2 "$mpirun" -np 3 "$plait" run net.yaml --quiet input=nan.npy params.validation=0 output=bad.nc
  has err 'row 5 has a missing value'
fi
bad 2 'takes rows of 6 features, the input has 1' say.yaml input=y.npy params.labels=
bad 2 'network' say.yaml params.model=reference.nc
head -c 600 net.nc >cut.nc; bad 2 'cut.nc' say.yaml params.model=cut.nc
run 0 "$plait" run net.yaml input=same.npy output=equal.nc; has_not err 'diverged'
run 0 "$plait" run net.yaml params.labels=gap.npy params.classes=3 output=gap.nc
# Diverges after some epochs: the best one is kept, and it says so.
run 0 "$plait" run net.yaml params.method=sgd params.rate=0.05 params.l2=42 params.momentum=0 params.epochs=30 \
  params.patience=0 output=far.nc
has err 'diverged in epoch [0-9]+ .*the weights are those of epoch'
has out 'Result: best_epoch [0-9]+, best_loss [0-9.]+, best_check_accuracy 0\.[0-9]+\. Warning: the training diverged'
# Rows without a label of their own are counted, and it is said.
run 0 "$plait" run say.yaml input=nan.npy output=holes.nc
has out 'Result: missing 1, accuracy 0\.[0-9]+, loss 0\.[0-9]+\. Warning: 1 of 6000 rows have missing values: their label is -1'
run 0 "$plait" run say.yaml input=nan.npy output=holes.nc params.labels= params.probabilities=false --force -q
has out 'Result: missing 1\. Warning: 1 of 6000'
run 0 "$plait" run say.yaml output=holes.nc --force; has out 'missing 0, accuracy'; has_not out 'rows have missing'

# ---- Fashion-MNIST
data=/usr/share/datasets/fashion-mnist
if [ -e $data/train-images-idx3-ubyte.gz ]; then
  for job in softmax mlp; do
    run 0 "$plait" run "$source_dir/jobs/fashion-$job.yaml" output=$job.nc params.epochs=1 --quiet
  done
  run 0 "$plait" run "$source_dir/jobs/fashion-test.yaml" output=test.nc params.model=mlp.nc
  cp $data/t10k-labels-idx1-ubyte.gz cut.gz; truncate -s 3000 cut.gz
  bad 2 'cut.gz' "$source_dir/jobs/fashion-test.yaml" params.labels=cut.gz params.model=mlp.nc
  printf '\377\377\377\377' | dd of=cut.gz bs=1 seek=1500 conv=notrunc 2>/dev/null
  bad 2 'cut.gz' "$source_dir/jobs/fashion-test.yaml" params.labels=cut.gz params.model=mlp.nc
fi
finish
