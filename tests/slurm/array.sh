#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A parameter study: every line of the list is a task, words with blanks and quotes arrive as they are,
# nothing in them is executed, and mistakes in the list are said.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
cat >job.yaml <<'END'
kernel: gaussian
input: "generate:random?shape=6x300x400&type=float32"
output: out.npy
params: {sigma: 2}
END
cat >list.txt <<'END'
# sigma and where to
params.sigma=1 output=one.npy

params.sigma=2 "params.axes=[0, 2]" output=two.npy
params.sigma=3 'output=th $(touch pwned) ree;.npy'
params.sigma=4
END
run 0 "$plait" run job.yaml params.sigma=1 output=ref1.npy
run 0 "$plait" run job.yaml params.sigma=2 'params.axes=[0, 2]' output=ref2.npy
run 0 "$plait" run job.yaml params.sigma=3 output=ref3.npy

array=$(on_head sbatch --parsable --array=1-5%2 "$slurm/array.sbatch" job.yaml list.txt)
for task in 1 2 3 4 5; do
  id=${array}_$task
  log=plait-array-$array-$task.log
  case $task in
    4 | 5) ends "$id" FAILED 2 ;;
    *) ends "$id" COMPLETED ;;
  esac
done
id=${array}_4 log=plait-array-$array-4.log
says 'line 4: no output=FILE' 0
id=${array}_5 log=plait-array-$array-5.log
says 'has no line 5' 0
cmp one.npy ref1.npy || fail "task 1 has other bytes"
cmp two.npy ref2.npy || fail "task 2 has other bytes"
cmp 'th $(touch pwned) ree;.npy' ref3.npy || fail "task 3 has other bytes"
[ ! -e pwned ] || fail "a word of the list was executed"

# A task of an array stops, goes back into the queue, continues; its neighbours do not notice.
slow_job 600
laptop slow.yaml
printf 'output=a.npy\noutput=b.npy\n' >list.txt
array=$(on_head sbatch --parsable --array=1-2 "$slurm/array.sbatch" slow.yaml list.txt)
id=${array}_2 log=plait-array-$array-2.log
in_midst && on_head scancel --signal=USR1 --batch "$id"
says 'stopped early: back in the queue' 60
ends "$id" COMPLETED
says 'task 2.*start 2,' 0
same_as_laptop b.npy
id=${array}_1 log=plait-array-$array-1.log
ends "$id" COMPLETED
says_not 'start 2,'
same_as_laptop a.npy
finish
