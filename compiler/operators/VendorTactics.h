// Tactics of standard operators that call libraries on the machine that runs the engine.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <optional>

namespace inlay {

/// A matrix product as libraries compute it: d = a · b (+ bias), sizes as LibraryFunctions.def
/// tells them. The operands are inputs of the node, d is its first output.
struct LibraryProduct {
  MatmulSizes<Expr> sizes;
  uint32_t a = 0, b = 0;
  std::optional<uint32_t> bias; // one element for each column
  DataType dtype = DataType::Float32;
};

/// Puts tactics that call cuBLASLt and oneDNN in front of an implementation's own, as far as the
/// build allows them and is for their devices. Where they are not measured they are taken for sizes
/// for which a written rule says that they are faster (docs/vendor-libraries.md).
void addProductLibraries(PluginImplementation &implementation, const PluginNode &node,
                         LibraryProduct product);

} // namespace inlay
