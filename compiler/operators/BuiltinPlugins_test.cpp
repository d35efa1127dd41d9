#include "compiler/operators/BuiltinPlugins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::ElementsAre;

/// A user's plugin.
class FakePlugin : public PluginDefinition {
public:
  FakePlugin(std::string opName, std::vector<std::string> inputs, std::string origin,
             std::string variant) {
    variant_ = std::move(variant);
    opName_ = std::move(opName);
    takesAllTensors_ = inputs.empty();
    inputNames_ = std::move(inputs);
    origin_ = std::move(origin);
  }
  Result<PluginDescription> describe(const PluginNode &) const override {
    return PluginDescription();
  }
  Result<PluginImplementation> implement(const PluginNode &) const override {
    return PluginImplementation();
  }
};

std::unique_ptr<PluginDefinition> fake(std::string opName, std::vector<std::string> inputs,
                                       std::string origin, std::string variant = "") {
  return std::make_unique<FakePlugin>(std::move(opName), std::move(inputs), std::move(origin),
                                      std::move(variant));
}

std::vector<std::string> originsOf(const std::vector<const PluginDefinition *> &plugins) {
  std::vector<std::string> origins;
  for (const PluginDefinition *plugin : plugins)
    origins.push_back(plugin->origin());
  return origins;
}

TEST(BuiltinPlugins, LeaveTheUsersPluginsInPlace) {
  PluginRegistry registry;
  ASSERT_TRUE(registry.add(fake("aten::mul.Tensor", {"self"}, "mine.toml:1")).isOk());
  ASSERT_TRUE(registry.add(fake("aten::add.Tensor", {}, "mine.so")).isOk());
  const Status status = addBuiltinPlugins(registry);
  ASSERT_TRUE(status.isOk()) << status.toString();
  const std::vector<std::string> two = {"self", "other"}, one = {"self"};
  EXPECT_THAT(originsOf(registry.candidates("aten::mul.Tensor", one)), ElementsAre("mine.toml:1"));
  EXPECT_THAT(originsOf(registry.candidates("aten::mul.Tensor", two)),
              ElementsAre("standard operators"));
  EXPECT_THAT(originsOf(registry.candidates("aten::add.Tensor", two)), ElementsAre("mine.so"));
  // What took a built-in one's place is known.
  EXPECT_TRUE(registry.overridesBuiltin(*registry.candidates("aten::add.Tensor", two)[0]));
  EXPECT_FALSE(registry.overridesBuiltin(*registry.candidates("aten::mul.Tensor", two)[0]));
  EXPECT_FALSE(registry.overridesBuiltin(*registry.candidates("aten::sub.Tensor", two)[0]));
}

TEST(BuiltinPlugins, LeaveListsOfTensorsToTheUsersPlugins) {
  PluginRegistry registry;
  const std::vector<std::string> two = {"tensors[0]", "tensors[1]"};
  ASSERT_TRUE(registry.add(fake("aten::cat", two, "mine")).isOk());
  const Status status = addBuiltinPlugins(registry);
  ASSERT_TRUE(status.isOk()) << status.toString();
  EXPECT_THAT(originsOf(registry.candidates("aten::cat", two)), ElementsAre("mine"));
  EXPECT_TRUE(registry.overridesBuiltin(*registry.candidates("aten::cat", two)[0]));
}

TEST(BuiltinPlugins, ServeWhatTheUsersVariantsRefuse) {
  PluginRegistry registry;
  ASSERT_TRUE(registry.add(fake("aten::mul.Tensor", {"self", "other"}, "mine", "fast")).isOk());
  ASSERT_TRUE(addBuiltinPlugins(registry).isOk());
  const std::vector<std::string> two = {"self", "other"};
  EXPECT_THAT(originsOf(registry.candidates("aten::mul.Tensor", two)),
              ElementsAre("mine", "standard operators"));
}

TEST(BuiltinPlugins, CarryTheirKernels) {
  PluginRegistry registry;
  ASSERT_TRUE(addBuiltinPlugins(registry).isOk());
  const std::vector<std::string> two = {"self", "other"};
  PluginNode node;
  node.opName = "aten::mul.Tensor";
  node.inputNames = two;
  node.inputs = {{DataType::Float32, {Expr(4)}}, {DataType::Float32, {Expr(4)}}};
  node.outputs = {node.inputs[0]};
  auto implementation = registry.candidates("aten::mul.Tensor", two).at(0)->implement(node);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().toString();
  const TritonKernel &kernel = implementation->launches.at(0).kernel;
  EXPECT_EQ(kernel.path, "mul.py");
  EXPECT_THAT(kernel.source, testing::HasSubstr("def " + kernel.function + "("));
}

} // namespace
} // namespace inlay
