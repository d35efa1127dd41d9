#include "compiler/transforms/tile/CopyTensorLoads.h"

#include "compiler/dialects/tile/Tile.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace inlay::tile {
namespace {

void copyAndRead(TensorLoadOp op) {
  OpBuilder builder(op);
  Location location = op.getLoc();
  auto map = cast<TensorMapType>(op.getMap().getType());
  auto constant = [&](TypedAttr value) -> Value {
    return arith::ConstantOp::create(builder, location, value);
  };
  Value zero = constant(builder.getI32IntegerAttr(0)), always = constant(builder.getBoolAttr(true));
  Value buffer = AllocSharedOp::create(
      builder, location,
      SharedType::get(builder.getContext(), 1, map.getTileType().getShape(), map.getElementType(),
                      /*fastest=*/1));
  Value barriers =
      AllocBarriersOp::create(builder, location, BarriersType::get(builder.getContext(), 1, 1));
  TensorCopyOp::create(builder, location, op.getMap(), op.getCoordinates(), always, buffer,
                       barriers, zero);
  AsyncWaitOp::create(builder, location, 0, barriers, zero, zero);
  // Behind the wait, a barrier of all threads, nobody asks for the copy's barrier.
  FreeBarriersOp::create(builder, location, barriers);
  Value tile = SharedLoadOp::create(builder, location, op.getResult().getType(), buffer, zero);
  FreeSharedOp::create(builder, location, buffer);
  op.getResult().replaceAllUsesWith(tile);
  op.erase();
}

class CopyTensorLoadsPass : public PassWrapper<CopyTensorLoadsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CopyTensorLoadsPass)

  StringRef getArgument() const override { return "tile-copy-tensor-loads"; }
  StringRef getDescription() const override {
    return "Copy what is loaded by maps of tensors to shared memory, and read it there";
  }
  void runOnOperation() override {
    getOperation().walk([](TensorLoadOp op) { copyAndRead(op); });
  }
};

} // namespace

std::unique_ptr<Pass> createCopyTensorLoadsPass() {
  return std::make_unique<CopyTensorLoadsPass>();
}

} // namespace inlay::tile
