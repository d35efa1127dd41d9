#include "compiler/conversions/tile-to-gpu/KernelLowering.h"

#include "compiler/conversions/tile-to-gpu/TileToGpu.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

using tile::LinearLayout;
using tile::PlacePart;

namespace {

bool isTile(Type type) { return isa<RankedTensorType>(type); }
bool isTile(Value value) { return isTile(value.getType()); }

LinearLayout layoutOf(Value tile) { return tile::layoutOf(cast<RankedTensorType>(tile.getType())); }

unsigned numRegisters(Type type) {
  return isTile(type) ? tile::layoutOf(cast<RankedTensorType>(type)).numRegisters() : 1;
}

Value emitBlockId(uint32_t axis, OpBuilder &builder, Location location, Type i32) {
  if (axis == 0)
    return NVVM::BlockIdXOp::create(builder, location, i32);
  if (axis == 1)
    return NVVM::BlockIdYOp::create(builder, location, i32);
  return NVVM::BlockIdZOp::create(builder, location, i32);
}

Value emitGridDim(uint32_t axis, OpBuilder &builder, Location location, Type i32) {
  if (axis == 0)
    return NVVM::GridDimXOp::create(builder, location, i32);
  if (axis == 1)
    return NVVM::GridDimYOp::create(builder, location, i32);
  return NVVM::GridDimZOp::create(builder, location, i32);
}

} // namespace

LogicalResult KernelLowering::run() {
  Location location = kernel_.getLoc();
  findAsyncAccesses();
  SmallVector<Type> parameters;
  for (Type type : kernel_.getArgumentTypes())
    parameters.push_back(memoryTypeOf(type));
  builder_.setInsertionPoint(kernel_);
  auto thread = func::FuncOp::create(builder_, location, kernel_.getName(),
                                     builder_.getFunctionType(parameters, {}));
  Block *entry = thread.addEntryBlock();
  builder_.setInsertionPointToStart(entry);
  for (auto [from, to] : llvm::zip(kernel_.getArguments(), entry->getArguments()))
    registers_[from] = {fromMemory(builder_, location, to, from.getType())};
  if (failed(lowerBlock(kernel_.getBody().front()))) {
    thread.erase();
    return failure();
  }
  finishShared();
  finishMaps();
  kernel_.erase();
  return success();
}

LogicalResult KernelLowering::lowerBlock(Block &block) {
  for (Operation &op : block) {
    if (failed(lower(&op)))
      return failure();
    if (memory_.peakBytes() > sharedLimitBytes_)
      return op.emitError("the tiles that must be in shared memory here take ")
             << memory_.peakBytes() << " bytes and the GPU has " << sharedLimitBytes_
             << " bytes; use smaller blocks or fewer stages";
  }
  return success();
}

void KernelLowering::raisePtxVersion(int32_t version) {
  auto current = module_->getAttrOfType<IntegerAttr>(kPtxVersionAttr);
  if (!current || current.getInt() < version)
    module_->setAttr(kPtxVersionAttr, builder_.getI32IntegerAttr(version));
}

