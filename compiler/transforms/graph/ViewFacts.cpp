#include "compiler/transforms/graph/ViewFacts.h"

#include "compiler/operators/Shapes.h"
#include "compiler/operators/Views.h"

#include <fmt/format.h>

namespace inlay::graph {

mlir::Value findOperand(CallOp call, mlir::StringRef name) {
  for (auto [operand, text] : llvm::zip(call.getInputs(), call.getArgNames()))
    if (llvm::cast<mlir::StringAttr>(text).getValue() == name)
      return operand;
  return {};
}

mlir::ArrayAttr sizesAttribute(mlir::MLIRContext *context, mlir::ArrayRef<Expr> sizes) {
  mlir::Builder builder(context);
  llvm::SmallVector<mlir::Attribute> attributes;
  for (const Expr &size : sizes)
    if (const std::optional<int64_t> constant = size.constantValue())
      attributes.push_back(builder.getI64IntegerAttr(*constant));
    else
      attributes.push_back(ExprAttr::get(context, builder.getStringAttr(size.toString())));
  return builder.getArrayAttr(attributes);
}

bool isWholeView(PassContext &context, CallOp call) {
  const PluginChoice *choice = context.findStandard(call);
  if (!choice || call.getNumResults() != 1 || call.getInputs().empty() ||
      choice->node.inputNames[0] !=
          std::string_view(llvm::cast<mlir::StringAttr>(call.getArgNames()[0]).getValue()))
    return false;
  PluginNode undescribed = choice->node;
  undescribed.outputs.clear();
  const Result<PluginDescription> description = choice->plugin->describe(undescribed);
  const auto shared = description.isOk() ? description->sharedInputs.find(0)
                                         : std::map<uint32_t, uint32_t>::const_iterator();
  return description.isOk() && shared != description->sharedInputs.end() && shared->second == 0;
}

std::optional<std::vector<int64_t>> permutationOf(PassContext &context, CallOp call) {
  const PluginChoice *choice = context.findStandard(call);
  if (!choice || call.getNumResults() != 1 || call.getInputs().size() != 1 ||
      !choice->plugin->traits()->views)
    return std::nullopt;
  // With a size of its own for each dimension, strides tell which is which.
  PluginNode probe = choice->node;
  std::vector<Expr> &shape = probe.inputs[0].shape;
  for (size_t dim = 0; dim < shape.size(); ++dim)
    shape[dim] = Expr::symbol(fmt::format("probe.{}", dim));
  const std::vector<Expr> dense = denseStrides(shape);
  probe.outputs.clear();
  const Result<StridedViews> views = choice->plugin->traits()->views(probe);
  if (!views.isOk() || views->views.size() != 1 || !views->requirements.empty() ||
      views->views[0].shape.size() != shape.size() || views->views[0].offset != Expr(0))
    return std::nullopt;
  std::vector<int64_t> permutation;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    const auto from = std::ranges::find(dense, views->views[0].strides[dim]);
    const size_t at = static_cast<size_t>(from - dense.begin());
    if (from == dense.end() || views->views[0].shape[dim] != shape[at])
      return std::nullopt;
    permutation.push_back(static_cast<int64_t>(at));
  }
  return permutation;
}

CallOp replaceCall(PassContext &context, CallOp call, mlir::StringRef op, mlir::ValueRange inputs,
                   mlir::ArrayRef<mlir::StringRef> names, mlir::DictionaryAttr arguments) {
  mlir::OpBuilder builder(call);
  auto replacement =
      CallOp::create(builder, call.getLoc(), call->getResultTypes(), builder.getStringAttr(op),
                     call.getNodeAttr(), inputs, builder.getStrArrayAttr(names), arguments);
  if (!context.findStandard(replacement)) {
    context.erase(replacement);
    return {};
  }
  call->replaceAllUsesWith(replacement->getResults());
  context.erase(call);
  return replacement;
}

} // namespace inlay::graph
