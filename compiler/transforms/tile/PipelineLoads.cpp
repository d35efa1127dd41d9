#include "compiler/transforms/tile/PipelineLoads.h"

#include "compiler/transforms/tile/Architecture.h"
#include "compiler/transforms/tile/AxisInfo.h"
#include "compiler/transforms/tile/LinearLayout.h"
#include "compiler/transforms/tile/WarpgroupMma.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

#include <algorithm>

using namespace mlir;

namespace inlay::tile {
namespace {

/// Triton's default, for modules without tile.num_stages.
constexpr int64_t kDefaultNumStages = 3;
constexpr int64_t kLargestCopyBytes = 16, kSmallestCopyBytes = 4;
/// A ring of two has one copy in flight while the other is read.
constexpr int64_t kFewestSlots = 2;

/// Registers of a multiprocessor, and how many a thread takes for what is no accumulator.
constexpr int64_t kRegistersOfProcessor = 65536, kOtherRegisters = 64;

/// Left for what else a loop moves between threads.
constexpr int64_t kReservedBytes = 16 * 1024;

/// One load that becomes copies.
struct PipelinedLoad {
  LoadOp op;
  /// The dimension whose elements are neighbours, and how many are copied at once.
  unsigned fastest = 0;
  int64_t width = 1;

  int64_t tileBytes() {
    auto type = cast<RankedTensorType>(op.getResult().getType());
    return type.getNumElements() * type.getElementTypeBitWidth() / 8;
  }
};

bool isZero(Value value) {
  return !value || matchPattern(value, m_Zero()) || matchPattern(value, m_AnyZeroFloat());
}

/// Whether a value leads to a dot in the same block.
bool feedsDot(Operation *load) {
  llvm::SetVector<Operation *> reached;
  reached.insert(load);
  for (size_t i = 0; i < reached.size(); ++i)
    for (Operation *user : reached[i]->getUsers()) {
      if (user->getBlock() != load->getBlock() || user->hasTrait<OpTrait::IsTerminator>())
        continue;
      if (isa<DotOp>(user))
        return true;
      reached.insert(user);
    }
  return false;
}

/// The scalar pointer that a tile of pointers is made from, as far as it can be told.
Value rootOf(Value pointer) {
  while (true) {
    Operation *op = pointer.getDefiningOp();
    if (op && isa<AddPtrOp, PtrCastOp, SplatOp, BroadcastOp, ExpandDimsOp, ReshapeOp, TransOp,
                  ConvertLayoutOp>(op)) {
      pointer = op->getOperand(0);
      continue;
    }
    auto argument = dyn_cast<BlockArgument>(pointer);
    auto loop = argument ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()) : scf::ForOp();
    if (!loop || argument == loop.getInductionVar())
      return pointer;
    pointer = loop.getInitArgs()[argument.getArgNumber() - loop.getNumInductionVars()];
  }
}

/// Whether an op orders memory between threads, so that no load may pass it.
bool ordersMemory(Operation *op) {
  return isa<BarrierOp, AtomicRmwOp, AtomicCasOp>(op) ||
         (isa<InlineAsmOp>(op) && !isMemoryEffectFree(op));
}

/// How a load can be copied asynchronously; none if runs of 4 bytes are not proved.
std::optional<PipelinedLoad> planCopy(LoadOp load, AxisAnalysis &axes) {
  auto type = dyn_cast<RankedTensorType>(load.getResult().getType());
  if (!type || type.getRank() != 2 || !type.getElementType().isIntOrFloat() ||
      type.getElementTypeBitWidth() < 8 || load.getIsVolatile() || !isZero(load.getOther()) ||
      load.getCache() == CacheModifier::CV)
    return std::nullopt;
  const int64_t elementBytes = type.getElementTypeBitWidth() / 8;
  const LinearLayout layout = layoutOf(type);
  const AxisInfo address = axes.get(load.getPtr());
  std::optional<AxisInfo> mask;
  if (load.getMask())
    mask = axes.get(load.getMask());
  PipelinedLoad best{load};
  best.width = 0;
  for (unsigned d = 0; d < 2; ++d) {
    int64_t width = std::min<int64_t>(
        {layout.contiguousRegisters(d), address.contiguity[d], kLargestCopyBytes / elementBytes,
         std::max<int64_t>(1, address.divisibility[d] / elementBytes)});
    if (mask)
      width = std::min(width, mask->constancy[d]);
    if (width > best.width)
      best = {load, d, width};
  }
  if (best.width * elementBytes < kSmallestCopyBytes)
    return std::nullopt;
  return best;
}

/// The ops of a loop's body that addresses and masks of its loads are computed by, also in later
/// iterations.
class AddressSlice {
public:
  explicit AddressSlice(scf::ForOp loop) : loop_(loop) {}

