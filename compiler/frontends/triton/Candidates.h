// What each parameter of a kernel may be, the likeliest first, when nobody says.
#pragma once

#include "compiler/frontends/triton/Launches.h"
#include "compiler/frontends/triton/Usage.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::triton {

/// Why a choice is proposed.
enum class ChoiceGround : uint8_t {
  Configuration, // an autotuner's configuration says so
  Launch,        // a launch in the text passes it
  Default,       // the parameter's default value
  Use,           // what the kernel does with the parameter, and its name
  Option         // the user says so
};
/// "configuration", "launch", "default value", "use", "option".
std::string_view choiceGroundName(ChoiceGround ground);

/// One parameter's possible types and values: a signature entry ("*fp32", "i32", "fp32",
/// "tensordesc<fp16[64, 64]>"), or "=VALUE" for a compile-time value as --constexpr takes it, or
/// "=" for the default value in the kernel's text.
struct ParameterCandidates {
  std::string name;
  std::vector<std::string> choices;  // never empty
  std::vector<ChoiceGround> grounds; // of each choice
};

/// Proposes them from how the kernel uses its parameters, from its launches and from `values`,
/// which are sure (an autotuner's configuration): name to value as --constexpr takes it.
std::vector<ParameterCandidates>
proposeCandidates(const Function &function, const std::vector<ParameterUse> &uses,
                  std::span<const Launch> launches,
                  const std::map<std::string, std::string> &values);

} // namespace inlay::triton
