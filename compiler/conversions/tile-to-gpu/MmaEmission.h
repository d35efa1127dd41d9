// Tensor-core instructions of one warp as inline PTX, on the scalars that its threads hold.
#pragma once

#include "compiler/conversions/tile-to-gpu/MemoryAccess.h"
#include "compiler/transforms/tile/MmaLayouts.h"

namespace inlay::tile_to_gpu {

/// The name of an operand's type in an instruction ("f16", "e4m3").
llvm::StringRef operandName(const tile::MmaInstruction &mma, mlir::Type elementType);

/// What an operand's element is before it is packed for the tensor cores: the parts whose sum is
/// the element (one part: the element itself, widened if the instruction wants it), most
/// significant first. Parts of a fp32 element differ from their sum by less than the bits of all
/// of them together; a part may be NaN where the element is infinite.
llvm::SmallVector<mlir::Value> splitForMma(mlir::OpBuilder &builder, mlir::Location location,
                                           const tile::MmaInstruction &mma, mlir::Value element);

/// Packs the elements of a fragment into machine registers.
Registers packFragment(mlir::OpBuilder &builder, mlir::Location location,
                       const tile::MmaInstruction &mma, mlir::ValueRange elements);

/// Emits acc + lhs · rhs. `lhs` and `rhs` are packed, with the element types `lhsType` and
/// `rhsType` (which tell fp8 types apart); `acc` are the accumulator's elements, all of one type;
/// so are the results.
Registers emitMma(mlir::OpBuilder &builder, mlir::Location location,
                  const tile::MmaInstruction &mma, mlir::Type lhsType, mlir::Type rhsType,
                  mlir::ValueRange lhs, mlir::ValueRange rhs, mlir::ValueRange acc);

} // namespace inlay::tile_to_gpu
