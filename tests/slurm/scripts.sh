#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Needs no Slurm: `plait slurm` writes a script for every job that ships, which a shell and shellcheck
# accept, with the numbers that were asked for; time and ranks come from `plait plan` once it was asked.
# shellcheck source-path=SCRIPTDIR source=../run/lib.sh
. "$(dirname "$0")/../run/lib.sh"
export XDG_CACHE_HOME=$work/cache
is_script() {
  checks=$((checks + 1))
  bash -n out || fail "$last: no script for a shell"
  if command -v shellcheck >/dev/null; then
    shellcheck -s bash out >complaints || fail "$last: $(head -20 complaints)"
  fi
}

for job in "$source_dir"/jobs/*.yaml; do
  if "$plait" slurm "$job" output=o.nc 2>&1 | grep -q 'cannot open the input'; then
    echo "$(basename "$job"): its input is not installed"
    continue
  fi
  name=$(basename "$job" .yaml)
  run 0 "$plait" slurm "$job" output=o.nc --nodes 2 --tasks 4 --cpus 8 --time 3h --partition p --account a
  is_script
  for line in "job-name=$name" nodes=2 ntasks-per-node=4 cpus-per-task=8 'mem=[1-9][0-9]*M' time=03:00:00 \
    partition=p account=a signal=B:USR1@120 open-mode=append requeue; do
    has out "^#SBATCH --$line( |\$)"
  done
  has out "^arguments=\('$job' 'output=o.nc'\)\$"
done
for template in "$source_dir"/slurm/*.sbatch; do
  cp "$template" out
  last=$template
  is_script
done

# The table of variables in slurm/README.md is what the program reads, no more and no less.
code=$(grep -rhoE '"(SLURM|OMPI|PMIX?|MPI_LOCAL|MV2|PALS|OMP|GOMP|KMP|PRTE)_?[A-Za-z0-9_]+"' "$source_dir"/src/{host,engine,command} |
  tr -d '"' | grep -vxE 'OMP_(MAX_ACTIVE_LEVELS|DYNAMIC)|OMPI_ALLOW_RUN_AS_ROOT.*|OMPI_MCA_rmaps_base_oversubscribe' | sort -u)
table=$(sed -n '/^Read by plait itself/,$p' "$source_dir/slurm/README.md" | grep -oE '`[A-Z][A-Za-z0-9_]*[*]?`' | tr -d '`')
is_listed() {
  local pattern
  # shellcheck disable=SC2254
  for pattern in $table; do case $1 in $pattern) return ;; esac; done
  return 1
}
for name in $code; do
  checks=$((checks + 1))
  is_listed "$name" || fail "slurm/README.md does not list $name"
done
for name in $table; do
  checks=$((checks + 1))
  grep -rqF "\"${name%\*}" "$source_dir/src" || fail "slurm/README.md lists $name, which is not read"
done

# More memory for more ranks of a node, and for a job that says so.
job=$source_dir/jobs/relief-smooth.yaml
mem() { sed -n 's/^#SBATCH --mem=\([0-9]*\)M.*/\1/p' out; }
run 0 "$plait" slurm "$job" output=o.nc --tasks 1; one=$(mem)
run 0 "$plait" slurm "$job" output=o.nc --tasks 2; two=$(mem)
[ "$two" -gt "$one" ] || fail "two ranks of a node get $two MB, one gets $one"
run 0 "$plait" slurm "$job" output=o.nc --tasks 1 run.memory='3 GiB'
[ "$(mem)" -ge 3072 ] || fail "a job of 3 GiB gets $(mem) MB"

run 0 "$plait" slurm "$job" output=o.nc
has out '^#SBATCH --time=01:00:00 '
run 0 "$plait" plan "$job" output=o.nc --quiet
run 0 "$plait" slurm "$job" output=o.nc
has out '^#SBATCH --time=00:[0-9]*:00 +# plait plan expects [0-9.]+ m?s'
run 0 "$plait" slurm "$job" output=o.nc --time 2h
has out '^#SBATCH --time=02:00:00 '; has_not out 'plan expects'
finish
