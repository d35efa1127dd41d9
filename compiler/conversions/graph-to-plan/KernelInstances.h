// The kernels of a plan: each combination of function, signature and constexprs is read once.
#pragma once

#include "base/Status.h"
#include "compiler/conversions/graph-to-plan/ShapeSymbols.h"
#include "compiler/dialects/plan/Plan.h"
#include "compiler/plugins/PluginDefinition.h"

#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace inlay {

/// A kernel of a plan and what its launches pass after their own arguments.
struct KernelInstance {
  plan::KernelOp op;
  std::vector<uint64_t> scratchBytes; // for each program of the grid, of each pointer
};

/// Reads kernels into plan.kernel ops. Borrowed: the context outlives it.
class KernelInstances {
public:
  explicit KernelInstances(mlir::MLIRContext &context) : context_(context) {}

  /// The kernel for a launch, read at its first use. Errors: NotFound (the file), InvalidArgument
  /// with the front end's diagnostics, or if arguments and parameters do not fit.
  /// `conditions` hold wherever the launch runs.
  Result<KernelInstance> find(const PluginNode &node, const PluginLaunch &launch,
                              const ShapeSymbols &symbols, std::span<const Expr> conditions,
                              llvm::function_ref<std::string(llvm::StringRef)> uniqueName);

  /// The configurations of a kernel's autotuner. Errors: NotFound (the file), InvalidArgument if
  /// there are none or they cannot be read.
  Result<std::vector<KernelConfigValues>> readAutotune(const TritonKernel &kernel);

  /// Gives up the ops, in the order in which they were made.
  std::vector<mlir::OwningOpRef<plan::KernelOp>> take() { return std::move(kernels_); }
  /// Remarks of the front end, "add_one.py:add_one_kernel: …".
  std::vector<std::string> takeNotes() { return std::move(notes_); }

private:
  /// A Python file, read once.
  struct SourceFile {
    std::string text;
    std::string hash;
  };
  Result<const SourceFile *> readSource(const TritonKernel &kernel);
  Result<KernelInstance> create(const PluginNode &node, const PluginLaunch &launch,
                                std::vector<std::string> signature, std::string name);
  /// The tile module of a kernel in the Triton language. Sets the hash of its file.
  Result<mlir::OwningOpRef<mlir::ModuleOp>> importSource(const PluginLaunch &launch,
                                                         const std::vector<std::string> &signature,
                                                         std::string &hash);

  mlir::MLIRContext &context_;
  std::map<std::string, SourceFile> sources_;
  std::map<std::string, KernelInstance> known_;
  std::vector<mlir::OwningOpRef<plan::KernelOp>> kernels_;
  std::vector<std::string> notes_;
};

} // namespace inlay
