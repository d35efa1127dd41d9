// Elements of what standard operators compute of constants, as far as float64 gives them exactly as
// the kernels do.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <optional>
#include <vector>

namespace inlay::graph {

/// The elements of the result of a node that makes a tensor of numbers that are known (full, zeros,
/// arange and their like); nullopt for other operators, and for shapes that are not known.
std::optional<std::vector<double>> createdNumbers(const PluginNode &node);

/// The elements of a pointwise node's result, of inputs whose elements are known, before they are
/// rounded to its type. nullopt for operators of which a kernel's result may differ in the last bit
/// (exp, say), for integers that float64 does not hold, and for unknown shapes.
std::optional<std::vector<double>> pointwiseNumbers(const PluginDefinition &plugin,
                                                    const PluginNode &node,
                                                    const std::vector<std::vector<double>> &inputs);

/// True for sums of integers, and for triangles of tensors of any type.
bool isSumOrTriangle(const PluginNode &node);
/// The elements of such a node's result; nullopt for sums that float64 does not hold, and for
/// unknown shapes.
std::optional<std::vector<double>> sumOrTriangle(const PluginNode &node,
                                                 const std::vector<double> &input);

} // namespace inlay::graph
