// Instructions that are written as text.
#pragma once

#include "compiler/conversions/tile-to-gpu/MemoryAccess.h"

#include <string>

namespace inlay::tile_to_gpu {

/// Inline PTX that no memory access passes. Constraints are LLVM's, each with a comma behind it.
Registers emitAsm(mlir::OpBuilder &builder, mlir::Location location,
                  llvm::ArrayRef<mlir::Type> results, mlir::ValueRange operands,
                  llvm::StringRef text, const std::string &constraints);

} // namespace inlay::tile_to_gpu
