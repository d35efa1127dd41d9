#include "compiler/transforms/tile/WarpgroupDots.h"

#include "compiler/transforms/tile/WarpgroupMma.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace inlay::tile {
namespace {

/// A ring is turned early if this many slots are being filled behind the next one.
constexpr uint32_t kCopiesBehindNext = 2;

/// An operand in shared memory.
struct SharedOperand {
  Value buffer, slot;
  bool isTransposed = false;
};

LinearLayout layoutOf(Value tile) { return tile::layoutOf(cast<RankedTensorType>(tile.getType())); }

int64_t elementBytes(Value tile) {
  return elementTypeOf(tile.getType()).getIntOrFloatBitWidth() / 8;
}

/// Whether an op may change places with the beginning or the end of a dot: it neither waits for
/// other threads nor touches shared memory that a dot reads. Copies go to slots that no dot that
/// begins or ends in the same iteration reads.
bool isPassable(Operation *op) {
  return op->getNumRegions() == 0 && !op->hasTrait<OpTrait::IsTerminator>() &&
         (isMemoryEffectFree(op) ||
          isa<AsyncCopyOp, AsyncCommitOp, TensorCopyOp, SharedLoadOp, LoadOp, StoreOp>(op));
}

/// The op of a block that an op is, or is inside of.
Operation *ancestorIn(Block *block, Operation *op) { return block->findAncestorOpInBlock(*op); }

/// Rewrites one kernel.
class WarpgroupRewriter {
public:
  explicit WarpgroupRewriter(func::FuncOp kernel)
      : kernel_(kernel), builder_(kernel.getContext()) {}

  void run() {
    SmallVector<DotOp> dots;
    kernel_.walk([&](DotOp dot) {
      if (dot->hasAttr(kWarpgroupAttr))
        dots.push_back(dot);
    });
    for (DotOp dot : dots)
      rewrite(dot);
    SmallVector<scf::ForOp> loops;
    kernel_.walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops)
      turnRing(loop);
    freeBuffers();
  }

private:
  /// Results of one dot: begun, and there.
  struct Begun {
    WarpgroupDotOp dot;
    WarpgroupWaitOp wait;
  };
  /// A buffer for an operand, and the dots that read it.
  struct Stored {
    AllocSharedOp buffer;
    Value slot;
    SmallVector<Operation *> readers;
  };

  void rewrite(DotOp dot) {
    Value lhs = dot.getLhs(), lhsSlot;
    SharedOperand lhsOperand;
    if (!hasLhsInRegisters(dot)) {
      lhsOperand = shareOperand(dot.getLhs(), 1);
      lhs = lhsOperand.buffer;
      lhsSlot = lhsOperand.slot;
    }
    const SharedOperand rhs = shareOperand(dot.getRhs(), 0);
    builder_.setInsertionPoint(dot);
    auto begun =
        WarpgroupDotOp::create(builder_, dot.getLoc(), dot.getType(), lhs, lhsSlot, rhs.buffer,
                               rhs.slot, dot.getAcc(), lhsOperand.isTransposed, rhs.isTransposed);
    auto wait = WarpgroupWaitOp::create(builder_, dot.getLoc(), TypeRange(dot.getType()), 0,
                                        begun.getResult());
    for (Value buffer : {lhs, rhs.buffer})
      if (auto stored = stored_.find(buffer); stored != stored_.end())
        stored->second.readers.push_back(begun);
    Value sources[] = {dot.getLhs(), dot.getRhs()};
    dot.replaceAllUsesWith(wait.getResult(0));
    dot.erase();
    for (Value source : sources)
      eraseUnusedReads(source);
    hoist(begun);
    sink(wait);
    begun_.push_back({begun, wait});
  }

