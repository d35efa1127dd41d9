#include "compiler/driver/RegisterAll.h"

#include "compiler/conversions/graph-to-plan/GraphToPlan.h"
#include "compiler/conversions/math/MathExpansion.h"
#include "compiler/conversions/tile-to-cpu/TileToCpu.h"
#include "compiler/conversions/tile-to-gpu/TileToGpu.h"
#include "compiler/driver/Context.h"
#include "compiler/targets/LowerToLlvm.h"
#include "compiler/transforms/graph/GraphPasses.h"
#include "compiler/transforms/tile/AssignLayouts.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/Passes.h"

namespace inlay {

void registerAllDialects(mlir::DialectRegistry &registry) {
  registerStageDialects(registry);
  registry.insert<mlir::LLVM::LLVMDialect, mlir::NVVM::NVVMDialect, mlir::vector::VectorDialect,
                  mlir::cf::ControlFlowDialect, mlir::ub::UBDialect>();
}

void registerAllPasses() {
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  registerGraphPasses();
  registerGraphToPlanPass();
  registerMathExpansionPasses();
  registerTileToCpuPasses();
  registerTileToGpuPasses();
  registerLowerToLlvmPass();
  tile::registerTileTransformPasses();
}

} // namespace inlay
