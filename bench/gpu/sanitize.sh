#!/usr/bin/env bash
# The exported models of tests/e2e and the conformance rows on a GPU under compute-sanitizer, with memcheck, racecheck, synccheck
# and initcheck. Usage: sanitize.sh BIN_FOLDER [DEVICE [FILTER]]; FILTER chooses conformance rows, "test_dot/*"; exit status 1 if a
# tool finds anything.
set -euo pipefail
bin=$(cd "$1" && pwd) device=${2:-cuda:0} filter=${3:-*} root=$(cd "$(dirname "$0")/../.." && pwd)
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
# The rows in one process, so that each tool sees all of them and gives one summary.
cd "$root"
status=0
for tool in memcheck racecheck synccheck; do
  compute-sanitizer --tool "$tool" --log-file "$work/rows.$tool.log" \
    "$bin/inlay-conformance" --device "$device" --filter "$filter" --jobs 0 >"$work/rows.$tool.txt" || true
  echo "$tool on conformance rows: $(tail -n 1 "$work/rows.$tool.txt"); $(grep SUMMARY "$work/rows.$tool.log" || echo 'no summary')"
  if ! grep -q 'ERROR SUMMARY: 0 errors\|RACECHECK SUMMARY: 0 hazards' "$work/rows.$tool.log"; then
    status=1
    head -n 200 "$work/rows.$tool.log"
  fi
done
exit $status
