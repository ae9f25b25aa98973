#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# quickstart.sh PLAIT: how ./quickstart launches the main job: on no more ranks than there are cores, so that
# its own example does not end with a warning. cmake, mpirun and the program stand in for the real ones.
. "$(dirname "$0")/lib.sh"
mkdir -p bin tree/build tree/jobs
cp "$source_dir/quickstart" tree
cp "$source_dir"/jobs/tohoku-2011.yaml tree/jobs
for name in cmake mpirun; do
  printf '#!/bin/sh\n[ "$1" = --version ] && echo "mpirun (Open MPI) 4.1"\necho "%s $*" >>%s/calls\n' $name "$work" >bin/$name
done
printf '#!/bin/sh\necho "plait $*" >>%s/calls\n' "$work" >tree/build/plait
chmod +x bin/* tree/build/plait
# launched CORES PATTERN: what nproc says, and how the job is started
launched() {
  printf '#!/bin/sh\necho %s\n' "$1" >bin/nproc
  chmod +x bin/nproc
  rm -f calls
  run 0 env PATH="$work/bin:$PATH" tree/quickstart
  has calls "$2"; has_not calls 'oversubscribe'; has out '^picture ' 
}
launched 1 '^plait run jobs/tohoku-2011.yaml'
launched 2 '^mpirun .*-np 2 build/plait run jobs/tohoku-2011.yaml'
launched 64 '^mpirun .*-np 4 build/plait run jobs/tohoku-2011.yaml'
finish
