// What each parameter of a kernel may be, the likeliest first, when nobody says.
#pragma once

#include "compiler/frontends/triton/Launches.h"
#include "compiler/frontends/triton/Usage.h"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace inlay::triton {

/// One parameter's possible types and values: a signature entry ("*fp32", "i32", "fp32",
/// "tensordesc<fp16[64, 64]>"), or "=VALUE" for a compile-time value as --constexpr takes it, or
/// "=" for the default value in the kernel's text.
struct ParameterCandidates {
  std::string name;
  std::vector<std::string> choices; // never empty
};

/// Proposes them from how the kernel uses its parameters, from its launches and from `values`,
/// which are sure (an autotuner's configuration): name to value as --constexpr takes it.
std::vector<ParameterCandidates>
proposeCandidates(const Function &function, const std::vector<ParameterUse> &uses,
                  std::span<const Launch> launches,
                  const std::map<std::string, std::string> &values);

} // namespace inlay::triton
