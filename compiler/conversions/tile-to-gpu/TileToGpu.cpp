#include "compiler/conversions/tile-to-gpu/TileToGpu.h"

#include "compiler/conversions/tile-to-gpu/KernelLowering.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace inlay {

namespace {

/// The only kernel of a module, or null after an error.
func::FuncOp findKernel(ModuleOp module) {
  SmallVector<func::FuncOp> kernels;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(tile::kKernelAttr))
      kernels.push_back(function);
  if (kernels.size() == 1)
    return kernels.front();
  module.emitError("a module must hold one kernel (func.func with ")
      << tile::kKernelAttr << "); this one holds " << kernels.size();
  return {};
}

bool isSupported(Type type) {
  type = tile::elementTypeOf(type);
  if (auto pointer = dyn_cast<tile::PointerType>(type))
    type = pointer.getElementType();
  return isa<tile::SharedType, Float8E4M3FNType, Float8E5M2Type, Float16Type, BFloat16Type,
             Float32Type, Float64Type, IndexType, tile::PointerType>(type) ||
         (type.isSignlessInteger() &&
          llvm::is_contained({1u, 8u, 16u, 32u, 64u}, type.getIntOrFloatBitWidth()));
}

/// Whether the tiles of an op can be there as its registers: all in one layout, or with as many
/// registers where the layouts say what is viewed.
bool layoutsAgree(Operation *op) {
  if (isa<tile::ConvertLayoutOp, tile::DotOp>(op) || op->getNumRegions() != 0)
    return true;
  const bool isView =
      isa<tile::ExpandDimsOp, tile::BroadcastOp, tile::ReshapeOp, tile::TransOp>(op);
  std::optional<tile::LayoutAttr> layout;
  for (TypeRange types : {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (auto tile = dyn_cast<RankedTensorType>(type)) {
        auto other = cast<tile::LayoutAttr>(tile.getEncoding());
        if (layout && (isView ? layout->getRegisters().size() != other.getRegisters().size()
                              : *layout != other))
          return false;
        layout = other;
      }
  return true;
}

/// Reports types that the lowering has no arithmetic for, and tiles without a layout.
LogicalResult verifyTypes(func::FuncOp kernel) {
  WalkResult result = kernel.walk([&](Operation *op) {
    for (TypeRange types : {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
      for (Type type : types) {
        auto tile = dyn_cast<RankedTensorType>(type);
        if (!isSupported(type)) {
          op->emitError("type ") << type << " cannot be compiled for GPUs yet";
          return WalkResult::interrupt();
        }
        auto layout =
            tile ? dyn_cast_or_null<tile::LayoutAttr>(tile.getEncoding()) : tile::LayoutAttr();
        if (tile && (!layout || layout.getRank() != tile.getRank())) {
          op->emitError("tile ") << type << " has no layout; run tile-assign-layouts first";
          return WalkResult::interrupt();
        }
      }
    // Terminators hand tiles to results of another op, whose types are verified.
    if (!op->hasTrait<OpTrait::IsTerminator>() && !layoutsAgree(op)) {
      op->emitError("the layouts of the tiles differ; only tile.convert_layout changes a layout");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

class TileToGpuPass : public PassWrapper<TileToGpuPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TileToGpuPass)

  StringRef getArgument() const override { return "inlay-tile-to-gpu"; }
  StringRef getDescription() const override {
    return "Lower a tile kernel with layouts to the code of one GPU thread";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, math::MathDialect, scf::SCFDialect, func::FuncDialect,
                    LLVM::LLVMDialect, NVVM::NVVMDialect, tile::TileDialect>();
  }
  void runOnOperation() override {
    func::FuncOp kernel = findKernel(getOperation());
    if (!kernel || failed(verifyTypes(kernel)) || failed(tile_to_gpu::KernelLowering(kernel).run()))
      signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> createTileToGpuPass() { return std::make_unique<TileToGpuPass>(); }

void registerTileToGpuPasses() {
  registerPass(createTileToGpuPass);
  registerPass(createGpuMathExpansionPass);
}

} // namespace inlay
