// Which of a kernel's images a GPU runs.
#pragma once

#include "engine/EngineFile.h"

#include <optional>
#include <string>
#include <string_view>

namespace inlay {

/// An architecture such as sm_90 or sm_90a.
struct CudaArchitecture {
  int major = 0;
  int minor = 0;
  /// Uses features of exactly this architecture: its code runs nowhere else.
  bool isSpecific = false;
};

/// The oldest GPUs that code can be built for.
inline constexpr int kOldestCudaMajor = 8;

/// Reads "cuda:sm_90a"; nullopt if it is something else. Family-specific suffixes ('f') count as
/// specific.
std::optional<CudaArchitecture> parseCudaTarget(std::string_view target);

/// The best image for a GPU of this compute capability: a cubin (same major, newest minor it runs;
/// specific ones before others) before PTX (newest architecture it runs). Null if there is none.
const fb::Image *chooseCudaImage(const fb::Kernel &kernel, int major, int minor);

/// The target to name in messages and to build for on a GPU of this compute capability.
std::string cudaTargetName(int major, int minor);

} // namespace inlay