  /// Adds what a value needs; fails if that is not pure arithmetic of one iteration.
  LogicalResult add(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() != loop_.getBody() || argument == loop_.getInductionVar())
        return success();
      const unsigned number = argument.getArgNumber() - 1;
      if (!carried_.insert(number))
        return success();
      return add(loop_.getBody()->getTerminator()->getOperand(number));
    }
    Operation *op = value.getDefiningOp();
    if (op->getBlock() != loop_.getBody() || ops_.contains(op))
      return success();
    if (op->getNumRegions() != 0 || !isMemoryEffectFree(op) || isa<DotOp, ConvertLayoutOp>(op))
      return failure();
    ops_.insert(op);
    for (Value operand : op->getOperands())
      if (failed(add(operand)))
        return failure();
    return success();
  }

  /// Numbers of the loop's carried values that the slice reads.
  ArrayRef<unsigned> carried() const { return carried_.getArrayRef(); }

  /// Clones the slice in order.
  void clone(OpBuilder &builder, IRMapping &mapping) {
    for (Operation &op : loop_.getBody()->without_terminator())
      if (ops_.contains(&op))
        builder.clone(op, mapping);
  }

private:
  scf::ForOp loop_;
  llvm::SetVector<Operation *> ops_;
  llvm::SetVector<unsigned> carried_;
};

/// Rewrites one loop.
class LoopPipeliner {
public:
  LoopPipeliner(scf::ForOp loop, MutableArrayRef<PipelinedLoad> loads, AddressSlice slice,
                int64_t numSlots)
      : loop_(loop), loads_(loads), slice_(std::move(slice)), numSlots_(numSlots), builder_(loop),
        location_(loop.getLoc()) {}

  void run() {
    for (PipelinedLoad &load : loads_) {
      auto type = cast<RankedTensorType>(load.op.getResult().getType());
      buffers_.push_back(AllocSharedOp::create(
          builder_, location_,
          SharedType::get(builder_.getContext(), static_cast<unsigned>(numSlots_), type.getShape(),
                          type.getElementType(), load.fastest)));
    }
    SmallVector<Value> state = emitPrologue();
    emitLoop(state);
    AsyncWaitOp::create(builder_, location_, 0);
    for (Value buffer : buffers_)
      FreeSharedOp::create(builder_, location_, buffer);
  }

private:
  int64_t distance() const { return numSlots_ - 1; }
  Value constant(Type type, int64_t value) {
    return arith::ConstantOp::create(builder_, location_, builder_.getIntegerAttr(type, value));
  }
  Value i32(int64_t value) { return constant(builder_.getI32Type(), value); }
  Value timesStep(int64_t count) {
    Type type = loop_.getStep().getType();
    return arith::MulIOp::create(builder_, location_, loop_.getStep(), constant(type, count));
  }

