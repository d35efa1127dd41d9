#include "compiler/conversions/tile-to-cpu/Combination.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numeric>

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

/// n with op(n, x) = op(x, n) = x for every x, or null: for commutative operations alone.
TypedAttr neutralElement(Operation *op, Type type) {
  Builder builder(op->getContext());
  auto integer = [&](auto value) -> TypedAttr { return builder.getIntegerAttr(type, value); };
  auto real = [&](auto make) -> TypedAttr {
    return FloatAttr::get(type, make(cast<FloatType>(type).getFloatSemantics()));
  };
  unsigned bits = type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 64;
  return TypeSwitch<Operation *, TypedAttr>(op)
      .Case<arith::AddIOp, arith::OrIOp, arith::XOrIOp>([&](auto) { return integer(0); })
      .Case([&](arith::MulIOp) { return integer(APInt(bits, 1)); })
      .Case<arith::AndIOp, arith::MinUIOp>([&](auto) { return integer(APInt::getAllOnes(bits)); })
      .Case([&](arith::MaxUIOp) { return integer(0); })
      .Case([&](arith::MaxSIOp) { return integer(APInt::getSignedMinValue(bits)); })
      .Case([&](arith::MinSIOp) { return integer(APInt::getSignedMaxValue(bits)); })
      // -0 + x is x for every x, +0 is not for x = -0.
      .Case([&](arith::AddFOp) {
        return real([](auto &kind) { return APFloat::getZero(kind, /*Negative=*/true); });
      })
      .Case([&](arith::MulFOp) { return real([](auto &kind) { return APFloat(kind, 1); }); })
      .Case([&](arith::MaximumFOp) {
        return real([](auto &kind) { return APFloat::getInf(kind, /*Negative=*/true); });
      })
      .Case(
          [&](arith::MinimumFOp) { return real([](auto &kind) { return APFloat::getInf(kind); }); })
      // These take the other operand where one is NaN.
      .Case<arith::MaxNumFOp, arith::MinNumFOp>(
          [&](auto) { return real([](auto &kind) { return APFloat::getQNaN(kind); }); })
      .Default([](Operation *) { return TypedAttr(); });
}

} // namespace

Combination::Combination(Block &region) : region_(region) {
  size_t count = region.getNumArguments() / 2;
  for (auto [index, value] : llvm::enumerate(region.getTerminator()->getOperands())) {
    Value earlier = region.getArgument(index), later = region.getArgument(count + index);
    Operation *op = value.getDefiningOp();
    bool isSimple = op && op->getNumOperands() == 2 &&
                    ((op->getOperand(0) == earlier && op->getOperand(1) == later) ||
                     (op->getOperand(0) == later && op->getOperand(1) == earlier));
    TypedAttr neutral = isSimple ? neutralElement(op, value.getType()) : TypedAttr();
    if (!neutral) {
      neutral_.clear();
      return;
    }
    neutral_.push_back(neutral);
  }
}

SmallVector<Value> Combination::neutral(OpBuilder &builder, Location location,
                                        unsigned width) const {
  return llvm::map_to_vector(neutral_, [&](TypedAttr attribute) {
    return splat(builder, location, arith::ConstantOp::create(builder, location, attribute), width);
  });
}

SmallVector<Value> Combination::emit(OpBuilder &builder, ValueRange earlier, ValueRange later,
                                     unsigned width) const {
  IRMapping values;
  values.map(region_.getArguments().take_front(earlier.size()), earlier);
  values.map(region_.getArguments().take_back(later.size()), later);
  for (Operation &op : region_.without_terminator()) {
    if (isa<arith::ConstantOp>(op)) {
      Operation *constant = builder.clone(op);
      values.map(op.getResult(0), splat(builder, op.getLoc(), constant->getResult(0), width));
      continue;
    }
    SmallVector<Value> operands =
        llvm::map_to_vector(op.getOperands(), [&](Value value) { return values.lookup(value); });
    values.map(op.getResult(0), emitElementwise(builder, &op, operands, width));
  }
  return llvm::map_to_vector(region_.getTerminator()->getOperands(),
                             [&](Value value) { return values.lookup(value); });
}

SmallVector<Value> Combination::emitAcrossLanes(OpBuilder &builder, Location location,
                                                ValueRange lanes, unsigned width) const {
  SmallVector<Value> current(lanes);
  for (; width > 1; width /= 2) {
    // Neighbours keep the order; halves are cheaper to take apart.
    SmallVector<int64_t> first(width / 2), second(width / 2);
    for (unsigned i = 0; i < width / 2; ++i) {
      first[i] = isUnordered() ? i : 2 * i;
      second[i] = isUnordered() ? i + width / 2 : 2 * i + 1;
    }
    auto take = [&](ArrayRef<int64_t> which) {
      return llvm::map_to_vector(current, [&](Value value) -> Value {
        if (which.size() == 1)
          return vector::ExtractOp::create(builder, location, value, which[0]);
        return vector::ShuffleOp::create(builder, location, value, value, which);
      });
    };
    SmallVector<Value> earlier = take(first), later = take(second);
    current = emit(builder, earlier, later, width / 2);
  }
  return current;
}

} // namespace inlay::tile_to_cpu
