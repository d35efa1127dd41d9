// Copies by the copy engine between described tensors and shared memory, which one thread begins,
// and the barriers that all threads wait for.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/PtxText.h"
#include "compiler/conversions/tile-to-gpu/SharedAccess.h"
#include "compiler/transforms/tile/TensorBoxes.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

namespace {

constexpr int64_t kBarrierBytes = 8;
/// A coordinate at which a tensor of size 1 has nothing, nor 256 elements further.
constexpr int64_t kOutside = int64_t{1} << 30;

tile::TensorBoxes boxesOf(Value map) {
  auto type = cast<tile::TensorMapType>(map.getType());
  return tile::planTensorBoxes(type.getShape(), memoryBytesOf(type.getElementType()));
}

/// "[$map, {c0, c1}]", after the instructions that compute a part's coordinates from those of the
/// block, which are operands from `first` on, innermost first.
std::string printCoordinates(llvm::raw_ostream &text, const tile::TensorBoxes::Part &part,
                             unsigned map, unsigned first) {
  const size_t rank = part.coordinates.size();
  std::string list;
  for (size_t i = 0; i < rank; ++i) {
    text << "add.s32 c" << i << ", $" << first + i << ", " << part.coordinates[rank - 1 - i]
         << ";\n";
    list += (i ? ", c" : "c") + std::to_string(i);
  }
  return "[$" + std::to_string(map) + ", {" + list + "}]";
}

} // namespace

Value KernelLowering::isThread0(Location location) {
  return arith::CmpIOp::create(builder_, location, arith::CmpIPredicate::eq,
                               threadId(builder_, location),
                               integerConstant(builder_, location, builder_.getI32Type(), 0));
}

Registers KernelLowering::boxCoordinates(Location location, Value map, ValueRange coordinates) {
  Registers values;
  for (Value coordinate : llvm::reverse(coordinates))
    values.push_back(get(coordinate).front());
  // Of an empty tensor the map says that it has one element.
  values.front() = arith::SelectOp::create(
      builder_, location, get(map)[1],
      integerConstant(builder_, location, builder_.getI32Type(), kOutside), values.front());
  return values;
}

Value KernelLowering::barrierAddress(Location location, Value barriers, Value slot) {
  Type i32 = builder_.getI32Type();
  Value offset = arith::MulIOp::create(builder_, location, get(slot).front(),
                                       integerConstant(builder_, location, i32, kBarrierBytes));
  return LLVM::PtrToIntOp::create(
      builder_, location, i32,
      sharedPointer(location, rings_.find(barriers)->second.offset, builder_.getI8Type(), offset));
}

LogicalResult KernelLowering::lowerAllocBarriers(tile::AllocBarriersOp op) {
  Location location = op.getLoc();
  auto type = cast<tile::BarriersType>(op.getResult().getType());
  rings_[op.getResult()] =
      acquireShared(location, kBarrierBytes * int64_t{type.getNumSlots()}, kBarrierBytes);
  Value zero = integerConstant(builder_, location, builder_.getI32Type(), 0);
  Value address = LLVM::PtrToIntOp::create(
      builder_, location, builder_.getI32Type(),
      sharedPointer(location, rings_[op.getResult()].offset, builder_.getI8Type(), zero));
  emitWhere(location, isThread0(location), [&] {
    std::string text;
    for (unsigned slot = 0; slot < type.getNumSlots(); ++slot)
      text += "mbarrier.init.shared::cta.b64 [$0+" + std::to_string(kBarrierBytes * slot) + "], " +
              std::to_string(type.getNumCopies()) + ";\n";
    emitAsm(builder_, location, {}, {address}, text + "fence.mbarrier_init.release.cluster;", "r,");
  });
  emitProxyFence(location);
  emitBarrier(location);
  return success();
}

LogicalResult KernelLowering::lowerFreeBarriers(tile::FreeBarriersOp op) {
  Location location = op.getLoc();
  auto type = cast<tile::BarriersType>(op.getBarriers().getType());
  Value zero = integerConstant(builder_, location, builder_.getI32Type(), 0);
  const SharedRegion region = rings_.find(op.getBarriers())->second;
  Value address =
      LLVM::PtrToIntOp::create(builder_, location, builder_.getI32Type(),
                               sharedPointer(location, region.offset, builder_.getI8Type(), zero));
  emitWhere(location, isThread0(location), [&] {
    std::string text;
    for (unsigned slot = 0; slot < type.getNumSlots(); ++slot)
      text += "mbarrier.inval.shared::cta.b64 [$0+" + std::to_string(kBarrierBytes * slot) + "];\n";
    emitAsm(builder_, location, {}, {address}, text, "r,");
  });
  memory_.note(region, SharedMemory::Access::Write);
  releaseShared(region);
  return success();
}