LogicalResult KernelLowering::lower(Operation *op) {
  Location location = op->getLoc();
  Type i32 = builder_.getI32Type();
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tile::ProgramIdOp id) {
        registers_[id.getResult()] = {emitBlockId(id.getAxis(), builder_, location, i32)};
        return success();
      })
      .Case([&](tile::NumProgramsOp count) {
        registers_[count.getResult()] = {emitGridDim(count.getAxis(), builder_, location, i32)};
        return success();
      })
      .Case([&](tile::ArangeOp arange) { return lowerArange(arange); })
      .Case([&](tile::SplatOp splat) {
        registers_[splat.getResult()] =
            Registers(numRegisters(splat.getResult().getType()), get(splat.getSource()).front());
        return success();
      })
      .Case<tile::ExpandDimsOp, tile::BroadcastOp, tile::ReshapeOp, tile::TransOp>(
          [&](Operation *view) {
            // The layouts say which register is which element; the registers stay.
            Registers source = get(view->getOperand(0));
            registers_[view->getResult(0)] = std::move(source);
            return success();
          })
      .Case([&](tile::LoadOp load) { return lowerLoad(load); })
      .Case([&](tile::StoreOp store) { return lowerStore(store); })
      .Case([&](tile::ConvertLayoutOp convert) { return lowerConversion(convert); })
      .Case([&](tile::DotOp dot) { return lowerDot(dot); })
      .Case([&](tile::AllocSharedOp alloc) { return lowerAllocShared(alloc); })
      .Case([&](tile::FreeSharedOp free) { return lowerFreeShared(free); })
      .Case([&](tile::AsyncCopyOp copy) { return lowerAsyncCopy(copy); })
      .Case([&](tile::AsyncCommitOp) {
        NVVM::CpAsyncCommitGroupOp::create(builder_, location);
        return success();
      })
      .Case([&](tile::AsyncWaitOp wait) { return lowerAsyncWait(wait); })
      .Case([&](tile::SharedLoadOp load) { return lowerSharedLoad(load); })
      .Case([&](tile::SharedStoreOp store) { return lowerSharedStore(store); })
      .Case([&](tile::WarpgroupDotOp dot) { return lowerWarpgroupDot(dot); })
      .Case([&](tile::WarpgroupWaitOp wait) { return lowerWarpgroupWait(wait); })
      .Case([&](tile::TensorMapOp map) { return lowerTensorMap(map); })
      .Case([&](tile::TensorCopyOp copy) { return lowerTensorCopy(copy); })
      .Case([&](tile::TensorStoreOp store) { return lowerTensorStore(store); })
      .Case([&](tile::AllocBarriersOp alloc) { return lowerAllocBarriers(alloc); })
      .Case([&](tile::FreeBarriersOp free) { return lowerFreeBarriers(free); })
      .Case([&](tile::ReduceOp reduce) { return lowerReduce(reduce); })
      .Case([&](tile::ScanOp scan) { return lowerScan(scan); })
      .Case([&](tile::JoinOp join) { return lowerJoin(join); })
      .Case([&](tile::SplitOp split) { return lowerSplit(split); })
      .Case([&](tile::GatherOp gather) { return lowerGather(gather); })
      .Case([&](tile::HistogramOp histogram) { return lowerHistogram(histogram); })
      .Case([&](tile::AtomicRmwOp atomic) { return lowerAtomicRmw(atomic); })
      .Case([&](tile::AtomicCasOp atomic) { return lowerAtomicCas(atomic); })
      .Case([&](tile::InlineAsmOp assembly) { return lowerInlineAsm(assembly); })
      .Case([&](tile::PrintOp print) { return lowerPrint(print); })
      .Case([&](tile::AssertOp check) { return lowerAssert(check); })
      .Case([&](tile::BarrierOp) {
        emitBarrier(location);
        return success();
      })
      .Case([&](arith::ConstantOp constant) { return lowerConstant(constant); })
      .Case([&](scf::ForOp loop) { return lowerFor(loop); })
      .Case([&](scf::WhileOp loop) { return lowerWhile(loop); })
      .Case([&](scf::IfOp branch) { return lowerIf(branch); })
      .Case<scf::YieldOp, scf::ConditionOp, func::ReturnOp>(
          [&](Operation *terminator) { return lowerTerminator(terminator); })
      .Default([&](Operation *other) { return lowerElementwise(other); });
}

LogicalResult KernelLowering::lowerArange(tile::ArangeOp op) {
  const LinearLayout layout = layoutOf(op.getResult());
  Value threadPart = threadCoordinate(builder_, op.getLoc(), layout, 0);
  if (op.getStart() != 0) {
    // The start is added last: the coordinate's parts combine by exclusive or.
    Registers values;
    Value start = integerConstant(builder_, op.getLoc(), builder_.getI32Type(),
                                  static_cast<int32_t>(op.getStart()));
    for (unsigned r = 0; r < layout.numRegisters(); ++r)
      values.push_back(arith::AddIOp::create(
          builder_, op.getLoc(),
          registerCoordinate(builder_, op.getLoc(), layout, 0, threadPart, r), start));
    registers_[op.getResult()] = std::move(values);
    return success();
  }
  Registers values;
  for (unsigned r = 0; r < layout.numRegisters(); ++r)
    values.push_back(registerCoordinate(builder_, op.getLoc(), layout, 0, threadPart, r));
  registers_[op.getResult()] = std::move(values);
  return success();
}

LogicalResult KernelLowering::lowerConstant(arith::ConstantOp op) {
  if (!isTile(op.getResult())) {
    registers_[op.getResult()] = {builder_.clone(*op)->getResult(0)};
    return success();
  }
  auto elements = dyn_cast<SplatElementsAttr>(op.getValue());
  if (!elements)
    return lowerTable(op);
  Value scalar = arith::ConstantOp::create(builder_, op.getLoc(),
                                           cast<TypedAttr>(elements.getSplatValue<Attribute>()));
  registers_[op.getResult()] = Registers(numRegisters(op.getType()), scalar);
  return success();
}

LogicalResult KernelLowering::lowerJoin(tile::JoinOp op) {
  Registers values;
  for (auto [lhs, rhs] : llvm::zip_equal(get(op.getLhs()), get(op.getRhs())))
    values.append({lhs, rhs});
  registers_[op.getResult()] = std::move(values);
  return success();
}

