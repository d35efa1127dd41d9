#include "compiler/conversions/graph-to-plan/HostSegments.h"

#include "base/Error.h"
#include "base/SegmentNames.h"

#include <fmt/ranges.h>

namespace inlay {
namespace {

std::string typeText(mlir::Value value) {
  const TensorSpec spec = llvm::cast<graph::TensorType>(value.getType()).getSpec();
  std::string sizes;
  for (const Expr &size : spec.shape)
    sizes += (sizes.empty() ? "" : ", ") + size.toString();
  return fmt::format("{}[{}]", dataTypeName(spec.dtype), sizes);
}

/// A literal, or integers of which some depend on sizes.
std::string literalText(mlir::Attribute literal) {
  if (std::optional<AttributeValue> value = graph::valueOf(literal))
    return attributeText(*value);
  if (auto expr = llvm::dyn_cast<graph::ExprAttr>(literal))
    return expr.getText().str();
  std::string elements;
  for (mlir::Attribute element : llvm::cast<mlir::ArrayAttr>(literal))
    elements += (elements.empty() ? "" : ", ") + literalText(element);
  return fmt::format("[{}]", elements);
}

/// The names of a segment's values in the model.
class SegmentNames {
public:
  explicit SegmentNames(graph::SegmentOp segment) {
    for (auto [name, value] : llvm::zip(segment.getInputNames().getAsRange<mlir::StringAttr>(),
                                        segment.getBlock().getArguments()))
      names_[value] = name.str();
    for (auto call : segment.getBlock().getOps<graph::CallOp>())
      for (auto [i, value] : llvm::enumerate(call.getOutputs()))
        names_[value] = call.getNumResults() > 1 ? fmt::format("{}.{}", call.getNode().str(), i)
                                                 : call.getNode().str();
  }
  std::string operator[](mlir::Value value) const { return names_.lookup(value); }
  std::string typed(mlir::Value value) const {
    return fmt::format("{}: {}", names_.lookup(value), typeText(value));
  }

private:
  llvm::DenseMap<mlir::Value, std::string> names_;
};

std::string callText(graph::CallOp call, const SegmentNames &names) {
  std::vector<std::string> results, arguments;
  for (mlir::Value result : call.getOutputs())
    results.push_back(names.typed(result));
  for (auto [name, input] :
       llvm::zip(call.getArgNames().getAsRange<mlir::StringAttr>(), call.getInputs()))
    arguments.push_back(fmt::format("{} = {}", name.str(), names[input]));
  for (mlir::NamedAttribute literal : call.getArguments())
    arguments.push_back(
        fmt::format("{} = {}", literal.getName().str(), literalText(literal.getValue())));
  return fmt::format("{}{}{}({})", fmt::join(results, ", "), results.empty() ? "" : " = ",
                     call.getOp().str(), fmt::join(arguments, ", "));
}

} // namespace

Status checkSegment(graph::SegmentOp segment, const std::set<std::string> &bound) {
  for (auto [name, output] :
       llvm::zip(segment.getOutputNames().getAsRange<mlir::StringAttr>(), segment.getOutputs()))
    for (const Expr &size : llvm::cast<graph::TensorType>(output.getType()).getSpec().shape)
      for (const std::string &symbol : symbolsOf(size))
        if (!bound.contains(symbol))
          return unimplemented(
              "host segment {}: the size of its output '{}', {}, depends on data ('{}'); a host "
              "segment gives tensors whose sizes are known before a run. Give the operator that "
              "computes the size a plugin that declares it ('sizes'), or let what uses the tensor "
              "be in the segment too (--exclude)",
              segment.getFunction().str(), name.str(), typeText(output), symbol);
  return {};
}

mlir::DictionaryAttr segmentAttributes(graph::SegmentOp segment) {
  mlir::Builder builder(segment.getContext());
  const SegmentNames names(segment);
  llvm::SmallVector<mlir::Attribute> calls, inputs, outputs;
  for (auto call : segment.getBlock().getOps<graph::CallOp>())
    calls.push_back(builder.getStringAttr(callText(call, names)));
  for (mlir::Value input : segment.getBlock().getArguments())
    inputs.push_back(builder.getStringAttr(names.typed(input)));
  for (mlir::Value output : segment.getYielded())
    outputs.push_back(builder.getStringAttr(names.typed(output)));
  llvm::SmallVector<mlir::NamedAttribute> attributes;
  for (const auto &[name, texts] :
       {std::pair(kSegmentCalls, &calls), std::pair(kSegmentInputs, &inputs),
        std::pair(kSegmentOutputs, &outputs)})
    if (!texts->empty()) // an empty list has no kind
      attributes.push_back(builder.getNamedAttr(name, builder.getArrayAttr(*texts)));
  return builder.getDictionaryAttr(attributes);
}

} // namespace inlay
