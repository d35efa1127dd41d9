// The functions of the C library that kernels may call: all else is their own code.
#pragma once

#include "mlir/IR/Builders.h"

namespace inlay::tile_to_cpu {

enum class LibraryFunction : uint8_t {
  Printf,  ///< (format: pointer, …) -> i32
  Dprintf, ///< (file: i32, format: pointer, …) -> i32
  Abort,   ///< ()
};

/// The symbols, by LibraryFunction.
inline constexpr llvm::StringLiteral kLibraryFunctionNames[] = {"printf", "dprintf", "abort"};

/// Calls the function, which is declared in the module if it is not yet; null if it returns
/// nothing.
mlir::Value callLibrary(mlir::OpBuilder &builder, mlir::Location location, LibraryFunction function,
                        mlir::ValueRange arguments);

/// The address of a constant string that ends in 0.
mlir::Value stringAddress(mlir::OpBuilder &builder, mlir::Location location, llvm::StringRef text);

/// Prints the message and a newline on the standard error stream, and ends the process.
void stopProcess(mlir::OpBuilder &builder, mlir::Location location, llvm::StringRef message);

} // namespace inlay::tile_to_cpu
