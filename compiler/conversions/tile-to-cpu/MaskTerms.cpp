#include "compiler/conversions/tile-to-cpu/MaskTerms.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

using Predicate = arith::CmpIPredicate;

/// `index < bound`, `index <= bound` or the mirrored form, where the index rises by one and the
/// bound is uniform.
bool isRisingBelow(arith::CmpIOp compare, const Coordinates &coordinates, ProgramValues &values) {
  std::optional<int64_t> lhs = strideOf(compare.getLhs(), coordinates, values);
  std::optional<int64_t> rhs = strideOf(compare.getRhs(), coordinates, values);
  switch (compare.getPredicate()) {
  case Predicate::slt:
  case Predicate::sle:
  case Predicate::ult:
  case Predicate::ule:
    return lhs == 1 && rhs == 0;
  case Predicate::sgt:
  case Predicate::sge:
  case Predicate::ugt:
  case Predicate::uge:
    return lhs == 0 && rhs == 1;
  default:
    return false;
  }
}

/// `index >= bound`, `index > bound` or the mirrored form, where the index rises and the bound is
/// uniform.
bool isRisingAbove(arith::CmpIOp compare, const Coordinates &coordinates, ProgramValues &values) {
  std::optional<int64_t> lhs = strideOf(compare.getLhs(), coordinates, values);
  std::optional<int64_t> rhs = strideOf(compare.getRhs(), coordinates, values);
  switch (compare.getPredicate()) {
  case Predicate::sge:
  case Predicate::sgt:
    return lhs && *lhs > 0 && rhs == 0;
  case Predicate::sle:
  case Predicate::slt:
    return lhs == 0 && rhs && *rhs > 0;
  default:
    return false;
  }
}

/// Coordinates of the first position of the vectorised dimension.
Coordinates firstOf(Coordinates coordinates) {
  for (Coordinate &coordinate : coordinates)
    if (!coordinate.isUniform())
      coordinate = {};
  return coordinates;
}

class ExtentBuilder {
public:
  ExtentBuilder(OpBuilder &builder, Location location, Evaluator &evaluator, int64_t size)
      : builder_(builder), location_(location), evaluator_(evaluator), size_(size) {}

  Value extentOf(const MaskTerms &terms, bool withFloors) {
    Value extent = i64(size_);
    for (const Term *term : ordered(terms.extents))
      extent = arith::MinSIOp::create(builder_, location_, extent, extentOf(*term));
    if (withFloors)
      for (const Term *term : ordered(terms.wraps))
        extent = arith::MinSIOp::create(builder_, location_, extent, extentOfWrap(*term));
    if (!terms.extents.empty() || !terms.wraps.empty())
      extent = arith::MaxSIOp::create(builder_, location_, extent, i64(0));
    std::vector<const Term *> conditions = ordered(terms.guards);
    if (withFloors)
      llvm::append_range(conditions, ordered(terms.floors));
    for (const Term *term : conditions) {
      Value holds = evaluator_.scalar(term->value, firstOf(term->coordinates));
      extent = arith::SelectOp::create(builder_, location_, holds, extent, i64(0));
    }
    return extent;
  }

private:
  Value i64(int64_t value) {
    return integerConstant(builder_, location_, builder_.getI64Type(), value);
  }

  /// Number of positions from 0 on for which the comparison holds, unclamped.
  Value extentOf(const Term &term) {
    auto compare = term.value.getDefiningOp<arith::CmpIOp>();
    Predicate predicate = compare.getPredicate();
    bool mirrored = predicate == Predicate::sgt || predicate == Predicate::sge ||
                    predicate == Predicate::ugt || predicate == Predicate::uge;
    bool isSigned = predicate == Predicate::slt || predicate == Predicate::sle ||
                    predicate == Predicate::sgt || predicate == Predicate::sge;
    bool inclusive = predicate == Predicate::sle || predicate == Predicate::sge ||
                     predicate == Predicate::ule || predicate == Predicate::uge;
    Coordinates first = firstOf(term.coordinates);
    Value index = evaluator_.scalar(mirrored ? compare.getRhs() : compare.getLhs(), first);
    Value bound = evaluator_.scalar(mirrored ? compare.getLhs() : compare.getRhs(), first);
    return boundedDistance(index, bound, isSigned, inclusive);
  }

  /// Number of positions from 0 on for which the remainder is its dividend, unclamped.
  Value extentOfWrap(const Term &term) {
    Operation *remainder = term.value.getDefiningOp();
    Coordinates first = firstOf(term.coordinates);
    Value index = evaluator_.scalar(remainder->getOperand(0), first);
    Value divisor = evaluator_.scalar(remainder->getOperand(1), first);
    bool isSigned = isa<arith::RemSIOp>(remainder);
    Value distance = boundedDistance(index, divisor, isSigned, /*inclusive=*/false);
    if (!isSigned)
      return distance;
    Value isNegative =
        arith::CmpIOp::create(builder_, location_, Predicate::slt, index,
                              integerConstant(builder_, location_, index.getType(), 0));
    return arith::SelectOp::create(builder_, location_, isNegative, i64(0), distance);
  }

