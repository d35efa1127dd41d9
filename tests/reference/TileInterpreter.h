// Runs a kernel in tile IR on the host, one element after the other: the plain reference that every
// target is compared with.
#pragma once

#include "base/Status.h"

#include "mlir/IR/BuiltinOps.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace inlay {

/// Memory a kernel may touch.
struct MemoryRange {
  const void *begin;
  uint64_t sizeBytes;
};

/// Runs every program of the grid, x fastest, of the only kernel in `module`. `arguments[i]` points
/// to the value of the kernel's i-th parameter, as in the CPU kernel entry: an 8-byte address for
/// pointers, else a scalar of its width (bool: one byte). Every element is computed in double
/// precision and rounded to its type after every operation; integers wrap. Errors: InvalidArgument
/// (no kernel, wrong number of arguments), OutOfRange (an access outside `memory`, if any is given,
/// names the operation's place and the program), FailedPrecondition (an assertion of the kernel),
/// Unimplemented (an operation the interpreter does not know). Inline assembly is PTX of the subset
/// in compiler/ptx; elements that lie together in row-major order are packed into one call.
/// Reductions and scans combine elements in order. `printed`, if given, receives the lines of
/// tile.print.
Status interpretTileKernel(mlir::ModuleOp module, std::span<const void *const> arguments,
                           std::array<uint32_t, 3> grid, std::span<const MemoryRange> memory = {},
                           std::string *printed = nullptr);

} // namespace inlay
