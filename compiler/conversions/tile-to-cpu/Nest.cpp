#include "compiler/conversions/tile-to-cpu/Closure.h"
#include "compiler/conversions/tile-to-cpu/Combination.h"
#include "compiler/conversions/tile-to-cpu/MaskTerms.h"
#include "compiler/conversions/tile-to-cpu/NextIteration.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

class NestBuilder {
public:
  NestBuilder(OpBuilder &builder, Location location, ProgramValues &values, ArrayRef<Root> roots,
              const TileToCpuOptions &options)
      : builder_(builder), location_(location), values_(values), roots_(roots.begin(), roots.end()),
        options_(options), shape_(roots_[0].type().getShape()),
        evaluator_(values, builder, 1, options.hasMaskedAccess) {
    for (Root &root : roots_)
      if (root.reduce) {
        reduction_ = &root;
        combination_.emplace(root.reduce.getCombine().front());
        axis_ = root.reduce.getAxis();
      }
  }

  SmallVector<Value> emit() {
    chooseVectorDimension();
    chooseWidth();
    chooseTransposition();
    // Inside the others comes the reduced dimension, so that it goes over one row of accumulators.
    for (size_t i = 0; i < shape_.size(); ++i)
      if (shape_[i] != 1 && i != dimension_ && i != axis_)
        order_.push_back(i);
    if (axis_ != kNone && axis_ != dimension_ && shape_[axis_] != 1)
      order_.push_back(axis_);
    if (transposes_) // the last dimension is next to the lanes already
      rows_.resize(width_);
    Coordinates coordinates(shape_.size());
    zero_ = i64(0);
    if (auto load = packedLoad())
      distanceToNext_ = emitDistanceToNext(builder_, load, values_);
    emitLoops(0, coordinates);
    return results_;
  }

private:
  bool isScalarReduction() const { return reduction_ && reduction_->buffers.empty(); }

  Coordinates analysisCoordinates(size_t dimension) const {
    Coordinates coordinates(shape_.size());
    for (size_t i = 0; i < shape_.size(); ++i)
      if (shape_[i] != 1)
        coordinates[i].kind = i == dimension ? Coordinate::Kind::Lanes : Coordinate::Kind::Counter;
    return coordinates;
  }

  /// How well accesses at the coordinates go with lanes: 2 where they follow each other in memory,
  /// 1 where all are one, for each access.
  int scoreOf(const Coordinates &at) {
    values_.strides.clear();
    values_.ignoresWraps = true;
    llvm::scope_exit reset([&] {
      values_.strides.clear();
      values_.ignoresWraps = false;
    });
    int score = 1;
    Closure closure(values_, roots_, at);
    for (const auto &[pointer, coordinates] : closure.accesses()) {
      auto type = cast<tile::PointerType>(tile::elementTypeOf(pointer.getType()));
      std::optional<int64_t> stride = strideOf(pointer, coordinates, values_);
      score += stride == static_cast<int64_t>(memoryBytesOf(type.getElementType())) ? 2
               : stride == 0                                                        ? 1
                                                                                    : 0;
    }
    for (const auto &[value, coordinates] : closure.elements()) {
      if (!values_.bufferOf(value))
        continue;
      const Coordinate *last = nullptr;
      bool isUniform = true;
      for (auto [coordinate, size] :
           llvm::zip(coordinates, cast<RankedTensorType>(value.getType()).getShape())) {
        isUniform &= coordinate.isUniform();
        if (size != 1)
          last = &coordinate;
      }
      score += isUniform ? 1 : last && last->kind == Coordinate::Kind::Lanes ? 2 : 0;
    }
    return score;
  }

