#include "compiler/conversions/tile-to-cpu/Nest.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

/// Every tile value a nest evaluates, with the coordinates it is evaluated at, operands before
/// users.
class Closure {
public:
  Closure(ProgramValues &values, ArrayRef<Root> roots, const Coordinates &coordinates)
      : values_(values) {
    for (Root root : roots) {
      if (!root.store) {
        visit(root.tile, coordinates);
        continue;
      }
      for (Value operand : root.store->getOperands())
        visit(operand, coordinates);
      addMask(root.store.getMask(), coordinates);
      accesses_.push_back({root.store.getPtr(), coordinates});
    }
  }

  struct Element {
    Value value;
    Coordinates coordinates;
  };
  ArrayRef<Element> elements() const { return elements_; }
  /// Pointers of loads and stores.
  ArrayRef<Element> accesses() const { return accesses_; }
  ArrayRef<Element> masks() const { return masks_; }

private:
  void addMask(Value mask, const Coordinates &coordinates) {
    if (mask)
      masks_.push_back({mask, coordinates});
  }

  void visit(Value value, const Coordinates &coordinates) {
    if (!isa<RankedTensorType>(value.getType()) ||
        !seen_.insert({value.getAsOpaquePointer(), coordinates}).second)
      return;
    Operation *op = value.getDefiningOp();
    if (op && !values_.bufferOf(value)) {
      if (isShapeOp(op)) {
        // Under a reshape that mixes dimensions, coordinates are unknown here: take none for
        // uniform.
        Coordinates mixed(cast<RankedTensorType>(op->getOperand(0).getType()).getRank(),
                          {Coordinate::Kind::Vector, {}, 0});
        visit(op->getOperand(0), sourceCoordinates(op, coordinates).value_or(mixed));
      } else {
        for (Value operand : op->getOperands())
          visit(operand, coordinates);
      }
      if (auto load = dyn_cast<tile::LoadOp>(op)) {
        addMask(load.getMask(), coordinates);
        accesses_.push_back({load.getPtr(), coordinates});
      }
    }
    elements_.push_back({value, coordinates});
  }

  ProgramValues &values_;
  std::set<ElementKey> seen_;
  SmallVector<Element> elements_, accesses_, masks_;
};

/// A condition of a mask that holds for positions 0 <= c < extent of the vectorised dimension.
struct Term {
  Value value;
  Coordinates coordinates;
};

struct MaskTerms {
  std::map<ElementKey, Term> extents; ///< comparison of a rising index with a uniform bound
  std::map<ElementKey, Term> guards;  ///< uniform along the vectorised dimension
  bool isComplete = true;             ///< the mask is the conjunction of these terms
};

class NestBuilder {
public:
  NestBuilder(OpBuilder &builder, Location location, ProgramValues &values, ArrayRef<Root> roots,
              const TileToCpuOptions &options)
      : builder_(builder), location_(location), values_(values), roots_(roots.begin(), roots.end()),
        options_(options), shape_(roots_[0].type().getShape()), evaluator_(values, builder, 1) {}

  void emit() {
    chooseVectorDimension();
    chooseWidth();
    Coordinates coordinates(shape_.size());
    emitLoops(0, coordinates);
  }

private:
  Coordinates analysisCoordinates(size_t dimension) const {
    Coordinates coordinates(shape_.size());
    for (size_t i = 0; i < shape_.size(); ++i)
      if (shape_[i] != 1)
        coordinates[i].kind = i == dimension ? Coordinate::Kind::Lanes : Coordinate::Kind::Counter;
    return coordinates;
  }

  /// The dimension along which most accesses are contiguous; the last of the best.
  void chooseVectorDimension() {
    int best = -1;
    for (size_t i = 0; i < shape_.size(); ++i) {
      if (shape_[i] == 1)
        continue;
      int score = 0;
      Closure closure(values_, roots_, analysisCoordinates(i));
      for (const auto &[pointer, coordinates] : closure.accesses()) {
        auto type = cast<tile::PointerType>(tile::elementTypeOf(pointer.getType()));
        std::optional<int64_t> stride = strideOf(pointer, coordinates, values_);
        score += stride == static_cast<int64_t>(memoryBytesOf(type.getElementType())) ? 2
                 : stride == 0                                                        ? 1
                                                                                      : 0;
      }
      if (score >= best) {
        best = score;
        dimension_ = i;
      }
    }
  }

