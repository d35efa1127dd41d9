#include "compiler/transforms/tile/AssignLayouts.h"

#include "compiler/transforms/tile/AxisInfo.h"
#include "compiler/transforms/tile/DotAssignment.h"
#include "compiler/transforms/tile/ExpandDescriptors.h"
#include "compiler/transforms/tile/FoldDotSums.h"
#include "compiler/transforms/tile/LinearLayout.h"
#include "compiler/transforms/tile/PipelineLoads.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Iterators.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>
#include <numeric>

using namespace mlir;

namespace inlay::tile {
namespace {

constexpr int64_t kLargestAccessBytes = 16;
constexpr unsigned kDefaultNumWarps = 4;

bool isTile(Type type) { return isa<RankedTensorType>(type); }
bool isTile(Value value) { return isTile(value.getType()); }
ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

Type withLayout(Type type, const LinearLayout &layout) {
  auto tensor = cast<RankedTensorType>(type);
  return RankedTensorType::get(tensor.getShape(), tensor.getElementType(),
                               layout.toAttribute(type.getContext()));
}

/// Ops that only say which elements a tile has, not what they are: free in registers.
bool isView(Operation *op) { return isa<ExpandDimsOp, BroadcastOp, ReshapeOp, TransOp>(op); }

int64_t bytesOf(Type elementType) {
  return elementType.isIntOrFloat() ? std::max(1u, elementType.getIntOrFloatBitWidth() / 8) : 8;
}

/// The layout each memory access wants; those of one shape and one fastest dimension share it.
class AccessLayouts {
public:
  AccessLayouts(func::FuncOp kernel, unsigned numWarps) : numWarps_(numWarps) {
    kernel.walk([&](Operation *op) {
      if (isa<LoadOp, StoreOp>(op) && isTile(op->getOperand(0)))
        addAccess(op->getOperand(0));
    });
  }

  /// For a load or store through these pointers.
  LinearLayout ofPointers(Value pointers) {
    Key key = keyOf(pointers);
    return create(key, perThread_.lookup(key));
  }
  /// For a tile that no access decides: as the first access of its shape, or row-major.
  LinearLayout ofShape(ArrayRef<int64_t> shape) {
    for (const auto &[key, perThread] : perThread_)
      if (ArrayRef<int64_t>(key.first) == shape)
        return create(key, perThread);
    return create({SmallVector<int64_t>(shape), rowMajor(shape.size())}, 1);
  }

private:
  /// Shape, and dimensions from the fastest.
  using Key = std::pair<SmallVector<int64_t>, SmallVector<unsigned>>;

  static SmallVector<unsigned> rowMajor(size_t rank) {
    SmallVector<unsigned> order(rank);
    std::iota(order.rbegin(), order.rend(), 0u);
    return order;
  }

  Key keyOf(Value pointers) {
    const AxisInfo &info = axes_.get(pointers);
    // A tile without dimensions has one entry of facts all the same.
    SmallVector<unsigned> order = rowMajor(shapeOf(pointers).size());
    llvm::sort(order, [&](unsigned a, unsigned b) {
      return std::pair(info.contiguity[a], a) > std::pair(info.contiguity[b], b);
    });
    return {SmallVector<int64_t>(shapeOf(pointers)), order};
  }

  void addAccess(Value pointers) {
    Key key = keyOf(pointers);
    if (key.second.empty())
      return;
    const AxisInfo &info = axes_.get(pointers);
    const int64_t elementBytes =
        bytesOf(cast<PointerType>(elementTypeOf(pointers.getType())).getElementType());
    const int64_t numElements = cast<RankedTensorType>(pointers.getType()).getNumElements();
    const int64_t fairShare = std::max<int64_t>(1, numElements / (int64_t{32} * numWarps_));
    const int64_t perThread = std::min({std::max<int64_t>(1, kLargestAccessBytes / elementBytes),
                                        info.contiguity[key.second.front()], fairShare});
    int64_t &largest = perThread_.insert({key, 1}).first->second;
    largest = std::max(largest, perThread);
  }

  LinearLayout create(const Key &key, int64_t perThread) const {
    return LinearLayout::createBlocked(
        key.first, key.second, static_cast<unsigned>(std::max<int64_t>(perThread, 1)), numWarps_);
  }

