# The two commands of the README, and a few for every day. Each does its own set-up on Debian 12.
.PHONY: demo test setup build release format clean
.DEFAULT_GOAL := build
JOBS ?= $(shell nproc)

setup:
	@tools/dev/install_packages.sh

build/build.ninja: CMakePresets.json | setup
	cmake --preset dev

build: setup build/build.ninja
	cmake --build build -j $(JOBS)

demo: setup build/build.ninja
	cmake --build build -j $(JOBS) --target inlay inlay-run
	@examples/add_one/demo.sh build/bin

test: build
	tools/dev/run_tests.sh $(JOBS)

release: setup
	cmake --preset release
	cmake --build build/release -j $(JOBS) --target inlay inlay-run inlay_runtime_shared inlay_compiler_shared

format:
	git ls-files '*.cpp' '*.h' | xargs clang-format-22 -i

clean:
	rm -rf build
