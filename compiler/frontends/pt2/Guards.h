// Conditions on inputs that the exporter relied on: `guards_code`.
#pragma once

#include "base/Status.h"
#include "symbolic/Expr.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace inlay::pt2 {

struct Guard {
  Expr condition;
  std::string text; // as a user reads it: "x.size(0) % 8 == 0"
};

/// The size of a dimension of an input; nullopt if there is none. `input` is written as "x" or
/// "z['k'][0]", `dimension` may be negative as in Python.
using InputSize = std::function<std::optional<Expr>(std::string_view input, int64_t dimension)>;

/// Reads one guard, a Python expression: "L['x'].size()[0] % 8 == 0". Errors: Unimplemented (it
/// speaks of strides or values, or of what is no integer expression), NotFound (no such input or
/// dimension).
Result<Guard> parseGuard(std::string_view text, const InputSize &sizeOf);

} // namespace inlay::pt2
