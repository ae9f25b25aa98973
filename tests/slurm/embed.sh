#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# `plait slurm` writes the end of slurm/plait.sbatch into every script, so the program holds a copy.
#   embed.sh          writes src/command/slurm_body.c anew, after slurm/plait.sbatch was changed
#   embed.sh PLAIT    fails unless that program holds what stands in slurm/plait.sbatch
set -euo pipefail
cd "$(dirname "$0")/../.."
body() { sed -n '/^# ---- from here on/,$p'; }

if [ $# = 0 ]; then
  {
    echo '// SPDX-License-Identifier: BSD-3-Clause'
    echo '//'
    echo '// The end of slurm/plait.sbatch; written by tests/slurm/embed.sh, a test compares them.'
    echo '#include "command/slurm.h"'
    echo
    echo '// clang-format off'
    echo 'const char pl_batch_body[] ='
    body <slurm/plait.sbatch | awk '
      function literal(text, end) { gsub(/\\/, "&&", text); gsub(/"/, "\\\\&", text); return "    \"" text end "\"" }
      { for (; length($0) > 80; $0 = substr($0, 81)) print literal(substr($0, 1, 80), ""); print literal($0, "\\n") }
      END { print "    ;" }'
  } >src/command/slurm_body.c
  exit
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'kernel: gaussian\ninput: "generate:random?shape=8x8"\noutput: %s\n' "$work/o.npy" >"$work/j.yaml"
body <slurm/plait.sbatch >"$work/template"
"$1" slurm "$work/j.yaml" | body >"$work/written"
[ -s "$work/template" ]
diff "$work/template" "$work/written"
