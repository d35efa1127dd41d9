#include "compiler/conversions/tile-to-gpu/TileToGpu.h"

#include "compiler/conversions/tile-to-gpu/KernelLowering.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

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
  return isa<tile::SharedType, tile::TensorMapType, tile::BarriersType, Float8E4M3FNType,
             Float8E5M2Type, Float16Type, BFloat16Type, Float32Type, Float64Type, IndexType,
             tile::PointerType>(type) ||
         (type.isSignlessInteger() &&
          llvm::is_contained({1u, 8u, 16u, 32u, 64u}, type.getIntOrFloatBitWidth()));
}

tile::LinearLayout layoutOf(Value tile) {
  return tile::layoutOf(cast<RankedTensorType>(tile.getType()));
}

/// Whether all tiles among the types have one layout.
bool allAgree(ArrayRef<TypeRange> ranges) {
  std::optional<tile::LayoutAttr> layout;
  for (TypeRange types : ranges)
    for (Type type : types)
      if (auto tile = dyn_cast<RankedTensorType>(type)) {
        auto other = cast<tile::LayoutAttr>(tile.getEncoding());
        if (layout && *layout != other)
          return false;
        layout = other;
      }
  return true;
}

/// Whether the tiles of an op can be there as its registers: all in one layout, or as the op says
/// its result's elements are its operands'.
bool layoutsAgree(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<tile::ConvertLayoutOp, tile::DotOp, tile::WarpgroupDotOp, tile::WarpgroupWaitOp,
            tile::PrintOp, tile::AssertOp, scf::ForOp, scf::WhileOp, scf::IfOp, func::FuncOp>(
          [](Operation *) { return true; })
      .Case<tile::ExpandDimsOp, tile::BroadcastOp, tile::ReshapeOp, tile::TransOp>(
          [](Operation *view) {
            return layoutOf(view->getOperand(0)).numRegisters() ==
                   layoutOf(view->getResult(0)).numRegisters();
          })
      .Case([&](tile::ReduceOp reduce) {
        const tile::LinearLayout result =
            layoutOf(reduce.getSources().front()).withoutDimension(reduce.getAxis());
        return allAgree(TypeRange(reduce.getSources().getTypes())) &&
               llvm::all_of(reduce.getResults(), [&](Value value) {
                 return !isa<RankedTensorType>(value.getType()) || layoutOf(value) == result;
               });
      })
      .Case([](tile::JoinOp join) {
        return allAgree(TypeRange(join->getOperandTypes())) &&
               layoutOf(join.getResult()) == layoutOf(join.getLhs()).withPairDimension();
      })
      .Case([](tile::SplitOp split) {
        const tile::LinearLayout source = layoutOf(split.getSource());
        return source.findRegisterBit(source.rank() - 1, 1) &&
               allAgree(TypeRange(split->getResultTypes())) &&
               layoutOf(split.getLhs()) == source.withoutPairDimension();
      })
      .Case([](tile::GatherOp gather) {
        return layoutOf(gather.getIndices()) == layoutOf(gather.getResult());
      })
      .Case([](tile::HistogramOp histogram) {
        return allAgree(TypeRange(histogram->getOperandTypes()));
      })
      .Default([](Operation *other) {
        return allAgree({TypeRange(other->getOperandTypes()), TypeRange(other->getResultTypes())});
      });
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
