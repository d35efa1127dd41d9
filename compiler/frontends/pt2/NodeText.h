// How messages and names speak of a node of an exported program.
#pragma once

#include "compiler/frontends/pt2/ExportedProgram.h"

#include <string>
#include <string_view>
#include <utility>

namespace inlay::pt2 {

/// "torch.ops.aten.mul.Tensor" is "aten::mul.Tensor"; the overload "default" is left out. Empty if
/// it is no operator.
std::string opNameOf(std::string_view target);

/// The last place in a Python stack trace: file name without folder, and line; empty and 0 if there
/// is none.
std::pair<std::string, unsigned> sourceOf(std::string_view stackTrace);

/// "aten::mul.Tensor (node mul, model.py:7)".
std::string describe(const Node &node);

} // namespace inlay::pt2
