#include "compiler/driver/KernelCheck.h"

#include "compiler/driver/Context.h"
#include "compiler/driver/SignatureSearch.h"
#include "compiler/targets/Target.h"

#include "mlir/IR/BuiltinTypes.h"

#include <algorithm>
#include <chrono>

namespace inlay {
namespace {

/// Elements of the largest tile of a module.
int64_t largestTile(mlir::ModuleOp module) {
  int64_t largest = 1;
  module.walk([&](mlir::Operation *op) {
    for (mlir::Type type : op->getResultTypes())
      if (auto tile = mlir::dyn_cast<mlir::RankedTensorType>(type); tile && tile.hasStaticShape())
        largest = std::max(largest, tile.getNumElements());
  });
  return largest;
}

KernelCheckTarget compileFor(mlir::ModuleOp module, const std::string &name) {
  KernelCheckTarget outcome;
  outcome.name = name;
  auto begin = std::chrono::steady_clock::now();
  Result<std::vector<std::unique_ptr<Target>>> targets = createTargets(name);
  if (!targets.isOk()) {
    outcome.reason = targets.status().message();
    return outcome;
  }
  for (const std::unique_ptr<Target> &target : *targets) {
    Result<std::vector<KernelImage>> images = target->compile(module, {});
    outcome.isCompiled = images.isOk() && !images->empty();
    if (!images.isOk())
      outcome.reason = images.status().message();
    else if (!images->empty())
      outcome.sizeBytes = images->back().bytes.size();
    if (!outcome.isCompiled)
      break;
  }
  outcome.milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return outcome;
}

} // namespace

bool KernelCheckResult::isCompiled() const {
  return isTyped && std::all_of(targets.begin(), targets.end(),
                                [](const KernelCheckTarget &target) { return target.isCompiled; });
}

KernelCheckResult checkKernel(const FoundKernel &kernel,
                              const std::vector<triton::Launch> &launches,
                              const KernelCheckOptions &options) {
  KernelCheckResult result;
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  SignatureSearch search(*context, kernel, launches, options, result);
  mlir::OwningOpRef<mlir::ModuleOp> module = search.run();
  auto compile = [&] {
    std::vector<KernelCheckTarget> targets;
    for (const std::string &target : options.targets)
      targets.push_back(compileFor(*module, target));
    return targets;
  };
  // Sizes are guesses: smaller ones may fit where these do not. Tiles of three dimensions with the
  // usual sizes are larger than any that people launch.
  constexpr int kMaxHalvings = 3;
  constexpr int64_t kLargestUsualTile = int64_t{1} << 16;
  for (int i = 0; module && i < kMaxHalvings && largestTile(*module) > kLargestUsualTile; ++i) {
    mlir::OwningOpRef<mlir::ModuleOp> smaller = search.runSmaller();
    if (!smaller)
      break;
    module = std::move(smaller);
  }
  if (module)
    result.targets = compile();
  auto isTooLarge = [](const KernelCheckTarget &target) {
    return !target.isCompiled && target.reason.find("use smaller blocks") != std::string::npos;
  };
  for (int i = 0; module && i < kMaxHalvings &&
                  std::any_of(result.targets.begin(), result.targets.end(), isTooLarge);
       ++i) {
    module = search.runSmaller();
    if (module)
      result.targets = compile();
  }
  return result;
}

} // namespace inlay
