#!/usr/bin/env bash
# A language model whose norm and rotary embedding are Triton kernels of the user's: one engine, and a C++ program that continues a
# text with it. Usage: demo.sh [BIN_FOLDER LIB_FOLDER [DEVICE]]; CXX names the C++ compiler. Exit status 77 if there is no such device.
set -euo pipefail
bin=$(cd "${1:-build/bin}" && pwd) lib=$(cd "${2:-build/lib}" && pwd) device=${3:-cpu}
cd "$(dirname "$0")"
"$bin/inlay-run" --has-device "$device" >/dev/null 2>&1 || { echo "[SKIP] no device $device here"; exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
target=cpu
[ "$device" = cpu ] || target=cuda

echo "1. The engine: your kernels beside those of the standard operators"
"$bin/inlay" build language_model.pt2 --plugin language_model.toml --target $target --quiet -o "$out/language_model.inlay"
"$bin/inlay" inspect "$out/language_model.inlay" >"$out/engine.txt"
grep -o "launch kernel [0-9]* '\(rms_norm\|rotary\)_kernel'" "$out/engine.txt" | sort | uniq -c

echo "2. The logits of the prompt are PyTorch's"
"$bin/inlay-run" "$out/language_model.inlay" --device "$device" --inputs language_model.npz --check language_model.npz --rtol 1e-4 --atol 1e-4

echo "3. A C++ program continues the text; its process holds the runtime, and no Python"
"${CXX:-c++}" -std=c++20 -O1 -Wall -Wextra -Werror -I ../../include generate.cpp -L "$lib" -Wl,-rpath,"$lib" -linlay_runtime -o "$out/generate"
"$out/generate" "$out/language_model.inlay" "$device" "A model is" 305 | tee "$out/generated.txt"
cmp "$out/generated.txt" generated.txt
echo "The bytes are those that PyTorch generated"
