// How tile.inline_asm passes elements in registers, the same on every target.
#pragma once

#include "compiler/dialects/tile/Tile.h"
#include "compiler/ptx/Constraints.h"

#include "llvm/ADT/ArrayRef.h"

namespace inlay::tile {

/// Bits an element takes in a register: pointers have 64, i1 is a byte, as in memory.
unsigned registerBitsOf(mlir::Type element);

/// The registers of one call for `pack` elements: narrow ones share a register of 32 bits.
struct RegisterPacking {
  unsigned perRegister, numRegisters;
  RegisterPacking(mlir::Type element, unsigned pack);
};

/// The operation's constraints, parsed and compared with the number and sizes of its results and
/// operands. Errors: a diagnostic at the operation naming the result or operand.
mlir::FailureOr<std::vector<ptx::Constraint>> checkedConstraints(InlineAsmOp op);

} // namespace inlay::tile
