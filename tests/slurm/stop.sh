#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# USR1 in mid-run, as Slurm sends it before the end of the time: plait stops at a safe point with 75,
# the script puts the job back into the queue, the second start continues, the bytes are the same.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
slow_job 800
laptop slow.yaml

for launcher in srun mpirun; do
  rm -f out.npy
  PLAIT_LAUNCHER=$launcher submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" slow.yaml
  in_midst && on_head scancel --signal=USR1 --batch "$id"
  says '^plait.sbatch: stopped early: back in the queue' 60
  [ ! -e out.npy ] || fail "a result that is not complete has its final name"
  says 'plait.sbatch: job .* start 2,' 60
  ends "$id" COMPLETED
  [ "$(starts)" = 2 ] || fail "the job was started $(starts) times"
  says 'more were done before' 0
  same_as_laptop
done

# One rank that is no MPI program stops and continues just so. Slurm ends what runs in the job as soon as
# it goes back into the queue, scontrol with its answer too.
mkdir bin
printf '#!/bin/sh\n%s "$@" || exit\n[ "$1" != requeue ] || kill -TERM $$\n' "$(command -v scontrol)" >bin/scontrol
chmod +x bin/scontrol
rm -f out.npy
PATH=$PWD/bin:$PATH submit "$slurm/plait.sbatch" slow.yaml
in_midst && on_head scancel --signal=USR1 --batch "$id"
says '^plait.sbatch: stopped early: back in the queue' 60
ends "$id" COMPLETED
[ "$(starts)" = 2 ] || fail "the job was started $(starts) times"
says 'more were done before' 0
same_as_laptop

# USR1 that comes before plait runs keeps it from starting; the next start does it all.
cat >later <<END
#!/bin/sh
[ "\$1" != version ] || { touch asked; until [ -e go ]; do sleep 0.1; done; }
exec "$plait" "\$@"
END
chmod +x later
rm -f out.npy
PLAIT=$PWD/later submit "$slurm/plait.sbatch" slow.yaml
slurm_until 60 test -e asked && on_head scancel --signal=USR1 --batch "$id" && sleep 1 && touch go
says '^plait.sbatch: stopped early: back in the queue' 60
says_not '^gaussian'
ends "$id" COMPLETED
same_as_laptop

# A program that is not there is said, once.
PLAIT=/nowhere/plait submit "$slurm/plait.sbatch" slow.yaml
ends "$id" FAILED 2
says '^plait.sbatch: there is no program /nowhere/plait' 0

# Where a job may not go back into the queue, the log says what to do.
rm -f out.npy
submit --no-requeue "$slurm/plait.sbatch" slow.yaml
in_midst && on_head scancel --signal=USR1 --batch "$id"
ends "$id" FAILED 75
says 'to continue, submit the same again' 0
submit "$slurm/plait.sbatch" slow.yaml
ends "$id" COMPLETED
says 'more were done before' 0
same_as_laptop

# An end to it: as many starts as are allowed.
rm -f out.npy
PLAIT_RESTARTS=0 submit "$slurm/plait.sbatch" slow.yaml
in_midst && on_head scancel --signal=USR1 --batch "$id"
ends "$id" FAILED 75
says 'this is the end' 0
finish
