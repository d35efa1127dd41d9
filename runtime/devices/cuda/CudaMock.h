// A CUDA driver for tests (CudaMock_testlibrary.cpp): device memory is host memory, the kernel of
// engine/TestEngine.h runs on the host. Tests set what it is and how it fails, and see what it was
// asked.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace inlay {

struct CudaMockLaunch {
  std::string entry;
  unsigned grid[3];
  unsigned block[3];
  unsigned sharedBytes;
  const void *stream;
  std::map<int, std::array<unsigned, 3>> attributes; // by number; one value: the first
  uint64_t arguments[5]; // as many bytes as the parameters of TestEngine's kernel have
};

struct CudaMockState {
  // What the GPU is.
  int numDevices = 2;
  int major = 9;
  int minor = 0;
  int maxSharedBytesOptIn = 232448;
  int cudaVersion = 12040;
  // What fails: calls of this function, with this error, and this in the log of the JIT compiler.
  std::string failingFunction;
  int failure = 1;
  std::string jitLog;
  bool knowsErrors = true; // cuGetErrorName and cuGetErrorString work
  // What was asked.
  std::vector<std::string> images; // first bytes of what was loaded, up to 64
  std::vector<CudaMockLaunch> launches;
  std::vector<const void *> synchronized; // streams
  std::vector<int> funcAttributes;        // attribute, value, …
  int numCalls = 0;                       // of functions that do something
  int numCopies = 0;
  int numInstantiated = 0, numGraphLaunches = 0;
  // What was made and not yet given back.
  int liveContexts = 0, liveModules = 0, liveStreams = 0, liveEvents = 0, liveAllocations = 0;
  int liveGraphs = 0; // recorded and executable ones
};

} // namespace inlay

/// The library's state; the test's to change. One thread at a time, but for the counts.
extern "C" inlay::CudaMockState *inlayCudaMockState();