  /// An operand whose dimension `k` is summed over, in shared memory.
  SharedOperand shareOperand(Value operand, unsigned k) {
    const TransposedTile source = stripTranspositions(operand);
    const unsigned kDimension = source.isTransposed ? 1 - k : k;
    // Only 16-bit types are multiplied from memory where neighbours are not along K.
    const bool needsNeighbours = elementBytes(operand) != 2;
    if (auto read = source.tile.getDefiningOp<SharedLoadOp>()) {
      auto ring = cast<SharedType>(read.getBuffer().getType());
      if (!needsNeighbours || ring.getFastest() == kDimension) {
        keepBuffer(read);
        return {read.getBuffer(), read.getSlot(), source.isTransposed};
      }
    }
    unsigned fastest = kDimension;
    const LinearLayout layout = layoutOf(source.tile);
    if (!needsNeighbours &&
        layout.contiguousRegisters(1 - kDimension) > layout.contiguousRegisters(kDimension))
      fastest = 1 - kDimension;
    Stored &stored = storeOnce(source.tile, fastest);
    return {stored.buffer, stored.slot, source.isTransposed};
  }

  /// Lets a buffer that was copied to for one read live until the last dot has read it.
  void keepBuffer(SharedLoadOp read) {
    auto buffer = read.getBuffer().getDefiningOp<AllocSharedOp>();
    if (cast<SharedType>(buffer.getType()).getNumSlots() != 1 || stored_.contains(buffer))
      return;
    for (Operation *user : llvm::make_early_inc_range(buffer->getUsers()))
      if (isa<FreeSharedOp>(user))
        user->erase();
    stored_.insert({buffer, Stored{buffer, read.getSlot(), {}}});
  }

  /// The buffer that a tile is stored to as soon as it is there.
  Stored &storeOnce(Value tile, unsigned fastest) {
    auto [known, isNew] = buffers_.try_emplace({tile, fastest});
    if (!isNew)
      return stored_.find(known->second)->second;
    builder_.setInsertionPointAfterValue(tile);
    auto type = cast<RankedTensorType>(tile.getType());
    Location location = tile.getLoc();
    auto buffer = AllocSharedOp::create(
        builder_, location,
        SharedType::get(builder_.getContext(), 1, type.getShape(), type.getElementType(), fastest));
    Value slot = arith::ConstantOp::create(builder_, location, builder_.getI32IntegerAttr(0));
    SharedStoreOp::create(builder_, location, tile, buffer, slot);
    known->second = buffer;
    return stored_.insert({buffer, Stored{buffer, slot, {}}}).first->second;
  }

  void eraseUnusedReads(Value tile) {
    Operation *op = tile.getDefiningOp();
    while (op && op->use_empty() && isa<TransOp, SharedLoadOp>(op)) {
      Operation *source =
          isa<TransOp>(op) ? cast<TransOp>(op).getSource().getDefiningOp() : nullptr;
      op->erase();
      op = source;
    }
  }

  static void hoist(WarpgroupDotOp dot) {
    auto needs = [&](Operation *op) {
      return llvm::any_of(dot->getOperands(),
                          [&](Value operand) { return operand.getDefiningOp() == op; });
    };
    for (Operation *before = dot->getPrevNode(); before && isPassable(before) && !needs(before);
         before = dot->getPrevNode())
      dot->moveBefore(before);
  }

  static void sink(WarpgroupWaitOp wait) {
    auto uses = [&](Operation *op) {
      return llvm::is_contained(op->getOperands(), wait.getResult(0));
    };
    for (Operation *next = wait->getNextNode(); next && isPassable(next) && !uses(next);
         next = wait->getNextNode())
      wait->moveAfter(next);
  }

  /// Whether nothing but a loop's next dot needs the result of this one.
  static bool onlyAccumulates(scf::ForOp loop, const Begun &begun) {
    WarpgroupDotOp dot = begun.dot;
    WarpgroupWaitOp wait = begun.wait;
    auto acc = dyn_cast<BlockArgument>(dot.getAcc());
    Value result = wait.getResult(0);
    if (dot->getBlock() != loop.getBody() || !acc || acc.getOwner() != loop.getBody() ||
        acc.getArgNumber() == 0 || !acc.hasOneUse() || !result.hasOneUse())
      return false;
    OpOperand &use = *result.getUses().begin();
    auto isOutside = [&](Value value) { return loop.isDefinedOutsideOfLoop(value); };
    return use.getOwner() == loop.getBody()->getTerminator() &&
           use.getOperandNumber() == acc.getArgNumber() - 1 && isOutside(dot.getRhs()) &&
           isOutside(dot.getLhs());
  }

