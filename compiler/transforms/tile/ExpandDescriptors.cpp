#include "compiler/transforms/tile/ExpandDescriptors.h"

#include "compiler/dialects/tile/BlockAddress.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace inlay::tile {

namespace {

template <typename Op>
BlockAddresses addressesOf(OpBuilder &builder, Op op, RankedTensorType type) {
  return createBlockAddresses(builder, op.getLoc(), op.getBase(), op.getSizes(), op.getStrides(),
                              op.getOffsets(), type.getShape(),
                              llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
}

void expandLoad(DescriptorLoadOp op) {
  OpBuilder builder(op);
  auto type = cast<RankedTensorType>(op.getResult().getType());
  BlockAddresses addresses = addressesOf(builder, op, type);
  TypedAttr padding = builder.getZeroAttr(type);
  if (auto element = dyn_cast<FloatType>(type.getElementType());
      element && op.getPadding() == Padding::NaN)
    padding = DenseElementsAttr::get(type, APFloat::getNaN(element.getFloatSemantics()));
  Value other = arith::ConstantOp::create(builder, op.getLoc(), padding);
  Value loaded = LoadOp::create(builder, op.getLoc(), type, addresses.pointers, addresses.mask,
                                other, CacheModifier::None, EvictionPolicy::Normal, false);
  op.getResult().replaceAllUsesWith(loaded);
  op.erase();
}

void expandStore(DescriptorStoreOp op) {
  OpBuilder builder(op);
  BlockAddresses addresses =
      addressesOf(builder, op, cast<RankedTensorType>(op.getValue().getType()));
  StoreOp::create(builder, op.getLoc(), addresses.pointers, op.getValue(), addresses.mask,
                  CacheModifier::None, EvictionPolicy::Normal);
  op.erase();
}

class ExpandDescriptorsPass : public PassWrapper<ExpandDescriptorsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandDescriptorsPass)

  StringRef getArgument() const override { return "tile-expand-descriptors"; }
  StringRef getDescription() const override {
    return "Turn accesses through tensor descriptors into loads and stores through pointers";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<TileDialect>();
  }
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (auto load = dyn_cast<DescriptorLoadOp>(op))
        expandLoad(load);
      else if (auto store = dyn_cast<DescriptorStoreOp>(op))
        expandStore(store);
    });
  }
};

} // namespace

std::unique_ptr<Pass> createExpandDescriptorsPass() {
  return std::make_unique<ExpandDescriptorsPass>();
}

} // namespace inlay::tile
