// An operator computed by launches of others.
#pragma once

#include "compiler/plugins/PluginDefinition.h"

#include <span>

namespace inlay {

/// A tensor of the whole, as an argument of its launches: an input, an output or a workspace, of
/// which `dtype` is what it holds.
struct TensorArgument {
  LaunchArgument::Kind kind;
  uint32_t index = 0;
  DataType dtype = DataType::Float32;
};

/// Launches of several operators one after the other, with workspaces between them.
class Composition {
public:
  TensorArgument addWorkspace(std::string name, DataType dtype, const Expr &elements);
  /// Appends the launches of an operator without tactics, whose inputs are `inputs` and whose only
  /// output is `output`.
  void append(PluginImplementation part, std::span<const TensorArgument> inputs,
              const TensorArgument &output);
  void append(PluginLaunch launch) { implementation_.launches.push_back(std::move(launch)); }
  PluginImplementation take() { return std::move(implementation_); }

private:
  PluginImplementation implementation_;
};

} // namespace inlay
