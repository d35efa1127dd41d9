#!/usr/bin/env bash
# Checks that all C++ files are formatted (clang-format-22). Usage: check_format.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
git ls-files '*.cpp' '*.h' | while read -r file; do [ -f "$file" ] && echo "$file"; done |
  xargs clang-format-22 --dry-run --Werror
