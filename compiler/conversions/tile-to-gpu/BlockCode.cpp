// What the threads of a block do together: shared memory, barriers, branches of some threads.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/TileToGpu.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

namespace {

/// What a kernel may have without asking for more at launch.
constexpr int64_t kStaticSharedBytes = 48 * 1024;
constexpr const char *kSharedName = "inlay_shared";
constexpr int64_t kSharedAlignmentBytes = 128;

} // namespace

SharedRegion KernelLowering::acquireShared(Location location, int64_t sizeBytes,
                                           int64_t alignmentBytes) {
  const SharedRegion region = memory_.allocate(sizeBytes, alignmentBytes);
  if (memory_.needsBarrier(region, SharedMemory::Access::Write))
    emitBarrier(location);
  memory_.note(region, SharedMemory::Access::Write);
  return region;
}

void KernelLowering::releaseShared(const SharedRegion &region) {
  memory_.note(region, SharedMemory::Access::Read);
  memory_.release(region);
}

void KernelLowering::emitBarrier(Location location) {
  assert(!isDivergent_ && "a barrier where not all threads arrive");
  NVVM::Barrier0Op::create(builder_, location);
  memory_.barrier();
}

void KernelLowering::emitWhere(Location location, Value condition,
                               llvm::function_ref<void()> body) {
  if (!condition)
    return body();
  auto branch = scf::IfOp::create(builder_, location, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(branch.thenBlock());
  const bool wasDivergent = std::exchange(isDivergent_, true);
  body();
  isDivergent_ = wasDivergent;
}

Value KernelLowering::sharedPointer(Location location, int64_t offsetBytes, Type memoryType,
                                    Value index) {
  Type i8 = builder_.getI8Type();
  Type pointer = LLVM::LLVMPointerType::get(builder_.getContext(), kSharedSpace);
  if (!shared_) {
    OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPointToStart(module_.getBody());
    shared_ = LLVM::GlobalOp::create(
        builder_, location, LLVM::LLVMArrayType::get(i8, 0),
        /*isConstant=*/false, LLVM::Linkage::External, kSharedName, Attribute(),
        usesWarpgroups_ || usesMaps_ ? kMatrixAlignmentBytes : kSharedAlignmentBytes, kSharedSpace);
  }
  Value base = LLVM::AddressOfOp::create(builder_, location, pointer, shared_.getSymName());
  if (offsetBytes != 0)
    base = LLVM::GEPOp::create(builder_, location, pointer, i8, base,
                               ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offsetBytes)},
                               LLVM::GEPNoWrapFlags::inbounds);
  return LLVM::GEPOp::create(builder_, location, pointer, memoryType, base, ValueRange{index},
                             LLVM::GEPNoWrapFlags::inbounds);
}

void KernelLowering::finishShared() {
  if (!shared_)
    return;
  const int64_t sizeBytes = memory_.peakBytes();
  if (sizeBytes > kStaticSharedBytes) {
    // An array without a size of its own is what the launch gives it.
    module_->setAttr(kDynamicSharedBytesAttr, builder_.getI64IntegerAttr(sizeBytes));
    return;
  }
  shared_.setGlobalTypeAttr(
      TypeAttr::get(LLVM::LLVMArrayType::get(builder_.getI8Type(), sizeBytes)));
  shared_.setLinkage(LLVM::Linkage::Internal);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.createBlock(&shared_.getInitializerRegion());
  Value undefined = LLVM::UndefOp::create(builder_, shared_.getLoc(), shared_.getGlobalType());
  LLVM::ReturnOp::create(builder_, shared_.getLoc(), undefined);
}

} // namespace inlay::tile_to_gpu
