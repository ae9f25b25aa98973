#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# clang-format over all sources: `format.sh check` lists what differs and fails, `format.sh fix` changes
# the files. Exits with 77 (skipped) when clang-format is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v clang-format >/dev/null || { echo "clang-format is not installed"; exit 77; }
mapfile -t files < <(find src kernels tests bench -name '*.[ch]' | sort)
case ${1:-check} in
  fix) clang-format -i "${files[@]}" ;;
  check) clang-format --dry-run -Werror "${files[@]}" ;;
  *) echo "usage: format.sh [check|fix]" >&2; exit 2 ;;
esac
