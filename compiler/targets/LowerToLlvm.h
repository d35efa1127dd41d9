// What all targets do at the end: to MLIR's LLVM dialect, and errors at ops as Status.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace inlay {

/// arith, math, vector, scf, cf, ub and func to the LLVM dialect, in one conversion. NVVM ops stay.
std::unique_ptr<mlir::Pass> createLowerToLlvmPass();

/// Registers "inlay-lower-to-llvm".
void registerLowerToLlvmPass();

/// Errors reported at ops while it lives, as text: "file:line:column: message", one a line.
class ErrorCollector {
public:
  explicit ErrorCollector(mlir::MLIRContext *context);
  const std::string &text() const { return text_; }

private:
  std::string text_;
  mlir::ScopedDiagnosticHandler handler_;
};

/// Name of the only kernel of a tile module, or an empty string.
std::string kernelName(mlir::ModuleOp module);

/// An op or module of MLIR or LLVM as text.
template <typename T>
std::string printed(T &&value) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if constexpr (requires { value.print(stream); })
    value.print(stream);
  else
    value.print(stream, nullptr); // an LLVM module: without an annotator
  return text;
}

} // namespace inlay
