// ptxas: PTX to a cubin, with what it says about registers.
#pragma once

#include "base/Status.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

struct AssembledPtx {
  std::vector<std::byte> cubin;
  uint32_t registers = 0;
  uint32_t spillBytes = 0;
  uint32_t sharedBytes = 0;
  /// What ptxas says slows the kernel down ("Potential Performance Loss"), one line each.
  std::string advice;
};

/// The ptxas to use: the one INLAY_PTXAS names, else the first in PATH; nullopt if there is none.
/// Errors: NotFound if INLAY_PTXAS names no program.
Result<std::optional<std::string>> findPtxas();

/// Runs ptxas on the text of one kernel for an architecture ("sm_90a"). Gives nullopt if this ptxas
/// is older than the architecture or the PTX. Errors: Internal with what ptxas said.
Result<std::optional<AssembledPtx>> assemblePtx(const std::string &ptxas, std::string_view ptx,
                                                std::string_view architecture);

} // namespace inlay
