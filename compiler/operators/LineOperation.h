// Operators that go along lines of the last dimension, as part of a kernel that holds whole lines.
#pragma once

#include "compiler/operators/LoopKernel.h"

namespace inlay {

/// The variables that hold a node's inputs, by name, each of its tensor's type.
using OperandVariables = std::map<std::string, std::string, std::less<>>;

/// What an operator makes of lines, which are its first input's along the last dimension.
struct LineOperation {
  /// The result is one element for each line.
  bool isReduction = false;
  /// Adds the lines of text that compute it; names of new variables begin with `prefix`. Gives
  /// text of the first result, of its type.
  std::function<std::string(LoopKernel &kernel, const OperandVariables &operands,
                            const std::string &prefix)>
      write;
};

/// The longest line that a kernel holds.
constexpr int64_t kLongestLine = 4096;

} // namespace inlay
