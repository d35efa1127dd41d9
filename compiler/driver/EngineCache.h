// Whole engines kept on disk between builds, found again by what they are built from.
#pragma once

#include "compiler/driver/Build.h"
#include "compiler/driver/ContentCache.h"

#include "mlir/IR/BuiltinOps.h"

#include <optional>
#include <string>
#include <vector>

namespace inlay {

/// A folder of engines and the reports of their builds; see ContentCache for how it is shared and
/// bounded.
class EngineCache {
public:
  /// A cancelled look-up finds nothing, and what is cancelled is not stored.
  explicit EngineCache(const EngineCacheOptions &options, CancelCheck isCancelled = {});

  /// The engine that a build with this key gave, with the report of that build without its times;
  /// nullopt if there is none. Its bytes lie in the entry, which it keeps mapped.
  std::optional<BuiltEngine> find(const std::string &key) const;
  void store(const std::string &key, const BuiltEngine &built) const;

private:
  ContentCache entries_;
};

/// The hash of all that an engine is made from: the plan, in which the model, its weights, every
/// kernel (source hash, specialisation, code of others) and the profiles are; the bytes of the
/// plugin files; targets, name and other options; the devices that tactics are measured on; this
/// compiler's own machine code and the ptxas in use. Errors: those of reading the plugin files.
Result<std::string> engineKey(mlir::ModuleOp plan, const std::vector<std::string> &targets,
                              const std::string &engineName, const BuildOptions &options);

/// Why engines of this plan are not kept; empty if they are. CUDA C++ is not: the headers that it
/// includes are not known before it is compiled.
std::string whyNotCached(mlir::ModuleOp plan);

} // namespace inlay
