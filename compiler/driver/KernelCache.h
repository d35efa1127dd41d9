// Compiled kernels kept on disk between builds, found again by content.
#pragma once

#include "base/Status.h"
#include "compiler/driver/ContentCache.h"
#include "compiler/targets/Target.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace inlay {

/// A folder of compiled kernels. An entry's key is the hash of everything its images depend on: the
/// tile module's text with its locations, the target, this compiler's own machine code, and the
/// ptxas in use. What is stored is what compiling again would give, byte for byte.
class KernelCache {
public:
  /// `maxBytes` bounds the folder, which is created when the first entry is stored.
  KernelCache(std::string folder, uint64_t maxBytes);

  /// The cache that INLAY_CACHE_DIR and INLAY_CACHE_MB ask for; nullopt without INLAY_CACHE_DIR.
  /// Errors: InvalidArgument for an INLAY_CACHE_MB that is no positive number.
  static Result<std::optional<KernelCache>> fromEnvironment();

  /// The images that `Target::compile` gave for this module and target before; nullopt if there are
  /// none. Trouble with the folder counts as absence and is logged.
  std::optional<std::vector<KernelImage>> find(mlir::ModuleOp module, const Target &target) const;
  /// Keeps images. Trouble with the folder is logged; the build goes on without.
  void store(mlir::ModuleOp module, const Target &target,
             const std::vector<KernelImage> &images) const;

private:
  ContentCache entries_;
};

} // namespace inlay
