// Before the lowering: tiles that a loop moves by the same amount in every iteration, pointers most
// of all, become the tile before the loop plus a scalar that the loop carries.
//
//   scf.for … iter_args(%p = %p0) { …; %q = tile.addptr %p, splat(%s); scf.yield %q }
//   →  scf.for … iter_args(%d = 0) { %p = tile.addptr %p0, splat(%d); …; scf.yield %d + %s }
#include "compiler/conversions/tile-to-cpu/TileToCpu.h"
#include "compiler/dialects/tile/Tile.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace inlay {

namespace {

bool isTile(Value value) { return isa<RankedTensorType>(value.getType()); }

/// The scalar that all elements of an integer tile equal, emitted at the rewriter's position, or
/// null.
Value uniformScalar(RewriterBase &rewriter, Value tile) {
  Operation *op = tile.getDefiningOp();
  if (!op)
    return {};
  if (auto splat = dyn_cast<tile::SplatOp>(op))
    return splat.getSource();
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<SplatElementsAttr>(constant.getValue());
    if (!elements)
      return {};
    return arith::ConstantOp::create(rewriter, op->getLoc(), elements.getSplatValue<TypedAttr>());
  }
  if (isa<tile::BroadcastOp, tile::ExpandDimsOp, tile::ReshapeOp, tile::TransOp>(op))
    return uniformScalar(rewriter, op->getOperand(0));
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::ExtSIOp, arith::ExtUIOp,
           arith::TruncIOp>(op))
    return {};
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    Value scalar = uniformScalar(rewriter, operand);
    if (!scalar)
      return {};
    operands.push_back(scalar);
  }
  OperationState state(op->getLoc(), op->getName().getStringRef(), operands,
                       tile::elementTypeOf(tile.getType()));
  return rewriter.create(state)->getResult(0);
}

/// What is added to `argument` on the way to `yielded`, as scalars of `type`; nothing if that is
/// not a chain of additions of uniform tiles.
std::optional<Value> stepOf(RewriterBase &rewriter, Value argument, Value yielded, Type type) {
  Value total;
  while (yielded != argument) {
    Operation *op = yielded.getDefiningOp();
    if (!op || !isa<tile::AddPtrOp, arith::AddIOp>(op))
      return std::nullopt;
    rewriter.setInsertionPointAfter(op);
    Value next = op->getOperand(0), added = op->getOperand(1);
    Value scalar = uniformScalar(rewriter, added);
    if (!scalar && isa<arith::AddIOp>(op)) {
      std::swap(next, added);
      scalar = uniformScalar(rewriter, added);
    }
    if (!scalar)
      return std::nullopt;
    rewriter.setInsertionPoint(argument.getParentBlock()->getTerminator());
    if (scalar.getType() != type)
      scalar = arith::ExtSIOp::create(rewriter, op->getLoc(), type, scalar);
    total = total ? Value(arith::AddIOp::create(rewriter, op->getLoc(), total, scalar)) : scalar;
    yielded = next;
  }
  return total;
}

/// base + splat(distance).
Value moved(RewriterBase &rewriter, Location location, Value base, Value distance) {
  auto type = cast<RankedTensorType>(base.getType());
  Value tile = tile::SplatOp::create(rewriter, location, type.clone(distance.getType()), distance);
  if (isa<tile::PointerType>(type.getElementType()))
    return tile::AddPtrOp::create(rewriter, location, type, base, tile);
  return arith::AddIOp::create(rewriter, location, base, tile);
}

void rewriteLoop(IRRewriter &rewriter, scf::ForOp loop) {
  struct Recurrence {
    unsigned index;
    Value step;
  };
  SmallVector<Recurrence> found;
  for (auto [index, argument] : llvm::enumerate(loop.getRegionIterArgs())) {
    Value yielded = loop.getYieldedValues()[index];
    Type element = tile::elementTypeOf(argument.getType());
    if (!isTile(argument) || yielded == argument ||
        !(isa<tile::PointerType>(element) || element.isInteger()))
      continue;
    Type type = isa<tile::PointerType>(element) ? Type(rewriter.getI64Type()) : element;
    if (std::optional<Value> step = stepOf(rewriter, argument, yielded, type))
      found.push_back({unsigned(index), *step});
  }
  if (found.empty())
    return;
  rewriter.setInsertionPoint(loop);
  Location location = loop.getLoc();
  SmallVector<Value> zeros;
  for (const Recurrence &recurrence : found)
    zeros.push_back(arith::ConstantOp::create(rewriter, location,
                                              rewriter.getZeroAttr(recurrence.step.getType())));
  unsigned first = loop.getNumRegionIterArgs();
  auto replaced = cast<scf::ForOp>(*loop.replaceWithAdditionalYields(
      rewriter, zeros, /*replaceInitOperandUsesInLoop=*/false,
      [&](OpBuilder &builder, Location at, ArrayRef<BlockArgument> distances) {
        SmallVector<Value> next;
        for (auto [recurrence, distance] : llvm::zip(found, distances))
          next.push_back(arith::AddIOp::create(builder, at, distance, recurrence.step));
        return next;
      }));
  auto yield = cast<scf::YieldOp>(replaced.getBody()->getTerminator());
  for (auto [number, recurrence] : llvm::enumerate(found)) {
    Value base = replaced.getInitArgs()[recurrence.index];
    BlockArgument argument = replaced.getRegionIterArg(recurrence.index);
    rewriter.setInsertionPointToStart(replaced.getBody());
    rewriter.replaceAllUsesWith(
        argument, moved(rewriter, location, base, replaced.getRegionIterArg(first + number)));
    // Carried unchanged, it is a value from outside, which canonicalization knows.
    yield->setOperand(recurrence.index, argument);
    rewriter.setInsertionPointAfter(replaced);
    Value result = replaced.getResult(recurrence.index);
    if (!result.use_empty())
      rewriter.replaceAllUsesWith(
          result, moved(rewriter, location, base, replaced.getResult(first + number)));
  }
}

class LoopTilesPass : public PassWrapper<LoopTilesPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LoopTilesPass)

  StringRef getArgument() const override { return "inlay-tile-scalarize-recurrences"; }
  StringRef getDescription() const override {
    return "Let loops carry scalar distances instead of tiles that they move";
  }
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    // Inner loops first: what they make of their tiles is again a moved tile.
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops)
      rewriteLoop(rewriter, loop);
  }
};

} // namespace

std::unique_ptr<Pass> createScalarizeRecurrencesPass() { return std::make_unique<LoopTilesPass>(); }

} // namespace inlay