  /// Lets a loop that reads from a ring turn it while its dots run: what waits for the next slot
  /// and fills the last one stands behind the last dot.
  void turnRing(scf::ForOp loop) {
    SmallVector<Begun *> inside;
    for (Begun &begun : begun_)
      if (loop->isProperAncestor(begun.dot))
        inside.push_back(&begun);
    Block *body = loop.getBody();
    auto head = dyn_cast<AsyncWaitOp>(body->front());
    if (inside.empty() || !head ||
        !llvm::all_of(inside, [&](Begun *begun) { return begun->dot->getBlock() == body; }))
      return;
    const bool accumulates =
        llvm::all_of(inside, [&](Begun *begun) { return onlyAccumulates(loop, *begun); });
    // Copies have one iteration less to arrive if the next slot is waited for so early.
    const bool waitsAhead = head.getPending() >= kCopiesBehindNext;
    if (!accumulates && !waitsAhead)
      return;
    SmallVector<Operation *> turn;
    Operation *last = nullptr;
    for (Operation &op : *body) {
      if (isa<WarpgroupDotOp>(op))
        last = &op;
      auto copy = dyn_cast<TensorCopyOp>(op);
      if (isa<AsyncCopyOp, AsyncCommitOp>(op) ||
          (copy && loop.isDefinedOutsideOfLoop(copy.getBuffer())))
        turn.push_back(&op);
    }
    Location location = loop.getLoc();
    builder_.setInsertionPointAfter(last);
    if (accumulates)
      last = WarpgroupWaitOp::create(builder_, location, TypeRange(),
                                     static_cast<uint32_t>(inside.size()), ValueRange());
    if (waitsAhead) {
      waitAhead(loop, head);
      turn.insert(turn.begin(), head);
    } else {
      last = BarrierOp::create(builder_, location);
    }
    // What says which slot comes next may be computed behind the dot.
    for (Value operand : turn.front()->getOperands())
      if (Operation *op = operand.getDefiningOp();
          op && op->getBlock() == body && last->isBeforeInBlock(op))
        last = op;
    for (Operation *op : turn) {
      if (op->isBeforeInBlock(last))
        op->moveAfter(last);
      last = op;
    }
    keepInFlight(loop, inside, accumulates);
  }

  /// Lets the wait at a loop's head wait for what the next iteration reads; what the first one
  /// reads is waited for before the loop.
  void waitAhead(scf::ForOp loop, AsyncWaitOp head) {
    builder_.setInsertionPoint(loop);
    auto first = cast<AsyncWaitOp>(builder_.clone(*head));
    head.setPending(head.getPending() - 1);
    Operation *yield = loop.getBody()->getTerminator();
    for (auto [before, next] : llvm::zip_equal(first->getOpOperands(), head->getOpOperands())) {
      auto carried = dyn_cast<BlockArgument>(next.get());
      if (!carried || carried.getOwner() != loop.getBody())
        continue;
      const unsigned number = carried.getArgNumber() - loop.getNumInductionVars();
      before.set(loop.getInitArgs()[number]);
      next.set(yield->getOperand(number));
    }
  }

  /// Carries what dots have begun to the next iteration. A sum needs no wait there; another result
  /// is there after the first wait in the next iteration, if nothing needs it before.
  void keepInFlight(scf::ForOp loop, ArrayRef<Begun *> inside, bool accumulates) {
    Block *body = loop.getBody();
    Operation *yield = body->getTerminator();
    SmallVector<std::pair<Begun *, unsigned>> carried;
    for (Begun *begun : inside) {
      Value result = begun->wait.getResult(0);
      if (!result.hasOneUse() || result.getUses().begin()->getOwner() != yield)
        continue;
      const unsigned number = result.getUses().begin()->getOperandNumber();
      if (!accumulates && !waitEarlier(loop, inside, begun, loop.getRegionIterArg(number)))
        continue;
      yield->setOperand(number, begun->dot.getResult());
      begun->wait.erase();
      begun->wait = nullptr; // until there is one behind the loop
      carried.emplace_back(begun, number);
    }
    if (carried.empty())
      return;
    scf::IfOp guard = guardLoop(loop);
    builder_.setInsertionPointAfter(loop);
    for (auto [begun, number] : carried) {
      Value result = loop.getResult(number);
      begun->wait = WarpgroupWaitOp::create(builder_, loop.getLoc(), TypeRange(result.getType()), 0,
                                            ValueRange(result));
      guard.thenYield().setOperand(number, begun->wait.getResult(0));
    }
  }

