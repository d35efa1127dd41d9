// The JSON that Triton writes beside a compiled kernel.
#pragma once

#include "base/Status.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace inlay {

/// What a launcher must know of a kernel that Triton compiled, whatever its version. Keys that a
/// version does not write have the values that it means.
struct TritonMetadata {
  std::string name; // of the kernel; empty if it does not say
  uint32_t numWarps = 4;
  uint32_t numBlocksPerCluster = 1;                              // num_ctas
  uint32_t sharedBytes = 0;                                      // dynamic
  uint64_t globalScratchBytes = 0, globalScratchAlignment = 1;   // of one program
  uint64_t profileScratchBytes = 0, profileScratchAlignment = 1; // of one program
  uint32_t maxRegisters = 0;                                     // maxnreg; 0: none given
  bool isCooperative = false;
  bool isProgrammatic = false; // launch_pdl
};

/// Errors: InvalidArgument for what is no such JSON; Unimplemented for kernels that need what a
/// launch cannot give: host-side tensor descriptors, tensor memory, warps of other than 32 threads.
Result<TritonMetadata> readTritonMetadata(std::string_view text);

} // namespace inlay