  /// The dimension along which most accesses are contiguous, unless it is too small to fill lanes;
  /// the last of the best.
  void chooseVectorDimension() {
    if (roots_[0].mergesLast) { // elements of other dimensions do not follow each other in a panel
      dimension_ = shape_.size() - 1;
      return;
    }
    // Lanes along the reduced dimension combine its elements out of order, or at a price.
    bool avoidsAxis = reduction_ && !combination_->isUnordered();
    int64_t best = 0;
    for (size_t i = 0; i < shape_.size(); ++i) {
      if (shape_[i] == 1)
        continue;
      int64_t score = scoreOf(analysisCoordinates(i)) * std::min<int64_t>(shape_[i], 16);
      if (avoidsAxis && i == axis_)
        score = 1;
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
      consider(root.packedType ? root.packedType : Type(root.type()));
    uint64_t lanes = 2 * options_.vectorBytes / std::max(widest, 2u);
    width_ = std::min<uint64_t>(lanes, shape_[dimension_]);
  }

  /// Lanes along the rows of an operand that is packed by columns would be stored one by one: as
  /// many rows as there are lanes are turned over in registers instead.
  void chooseTransposition() {
    const Root &root = roots_[0];
    const size_t rank = shape_.size();
    if (roots_.size() != 1 || !root.packedType || rank < 2 || dimension_ != rank - 2 ||
        root.mergesLast)
      return;
    const int64_t lanes = options_.vectorBytes / memoryBytesOf(root.packedType);
    transposes_ = lanes > 1 && shape_[rank - 2] >= lanes && shape_[rank - 1] >= lanes &&
                  (root.panel == 0 || root.panel >= lanes);
    if (transposes_)
      width_ = lanes;
  }

  Value i64(int64_t value) {
    return integerConstant(builder_, location_, builder_.getI64Type(), value);
  }

  /// How far the loop along the dimension has to go, in whole steps.
  Value neededSize(size_t dimension, int64_t step) {
    ArrayRef<Value> extents = roots_[0].extents;
    if (extents.empty() || !extents[dimension])
      return i64(shape_[dimension]);
    return roundUp(builder_, location_, extents[dimension], step);
  }

  /// Loops over the other dimensions, outermost first, then the vectorised one.
  void emitLoops(size_t depth, Coordinates &coordinates) {
    if (depth == order_.size()) {
      emitInnermost(coordinates);
      return;
    }
    size_t dimension = order_[depth];
    int64_t begin = 0;
    if (dimension == axis_) {
      // The first elements become the accumulators.
      startsAccumulators_ = true;
      emitLoops(depth + 1, coordinates);
      startsAccumulators_ = false;
      begin = 1;
    }
    const bool takesRows = transposes_ && dimension == shape_.size() - 1;
    const int64_t step = takesRows ? width_ : 1;
    auto loop =
        scf::ForOp::create(builder_, location_, i64(begin), neededSize(dimension, step), i64(step));
    evaluator_.enterLoop(loop, loop.getBody());
    builder_.setInsertionPoint(loop.getBody()->getTerminator());
    coordinates[dimension] = {Coordinate::Kind::Counter, loop.getInductionVar(),
                              evaluator_.level()};
    if (takesRows)
      for (auto [number, row] : llvm::enumerate(rows_)) {
        row = coordinates[dimension];
        if (number > 0)
          row.value = arith::AddIOp::create(builder_, location_, row.value, i64(number));
      }
    emitLoops(depth + 1, coordinates);
    coordinates[dimension] = {};
    evaluator_.leaveLoop();
  }

  void emitInnermost(Coordinates &coordinates) {
    accumulators_.clear();
    if (dimension_ == kNone) {
      evaluator_.setWidth(1);
      emitRoots(coordinates);
      finishReduction(coordinates);
      return;
    }
    collectTerms(coordinates);
    if (isOneStep()) {
      coordinates[dimension_] = {Coordinate::Kind::Lanes, zero_, 0};
      evaluator_.setWidth(width_);
      emitRoots(coordinates);
      coordinates[dimension_] = {};
      return;
    }
    int64_t first = 0;
    if (reduction_ && dimension_ == axis_) {
      if (combination_->isUnordered()) {
        setAccumulators(combination_->neutral(builder_, location_, width_));
      } else {
        coordinates[dimension_] = {Coordinate::Kind::Lanes, i64(0), evaluator_.level()};
        evaluator_.setWidth(width_);
        emitRoots(coordinates);
        coordinates[dimension_] = {};
        first = width_;
      }
    }
    Value begin = i64(first), size = neededSize(dimension_, width_);
    if (all_.extents.empty() && all_.guards.empty() && all_.floors.empty() && all_.wraps.empty()) {
      emitSteps(coordinates, begin, size, width_, {});
    } else {
      // All conditions hold for c < full; no root does anything for c >= active.
      Value full = arith::AndIOp::create(builder_, location_, extentOf(all_, /*withFloors=*/true),
                                         i64(-static_cast<int64_t>(width_)));
      if (first != 0)
        full = arith::MaxSIOp::create(builder_, location_, full, begin);
      Value active = activeExtent();
      if (!roots_[0].extents.empty()) {
        full = arith::MinSIOp::create(builder_, location_, full, size);
        active = arith::MinSIOp::create(builder_, location_, active, size);
      }
      std::set<ElementKey> assumed;
      for (const auto *terms : {&all_.extents, &all_.guards, &all_.floors})
        for (const auto &[key, term] : *terms)
          assumed.insert(key);
      for (const auto &[key, term] : all_.wraps)
        assumed.insert(key);
      emitSteps(coordinates, begin, full, width_, assumed);
      // Accumulators that are vectors take vectors only.
      bool hasVectorAccumulators = reduction_ && dimension_ == axis_ && combination_->isUnordered();
      bool oneByOne = !options_.hasMaskedAccess && haveSameTerms_ && !hasVectorAccumulators;
      emitSteps(coordinates, full, active, oneByOne ? 1 : width_, {});
    }
    if (dimension_ == axis_)
      finishReduction(coordinates);
  }

  /// A tile that is written in one step needs no loop, and its masks none of their own: they are
  /// cheaper than to find out where they hold, unless a remainder might wrap. What depends on the
  /// lanes only is computed once.
  bool isOneStep() {
    return roots_.size() == 1 && roots_[0].tile && options_.hasMaskedAccess && !transposes_ &&
           width_ == shape_[dimension_] && all_.wraps.empty();
  }

  /// for c from `begin` to `end` by `width`: the roots.
  void emitSteps(Coordinates &coordinates, Value begin, Value end, unsigned width,
                 std::set<ElementKey> assumed) {
    auto loop = scf::ForOp::create(builder_, location_, begin, end, i64(width), accumulators_);
    Block *body = loop.getBody();
    if (!accumulators_.empty()) {
      builder_.setInsertionPointToEnd(body);
      scf::YieldOp::create(builder_, location_, accumulators_);
    }
    evaluator_.enterLoop(loop, body);
    builder_.setInsertionPoint(body->getTerminator());
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
      if (all_.wraps.contains(key))
        values_.unwrapped.insert({key.first, real});
      else
        conditions.insert({key.first, real});
    }
    evaluator_.setWidth(width);
    evaluator_.assumeTrue(std::move(conditions));
    accumulators_.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
    emitRoots(coordinates);
    body->getTerminator()->setOperands(accumulators_);
    accumulators_.assign(loop.getResults().begin(), loop.getResults().end());
    coordinates[dimension_] = {};
    evaluator_.leaveLoop();
  }

