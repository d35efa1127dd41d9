#include "compiler/plugins/ImplementationPolicy.h"

#include "base/Error.h"
#include "compiler/plugins/PluginDefinition.h"

#include <array>

namespace inlay {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"prefer-aot", "prefer-jit", "strict-aot",
                                                    "strict-jit"};

bool isStrict(ImplementationPolicy policy) { return policy >= ImplementationPolicy::StrictAot; }
bool wantsJit(ImplementationPolicy policy) {
  return policy == ImplementationPolicy::PreferJit || policy == ImplementationPolicy::StrictJit;
}

/// A policy and who says it.
struct Said {
  ImplementationPolicy policy = ImplementationPolicy::PreferAot;
  std::string by = "the default";
};

Said policyFor(const ImplementationPolicies &policies, const PluginDefinition &plugin) {
  const std::string &opName = plugin.opName();
  auto named = policies.ofOperators.find(opName);
  if (named == policies.ofOperators.end()) // "ns::name" speaks of all its overloads
    named = policies.ofOperators.find(opName.substr(0, opName.find('.')));
  if (named != policies.ofOperators.end())
    return {named->second, "the build for " + named->first};
  if (policies.ofBuild && isStrict(*policies.ofBuild))
    return {*policies.ofBuild, "the build"};
  if (plugin.policy())
    return {*plugin.policy(), "the plugin"};
  return policies.ofBuild ? Said{*policies.ofBuild, "the build"} : Said{};
}

} // namespace

std::string_view implementationPolicyName(ImplementationPolicy policy) {
  return kNames[static_cast<size_t>(policy)];
}

Result<ImplementationPolicy> parseImplementationPolicy(std::string_view text) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (text == kNames[i])
      return static_cast<ImplementationPolicy>(i);
  return invalidArgument("'{}' is no policy; expected prefer-aot, prefer-jit, strict-aot or "
                         "strict-jit",
                         text);
}

Status ImplementationPolicies::add(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    INLAY_ASSIGN(ofBuild, parseImplementationPolicy(text));
    return {};
  }
  const std::string_view opName = text.substr(0, equals);
  if (opName.find("::") == std::string_view::npos)
    return invalidArgument("'{}' names no operator; expected POLICY or NAMESPACE::NAME=POLICY",
                           text);
  INLAY_ASSIGN(ofOperators[std::string(opName)],
               parseImplementationPolicy(text.substr(equals + 1)));
  return {};
}

Result<ImplementationChoice> ImplementationPolicies::choose(const PluginDefinition &plugin) const {
  const Said said = policyFor(*this, plugin);
  const bool isJit = wantsJit(said.policy);
  const bool hasWanted = isJit ? plugin.hasJit() : plugin.hasAot();
  if (!hasWanted && isStrict(said.policy))
    return invalidArgument("{} asks for {}, but plugin {} ({}) has no {}", said.by,
                           implementationPolicyName(said.policy), plugin.opName(), plugin.origin(),
                           isJit ? "host function (jit)" : "kernels (aot): it is a host function");
  if (!hasWanted)
    return ImplementationChoice{!isJit, "the plugin has no other"};
  if (isJit ? !plugin.hasAot() : !plugin.hasJit())
    return ImplementationChoice{isJit, "the plugin has no other"};
  return ImplementationChoice{
      isJit, fmt::format("{} of {}", implementationPolicyName(said.policy), said.by)};
}

} // namespace inlay
