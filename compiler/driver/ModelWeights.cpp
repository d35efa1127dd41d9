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

std::vector<std::byte> constantBytes(mlir::ElementsAttr data) {
  std::vector<std::byte> bytes;
  auto append = [&](llvm::ArrayRef<char> raw) {
    auto *begin = reinterpret_cast<const std::byte *>(raw.data());
    bytes.insert(bytes.end(), begin, begin + raw.size());
  };
  if (auto resource = mlir::dyn_cast<mlir::DenseResourceElementsAttr>(data)) {
    append(resource.getRawHandle().getBlob()->getData());
    return bytes;
  }
  auto dense = mlir::cast<mlir::DenseElementsAttr>(data);
  if (dense.getElementType().isInteger(1)) {
    for (bool value : dense.getValues<bool>())
      bytes.push_back(std::byte{value});
    return bytes;
  }
  for (int64_t i = 0, count = dense.isSplat() ? dense.getNumElements() : 1; i < count; ++i)
    append(dense.getRawData());
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