  /// In program order: the loads that feed the roots, at the roots' own coordinates, and the
  /// stores.
  void emitRoots(const Coordinates &coordinates) {
    if (transposes_) {
      emitTransposed(coordinates);
      return;
    }
    Closure closure(values_, roots_, coordinates);
    SmallVector<std::pair<Operation *, Coordinates>> loads;
    for (const auto &[value, at] : closure.elements())
      if (auto load = value.getDefiningOp<tile::LoadOp>();
          load && !values_.bufferOf(value) && Closure::hasReal(at))
        loads.push_back({load, at});
    // Before the first write: a buffer may be that of a tile which the others read.
    SmallVector<std::pair<Root *, Value>> tiles;
    for (Root &root : roots_)
      if (root.tile)
        tiles.push_back({&root, evaluator_.lanes(root.tile, coordinates)});
    prefetchNext(coordinates);
    for (auto [root, value] : tiles) {
      if (root->interleaved)
        evaluator_.storeInterleaved(root->type(), value,
                                    evaluator_.lanes(root->interleaved, coordinates), root->buffer,
                                    coordinates);
      else
        emitTile(*root, value, coordinates);
    }
    for (Root &root : roots_) {
      if (root.reduce)
        emitReduction(coordinates);
      if (!root.store)
        continue;
      for (const auto &[load, at] : loads)
        if (load->getBlock() != root.store->getBlock() || load->isBeforeInBlock(root.store))
          evaluator_.lanes(load->getResult(0), at);
      evaluator_.store(root.store, coordinates);
    }
  }

  /// The load whose elements are packed, or null.
  tile::LoadOp packedLoad() {
    const bool isPacked = roots_.size() == 1 && roots_[0].packedType;
    return isPacked && !values_.bufferOf(roots_[0].tile)
               ? roots_[0].tile.getDefiningOp<tile::LoadOp>()
               : tile::LoadOp();
  }

  /// What is packed is read once; the next piece of it can be fetched while this one is multiplied.
  void prefetchNext(const Coordinates &coordinates) {
    if (distanceToNext_ && evaluator_.width() > 1)
      evaluator_.prefetch(packedLoad(), distanceToNext_, coordinates);
  }

