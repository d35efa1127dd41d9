#include "compiler/conversions/tile-to-cpu/Arena.h"

#include "compiler/conversions/tile-to-cpu/LibraryCalls.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

constexpr uint64_t kAlignment = 64;
/// More than this goes to the heap: a kernel runs on threads whose stacks are not ours.
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
    address = LLVM::GEPOp::create(builder_, location, base_->getResult(0).getType(),
                                  builder_.getI8Type(), base_->getResult(0),
                                  ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  }
  places_.insert(at, {offset, bytes, address});
  bytes_ = std::max(bytes_, offset + bytes);
  return address;
}

void Arena::release(Value address) {
  llvm::erase_if(places_, [&](const Place &place) { return place.address == address; });
}

void Arena::finish() {
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPoint(base_);
  Location location = base_->getLoc();
  Type pointer = base_->getResult(0).getType();
  if (bytes_ > 0) {
    auto i64 = [&](uint64_t value) -> Value {
      return LLVM::ConstantOp::create(builder_, location, builder_.getI64Type(),
                                      builder_.getI64IntegerAttr(value));
    };
    Value size = i64(bytes_), memory;
    if (bytes_ <= kMaxStackBytes) {
      memory = LLVM::AllocaOp::create(builder_, location, pointer, builder_.getI8Type(), size,
                                      kAlignment);
    } else {
      memory =
          callLibrary(builder_, location, LibraryFunction::AlignedAlloc, {i64(kAlignment), size});
      Value none = LLVM::ZeroOp::create(builder_, location, pointer);
      Value failed =
          LLVM::ICmpOp::create(builder_, location, LLVM::ICmpPredicate::eq, memory, none);
      auto branch = scf::IfOp::create(builder_, location, failed, /*withElseRegion=*/false);
      builder_.setInsertionPoint(branch.thenYield());
      stopProcess(builder_, location,
                  "inlay: no memory for the " + std::to_string(bytes_) +
                      " bytes of intermediate tiles of a kernel");
      builder_.setInsertionPointToEnd(entry_);
      callLibrary(builder_, location, LibraryFunction::Free, memory);
    }
    base_->getResult(0).replaceAllUsesWith(memory);
  }
  base_->erase();
}

} // namespace inlay::tile_to_cpu
