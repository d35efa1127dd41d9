#include "compiler/conversions/tile-to-cpu/Evaluator.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

/// Coordinates under a reshape that only adds or removes dimensions of size 1.
std::optional<Coordinates> throughUnitDimensions(ArrayRef<int64_t> from, ArrayRef<int64_t> to,
                                                 const Coordinates &coordinates) {
  Coordinates kept, result;
  SmallVector<int64_t> sizes;
  for (size_t i = 0; i < to.size(); ++i)
    if (to[i] != 1) {
      kept.push_back(coordinates[i]);
      sizes.push_back(to[i]);
    }
  size_t next = 0;
  for (int64_t size : from) {
    if (size == 1)
      result.push_back({});
    else if (next < sizes.size() && sizes[next] == size)
      result.push_back(kept[next++]);
    else
      return std::nullopt;
  }
  return result;
}

/// The constant all elements of an integer tile or scalar equal.
std::optional<int64_t> constantOf(Value value) {
  APInt constant;
  if (auto splat = value.getDefiningOp<tile::SplatOp>())
    return constantOf(splat.getSource());
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  return std::nullopt;
}

using Stride = std::optional<int64_t>;

Stride computeStride(Value tile, const Coordinates &coordinates, ProgramValues &values) {
  Operation *op = tile.getDefiningOp();
  if (!op || values.bufferOf(tile))
    return std::nullopt;
  auto of = [&](Value operand) { return strideOf(operand, coordinates, values); };
  auto allUniform = [&]() -> Stride {
    bool uniform = llvm::all_of(op->getOperands(), [&](Value operand) { return of(operand) == 0; });
    return uniform ? Stride(0) : std::nullopt;
  };
  if (isShapeOp(op)) {
    std::optional<Coordinates> source = sourceCoordinates(op, coordinates);
    return source ? strideOf(op->getOperand(0), *source, values) : std::nullopt;
  }
  auto product = [&](Value value, Value factor) -> Stride {
    Stride stride = of(value);
    std::optional<int64_t> constant = constantOf(factor);
    int64_t result;
    if (!stride || !constant || llvm::MulOverflow(*stride, *constant, result))
      return std::nullopt;
    return result;
  };
  return TypeSwitch<Operation *, Stride>(op)
      .Case([&](arith::ConstantOp constant) -> Stride {
        return isa<SplatElementsAttr>(constant.getValue()) ? Stride(0) : std::nullopt;
      })
      .Case([&](tile::ArangeOp) -> Stride {
        if (coordinates[0].kind == Coordinate::Kind::Lanes)
          return 1;
        return coordinates[0].isUniform() ? Stride(0) : std::nullopt;
      })
      .Case<tile::SplatOp>([&](auto) -> Stride { return 0; })
      .Case<arith::AddIOp>([&](auto add) -> Stride {
        Stride lhs = of(add.getLhs()), rhs = of(add.getRhs());
        return lhs && rhs ? Stride(*lhs + *rhs) : std::nullopt;
      })
      .Case<arith::SubIOp>([&](auto sub) -> Stride {
        Stride lhs = of(sub.getLhs()), rhs = of(sub.getRhs());
        return lhs && rhs ? Stride(*lhs - *rhs) : std::nullopt;
      })
      .Case([&](arith::MulIOp mul) -> Stride {
        if (Stride uniform = allUniform())
          return uniform;
        Stride stride = product(mul.getLhs(), mul.getRhs());
        return stride ? stride : product(mul.getRhs(), mul.getLhs());
      })
      .Case<arith::RemSIOp, arith::RemUIOp>([&](auto remainder) -> Stride {
        return values.isUnwrapped(tile, coordinates) ? of(remainder.getLhs()) : allUniform();
      })
      .Case([&](arith::ShLIOp shift) -> Stride {
        std::optional<int64_t> amount = constantOf(shift.getRhs());
        Stride stride = of(shift.getLhs());
        if (!stride || (*stride != 0 && (!amount || *amount < 0 || *amount > 31)))
          return allUniform();
        return amount && *amount >= 0 && *amount <= 31 ? Stride(*stride * (int64_t(1) << *amount))
                                                       : allUniform();
      })
      .Case<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>([&](auto cast) -> Stride {
        Stride stride = of(cast.getIn());
        bool isBool = tile::elementTypeOf(cast.getIn().getType()).isInteger(1) ||
                      tile::elementTypeOf(cast.getType()).isInteger(1);
        return isBool && stride != 0 ? std::nullopt : stride;
      })
      .Case([&](tile::AddPtrOp add) -> Stride {
        Stride pointer = of(add.getPtr()), offset = of(add.getOffset());
        auto type = cast<tile::PointerType>(tile::elementTypeOf(add.getType()));
        return pointer && offset ? Stride(*pointer + *offset * memoryBytesOf(type.getElementType()))
                                 : std::nullopt;
      })
      .Case<tile::PtrCastOp, tile::PtrToIntOp, tile::IntToPtrOp>(
          [&](auto cast) { return of(cast.getSource()); })
      .Default([&](Operation *) -> Stride {
        return isElementwise(op) || isa<tile::LoadOp>(op) ? allUniform() : std::nullopt;
      });
}

} // namespace

bool isShapeOp(Operation *op) {
  return isa<tile::ExpandDimsOp, tile::BroadcastOp, tile::TransOp, tile::ReshapeOp>(op);
}

std::optional<Coordinates> sourceCoordinates(Operation *op, const Coordinates &coordinates) {
  ArrayRef<int64_t> from = shapeOf(op->getOperand(0));
  return TypeSwitch<Operation *, std::optional<Coordinates>>(op)
      .Case([&](tile::ExpandDimsOp expand) {
        Coordinates result = coordinates;
        result.erase(result.begin() + expand.getAxis());
        return result;
      })
      .Case([&](tile::BroadcastOp) {
        Coordinates result = coordinates;
        for (size_t i = 0; i < from.size(); ++i)
          if (from[i] == 1)
            result[i] = {};
        return result;
      })
      .Case([&](tile::TransOp trans) {
        Coordinates result(coordinates.size());
        for (auto [i, source] : llvm::enumerate(trans.getOrder()))
          result[source] = coordinates[i];
        return result;
      })
      .Default([&](Operation *) {
        return throughUnitDimensions(from, shapeOf(op->getResult(0)), coordinates);
      });
}

Stride strideOf(Value tile, const Coordinates &coordinates, ProgramValues &values) {
  if (!isa<RankedTensorType>(tile.getType()) ||
      llvm::all_of(coordinates,
                   [](const Coordinate &coordinate) { return coordinate.isUniform(); }))
    return 0;
  ElementKey key{tile.getAsOpaquePointer(), coordinates};
  if (auto known = values.strides.find(key); known != values.strides.end())
    return known->second;
  Stride stride = computeStride(tile, coordinates, values);
  values.strides.insert({key, stride});
  return stride;
}

} // namespace inlay::tile_to_cpu
