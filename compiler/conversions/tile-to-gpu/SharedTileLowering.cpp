// Tiles in shared memory: rings that are filled asynchronously, and layouts of rank-2 tiles that
// change through memory without bank conflicts.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/PtxText.h"
#include "compiler/conversions/tile-to-gpu/SharedAccess.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::LinearLayout;

SharedTile placeOf(tile::SharedType buffer) {
  return SharedTile(buffer.getShape(), memoryBytesOf(buffer.getElementType()), buffer.getFastest());
}

namespace {

constexpr int64_t kPieceAlignmentBytes = 16;

SharedTile placeOf(Value buffer) {
  return tile_to_gpu::placeOf(cast<tile::SharedType>(buffer.getType()));
}

} // namespace

LogicalResult KernelLowering::lowerAllocShared(tile::AllocSharedOp op) {
  auto type = cast<tile::SharedType>(op.getResult().getType());
  const SharedRegion region =
      acquireShared(op.getLoc(), placeOf(op.getResult()).sizeBytes() * int64_t{type.getNumSlots()},
                    usesWarpgroups_ || usesMaps_ ? kMatrixAlignmentBytes : kPieceAlignmentBytes);
  rings_[op.getResult()] = region;
  return success();
}

LogicalResult KernelLowering::lowerFreeShared(tile::FreeSharedOp op) {
  releaseShared(rings_.find(op.getBuffer())->second);
  return success();
}

Value KernelLowering::slotAddress(Location location, Value buffer, Value slot) {
  Type i32 = builder_.getI32Type();
  Value offset =
      arith::MulIOp::create(builder_, location, get(slot).front(),
                            integerConstant(builder_, location, i32, placeOf(buffer).sizeBytes()));
  return sharedPointer(location, rings_.find(buffer)->second.offset, builder_.getI8Type(), offset);
}

LogicalResult KernelLowering::lowerAsyncCopy(tile::AsyncCopyOp op) {
  Value address = slotAddress(op.getLoc(), op.getBuffer(), op.getSlot());
  SharedAccess access(builder_, op.getLoc(), placeOf(op.getBuffer()), address);
  access.copyAsync(tile::layoutOf(cast<RankedTensorType>(op.getPtr().getType())), get(op.getPtr()),
                   op.getMask() ? ValueRange(get(op.getMask())) : ValueRange(), op.getWidth());
  return success();
}

LogicalResult KernelLowering::lowerSharedLoad(tile::SharedLoadOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  Value address = slotAddress(op.getLoc(), op.getBuffer(), op.getSlot());
  SharedAccess access(builder_, op.getLoc(), placeOf(op.getBuffer()), address);
  registers_[op.getResult()] = access.load(tile::layoutOf(type), type.getElementType());
  return success();
}

LogicalResult KernelLowering::lowerSharedStore(tile::SharedStoreOp op) {
  Value address = slotAddress(op.getLoc(), op.getBuffer(), op.getSlot());
  SharedAccess access(builder_, op.getLoc(), placeOf(op.getBuffer()), address);
  access.store(tile::layoutOf(cast<RankedTensorType>(op.getValue().getType())), get(op.getValue()));
  emitProxyFence(op.getLoc());
  emitBarrier(op.getLoc());
  return success();
}

LogicalResult KernelLowering::lowerAsyncWait(tile::AsyncWaitOp op) {
  if (usesAsyncCopies_) {
    NVVM::CpAsyncWaitGroupOp::create(builder_, op.getLoc(), op.getPending());
    emitProxyFence(op.getLoc());
  }
  if (op.getBarriers())
    emitAsm(
        builder_, op.getLoc(), {},
        {barrierAddress(op.getLoc(), op.getBarriers(), op.getSlot()), get(op.getParity()).front()},
        "{\n.reg .pred done;\nWAIT:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [$0], $1;\n@!done bra WAIT;\n}",
        "r,r,");
  emitBarrier(op.getLoc());
  return success();
}

LogicalResult KernelLowering::convertThroughTile(tile::ConvertLayoutOp op, const LinearLayout &from,
                                                 const LinearLayout &to) {
  Location location = op.getLoc();
  auto type = cast<RankedTensorType>(op.getSource().getType());
  // Neighbours in memory are neighbours in registers on both sides, as far as there are any.
  auto neighbours = [&](unsigned d) {
    return from.contiguousRegisters(d) * to.contiguousRegisters(d);
  };
  const SharedTile place(type.getShape(), memoryBytesOf(type.getElementType()),
                         neighbours(0) > neighbours(1) ? 0 : 1);
  const SharedRegion region = acquireShared(location, place.sizeBytes());
  Value base = sharedPointer(location, region.offset, builder_.getI8Type(),
                             integerConstant(builder_, location, builder_.getI32Type(), 0));
  SharedAccess access(builder_, location, place, base);
  access.store(from, get(op.getSource()));
  emitBarrier(location);
  registers_[op.getResult()] = access.load(to, type.getElementType());
  releaseShared(region);
  return success();
}

} // namespace inlay::tile_to_gpu
