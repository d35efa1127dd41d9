// tile.convert_layout: within a thread if it has every element it needs, else through shared
// memory.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <map>
#include <optional>

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::LinearLayout;
using tile::PlacePart;

namespace {

constexpr int64_t kStaticSharedBytes = 48 * 1024;

/// For each register of `to` the register of `from` that holds its element in the same thread; none
/// if some element is in another thread.
std::optional<SmallVector<unsigned>> withinThread(const LinearLayout &from,
                                                  const LinearLayout &to) {
  if (from.bases(PlacePart::Lane) != to.bases(PlacePart::Lane) ||
      from.bases(PlacePart::Warp) != to.bases(PlacePart::Warp))
    return std::nullopt;
  std::map<std::vector<int32_t>, unsigned> held;
  for (unsigned r = 0; r < from.numRegisters(); ++r) {
    LinearLayout::Coordinates at = from.registerOffset(r);
    held.try_emplace(std::vector<int32_t>(at.begin(), at.end()), r);
  }
  SmallVector<unsigned> sources;
  for (unsigned r = 0; r < to.numRegisters(); ++r) {
    LinearLayout::Coordinates at = to.registerOffset(r);
    auto found = held.find(std::vector<int32_t>(at.begin(), at.end()));
    if (found == held.end())
      return std::nullopt;
    sources.push_back(found->second);
  }
  return sources;
}

} // namespace

LogicalResult KernelLowering::lowerConversion(tile::ConvertLayoutOp op) {
  const LinearLayout from = tile::layoutOf(cast<RankedTensorType>(op.getSource().getType())),
                     to = tile::layoutOf(cast<RankedTensorType>(op.getResult().getType()));
  std::optional<SmallVector<unsigned>> sources = withinThread(from, to);
  if (!sources)
    return convertThroughMemory(op, from, to);
  Registers values;
  for (unsigned source : *sources)
    values.push_back(get(op.getSource())[source]);
  registers_[op.getResult()] = std::move(values);
  return success();
}

Value KernelLowering::sharedAddress(Location location, const LinearLayout &layout,
                                    ArrayRef<int64_t> shape, Type memoryType,
                                    unsigned registerIndex, int64_t offsetBytes) {
  Type i32 = builder_.getI32Type();
  Value index = integerConstant(builder_, location, i32, 0);
  for (unsigned d = 0; d < layout.rank(); ++d) {
    Value coordinate =
        registerCoordinate(builder_, location, layout, d,
                           threadCoordinate(builder_, location, layout, d), registerIndex);
    index = arith::MulIOp::create(builder_, location, index,
                                  integerConstant(builder_, location, i32, shape[d]));
    index = arith::AddIOp::create(builder_, location, index, coordinate);
  }
  return sharedPointer(location, offsetBytes, memoryType, index);
}

LogicalResult KernelLowering::convertThroughMemory(tile::ConvertLayoutOp op,
                                                   const LinearLayout &from,
                                                   const LinearLayout &to) {
  Location location = op.getLoc();
  auto type = cast<RankedTensorType>(op.getSource().getType());
  Type element = type.getElementType(), memory = memoryTypeOf(element);
  const int64_t sizeBytes = type.getNumElements() * memoryBytesOf(element);
  if (sizeBytes > kStaticSharedBytes)
    return op.emitError("a tile of ")
           << sizeBytes << " bytes must change its layout through shared memory, which has "
           << kStaticSharedBytes << " bytes; use smaller blocks";
  const SharedRegion region = acquireShared(location, sizeBytes);
  SmallVector<unsigned> first = representatives(from);
  const Registers source = get(op.getSource());
  for (unsigned r = 0; r < source.size(); ++r)
    if (first[r] == r)
      LLVM::StoreOp::create(
          builder_, location, toMemory(builder_, location, source[r]),
          sharedAddress(location, from, type.getShape(), memory, r, region.offset));
  emitBarrier(location);
  Registers values;
  for (auto [r, representative] : llvm::enumerate(representatives(to))) {
    if (representative != r) {
      values.push_back(values[representative]);
      continue;
    }
    Value loaded = LLVM::LoadOp::create(builder_, location, memory,
                                        sharedAddress(location, to, type.getShape(), memory,
                                                      static_cast<unsigned>(r), region.offset));
    values.push_back(fromMemory(builder_, location, loaded, element));
  }
  releaseShared(region);
  registers_[op.getResult()] = std::move(values);
  return success();
}

} // namespace inlay::tile_to_gpu
