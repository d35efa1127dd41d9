#include "compiler/operators/Composition.h"

#include "base/Error.h"

namespace inlay {

TensorArgument Composition::addWorkspace(std::string name, DataType dtype, const Expr &elements) {
  implementation_.workspaces.push_back(
      {std::move(name), dtype, elements * Expr(dataTypeSizeBytes(dtype))});
  return {LaunchArgument::Kind::Workspace,
          static_cast<uint32_t>(implementation_.workspaces.size()) - 1, dtype};
}

void Composition::append(PluginImplementation part, std::span<const TensorArgument> inputs,
                         const TensorArgument &output) {
  INLAY_CHECK(part.tactics.empty(), "a part of a composition has tactics");
  const auto base = static_cast<uint32_t>(implementation_.workspaces.size());
  for (Workspace &workspace : part.workspaces) {
    workspace.name += fmt::format(" {}", implementation_.workspaces.size());
    implementation_.workspaces.push_back(std::move(workspace));
  }
  const auto become = [](LaunchArgument &argument, const TensorArgument &tensor) {
    argument.kind = tensor.kind;
    argument.index = tensor.index;
    argument.dtype = tensor.dtype;
  };
  for (PluginLaunch &launch : part.launches) {
    for (LaunchArgument &argument : launch.arguments)
      if (argument.kind == LaunchArgument::Kind::Workspace)
        argument.index += base;
      else if (argument.kind == LaunchArgument::Kind::Input)
        become(argument, inputs[argument.index]);
      else if (argument.kind == LaunchArgument::Kind::Output)
        become(argument, output);
    implementation_.launches.push_back(std::move(launch));
  }
}

} // namespace inlay
