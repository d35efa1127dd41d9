#include "compiler/plugins/NodeBinder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::ElementsAre;

class FakePlugin : public PluginDefinition {
public:
  FakePlugin(std::vector<std::string> inputs, std::vector<AttributeParameter> attributes) {
    opName_ = "my::op";
    origin_ = "op.toml:1";
    takesAllTensors_ = inputs.empty();
    inputNames_ = std::move(inputs);
    attributes_ = std::move(attributes);
  }
  Result<PluginDescription> describe(const PluginNode &) const override {
    return PluginDescription();
  }
  Result<PluginImplementation> implement(const PluginNode &) const override {
    return PluginImplementation();
  }
};

const TensorSpec kTensor{DataType::Float32, {Expr::symbol("s0")}};

Result<PluginNode> bind(const PluginDefinition &plugin,
                        const std::vector<NodeArgument> &arguments) {
  return bindNode(plugin, "my::op", "op_1", arguments, {});
}

/// Binds one attribute of a kind to a literal; its value, or the error's text.
std::string bound(AttributeKind kind, const AttributeValue &literal, bool isOptional = false) {
  FakePlugin plugin({"X"}, {{"a", kind, isOptional, std::nullopt}});
  auto node = bind(plugin, {{"X", kTensor}, {"a", literal}});
  return node.isOk() ? attributeText(node->attributes.at("a")) : node.status().message();
}

TEST(NodeBinder, OrdersInputsAsDeclaredAndFillsDefaults) {
  FakePlugin plugin({"X", "W"}, {{"b", AttributeKind::Float, false, AttributeValue(0.2)},
                                 {"c", AttributeKind::String, true, std::nullopt}});
  const TensorSpec weight{DataType::Float16, {}};
  auto node = bind(plugin, {{"W", weight}, {"X", kTensor}});
  ASSERT_TRUE(node.isOk()) << node.status().toString();
  EXPECT_THAT(node->inputNames, ElementsAre("X", "W"));
  EXPECT_EQ(node->inputs[0].dtype, DataType::Float32);
  EXPECT_EQ(node->inputs[1].dtype, DataType::Float16);
  EXPECT_EQ(node->attributes.at("b"), AttributeValue(0.2));
  EXPECT_EQ(node->attributes.at("c"), AttributeValue());
}

TEST(NodeBinder, GivesSizesAsExpressions) {
  FakePlugin plugin({"X"}, {{"n", AttributeKind::Size, true, std::nullopt},
                            {"shape", AttributeKind::SizeList, false, std::nullopt},
                            {"value", AttributeKind::SizeNumber, false, std::nullopt}});
  const Expr rows = Expr::symbol("s0");
  auto node = bind(plugin, {{"X", kTensor},
                            {"shape", SizeArgument{{rows, Expr(4)}, true}},
                            {"value", SizeArgument{{rows * Expr(2)}, false}}});
  ASSERT_TRUE(node.isOk()) << node.status().toString();
  EXPECT_FALSE(node->sizeAttributes.contains("n"));
  EXPECT_THAT(node->sizeAttributes.at("shape"), ElementsAre(rows, Expr(4)));
  EXPECT_THAT(node->sizeAttributes.at("value"), ElementsAre(rows * Expr(2)));
  node = bind(
      plugin,
      {{"X", kTensor}, {"n", int64_t{3}}, {"shape", std::vector<int64_t>{2, 4}}, {"value", 0.5}});
  ASSERT_TRUE(node.isOk()) << node.status().toString();
  EXPECT_THAT(node->sizeAttributes.at("n"), ElementsAre(Expr(3)));
  EXPECT_THAT(node->sizeAttributes.at("shape"), ElementsAre(Expr(2), Expr(4)));
  EXPECT_FALSE(node->sizeAttributes.contains("value"));
  EXPECT_EQ(node->attributes.at("value"), AttributeValue(0.5));
  // A number keeps what it was: the type of a result depends on it.
  node = bind(plugin, {{"X", kTensor}, {"shape", int64_t{2}}, {"value", true}});
  ASSERT_TRUE(node.isOk()) << node.status().toString();
  EXPECT_EQ(node->attributes.at("value"), AttributeValue(true));
}

TEST(NodeBinder, RefusesSizesForWhatMustBeKnown) {
  FakePlugin plugin({"X"}, {{"n", AttributeKind::Int, false, std::nullopt}});
  EXPECT_EQ(
      bind(plugin, {{"X", kTensor}, {"n", SizeArgument{{Expr::symbol("s0")}, false}}})
          .status()
          .message(),
      "node op_1 (my::op, plugin at op.toml:1): argument 'n' depends on sizes (s0); the plugin "
      "declares it int, which must be known when the engine is built");
  FakePlugin sized({"X"}, {{"n", AttributeKind::Size, false, std::nullopt}});
  EXPECT_FALSE(bind(sized, {{"X", kTensor}, {"n", SizeArgument{{Expr(1)}, true}}}).isOk());
}

