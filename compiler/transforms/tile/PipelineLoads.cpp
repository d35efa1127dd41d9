#include "compiler/transforms/tile/PipelineLoads.h"

#include "compiler/transforms/tile/Architecture.h"
#include "compiler/transforms/tile/AxisInfo.h"
#include "compiler/transforms/tile/LinearLayout.h"
#include "compiler/transforms/tile/PointerRoots.h"
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

/// Rows of a tile after which the copy engine's permutation of pieces begins anew.
constexpr int64_t kRowsOfSwizzle = 8;

/// One load that becomes copies: through pointers, or by the copy engine.
struct PipelinedLoad {
  Operation *op = nullptr;
  /// The dimension whose elements are neighbours, and how many a thread copies at once.
  unsigned fastest = 0;
  int64_t width = 1;

  RankedTensorType type() const { return cast<RankedTensorType>(op->getResult(0).getType()); }
  bool isByEngine() const { return isa<TensorLoadOp>(op); }
  int64_t tileBytes() const {
    return type().getNumElements() * type().getElementTypeBitWidth() / 8;
  }
  /// What the copy of an iteration is computed from.
  SmallVector<Value> inputs() const {
    if (auto load = dyn_cast<TensorLoadOp>(op))
      return SmallVector<Value>(load.getCoordinates());
    auto load = cast<LoadOp>(op);
    SmallVector<Value> values = {load.getPtr()};
    if (load.getMask())
      values.push_back(load.getMask());
    return values;
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
  PipelinedLoad best{load.getOperation()};
  best.width = 0;
  for (unsigned d = 0; d < 2; ++d) {
    int64_t width = std::min<int64_t>(
        {layout.contiguousRegisters(d), address.contiguity[d], kLargestCopyBytes / elementBytes,
         std::max<int64_t>(1, address.divisibility[d] / elementBytes)});
    if (mask)
      width = std::min(width, mask->constancy[d]);
    if (width > best.width)
      best = {load.getOperation(), d, width};
  }
  if (best.width * elementBytes < kSmallestCopyBytes)
    return std::nullopt;
  return best;
}

/// The same for the copy engine; none if slots of a ring would differ in how pieces are permuted.
std::optional<PipelinedLoad> planCopy(TensorLoadOp load) {
  if (cast<RankedTensorType>(load.getResult().getType()).getDimSize(0) < kRowsOfSwizzle)
    return std::nullopt;
  return PipelinedLoad{load.getOperation(), 1, 1};
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
    unsigned numByEngine = 0;
    for (const PipelinedLoad &load : loads_) {
      buffers_.push_back(AllocSharedOp::create(
          builder_, location_,
          SharedType::get(builder_.getContext(), static_cast<unsigned>(numSlots_),
                          load.type().getShape(), load.type().getElementType(), load.fastest)));
      numByEngine += load.isByEngine();
    }
    hasGroups_ = numByEngine < loads_.size();
    if (numByEngine > 0)
      barriers_ = AllocBarriersOp::create(
          builder_, location_,
          BarriersType::get(builder_.getContext(), static_cast<unsigned>(numSlots_), numByEngine));
    SmallVector<Value> state = emitPrologue();
    emitLoop(state);
    createWait(0, {}, {});
    if (barriers_)
      FreeBarriersOp::create(builder_, location_, barriers_);
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

  void createWait(int64_t pending, Value slot, Value parity) {
    const bool needsSlot = barriers_ && slot;
    AsyncWaitOp::create(builder_, location_, static_cast<uint32_t>(pending),
                        needsSlot ? barriers_ : Value(), needsSlot ? slot : Value(),
                        needsSlot ? parity : Value());
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
    for (auto [load, buffer] : llvm::zip_equal(loads_, buffers_))
      emitCopy(load, buffer, slot, isThere, mapping);
    if (hasGroups_)
      AsyncCommitOp::create(builder_, location_);
    Operation *yield = loop_.getBody()->getTerminator();
    for (auto [number, value] : llvm::zip_equal(slice_.carried(), state))
      value = mapping.lookupOrDefault(yield->getOperand(number));
  }

  /// Begins the copy of one load. Past the last iteration the copy engine is only counted.
  void emitCopy(const PipelinedLoad &load, Value buffer, Value slot, Value isThere,
                IRMapping &mapping) {
    Location location = load.op->getLoc();
    if (auto tensorLoad = dyn_cast<TensorLoadOp>(load.op)) {
      SmallVector<Value> coordinates;
      for (Value coordinate : tensorLoad.getCoordinates())
        coordinates.push_back(mapping.lookupOrDefault(coordinate));
      TensorCopyOp::create(builder_, location, tensorLoad.getMap(), coordinates, isThere, buffer,
                           barriers_, slot);
      return;
    }
    auto pointerLoad = cast<LoadOp>(load.op);
    Value pointers = mapping.lookupOrDefault(pointerLoad.getPtr());
    auto type = cast<RankedTensorType>(pointers.getType());
    Value mask = SplatOp::create(
        builder_, location_,
        RankedTensorType::get(type.getShape(), builder_.getI1Type(), type.getEncoding()), isThere);
    if (pointerLoad.getMask())
      mask = arith::AndIOp::create(builder_, location_,
                                   mapping.lookupOrDefault(pointerLoad.getMask()), mask);
    AsyncCopyOp::create(builder_, location, pointers, mask, buffer, slot,
                        static_cast<uint32_t>(load.width));
  }

  SmallVector<Value> emitPrologue() {
    SmallVector<Value> state;
    for (unsigned number : slice_.carried())
      state.push_back(loop_.getInitArgs()[number]);
    for (int64_t s = 0; s < distance(); ++s)
      emitCopies(loop_.getLowerBound(), s, i32(s), state);
    return state;
  }

  /// The slot after a slot, and the parity there of what is copied next.
  std::pair<Value, Value> nextSlot(Value slot, Value parity) {
    Value next = arith::AddIOp::create(builder_, location_, slot, i32(1));
    Value isLast =
        arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::eq, next, i32(numSlots_));
    if (parity)
      parity = arith::XOrIOp::create(
          builder_, location_, parity,
          arith::ExtUIOp::create(builder_, location_, builder_.getI32Type(), isLast));
    return {arith::SelectOp::create(builder_, location_, isLast, i32(0), next), parity};
  }

