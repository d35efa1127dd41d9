// Verifiers and types of TensorMapOps.td.
#include "compiler/dialects/tile/Tile.h"

using namespace mlir;

namespace inlay::tile {

namespace {

constexpr size_t kMostDimensions = 5;
constexpr int64_t kShortestRowBytes = 16;

/// (C1) of an access: a coordinate for each dimension and a tile like the map's.
LogicalResult verifyAccess(Operation *op, TensorMapType map, size_t numCoordinates, Type tile) {
  auto type = cast<RankedTensorType>(tile), expected = map.getTileType();
  if (numCoordinates != map.getShape().size() || type.getShape() != expected.getShape() ||
      type.getElementType() != expected.getElementType())
    return op->emitOpError("(C1) ") << numCoordinates << " coordinates and " << type
                                    << " do not fit " << map << ", whose tile is " << expected;
  return success();
}

} // namespace

LogicalResult TensorMapType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                    ArrayRef<int64_t> shape, Type elementType, Padding padding) {
  if (shape.empty() || shape.size() > kMostDimensions || !llvm::all_of(shape, [](int64_t size) {
        return size > 0 && llvm::isPowerOf2_64(static_cast<uint64_t>(size));
      }))
    return emitError() << "(C1) a block has 1 to 5 dimensions, powers of two";
  const unsigned bits = elementType.isIntOrFloat() ? elementType.getIntOrFloatBitWidth() : 0;
  if (bits < 8 || bits > 64 ||
      (padding == Padding::NaN && (!isa<FloatType>(elementType) || bits < 16)))
    return emitError() << "(C2) elements are " << elementType << " padded with "
                       << stringifyPadding(padding)
                       << "; expected integers or floats of 8 to 64 bits, and 16 for NaN";
  if (shape.back() * bits / 8 < kShortestRowBytes)
    return emitError() << "(C3) a row has " << shape.back() * bits / 8 << " bytes; expected "
                       << kShortestRowBytes << " or more";
  return success();
}

RankedTensorType TensorMapType::getTileType() const {
  int64_t numRows = 1;
  for (int64_t size : getShape().drop_back())
    numRows *= size;
  return RankedTensorType::get({numRows, getShape().back()}, getElementType());
}

int64_t TensorMapType::getTileBytes() const {
  return getTileType().getNumElements() * getElementType().getIntOrFloatBitWidth() / 8;
}

LogicalResult BarriersType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                   unsigned numSlots, unsigned numCopies) {
  if (numSlots == 0 || numCopies == 0)
    return emitError() << "(C1) there are " << numSlots << " slots and " << numCopies
                       << " copies; expected one or more of each";
  return success();
}

LogicalResult TensorMapOp::verify() {
  auto map = cast<TensorMapType>(getResult().getType());
  if (getSizes().size() != map.getShape().size() || getStrides().size() != map.getShape().size() ||
      cast<PointerType>(getBase().getType()).getElementType() != map.getElementType())
    return emitOpError("(C1) ") << getBase().getType() << " with " << getSizes().size()
                                << " sizes and " << getStrides().size() << " strides is no " << map;
  if (!isa<func::FuncOp>((*this)->getParentOp()))
    return emitOpError("(C2) is inside of a loop or branch; expected it in the kernel's own block");
  return success();
}

LogicalResult TensorLoadOp::verify() {
  return verifyAccess(*this, cast<TensorMapType>(getMap().getType()), getCoordinates().size(),
                      getResult().getType());
}

LogicalResult TensorStoreOp::verify() {
  return verifyAccess(*this, cast<TensorMapType>(getMap().getType()), getCoordinates().size(),
                      getValue().getType());
}

LogicalResult TensorCopyOp::verify() {
  auto map = cast<TensorMapType>(getMap().getType());
  auto buffer = cast<SharedType>(getBuffer().getType());
  auto barriers = cast<BarriersType>(getBarriers().getType());
  if (getCoordinates().size() != map.getShape().size())
    return emitOpError("(C1) ") << getCoordinates().size() << " coordinates do not fit " << map;
  if (buffer.getShape() != map.getTileType().getShape() ||
      buffer.getElementType() != map.getElementType() || buffer.getFastest() != 1 ||
      buffer.getNumSlots() != barriers.getNumSlots())
    return emitOpError("(C2) ") << buffer << " and " << barriers << " do not fit " << map;
  return success();
}

} // namespace inlay::tile