  /// Two vector registers of the widest type that is held in vectors.
  void chooseWidth() {
    width_ = 1;
    if (dimension_ == kNone)
      return;
    unsigned widest = 1;
    auto consider = [&](Type type) {
      widest = std::max(widest, memoryBytesOf(tile::elementTypeOf(type)));
    };
    Closure closure(values_, roots_, analysisCoordinates(dimension_));
    for (const auto &[value, coordinates] : closure.elements())
      if (!strideOf(value, coordinates, values_) &&
          !isa<tile::PointerType>(tile::elementTypeOf(value.getType())))
        consider(value.getType());
    for (Root &root : roots_)
      consider(root.type());
    uint64_t lanes = 2 * options_.vectorBytes / std::max(widest, 2u);
    width_ = std::min<uint64_t>(lanes, shape_[dimension_]);
  }

  Value i64(int64_t value) {
    return integerConstant(builder_, location_, builder_.getI64Type(), value);
  }

  /// Loops over the other dimensions, outermost first, then the vectorised one.
  void emitLoops(size_t dimension, Coordinates &coordinates) {
    if (dimension == shape_.size()) {
      emitInnermost(coordinates);
      return;
    }
    if (shape_[dimension] == 1 || dimension == dimension_) {
      emitLoops(dimension + 1, coordinates);
      return;
    }
    auto loop = scf::ForOp::create(builder_, location_, i64(0), i64(shape_[dimension]), i64(1));
    evaluator_.enterLoop(loop, loop.getBody());
    builder_.setInsertionPoint(loop.getBody()->getTerminator());
    coordinates[dimension] = {Coordinate::Kind::Counter, loop.getInductionVar(),
                              evaluator_.level()};
    emitLoops(dimension + 1, coordinates);
    coordinates[dimension] = {};
    evaluator_.leaveLoop();
  }

  void emitInnermost(Coordinates &coordinates) {
    if (dimension_ == kNone) {
      emitRoots(coordinates);
      return;
    }
    collectTerms(coordinates);
    Value size = i64(shape_[dimension_]);
    if (all_.extents.empty() && all_.guards.empty()) {
      emitSteps(coordinates, i64(0), size, width_, {});
      return;
    }
    // All conditions hold for c < full; no root does anything for c >= active.
    Value full = arith::AndIOp::create(builder_, location_, extentOf(all_),
                                       i64(-static_cast<int64_t>(width_)));
    Value active = activeExtent();
    std::set<ElementKey> assumed;
    for (const auto *terms : {&all_.extents, &all_.guards})
      for (const auto &[key, term] : *terms)
        assumed.insert(key);
    emitSteps(coordinates, i64(0), full, width_, assumed);
    bool oneByOne = !options_.hasMaskedAccess && haveSameTerms_;
    emitSteps(coordinates, full, active, oneByOne ? 1 : width_, {});
  }

  /// for c from `begin` to `end` by `width`: the roots.
  void emitSteps(Coordinates &coordinates, Value begin, Value end, unsigned width,
                 std::set<ElementKey> assumed) {
    auto loop = scf::ForOp::create(builder_, location_, begin, end, i64(width));
    evaluator_.enterLoop(loop, loop.getBody());
    builder_.setInsertionPoint(loop.getBody()->getTerminator());
    coordinates[dimension_] = {width == 1 ? Coordinate::Kind::Counter : Coordinate::Kind::Lanes,
                               loop.getInductionVar(), evaluator_.level()};
    // Conditions were collected at analysis coordinates of this dimension: name them by the real
    // ones.
    std::set<ElementKey> conditions;
    for (const ElementKey &key : assumed) {
      Coordinates real = key.second;
      for (Coordinate &coordinate : real)
        if (coordinate.kind == Coordinate::Kind::Lanes)
          coordinate = coordinates[dimension_];
      conditions.insert({key.first, real});
    }
    evaluator_.setWidth(width);
    evaluator_.assumeTrue(std::move(conditions));
    emitRoots(coordinates);
    coordinates[dimension_] = {};
    evaluator_.leaveLoop();
  }

