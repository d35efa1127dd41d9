#!/usr/bin/env bash
# Installs the Debian 12 packages that building and testing Inlay needs; does nothing when all are there.
set -euo pipefail
packages=(
  # compilers, build
  build-essential binutils clang-22 lld-22 clang-format-22 libclang-rt-22-dev cmake ninja-build ccache git
  # MLIR and LLVM; lit and FileCheck are in the tools package
  llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools liblld-22-dev libzstd-dev zlib1g-dev libxml2-dev
  # libraries
  libfmt-dev libcli11-dev libflatbuffers-dev flatbuffers-compiler-dev flatbuffers-compiler nlohmann-json3-dev
  libtomlplusplus-dev libminizip-dev libxxhash-dev
  # tests and benchmarks
  libgtest-dev libgmock-dev libbenchmark-dev python3 python3-numpy
  # a library that engines may call
  libdnnl2
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "installing Debian packages: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "these packages are missing and need root: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
