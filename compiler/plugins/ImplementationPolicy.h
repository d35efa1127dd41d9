// Kernels in the engine (AOT) or a function of the process (JIT): which of them a build takes.
#pragma once

#include "base/Status.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace inlay {

class PluginDefinition;

/// What is taken of a plugin that has both; a strict policy takes nothing else.
enum class ImplementationPolicy : uint8_t { PreferAot, PreferJit, StrictAot, StrictJit };

/// "prefer-aot", "strict-jit", …
std::string_view implementationPolicyName(ImplementationPolicy policy);
/// Errors: InvalidArgument naming the text and the policies there are.
Result<ImplementationPolicy> parseImplementationPolicy(std::string_view text);

/// What a plugin's node is computed by, and why.
struct ImplementationChoice {
  bool isJit = false;
  std::string reason; // "the plugin has no other", "prefer-jit of the build"
};

/// The policies of one build. One that names the operator counts before the plugin's own, that
/// before the build's; but a strict one of the build is broken by none that does not name the
/// operator.
struct ImplementationPolicies {
  std::optional<ImplementationPolicy> ofBuild; // none: PreferAot
  std::map<std::string, ImplementationPolicy, std::less<>> ofOperators;

  /// Reads "POLICY" or "ns::name=POLICY". Errors: InvalidArgument.
  Status add(std::string_view text);
  /// Errors: InvalidArgument naming what was asked for, by whom, and what the plugin has.
  Result<ImplementationChoice> choose(const PluginDefinition &plugin) const;
};

} // namespace inlay
