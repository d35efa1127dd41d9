// Manifests of arbitrary bytes; what reads well is also put to use on two nodes.
#include "compiler/plugins/Manifest.h"

#include <cstddef>
#include <cstdint>

using namespace inlay;

namespace {

AttributeValue exampleOf(AttributeKind kind) {
  switch (kind) {
  case AttributeKind::Bool:
    return true;
  case AttributeKind::Int:
    return int64_t{3};
  case AttributeKind::Float:
  case AttributeKind::Number:
    return 0.5;
  case AttributeKind::String:
    return std::string("text");
  case AttributeKind::DataType:
    return DataType::Float16;
  case AttributeKind::BoolList:
    return std::vector<bool>{true, false};
  case AttributeKind::IntList:
    return std::vector<int64_t>{1, -2, 3, INT64_MAX};
  case AttributeKind::FloatList:
    return std::vector<double>{0.5};
  case AttributeKind::StringList:
    return std::vector<std::string>{"text"};
  }
  return {};
}

/// Describes and implements a node whose tensors all have the shape `shape`.
void use(const PluginDefinition &plugin, const std::vector<Expr> &shape, bool takesDefaults) {
  PluginNode node;
  node.opName = plugin.opName();
  node.nodeName = "node";
  node.inputNames = plugin.inputNames();
  node.inputs.assign(plugin.inputNames().size(), TensorSpec{DataType::Float32, shape});
  for (const AttributeParameter &attribute : plugin.attributes())
    node.attributes[attribute.name] =
        takesDefaults && (attribute.defaultValue || attribute.isOptional)
            ? attribute.defaultValue.value_or(AttributeValue())
            : exampleOf(attribute.kind);
  if (takesDefaults)
    node.readAutotune = [](const TritonKernel &) -> Result<std::vector<KernelConfigValues>> {
      return std::vector<KernelConfigValues>{{{{"BLOCK", int64_t{64}}}, 2, 1},
                                             {{{"BLOCK", int64_t{256}}}}};
    };
  Result<PluginDescription> description = plugin.describe(node);
  if (!description.isOk())
    return;
  node.outputs = description->outputs;
  (void)plugin.implement(node);
  (void)plugin.conditions(node);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto definitions = readManifest("fuzz/op.toml", {reinterpret_cast<const char *>(data), size});
  if (!definitions.isOk())
    return 0;
  for (const auto &plugin : *definitions) {
    use(*plugin, {Expr::symbol("s0"), Expr(8)}, true);
    use(*plugin, {}, false);
  }
  PluginRegistry registry;
  (void)registry.addAll(std::move(*definitions));
  return 0;
}
