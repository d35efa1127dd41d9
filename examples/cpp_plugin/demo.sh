#!/usr/bin/env bash
# A plugin in C++, both ways: as a library given to `inlay build`, and inside a program that builds and runs the engine itself.
# Usage: demo.sh [BIN_FOLDER LIB_FOLDER]; CXX names the C++ compiler.
set -euo pipefail
bin=$(cd "${1:-build/bin}" && pwd) lib=$(cd "${2:-build/lib}" && pwd)
cd "$(dirname "$0")"
cxx=${CXX:-c++} include=../../include model=../add_one/add_one.pt2 data=../add_one/add_one.npz
out=$(mktemp -d)
# Kernel files are looked for from the library's folder on.
trap 'rm -rf "$out"' EXIT
mkdir "$out/cpp_plugin" && ln -s "$PWD/../add_one" "$out/add_one"

echo "1. The plugin library, with $("$cxx" --version | head -n 1)"
"$cxx" -std=c++20 -O1 -shared -fPIC -Wall -Wextra -Werror -I "$include" plugin.cpp -o "$out/cpp_plugin/add_one_plugin.so"
"$bin/inlay" build "$model" --plugin "$out/cpp_plugin/add_one_plugin.so" --target cpu --quiet -o "$out/add_one.inlay"
"$bin/inlay-run" "$out/add_one.inlay" --device cpu --inputs "$data" --check "$data"

echo "2. The same plugin in a program that holds compiler and runtime"
"$cxx" -std=c++20 -O1 -Wall -Wextra -Werror -I "$include" plugin.cpp build_and_run.cpp -L "$lib" -Wl,-rpath,"$lib" \
  -linlay_compiler -linlay_runtime -o "$out/build_and_run"
"$out/build_and_run" "$model"
echo "Both engines computed x + 1"
