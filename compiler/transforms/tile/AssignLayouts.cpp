#include "compiler/transforms/tile/AssignLayouts.h"

#include "compiler/transforms/tile/AccessLayouts.h"
#include "compiler/transforms/tile/CopyTensorLoads.h"
#include "compiler/transforms/tile/DotAssignment.h"
#include "compiler/transforms/tile/ExpandDescriptors.h"
#include "compiler/transforms/tile/MakeTensorMaps.h"
#include "compiler/transforms/tile/PipelineLoads.h"
#include "compiler/transforms/tile/WarpgroupDots.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Iterators.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace inlay::tile {
namespace {

constexpr unsigned kDefaultNumWarps = 4;

bool isTile(Type type) { return isa<RankedTensorType>(type); }
bool isTile(Value value) { return isTile(value.getType()); }
bool hasTiles(Operation *op) {
  return llvm::any_of(op->getOperandTypes(), [](Type type) { return isTile(type); }) ||
         llvm::any_of(op->getResultTypes(), [](Type type) { return isTile(type); });
}
ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

unsigned elementBytes(Value tile) {
  return elementTypeOf(tile.getType()).getIntOrFloatBitWidth() / 8;
}

Type withLayout(Type type, const LinearLayout &layout) {
  auto tensor = cast<RankedTensorType>(type);
  return RankedTensorType::get(tensor.getShape(), tensor.getElementType(),
                               layout.toAttribute(type.getContext()));
}

/// Ops that only say which elements a tile has, not what they are: free in registers.
bool isView(Operation *op) { return isa<ExpandDimsOp, BroadcastOp, ReshapeOp, TransOp>(op); }

/// Ops that compute each element from those at its place.
bool isElementwise(Operation *op) {
  if (isa<AddPtrOp, PtrCastOp, PtrToIntOp, IntToPtrOp>(op))
    return true;
  StringRef dialect = op->getName().getDialectNamespace();
  return (dialect == "arith" || dialect == "math") && op->getNumRegions() == 0;
}

/// Ops that cost as much in one layout as in another and need no other thread.
bool isRecomputable(Operation *op) {
  return isView(op) || isElementwise(op) || isa<ArangeOp, SplatOp>(op);
}

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
    sinkConversions();
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
    bool result = op && isRecomputable(op) &&
                  (isView(op) || llvm::all_of(op->getOperands(), [&](Value operand) {
                     return isRematerializable(operand) && !dependsOnHome(operand);
                   }));
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

  /// The layout of a view's result if its operand has `source`; none where it has more elements.
  std::optional<LinearLayout> layoutOfView(Operation *op, const LinearLayout &source) {
    ArrayRef<int64_t> from = shapeOf(op->getOperand(0)), to = shapeOf(op->getResult(0));
    return llvm::TypeSwitch<Operation *, std::optional<LinearLayout>>(op)
        .Case([&](ExpandDimsOp expand) { return source.withUnitDimension(expand.getAxis()); })
        .Case([&](ReshapeOp) { return source.beforeReshape(to, from); })
        .Case([&](TransOp trans) {
          SmallVector<int32_t> inverse(trans.getOrder().size());
          for (auto [i, dimension] : llvm::enumerate(trans.getOrder()))
            inverse[dimension] = static_cast<int32_t>(i);
          return source.beforeTranspose(inverse);
        })
        .Default([](Operation *) { return std::nullopt; });
  }

  /// The layout in which a tile is there for nothing; none for what is computed again.
  std::optional<LinearLayout> findHome(Value value) {
    if (auto it = homes_.find(value); it != homes_.end())
      return it->second;
    Operation *op = value.getDefiningOp();
    if (!op || !isView(op))
      return std::nullopt;
    std::optional<LinearLayout> source = findHome(op->getOperand(0));
    return source ? layoutOfView(op, *source) : std::nullopt;
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
    if (!isTile(value))
      return;
    value.setType(withLayout(value.getType(), layout));
    homes_.try_emplace(value, layout);
    versions_[value].insert(versions_[value].begin(), value);
    rematerializable_[value] = false;
  }
  void setHomes(ValueRange values, const LinearLayout &layout) {
    for (Value value : values)
      setHome(value, layout);
  }

  void setOperand(OpOperand &operand, const LinearLayout &layout) {
    if (isTile(operand.get()))
      operand.set(inLayout(operand.get(), layout));
  }
  void setOperands(Operation *op, const LinearLayout &layout) {
    for (OpOperand &operand : op->getOpOperands())
      setOperand(operand, layout);
  }

