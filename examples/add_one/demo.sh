#!/usr/bin/env bash
# The tutorial, end to end: compile the exported model and its Triton kernel into one engine, then run the engine in a process
# that holds only the runtime, and compare with what PyTorch computed. Usage: demo.sh [BIN_FOLDER]
set -euo pipefail
bin=$(cd "${1:-build/bin}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

say "1. Build: add_one.pt2 (from torch.export) + add_one.toml (plugin my::add_one, kernel in add_one.py) -> add_one.inlay"
"$bin/inlay" build "$here/add_one.pt2" --plugin "$here/add_one.toml" --target cuda:sm_90a --target cuda --target cpu \
  -o "$out/add_one.inlay"

say "2. What is in the engine"
"$bin/inlay" inspect "$out/add_one.inlay"

say "3. Run on the CPU with inlay-run (libraries it needs: $(ldd "$bin/inlay-run" | awk '{print $1}' | grep -v -E 'vdso|ld-linux' | tr '\n' ' '))"
"$bin/inlay-run" "$out/add_one.inlay" --device cpu --inputs "$here/add_one.npz" --check "$here/add_one.npz" --repeat 1000

if "$bin/inlay-run" --has-device cuda:0 >/dev/null 2>&1; then
  say "4. Run on the GPU"
  "$bin/inlay-run" "$out/add_one.inlay" --device cuda:0 --inputs "$here/add_one.npz" --check "$here/add_one.npz" --repeat 1000
else
  say "4. Run on the GPU: skipped, this machine has none that the driver can use"
fi

say "The results equal what PyTorch recorded. Next: examples/add_one/README.md"
