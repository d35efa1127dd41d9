#!/usr/bin/env bash
# The exported models of tests/e2e on a GPU under compute-sanitizer, with memcheck, racecheck and initcheck.
# Usage: sanitize.sh BIN_FOLDER [DEVICE]; exit status 1 if a tool finds anything.
set -euo pipefail
bin=$(cd "$1" && pwd) device=${2:-cuda:0} root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$bin/inlay" "$work/inlay"
for tool in memcheck racecheck initcheck; do
  printf '#!/bin/sh\n[ "$2" = "" ] || [ "$1" = --has-device ] && exec "%s/inlay-run" "$@"\nexec compute-sanitizer --tool %s --error-exitcode 99 --log-file "%s/%s.%%p.log" "%s/inlay-run" "$@"\n' \
    "$bin" "$tool" "$work" "$tool" "$bin" >"$work/inlay-run"
  chmod +x "$work/inlay-run"
  python3 "$root/tests/e2e/models.py" "$work" "$device" >"$work/out.txt" || { cat "$work/out.txt" "$work/$tool".*.log; exit 1; }
  # What ran must have been checked: one summary for each run.
  echo "$tool: $(cat "$work/$tool".*.log | grep -c 'ERROR SUMMARY: 0 errors\|RACECHECK SUMMARY: 0 hazards') runs without findings, \
$(cat "$work/$tool".*.log | grep -E -v 'SUMMARY: 0' | grep -c SUMMARY || true) with"
done