TEST(NodeBinder, ElementsOfListsMayBeMissingWhereAllTensorsAreTaken) {
  FakePlugin plugin({}, {});
  auto node = bind(plugin, {{"indices[0]", AttributeValue()}, {"indices[1]", kTensor}});
  ASSERT_TRUE(node.isOk()) << node.status().toString();
  EXPECT_THAT(node->inputNames, ElementsAre("indices[1]"));
  FakePlugin other({"X"}, {});
  EXPECT_FALSE(bind(other, {{"X", kTensor}, {"indices[0]", AttributeValue()}}).isOk());
}

TEST(NodeBinder, GivesAllTensorsInOrderToAPluginThatDeclaresNone) {
  FakePlugin plugin({}, {{"k", AttributeKind::Int, false, std::nullopt}});
  auto node = bind(plugin, {{"B", kTensor}, {"k", int64_t{3}}, {"A", kTensor}});
  ASSERT_TRUE(node.isOk()) << node.status().toString();
  EXPECT_THAT(node->inputNames, ElementsAre("B", "A"));
  EXPECT_EQ(node->inputs.size(), 2u);
}

TEST(NodeBinder, ConvertsLiteralsToTheDeclaredKind) {
  EXPECT_EQ(bound(AttributeKind::Float, int64_t{2}), "2.0");
  EXPECT_EQ(bound(AttributeKind::Int, true), "1");
  EXPECT_EQ(bound(AttributeKind::Number, int64_t{2}), "2");
  EXPECT_EQ(bound(AttributeKind::Number, 2.5), "2.5");
  EXPECT_EQ(bound(AttributeKind::IntList, int64_t{2}), "[2]");
  EXPECT_EQ(bound(AttributeKind::FloatList, std::vector<int64_t>{1, 2}), "[1.0, 2.0]");
  EXPECT_EQ(bound(AttributeKind::FloatList, std::vector<bool>{}), "[]");
  EXPECT_EQ(bound(AttributeKind::DataType, DataType::BFloat16), "bfloat16");
  EXPECT_EQ(bound(AttributeKind::Float, AttributeValue(), true), "None");
}

TEST(NodeBinder, RefusesLiteralsOfOtherKinds) {
  const std::string head = "node op_1 (my::op, plugin at op.toml:1): argument 'a' is ";
  const std::string declared = "; the plugin declares it ";
  EXPECT_EQ(bound(AttributeKind::Int, 1.5), head + "1.5" + declared + "int");
  EXPECT_EQ(bound(AttributeKind::Bool, int64_t{1}), head + "1" + declared + "bool");
  EXPECT_EQ(bound(AttributeKind::Float, std::string("x")), head + "'x'" + declared + "float");
  EXPECT_EQ(bound(AttributeKind::IntList, std::vector<double>{1.5}),
            head + "[1.5]" + declared + "int[]");
  EXPECT_EQ(bound(AttributeKind::Int, AttributeValue()), head + "None" + declared + "int");
  EXPECT_EQ(bound(AttributeKind::Int, 0.5, true), head + "0.5" + declared + "int or None");
}

TEST(NodeBinder, RefusesArgumentsThatDoNotFitTheDeclaration) {
  FakePlugin plugin({"X"}, {{"a", AttributeKind::Int, false, std::nullopt}});
  const std::string head = "INVALID_ARGUMENT: node op_1 (my::op, plugin at op.toml:1): ";
  const AttributeValue one = int64_t{1};
  EXPECT_EQ(bind(plugin, {{"X", kTensor}, {"a", one}, {"b", one}}).status().toString(),
            head + "the model passes argument 'b', which the plugin does not declare; it declares "
                   "X, a");
  EXPECT_EQ(bind(plugin, {{"a", one}}).status().toString(),
            head + "the model passes no tensor for input 'X'");
  EXPECT_EQ(bind(plugin, {{"X", one}, {"a", one}}).status().toString(),
            head + "argument 'X' is the literal 1; the plugin declares it an input tensor");
  EXPECT_EQ(bind(plugin, {{"X", kTensor}, {"a", kTensor}}).status().toString(),
            head + "argument 'a' is a tensor; the plugin declares it an attribute of type int");
  EXPECT_EQ(bind(plugin, {{"X", kTensor}}).status().toString(),
            head +
                "the model gives no value for attribute 'a', and the plugin declares no default");
}

} // namespace
} // namespace inlay
