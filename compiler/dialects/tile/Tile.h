// The tile dialect: types, attributes and operations (TileOps.td).
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "compiler/dialects/tile/TileOpsDialect.h.inc"
#include "compiler/dialects/tile/TileOpsEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/dialects/tile/TileOpsTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/dialects/tile/TileOpsAttrs.h.inc"

#define GET_OP_CLASSES
#include "compiler/dialects/tile/TileOps.h.inc"

namespace inlay::tile {

/// Names of the discardable attributes described in the dialect's description.
inline constexpr llvm::StringLiteral kKernelAttr = "tile.kernel";
inline constexpr llvm::StringLiteral kNameAttr = "tile.name";
inline constexpr llvm::StringLiteral kDivisibilityAttr = "tile.divisibility";
inline constexpr llvm::StringLiteral kContiguityAttr = "tile.contiguity";
inline constexpr llvm::StringLiteral kConstancyAttr = "tile.constancy";
inline constexpr llvm::StringLiteral kSignednessAttr = "tile.signedness";
/// On the module: i32, the number of warps one program runs on (GPU targets).
inline constexpr llvm::StringLiteral kNumWarpsAttr = "tile.num_warps";
/// On the module: i32, on loops: i64, how many iterations of a loop are in flight: loads of the
/// next ones are made while one computes. 1: none; absent: 3.
inline constexpr llvm::StringLiteral kNumStagesAttr = "tile.num_stages";
/// On the module: string, the GPU architecture that code is made for ("sm_90a").
inline constexpr llvm::StringLiteral kTargetAttr = "tile.target";

/// The scalar type of a scalar or of a tile's elements.
inline mlir::Type elementTypeOf(mlir::Type type) {
  if (auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type))
    return tensor.getElementType();
  return type;
}

} // namespace inlay::tile
