#!/usr/bin/env bash
# Lines of source per folder. Usage: loc.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
git ls-files '*.cpp' '*.h' '*.td' '*.def' '*.fbs' '*.py' | xargs wc -l | awk '$2 != "total" {n = split($2, p, "/"); f = n > 2 ? p[1] "/" p[2] : p[1]; lines[f] += $1; all += $1}
  END {for (f in lines) printf "%7d %s\n", lines[f], f; printf "%7d total\n", all}' | sort -rn
