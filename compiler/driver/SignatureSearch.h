// Looks for types and compile-time values of a kernel's parameters with which it can be imported.
#pragma once

#include "compiler/driver/KernelCheck.h"
#include "compiler/frontends/triton/Candidates.h"
#include "compiler/frontends/triton/ModuleLoader.h"
#include "compiler/frontends/triton/TritonFrontend.h"
#include "compiler/frontends/triton/Usage.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace inlay {

/// Looks for a signature of one kernel that types: begins with the likeliest choice of every
/// parameter and changes what the place of the error depends on, as long as the import gets
/// further.
class SignatureSearch {
public:
  SignatureSearch(mlir::MLIRContext &context, const FoundKernel &kernel,
                  const std::vector<triton::Launch> &launches, const KernelCheckOptions &options,
                  KernelCheckResult &result)
      : context_(context), kernel_(kernel), launches_(launches), options_(options),
        result_(result) {}

  /// The module of the first signature that types; null, with the reason in the result.
  mlir::OwningOpRef<mlir::ModuleOp> run();
  /// After run: the module with the larger compile-time sizes halved; null if there are none, or if
  /// it does not type then.
  mlir::OwningOpRef<mlir::ModuleOp> runSmaller();

private:
  /// One choice for each parameter, by position.
  using Selection = std::vector<size_t>;
  struct Attempt {
    mlir::OwningOpRef<mlir::ModuleOp> module; // null: it did not type
    triton::ImportFailure failure;
    std::string message;
    std::vector<std::string> notes;
  };

  bool prepare();
  void readLaunchOptions();
  std::map<std::string, std::string> readTuning();
  triton::KernelRequest makeRequest();
  Attempt attempt(const Selection &selection);
  void describe(const Selection &selection);
  std::vector<Selection> moves(const Selection &from, const triton::ImportFailure &failure);
  Attempt climb(Selection &best);
  void addTypeMoves(const Selection &from, std::vector<Selection> &moves) const;
  bool isDone(const Attempt &tried) const {
    return tried.module || result_.attempts >= options_.maxAttempts ||
           static_cast<double>(std::clock() - begin_) / CLOCKS_PER_SEC > options_.maxSearchSeconds;
  }

  mlir::MLIRContext &context_;
  const FoundKernel &kernel_;
  const std::vector<triton::Launch> &launches_;
  const KernelCheckOptions &options_;
  KernelCheckResult &result_;

  const std::clock_t begin_ = std::clock(); // of this process: other programs do not shorten it
  std::string source_;
  std::map<std::string, std::optional<std::string>> filesRead_;
  std::unique_ptr<triton::Module> module_;
  std::unique_ptr<triton::ModuleLoader> loader_;
  std::unique_ptr<triton::UsageAnalysis> usage_;
  const triton::ModuleItem *item_ = nullptr;
  const triton::Function *function_ = nullptr;
  std::vector<triton::ParameterCandidates> candidates_;
  std::set<std::string> tuned_; // parameters that a configuration gives
  Selection found_;
};

} // namespace inlay
