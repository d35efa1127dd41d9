// Ops whose elements come from places that only run time knows: tile.gather through shared memory,
// tile.histogram with atomic counters there, constants of different elements from a table.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/Shuffle.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::LinearLayout;

namespace {

/// The most a gather puts into shared memory.
constexpr int64_t kLargestGatherBytes = 224 * 1024;

LinearLayout layoutOf(Value tile) { return tile::layoutOf(cast<RankedTensorType>(tile.getType())); }

/// An integer of any width as an i32 index; bits beyond are cut off.
Value toIndex(OpBuilder &builder, Location location, Value value) {
  Type i32 = builder.getI32Type();
  const unsigned width = value.getType().getIntOrFloatBitWidth();
  if (width > 32)
    return arith::TruncIOp::create(builder, location, i32, value);
  return width < 32 ? arith::ExtSIOp::create(builder, location, i32, value).getResult() : value;
}

} // namespace

Value KernelLowering::rowMajorIndex(Location location, ArrayRef<int64_t> shape,
                                    llvm::function_ref<Value(unsigned)> coordinate) {
  Type i32 = builder_.getI32Type();
  Value index = integerConstant(builder_, location, i32, 0);
  for (unsigned d = 0; d < shape.size(); ++d) {
    index = arith::MulIOp::create(builder_, location, index,
                                  integerConstant(builder_, location, i32, shape[d]));
    index = arith::AddIOp::create(builder_, location, index, coordinate(d));
  }
  return index;
}

Value KernelLowering::coordinateOf(Location location, const LinearLayout &layout, unsigned d,
                                   unsigned r) {
  return registerCoordinate(builder_, location, layout, d,
                            threadCoordinate(builder_, location, layout, d), r);
}

LogicalResult KernelLowering::lowerGather(tile::GatherOp op) {
  Location location = op.getLoc();
  auto type = cast<RankedTensorType>(op.getSource().getType());
  Type element = type.getElementType(), memory = memoryTypeOf(element), i32 = builder_.getI32Type();
  const LinearLayout from = layoutOf(op.getSource()), to = layoutOf(op.getIndices());
  const int64_t sizeBytes = type.getNumElements() * memoryBytesOf(element);
  if (sizeBytes > kLargestGatherBytes)
    return op.emitOpError("gathers from a tile of ")
           << sizeBytes << " bytes; the GPU compiler gathers from at most " << kLargestGatherBytes
           << "; use smaller blocks";
  const SharedRegion region = acquireShared(location, sizeBytes);
  const Registers source = get(op.getSource());
  for (auto [r, representative] : llvm::enumerate(representatives(from)))
    if (representative == r)
      LLVM::StoreOp::create(builder_, location, toMemory(builder_, location, source[r]),
                            sharedPointer(location, region.offset, memory,
                                          rowMajorIndex(location, type.getShape(), [&](unsigned d) {
                                            return coordinateOf(location, from, d,
                                                                static_cast<unsigned>(r));
                                          })));
  emitBarrier(location);
  const int64_t axis = op.getAxis();
  // Sizes are powers of two: whatever the index, the access stays inside.
  Value last = integerConstant(builder_, location, i32, type.getDimSize(axis) - 1);
  Registers values;
  for (auto [r, representative] : llvm::enumerate(representatives(to))) {
    if (representative != r) {
      values.push_back(values[representative]);
      continue;
    }
    Value index = rowMajorIndex(location, type.getShape(), [&](unsigned d) -> Value {
      if (d != axis)
        return coordinateOf(location, to, d, static_cast<unsigned>(r));
      Value wanted = toIndex(builder_, location, at(op.getIndices(), static_cast<unsigned>(r)));
      return arith::AndIOp::create(builder_, location, wanted, last);
    });
    Value loaded = LLVM::LoadOp::create(builder_, location, memory,
                                        sharedPointer(location, region.offset, memory, index));
    values.push_back(fromMemory(builder_, location, loaded, element));
  }
  releaseShared(region);
  registers_[op.getResult()] = std::move(values);
  return success();
}

