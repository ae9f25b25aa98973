#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A run over time, the tsunami of 2011 as it ships, goes on from its checkpoint: after USR1 under both
# launchers, after the power cut of a node, over the links of a chain. The bytes are those of the laptop.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 3
job=$source_dir/jobs/tohoku-2011.yaml
run 0 "$plait" run "$job" output=ref.nc --quiet
same() {
  checks=$((checks + 1))
  cmp -s out.nc ref.nc && cmp -s out.nc.gauges.csv ref.nc.gauges.csv || fail "other bytes than on the laptop"
  rm -f out.nc*
}
went_on() {
  [ "$(starts)" = 2 ] || fail "the job was started $(starts) times"
  says 'goes on from the checkpoint of out.nc: [1-9]' 0
  same
}

on_head scontrol update nodename=n3 state=drain reason=spare
for launcher in srun mpirun; do
  PLAIT_LAUNCHER=$launcher submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" "$job" output=out.nc
  in_midst && on_head scancel --signal=USR1 --batch "$id"
  says '^plait.sbatch: stopped early: back in the queue' 60
  [ ! -e out.nc ] || fail "a result that is not complete has its final name"
  ends "$id" COMPLETED
  went_on
done

submit --nodes=2 --cpus-per-task=1 "$slurm/plait.sbatch" "$job" output=out.nc run.checkpoint=0.2
in_midst 2
on_head scontrol update nodename=n3 state=resume
node_crash n2
mark_down n2
ends "$id" COMPLETED
says 'plait.sbatch: job .* on n\[1,3\]: .* start 2,' 0
went_on
bring_back n2

submit --job-name=tsunami --cpus-per-task=1 "$slurm/chain.sbatch" "$job" output=out.nc
in_midst && on_head scancel --signal=USR1 --batch "$id"
ends "$id" FAILED 75
says 'stopped early: job [0-9]+ continues' 0
id=$((id + 1))
log=tsunami-$id.log
ends "$id" COMPLETED
says 'goes on from the checkpoint of out.nc: [1-9]' 0
same
finish
