#include "compiler/conversions/tile-to-cpu/StoredExtents.h"
#include "compiler/conversions/tile-to-cpu/EvaluationCost.h"
#include "compiler/conversions/tile-to-cpu/MaskTerms.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

/// A store of a tile's elements: one position along `dimension` of what is stored holds `step`
/// positions along the tile's dimension.
struct Destination {
  tile::StoreOp store;
  size_t dimension;
  int64_t step;
};

/// Follows a tile through loops, sums, elementwise operations, and reshapes that split its last
/// dimension in two.
class StoreFinder {
public:
  /// False if something else reads the tile, too.
  bool visit(Value tile, size_t dimension, int64_t step) {
    if (!seen_.insert(tile).second)
      return true;
    return llvm::all_of(tile.getUses(),
                        [&](OpOperand &use) { return visitUse(use, dimension, step); });
  }
  ArrayRef<Destination> destinations() const { return destinations_; }

private:
  bool visitUse(OpOperand &use, size_t dimension, int64_t step) {
    Operation *user = use.getOwner();
    if (auto store = dyn_cast<tile::StoreOp>(user)) {
      destinations_.push_back({store, dimension, step});
      return use.get() == store.getValue();
    }
    if (auto dot = dyn_cast<tile::DotOp>(user))
      return use.get() == dot.getAcc() && use.get() != dot.getLhs() && use.get() != dot.getRhs() &&
             visit(dot.getResult(), dimension, step);
    auto visitCarried = [&](scf::ForOp loop, BlockArgument argument) {
      return visit(argument, dimension, step) &&
             visit(loop.getTiedLoopResult(argument), dimension, step);
    };
    if (auto loop = dyn_cast<scf::ForOp>(user))
      return visitCarried(loop, loop.getTiedLoopRegionIterArg(&use));
    if (auto loop = dyn_cast<scf::ForOp>(user->getParentOp()); loop && isa<scf::YieldOp>(user))
      return visitCarried(loop, loop.getRegionIterArg(use.getOperandNumber()));
    if (auto reshape = dyn_cast<tile::ReshapeOp>(user))
      return visitReshape(reshape, dimension, step);
    return isElementwise(user) && visit(user->getResult(0), dimension, step);
  }

  bool visitReshape(tile::ReshapeOp reshape, size_t dimension, int64_t step) {
    ArrayRef<int64_t> from = shapeOf(reshape.getSource()), to = shapeOf(reshape.getResult());
    if (to.size() != from.size() + 1 || from.drop_back() != to.drop_back(2) || step != 1)
      return false;
    if (dimension + 1 != from.size())
      return visit(reshape.getResult(), dimension, step);
    const bool isRow = to[dimension] == 1;
    return visit(reshape.getResult(), isRow ? dimension + 1 : dimension, isRow ? 1 : to.back());
  }

  DenseSet<Value> seen_;
  SmallVector<Destination> destinations_;
};

/// True if the tile can be evaluated here: it is computed from scalars that are emitted, and from
/// no memory.
bool canEvaluate(Value tile, const ProgramValues &values) {
  if (!isa<RankedTensorType>(tile.getType()))
    return values.scalars.contains(tile);
  return isCheap(tile) && llvm::all_of(tile.getDefiningOp()->getOperands(),
                                       [&](Value operand) { return canEvaluate(operand, values); });
}

/// The terms of a store's mask that bound the dimension whatever the other coordinates are.
MaskTerms boundsOf(tile::StoreOp store, size_t dimension, ProgramValues &values) {
  auto type = cast<RankedTensorType>(store.getValue().getType());
  Coordinates coordinates(type.getRank());
  for (size_t i = 0; i < coordinates.size(); ++i)
    if (type.getDimSize(i) != 1)
      coordinates[i].kind = i == dimension ? Coordinate::Kind::Lanes : Coordinate::Kind::Counter;
  MaskTerms terms;
  if (store.getMask())
    addTerms(terms, store.getMask(), coordinates, values);
  auto depends = [](const Coordinate &coordinate) {
    return coordinate.kind == Coordinate::Kind::Counter;
  };
  MaskTerms bounds;
  for (const auto &[key, term] : terms.extents) {
    Coordinates at = withoutUniform(term.value, term.coordinates, values);
    if (llvm::none_of(at, depends) && canEvaluate(term.value, values))
      bounds.extents.insert({key, {term.value, at, term.number}});
  }
  return bounds;
}

} // namespace

Value emitStoredExtent(OpBuilder &builder, Value tile, size_t dimension, ProgramValues &values) {
  StoreFinder finder;
  if (!finder.visit(tile, dimension, 1) || finder.destinations().empty())
    return {};
  SmallVector<MaskTerms> bounds;
  for (const Destination &destination : finder.destinations()) {
    bounds.push_back(boundsOf(destination.store, destination.dimension, values));
    if (bounds.back().extents.empty())
      return {};
  }
  Location location = tile.getLoc();
  Evaluator evaluator(values, builder, 1);
  Value stored;
  for (auto [terms, found] : llvm::zip_equal(bounds, finder.destinations())) {
    Destination destination = found;
    const int64_t size = shapeOf(destination.store.getValue())[destination.dimension];
    Value extent = emitExtent(builder, location, evaluator, terms, size, /*withFloors=*/false);
    extent = arith::MulIOp::create(
        builder, location, extent,
        integerConstant(builder, location, builder.getI64Type(), destination.step));
    stored = stored ? Value(arith::MaxSIOp::create(builder, location, stored, extent)) : extent;
  }
  return stored;
}

} // namespace inlay::tile_to_cpu
