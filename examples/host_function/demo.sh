#!/usr/bin/env bash
# The tutorial's operator as a kernel in the engine and as a function of the process, side by side. Usage: demo.sh [BIN_FOLDER] [DEVICE]
set -euo pipefail
bin=$(cd "${1:-build/bin}" && pwd)
device=${2:-cpu}
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
target=cpu
[ "$device" = cpu ] || target=cuda

echo "1. The library of host functions: add_one.cpp, which needs include/ and links against nothing of Inlay's"
"${CXX:-c++}" -std=c++17 -O2 -fPIC -shared -I "$here/../../include" "$here/add_one.cpp" -o "$out/add_one.so" -ldl

echo "2. Two engines of one model and one manifest"
"$bin/inlay" build "$here/../add_one/add_one.pt2" --plugin "$here/add_one.toml" --target $target --implementation strict-aot -o "$out/aot.inlay"
"$bin/inlay" build "$here/../add_one/add_one.pt2" --plugin "$here/add_one.toml" --target $target --implementation strict-jit -o "$out/jit.inlay"
"$bin/inlay" inspect "$out/jit.inlay" | grep "host function"

echo "3. Without the function the engine is refused"
"$bin/inlay-run" "$out/jit.inlay" --device "$device" --inputs "$here/../add_one/add_one.npz" && exit 1

echo "4. Both compute what PyTorch recorded"
for kind in aot jit; do
  "$bin/inlay-run" "$out/$kind.inlay" --device "$device" --host-library "$out/add_one.so" --inputs "$here/../add_one/add_one.npz" \
    --check "$here/../add_one/add_one.npz"
done

echo "5. Side by side"
"$bin/inlay" bench "$out/aot.inlay" --against "$out/jit.inlay" --device "$device" --host-library "$out/add_one.so"
echo "Kernel and host function agree"