LogicalResult KernelLowering::lowerSplit(tile::SplitOp op) {
  const LinearLayout layout = layoutOf(op.getSource());
  std::optional<unsigned> pair = layout.findRegisterBit(layout.rank() - 1, 1);
  if (!pair)
    return op.emitOpError("needs both halves of each pair in one thread");
  const Registers source = get(op.getSource());
  Registers lhs, rhs;
  for (auto [r, value] : llvm::enumerate(source))
    (r >> *pair & 1 ? rhs : lhs).push_back(value);
  registers_[op.getLhs()] = std::move(lhs);
  registers_[op.getRhs()] = std::move(rhs);
  return success();
}

Value KernelLowering::at(Value value, unsigned r) {
  const Registers &registers = get(value);
  return registers[isTile(value) ? r : 0];
}

LogicalResult KernelLowering::lowerElementwise(Operation *op) {
  if (!isElementwise(op))
    return op->emitError("'") << op->getName() << "' cannot be compiled for GPUs yet";
  SmallVector<unsigned> first = {0};
  if (isTile(op->getResult(0)))
    first = representatives(layoutOf(op->getResult(0)));
  SmallVector<Registers> results(op->getNumResults());
  for (auto [r, representative] : llvm::enumerate(first)) {
    if (representative != r) {
      for (Registers &registers : results)
        registers.push_back(registers[representative]);
      continue;
    }
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(at(operand, static_cast<unsigned>(r)));
    for (auto [registers, value] : llvm::zip(results, emitElement(builder_, op, operands)))
      registers.push_back(value);
  }
  for (auto [result, registers] : llvm::zip(op->getResults(), results))
    registers_[result] = std::move(registers);
  return success();
}

namespace {

/// Registers first … first + count - 1 of an optional operand.
Registers registerRun(const Registers *registers, unsigned first, unsigned count) {
  if (!registers)
    return {};
  return Registers(registers->begin() + first, registers->begin() + first + count);
}

} // namespace

LogicalResult KernelLowering::lowerLoad(tile::LoadOp op) {
  AccessTraits traits{tile::elementTypeOf(op.getResult().getType()), op.getCache(), op.getEvict(),
                      op.getIsVolatile()};
  AccessPlan plan;
  SmallVector<unsigned> first = {0};
  if (isTile(op.getPtr())) {
    const LinearLayout layout = layoutOf(op.getPtr());
    plan = planAccess(axes_, op.getPtr(), op.getMask(), layout);
    first = representatives(layout);
  }
  const Registers pointers = get(op.getPtr());
  Registers masks = op.getMask() ? get(op.getMask()) : Registers();
  Registers others = op.getOther() ? get(op.getOther()) : Registers();
  Registers values;
  for (unsigned r = 0; r < pointers.size(); r += plan.width) {
    if (first[r] != r) {
      for (unsigned i = 0; i < plan.width; ++i)
        values.push_back(values[first[r + i]]);
      continue;
    }
    values.append(emitLoad(builder_, op.getLoc(), plan, traits,
                           registerRun(&pointers, r, plan.width),
                           registerRun(op.getMask() ? &masks : nullptr, r, plan.width),
                           registerRun(op.getOther() ? &others : nullptr, r, plan.width)));
  }
  registers_[op.getResult()] = std::move(values);
  return success();
}

LogicalResult KernelLowering::lowerStore(tile::StoreOp op) {
  AccessTraits traits{tile::elementTypeOf(op.getValue().getType()), op.getCache(), op.getEvict(),
                      false};
  AccessPlan plan;
  SmallVector<unsigned> first = {0};
  Value owner;
  if (isTile(op.getPtr())) {
    const LinearLayout layout = layoutOf(op.getPtr());
    plan = planAccess(axes_, op.getPtr(), op.getMask(), layout);
    first = representatives(layout);
    owner = ownsElements(builder_, op.getLoc(), layout);
  } else {
    owner = arith::CmpIOp::create(builder_, op.getLoc(), arith::CmpIPredicate::eq,
                                  threadId(builder_, op.getLoc()),
                                  integerConstant(builder_, op.getLoc(), builder_.getI32Type(), 0));
  }
  const Registers pointers = get(op.getPtr()), values = get(op.getValue());
  Registers masks = op.getMask() ? get(op.getMask()) : Registers();
  for (unsigned r = 0; r < pointers.size(); r += plan.width)
    if (first[r] == r)
      emitStore(builder_, op.getLoc(), plan, traits, registerRun(&pointers, r, plan.width),
                registerRun(&values, r, plan.width),
                registerRun(op.getMask() ? &masks : nullptr, r, plan.width), owner);
  return success();
}

} // namespace inlay::tile_to_gpu