  /// Lets the first wait of an iteration wait for a carried tile too; fails if that is needed
  /// before, or there is none before the last dot begins.
  bool waitEarlier(scf::ForOp loop, ArrayRef<Begun *> inside, Begun *carrier, Value carried) {
    Begun *first = nullptr;
    for (Begun *begun : inside)
      if (begun != carrier && begun->wait && (!first || begun->wait->isBeforeInBlock(first->wait)))
        first = begun;
    if (!first || first->wait->getBlock() != loop.getBody() ||
        !first->wait->isBeforeInBlock(carrier->dot) ||
        !llvm::all_of(carried.getUsers(), [&](Operation *user) {
          return first->wait->isBeforeInBlock(ancestorIn(loop.getBody(), user)) &&
                 !user->hasTrait<OpTrait::IsTerminator>();
        }))
      return false;
    SmallVector<Value> values(first->wait.getValues());
    values.push_back(carried);
    builder_.setInsertionPoint(first->wait);
    auto wait = WarpgroupWaitOp::create(builder_, first->wait.getLoc(),
                                        TypeRange(ValueRange(values)), 0, values);
    carried.replaceAllUsesExcept(wait.getResults().back(), wait);
    first->wait->replaceAllUsesWith(wait.getResults().drop_back());
    first->wait.erase();
    first->wait = wait;
    return true;
  }

  /// Puts a loop into a branch that is taken if it runs at all. The wait behind it is then reached
  /// with dots in flight only: with other values for their results there, the assembler would let
  /// no dot be in flight.
  scf::IfOp guardLoop(scf::ForOp loop) {
    Location location = loop.getLoc();
    builder_.setInsertionPoint(loop);
    Value runs = arith::CmpIOp::create(builder_, location,
                                       loop.getUnsignedCmp() ? arith::CmpIPredicate::ult
                                                             : arith::CmpIPredicate::slt,
                                       loop.getLowerBound(), loop.getUpperBound());
    auto guard = scf::IfOp::create(builder_, location, loop.getResultTypes(), runs,
                                   /*addThenBlock=*/true, /*addElseBlock=*/true);
    loop.replaceAllUsesWith(guard.getResults());
    loop->moveBefore(guard.thenBlock(), guard.thenBlock()->end());
    builder_.setInsertionPointToEnd(guard.thenBlock());
    scf::YieldOp::create(builder_, location, loop.getResults());
    builder_.setInsertionPointToEnd(guard.elseBlock());
    scf::YieldOp::create(builder_, location, loop.getInitArgs());
    return guard;
  }

  /// Gives each buffer back behind the last wait for a dot that reads it.
  void freeBuffers() {
    for (auto &[buffer, stored] : stored_) {
      Block *block = stored.buffer->getBlock();
      Operation *last = stored.buffer;
      auto extendTo = [&](Operation *op) {
        Operation *ancestor = ancestorIn(block, op);
        if (ancestor && last->isBeforeInBlock(ancestor))
          last = ancestor;
      };
      for (Operation *reader : stored.readers)
        for (const Begun &begun : begun_)
          if (begun.dot == reader) {
            extendTo(reader);
            extendTo(begun.wait);
          }
      builder_.setInsertionPointAfter(last);
      FreeSharedOp::create(builder_, last->getLoc(), stored.buffer);
    }
  }

  func::FuncOp kernel_;
  OpBuilder builder_;
  SmallVector<Begun> begun_;
  llvm::DenseMap<std::pair<Value, unsigned>, Value> buffers_;
  llvm::MapVector<Value, Stored> stored_;
};

class WarpgroupDotsPass : public PassWrapper<WarpgroupDotsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WarpgroupDotsPass)

  StringRef getArgument() const override { return "tile-warpgroup-dots"; }
  StringRef getDescription() const override {
    return "Let groups of warps multiply from shared memory while they do something else";
  }
  void runOnOperation() override {
    getOperation().walk([](func::FuncOp function) {
      if (function->hasAttr(kKernelAttr))
        WarpgroupRewriter(function).run();
    });
  }
};

} // namespace

std::unique_ptr<Pass> createWarpgroupDotsPass() { return std::make_unique<WarpgroupDotsPass>(); }

} // namespace inlay::tile