  /// In program order: the loads that feed the roots, at the roots' own coordinates, and the
  /// stores.
  void emitRoots(const Coordinates &coordinates) {
    Closure closure(values_, roots_, coordinates);
    SmallVector<std::pair<Operation *, Coordinates>> loads;
    for (const auto &[value, at] : closure.elements())
      if (auto load = value.getDefiningOp<tile::LoadOp>();
          load && !values_.bufferOf(value) && hasReal(at))
        loads.push_back({load, at});
    for (Root &root : roots_) {
      if (!root.store) {
        evaluator_.storeToBuffer(root.tile, root.buffer, coordinates);
        continue;
      }
      for (const auto &[load, at] : loads)
        if (load->getBlock() != root.store->getBlock() || load->isBeforeInBlock(root.store))
          evaluator_.lanes(load->getResult(0), at);
      evaluator_.store(root.store, coordinates);
    }
  }

  /// False for the coordinates under a reshape that mixes dimensions, which only the evaluator
  /// computes.
  static bool hasReal(const Coordinates &coordinates) {
    return llvm::none_of(coordinates, [](const Coordinate &coordinate) {
      return coordinate.kind == Coordinate::Kind::Vector && !coordinate.value;
    });
  }

  void collectTerms(const Coordinates &outer) {
    Coordinates coordinates = outer;
    coordinates[dimension_] = {Coordinate::Kind::Lanes, {}, 0};
    all_ = {};
    stores_.clear();
    Closure closure(values_, roots_, coordinates);
    for (const auto &[mask, at] : closure.masks())
      if (hasReal(at))
        addTerms(all_, mask, at);
    haveSameTerms_ = true;
    for (Root &root : roots_) {
      MaskTerms terms;
      if (root.store && root.store.getMask())
        addTerms(terms, root.store.getMask(), coordinates);
      haveSameTerms_ &=
          terms.extents.size() == all_.extents.size() && terms.guards.size() == all_.guards.size();
      stores_.push_back(std::move(terms));
    }
  }

  void addTerms(MaskTerms &terms, Value mask, const Coordinates &coordinates) {
    Operation *op = mask.getDefiningOp();
    if (!isa<RankedTensorType>(mask.getType()) || !op || values_.bufferOf(mask)) {
      terms.isComplete = false;
      return;
    }
    if (isa<arith::AndIOp>(op)) {
      addTerms(terms, op->getOperand(0), coordinates);
      addTerms(terms, op->getOperand(1), coordinates);
      return;
    }
    if (isShapeOp(op)) {
      if (std::optional<Coordinates> source = sourceCoordinates(op, coordinates)) {
        addTerms(terms, op->getOperand(0), *source);
        return;
      }
    }
    ElementKey key{mask.getAsOpaquePointer(), coordinates};
    if (matchPattern(mask, m_One()))
      return;
    if (strideOf(mask, coordinates, values_) == 0)
      terms.guards.insert({key, {mask, coordinates}});
    else if (auto compare = dyn_cast<arith::CmpIOp>(op);
             compare && isRisingBelow(compare, coordinates))
      terms.extents.insert({key, {mask, coordinates}});
    else
      terms.isComplete = false;
  }

