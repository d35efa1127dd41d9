// What the passes over tiles know about the GPU that code is made for.
#pragma once

#include "mlir/IR/BuiltinOps.h"

#include <cstdint>

namespace inlay::tile {

/// The compute capability in the module attribute tile.target ("sm_90a": 90); 80 if absent.
unsigned computeCapabilityOf(mlir::ModuleOp module);

/// Whether groups of four warps multiply from shared memory (`wgmma`): only the target "sm_90a".
/// Source: PTX ISA, "Asynchronous Warpgroup Level Matrix Multiply-Accumulate Instructions".
bool hasWarpgroupMma(mlir::ModuleOp module);

/// Whether kernels make maps of tensors for the copy engine (`tensormap.replace`): targets of
/// compute capability 9.0 and later that are of one architecture ("sm_90a"). Source: PTX ISA,
/// "tensormap.replace".
bool hasTensorMaps(mlir::ModuleOp module);

/// The most shared memory that a block may have. Source: CUDA C++ Programming Guide, table
/// "Technical Specifications per Compute Capability".
int64_t sharedLimitBytes(unsigned computeCapability);

} // namespace inlay::tile
