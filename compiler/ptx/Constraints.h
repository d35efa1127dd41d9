// LLVM's constraints of inline assembly for PTX: "=r,=h,r,l,n".
#pragma once

#include "base/Status.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace inlay::ptx {

/// One operand "$n".
struct Constraint {
  char letter = 'r'; ///< b c h r l q f d, or n for immediates; that of the output for tied inputs
  bool isOutput = false;
  std::optional<uint32_t> tiedTo; ///< an input in the register of this output

  bool isImmediate() const { return letter == 'n'; }
  /// Of the register, in bits; 0 for immediates.
  unsigned width() const;
};

/// The operands, outputs first; clobbers are passed over. Blanks are allowed. Errors:
/// InvalidArgument naming the entry and its place.
Result<std::vector<Constraint>> parseConstraints(std::string_view text);

} // namespace inlay::ptx