  /// The layout in which tiles of one shape meet: that of the first that has one.
  LinearLayout commonLayout(ValueRange tiles) {
    for (Value value : tiles)
      if (isTile(value) && dependsOnHome(value))
        if (std::optional<LinearLayout> home = findHome(value))
          return *home;
    for (Value value : tiles)
      if (isTile(value))
        return accesses_.ofShape(shapeOf(value));
    llvm_unreachable("there is a tile among the operands");
  }

  /// The layout of a tile that tile.split takes: both halves of each pair in one thread.
  LinearLayout layoutOfPairs(Value source, std::optional<LinearLayout> layout) {
    if (layout && layout->findRegisterBit(layout->rank() - 1, 1))
      return *layout;
    return accesses_.ofRows(shapeOf(source), 2);
  }

  LogicalResult assignBlock(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block))
      if (failed(assign(&op)))
        return failure();
    return success();
  }

  LogicalResult assign(Operation *op) {
    if (auto loop = dyn_cast<scf::ForOp>(op))
      return assignLoop(loop);
    if (auto loop = dyn_cast<scf::WhileOp>(op))
      return assignWhile(loop);
    if (auto branch = dyn_cast<scf::IfOp>(op))
      return assignBranches(branch);
    if (!hasTiles(op) || op->hasTrait<OpTrait::IsTerminator>())
      return success();
    if (isElementwise(op) || isRecomputable(op)) {
      assignElementwise(op);
      return success();
    }
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<LoadOp, StoreOp, AtomicRmwOp, AtomicCasOp>([&](Operation *access) {
          assignTogether(access, accesses_.ofPointers(access->getOperand(0)));
          return success();
        })
        .Case([&](TensorLoadOp load) {
          setHome(load.getResult(),
                  accesses_.ofTensor(shapeOf(load.getResult()), elementBytes(load.getResult())));
          return success();
        })
        .Case([&](TensorStoreOp store) {
          setOperand(store.getValueMutable(), commonLayout(store.getValue()));
          return success();
        })
        .Case([&](DotOp dot) {
          assignDot(dot);
          return success();
        })
        .Case<ScanOp, InlineAsmOp>([&](Operation *same) {
          assignTogether(same, commonLayout(tilesOf(same)));
          return success();
        })
        .Case([&](ReduceOp reduce) {
          const LinearLayout layout = commonLayout(reduce.getSources());
          setOperands(reduce, layout);
          setHomes(reduce.getResults(), layout.withoutDimension(reduce.getAxis()));
          return success();
        })
        .Case([&](JoinOp join) {
          const LinearLayout layout = commonLayout(join->getOperands());
          setOperands(join, layout);
          setHome(join.getResult(), layout.withPairDimension());
          return success();
        })
        .Case([&](SplitOp split) {
          const LinearLayout layout = layoutOfPairs(split.getSource(), findHome(split.getSource()));
          setOperands(split, layout);
          setHomes(split->getResults(), layout.withoutPairDimension());
          return success();
        })
        .Case([&](GatherOp gather) {
          setOperand(gather.getSourceMutable(), commonLayout(gather.getSource()));
          const LinearLayout layout = commonLayout(gather.getIndices());
          setOperand(gather.getIndicesMutable(), layout);
          setHome(gather.getResult(), layout);
          return success();
        })
        .Case([&](HistogramOp histogram) {
          setOperands(histogram, commonLayout(histogram->getOperands()));
          setHome(histogram.getResult(), accesses_.ofShape(shapeOf(histogram.getResult())));
          return success();
        })
        .Case<PrintOp, AssertOp>([&](Operation *reader) {
          for (OpOperand &operand : reader->getOpOperands())
            if (isTile(operand.get()))
              setOperand(operand, commonLayout(operand.get()));
          return success();
        })
        .Default([&](Operation *other) {
          return other->emitOpError("is not known to the GPU compiler");
        });
  }

  /// Operands and results, to find the shape an op works on.
  static SmallVector<Value> tilesOf(Operation *op) {
    SmallVector<Value> tiles(op->getOperands());
    tiles.append(op->result_begin(), op->result_end());
    return tiles;
  }

  void assignTogether(Operation *op, const LinearLayout &layout) {
    setOperands(op, layout);
    setHomes(op->getResults(), layout);
  }

  void assignDot(DotOp dot) {
    const DotAssignment::Layouts &layouts = dots_.of(dot);
    if (layouts.isWarpgroup)
      dot->setAttr(kWarpgroupAttr, builder_.getUnitAttr());
    for (auto [operand, wanted] : {std::pair(&dot.getLhsMutable(), &layouts.lhs),
                                   std::pair(&dot.getRhsMutable(), &layouts.rhs)})
      setOperand(*operand, *wanted ? **wanted : commonLayout(operand->get()));
    setOperand(dot.getAccMutable(), layouts.acc);
    setHome(dot.getResult(), layouts.acc);
  }

  void assignElementwise(Operation *op) {
    if (llvm::all_of(op->getResults(), [&](Value result) { return isRematerializable(result); }))
      return;
    std::optional<LinearLayout> layout = dots_.find(op->getResult(0));
    assignTogether(op, layout ? *layout : commonLayout(op->getOperands()));
  }

  /// The layout that a tile will have once its op is assigned, as far as that can be told.
  std::optional<LinearLayout> predict(Value value) {
    if (!isTile(value))
      return std::nullopt;
    if (std::optional<LinearLayout> home = findHome(value))
      return home;
    if (std::optional<LinearLayout> layout = dots_.find(value))
      return layout;
    Operation *op = value.getDefiningOp();
    if (!op || !predicting_.insert(value).second)
      return std::nullopt;
    auto firstOf = [&](ValueRange values) -> std::optional<LinearLayout> {
      for (Value candidate : values)
        if (std::optional<LinearLayout> layout = predict(candidate))
          return layout;
      return std::nullopt;
    };
    if (isView(op)) {
      std::optional<LinearLayout> source = predict(op->getOperand(0));
      return source ? layoutOfView(op, *source) : std::nullopt;
    }
    const unsigned number = cast<OpResult>(value).getResultNumber();
    return llvm::TypeSwitch<Operation *, std::optional<LinearLayout>>(op)
        .Case<LoadOp, AtomicRmwOp, AtomicCasOp>(
            [&](Operation *access) { return accesses_.ofPointers(access->getOperand(0)); })
        .Case([&](TensorLoadOp) { return accesses_.ofTensor(shapeOf(value), elementBytes(value)); })
        .Case([&](ReduceOp reduce) -> std::optional<LinearLayout> {
          std::optional<LinearLayout> source = firstOf(reduce.getSources());
          if (!source)
            source = accesses_.ofShape(shapeOf(reduce.getSources().front()));
          return source->withoutDimension(reduce.getAxis());
        })
        .Case([&](JoinOp join) -> std::optional<LinearLayout> {
          std::optional<LinearLayout> source = firstOf(join->getOperands());
          return source ? std::optional(source->withPairDimension()) : std::nullopt;
        })
        .Case([&](SplitOp split) {
          return layoutOfPairs(split.getSource(), predict(split.getSource()))
              .withoutPairDimension();
        })
        .Case([&](GatherOp gather) { return predict(gather.getIndices()); })
        .Case([&](HistogramOp) { return accesses_.ofShape(shapeOf(value)); })
        .Case([&](scf::ForOp loop) {
          return firstOf(
              {loop.getBody()->getTerminator()->getOperand(number), loop.getInitArgs()[number]});
        })
        .Case([&](scf::IfOp branch) {
          return firstOf(
              {branch.thenYield().getOperand(number), branch.elseYield().getOperand(number)});
        })
        .Case([&](scf::WhileOp loop) { return firstOf(loop.getConditionOp().getArgs()[number]); })
        .Default([&](Operation *other) { return firstOf(other->getOperands()); });
  }

  /// The layout of the first access that a tile of pointers or offsets leads to.
  std::optional<LinearLayout> predictFromUses(Value value) {
    SmallVector<Value> reached = {value};
    llvm::SmallPtrSet<Operation *, 16> seen;
    for (size_t i = 0; i < reached.size(); ++i)
      for (Operation *user : reached[i].getUsers()) {
        if (!seen.insert(user).second)
          continue;
        if (isa<LoadOp, StoreOp, AtomicRmwOp, AtomicCasOp>(user) && isTile(user->getOperand(0)) &&
            shapeOf(user->getOperand(0)) == shapeOf(value))
          return accesses_.ofPointers(user->getOperand(0));
        if (isElementwise(user))
          llvm::append_range(reached, user->getResults());
      }
    return std::nullopt;
  }

  /// The layout of a tile that a region takes or gives: that of what flows into it inside the loop,
  /// so that nothing moves between threads there; of what uses it; of what it begins with.
  LinearLayout layoutOfCarried(Value carried, ValueRange sources) {
    const bool isPointer = isa<PointerType>(elementTypeOf(carried.getType()));
    std::optional<LinearLayout> layout = dots_.find(carried);
    if (!layout && isPointer)
      layout = predictFromUses(carried);
    for (Value source : sources) {
      predicting_.clear();
      if (!layout)
        layout = predict(source);
    }
    if (!layout && !isPointer)
      layout = predictFromUses(carried);
    return layout ? *layout : accesses_.ofShape(shapeOf(carried));
  }

  /// Gives operands the layouts of the values that they become.
  void setCarriedOperands(MutableArrayRef<OpOperand> operands, ValueRange carried) {
    for (auto [operand, value] : llvm::zip_equal(operands, carried))
      if (isTile(value))
        setOperand(operand, homes_.find(value)->second);
  }

  LogicalResult assignLoop(scf::ForOp loop) {
    Operation *yield = loop.getBody()->getTerminator();
    for (auto [i, argument] : llvm::enumerate(loop.getRegionIterArgs()))
      if (isTile(argument)) {
        const LinearLayout layout =
            layoutOfCarried(argument, {yield->getOperand(i), loop.getInitArgs()[i]});
        setHome(argument, layout);
        setHome(loop.getResult(i), layout);
      }
    setCarriedOperands(loop.getInitArgsMutable(), loop.getRegionIterArgs());
    if (failed(assignBlock(*loop.getBody())))
      return failure();
    setCarriedOperands(yield->getOpOperands(), loop.getRegionIterArgs());
    return success();
  }

  LogicalResult assignWhile(scf::WhileOp loop) {
    Operation *yield = loop.getAfterBody()->getTerminator();
    scf::ConditionOp condition = loop.getConditionOp();
    for (auto [i, argument] : llvm::enumerate(loop.getBeforeArguments()))
      if (isTile(argument))
        setHome(argument, layoutOfCarried(argument, {yield->getOperand(i), loop.getInits()[i]}));
    for (auto [i, argument] : llvm::enumerate(loop.getAfterArguments()))
      if (isTile(argument)) {
        const LinearLayout layout = layoutOfCarried(argument, condition.getArgs()[i]);
        setHome(argument, layout);
        setHome(loop.getResult(i), layout);
      }
    setCarriedOperands(loop.getInitsMutable(), loop.getBeforeArguments());
    if (failed(assignBlock(*loop.getBeforeBody())))
      return failure();
    setCarriedOperands(condition.getArgsMutable(), loop.getAfterArguments());
    if (failed(assignBlock(*loop.getAfterBody())))
      return failure();
    setCarriedOperands(yield->getOpOperands(), loop.getBeforeArguments());
    return success();
  }

  LogicalResult assignBranches(scf::IfOp branch) {
    for (auto [i, result] : llvm::enumerate(branch.getResults()))
      if (isTile(result))
        setHome(result, layoutOfCarried(result, {branch.thenYield().getOperand(i),
                                                 branch.elseYield().getOperand(i)}));
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
          (op->getNumRegions() == 0 || isa<ReduceOp, ScanOp>(op)) &&
          !isa<ReduceOp, ScanOp>(op->getParentOp()))
        op->erase();
    });
  }

  /// Moves conversions into the only branch that needs them.
  void sinkConversions() {
    kernel_.walk<WalkOrder::PostOrder, ReverseIterator>([](ConvertLayoutOp convert) {
      Region *branch = nullptr;
      for (Operation *user : convert->getUsers()) {
        Operation *ancestor = convert->getBlock()->findAncestorOpInBlock(*user);
        if (!isa_and_nonnull<scf::IfOp>(ancestor) || ancestor == user)
          return;
        Region *region = user->getParentRegion();
        while (region->getParentOp() != ancestor)
          region = region->getParentRegion();
        if (branch && branch != region)
          return;
        branch = region;
      }
      if (branch)
        convert->moveBefore(&branch->front(), branch->front().begin());
    });
  }

  func::FuncOp kernel_;
  AccessLayouts accesses_;
  DotAssignment dots_;
  OpBuilder builder_;
  llvm::DenseMap<Value, bool> rematerializable_;
  llvm::DenseMap<Value, LinearLayout> homes_;
  llvm::DenseMap<Value, SmallVector<Value, 2>> versions_;
  llvm::DenseSet<Value> predicting_;
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
  registerPass(createCopyTensorLoadsPass);
  registerPass(createExpandDescriptorsPass);
  registerPass(createMakeTensorMapsPass);
  registerPass(createPipelineLoadsPass);
  registerPass(createWarpgroupDotsPass);
}

} // namespace inlay::tile
