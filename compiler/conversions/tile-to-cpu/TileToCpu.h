// From the tile dialect to vector loop nests for one x86-64 core: scf, arith, math, vector and LLVM
// pointers.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace inlay {

/// What the lowering must know about the processor.
struct TileToCpuOptions {
  /// Bytes of one vector register the code should use: 16, 32 or 64.
  unsigned vectorBytes = 32;
  /// Masked accesses of every element size are one instruction (AVX-512); otherwise tails run
  /// element by element.
  bool hasMaskedAccess = false;
};

/// Of a function with the CPU kernel ABI: the bytes that its scratch parameter must point to,
/// aligned to 64, in memory that no other thread uses at the time.
inline constexpr llvm::StringLiteral kScratchBytesAttr = "tile.scratch_bytes";

/// Replaces the only kernel (func.func with tile.kernel) by a function of the same name with the
/// CPU kernel ABI `void(const void *const *arguments, const uint32_t *grid, uint64_t begin,
/// uint64_t end)`, which runs the programs begin <= p < end of the flattened grid. If its tiles
/// need much memory, it has a fifth parameter `void *scratch` and kScratchBytesAttr. Tiles become
/// loops over their last (or contiguous) dimension in vector steps, so the code's size does not
/// depend on tile sizes. A tile op it cannot lower is an error at that op.
std::unique_ptr<mlir::Pass> createTileToCpuPass(const TileToCpuOptions &options = {});

/// To run before: expresses descriptors by pointers and masks, both halves of a product, and
/// well-known inline assembly by other operations.
std::unique_ptr<mlir::Pass> createExpandOperationsForCpuPass();

/// To run before: loops carry scalar distances instead of tiles of pointers and indices that they
/// move, whose accesses are then known to be contiguous.
std::unique_ptr<mlir::Pass> createScalarizeRecurrencesPass();

/// Registers "inlay-tile-to-cpu" and the passes before it.
void registerTileToCpuPasses();

} // namespace inlay
