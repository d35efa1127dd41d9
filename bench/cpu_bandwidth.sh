#!/usr/bin/env bash
# The tutorial's kernel over 2^27 floats on the CPU beside a plain copy. Usage: cpu_bandwidth.sh BIN_FOLDER [THREADS]
set -euo pipefail
bin=$(cd "$1" && pwd) root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build() { "$bin/inlay" build "$@" --target cpu --quiet; }
# The exported model is for at most 65536 elements: its graph is built again without that bound.
build "$root/tests/models/add_one_dynamic.pt2" --plugin "$root/examples/add_one/add_one.toml" --dump-stages "$work" -o "$work/small.inlay"
sed -i 's/max = 65536/max = 1073741824/' "$work/01-graph.mlir"
grep -q 'max = 1073741824' "$work/01-graph.mlir"
for block in 256 1024; do
  sed "s/BLOCK_SIZE = 256/BLOCK_SIZE = $block/; s|add_one.py|$root/examples/add_one/add_one.py|" "$root/examples/add_one/add_one.toml" >"$work/$block.toml"
  build "$work/01-graph.mlir" --plugin "$work/$block.toml" -o "$work/$block.inlay"
  echo "BLOCK_SIZE $block: $("$bin/cpu_bandwidth" "$work/$block.inlay" $((1 << 27)) "${@:2}")"
done
