// The x86-64 targets: tile IR to shared objects that follow the CPU kernel ABI.
#pragma once

#include "compiler/targets/Target.h"

namespace inlay {

/// Makes the target of a level: "x86-64-v2" (SSE4.2), "x86-64-v3" (AVX2, FMA, F16C) or "x86-64-v4"
/// (AVX-512). Does not depend on the machine it runs on. Errors: InvalidArgument naming the known
/// levels.
Result<std::unique_ptr<Target>> createCpuTarget(std::string_view level);

} // namespace inlay
