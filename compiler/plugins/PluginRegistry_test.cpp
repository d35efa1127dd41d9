#include "compiler/plugins/PluginDefinition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FakePlugin : public PluginDefinition {
public:
  FakePlugin(std::string opName, std::vector<std::string> inputs, std::string origin,
             std::string variant, int64_t priority) {
    variant_ = std::move(variant);
    priority_ = priority;
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

std::unique_ptr<PluginDefinition> fake(std::string opName, std::vector<std::string> inputs = {"X"},
                                       std::string origin = "a.toml:1", std::string variant = "",
                                       int64_t priority = 0) {
  return std::make_unique<FakePlugin>(std::move(opName), std::move(inputs), std::move(origin),
                                      std::move(variant), priority);
}

std::string originOf(const PluginDefinition *plugin) { return plugin ? plugin->origin() : "none"; }

std::vector<std::string> originsOf(const std::vector<const PluginDefinition *> &plugins) {
  std::vector<std::string> origins;
  for (const PluginDefinition *plugin : plugins)
    origins.push_back(plugin->origin());
  return origins;
}

TEST(PluginRegistry, TakesTheDefaultOverloadAndNoneForTheSame) {
  PluginRegistry registry;
  ASSERT_TRUE(registry.add(fake("my::op.default")).isOk());
  ASSERT_TRUE(registry.add(fake("my::op.out", {"X"}, "b.toml:1")).isOk());
  EXPECT_EQ(originOf(registry.find("my::op")), "a.toml:1");
  EXPECT_EQ(originOf(registry.find("my::op.default")), "a.toml:1");
  EXPECT_EQ(originOf(registry.find("my::op.out")), "b.toml:1");
  EXPECT_EQ(originOf(registry.find("my::other")), "none");
  EXPECT_THAT(registry.opNames(), ElementsAre("my::op", "my::op.out"));
  EXPECT_TRUE(registry.remove("my::op"));
  EXPECT_FALSE(registry.remove("my::op"));
  EXPECT_THAT(registry.opNames(), ElementsAre("my::op.out"));
}

TEST(PluginRegistry, RefusesMalformedNames) {
  PluginRegistry registry;
  for (const char *name : {"", "op", "::op", "my::", "my::op.", "my::a.b.c", "my::o p", "a::b::c"})
    EXPECT_EQ(registry.add(fake(name)).toString(),
              "INVALID_ARGUMENT: plugin at a.toml:1: operator name '" + std::string(name) +
                  "' is malformed; expected \"namespace::name\" or \"namespace::name.overload\"");
  EXPECT_THAT(registry.opNames(), IsEmpty());
}

TEST(PluginRegistry, RefusesASecondPluginForTheSameTensors) {
  PluginRegistry registry;
  ASSERT_TRUE(registry.add(fake("my::op")).isOk());
  const std::string expected = "ALREADY_EXISTS: plugin at b.toml:2: operator 'my::op.default' "
                               "already has a plugin for these "
                               "tensor arguments, defined at a.toml:1";
  EXPECT_EQ(registry.add(fake("my::op.default", {"X"}, "b.toml:2")).toString(), expected);
  // One that takes all tensors leaves no node to another.
  EXPECT_EQ(registry.add(fake("my::op.default", {}, "b.toml:2")).toString(), expected);
}

TEST(PluginRegistry, ChoosesByWhichArgumentsAreTensors) {
  PluginRegistry registry;
  ASSERT_TRUE(registry.add(fake("my::mul", {"self", "other"}, "two")).isOk());
  ASSERT_TRUE(registry.add(fake("my::mul", {"self"}, "one")).isOk());
  const std::vector<std::string> two = {"self", "other"}, one = {"self"}, none;
  EXPECT_THAT(originsOf(registry.candidates("my::mul", two)), ElementsAre("two"));
  EXPECT_THAT(originsOf(registry.candidates("my::mul", one)), ElementsAre("one"));
  // No plugin fits: the first one's binding says why.
  EXPECT_THAT(originsOf(registry.candidates("my::mul", none)), ElementsAre("two"));
  EXPECT_THAT(registry.candidates("my::other", none), IsEmpty());
}

TEST(PluginRegistry, OrdersVariantsByPriority) {
  PluginRegistry registry;
  ASSERT_TRUE(registry.add(fake("my::op", {"X"}, "plain")).isOk());
  ASSERT_TRUE(registry.add(fake("my::op", {"X"}, "last", "slow", -1)).isOk());
  ASSERT_TRUE(registry.add(fake("my::op", {"X"}, "first", "fast", 2)).isOk());
  ASSERT_TRUE(registry.add(fake("my::op", {"X"}, "second", "wide")).isOk());
  ASSERT_TRUE(registry.add(fake("my::op", {"X", "W"}, "others", "fast", 9)).isOk());
  const std::vector<std::string> one = {"X"};
  EXPECT_THAT(originsOf(registry.candidates("my::op", one)),
              ElementsAre("first", "plain", "second", "last"));
  EXPECT_EQ(registry.add(fake("my::op", {"X"}, "b.toml:2", "fast")).toString(),
            "ALREADY_EXISTS: plugin at b.toml:2: operator 'my::op' already has a plugin for these "
            "tensor arguments and variant 'fast', defined at first");
}

TEST(PluginRegistry, AddsAllOrNone) {
  PluginRegistry registry;
  ASSERT_TRUE(registry.add(fake("my::b")).isOk());
  std::vector<std::unique_ptr<PluginDefinition>> definitions;
  definitions.push_back(fake("my::a"));
  definitions.push_back(fake("my::b"));
  EXPECT_EQ(registry.addAll(std::move(definitions)).code(), StatusCode::AlreadyExists);
  EXPECT_THAT(registry.opNames(), ElementsAre("my::b"));
}

TEST(PluginRegistry, RemovesAndReplacesAtOnce) {
  PluginRegistry registry;
  ASSERT_TRUE(registry.add(fake("my::a", {"X"}, "plain")).isOk());
  ASSERT_TRUE(registry.add(fake("my::a", {"X"}, "fast", "fast")).isOk());
  std::vector<std::unique_ptr<PluginDefinition>> definitions;
  definitions.push_back(fake("my::a", {"X"}, "new", "fast"));
  ASSERT_TRUE(registry.addAll(std::move(definitions), {{"my::a.default", "fast"}}).isOk());
  const std::vector<std::string> one = {"X"};
  EXPECT_THAT(originsOf(registry.candidates("my::a", one)), ElementsAre("plain", "new"));
  EXPECT_TRUE(registry.remove("my::a", ""));
  EXPECT_FALSE(registry.remove("my::a", ""));
  EXPECT_THAT(originsOf(registry.candidates("my::a", one)), ElementsAre("new"));
  EXPECT_EQ(registry.addAll({}, {{"my::b", ""}}).message(),
            "operator 'my::b' has no plugin without a variant to remove");
}

} // namespace
} // namespace inlay