LogicalResult KernelLowering::lowerHistogram(tile::HistogramOp op) {
  Location location = op.getLoc();
  Type i32 = builder_.getI32Type();
  auto type = cast<RankedTensorType>(op.getResult().getType());
  const LinearLayout from = layoutOf(op.getSource()), to = layoutOf(op.getResult());
  const int64_t numBins = type.getNumElements();
  if (numBins * 4 > kLargestGatherBytes)
    return op.emitOpError("has ") << numBins << " bins; the GPU compiler counts at most "
                                  << kLargestGatherBytes / 4;
  const SharedRegion region = acquireShared(location, numBins * 4);
  Value zero = integerConstant(builder_, location, i32, 0),
        one = integerConstant(builder_, location, i32, 1);
  auto binAt = [&](Value index) { return sharedPointer(location, region.offset, i32, index); };
  const SmallVector<unsigned> bins = representatives(to);
  for (unsigned r = 0; r < bins.size(); ++r)
    if (bins[r] == r)
      LLVM::StoreOp::create(builder_, location, zero, binAt(coordinateOf(location, to, 0, r)));
  emitBarrier(location);
  Value owner = ownsElements(builder_, location, from);
  for (auto [r, representative] : llvm::enumerate(representatives(from))) {
    if (representative != r)
      continue;
    Value value = at(op.getSource(), static_cast<unsigned>(r));
    const unsigned width = value.getType().getIntOrFloatBitWidth();
    // Unsigned comparison: negative values are beyond the last bin. A narrow type may have fewer
    // values than there are bins.
    Value wide =
        width < 32 ? arith::ExtSIOp::create(builder_, location, i32, value).getResult() : value;
    Value isCounted =
        arith::CmpIOp::create(builder_, location, arith::CmpIPredicate::ult, wide,
                              integerConstant(builder_, location, wide.getType(), numBins));
    if (owner)
      isCounted = arith::AndIOp::create(builder_, location, isCounted, owner);
    if (op.getMask())
      isCounted = arith::AndIOp::create(builder_, location, isCounted,
                                        at(op.getMask(), static_cast<unsigned>(r)));
    emitWhere(location, isCounted, [&] {
      LLVM::AtomicRMWOp::create(builder_, location, LLVM::AtomicBinOp::add,
                                binAt(toIndex(builder_, location, wide)), one,
                                LLVM::AtomicOrdering::monotonic);
    });
  }
  emitBarrier(location);
  Registers values;
  for (unsigned r = 0; r < bins.size(); ++r)
    values.push_back(bins[r] != r ? values[bins[r]]
                                  : LLVM::LoadOp::create(builder_, location, i32,
                                                         binAt(coordinateOf(location, to, 0, r)))
                                        .getResult());
  releaseShared(region);
  registers_[op.getResult()] = std::move(values);
  return success();
}

LogicalResult KernelLowering::lowerTable(arith::ConstantOp op) {
  Location location = op.getLoc();
  auto elements = cast<DenseElementsAttr>(op.getValue());
  auto type = cast<RankedTensorType>(op.getType());
  Type element = type.getElementType(), memory = memoryTypeOf(element);
  if (!element.isIntOrFloat())
    return op.emitOpError("of ") << element << " cannot be a table";
  SmallVector<APInt> bits;
  for (Attribute value : elements.getValues<Attribute>()) {
    if (auto integer = dyn_cast<IntegerAttr>(value))
      bits.push_back(integer.getValue());
    else
      bits.push_back(cast<FloatAttr>(value).getValue().bitcastToAPInt());
  }
  const unsigned width = memory.getIntOrFloatBitWidth();
  Type integer = builder_.getIntegerType(width);
  for (APInt &value : bits)
    value = value.zextOrTrunc(width);
  auto tableType = RankedTensorType::get({static_cast<int64_t>(bits.size())}, integer);
  LLVM::GlobalOp table;
  {
    OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPointToStart(module_.getBody());
    table = LLVM::GlobalOp::create(
        builder_, location, LLVM::LLVMArrayType::get(integer, bits.size()), /*isConstant=*/true,
        LLVM::Linkage::Internal, "inlay_table_" + std::to_string(numTables_++),
        DenseElementsAttr::get(tableType, bits), /*alignment=*/16, kGlobalSpace);
  }
  Value base = LLVM::AddressOfOp::create(
      builder_, location, LLVM::LLVMPointerType::get(builder_.getContext(), kGlobalSpace),
      table.getSymName());
  const LinearLayout layout = layoutOf(op.getResult());
  Registers values;
  for (auto [r, representative] : llvm::enumerate(representatives(layout))) {
    if (representative != r) {
      values.push_back(values[representative]);
      continue;
    }
    Value index = rowMajorIndex(location, type.getShape(), [&](unsigned d) {
      return coordinateOf(location, layout, d, static_cast<unsigned>(r));
    });
    Value address = LLVM::GEPOp::create(builder_, location, base.getType(), integer, base,
                                        ValueRange{index}, LLVM::GEPNoWrapFlags::inbounds);
    Value loaded = LLVM::LoadOp::create(builder_, location, integer, address);
    values.push_back(element.isInteger(1) ? fromMemory(builder_, location, loaded, element)
                                          : fromBits(builder_, location, loaded, element));
  }
  registers_[op.getResult()] = std::move(values);
  return success();
}

} // namespace inlay::tile_to_gpu
