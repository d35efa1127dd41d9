#!/usr/bin/env bash
# Runs the whole test suite: the runtime alone under g++, the code that reads foreign bytes under the sanitizers, the
# runtime's threads under ThreadSanitizer, and last everything in the development build. Usage: run_tests.sh [JOBS]
set -euo pipefail
cd "$(dirname "$0")/../.."
jobs=${1:-$(nproc)}
# MLIR-built and uninstrumented libraries annotate containers differently: only that check is off.
# An allocation that is too large is an error that the code reports, not an abort.
export ASAN_OPTIONS=detect_container_overflow=0:strict_string_checks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=allocator_may_return_null=1

for preset in runtime-only asan tsan; do
  echo "== $preset"
  cmake --preset "$preset" >/dev/null
  cmake --build "build/$preset" -j "$jobs" -- --quiet
  ctest --test-dir "build/$preset" -j "$jobs" --output-on-failure --no-tests=error $([ $preset = asan ] || echo -LE slow) >"build/$preset/test.log" 2>&1 ||
    { grep -vE "Start +[0-9]+:| Passed " "build/$preset/test.log" | tail -n 200; exit 1; }
  tail -n 4 "build/$preset/test.log"
done

echo "== dev"
ctest --test-dir build -j "$jobs" --output-on-failure --no-tests=error