  /// `index < bound`, `index <= bound` or the mirrored form, where the index rises by one and the
  /// bound is uniform.
  bool isRisingBelow(arith::CmpIOp compare, const Coordinates &coordinates) {
    using Predicate = arith::CmpIPredicate;
    std::optional<int64_t> lhs = strideOf(compare.getLhs(), coordinates, values_);
    std::optional<int64_t> rhs = strideOf(compare.getRhs(), coordinates, values_);
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

  /// Number of positions from 0 on for which the comparison holds, unclamped.
  Value extentOf(const Term &term) {
    using Predicate = arith::CmpIPredicate;
    auto compare = term.value.getDefiningOp<arith::CmpIOp>();
    Predicate predicate = compare.getPredicate();
    bool mirrored = predicate == Predicate::sgt || predicate == Predicate::sge ||
                    predicate == Predicate::ugt || predicate == Predicate::uge;
    bool isSigned = predicate == Predicate::slt || predicate == Predicate::sle ||
                    predicate == Predicate::sgt || predicate == Predicate::sge;
    bool inclusive = predicate == Predicate::sle || predicate == Predicate::sge ||
                     predicate == Predicate::ule || predicate == Predicate::uge;
    Coordinates first = term.coordinates;
    for (Coordinate &coordinate : first)
      if (!coordinate.isUniform())
        coordinate = {};
    Value index = evaluator_.scalar(mirrored ? compare.getRhs() : compare.getLhs(), first);
    Value bound = evaluator_.scalar(mirrored ? compare.getLhs() : compare.getRhs(), first);
    return boundedDistance(index, bound, isSigned, inclusive);
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
    auto predicate = isSigned ? (inclusive ? arith::CmpIPredicate::sle : arith::CmpIPredicate::slt)
                              : (inclusive ? arith::CmpIPredicate::ule : arith::CmpIPredicate::ult);
    Value holds = arith::CmpIOp::create(builder_, location_, predicate, index, bound);
    Value distance = arith::SubIOp::create(builder_, location_, bound, index);
    Value limited = arith::MinUIOp::create(builder_, location_, distance, i64(shape_[dimension_]));
    return arith::SelectOp::create(builder_, location_, holds,
                                   arith::AddIOp::create(builder_, location_, limited, one),
                                   i64(0));
  }

  /// The common extent of the terms, within 0 … the dimension's size.
  Value extentOf(const MaskTerms &terms) {
    Value extent = i64(shape_[dimension_]);
    for (const Term *term : ordered(terms.extents))
      extent = arith::MinSIOp::create(builder_, location_, extent, extentOf(*term));
    if (!terms.extents.empty())
      extent = arith::MaxSIOp::create(builder_, location_, extent, i64(0));
    for (const Term *term : ordered(terms.guards)) {
      Coordinates first = term->coordinates;
      for (Coordinate &coordinate : first)
        if (!coordinate.isUniform())
          coordinate = {};
      extent = arith::SelectOp::create(builder_, location_, evaluator_.scalar(term->value, first),
                                       extent, i64(0));
    }
    return extent;
  }

  /// Terms in the order of their ops in the kernel, so that the output does not depend on
  /// addresses.
  std::vector<const Term *> ordered(const std::map<ElementKey, Term> &terms) {
    std::vector<const Term *> result;
    for (const auto &[key, term] : terms)
      result.push_back(&term);
    llvm::sort(result, [](const Term *a, const Term *b) {
      Operation *first = a->value.getDefiningOp(), *second = b->value.getDefiningOp();
      return first != second && first->getBlock() == second->getBlock() &&
             first->isBeforeInBlock(second);
    });
    return result;
  }

  Value activeExtent() {
    Value active;
    for (const MaskTerms &terms : stores_) {
      Value extent = extentOf(terms);
      active = active ? Value(arith::MaxSIOp::create(builder_, location_, active, extent)) : extent;
    }
    return active;
  }

  static constexpr size_t kNone = ~size_t(0);
  OpBuilder &builder_;
  Location location_;
  ProgramValues &values_;
  SmallVector<Root> roots_;
  const TileToCpuOptions &options_;
  ArrayRef<int64_t> shape_;
  Evaluator evaluator_;
  size_t dimension_ = kNone; ///< the vectorised one
  unsigned width_ = 1;
  MaskTerms all_;
  std::vector<MaskTerms> stores_; ///< by root
  bool haveSameTerms_ = true;
};

} // namespace

void emitNest(OpBuilder &builder, Location location, ProgramValues &values, ArrayRef<Root> roots,
              const TileToCpuOptions &options) {
  NestBuilder(builder, location, values, roots, options).emit();
}

} // namespace inlay::tile_to_cpu
