// cuBLASLt for tests (CublasLtMock_testlibrary.cpp): products of float32 matrices in host memory,
// which is what the memory of the driver's mock is.
#pragma once

#include <cstdint>
#include <vector>

namespace inlay {

struct CublasLtMockState {
  // What it does: finds no algorithm; fails with this status in a product.
  bool refuses = false;
  int failure = 0;
  // What was asked.
  int numSearches = 0, numProducts = 0;
  int computeType = -1, scaleType = -1;
  uint32_t reductions = 0, alignmentBytes = 0;
  uint64_t workspaceBytes = 0;
  const void *stream = nullptr;
  // What was made and not yet given back.
  int liveHandles = 0, liveObjects = 0;
};

} // namespace inlay

/// The library's state; the test's to change. One thread at a time.
extern "C" inlay::CublasLtMockState *inlayCublasLtMockState();
