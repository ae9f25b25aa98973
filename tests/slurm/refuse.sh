#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# srun without a PMI would start as many programs that each think they are alone and write the same
# file: refused, with the cure, before anything is written.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster 2
slow_job 4

run 2 on_head srun --mpi=none --nodes=2 --ntasks=2 "$plait" run slow.yaml
has err '^plait: error: srun started 2 processes that cannot find each other: use .srun --mpi=pmix'
[ "$(grep -c 'plait: error:' err)" = 1 ] || fail "not said just once"
run 1 on_head srun --mpi=pmi2 --nodes=2 --ntasks=2 "$plait" run slow.yaml # Open MPI itself says it here
has err 'PMI'
[ ! -e out.npy ] && [ ! -e out.npy.partial ] || fail "something was written"
# What the cure says, works; and so does one task without a PMI.
run 0 on_head srun --mpi=pmix --nodes=2 --ntasks=2 "$plait" run slow.yaml
has out 'on 2 ranks'
mv out.npy ref.npy
run 0 on_head srun --mpi=none --ntasks=1 "$plait" run slow.yaml
has out 'on 1 rank '
same_as_laptop
# A command that computes nothing runs once, whatever starts it.
run 0 on_head srun --mpi=none --ntasks=2 --nodes=2 "$plait" kernels
[ "$(grep -c '^gaussian' out)" = 1 ] || fail "two tasks list the kernels twice"
finish
