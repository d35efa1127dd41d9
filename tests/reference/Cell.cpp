#include "tests/reference/Cell.h"

#include "compiler/dialects/tile/Tile.h"

using namespace mlir;

namespace inlay::reference {

unsigned widthOf(Type element) {
  return isa<tile::PointerType>(element) || element.isIndex() ? 64
                                                              : element.getIntOrFloatBitWidth();
}

uint64_t sizeOf(Type element) { return (widthOf(element) + 7) / 8; }

uint64_t maskOf(unsigned width) { return width >= 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1; }

int64_t signedOf(uint64_t bits, unsigned width) {
  unsigned shift = 64 - width;
  return static_cast<int64_t>(bits << shift) >> shift;
}

double toDouble(APFloat value) {
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToDouble();
}

APFloat toFormat(double value, FloatType type, bool towardZero) {
  APFloat result(value);
  bool losesInfo;
  result.convert(type.getFloatSemantics(),
                 towardZero ? APFloat::rmTowardZero : APFloat::rmNearestTiesToEven, &losesInfo);
  return result;
}

double roundTo(double value, Type type, bool towardZero) {
  if (type.isF64())
    return value;
  if (type.isF32() && !towardZero)
    return static_cast<float>(value);
  return toDouble(toFormat(value, cast<FloatType>(type), towardZero));
}

uint64_t bitsOf(const Cell &cell, Type type) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return toFormat(cell.real, floatType).bitcastToAPInt().getZExtValue();
  return cell.bits & maskOf(widthOf(type));
}

Cell fromBits(uint64_t bits, Type type) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return {0, toDouble(APFloat(floatType.getFloatSemantics(),
                                APInt(floatType.getWidth(), bits & maskOf(widthOf(type)))))};
  return {bits & maskOf(widthOf(type)), 0};
}

std::vector<int64_t> shapeOf(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return {tensor.getShape().begin(), tensor.getShape().end()};
  return {};
}

size_t countOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? static_cast<size_t>(tensor.getNumElements()) : 1;
}

std::vector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;)
    strides[d - 1] = strides[d] * shape[d];
  return strides;
}

void forEachIndex(ArrayRef<int64_t> shape,
                  llvm::function_ref<void(size_t, ArrayRef<int64_t>)> function) {
  std::vector<int64_t> at(shape.size(), 0);
  size_t count = 1;
  for (int64_t size : shape)
    count *= static_cast<size_t>(size);
  for (size_t i = 0; i < count; ++i) {
    function(i, at);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++at[d] < shape[d])
        break;
      at[d] = 0;
    }
  }
}

AxisView::AxisView(ArrayRef<int64_t> shape, int64_t axis)
    : numOuter(1), size(shape[axis]), numInner(1) {
  for (size_t d = 0; d < shape.size(); ++d)
    if (static_cast<int64_t>(d) != axis)
      (static_cast<int64_t>(d) < axis ? numOuter : numInner) *= shape[d];
}

} // namespace inlay::reference