LogicalResult KernelLowering::lowerTensorCopy(tile::TensorCopyOp op) {
  Location location = op.getLoc();
  const tile::TensorBoxes boxes = boxesOf(op.getMap());
  const Registers coordinates = boxCoordinates(location, op.getMap(), op.getCoordinates());
  Type i32 = builder_.getI32Type();
  Registers operands = {
      LLVM::PtrToIntOp::create(builder_, location, i32,
                               slotAddress(location, op.getBuffer(), op.getSlot())),
      barrierAddress(location, op.getBarriers(), op.getSlot()), get(op.getMap()).front(),
      arith::ExtUIOp::create(builder_, location, i32, get(op.getIsThere()).front())};
  const auto first = static_cast<unsigned>(operands.size());
  operands.append(coordinates);
  std::string constraints = "r,r,l,r,", body;
  llvm::raw_string_ostream text(body);
  text << "{\n.reg .pred there;\n.reg .b32 to, c<5>;\nsetp.ne.b32 there, $3, 0;\n"
       << "@!there mbarrier.arrive.shared::cta.b64 _, [$1];\n@!there bra DONE;\n"
       << "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$1], "
       << boxes.sizeBytes * static_cast<int64_t>(boxes.parts.size()) << ";\n";
  for (const tile::TensorBoxes::Part &part : boxes.parts) {
    const std::string place = printCoordinates(text, part, 2, first);
    text << "add.u32 to, $0, " << part.offsetBytes << ";\ncp.async.bulk.tensor."
         << coordinates.size() << "d.shared::cluster.global.mbarrier::complete_tx::bytes [to], "
         << place << ", [$1];\n";
  }
  text << "DONE:\n}";
  for (size_t i = 0; i < coordinates.size(); ++i)
    constraints += "r,";
  emitWhere(location, isThread0(location),
            [&] { emitAsm(builder_, location, {}, operands, body, constraints); });
  return success();
}

LogicalResult KernelLowering::lowerTensorStore(tile::TensorStoreOp op) {
  Location location = op.getLoc();
  auto type = cast<RankedTensorType>(op.getValue().getType());
  const SharedTile place(type.getShape(), memoryBytesOf(type.getElementType()), /*fastest=*/1);
  const tile::TensorBoxes boxes = boxesOf(op.getMap());
  const Registers coordinates = boxCoordinates(location, op.getMap(), op.getCoordinates());
  Type i32 = builder_.getI32Type();
  const SharedRegion region = acquireShared(location, place.sizeBytes(), kMatrixAlignmentBytes);
  Value from = sharedPointer(location, region.offset, builder_.getI8Type(),
                             integerConstant(builder_, location, i32, 0));
  SharedAccess(builder_, location, place, from).store(tile::layoutOf(type), get(op.getValue()));
  emitProxyFence(location);
  emitBarrier(location);
  Registers operands = {LLVM::PtrToIntOp::create(builder_, location, i32, from),
                        get(op.getMap()).front()};
  const auto first = static_cast<unsigned>(operands.size());
  operands.append(coordinates);
  std::string constraints = "r,l,", body;
  llvm::raw_string_ostream text(body);
  text << "{\n.reg .b32 from, c<5>;\n";
  for (const tile::TensorBoxes::Part &part : boxes.parts) {
    const std::string to = printCoordinates(text, part, 1, first);
    text << "add.u32 from, $0, " << part.offsetBytes << ";\ncp.async.bulk.tensor."
         << coordinates.size() << "d.global.shared::cta.bulk_group " << to << ", [from];\n";
  }
  text << "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;\n}";
  for (size_t i = 0; i < coordinates.size(); ++i)
    constraints += "r,";
  emitWhere(location, isThread0(location),
            [&] { emitAsm(builder_, location, {}, operands, body, constraints); });
  releaseShared(region);
  // Threads read what was written as after a store of their own.
  if (readsMemory_)
    emitBarrier(location);
  return success();
}

} // namespace inlay::tile_to_gpu
