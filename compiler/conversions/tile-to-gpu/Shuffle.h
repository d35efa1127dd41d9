// Values from other lanes of the warp, whatever their type; and branches of single threads.
#pragma once

#include "mlir/IR/Builders.h"

#include <cstdint>

namespace inlay::tile_to_gpu {

/// The value of the lane whose number differs in the bits of `laneMask`. Takes every type a tile's
/// element has in a thread (valueTypeOf): integers, floats and pointers of 1 to 64 bits.
mlir::Value shuffleXor(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value,
                       uint32_t laneMask);
/// The value of the lane with this number (i32, 0 to 31).
mlir::Value shuffleFrom(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value,
                        mlir::Value lane);

/// The value's bits as an integer of the same width, and back.
mlir::Value toBits(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value);
mlir::Value fromBits(mlir::OpBuilder &builder, mlir::Location location, mlir::Value bits,
                     mlir::Type type);

} // namespace inlay::tile_to_gpu
