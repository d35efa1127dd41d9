#include "compiler/conversions/graph-to-plan/CallBinding.h"

#include "base/Error.h"

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
  return choosePlugin(candidates, call.getOp().str(), call.getNode().str(), arguments, outputs,
                      symbols, policies, targets);
}

} // namespace inlay
