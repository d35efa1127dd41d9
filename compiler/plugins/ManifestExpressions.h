// The words that manifests' expressions have beyond those of symbolic/: questions about attributes
// and element types.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <optional>
#include <string>
#include <string_view>

namespace inlay {

/// Brings `mode == 'fast'`, `X.dtype != 'float16'`, `axis is None`, `is_none(axis)` and `len(pads)`
/// to names that the expression library reads: "mode.is_66617374", "axis.is_none", "pads.len". All
/// else stays. Errors: InvalidArgument for a text that is compared with no name, or not closed.
Result<std::string> toExpressionText(std::string_view text);

/// The parts of a name in an expression: "modes[1].is_66617374" is of "modes", element 1, and asks
/// for 'fast'.
struct ExpressionName {
  std::string base;
  std::string property; // "shape", "numel", "len", "dtype", …; empty: the value itself
  std::optional<int64_t> index;
  bool asksWhetherNone = false;
  std::optional<std::string> comparedWith;
};
ExpressionName splitExpressionName(std::string_view name);

/// What is wrong with a name of an attribute where an integer is expected, and, if `isOfFloats`,
/// also a float will do; empty if nothing.
std::string attributeNameError(const AttributeParameter &attribute, const ExpressionName &name,
                               bool isOfFloats);

/// The value of a name of an attribute: an integer or, if the attribute is of floats, a float.
/// Errors: why it has none (None, an index outside of a list).
Result<std::variant<int64_t, double>> attributeNameValue(const AttributeValue &value,
                                                         const ExpressionName &name);

} // namespace inlay