  unsigned numWarps_;
  AxisAnalysis axes_;
  llvm::MapVector<Key, int64_t, std::map<Key, unsigned>> perThread_;
};

/// Rewrites one kernel.
class LayoutAssigner {
public:
  LayoutAssigner(func::FuncOp kernel, unsigned numWarps)
      : kernel_(kernel), accesses_(kernel, numWarps), dots_(kernel, numWarps),
        builder_(kernel.getContext()) {}

  LogicalResult run() {
    if (failed(assignBlock(kernel_.getBody().front())))
      return failure();
    eraseUnused();
    return success();
  }

private:
  /// A tile that depends on no load and no loop can be computed again wherever it is wanted; so can
  /// a view of any tile.
  bool isRematerializable(Value value) {
    if (!isTile(value))
      return true;
    auto [it, isNew] = rematerializable_.try_emplace(value, false);
    if (!isNew)
      return it->second;
    Operation *op = value.getDefiningOp();
    bool result =
        op && (isView(op) || (isMemoryEffectFree(op) && op->getNumRegions() == 0 &&
                              llvm::all_of(op->getOperands(), [&](Value operand) {
                                return isRematerializable(operand) && !dependsOnHome(operand);
                              })));
    rematerializable_[value] = result;
    return result;
  }
  /// Whether a chain of views ends in a tile with a home.
  bool dependsOnHome(Value value) {
    if (!isTile(value))
      return false;
    Operation *op = value.getDefiningOp();
    return op && isView(op) ? dependsOnHome(op->getOperand(0)) : !isRematerializable(value);
  }

  /// The layout in which a tile is there for nothing; none for what is computed again.
  std::optional<LinearLayout> findHome(Value value) {
    if (auto it = homes_.find(value); it != homes_.end())
      return it->second;
    Operation *op = value.getDefiningOp();
    if (!op || !isView(op))
      return std::nullopt;
    std::optional<LinearLayout> source = findHome(op->getOperand(0));
    if (!source)
      return std::nullopt;
    ArrayRef<int64_t> from = shapeOf(op->getOperand(0)), to = shapeOf(value);
    return llvm::TypeSwitch<Operation *, std::optional<LinearLayout>>(op)
        .Case([&](ExpandDimsOp expand) { return source->withUnitDimension(expand.getAxis()); })
        .Case([&](ReshapeOp) { return source->beforeReshape(to, from); })
        .Case([&](TransOp trans) {
          SmallVector<int32_t> inverse(trans.getOrder().size());
          for (auto [i, dimension] : llvm::enumerate(trans.getOrder()))
            inverse[dimension] = static_cast<int32_t>(i);
          return source->beforeTranspose(inverse);
        })
        .Default([](Operation *) { return std::nullopt; });
  }

  /// The layout an operand must have for the op's result to have `layout`.
  LinearLayout layoutOfOperand(Operation *op, Value operand, const LinearLayout &layout) {
    ArrayRef<int64_t> from = shapeOf(operand), to = shapeOf(op->getResult(0));
    return llvm::TypeSwitch<Operation *, LinearLayout>(op)
        .Case([&](ExpandDimsOp expand) { return layout.withoutDimension(expand.getAxis()); })
        .Case([&](BroadcastOp) { return layout.clampedTo(from); })
        .Case([&](ReshapeOp) { return layout.beforeReshape(from, to); })
        .Case([&](TransOp trans) { return layout.beforeTranspose(trans.getOrder()); })
        .Default([&](Operation *) { return layout; });
  }

  /// The tile in a layout: as it is there, computed again, or moved between threads.
  Value inLayout(Value value, const LinearLayout &layout) {
    if (!isTile(value))
      return value;
    Type type = withLayout(value.getType(), layout);
    auto &versions = versions_[value];
    for (Value version : versions)
      if (version.getType() == type)
        return version;
    Value version = isRematerializable(value) ? compute(value, layout) : convert(value, type);
    versions_[value].push_back(version);
    return version;
  }

