#!/bin/sh
# Runs a libFuzzer target on its seeds: run_fuzz.sh BINARY CORPUS RUNS|SECONDSs [SEED]
# A number of runs tries the same inputs everywhere; seconds ("600s") try as many as the machine can.
# New inputs go to a temporary folder, never to the seeds. Exits with libFuzzer's code; a failing
# input is kept under ${TMPDIR:-/tmp}/inlay-fuzz and its path printed.
set -eu
if [ $# -lt 3 ]; then
  echo "usage: $0 BINARY CORPUS RUNS|SECONDSs [SEED]" >&2
  exit 2
fi
binary=$1 corpus=$2 extent=$3 seed=${4:-20261123}
case $extent in
*s) limit=-max_total_time=${extent%s} ;;
*) limit=-runs=$extent ;;
esac
if [ ! -d "$corpus" ] || [ -z "$(ls -A "$corpus")" ]; then
  echo "$0: no seeds in '$corpus'" >&2
  exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=${TMPDIR:-/tmp}/inlay-fuzz
mkdir -p "$failures"
echo "fuzzing $(basename "$binary"): $limit, seed $seed"
status=0
"$binary" -seed="$seed" "$limit" -timeout=60 -rss_limit_mb=2048 -max_len=65536 \
  -print_final_stats=1 -verbosity=0 -artifact_prefix="$failures/$(basename "$binary")-" \
  "$work" "$corpus" || status=$?
exit $status
