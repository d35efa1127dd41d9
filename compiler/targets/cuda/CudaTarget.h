// The NVIDIA targets: tile IR to PTX, and to a cubin where ptxas is at hand.
#pragma once

#include "compiler/targets/Target.h"

namespace inlay {

/// What the target "cuda" stands for: PTX that every GPU since Ampere takes.
inline constexpr std::string_view kCudaBaseline = "sm_80";

/// Makes the target of an architecture: "sm_80" … "sm_121", with "a" for the features of one
/// architecture only. Errors: InvalidArgument naming the known architectures.
Result<std::unique_ptr<Target>> createCudaTarget(std::string_view architecture);

} // namespace inlay
