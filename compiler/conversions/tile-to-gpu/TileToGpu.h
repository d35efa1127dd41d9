// Tile IR with layouts to the code of one GPU thread.
#pragma once

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace inlay {

/// On the module after the pass: i32, the PTX ISA version (times ten) that its inline PTX needs, if
/// that is more than the architecture asks for.
inline constexpr llvm::StringLiteral kPtxVersionAttr = "tile.ptx_version";

/// On the lowered module: i64, the bytes of dynamic shared memory a launch must give the kernel;
/// absent if what the code declares is enough.
inline constexpr llvm::StringLiteral kDynamicSharedBytesAttr = "tile.dynamic_shared_bytes";

/// Pass "inlay-tile-to-gpu".
///
/// Each tile becomes the scalars that one thread holds of it: register r of the tile's layout is
/// one SSA value. Indices come from the thread's number through the layout's bases; loads and
/// stores become predicated accesses of up to 128 bits; tile.convert_layout goes through registers
/// if each thread has what it needs, else through shared memory. scf stays around scalars.
///
/// Requires   tile-assign-layouts has run; one kernel in the module.
/// Guarantees func, scf, arith, math, LLVM and NVVM on scalars; the function has the kernel's name
///            and parameters, pointers in address space 1, i1 as i8.
/// Errors     at the op that the GPU compiler does not know, or whose types it does not know.
std::unique_ptr<mlir::Pass> createTileToGpuPass();

/// Patterns for math that the hardware has an instruction for, of higher benefit than the general
/// expansions: f32 division, square root, exp and exp2 where `afn` allows it, and rsqrt. Results of
/// exp and exp2 below 2^-126 are 0, as Triton's.
/// Source: PTX ISA, "Floating Point Instructions": div.full, sqrt.approx, ex2.approx.ftz,
/// rsqrt.approx.
void populateNativeGpuMathPatterns(mlir::RewritePatternSet &patterns);

/// Applies those and the general math expansions ("inlay-gpu-math-expansion").
std::unique_ptr<mlir::Pass> createGpuMathExpansionPass();

/// Registers the passes of this folder.
void registerTileToGpuPasses();

} // namespace inlay