  void emitLoop(ArrayRef<Value> state) {
    const unsigned numCarried = loop_.getNumRegionIterArgs();
    SmallVector<Value> inits(loop_.getInitArgs());
    inits.append(state.begin(), state.end());
    inits.append({i32(0), i32(distance())});
    if (barriers_)
      inits.push_back(i32(0));
    auto loop = scf::ForOp::create(builder_, location_, loop_.getLowerBound(),
                                   loop_.getUpperBound(), loop_.getStep(), inits);
    loop->setDiscardableAttrs(loop_->getDiscardableAttrDictionary());
    Block *body = loop.getBody();
    if (body->mightHaveTerminator())
      body->getTerminator()->erase();
    auto arguments = body->getArguments().drop_front(1 + numCarried);
    Value readSlot = arguments[state.size()], writeSlot = arguments[state.size() + 1],
          parity = barriers_ ? Value(arguments[state.size() + 2]) : Value();

    builder_.setInsertionPointToStart(body);
    createWait(distance() - 1, readSlot, parity);
    SmallVector<Value> next(arguments.take_front(state.size()));
    emitCopies(loop.getInductionVar(), distance(), writeSlot, next);
    auto [nextRead, nextParity] = nextSlot(readSlot, parity);
    next.append({nextRead, nextSlot(writeSlot, {}).first});
    if (barriers_)
      next.push_back(nextParity);
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
        return SharedLoadOp::create(builder, load.op->getLoc(), type, buffer, slot);
      };
      for (Operation *user : llvm::make_early_inc_range(load.op->getUsers()))
        if (auto convert = dyn_cast<ConvertLayoutOp>(user)) {
          convert.replaceAllUsesWith(read(convert.getType()));
          convert.erase();
        }
      if (!load.op->use_empty())
        load.op->getResult(0).replaceAllUsesWith(read(load.type()));
      load.op->erase();
    }
  }

  scf::ForOp loop_;
  MutableArrayRef<PipelinedLoad> loads_;
  AddressSlice slice_;
  int64_t numSlots_;
  OpBuilder builder_;
  Location location_;
  SmallVector<Value> buffers_;
  Value barriers_; // null if the copy engine copies nothing
  bool hasGroups_ = false;
};

/// Bytes of shared memory that accesses by the copy engine take inside of a loop, but for those
/// that are loaded ahead.
int64_t otherTileBytes(scf::ForOp loop, ArrayRef<PipelinedLoad> loads) {
  int64_t bytes = 0;
  loop.getBody()->walk([&](Operation *op) {
    if (isa<TensorLoadOp, TensorStoreOp>(op) &&
        llvm::none_of(loads, [&](const PipelinedLoad &load) { return load.op == op; }))
      bytes += cast<TensorMapType>(op->getOperand(0).getType()).getTileBytes();
  });
  return bytes;
}

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
    if (isa<StoreOp, TensorStoreOp>(op))
      written.insert(rootOfAccess(op));
    isOrdered |= ordersMemory(op);
  });
  if (isOrdered) {
    loop->emitRemark("not pipelined: it orders memory between threads");
    return;
  }
  AddressSlice slice(loop);
  int64_t slotBytes = 0;
  for (Operation &load : *loop.getBody()) {
    if (!isa<LoadOp, TensorLoadOp>(load) || (needsDot && !feedsDot(&load)))
      continue;
    if (written.contains(rootOfAccess(&load))) {
      load.emitRemark("not loaded ahead: the loop stores through the same pointer");
      continue;
    }
    auto tensorLoad = dyn_cast<TensorLoadOp>(load);
    std::optional<PipelinedLoad> plan =
        tensorLoad ? planCopy(tensorLoad) : planCopy(cast<LoadOp>(load), axes);
    AddressSlice grown = slice;
    if (!plan ||
        !llvm::all_of(plan->inputs(), [&](Value input) { return succeeded(grown.add(input)); })) {
      load.emitRemark("not loaded ahead: ")
          << (plan         ? "its address depends on memory"
              : tensorLoad ? "its tiles have less than 8 rows"
                           : "aligned runs of 4 bytes or more under one mask are not proved");
      continue;
    }
    slice = grown;
    slotBytes += plan->tileBytes();
    loads.push_back(*plan);
  }
  if (loads.empty())
    return;
  budgetBytes -= otherTileBytes(loop, loads);
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
      Operation *op = source.getDefiningOp();
      const bool isLoaded =
          op && isa<LoadOp, TensorLoadOp>(op) && isa<scf::ForOp>(op->getParentOp());
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
