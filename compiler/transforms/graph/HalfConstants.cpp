#include "compiler/transforms/graph/HalfConstants.h"

#include "base/NarrowFloat.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

namespace inlay {
namespace {

constexpr size_t kAlignmentBytes = 64;
/// Halfway from the largest float16 to what would follow: rounds to infinity.
constexpr float kTooLargeForFloat16 = 65520.0f;
/// As kTooLargeForFloat16, for bfloat16.
constexpr float kTooLargeForBFloat16 = 0x1.ffp127f;

/// Calls back for each element, which may stand for many if all are the same.
template <typename Function>
void forEach(mlir::ElementsAttr data, size_t count, Function function) {
  llvm::ArrayRef<char> raw;
  size_t step = sizeof(float);
  if (auto resource = llvm::dyn_cast<mlir::DenseResourceElementsAttr>(data)) {
    raw = resource.getRawHandle().getBlob()->getData();
  } else {
    auto dense = llvm::cast<mlir::DenseElementsAttr>(data);
    raw = dense.getRawData();
    step = raw.size() < count * sizeof(float) ? 0 : step; // a splat
    if (step == 0 && raw.size() < sizeof(float)) {        // of bytes: all bits are its repetition
      float value;
      std::memset(&value, raw[0], sizeof(value));
      for (size_t i = 0; i < count; ++i)
        function(i, value);
      return;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    float value;
    std::memcpy(&value, raw.data() + i * step, sizeof(value));
    function(i, value);
  }
}

size_t numElements(graph::ConstantOp constant) {
  return static_cast<size_t>(*llvm::cast<graph::TensorType>(constant.getResult().getType())
                                  .getSpec()
                                  .numel()
                                  .constantValue());
}

} // namespace

std::string whyNotHalf(graph::ConstantOp constant, DataType type) {
  const float limit = type == DataType::Float16 ? kTooLargeForFloat16 : kTooLargeForBFloat16;
  float largest = 0;
  forEach(constant.getData(), numElements(constant), [&](size_t, float value) {
    if (std::isfinite(value))
      largest = std::max(largest, std::fabs(value));
  });
  return largest < limit ? ""
                         : fmt::format("'{}' holds {:g}, which {} cannot", constant.getName().str(),
                                       largest, dataTypeName(type));
}

graph::ConstantOp makeHalfConstant(graph::ConstantOp constant, DataType type) {
  const size_t count = numElements(constant);
  std::vector<uint16_t> halves(count);
  forEach(constant.getData(), count, [&](size_t i, float value) {
    halves[i] = type == DataType::Float16 ? toFloat16(value) : toBFloat16(value);
  });
  TensorSpec spec = llvm::cast<graph::TensorType>(constant.getResult().getType()).getSpec();
  spec.dtype = type;
  mlir::OpBuilder builder(constant.getContext());
  builder.setInsertionPointAfter(constant);
  const auto sizeBytes = static_cast<int64_t>(count * sizeof(uint16_t));
  auto dataType = mlir::RankedTensorType::get({sizeBytes}, builder.getI8Type());
  const llvm::ArrayRef<char> bytes(reinterpret_cast<const char *>(halves.data()),
                                   static_cast<size_t>(sizeBytes));
  auto data = mlir::DenseResourceElementsAttr::get(
      dataType, constant.getName(),
      mlir::HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, kAlignmentBytes));
  return graph::ConstantOp::create(builder, constant.getLoc(),
                                   graph::TensorType::of(constant.getContext(), spec),
                                   constant.getName(), data);
}

} // namespace inlay
