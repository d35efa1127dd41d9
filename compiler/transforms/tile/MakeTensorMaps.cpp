#include "compiler/transforms/tile/MakeTensorMaps.h"

#include "compiler/transforms/tile/Architecture.h"
#include "compiler/transforms/tile/AxisInfo.h"
#include "compiler/transforms/tile/TensorBoxes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace inlay::tile {
namespace {

constexpr int64_t kAlignmentBytes = 16;
/// A tile must find room beside two others, and one thread begins all of its boxes.
constexpr int64_t kShareOfSharedMemory = 3;
constexpr size_t kMostBoxes = 64;

RankedTensorType blockTypeOf(DescriptorLoadOp op) {
  return cast<RankedTensorType>(op.getResult().getType());
}
RankedTensorType blockTypeOf(DescriptorStoreOp op) {
  return cast<RankedTensorType>(op.getValue().getType());
}

unsigned elementBytesOf(RankedTensorType block) { return block.getElementTypeBitWidth() / 8; }

/// Computes again, at the kernel's beginning, what a map is made from.
class Hoister {
public:
  explicit Hoister(Block &kernel) : kernel_(kernel) {}

  /// Whether a value is there, or can be computed from what is there, outside of loops and
  /// branches.
  bool canHoist(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return cast<BlockArgument>(value).getOwner() == &kernel_;
    if (op->getBlock() == &kernel_)
      return true;
    return op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
           llvm::all_of(op->getOperands(), [&](Value operand) { return canHoist(operand); });
  }

  /// Finds the first place where everything that the values need is there.
  void reach(ValueRange values) {
    for (Value value : values) {
      Operation *op = value.getDefiningOp();
      if (!op)
        continue;
      if (op->getBlock() != &kernel_)
        reach(op->getOperands());
      else if (!last_ || last_->isBeforeInBlock(op))
        last_ = op;
    }
  }

  void setInsertionPoint(OpBuilder &builder) {
    if (last_)
      builder.setInsertionPointAfter(last_);
    else
      builder.setInsertionPointToStart(&kernel_);
  }

  Value hoist(OpBuilder &builder, Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() == &kernel_)
      return value;
    if (Value known = copies_.lookupOrNull(value))
      return known;
    for (Value operand : op->getOperands())
      copies_.map(operand, hoist(builder, operand));
    return builder.clone(*op, copies_)->getResult(cast<OpResult>(value).getResultNumber());
  }

private:
  Block &kernel_;
  Operation *last_ = nullptr;
  IRMapping copies_;
};

/// Rewrites one kernel.
class MapMaker {
public:
  explicit MapMaker(func::FuncOp kernel)
      : kernel_(kernel), builder_(kernel.getContext()),
        largestTileBytes_(
            sharedLimitBytes(computeCapabilityOf(kernel->getParentOfType<ModuleOp>())) /
            kShareOfSharedMemory) {}

  void run() {
    SmallVector<Operation *> accesses;
    kernel_.walk([&](Operation *op) {
      if (isa<DescriptorLoadOp, DescriptorStoreOp>(op))
        accesses.push_back(op);
    });
    for (Operation *access : accesses) {
      if (auto load = dyn_cast<DescriptorLoadOp>(access))
        rewrite(load);
      else
        rewrite(cast<DescriptorStoreOp>(access));
    }
  }

private:
  void rewrite(DescriptorLoadOp op) {
    Value map = createMap(op, op.getPadding());
    if (!map)
      return;
    builder_.setInsertionPoint(op);
    Value tile = TensorLoadOp::create(builder_, op.getLoc(),
                                      cast<TensorMapType>(map.getType()).getTileType(), map,
                                      op.getOffsets());
    op.getResult().replaceAllUsesWith(reshaped(op.getLoc(), tile, blockTypeOf(op)));
    op.erase();
  }

  void rewrite(DescriptorStoreOp op) {
    Value map = createMap(op, Padding::Zero);
    if (!map)
      return;
    builder_.setInsertionPoint(op);
    Location location = op.getLoc();
    // The engine writes whole pieces of 16 bytes, also where a row of the tensor ends within one.
    Value rowSize = op.getSizes().back();
    const int64_t pieceElements = kAlignmentBytes / elementBytesOf(blockTypeOf(op));
    if (axes_.get(rowSize).divisibility[0] % pieceElements != 0) {
      auto constant = [&](int64_t value) -> Value {
        return arith::ConstantOp::create(builder_, location, builder_.getI64IntegerAttr(value));
      };
      Value rest = arith::RemSIOp::create(builder_, location, rowSize, constant(pieceElements));
      Value isWhole =
          arith::CmpIOp::create(builder_, location, arith::CmpIPredicate::eq, rest, constant(0));
      auto branch = scf::IfOp::create(builder_, location, TypeRange(), isWhole,
                                      /*addThenBlock=*/true, /*addElseBlock=*/true);
      builder_.setInsertionPointToStart(branch.elseBlock());
      builder_.clone(*op);
      scf::YieldOp::create(builder_, location);
      builder_.setInsertionPointToStart(branch.thenBlock());
      scf::YieldOp::create(builder_, location);
      builder_.setInsertionPointToStart(branch.thenBlock());
    }
    Value tile =
        reshaped(location, op.getValue(), cast<TensorMapType>(map.getType()).getTileType());
    TensorStoreOp::create(builder_, location, map, op.getOffsets(), tile);
    op.erase();
  }