  /// As many rows as lanes; each of the vectors stored holds one lane of all of them.
  void emitTransposed(const Coordinates &coordinates) {
    Root &root = roots_[0];
    const size_t last = shape_.size() - 1;
    SmallVector<Value> rows;
    for (const Coordinate &row : rows_) {
      Coordinates at = coordinates;
      at[last] = row;
      prefetchNext(at);
      rows.push_back(
          extendTo(builder_, location_, evaluator_.lanes(root.tile, at), root.packedType));
    }
    for (auto [lane, column] : llvm::enumerate(transposed(rows))) {
      Coordinates at = coordinates;
      at[last].kind = Coordinate::Kind::Lanes;
      at[dimension_].kind = Coordinate::Kind::Counter;
      if (lane > 0)
        at[dimension_].value =
            arith::AddIOp::create(builder_, location_, at[dimension_].value, i64(lane));
      emitTile(root, column, at);
    }
  }

  /// Lane j of vector i becomes lane i of vector j: each step interleaves the first half of the
  /// vectors with the second.
  SmallVector<Value> transposed(SmallVector<Value> vectors) {
    const int64_t count = vectors.size();
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < count / 2; ++lane) {
      low.append({lane, lane + count});
      high.append({lane + count / 2, lane + count / 2 + count});
    }
    for (int64_t step = 1; step < count; step *= 2) {
      SmallVector<Value> next;
      for (int64_t i = 0; i < count / 2; ++i)
        for (ArrayRef<int64_t> order : {ArrayRef<int64_t>(low), ArrayRef<int64_t>(high)})
          next.push_back(vector::ShuffleOp::create(builder_, location_, vectors[i],
                                                   vectors[i + count / 2], order));
      vectors = std::move(next);
    }
    return vectors;
  }

  void emitTile(const Root &root, Value value, Coordinates coordinates) {
    auto type = cast<RankedTensorType>(root.tile.getType());
    if (root.packedType) {
      value = extendTo(builder_, location_, value, root.packedType);
      type = type.clone(root.packedType);
    }
    if (root.mergesLast)
      type = mergeLast(type, coordinates);
    if (root.panel != 0) {
      SmallVector<int64_t> shape(type.getShape());
      shape.back() /= root.panel;
      std::swap(shape.back(), shape[shape.size() - 2]);
      shape.push_back(root.panel);
      type = type.clone(shape);
      // Lanes begin at multiples of their number and never leave a panel.
      Coordinate column = coordinates.back(), panel = column;
      if (column.value) {
        panel.kind = Coordinate::Kind::Counter;
        panel.value = arith::ShRUIOp::create(builder_, location_, column.value,
                                             i64(llvm::Log2_64(root.panel)));
        column.value =
            arith::AndIOp::create(builder_, location_, column.value, i64(root.panel - 1));
      }
      coordinates.back() = panel;
      std::swap(coordinates.back(), coordinates[coordinates.size() - 2]);
      coordinates.push_back(column);
    }
    evaluator_.storeToBuffer(type, value, root.buffer, coordinates);
  }

  /// The type with its last two dimensions as one, and so the coordinates.
  RankedTensorType mergeLast(RankedTensorType type, Coordinates &coordinates) {
    SmallVector<int64_t> shape(type.getShape());
    const int64_t size = shape.pop_back_val();
    shape.back() *= size;
    Coordinate column = coordinates.back();
    coordinates.pop_back();
    if (Value row = coordinates.back().value) {
      row = arith::MulIOp::create(builder_, location_, row, i64(size));
      column.value =
          column.value ? Value(arith::AddIOp::create(builder_, location_, row, column.value)) : row;
      if (column.kind == Coordinate::Kind::Zero)
        column.kind = Coordinate::Kind::Counter;
      column.level = std::max(column.level, coordinates.back().level);
    }
    coordinates.back() = column;
    return type.clone(shape);
  }

  /// Combines the elements at the coordinates with the accumulators: values carried by the
  /// innermost loop if that goes along the reduced dimension, else rows in the buffers of the
  /// results.
  void emitReduction(const Coordinates &coordinates) {
    tile::ReduceOp reduce = reduction_->reduce;
    SmallVector<Value> elements = llvm::map_to_vector(
        reduce.getSources(), [&](Value source) { return evaluator_.lanes(source, coordinates); });
    unsigned width = evaluator_.width();
    if (dimension_ == axis_ || isScalarReduction()) {
      if (!combination_->isUnordered())
        elements = combination_->emitAcrossLanes(builder_, location_, elements, width);
      if (!accumulators_.empty())
        elements = combination_->emit(builder_, accumulators(), elements,
                                      combination_->isUnordered() ? width : 1);
      setAccumulators(elements);
      return;
    }
    Coordinates kept = coordinates;
    kept.erase(kept.begin() + axis_);
    auto type = [&](unsigned index) { return cast<RankedTensorType>(reduce.getType(index)); };
    if (!startsAccumulators_ && shape_[axis_] != 1) {
      SmallVector<Value> earlier;
      for (auto [index, buffer] : llvm::enumerate(reduction_->buffers))
        earlier.push_back(evaluator_.loadFromBuffer(type(index), buffer, kept));
      elements = combination_->emit(builder_, earlier, elements, width);
    }
    for (auto [index, buffer] : llvm::enumerate(reduction_->buffers))
      evaluator_.storeToBuffer(type(index), elements[index], buffer, kept);
  }

  /// Behind the innermost loop along the reduced dimension: its accumulators are the result.
  void finishReduction(const Coordinates &coordinates) {
    if (accumulators_.empty())
      return;
    SmallVector<Value> elements = accumulators();
    if (combination_->isUnordered())
      elements = combination_->emitAcrossLanes(builder_, location_, elements, width_);
    if (isScalarReduction()) {
      results_ = elements;
      return;
    }
    Coordinates kept = coordinates;
    kept.erase(kept.begin() + axis_);
    evaluator_.setWidth(1);
    for (auto [index, buffer] : llvm::enumerate(reduction_->buffers))
      evaluator_.storeToBuffer(cast<RankedTensorType>(reduction_->reduce.getType(index)),
                               elements[index], buffer, kept);
  }

  /// Loops carry accumulators in the types that memory holds.
  void setAccumulators(ValueRange elements) {
    accumulators_ = llvm::map_to_vector(
        elements, [&](Value element) { return toMemory(builder_, location_, element); });
  }
  SmallVector<Value> accumulators() {
    SmallVector<Value> elements;
    for (auto [value, source] : llvm::zip(accumulators_, reduction_->reduce.getSources()))
      elements.push_back(
          fromMemory(builder_, location_, value, tile::elementTypeOf(source.getType())));
    return elements;
  }

  void addTermsAt(const Coordinates &coordinates) {
    Closure closure(values_, roots_, coordinates);
    for (const auto &[mask, at] : closure.masks())
      if (Closure::hasReal(at))
        addTerms(all_, mask, at, values_);
    for (const auto &[value, at] : closure.elements())
      if (Closure::hasReal(at))
        addWrap(all_, value, at, values_);
  }

  void collectTerms(const Coordinates &outer) {
    Coordinates coordinates = outer;
    coordinates[dimension_] = {Coordinate::Kind::Lanes, {}, 0};
    all_ = {};
    stores_.clear();
    addTermsAt(coordinates);
    for (const Coordinate &row : rows_) {
      Coordinates at = coordinates;
      at.back() = row;
      addTermsAt(at);
    }
    haveSameTerms_ = true;
    for (Root &root : roots_) {
      MaskTerms terms;
      if (root.store && root.store.getMask())
        addTerms(terms, root.store.getMask(), coordinates, values_);
      haveSameTerms_ &= terms.extents.size() == all_.extents.size() &&
                        terms.guards.size() == all_.guards.size() &&
                        terms.floors.size() == all_.floors.size();
      stores_.push_back(std::move(terms));
    }
  }

  Value extentOf(const MaskTerms &terms, bool withFloors) {
    return emitExtent(builder_, location_, evaluator_, terms, shape_[dimension_], withFloors);
  }

  Value activeExtent() {
    Value active;
    for (const MaskTerms &terms : stores_) {
      Value extent = extentOf(terms, /*withFloors=*/false);
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
  size_t dimension_ = kNone;  ///< the vectorised one
  SmallVector<size_t> order_; ///< the others, outermost first
  unsigned width_ = 1;
  Value zero_;                   ///< i64 0 in front of the nest
  Value distanceToNext_;         ///< see prefetchNext, or null
  bool transposes_ = false;      ///< see chooseTransposition
  SmallVector<Coordinate> rows_; ///< then those of the last dimension that are at hand
  MaskTerms all_;
  std::vector<MaskTerms> stores_; ///< by root
  bool haveSameTerms_ = true;

  Root *reduction_ = nullptr;
  std::optional<Combination> combination_; ///< of the reduction
  size_t axis_ = kNone;                    ///< the reduced dimension
  bool startsAccumulators_ = false; ///< the elements at hand are the first of the reduced dimension
  SmallVector<Value> accumulators_; ///< that the innermost loop carries
  SmallVector<Value> results_;
};

} // namespace

SmallVector<Value> emitNest(OpBuilder &builder, Location location, ProgramValues &values,
                            ArrayRef<Root> roots, const TileToCpuOptions &options) {
  return NestBuilder(builder, location, values, roots, options).emit();
}

} // namespace inlay::tile_to_cpu
