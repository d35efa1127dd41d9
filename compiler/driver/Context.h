// The MLIR context of a build: which dialects there are, and IR text in and out of it with errors
// as Status.
#pragma once

#include "base/Status.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <string>
#include <string_view>

namespace inlay {

/// Registers every dialect that a stage's text may hold.
void registerStageDialects(mlir::DialectRegistry &registry);

/// A context with those dialects, for one build on one thread.
std::unique_ptr<mlir::MLIRContext> createContext();

/// Reads and verifies IR text. Errors: InvalidArgument holding the diagnostics.
Result<mlir::OwningOpRef<mlir::ModuleOp>>
parseModule(mlir::MLIRContext &context, const std::string &name, std::string_view text);

/// The text of a stage: parseModule reads it back.
std::string printOperation(mlir::Operation *op);

/// Collects the diagnostics emitted on a context while it lives.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext &context);
  /// All of them, "file:line:column: error: message", one a line.
  const std::string &text() const { return text_; }

private:
  std::string text_;
  mlir::ScopedDiagnosticHandler handler_;
};

} // namespace inlay
