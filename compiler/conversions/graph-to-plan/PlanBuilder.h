// Makes the ops of a plan in any order and puts them into the order in which a plan is read.
#pragma once

#include "base/DataType.h"
#include "compiler/dialects/plan/Plan.h"
#include "compiler/plugins/PluginDefinition.h"
#include "symbolic/Expr.h"

#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringSet.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// Collects declarations and steps of one plan.program.
class PlanBuilder {
public:
  explicit PlanBuilder(mlir::MLIRContext &context) : builder_(&context) {}

  mlir::OpBuilder &builder() { return builder_; }
  /// `wanted`, or `wanted` with a number if that is taken; no buffer or kernel gets it again.
  std::string uniqueName(llvm::StringRef wanted);

  void addSymbol(mlir::Location loc, llvm::StringRef name, int64_t min, int64_t max, int64_t opt,
                 uint32_t input, uint32_t dim);
  /// A size that kernels compute, from 0 to `bound`; after all other symbols.
  void addComputedSymbol(mlir::Location loc, llvm::StringRef name, const Expr &bound, int64_t max,
                         int64_t opt);
  void addReadSize(mlir::Location loc, llvm::StringRef name, llvm::StringRef buffer, DataType dtype,
                   llvm::StringRef plugin, llvm::StringRef node);
  void addInput(mlir::Location loc, llvm::StringRef name, DataType dtype,
                std::span<const Expr> shape, llvm::StringRef buffer, llvm::StringRef path);
  void addOutput(mlir::Location loc, llvm::StringRef name, DataType dtype,
                 std::span<const Expr> shape, llvm::StringRef buffer, llvm::StringRef path);
  /// Adds a check once, however often it is asked for.
  void addCheck(mlir::Location loc, const Expr &condition, llvm::StringRef message);
  /// Makes a buffer named after `wanted` and returns its name. `data` is given for a constant.
  std::string addBuffer(mlir::Location loc, llvm::StringRef wanted, plan::BufferKind kind,
                        const Expr &sizeBytes, mlir::ElementsAttr data = {});
  /// A weight of constant shape in a buffer that has its data.
  void addWeight(mlir::Location loc, llvm::StringRef name, const TensorSpec &spec,
                 llvm::StringRef buffer);
  void addKernel(mlir::OwningOpRef<plan::KernelOp> kernel);
  void addLaunch(mlir::Location loc, llvm::StringRef kernel, std::span<const Expr> grid,
                 mlir::ArrayRef<mlir::Attribute> arguments, llvm::StringRef plugin,
                 llvm::StringRef node, const std::optional<std::array<Expr, 3>> &block = {},
                 const std::optional<Expr> &sharedBytes = {}, llvm::StringRef attributes = "",
                 llvm::StringRef choice = "", llvm::StringRef tactic = "");
  /// Makes a choice named after `node` and returns its name. `tactics` are dictionaries as
  /// plan.choice has them.
  std::string addChoice(mlir::Location loc, mlir::ArrayRef<mlir::Attribute> tactics,
                        llvm::StringRef plugin, llvm::StringRef node);
  /// `tensors` are those in the buffers, inputs first.
  void addHostCall(mlir::Location loc, llvm::StringRef function,
                   std::span<const std::string> inputs, std::span<const std::string> outputs,
                   std::span<const TensorSpec> tensors, mlir::DictionaryAttr attributes,
                   llvm::StringRef workspace, llvm::StringRef node);
  /// Adds a step made elsewhere.
  void addStep(mlir::OwningOpRef<mlir::Operation *> step) { steps_.push_back(std::move(step)); }
  void addCopy(mlir::Location loc, llvm::StringRef source, llvm::StringRef target);

  mlir::FlatSymbolRefAttr reference(llvm::StringRef buffer);
  mlir::StringAttr text(const Expr &expr) { return builder_.getStringAttr(expr.toString()); }

  /// A module that holds the finished program. The builder is empty afterwards.
  mlir::OwningOpRef<mlir::ModuleOp> finish(mlir::Location loc, llvm::StringRef name);

private:
  using Section = std::vector<mlir::OwningOpRef<mlir::Operation *>>;
  mlir::ArrayAttr texts(std::span<const Expr> expressions);

  mlir::OpBuilder builder_;
  llvm::StringSet<> names_, checks_;
  Section symbols_, inputs_, outputs_, checkOps_, buffers_, kernels_, choices_, steps_;
};

} // namespace inlay
