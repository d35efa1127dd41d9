// x86-64 objects and shared objects that hold kernels for the CPU (include/inlay/cpu_kernel.h).
#pragma once

#include "base/Status.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

struct X86Code {
  bool isRelocatable = false;         // an object (.o), which must be linked
  std::vector<std::string> functions; // that it exports
  std::vector<std::string> needed;    // shared libraries it needs
  std::vector<std::string> undefined; // symbols of others, of an object
  /// What INLAY_CPU_KERNEL recorded for a kernel: "*fp32, i32". Nullopt if nothing.
  std::optional<std::string> findSignature(std::string_view entry) const;

  /// Errors: InvalidArgument saying what is wrong with the file.
  static Result<X86Code> read(std::string_view bytes);

private:
  std::vector<std::pair<std::string, std::string>> signatures_; // by entry
};

} // namespace inlay
