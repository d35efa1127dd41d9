#!/bin/sh
# Runs a libFuzzer target on its seeds for some seconds: run_fuzz.sh BINARY CORPUS SECONDS [SEED]
# New inputs go to a temporary folder, never to the seeds. Exits with libFuzzer's code; a failing
# input is kept under ${TMPDIR:-/tmp}/inlay-fuzz and its path printed.
set -eu
if [ $# -lt 3 ]; then
  echo "usage: $0 BINARY CORPUS SECONDS [SEED]" >&2
  exit 2
fi
binary=$1 corpus=$2 seconds=$3 seed=${4:-20261123}
if [ ! -d "$corpus" ] || [ -z "$(ls -A "$corpus")" ]; then
  echo "$0: no seeds in '$corpus'" >&2
  exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=${TMPDIR:-/tmp}/inlay-fuzz
mkdir -p "$failures"
echo "fuzzing $(basename "$binary") for $seconds s with seed $seed"
status=0
"$binary" -seed="$seed" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
  -print_final_stats=1 -verbosity=0 -artifact_prefix="$failures/$(basename "$binary")-" \
  "$work" "$corpus" || status=$?
exit $status
