#include "compiler/driver/ModelWeights.h"

#include "base/Error.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringSet.h"

namespace inlay {

namespace {

/// Shapes of constants are constant.
std::vector<int64_t> shapeOf(const TensorSpec &spec) {
  std::vector<int64_t> shape;
  for (const Expr &size : spec.shape)
    shape.push_back(*size.constantValue());
  return shape;
}

TensorSpec specOf(graph::ConstantOp constant) {
  return llvm::cast<graph::TensorType>(constant.getResult().getType()).getSpec();
}

} // namespace

MaybeOwnedBytes constantBytes(mlir::ElementsAttr data) {
  const auto borrow = [](llvm::ArrayRef<char> raw) {
    return MaybeOwnedBytes::borrow(std::as_bytes(std::span(raw.data(), raw.size())));
  };
  if (auto resource = mlir::dyn_cast<mlir::DenseResourceElementsAttr>(data))
    return borrow(resource.getRawHandle().getBlob()->getData());
  auto dense = mlir::cast<mlir::DenseElementsAttr>(data);
  const bool isPacked = dense.getElementType().isInteger(1);
  if (!isPacked && !dense.isSplat())
    return borrow(dense.getRawData());
  std::vector<std::byte> bytes;
  if (isPacked) {
    for (bool value : dense.getValues<bool>())
      bytes.push_back(std::byte{value});
    return bytes;
  }
  const std::span<const std::byte> element = borrow(dense.getRawData()).bytes();
  for (int64_t i = 0; i < dense.getNumElements(); ++i)
    bytes.insert(bytes.end(), element.begin(), element.end());
  return bytes;
}

Result<std::vector<ModelWeight>> weightsOf(const Model &model) {
  if (model.stage() != Stage::Graph)
    return invalidArgument("'{}' is a plan, in which weights have no names of the model any more; "
                           "give the .pt2 or the dumped stage graph",
                           model.name());
  std::vector<ModelWeight> weights;
  graph::ModelOp graph = *model.module().getOps<graph::ModelOp>().begin();
  for (auto constant : graph.getBlock().getOps<graph::ConstantOp>()) {
    const TensorSpec spec = specOf(constant);
    weights.push_back(
        {constant.getName().str(), spec.dtype, shapeOf(spec), constantBytes(constant.getData())});
  }
  return weights;
}

void addUnusedWeights(graph::ModelOp model, plan::ProgramOp program) {
  llvm::StringSet<> known;
  for (auto weight : program.getBody().getOps<plan::WeightOp>())
    known.insert(weight.getName());
  auto builder = mlir::OpBuilder::atBlockEnd(&program.getBody().front());
  for (auto constant : model.getBlock().getOps<graph::ConstantOp>()) {
    if (!known.insert(constant.getName()).second)
      continue;
    const TensorSpec spec = specOf(constant);
    plan::WeightOp::create(builder, constant.getLoc(), constant.getName(), dataTypeName(spec.dtype),
                           shapeOf(spec), mlir::FlatSymbolRefAttr());
  }
}

} // namespace inlay
