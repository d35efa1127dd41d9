#include "compiler/conversions/tile-to-cpu/PlainRows.h"
#include "compiler/conversions/tile-to-cpu/MaskTerms.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

using Kind = Coordinate::Kind;

bool hasCounter(const Coordinates &coordinates) {
  return llvm::any_of(
      coordinates, [](const Coordinate &coordinate) { return coordinate.kind == Kind::Counter; });
}

/// What must hold along rows and columns for a load to be plain.
class Conditions {
public:
  explicit Conditions(ProgramValues &values) : values_(values) {}

  /// True if the value at row r is that at row 0 plus r times something, provided that remainders
  /// do not wrap.
  bool isAffine(Value value, const Coordinates &coordinates) {
    if (strideOf(value, coordinates, values_))
      return true;
    Operation *op = value.getDefiningOp();
    if (!op || values_.bufferOf(value))
      return false;
    if (isShapeOp(op)) {
      std::optional<Coordinates> source = sourceCoordinates(op, coordinates);
      return source && isAffine(op->getOperand(0), *source);
    }
    if (isa<arith::RemSIOp, arith::RemUIOp>(op)) {
      const size_t before = rows.wraps.size();
      addWrap(rows, value, coordinates, values_);
      return !hasCounter(coordinates) && rows.wraps.size() > before;
    }
    if (isa<arith::MulIOp>(op)) {
      Value factor = op->getOperand(0), other = op->getOperand(1);
      if (strideOf(factor, coordinates, values_) != 0)
        std::swap(factor, other);
      return strideOf(factor, coordinates, values_) == 0 && isAffine(other, coordinates);
    }
    return isa<arith::AddIOp, arith::SubIOp, arith::ExtSIOp, arith::ExtUIOp, tile::AddPtrOp>(op) &&
           llvm::all_of(op->getOperands(),
                        [&](Value operand) { return isAffine(operand, coordinates); });
  }

  /// True if each condition of the mask is one along rows or along columns.
  bool addMask(Value mask, const Coordinates &byRows, const Coordinates &byColumns) {
    if (!mask || matchPattern(mask, m_One()))
      return true;
    Operation *op = mask.getDefiningOp();
    if (!op || values_.bufferOf(mask))
      return false;
    if (isa<arith::AndIOp>(op))
      return addMask(op->getOperand(0), byRows, byColumns) &&
             addMask(op->getOperand(1), byRows, byColumns);
    if (isShapeOp(op)) {
      std::optional<Coordinates> first = sourceCoordinates(op, byRows),
                                 second = sourceCoordinates(op, byColumns);
      return first && second && addMask(op->getOperand(0), *first, *second);
    }
    return addCondition(rows, mask, byRows) || addCondition(columns, mask, byColumns);
  }

  MaskTerms rows, columns;

private:
  bool addCondition(MaskTerms &terms, Value condition, Coordinates coordinates) {
    coordinates = withoutUniform(condition, std::move(coordinates), values_);
    if (hasCounter(coordinates))
      return false;
    addTerms(terms, condition, coordinates, values_);
    const ElementKey key{condition.getAsOpaquePointer(), coordinates};
    return terms.extents.contains(key) || terms.floors.contains(key) || terms.guards.contains(key);
  }

  ProgramValues &values_;
};

} // namespace

std::optional<PlainRows> emitPlainRows(OpBuilder &builder, tile::LoadOp load, Value numRows,
                                       ProgramValues &values) {
  auto type = cast<RankedTensorType>(load.getType());
  const int64_t bytes = memoryBytesOf(type.getElementType());
  const Coordinates byRows{{Kind::Lanes, {}, 0}, {Kind::Counter, {}, 0}},
      byColumns{{Kind::Counter, {}, 0}, {Kind::Lanes, {}, 0}};
  Conditions conditions(values);
  if (type.getRank() != 2 || load.getIsVolatile() ||
      strideOf(load.getPtr(), byColumns, values) != bytes ||
      !conditions.isAffine(load.getPtr(), byRows) ||
      !conditions.addMask(load.getMask(), byRows, byColumns))
    return std::nullopt;
  Location location = load.getLoc();
  Type i64 = builder.getI64Type();
  auto constant = [&](int64_t value) { return integerConstant(builder, location, i64, value); };
  Evaluator evaluator(values, builder, 1);
  auto holds = [&](const MaskTerms &terms, int64_t size, Value wanted) -> Value {
    Value extent = emitExtent(builder, location, evaluator, terms, size, /*withFloors=*/true);
    return arith::CmpIOp::create(builder, location, arith::CmpIPredicate::sge, extent, wanted);
  };
  PlainRows result;
  result.arePlain = arith::AndIOp::create(
      builder, location, holds(conditions.rows, type.getDimSize(0), numRows),
      holds(conditions.columns, type.getDimSize(1), constant(type.getDimSize(1))));
  result.address = evaluator.scalar(load.getPtr(), Coordinates(2));
  Value next = evaluator.scalar(load.getPtr(), {{Kind::Counter, constant(1), 0}, {}});
  auto number = [&](Value address) {
    return LLVM::PtrToIntOp::create(builder, location, i64, address);
  };
  result.pitch = arith::SubIOp::create(builder, location, number(next), number(result.address));
  return result;
}

} // namespace inlay::tile_to_cpu