  Value compute(Value value, const LinearLayout &layout) {
    Operation *op = value.getDefiningOp();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(isTile(operand) ? inLayout(operand, layoutOfOperand(op, operand, layout))
                                         : operand);
    builder_.setInsertionPoint(op);
    Operation *copy = builder_.clone(*op);
    copy->setOperands(operands);
    for (Value result : copy->getResults())
      result.setType(withLayout(result.getType(), layout));
    if (auto constant = dyn_cast<arith::ConstantOp>(copy)) {
      auto elements = cast<DenseElementsAttr>(constant.getValue());
      constant.setValueAttr(DenseElementsAttr::getFromRawBuffer(
          cast<ShapedType>(constant.getType()), elements.getRawData()));
    }
    return copy->getResult(cast<OpResult>(value).getResultNumber());
  }

  Value convert(Value value, Type type) {
    assert(homes_.count(value) && "a tile that is not computed again has a home");
    Value home = versions_[value].front();
    builder_.setInsertionPointAfterValue(home);
    return ConvertLayoutOp::create(builder_, home.getLoc(), type, home);
  }

  void setHome(Value value, const LinearLayout &layout) {
    value.setType(withLayout(value.getType(), layout));
    homes_.try_emplace(value, layout);
    versions_[value].insert(versions_[value].begin(), value);
    rematerializable_[value] = false;
  }

  void setOperands(Operation *op, const LinearLayout &layout) {
    for (OpOperand &operand : op->getOpOperands())
      if (isTile(operand.get()))
        operand.set(inLayout(operand.get(), layout));
  }

  LogicalResult assignBlock(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block))
      if (failed(assign(&op)))
        return failure();
    return success();
  }

  LogicalResult assign(Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<LoadOp, StoreOp>([&](Operation *access) {
          if (!isTile(access->getOperand(0)))
            return success();
          const LinearLayout layout = accesses_.ofPointers(access->getOperand(0));
          setOperands(access, layout);
          if (access->getNumResults() == 1)
            setHome(access->getResult(0), layout);
          return success();
        })
        .Case([&](DotOp dot) { return assignDot(dot); })
        // What a terminator hands on is brought to its place with the op around it.
        .Case<scf::YieldOp, scf::ConditionOp, func::ReturnOp>([](Operation *) { return success(); })
        .Case<scf::ForOp>([&](scf::ForOp loop) { return assignLoop(loop); })
        .Case<scf::WhileOp>([&](scf::WhileOp loop) { return assignWhile(loop); })
        .Case<scf::IfOp>([&](scf::IfOp branch) { return assignBranches(branch); })
        .Default([&](Operation *other) { return assignElementwise(other); });
  }

  LogicalResult assignDot(DotOp dot) {
    const DotAssignment::Layouts &layouts = dots_.of(dot);
    for (auto [operand, wanted] : {std::pair(&dot.getLhsMutable(), &layouts.lhs),
                                   std::pair(&dot.getRhsMutable(), &layouts.rhs)}) {
      std::optional<LinearLayout> layout = *wanted;
      if (!layout)
        layout = findHome(operand->get());
      if (!layout)
        layout = accesses_.ofShape(shapeOf(operand->get()));
      operand->set(inLayout(operand->get(), *layout));
    }
    dot.getAccMutable().set(inLayout(dot.getAcc(), layouts.acc));
    setHome(dot.getResult(), layouts.acc);
    return success();
  }

  LogicalResult assignElementwise(Operation *op) {
    const bool hasTiles =
        llvm::any_of(op->getOperandTypes(), [](Type type) { return isTile(type); }) ||
        llvm::any_of(op->getResultTypes(), [](Type type) { return isTile(type); });
    if (!hasTiles)
      return success();
    if (op->getNumRegions() != 0 ||
        !llvm::all_of(op->getResultTypes(), [](Type type) { return isTile(type); }))
      return op->emitOpError("is not known to the GPU compiler");
    if (op->getNumResults() > 0 &&
        llvm::all_of(op->getResults(), [&](Value result) { return isRematerializable(result); }))
      return success();
    std::optional<LinearLayout> layout;
    if (op->getNumResults() > 0)
      layout = dots_.find(op->getResult(0));
    for (Value operand : op->getOperands())
      if (!layout && isTile(operand) && dependsOnHome(operand))
        layout = findHome(operand);
    if (!layout)
      layout = accesses_.ofShape(shapeOf(op->getOperand(0)));
    setOperands(op, *layout);
    for (Value result : op->getResults())
      setHome(result, *layout);
    return success();
  }

