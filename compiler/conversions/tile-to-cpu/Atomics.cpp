// Atomic operations and histograms: element by element, in row-major order.
#include "compiler/conversions/tile-to-cpu/ElementLoops.h"
#include "compiler/conversions/tile-to-cpu/EvaluationCost.h"
#include "compiler/conversions/tile-to-cpu/ProgramLowering.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

bool isTile(Value value) { return isa<RankedTensorType>(value.getType()); }

LLVM::AtomicBinOp operationOf(tile::AtomicKind kind) {
  switch (kind) {
  case tile::AtomicKind::And:
    return LLVM::AtomicBinOp::_and;
  case tile::AtomicKind::Or:
    return LLVM::AtomicBinOp::_or;
  case tile::AtomicKind::Xor:
    return LLVM::AtomicBinOp::_xor;
  case tile::AtomicKind::Add:
    return LLVM::AtomicBinOp::add;
  case tile::AtomicKind::FAdd:
    return LLVM::AtomicBinOp::fadd;
  case tile::AtomicKind::Max:
    return LLVM::AtomicBinOp::max;
  case tile::AtomicKind::Min:
    return LLVM::AtomicBinOp::min;
  case tile::AtomicKind::UMax:
    return LLVM::AtomicBinOp::umax;
  case tile::AtomicKind::UMin:
    return LLVM::AtomicBinOp::umin;
  case tile::AtomicKind::Exchange:
    return LLVM::AtomicBinOp::xchg;
  }
  llvm_unreachable("no such kind of atomic operation");
}

LLVM::AtomicOrdering orderingOf(tile::MemoryOrder order) {
  switch (order) {
  case tile::MemoryOrder::Relaxed:
    return LLVM::AtomicOrdering::monotonic;
  case tile::MemoryOrder::Acquire:
    return LLVM::AtomicOrdering::acquire;
  case tile::MemoryOrder::Release:
    return LLVM::AtomicOrdering::release;
  case tile::MemoryOrder::AcquireRelease:
    return LLVM::AtomicOrdering::acq_rel;
  }
  llvm_unreachable("no such memory order");
}

/// What a failed compare-and-swap orders: it is a load.
LLVM::AtomicOrdering failureOrderingOf(tile::MemoryOrder order) {
  return order == tile::MemoryOrder::Acquire || order == tile::MemoryOrder::AcquireRelease
             ? LLVM::AtomicOrdering::acquire
             : LLVM::AtomicOrdering::monotonic;
}

Type integerOf(Type type) {
  return IntegerType::get(type.getContext(), type.getIntOrFloatBitWidth());
}

Value bitcast(OpBuilder &builder, Location location, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return arith::BitcastOp::create(builder, location, type, value);
}

/// {old value, success} of compare-and-swap on integers.
std::pair<Value, Value> compareAndSwap(OpBuilder &builder, Location location, Value address,
                                       Value expected, Value desired, tile::MemoryOrder order) {
  Value pair = LLVM::AtomicCmpXchgOp::create(
      builder, location, address, expected, desired, orderingOf(order), failureOrderingOf(order),
      /*syncscope=*/StringRef(), expected.getType().getIntOrFloatBitWidth() / 8);
  return {LLVM::ExtractValueOp::create(builder, location, pair, 0),
          LLVM::ExtractValueOp::create(builder, location, pair, 1)};
}

/// 16-bit floats have no atomic addition: the sum is made in f32 and swapped in until nothing came
/// between.
Value emitNarrowAdd(OpBuilder &builder, Location location, Value address, Value value,
                    tile::MemoryOrder order) {
  Type element = value.getType(), integer = integerOf(element);
  Value seen = LLVM::LoadOp::create(builder, location, integer, address, /*alignment=*/2,
                                    /*isVolatile=*/false, /*isNonTemporal=*/false,
                                    /*isInvariant=*/false, /*isInvariantGroup=*/false,
                                    LLVM::AtomicOrdering::monotonic);
  Value addend = extendTo(builder, location, value, builder.getF32Type());
  auto loop = scf::WhileOp::create(
      builder, location, integer, seen,
      [&](OpBuilder &inner, Location at, ValueRange arguments) {
        Value old =
            extendTo(inner, at, bitcast(inner, at, arguments[0], element), inner.getF32Type());
        Value sum = arith::AddFOp::create(inner, at, old, addend);
        Value desired =
            bitcast(inner, at, arith::TruncFOp::create(inner, at, element, sum), integer);
        auto [found, isDone] = compareAndSwap(inner, at, address, arguments[0], desired, order);
        Value again = arith::XOrIOp::create(inner, at, isDone,
                                            integerConstant(inner, at, inner.getI1Type(), 1));
        scf::ConditionOp::create(inner, at, again, found);
      },
      [&](OpBuilder &inner, Location at, ValueRange arguments) {
        scf::YieldOp::create(inner, at, arguments);
      });
  return bitcast(builder, location, loop.getResult(0), element);
}

/// Does the operation on one element; gives the old value.
Value emitAtomic(OpBuilder &builder, Operation *op, ValueRange operands) {
  Location location = op->getLoc();
  Value address = operands[0];
  if (auto swap = dyn_cast<tile::AtomicCasOp>(op)) {
    Type element = operands[1].getType(), integer = integerOf(element);
    Value old =
        compareAndSwap(builder, location, address, bitcast(builder, location, operands[1], integer),
                       bitcast(builder, location, operands[2], integer), swap.getOrder())
            .first;
    return bitcast(builder, location, old, element);
  }
  auto atomic = cast<tile::AtomicRmwOp>(op);
  Value value = operands[1];
  Type element = value.getType();
  if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 16)
    return emitNarrowAdd(builder, location, address, value, atomic.getOrder());
  if (atomic.getKind() == tile::AtomicKind::Exchange)
    value = bitcast(builder, location, value, integerOf(element));
  Value old =
      LLVM::AtomicRMWOp::create(builder, location, operationOf(atomic.getKind()), address, value,
                                orderingOf(atomic.getOrder()), /*syncscope=*/StringRef(),
                                element.getIntOrFloatBitWidth() / 8);
  return bitcast(builder, location, old, element);
}

