#include "compiler/conversions/tile-to-cpu/Arena.h"

#include "compiler/conversions/tile-to-cpu/TileToCpu.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

constexpr uint64_t kAlignment = 64;
/// More than this is asked of the caller: a kernel runs on threads whose stacks are not ours.
constexpr uint64_t kMaxStackBytes = 1 << 20;

} // namespace

Arena::Arena(OpBuilder &builder, Block *entry) : builder_(builder), entry_(entry) {
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(entry_);
  // Stands for the memory until its size is known.
  base_ = LLVM::PoisonOp::create(builder_, entry->getParentOp()->getLoc(),
                                 LLVM::LLVMPointerType::get(builder_.getContext()));
}

Value Arena::allocate(Location location, uint64_t bytes) {
  bytes = llvm::alignTo(std::max<uint64_t>(bytes, 1), kAlignment);
  uint64_t offset = 0;
  auto *at = places_.begin();
  for (; at != places_.end() && at->offset - offset < bytes; ++at)
    offset = at->offset + at->bytes;
  Value &address = addresses_[offset];
  if (!address) {
    OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPointAfter(base_);
    Value distance =
        LLVM::ConstantOp::create(builder_, location, builder_.getI64Type(),
                                 builder_.getI64IntegerAttr(static_cast<int64_t>(offset)));
    address =
        LLVM::GEPOp::create(builder_, location, base_->getResult(0).getType(), builder_.getI8Type(),
                            base_->getResult(0), ArrayRef<LLVM::GEPArg>{distance});
  }
  places_.insert(at, {offset, bytes, address});
  bytes_ = std::max(bytes_, offset + bytes);
  return address;
}

void Arena::release(Value address) {
  llvm::erase_if(places_, [&](const Place &place) { return place.address == address; });
}

Value Arena::addScratchParameter() {
  auto function = cast<func::FuncOp>(entry_->getParentOp());
  NamedAttribute attributes[] = {
      builder_.getNamedAttr(LLVM::LLVMDialect::getNoAliasAttrName(), builder_.getUnitAttr()),
      builder_.getNamedAttr(LLVM::LLVMDialect::getAlignAttrName(),
                            builder_.getI64IntegerAttr(kAlignment))};
  const unsigned index = function.getNumArguments();
  (void)function.insertArgument(index, base_->getResult(0).getType(),
                                builder_.getDictionaryAttr(attributes), base_->getLoc());
  function->setAttr(kScratchBytesAttr, builder_.getI64IntegerAttr(static_cast<int64_t>(bytes_)));
  return function.getArgument(index);
}

void Arena::finish() {
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPoint(base_);
  Location location = base_->getLoc();
  Type pointer = base_->getResult(0).getType();
  if (bytes_ > 0) {
    Value memory;
    if (bytes_ <= kMaxStackBytes) {
      Value size = LLVM::ConstantOp::create(builder_, location, builder_.getI64Type(),
                                            builder_.getI64IntegerAttr(bytes_));
      memory = LLVM::AllocaOp::create(builder_, location, pointer, builder_.getI8Type(), size,
                                      kAlignment);
    } else {
      memory = addScratchParameter();
    }
    base_->getResult(0).replaceAllUsesWith(memory);
  }
  base_->erase();
}

} // namespace inlay::tile_to_cpu