  /// bound - index (+ 1) as an i64 that is negative or 0 where the comparison fails at once,
  /// without overflow.
  Value boundedDistance(Value index, Value bound, bool isSigned, bool inclusive) {
    Type i64Type = builder_.getI64Type();
    Value one = i64(inclusive ? 1 : 0);
    if (index.getType().getIntOrFloatBitWidth() < 64) {
      auto extend = [&](Value value) -> Value {
        if (isSigned)
          return arith::ExtSIOp::create(builder_, location_, i64Type, value);
        return arith::ExtUIOp::create(builder_, location_, i64Type, value);
      };
      Value distance = arith::SubIOp::create(builder_, location_, extend(bound), extend(index));
      return arith::AddIOp::create(builder_, location_, distance, one);
    }
    // 64-bit: the difference may not fit; what is beyond the tile's size does not matter.
    auto predicate = isSigned ? (inclusive ? Predicate::sle : Predicate::slt)
                              : (inclusive ? Predicate::ule : Predicate::ult);
    Value holds = arith::CmpIOp::create(builder_, location_, predicate, index, bound);
    Value distance = arith::SubIOp::create(builder_, location_, bound, index);
    Value limited = arith::MinUIOp::create(builder_, location_, distance, i64(size_));
    return arith::SelectOp::create(builder_, location_, holds,
                                   arith::AddIOp::create(builder_, location_, limited, one),
                                   i64(0));
  }

  /// Terms in the order in which they were added, so that the output does not depend on addresses.
  static std::vector<const Term *> ordered(const std::map<ElementKey, Term> &terms) {
    std::vector<const Term *> result;
    for (const auto &[key, term] : terms)
      result.push_back(&term);
    llvm::sort(result, [](const Term *a, const Term *b) { return a->number < b->number; });
    return result;
  }

  OpBuilder &builder_;
  Location location_;
  Evaluator &evaluator_;
  int64_t size_;
};

} // namespace

void addTerms(MaskTerms &terms, Value mask, const Coordinates &coordinates, ProgramValues &values) {
  Operation *op = mask.getDefiningOp();
  if (!isa<RankedTensorType>(mask.getType()) || !op || values.bufferOf(mask))
    return;
  if (isa<arith::AndIOp>(op)) {
    addTerms(terms, op->getOperand(0), coordinates, values);
    addTerms(terms, op->getOperand(1), coordinates, values);
    return;
  }
  if (isShapeOp(op)) {
    if (std::optional<Coordinates> source = sourceCoordinates(op, coordinates)) {
      addTerms(terms, op->getOperand(0), *source, values);
      return;
    }
  }
  ElementKey key{mask.getAsOpaquePointer(), coordinates};
  if (matchPattern(mask, m_One()))
    return;
  auto compare = dyn_cast<arith::CmpIOp>(op);
  if (strideOf(mask, coordinates, values) == 0)
    terms.guards.insert({key, {mask, coordinates, terms.size()}});
  else if (compare && isRisingBelow(compare, coordinates, values))
    terms.extents.insert({key, {mask, coordinates, terms.size()}});
  else if (compare && isRisingAbove(compare, coordinates, values))
    terms.floors.insert({key, {mask, coordinates, terms.size()}});
}

Coordinates withoutUniform(Value value, Coordinates coordinates, ProgramValues &values) {
  for (size_t i = 0; i < coordinates.size(); ++i) {
    if (coordinates[i].kind != Coordinate::Kind::Counter)
      continue;
    Coordinates along(coordinates.size(), {Coordinate::Kind::Counter, {}, 0});
    along[i].kind = Coordinate::Kind::Lanes;
    if (strideOf(value, along, values) == 0)
      coordinates[i] = {};
  }
  return coordinates;
}

void addWrap(MaskTerms &terms, Value value, const Coordinates &coordinates, ProgramValues &values) {
  Operation *op = value.getDefiningOp();
  if (op && isa<arith::RemSIOp, arith::RemUIOp>(op) && !values.bufferOf(value) &&
      strideOf(op->getOperand(0), coordinates, values) == 1 &&
      strideOf(op->getOperand(1), coordinates, values) == 0)
    terms.wraps.insert(
        {{value.getAsOpaquePointer(), coordinates}, {value, coordinates, terms.size()}});
}

Value emitExtent(OpBuilder &builder, Location location, Evaluator &evaluator,
                 const MaskTerms &terms, int64_t size, bool withFloors) {
  return ExtentBuilder(builder, location, evaluator, size).extentOf(terms, withFloors);
}

} // namespace inlay::tile_to_cpu