  /// Gives carried tiles the layout that dots want, else that of their shape; brings the operands
  /// that they come from there.
  void setCarried(ValueRange values) {
    for (Value value : values)
      if (isTile(value)) {
        std::optional<LinearLayout> layout = dots_.find(value);
        setHome(value, layout ? *layout : accesses_.ofShape(shapeOf(value)));
      }
  }
  void setCarriedOperands(MutableArrayRef<OpOperand> operands, ValueRange carried) {
    for (auto [operand, value] : llvm::zip_equal(operands, carried))
      if (isTile(value))
        operand.set(inLayout(operand.get(), layoutOf(cast<RankedTensorType>(value.getType()))));
  }

  LogicalResult assignLoop(scf::ForOp loop) {
    setCarried(loop.getRegionIterArgs());
    setCarried(loop.getResults());
    setCarriedOperands(loop.getInitArgsMutable(), loop.getRegionIterArgs());
    if (failed(assignBlock(*loop.getBody())))
      return failure();
    setCarriedOperands(loop.getBody()->getTerminator()->getOpOperands(), loop.getRegionIterArgs());
    return success();
  }

  LogicalResult assignWhile(scf::WhileOp loop) {
    setCarried(loop.getBeforeArguments());
    setCarried(loop.getAfterArguments());
    setCarried(loop.getResults());
    setCarriedOperands(loop.getInitsMutable(), loop.getBeforeArguments());
    if (failed(assignBlock(*loop.getBeforeBody())) || failed(assignBlock(*loop.getAfterBody())))
      return failure();
    setCarriedOperands(loop.getConditionOp()->getOpOperands().drop_front(),
                       loop.getAfterArguments());
    setCarriedOperands(loop.getYieldOp()->getOpOperands(), loop.getBeforeArguments());
    return success();
  }

  LogicalResult assignBranches(scf::IfOp branch) {
    setCarried(branch.getResults());
    for (Region &region : branch->getRegions()) {
      if (region.empty())
        continue;
      if (failed(assignBlock(region.front())))
        return failure();
      setCarriedOperands(region.front().getTerminator()->getOpOperands(), branch.getResults());
    }
    return success();
  }

  /// Erases the originals of what was computed again, and what nobody wanted.
  void eraseUnused() {
    kernel_.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
      if (op->use_empty() && isMemoryEffectFree(op) && op->getNumResults() > 0 &&
          op->getNumRegions() == 0)
        op->erase();
    });
  }

  func::FuncOp kernel_;
  AccessLayouts accesses_;
  DotAssignment dots_;
  OpBuilder builder_;
  llvm::DenseMap<Value, bool> rematerializable_;
  llvm::DenseMap<Value, LinearLayout> homes_;
  llvm::DenseMap<Value, SmallVector<Value, 2>> versions_;
};

class AssignLayoutsPass : public PassWrapper<AssignLayoutsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AssignLayoutsPass)

  StringRef getArgument() const override { return "tile-assign-layouts"; }
  StringRef getDescription() const override {
    return "Choose which thread of a GPU block holds which element of each tile";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<TileDialect>();
  }
  void runOnOperation() override {
    unsigned numWarps = kDefaultNumWarps;
    if (auto attribute = getOperation()->getAttrOfType<IntegerAttr>(kNumWarpsAttr))
      numWarps = static_cast<unsigned>(attribute.getInt());
    if (!llvm::isPowerOf2_32(numWarps) || numWarps > 32) {
      getOperation().emitError("number of warps is ")
          << numWarps << "; it must be a power of two from 1 to 32";
      return signalPassFailure();
    }
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr(kKernelAttr) && failed(LayoutAssigner(function, numWarps).run()))
        return signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> createAssignLayoutsPass() { return std::make_unique<AssignLayoutsPass>(); }

void registerTileTransformPasses() {
  registerPass(createAssignLayoutsPass);
  registerPass(createExpandDescriptorsPass);
  registerPass(createFoldDotSumsPass);
  registerPass(createPipelineLoadsPass);
}

} // namespace inlay::tile
