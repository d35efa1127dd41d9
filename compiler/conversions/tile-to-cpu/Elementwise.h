// One elementwise operation on scalars or on vectors of lanes.
#pragma once

#include "compiler/dialects/tile/Tile.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace inlay::tile_to_cpu {

/// The type a tile's element has in generated code: pointers are `!llvm.ptr`, everything else is
/// unchanged.
mlir::Type valueTypeOf(mlir::Type elementType);

/// The type an element has in memory: i1 is i8; floats of 8 and 16 bits are integers, so that no
/// target need know them.
mlir::Type memoryTypeOf(mlir::Type elementType);

/// Bytes of one element in memory.
unsigned memoryBytesOf(mlir::Type elementType);

/// `type` itself for width 1, else a vector of `width` elements.
mlir::Type lanesType(mlir::Type type, unsigned width);

/// Element value -> what is stored, and back. Work on scalars and vectors.
mlir::Value toMemory(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value);
mlir::Value fromMemory(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value,
                       mlir::Type elementType);

/// The scalar in all lanes; the scalar itself for width 1.
mlir::Value splat(mlir::OpBuilder &builder, mlir::Location location, mlir::Value scalar,
                  unsigned width);

/// An integer constant of a scalar or vector integer type.
mlir::Value integerConstant(mlir::OpBuilder &builder, mlir::Location location, mlir::Type type,
                            int64_t value);

/// A zero (or null pointer) of the type.
mlir::Value zeroConstant(mlir::OpBuilder &builder, mlir::Location location, mlir::Type type);

/// Converts a signless integer (scalar or vector) to another element width with sign extension.
mlir::Value toWidth(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value,
                    unsigned bits);

/// Converts a float to a wider one, or an integer with sign extension; works on lanes.
mlir::Value extendTo(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value,
                     mlir::Type element);

/// ptr + offset bytes; either may be a vector.
mlir::Value addBytes(mlir::OpBuilder &builder, mlir::Location location, mlir::Value ptr,
                     mlir::Value offset);

/// The least multiple of `step` that is not below the i64, which is not negative.
mlir::Value roundUp(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value,
                    int64_t step);

/// True if emitElementwise understands the op: arith, math and the pointer ops of the tile dialect.
bool isElementwise(mlir::Operation *op);

/// Emits `op` on `operands`, all of `width` lanes (a select's condition may be a scalar). Floats
/// of 8 and 16 bits are computed in f32; integer division never traps: a zero divisor gives an
/// unspecified value.
mlir::Value emitElementwise(mlir::OpBuilder &builder, mlir::Operation *op,
                            mlir::ValueRange operands, unsigned width);

} // namespace inlay::tile_to_cpu
