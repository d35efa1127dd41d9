// Combinations of element types that a plugin takes, in the grammar of TensorRT's quickly
// deployable plugins.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

/// The element types of all inputs, then of all outputs.
using TypeCombination = std::vector<DataType>;

/// Reads one text: an entry for each of `numTensors` tensors, separated by commas. An entry is a
/// type; types joined by `|`, the k-th alternatives of all such entries going together; or types
/// joined by `*`, of which each goes with every other combination. Types are "FP32", "BF16",
/// "INT64", "BOOL", "FP8" (e4m3) and so on, or "float32". Gives each combination once, in the order
/// in which the alternatives stand. Errors: InvalidArgument (unknown type, `|` and `*` in one
/// entry, unequal numbers of alternatives, another number of entries); OutOfRange for more than
/// 4096.
Result<std::vector<TypeCombination>> parseTypeCombinations(std::string_view text,
                                                           size_t numTensors);

/// Refuses a node whose element types, with those of its outputs as the exporter recorded them, are
/// none of `allowed`. Errors: InvalidArgument with node, plugin, the types found and those allowed.
Status checkTypeCombinations(const PluginDefinition &plugin, const PluginNode &node,
                             std::span<const TypeCombination> allowed);

/// "float32, float16 -> float32": the first `numInputs` types, then the others.
std::string typeCombinationText(std::span<const DataType> types, size_t numInputs);

} // namespace inlay