  /// Undoes a reshape rather than adding its inverse, so that dots see where their operands are.
  Value reshaped(Location location, Value tile, RankedTensorType type) {
    if (tile.getType() == type)
      return tile;
    auto before = tile.getDefiningOp<ReshapeOp>();
    if (before && before.getSource().getType() == type && !before.getAllowReorder())
      return before.getSource();
    return ReshapeOp::create(builder_, location, type, tile, false);
  }

  /// The map of what an access goes to, null after a remark if there can be none.
  template <typename Op>
  Value createMap(Op op, Padding padding) {
    const RankedTensorType block = blockTypeOf(op);
    if (const char *reason = whyNot(op, block, padding)) {
      op->emitRemark("accessed through pointers: ") << reason;
      return {};
    }
    Hoister hoister(kernel_.getBody().front());
    hoister.reach(op.getBase());
    hoister.reach(op.getSizes());
    hoister.reach(op.getStrides());
    hoister.setInsertionPoint(builder_);
    auto hoisted = [&](ValueRange values) {
      return llvm::map_to_vector(values,
                                 [&](Value value) { return hoister.hoist(builder_, value); });
    };
    auto type = TensorMapType::get(builder_.getContext(), block.getShape(), block.getElementType(),
                                   padding);
    return TensorMapOp::create(builder_, op.getLoc(), type, hoister.hoist(builder_, op.getBase()),
                               hoisted(op.getSizes()), hoisted(op.getStrides()));
  }

  template <typename Op>
  const char *whyNot(Op op, RankedTensorType block, Padding padding) {
    Type element = block.getElementType();
    if (!tensorElementCode(element, padding))
      return padding == Padding::NaN ? "the copy engine pads no such elements with NaN"
                                     : "the copy engine does not know the type of the elements";
    const unsigned elementBytes = elementBytesOf(block);
    if (block.getNumElements() * elementBytes > largestTileBytes_ ||
        planTensorBoxes(block.getShape(), elementBytes).parts.size() > kMostBoxes)
      return "the block takes more than a third of the shared memory, or more than 64 boxes";
    if (axes_.get(op.getBase()).divisibility[0] % kAlignmentBytes != 0)
      return "its base is not proved to be a multiple of 16 bytes";
    for (Value stride : op.getStrides().drop_back())
      if (axes_.get(stride).divisibility[0] * elementBytes % kAlignmentBytes != 0)
        return "its strides are not proved to be multiples of 16 bytes";
    if (axes_.get(op.getOffsets().back()).divisibility[0] * elementBytes % kAlignmentBytes != 0)
      return "its last offset is not proved to be a multiple of 16 bytes";
    Hoister hoister(kernel_.getBody().front());
    auto canHoist = [&](ValueRange values) {
      return llvm::all_of(values, [&](Value value) { return hoister.canHoist(value); });
    };
    if (!canHoist(op.getBase()) || !canHoist(op.getSizes()) || !canHoist(op.getStrides()))
      return "it is made from values that exist only inside of a loop or branch";
    return nullptr;
  }

  func::FuncOp kernel_;
  OpBuilder builder_;
  int64_t largestTileBytes_;
  AxisAnalysis axes_;
};

class MakeTensorMapsPass : public PassWrapper<MakeTensorMapsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MakeTensorMapsPass)

  StringRef getArgument() const override { return "tile-make-tensor-maps"; }
  StringRef getDescription() const override {
    return "Let the copy engine access described tensors by maps made at the kernel's beginning";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<TileDialect>();
  }
  void runOnOperation() override {
    if (!hasTensorMaps(getOperation()))
      return;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr(kKernelAttr))
        MapMaker(function).run();
  }
};

} // namespace

std::unique_ptr<Pass> createMakeTensorMapsPass() { return std::make_unique<MakeTensorMapsPass>(); }

} // namespace inlay::tile
