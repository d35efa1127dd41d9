// tile.atomic_rmw and tile.atomic_cas: PTX's atom under a predicate, once for each element.
//
// A scalar atomic is done by one thread for the program. The program's other threads are ordered
// with it by barriers: one before it if it releases, one after it if it acquires. An atomic on a
// tile orders the accesses of the thread that does it.
#include "compiler/conversions/tile-to-gpu/KernelLowering.h"
#include "compiler/conversions/tile-to-gpu/Shuffle.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::AtomicKind;
using tile::LinearLayout;
using tile::MemoryOrder;
using tile::PlacePart;

namespace {

bool releases(MemoryOrder order) {
  return order == MemoryOrder::Release || order == MemoryOrder::AcquireRelease;
}
bool acquires(MemoryOrder order) {
  return order == MemoryOrder::Acquire || order == MemoryOrder::AcquireRelease;
}

/// Operation and type of the instruction, `.add.f32`. Source: PTX ISA, "atom".
std::string instructionSuffix(AtomicKind kind, Type element) {
  const unsigned bits = element.getIntOrFloatBitWidth();
  const std::string width = std::to_string(bits);
  switch (kind) {
  case AtomicKind::And:
    return ".and.b" + width;
  case AtomicKind::Or:
    return ".or.b" + width;
  case AtomicKind::Xor:
    return ".xor.b" + width;
  case AtomicKind::Add:
    return ".add.u" + width;
  case AtomicKind::FAdd:
    return bits == 16 ? ".add.noftz.f16" : ".add.f" + width;
  case AtomicKind::Max:
    return ".max.s" + width;
  case AtomicKind::Min:
    return ".min.s" + width;
  case AtomicKind::UMax:
    return ".max.u" + width;
  case AtomicKind::UMin:
    return ".min.u" + width;
  case AtomicKind::Exchange:
    return ".exch.b" + width;
  }
  llvm_unreachable("all kinds are above");
}

std::string semantics(MemoryOrder order, tile::MemoryScope scope) {
  return "." + tile::stringifyMemoryOrder(order).str() + "." +
         tile::stringifyMemoryScope(scope).str();
}

StringRef registerConstraint(unsigned bits) { return bits == 64 ? "l" : bits == 32 ? "r" : "h"; }

/// `@predicate atom… old, [pointer], values…` on the elements' bits; old is 0 where the predicate
/// is false. Has no predicate if it is null.
Value emitAtom(OpBuilder &builder, Location location, StringRef suffix, Value pointer,
               ValueRange values, Value predicate) {
  Type type = values.front().getType();
  SmallVector<Value> operands = {pointer};
  const std::string constraint = registerConstraint(type.getIntOrFloatBitWidth()).str();
  std::string constraints = "=" + constraint + ",l", text;
  for (Value value : values) {
    operands.push_back(value);
    constraints += "," + constraint;
  }
  if (predicate) {
    // The result register begins as 0: the operand tied to it.
    operands.push_back(predicate);
    operands.push_back(integerConstant(builder, location, type, 0));
    constraints += ",b,0";
    text = "@$" + std::to_string(values.size() + 2) + " ";
  }
  text += "atom.global" + suffix.str() + " $0, [$1]";
  for (size_t i = 0; i < values.size(); ++i)
    text += ", $" + std::to_string(i + 2);
  text += ";";
  constraints += ",~{memory}";
  auto op = LLVM::InlineAsmOp::create(
      builder, location, TypeRange(type), operands, text, constraints, /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
  return op.getResult(0);
}

/// bf16 has an instruction on sm_90 and later only; LLVM puts a loop in its place elsewhere.
Value emitBrainFloatAdd(OpBuilder &builder, Location location, const std::string &fence,
                        MemoryOrder order, Value pointer, Value value, Value predicate) {
  auto emitFence = [&] {
    LLVM::InlineAsmOp::create(builder, location, TypeRange(), ValueRange(), fence, "~{memory}",
                              /*has_side_effects=*/true, /*is_align_stack=*/false,
                              LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
  };
  auto add = [&]() -> Value {
    if (releases(order))
      emitFence();
    Value old = LLVM::AtomicRMWOp::create(builder, location, LLVM::AtomicBinOp::fadd, pointer,
                                          value, LLVM::AtomicOrdering::monotonic);
    if (acquires(order))
      emitFence();
    return old;
  };
  if (!predicate)
    return add();
  auto branch = scf::IfOp::create(builder, location, TypeRange(value.getType()), predicate,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(branch.thenBlock());
  scf::YieldOp::create(builder, location, add());
  builder.setInsertionPointToEnd(branch.elseBlock());
  Value zero = arith::ConstantOp::create(builder, location, builder.getZeroAttr(value.getType()));
  scf::YieldOp::create(builder, location, zero);
  return branch.getResult(0);
}

} // namespace

LogicalResult KernelLowering::lowerAtomicRmw(tile::AtomicRmwOp op) {
  Location location = op.getLoc();
  Type element = tile::elementTypeOf(op.getValue().getType());
  const std::string sem = semantics(op.getOrder(), op.getScope());
  return lowerAtomic(op, op.getPtr(), op.getMask(), op.getOrder(),
                     [&](Value pointer, unsigned r, Value predicate) -> Value {
                       Value value = at(op.getValue(), r);
                       if (element.isBF16())
                         return emitBrainFloatAdd(builder_, location, "fence" + sem + ";",
                                                  op.getOrder(), pointer, value, predicate);
                       Value old = emitAtom(builder_, location,
                                            sem + instructionSuffix(op.getKind(), element), pointer,
                                            toBits(builder_, location, value), predicate);
                       return fromBits(builder_, location, old, value.getType());
                     });
}

LogicalResult KernelLowering::lowerAtomicCas(tile::AtomicCasOp op) {
  Location location = op.getLoc();
  Type element = tile::elementTypeOf(op.getValue().getType());
  const std::string suffix = semantics(op.getOrder(), op.getScope()) + ".cas.b" +
                             std::to_string(element.getIntOrFloatBitWidth());
  return lowerAtomic(op, op.getPtr(), Value(), op.getOrder(),
                     [&](Value pointer, unsigned r, Value predicate) -> Value {
                       Value compare = toBits(builder_, location, at(op.getCompare(), r));
                       Value value = toBits(builder_, location, at(op.getValue(), r));
                       Value old = emitAtom(builder_, location, suffix, pointer, {compare, value},
                                            predicate);
                       return fromBits(builder_, location, old, valueTypeOf(element));
                     });
}

LogicalResult KernelLowering::lowerAtomic(Operation *op, Value pointers, Value mask,
                                          MemoryOrder order,
                                          llvm::function_ref<Value(Value, unsigned, Value)> emit) {
  Location location = op->getLoc();
  Type i32 = builder_.getI32Type();
  Value result = op->getResult(0);
  const bool isTile = isa<RankedTensorType>(pointers.getType());
  LinearLayout layout(0);
  SmallVector<unsigned> first = {0};
  Value owner;
  if (isTile) {
    layout = tile::layoutOf(cast<RankedTensorType>(pointers.getType()));
    first = representatives(layout);
    owner = ownsElements(builder_, location, layout);
  } else {
    owner = arith::CmpIOp::create(builder_, location, arith::CmpIPredicate::eq,
                                  threadId(builder_, location),
                                  integerConstant(builder_, location, i32, 0));
    if (releases(order))
      emitBarrier(location);
  }
  const Registers addresses = get(pointers);
  Registers values;
  for (unsigned r = 0; r < addresses.size(); ++r) {
    if (first[r] != r) {
      values.push_back(values[first[r]]);
      continue;
    }
    Value predicate = owner;
    if (mask) {
      Value wanted = at(mask, r);
      predicate = predicate
                      ? arith::AndIOp::create(builder_, location, predicate, wanted).getResult()
                      : wanted;
    }
    values.push_back(emit(addresses[r], r, predicate));
  }
  if (!result.use_empty() && owner) {
    values = isTile ? shareFromOwners(location, layout, owner, values)
                    : Registers{broadcastFromThread0(location, values.front())};
  } else if (!isTile && acquires(order)) {
    emitBarrier(location);
  }
  registers_[result] = std::move(values);
  return success();
}

Value KernelLowering::broadcastFromThread0(Location location, Value value) {
  Type i32 = builder_.getI32Type();
  Value isFirst = arith::CmpIOp::create(builder_, location, arith::CmpIPredicate::eq,
                                        threadId(builder_, location),
                                        integerConstant(builder_, location, i32, 0));
  return shareFromOwners(location, LinearLayout(0), isFirst, {value}).front();
}

Registers KernelLowering::shareFromOwners(Location location, const LinearLayout &layout,
                                          Value owner, const Registers &values) {
  // A slot for each thread that owns, next to each other; copies read the slot of their owner.
  const uint32_t freeLanes = layout.rank() == 0 ? 31 : layout.freeBits(PlacePart::Lane);
  const uint32_t freeWarps = layout.rank() == 0 ? ~0u : layout.freeBits(PlacePart::Warp);
  LinearLayout::Bases lanes(tile::kLaneBits, {0}), warps(layout.bases(PlacePart::Warp).size(), {0});
  int32_t numSlots = 1;
  auto addSlots = [&](LinearLayout::Bases &bases, uint32_t free) {
    for (unsigned bit = 0; bit < bases.size(); ++bit)
      if (!(free >> bit & 1)) {
        bases[bit] = {numSlots};
        numSlots *= 2;
      }
  };
  addSlots(lanes, freeLanes);
  addSlots(warps, freeWarps);
  Value slot = threadCoordinate(builder_, location, LinearLayout(1, {}, lanes, warps), 0);
  Type element = values.front().getType(), memory = memoryTypeOf(element);
  SmallVector<unsigned> first = {0};
  if (layout.rank() != 0)
    first = representatives(layout);
  const SharedRegion region = acquireShared(location, static_cast<int64_t>(values.size()) *
                                                          numSlots * memoryBytesOf(element));
  auto address = [&](size_t r) {
    Value index = slot;
    if (r > 0)
      index = arith::AddIOp::create(builder_, location, slot,
                                    integerConstant(builder_, location, builder_.getI32Type(),
                                                    static_cast<int64_t>(r) * numSlots));
    return sharedPointer(location, region.offset, memory, index);
  };
  emitWhere(location, owner, [&] {
    for (size_t r = 0; r < values.size(); ++r)
      if (first[r] == r)
        LLVM::StoreOp::create(builder_, location, toMemory(builder_, location, values[r]),
                              address(r));
  });
  emitBarrier(location);
  Registers shared;
  for (size_t r = 0; r < values.size(); ++r)
    shared.push_back(first[r] != r
                         ? shared[first[r]]
                         : fromMemory(builder_, location,
                                      LLVM::LoadOp::create(builder_, location, memory, address(r)),
                                      element));
  releaseShared(region);
  return shared;
}

} // namespace inlay::tile_to_gpu
