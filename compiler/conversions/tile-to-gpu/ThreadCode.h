// Small pieces of code of one GPU thread: types, constants, bits of its number.
#pragma once

#include "compiler/dialects/tile/Tile.h"
#include "compiler/transforms/tile/LinearLayout.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace inlay::tile_to_gpu {

inline constexpr unsigned kGlobalSpace = 1;
inline constexpr unsigned kSharedSpace = 3;

/// A tile's element in a thread: pointers become LLVM's in their address space.
mlir::Type valueTypeOf(mlir::Type elementType);
/// The same in memory: i1 is a byte of 0 or 1, 16-bit floats are i16.
mlir::Type memoryTypeOf(mlir::Type elementType);
unsigned memoryBytesOf(mlir::Type elementType);
mlir::Value toMemory(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value);
mlir::Value fromMemory(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value,
                       mlir::Type elementType);

mlir::Value integerConstant(mlir::OpBuilder &builder, mlir::Location location, mlir::Type type,
                            int64_t value);

/// Whether an op is computed element by element: arith, math, and the pointer ops of tile.
bool isElementwise(mlir::Operation *op);
/// Emits an elementwise op on one element of each operand; returns its results. bf16 and f16 are
/// computed in f32 and rounded after each op.
llvm::SmallVector<mlir::Value, 2> emitElement(mlir::OpBuilder &builder, mlir::Operation *op,
                                              mlir::ValueRange operands);

/// The number of the thread in its block, i32.
mlir::Value threadId(mlir::OpBuilder &builder, mlir::Location location);
/// The coordinate along a dimension that register 0 of this thread holds, i32.
mlir::Value threadCoordinate(mlir::OpBuilder &builder, mlir::Location location,
                             const tile::LinearLayout &layout, unsigned dimension);
/// The coordinate of a register: `threadPart` combined with the register's offset.
mlir::Value registerCoordinate(mlir::OpBuilder &builder, mlir::Location location,
                               const tile::LinearLayout &layout, unsigned dimension,
                               mlir::Value threadPart, unsigned registerIndex);
/// i1: the thread owns its elements, no other thread of lower number holds them; null if all do.
mlir::Value ownsElements(mlir::OpBuilder &builder, mlir::Location location,
                         const tile::LinearLayout &layout);
/// For each register the first one that holds the same element.
llvm::SmallVector<unsigned> representatives(const tile::LinearLayout &layout);

} // namespace inlay::tile_to_gpu