  /// Begins the copies of the iteration `ahead` iterations after that of `induction`; `state` are
  /// the carried values of the slice there, which are then those of the iteration after.
  void emitCopies(Value induction, int64_t ahead, Value slot, SmallVector<Value> &state) {
    // The difference does not wrap around where the sum might.
    Value left = arith::SubIOp::create(builder_, location_, loop_.getUpperBound(), induction);
    Value isThere = arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::sgt, left,
                                          timesStep(ahead));
    IRMapping mapping;
    mapping.map(
        loop_.getInductionVar(),
        ahead ? arith::AddIOp::create(builder_, location_, induction, timesStep(ahead)).getResult()
              : induction);
    for (auto [number, value] : llvm::zip_equal(slice_.carried(), state))
      mapping.map(loop_.getRegionIterArg(number), value);
    slice_.clone(builder_, mapping);
    for (auto [load, buffer] : llvm::zip_equal(loads_, buffers_)) {
      Value pointers = mapping.lookupOrDefault(load.op.getPtr());
      auto type = cast<RankedTensorType>(pointers.getType());
      Value mask = SplatOp::create(
          builder_, location_,
          RankedTensorType::get(type.getShape(), builder_.getI1Type(), type.getEncoding()),
          isThere);
      if (load.op.getMask())
        mask = arith::AndIOp::create(builder_, location_,
                                     mapping.lookupOrDefault(load.op.getMask()), mask);
      AsyncCopyOp::create(builder_, load.op.getLoc(), pointers, mask, buffer, slot,
                          static_cast<uint32_t>(load.width));
    }
    AsyncCommitOp::create(builder_, location_);
    Operation *yield = loop_.getBody()->getTerminator();
    for (auto [number, value] : llvm::zip_equal(slice_.carried(), state))
      value = mapping.lookupOrDefault(yield->getOperand(number));
  }

  SmallVector<Value> emitPrologue() {
    SmallVector<Value> state;
    for (unsigned number : slice_.carried())
      state.push_back(loop_.getInitArgs()[number]);
    for (int64_t s = 0; s < distance(); ++s)
      emitCopies(loop_.getLowerBound(), s, i32(s), state);
    return state;
  }

  Value nextSlot(Value slot) {
    Value next = arith::AddIOp::create(builder_, location_, slot, i32(1));
    Value isLast =
        arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::eq, next, i32(numSlots_));
    return arith::SelectOp::create(builder_, location_, isLast, i32(0), next);
  }

  void emitLoop(ArrayRef<Value> state) {
    const unsigned numCarried = loop_.getNumRegionIterArgs();
    SmallVector<Value> inits(loop_.getInitArgs());
    inits.append(state.begin(), state.end());
    inits.append({i32(0), i32(distance())});
    auto loop = scf::ForOp::create(builder_, location_, loop_.getLowerBound(),
                                   loop_.getUpperBound(), loop_.getStep(), inits);
    loop->setDiscardableAttrs(loop_->getDiscardableAttrDictionary());
    Block *body = loop.getBody();
    if (body->mightHaveTerminator())
      body->getTerminator()->erase();
    auto arguments = body->getArguments().drop_front(1 + numCarried);
    Value readSlot = arguments[state.size()], writeSlot = arguments[state.size() + 1];

    builder_.setInsertionPointToStart(body);
    AsyncWaitOp::create(builder_, location_, static_cast<uint32_t>(distance() - 1));
    SmallVector<Value> next(arguments.take_front(state.size()));
    emitCopies(loop.getInductionVar(), distance(), writeSlot, next);
    next.append({nextSlot(readSlot), nextSlot(writeSlot)});
    readFromRing(readSlot);

    loop_.getInductionVar().replaceAllUsesWith(loop.getInductionVar());
    for (auto [from, to] :
         llvm::zip(loop_.getRegionIterArgs(), loop.getRegionIterArgs().take_front(numCarried)))
      from.replaceAllUsesWith(to);
    body->getOperations().splice(body->end(), loop_.getBody()->getOperations());
    Operation *yield = body->getTerminator();
    yield->insertOperands(yield->getNumOperands(), next);
    loop_.replaceAllUsesWith(loop.getResults().take_front(numCarried));
    loop_.erase();
    builder_.setInsertionPointAfter(loop);
  }

  /// Replaces the loads, still in the old body, by reads of the ring, in the layouts that are
  /// wanted.
  void readFromRing(Value slot) {
    for (auto [load, buffer] : llvm::zip_equal(loads_, buffers_)) {
      OpBuilder builder(load.op);
      auto read = [&](Type type) -> Value {
        return SharedLoadOp::create(builder, load.op.getLoc(), type, buffer, slot);
      };
      for (Operation *user : llvm::make_early_inc_range(load.op->getUsers()))
        if (auto convert = dyn_cast<ConvertLayoutOp>(user)) {
          convert.replaceAllUsesWith(read(convert.getType()));
          convert.erase();
        }
      if (!load.op->use_empty())
        load.op.getResult().replaceAllUsesWith(read(load.op.getResult().getType()));
      load.op.erase();
    }
  }

  scf::ForOp loop_;
  MutableArrayRef<PipelinedLoad> loads_;
  AddressSlice slice_;
  int64_t numSlots_;
  OpBuilder builder_;
  Location location_;
  SmallVector<Value> buffers_;
};

/// Slots that a loop should have beyond its stages: dots of groups of warps read one while the next
/// must be there already, so that copies are ahead by one less. One, if as many blocks as before
/// still find room on a multiprocessor.
int64_t numSlotsOfDots(scf::ForOp loop, int64_t numStages, int64_t slotBytes, int64_t budgetBytes) {
  int64_t accumulators = 0;
  unsigned numWarps = 1;
  loop.getBody()->walk([&](DotOp dot) {
    if (!dot->hasAttr(kWarpgroupAttr))
      return;
    const LinearLayout layout = layoutOf(cast<RankedTensorType>(dot.getType()));
    accumulators += layout.numRegisters();
    numWarps = layout.numWarps();
  });
  if (accumulators == 0)
    return 0;
  const int64_t byRegisters =
      kRegistersOfProcessor / ((accumulators + kOtherRegisters) * 32 * numWarps);
  auto blocksWith = [&](int64_t slots) {
    return std::min(budgetBytes / (slots * slotBytes), std::max<int64_t>(1, byRegisters));
  };
  return blocksWith(numStages + 1) >= blocksWith(numStages) ? 1 : 0;
}

