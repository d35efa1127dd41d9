#include "compiler/conversions/tile-to-cpu/StoredExtents.h"
#include "compiler/conversions/tile-to-cpu/EvaluationCost.h"
#include "compiler/conversions/tile-to-cpu/MaskTerms.h"

using namespace mlir;

namespace inlay::tile_to_cpu {

namespace {

/// Follows a tile through loops, sums and elementwise operations.
class StoreFinder {
public:
  /// False if something else reads the tile, too.
  bool visit(Value tile) {
    if (!seen_.insert(tile).second)
      return true;
    return llvm::all_of(tile.getUses(), [&](OpOperand &use) { return visitUse(use); });
  }
  ArrayRef<tile::StoreOp> stores() const { return stores_; }

private:
  bool visitUse(OpOperand &use) {
    Operation *user = use.getOwner();
    if (auto store = dyn_cast<tile::StoreOp>(user)) {
      stores_.push_back(store);
      return use.get() == store.getValue();
    }
    if (auto dot = dyn_cast<tile::DotOp>(user))
      return use.get() == dot.getAcc() && use.get() != dot.getLhs() && use.get() != dot.getRhs() &&
             visit(dot.getResult());
    if (auto loop = dyn_cast<scf::ForOp>(user))
      return visitCarried(loop, loop.getTiedLoopRegionIterArg(&use));
    if (auto loop = dyn_cast<scf::ForOp>(user->getParentOp()); loop && isa<scf::YieldOp>(user))
      return visitCarried(loop, loop.getRegionIterArg(use.getOperandNumber()));
    return isElementwise(user) && visit(user->getResult(0));
  }

  bool visitCarried(scf::ForOp loop, BlockArgument argument) {
    return visit(argument) && visit(loop.getTiedLoopResult(argument));
  }

  DenseSet<Value> seen_;
  SmallVector<tile::StoreOp> stores_;
};

/// True if the tile can be evaluated here: it is computed from scalars that are emitted, and from
/// no memory.
bool canEvaluate(Value tile, const ProgramValues &values) {
  if (!isa<RankedTensorType>(tile.getType()))
    return values.scalars.contains(tile);
  return isCheap(tile) && llvm::all_of(tile.getDefiningOp()->getOperands(), [&](Value operand) {
           return canEvaluate(operand, values);
         });
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
  for (const auto &[key, term] : terms.extents)
    if (llvm::none_of(term.coordinates, depends) && canEvaluate(term.value, values))
      bounds.extents.insert({key, term});
  return bounds;
}

} // namespace

Value emitStoredExtent(OpBuilder &builder, Value tile, size_t dimension, ProgramValues &values) {
  StoreFinder finder;
  if (!finder.visit(tile) || finder.stores().empty())
    return {};
  SmallVector<MaskTerms> bounds;
  for (tile::StoreOp store : finder.stores()) {
    bounds.push_back(boundsOf(store, dimension, values));
    if (bounds.back().extents.empty())
      return {};
  }
  const int64_t size = cast<RankedTensorType>(tile.getType()).getDimSize(dimension);
  Location location = tile.getLoc();
  Evaluator evaluator(values, builder, 1);
  Value stored;
  for (const MaskTerms &terms : bounds) {
    Value extent = emitExtent(builder, location, evaluator, terms, size, /*withFloors=*/false);
    stored = stored ? Value(arith::MaxSIOp::create(builder, location, stored, extent)) : extent;
  }
  return stored;
}

} // namespace inlay::tile_to_cpu
