// Stores that go past the caches, for launches whose results are larger than any cache.
#pragma once

#include "compiler/targets/cpu/CpuLevel.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"

#include <cstdint>

namespace inlay {

/// A launch that stores at least this many bytes streams them: an ordinary store first reads the
/// line it writes, a third of a copy's traffic, and evicts what others could use.
inline constexpr uint64_t kStreamingBytes = 32 << 20;

/// Kernels of more instructions than this are not copied: what they compute hides their stores, and
/// a second version doubles the time to compile them.
inline constexpr unsigned kMaxStreamingInstructions = 2000;

/// Bytes that one program of a tile kernel stores, with stores in loops counted once and masks
/// taken as all true: enough to tell large launches from small ones.
uint64_t storedBytesPerProgram(mlir::ModuleOp tileModule);

/// Adds to the kernel `entry` (optimized, with the CPU kernel ABI) a copy whose vector stores are
/// non-temporal where their address is aligned for it, followed by a store fence, and lets the
/// entry choose between the two by the size of its grid. Does nothing to kernels that store no
/// vectors, and to large ones.
void addStreamingVersion(llvm::Module &module, llvm::StringRef entry, uint64_t bytesPerProgram,
                         const CpuLevel &level);

} // namespace inlay