void pipeline(scf::ForOp loop, int64_t numStages, bool needsDot, AxisAnalysis &axes,
              int64_t budgetBytes) {
  SmallVector<PipelinedLoad> loads;
  llvm::SetVector<Value> written;
  bool isOrdered = false;
  loop.getBody()->walk([&](Operation *op) {
    if (auto store = dyn_cast<StoreOp>(op))
      written.insert(rootOf(store.getPtr()));
    isOrdered |= ordersMemory(op);
  });
  if (isOrdered) {
    loop->emitRemark("not pipelined: it orders memory between threads");
    return;
  }
  AddressSlice slice(loop);
  int64_t slotBytes = 0;
  for (auto load : loop.getBody()->getOps<LoadOp>()) {
    if (needsDot && !feedsDot(load))
      continue;
    if (written.contains(rootOf(load.getPtr()))) {
      load->emitRemark("not loaded ahead: the loop stores through the same pointer");
      continue;
    }
    std::optional<PipelinedLoad> plan = planCopy(load, axes);
    AddressSlice grown = slice;
    if (!plan || failed(grown.add(load.getPtr())) ||
        (load.getMask() && failed(grown.add(load.getMask())))) {
      load->emitRemark("not loaded ahead: ")
          << (plan ? "its address depends on memory"
                   : "aligned runs of 4 bytes or more under one mask are not proved");
      continue;
    }
    slice = grown;
    slotBytes += plan->tileBytes();
    loads.push_back(*plan);
  }
  if (loads.empty())
    return;
  const int64_t numSlots = std::min(
      numStages + numSlotsOfDots(loop, numStages, slotBytes, budgetBytes), budgetBytes / slotBytes);
  if (numSlots < kFewestSlots) {
    loop->emitRemark("not pipelined: one iteration loads ")
        << slotBytes << " bytes and there are " << budgetBytes << " bytes of shared memory";
    return;
  }
  LoopPipeliner(loop, loads, slice, numSlots).run();
}

/// Bytes of the operands that dots of groups of warps read from shared memory and no loop loads
/// there.
int64_t storedOperandBytes(ModuleOp module) {
  llvm::SetVector<Value> stored;
  module.walk([&](DotOp dot) {
    if (!dot->hasAttr(kWarpgroupAttr))
      return;
    for (Value operand : {dot.getLhs(), dot.getRhs()}) {
      Value source = stripTranspositions(operand).tile;
      const bool isLoaded =
          source.getDefiningOp<LoadOp>() && isa<scf::ForOp>(source.getDefiningOp()->getParentOp());
      if (!isLoaded && !(operand == dot.getLhs() && hasLhsInRegisters(dot)))
        stored.insert(source);
    }
  });
  int64_t bytes = 0;
  for (Value tile : stored) {
    auto type = cast<RankedTensorType>(tile.getType());
    bytes += type.getNumElements() * type.getElementTypeBitWidth() / 8;
  }
  return bytes;
}

class PipelineLoadsPass : public PassWrapper<PipelineLoadsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PipelineLoadsPass)

  StringRef getArgument() const override { return "tile-pipeline-loads"; }
  StringRef getDescription() const override {
    return "Copy what the next iterations of a loop load into shared memory while one computes";
  }
  void runOnOperation() override {
    int64_t moduleStages = kDefaultNumStages;
    if (auto attribute = getOperation()->getAttrOfType<IntegerAttr>(kNumStagesAttr))
      moduleStages = attribute.getInt();
    const int64_t budgetBytes = sharedLimitBytes(computeCapabilityOf(getOperation())) -
                                kReservedBytes - storedOperandBytes(getOperation());
    AxisAnalysis axes;
    SmallVector<scf::ForOp> innermost;
    getOperation().walk([&](scf::ForOp loop) {
      const bool hasLoops = loop.getBody()
                                ->walk([](LoopLikeOpInterface) { return WalkResult::interrupt(); })
                                .wasInterrupted();
      if (!hasLoops && !loop.getUnsignedCmp())
        innermost.push_back(loop);
    });
    for (scf::ForOp loop : innermost) {
      auto own = loop->getAttrOfType<IntegerAttr>(kNumStagesAttr);
      const int64_t numStages = own ? own.getInt() : moduleStages;
      if (numStages > 1)
        pipeline(loop, numStages, !own, axes, budgetBytes);
    }
  }
};

} // namespace

std::unique_ptr<Pass> createPipelineLoadsPass() { return std::make_unique<PipelineLoadsPass>(); }

} // namespace inlay::tile
