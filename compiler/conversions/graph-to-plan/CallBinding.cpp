#include "compiler/conversions/graph-to-plan/CallBinding.h"

#include "base/Error.h"
#include "compiler/conversions/graph-to-plan/NodeChecks.h"

namespace inlay {
namespace {

TensorSpec specOf(mlir::Value value) {
  return mlir::cast<graph::TensorType>(value.getType()).getSpec();
}

/// A literal, or integers of which some depend on sizes.
NodeArgument literalArgument(mlir::NamedAttribute literal) {
  if (std::optional<AttributeValue> value = graph::valueOf(literal.getValue()))
    return {literal.getName().str(), std::move(*value)};
  const auto sizeOf = [](mlir::Attribute attribute) {
    if (auto expr = llvm::dyn_cast<graph::ExprAttr>(attribute))
      return parseExpr(std::string_view(expr.getText().getValue())).value();
    return Expr(llvm::cast<mlir::IntegerAttr>(attribute).getInt());
  };
  SizeArgument sizes;
  if (auto list = llvm::dyn_cast<mlir::ArrayAttr>(literal.getValue())) {
    sizes.isList = true;
    for (mlir::Attribute element : list)
      sizes.values.push_back(sizeOf(element));
  } else {
    sizes.values.push_back(sizeOf(literal.getValue()));
  }
  return {literal.getName().str(), std::move(sizes)};
}

/// Where a value of a group comes from; `members` are the calls so far.
GroupValue placeOf(mlir::Value value, const llvm::DenseMap<mlir::Operation *, uint32_t> &members) {
  if (auto argument = llvm::dyn_cast<mlir::BlockArgument>(value))
    return {std::nullopt, argument.getArgNumber()};
  return {members.lookup(value.getDefiningOp()),
          llvm::cast<mlir::OpResult>(value).getResultNumber()};
}

} // namespace

ShapeSymbols shapeSymbolsOf(graph::ModelOp model) {
  ShapeSymbols symbols;
  for (auto entry : model.getSymbols().getAsRange<mlir::DictionaryAttr>()) {
    auto field = [&](llvm::StringRef name) {
      return entry.getAs<mlir::IntegerAttr>(name).getInt();
    };
    symbols.add(entry.getAs<mlir::StringAttr>("name").str(),
                {std::max<int64_t>(0, field("min")), field("max"), field("opt")});
  }
  return symbols;
}

std::vector<std::string> tensorNamesOf(graph::CallOp call) {
  std::vector<std::string> names;
  for (auto name : call.getArgNames().getAsRange<mlir::StringAttr>())
    names.push_back(name.str());
  return names;
}

Result<PluginChoice> choosePluginOf(graph::CallOp call, const PluginRegistry &plugins,
                                    const ShapeSymbols &symbols,
                                    const ImplementationPolicies &policies,
                                    std::span<const std::string> targets) {
  const std::vector<std::string> names = tensorNamesOf(call);
  std::vector<NodeArgument> arguments;
  for (auto [i, input] : llvm::enumerate(call.getInputs()))
    arguments.push_back({names[i], specOf(input)});
  for (mlir::NamedAttribute literal : call.getArguments())
    arguments.push_back(literalArgument(literal));
  std::vector<TensorSpec> outputs;
  for (mlir::Value output : call.getOutputs())
    outputs.push_back(specOf(output));
  const auto candidates = plugins.candidates(std::string_view(call.getOp()), names);
  if (candidates.empty())
    return internalError("operator {} was said to be supported, but has no plugin",
                         call.getOp().str());
  INLAY_ASSIGN(PluginChoice choice,
               choosePlugin(candidates, call.getOp().str(), call.getNode().str(), arguments,
                            outputs, symbols, policies, targets));
  choice.node.allowsTf32 = call->hasAttr(graph::kTf32Attribute);
  return choice;
}

Result<const PluginDefinition *> lookupServer(graph::CallOp call, const PluginRegistry &plugins,
                                              const ShapeSymbols &symbols,
                                              const ImplementationPolicies &policies,
                                              std::span<const std::string> targets) {
  if (!plugins.find(std::string_view(call.getOp())))
    return notFound("there is no plugin");
  if (call->hasAttr("graph.none_results"))
    return unimplemented("some of its results are None");
  INLAY_ASSIGN(PluginChoice choice, choosePluginOf(call, plugins, symbols, policies, targets));
  choice.node.outputs.clear(); // what the exporter recorded is no plugin's business here
  INLAY_ASSIGN([[maybe_unused]] const PluginDescription description,
               choice.plugin->describe(choice.node));
  return choice.plugin;
}

Result<BoundGroup> bindGroup(graph::GroupOp op, const PluginRegistry &plugins,
                             const ShapeSymbols &symbols, const ImplementationPolicies &policies,
                             std::span<const std::string> targets) {
  BoundGroup bound;
  bound.group.kind = *findGroupKind(std::string_view(op.getKind()));
  bound.group.symbolRanges = symbols.ranges();
  for (mlir::Value input : op.getInputs())
    bound.group.inputs.push_back(specOf(input));
  llvm::DenseMap<mlir::Operation *, uint32_t> members;
  for (auto call : op.getBlock().getOps<graph::CallOp>()) {
    INLAY_ASSIGN(PluginChoice choice, choosePluginOf(call, plugins, symbols, policies, targets));
    if (!choice.plugin->traits())
      return invalidArgument("{} stands in the group {}, which standard operators are computed "
                             "in, not plugins of others",
                             describeNode(*choice.plugin, choice.node), op.getNode().str());
    GroupMember member{choice.plugin, choice.node, {}};
    const std::vector<std::string> names = tensorNamesOf(call);
    for (const std::string &name : member.node.inputNames) {
      const auto at = std::ranges::find(names, name);
      member.inputs.push_back(
          placeOf(call.getInputs()[static_cast<unsigned>(at - names.begin())], members));
    }
    members.try_emplace(call, static_cast<uint32_t>(bound.group.members.size()));
    bound.group.members.push_back(std::move(member));
    bound.choices.push_back(std::move(choice));
  }
  for (mlir::Value result : op.getYielded())
    bound.group.results.push_back(placeOf(result, members));
  INLAY_TRY(checkGroup(bound.group), fmt::format("converting group {}", op.getNode().str()));
  return bound;
}

} // namespace inlay