/// The same under a mask, which may be null; 0 where the mask is false.
Value emitGuardedAtomic(OpBuilder &builder, Operation *op, ValueRange operands, Value mask) {
  if (!mask)
    return emitAtomic(builder, op, operands);
  Type element = operands[1].getType();
  auto guarded = scf::IfOp::create(
      builder, op->getLoc(), mask,
      [&](OpBuilder &inner, Location at) {
        scf::YieldOp::create(inner, at, toMemory(inner, at, emitAtomic(inner, op, operands)));
      },
      [&](OpBuilder &inner, Location at) {
        scf::YieldOp::create(inner, at, zeroConstant(inner, at, memoryTypeOf(element)));
      });
  return fromMemory(builder, op->getLoc(), guarded.getResult(0), element);
}

} // namespace

LogicalResult ProgramLowering::keepForElements(Operation *op) {
  for (Value operand : op->getOperands())
    if (isTile(operand) && evaluationCost(operand, values_) > kBufferCost && failed(keep(operand)))
      return failure();
  return success();
}

LogicalResult ProgramLowering::lowerAtomic(Operation *op) {
  if (failed(flush()))
    return failure();
  for (tile::LoadOp load :
       overlappingLoads(SmallVector<Value>(op->getOperands()), op->getOperand(0)))
    if (failed(keep(load.getResult())))
      return failure();
  emitted_.insert(op);
  if (failed(keepLoads(op)))
    return failure();
  Value result = op->getResult(0), mask;
  unsigned numOperands = 3;
  if (auto atomic = dyn_cast<tile::AtomicRmwOp>(op)) {
    mask = atomic.getMask();
    numOperands = 2;
  }
  SmallVector<Value> operands(op->operand_begin(), op->operand_begin() + numOperands);
  if (!isTile(result)) {
    for (Value &operand : operands)
      operand = values_.scalars.lookup(operand);
    values_.scalars.map(result, emitGuardedAtomic(builder_, op, operands,
                                                  mask ? values_.scalars.lookup(mask) : mask));
    return success();
  }
  if (failed(keepForElements(op)))
    return failure();
  Value buffer = result.use_empty() ? Value() : allocate(result);
  if (!buffer && !result.use_empty())
    return failure();
  auto type = cast<RankedTensorType>(result.getType());
  Evaluator evaluator(values_, builder_, 1);
  emitElementLoops(builder_, op->getLoc(), evaluator, type.getShape(),
                   [&](const Coordinates &coordinates) {
                     SmallVector<Value> scalars = llvm::map_to_vector(operands, [&](Value operand) {
                       return evaluator.scalar(operand, coordinates);
                     });
                     Value holds = mask ? evaluator.scalar(mask, coordinates) : Value();
                     Value old = emitGuardedAtomic(builder_, op, scalars, holds);
                     if (buffer)
                       evaluator.storeToBuffer(type, old, buffer, coordinates);
                   });
  if (buffer)
    bindTile(result, buffer, scopes_.size());
  return success();
}

LogicalResult ProgramLowering::lowerHistogram(tile::HistogramOp histogram) {
  if (failed(flush()))
    return failure();
  emitted_.insert(histogram);
  if (failed(keepForElements(histogram)))
    return failure();
  Value buffer = allocate(histogram.getResult());
  if (!buffer)
    return failure();
  Location location = histogram.getLoc();
  auto type = cast<RankedTensorType>(histogram.getType());
  auto sourceType = cast<RankedTensorType>(histogram.getSource().getType());
  Type i64 = builder_.getI64Type(), i32 = builder_.getI32Type();
  {
    Evaluator evaluator(values_, builder_, 1);
    Value zero = integerConstant(builder_, location, i32, 0);
    emitElementLoops(builder_, location, evaluator, type.getShape(),
                     [&](const Coordinates &coordinates) {
                       evaluator.storeToBuffer(type, zero, buffer, coordinates);
                     });
  }
  Evaluator evaluator(values_, builder_, 1);
  emitElementLoops(
      builder_, location, evaluator, sourceType.getShape(), [&](const Coordinates &coordinates) {
        Value bin =
            toWidth(builder_, location, evaluator.scalar(histogram.getSource(), coordinates), 64);
        Value counts =
            arith::CmpIOp::create(builder_, location, arith::CmpIPredicate::ult, bin,
                                  integerConstant(builder_, location, i64, type.getDimSize(0)));
        if (histogram.getMask())
          counts = arith::AndIOp::create(builder_, location, counts,
                                         evaluator.scalar(histogram.getMask(), coordinates));
        scf::IfOp::create(builder_, location, counts, [&](OpBuilder &inner, Location at) {
          Value offset = arith::MulIOp::create(inner, at, bin, integerConstant(inner, at, i64, 4));
          Value address = addBytes(inner, at, buffer, offset);
          Value old = LLVM::LoadOp::create(inner, at, i32, address, 4);
          Value next = arith::AddIOp::create(inner, at, old, integerConstant(inner, at, i32, 1));
          LLVM::StoreOp::create(inner, at, next, address, 4);
          scf::YieldOp::create(inner, at);
        });
      });
  bindTile(histogram.getResult(), buffer, scopes_.size());
  return success();
}

} // namespace inlay::tile_to_cpu
