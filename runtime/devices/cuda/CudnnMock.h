// cuDNN for tests (CudnnMock_testlibrary.cpp): convolutions of float32 images in host memory, which
// is what the memory of the driver's mock is.
#pragma once

#include <cstdint>
#include <vector>

namespace inlay {

/// An engine that the mock offers.
struct CudnnMockEngine {
  std::vector<int> notes;
  int64_t workspaceBytes = 0;
  bool isRefused = false; // when a plan is made of it
};

struct CudnnMockState {
  // What it does: the engines of its heuristics; fails with this status when it executes.
  std::vector<CudnnMockEngine> engines{{}}, fallbacks;
  int failure = 0;
  // What was asked.
  int numSearches = 0, numPacks = 0, numRuns = 0;
  int engine = -1; // that the last plan was of, fallbacks after the others
  int computeType = -1;
  int64_t alignmentBytes = 0;
  const void *stream = nullptr;
  // What was made and not yet given back.
  int liveHandles = 0, liveDescriptors = 0;
};

} // namespace inlay

/// The library's state; the test's to change. One thread at a time.
extern "C" inlay::CudnnMockState *inlayCudnnMockState();
