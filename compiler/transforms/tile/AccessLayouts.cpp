#include "compiler/transforms/tile/AccessLayouts.h"

#include <algorithm>
#include <numeric>

using namespace mlir;

namespace inlay::tile {

namespace {

constexpr int64_t kLargestAccessBytes = 16;

ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

int64_t bytesOf(Type elementType) {
  return elementType.isIntOrFloat() ? std::max(1u, elementType.getIntOrFloatBitWidth() / 8) : 8;
}

SmallVector<unsigned> rowMajor(size_t rank) {
  SmallVector<unsigned> order(rank);
  std::iota(order.rbegin(), order.rend(), 0u);
  return order;
}

} // namespace

AccessLayouts::AccessLayouts(func::FuncOp kernel, unsigned numWarps) : numWarps_(numWarps) {
  kernel.walk([&](Operation *op) {
    if (isa<LoadOp, StoreOp>(op) && isa<RankedTensorType>(op->getOperand(0).getType()))
      addAccess(op->getOperand(0));
  });
}

LinearLayout AccessLayouts::ofPointers(Value pointers) {
  Key key = keyOf(pointers);
  return create(key, perThread_.lookup(key));
}

LinearLayout AccessLayouts::ofShape(ArrayRef<int64_t> shape) const { return ofShapeOr(shape, 1); }

LinearLayout AccessLayouts::ofTensor(ArrayRef<int64_t> shape, unsigned elementBytes) const {
  int64_t numElements = 1;
  for (int64_t size : shape)
    numElements *= size;
  const int64_t fairShare = std::max<int64_t>(1, numElements / (int64_t{32} * numWarps_));
  return ofShapeOr(shape, std::min(kLargestAccessBytes / elementBytes, fairShare));
}

LinearLayout AccessLayouts::ofShapeOr(ArrayRef<int64_t> shape, int64_t perThread) const {
  for (const auto &[key, known] : perThread_)
    if (ArrayRef<int64_t>(key.first) == shape)
      return create(key, known);
  return ofRows(shape, static_cast<unsigned>(perThread));
}

LinearLayout AccessLayouts::ofRows(ArrayRef<int64_t> shape, unsigned perThread) const {
  return create({SmallVector<int64_t>(shape), rowMajor(shape.size())}, perThread);
}

AccessLayouts::Key AccessLayouts::keyOf(Value pointers) {
  const AxisInfo &info = axes_.get(pointers);
  // A tile without dimensions has one entry of facts all the same.
  SmallVector<unsigned> order = rowMajor(shapeOf(pointers).size());
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::pair(info.contiguity[a], a) > std::pair(info.contiguity[b], b);
  });
  return {SmallVector<int64_t>(shapeOf(pointers)), order};
}

void AccessLayouts::addAccess(Value pointers) {
  Key key = keyOf(pointers);
  if (key.second.empty())
    return;
  const AxisInfo &info = axes_.get(pointers);
  const int64_t elementBytes =
      bytesOf(cast<PointerType>(elementTypeOf(pointers.getType())).getElementType());
  const int64_t numElements = cast<RankedTensorType>(pointers.getType()).getNumElements();
  const int64_t fairShare = std::max<int64_t>(1, numElements / (int64_t{32} * numWarps_));
  const int64_t perThread = std::min({std::max<int64_t>(1, kLargestAccessBytes / elementBytes),
                                      info.contiguity[key.second.front()], fairShare});
  int64_t &largest = perThread_.insert({key, 1}).first->second;
  largest = std::max(largest, perThread);
}

LinearLayout AccessLayouts::create(const Key &key, int64_t perThread) const {
  return LinearLayout::createBlocked(
      key.first, key.second, static_cast<unsigned>(std::max<int64_t>(perThread, 1)), numWarps_);
}

} // namespace inlay::tile
