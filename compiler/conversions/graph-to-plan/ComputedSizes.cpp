#include "compiler/conversions/graph-to-plan/ComputedSizes.h"

#include "base/Error.h"
#include "compiler/conversions/graph-to-plan/NodeChecks.h"

#include <algorithm>

namespace inlay {
namespace {

/// The model's symbol at the first dimension that is described as a size.
Result<std::string> findSymbol(const PluginDefinition &plugin, const PluginNode &node,
                               const PluginDescription &description, const ComputedSize &size,
                               const std::set<std::string> &known) {
  const std::string head = describeNode(plugin, node);
  for (size_t i = 0; i < std::min(description.outputs.size(), node.outputs.size()); ++i) {
    const std::vector<Expr> &described = description.outputs[i].shape,
                            &recorded = node.outputs[i].shape;
    const auto at = std::ranges::find(described, size.symbol());
    const auto dim = static_cast<size_t>(at - described.begin());
    if (at == described.end() || dim >= recorded.size())
      continue;
    if (recorded[dim].kind() == ExprKind::Symbol && !known.contains(recorded[dim].symbolName()))
      return recorded[dim].symbolName();
    return invalidArgument("{}: output {}: dimension {} is the computed size '{}', but the model "
                           "recorded {}, which is no size of its own that depends on data",
                           head, i, dim, size.name, recorded[dim].toString());
  }
  return invalidArgument("{}: the computed size '{}' is no dimension of an output", head,
                         size.name);
}

/// Gives a symbol the range of a computed size; what the exporter allows may be less.
Status setRange(const PluginDefinition &plugin, const PluginNode &node, const ComputedSize &size,
                const std::string &name, ShapeSymbols &symbols,
                std::vector<PluginRequirement> &runTime) {
  const Interval bound = symbols.bounds(size.bound);
  const int64_t max = bound.max.value_or(INT64_MAX);
  if (max < 0)
    return outOfRange("{}: the computed size '{}' is at most {}", describeNode(plugin, node),
                      size.name, size.bound.toString());
  const Expr symbol = Expr::symbol(name);
  const std::string head =
      fmt::format("node {} ({}): the model allows", node.nodeName, node.opName);
  if (const ShapeSymbol *exported = symbols.find(name)) {
    if (exported->max < max)
      runTime.push_back({lessEqual(symbol, exported->max),
                         fmt::format("{} at most {} for {}", head, exported->max, name)});
    if (exported->min > 0)
      runTime.push_back({lessEqual(exported->min, symbol),
                         fmt::format("{} at least {} for {}", head, exported->min, name)});
  }
  const int64_t opt = symbols.valueAtHints(size.opt).value_or(0);
  symbols.add(name, {0, max, std::clamp<int64_t>(opt, 0, max)});
  return {};
}

} // namespace

Result<std::vector<std::string>>
bindComputedSizes(const PluginDefinition &plugin, const PluginNode &node,
                  PluginDescription &description, const std::set<std::string> &known,
                  ShapeSymbols &symbols, std::vector<PluginRequirement> &runTime) {
  std::vector<std::string> names;
  std::set<std::string> taken = known;
  std::map<std::string, Expr, std::less<>> replacements;
  for (ComputedSize &size : description.sizes) {
    INLAY_ASSIGN(std::string name, findSymbol(plugin, node, description, size, taken));
    size.bound = substitute(size.bound, replacements);
    size.opt = substitute(size.opt, replacements);
    INLAY_TRY(setRange(plugin, node, size, name, symbols, runTime));
    replacements.emplace(size.symbol().symbolName(), Expr::symbol(name));
    taken.insert(name);
    names.push_back(std::move(name));
  }
  for (TensorSpec &output : description.outputs)
    for (Expr &dim : output.shape)
      dim = substitute(dim, replacements);
  for (PluginRequirement &requirement : description.requirements)
    requirement.condition = substitute(requirement.condition, replacements);
  return names;
}

Status checkSizesAreNotNeeded(const PluginDefinition &plugin, const PluginNode &node,
                              const PluginImplementation &implementation,
                              const std::vector<std::string> &names) {
  const auto check = [&](std::string_view what, const Expr &expr) -> Status {
    for (const std::string &symbol : symbolsOf(expr))
      if (const auto at = std::ranges::find(names, symbol); at != names.end())
        return invalidArgument(
            "{}: {} needs {}, the size '{}', which is known only after the launches of this node; "
            "a kernel gets a pointer to it",
            describeNode(plugin, node), what, expr.toString(),
            node.sizes[static_cast<size_t>(at - names.begin())].name);
    return {};
  };
  for (const Workspace &workspace : implementation.workspaces)
    INLAY_TRY(check("workspace '" + workspace.name + "'", workspace.sizeBytes));
  for (const PluginLaunch &launch : implementation.launches) {
    const std::string what = "launch of " + launch.name();
    for (const Expr &extent : launch.grid)
      INLAY_TRY(check(what, extent));
    for (size_t axis = 0; launch.block && axis < 3; ++axis)
      INLAY_TRY(check(what, (*launch.block)[axis]));
    if (launch.sharedBytes)
      INLAY_TRY(check(what, *launch.sharedBytes));
    for (const LaunchArgument &argument : launch.arguments)
      if (argument.kind == LaunchArgument::Kind::Integer)
        INLAY_TRY(check(what, argument.expression));
  }
  return {};
}

} // namespace inlay
