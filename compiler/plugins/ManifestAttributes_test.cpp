// Attributes of every kind in a manifest's expressions, constexprs and arguments.
#include "compiler/plugins/Manifest.h"
#include "compiler/plugins/ManifestExpressions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kAttributes = R"toml(attributes = [
  { name = "eps", type = "float", default = 0.5 },
  { name = "axis", type = "int", optional = true },
  { name = "scale", type = "float", optional = true },
  { name = "mode", type = "string", default = "fast" },
  { name = "out", type = "dtype", default = "float16" },
  { name = "factor", type = "number", default = 2 },
  { name = "pads", type = "int[]", default = [3, -4] },
  { name = "flags", type = "bool[]", default = [true, false] },
  { name = "scales", type = "float[]", default = [0.25, 4.0] },
  { name = "names", type = "string[]", default = ["a", "b"] },
  { name = "place", type = "device", default = "cuda:0" },
  { name = "format", type = "memory_format", default = "channels_last" },
]
)toml";

/// A manifest with all kinds of attributes, further keys of the plugin and of its launch.
std::string manifest(std::string_view plugin, std::string_view launch) {
  return "[[plugin]]\nop = \"my::op\"\ninputs = [\"X\"]\n" + std::string(kAttributes) +
         "outputs = [{ name = \"Y\", like = \"X\" }]\n" + std::string(plugin) +
         "\n[[plugin.launch]]\nkernel = \"k.py:f\"\n" + std::string(launch) + "\n";
}

std::unique_ptr<PluginDefinition> readOne(const std::string &text) {
  auto definitions = readManifest("op.toml", text);
  EXPECT_TRUE(definitions.isOk()) << definitions.status().toString();
  return definitions.isOk() ? std::move(definitions->front()) : nullptr;
}

/// A node of float16 [s0, 8] with all defaults.
PluginNode nodeOf(const PluginDefinition &plugin) {
  PluginNode node;
  node.opName = "my::op";
  node.nodeName = "op_1";
  node.inputs = {{DataType::Float16, {Expr::symbol("s0"), Expr(8)}}};
  node.outputs = node.inputs;
  for (const AttributeParameter &attribute : plugin.attributes())
    node.attributes[attribute.name] = attribute.defaultValue.value_or(AttributeValue());
  return node;
}

/// The value of an integer argument, for a node that `change` changed.
Result<Expr> valueOf(const std::string &expression,
                     const std::function<void(PluginNode &)> &change = {}) {
  auto plugin = readOne(manifest("", "grid = [1]\nargs = [\"i64(" + expression + ")\"]"));
  if (!plugin)
    return Status(StatusCode::Internal, "the manifest was refused");
  PluginNode node = nodeOf(*plugin);
  if (change)
    change(node);
  auto implementation = plugin->implement(node);
  if (!implementation.isOk())
    return std::move(implementation).status();
  return implementation->launches.front().arguments.front().expression;
}

TEST(ManifestAttributes, AreAskedForInExpressions) {
  const std::pair<const char *, int64_t> cases[] = {
      {"pads[0] + pads[-1]", -1},
      {"len(pads) * 10 + len(names) + scales.len + len(flags)", 26},
      {"flags[0] * 2 + flags[1]", 2},
      {"mode == 'fast'", 1},
      {"mode != 'fast'", 0},
      {"'exact' == mode or names[1] == 'b'", 1},
      {"mode == ''", 0},
      {"out == 'float16' and X.dtype == 'float16' and X.dtype != 'float32'", 1},
      {"is_none(axis)", 1},
      {"axis is None", 1},
      {"axis is not None", 0},
      {"select(is_none(axis), 7, axis)", 7},
      {"7 if axis is None else axis", 7},
      {"factor + 1", 3},
      {"format == 'channels_last' and place != 'cpu'", 1},
  };
  for (const auto &[expression, value] : cases) {
    auto found = valueOf(expression);
    ASSERT_TRUE(found.isOk()) << expression << ": " << found.status().toString();
    EXPECT_EQ(found->constantValue(), value) << expression;
  }
  const auto axisIsOne = [](PluginNode &node) { node.attributes["axis"] = int64_t{1}; };
  EXPECT_EQ(valueOf("7 if axis is None else axis", axisIsOne)->constantValue(), 1);
  EXPECT_EQ(valueOf("X.shape[0] if mode == 'fast' else axis")->toString(), "s0");
}

TEST(ManifestAttributes, WithoutAValueAreErrorsOfTheNode) {
  const std::pair<const char *, const char *> cases[] = {
      {"axis + 1", "attribute 'axis' is None, which is no number, for node op_1 (my::op)"},
      {"pads[2]", "pads has 2 elements; index 2 is outside"},
      {"flags[-3]", "flags has 2 elements; index -3 is outside"},
  };
  for (const auto &[expression, message] : cases) {
    auto found = valueOf(expression);
    ASSERT_FALSE(found.isOk()) << expression;
    EXPECT_THAT(found.status().message(), HasSubstr(message)) << expression;
  }
  auto factor = valueOf("factor + 1", [](PluginNode &node) { node.attributes["factor"] = 2.5; });
  ASSERT_FALSE(factor.isOk());
  EXPECT_THAT(factor.status().message(),
              HasSubstr("attribute 'factor' is 2.5, which is no integer"));
}

TEST(ManifestAttributes, MistakesInExpressionsAreNamed) {
  const std::pair<const char *, const char *> cases[] = {
      {"mode + 1", "attribute 'mode' is string; 'mode' is no integer"},
      {"mode == fast", "'fast' names no input, output, attribute or constexpr"},
      {"1 == 'a'", "the text 'a' is compared with no attribute"},
      {"mode == 'fast", "string is not closed"},
      {"out == 'flaot16'", "'flaot16' is no dtype"},
      {"X.dtype == 'half'", "'half' is no dtype"},
      {"axis == 'a'", "attribute 'axis' is int, and is not compared with a text"},
      {"pads", "attribute 'pads' is int[]; write pads[i] or pads.len"},
      {"pads == 'a'", "attribute 'pads' is int[]"},
      {"axis[0]", "'axis' has no elements and no properties"},
      {"axis.len", "'axis' has no elements and no properties"},
      {"is_none(mode)", "attribute 'mode' is not optional: it is never None"},
      {"eps * 2", "attribute 'eps' is float; 'eps' is no integer"},
      {"scales[0]", "attribute 'scales' is float[]; 'scales' is no integer"},
      {"len(X)", "a tensor has .shape[i], .numel, .rank and .size_bytes"},
  };
  for (const auto &[expression, message] : cases) {
    auto result = readManifest(
        "op.toml", manifest("", "grid = [1]\nargs = [\"i64(" + std::string(expression) + ")\"]"));
    ASSERT_FALSE(result.isOk()) << expression;
    EXPECT_THAT(result.status().message(), HasSubstr("op.toml:")) << expression;
    EXPECT_THAT(result.status().message(), HasSubstr(message)) << expression;
  }
}

TEST(ManifestAttributes, ChooseInConditionsAndRequirements) {
  auto plugin = readOne(manifest("when = [\"mode == 'fast'\", \"X.dtype == 'float16'\"]\n"
                                 "require = [{ that = \"scale is None or axis is not None\" }]",
                                 "grid = [1]"));
  PluginNode node = nodeOf(*plugin);
  auto conditions = plugin->conditions(node);
  ASSERT_TRUE(conditions.isOk());
  ASSERT_THAT(*conditions, SizeIs(2));
  EXPECT_EQ((*conditions)[0].condition, Expr(1));
  EXPECT_EQ((*conditions)[1].condition, Expr(1));
  node.attributes["mode"] = std::string("exact");
  EXPECT_EQ((*plugin->conditions(node))[0].condition, Expr(0));
  EXPECT_EQ(plugin->describe(node)->requirements[0].condition, Expr(1));
  node.attributes["scale"] = 1.5;
  EXPECT_EQ(plugin->describe(node)->requirements[0].condition, Expr(0));
}

/// A float argument, for a node that `change` changed.
Result<LaunchArgument> floatOf(const std::string &argument,
                               const std::function<void(PluginNode &)> &change = {}) {
  auto plugin =
      readOne(manifest("", "grid = [1]\nconstexprs = { B = 4 }\nargs = [\"" + argument + "\"]"));
  if (!plugin)
    return Status(StatusCode::Internal, "the manifest was refused");
  PluginNode node = nodeOf(*plugin);
  if (change)
    change(node);
  auto implementation = plugin->implement(node);
  if (!implementation.isOk())
    return std::move(implementation).status();
  return implementation->launches.front().arguments.front();
}

TEST(ManifestAttributes, FloatExpressionsThatAreKnownAreValues) {
  const std::tuple<const char *, DataType, double> cases[] = {
      {"eps", DataType::Float32, 0.5},
      {"eps * 2", DataType::Float32, 1.0},
      {"1.0 / X.shape[1]", DataType::Float32, 0.125},
      {"f64(1 / X.shape[1])", DataType::Float64, 0.125},
      {"eps / sqrt(2 * X.shape[1])", DataType::Float32, 0.125},
      {"scales[0] + scales[-1]", DataType::Float32, 4.25},
      {"f32(factor)", DataType::Float32, 2.0},
      {"2.0 * B", DataType::Float32, 8.0},
      {"select(is_none(scale), 1.0 / X.shape[1], scale)", DataType::Float32, 0.125},
      {"eps if mode == 'exact' else 3.0", DataType::Float32, 3.0},
      {"X.shape[1] ** -0.5 * 4 ** 0.5 * 2 ** 0.5", DataType::Float32, 1.0},
  };
  for (const auto &[text, dtype, value] : cases) {
    auto argument = floatOf(text);
    ASSERT_TRUE(argument.isOk()) << text << ": " << argument.status().toString();
    EXPECT_EQ(argument->kind, LaunchArgument::Kind::Float) << text;
    EXPECT_EQ(argument->dtype, dtype) << text;
    EXPECT_FALSE(argument->floatExpression) << text;
    EXPECT_DOUBLE_EQ(argument->value, value) << text;
  }
  auto scaled = floatOf("select(is_none(scale), 1.0 / X.shape[1], scale)",
                        [](PluginNode &node) { node.attributes["scale"] = 7.5; });
  EXPECT_EQ(scaled->value, 7.5);
}

TEST(ManifestAttributes, FloatExpressionsOverSizesAreComputedLater) {
  const std::pair<const char *, const char *> cases[] = {
      {"1.0 / X.shape[0]", "(1.0 / s0)"},
      {"eps / sqrt(X.numel)", "(0.5 / sqrt(int(8*s0)))"},
      {"f64(X.numel)", "int(8*s0)"},
      {"2.0 * int(X.shape[0] // 2)", "(2.0 * int(s0//2))"},
      {"select(X.shape[0] > 4, eps, 1.0)", "select(4 < s0, 0.5, 1.0)"},
  };
  for (const auto &[text, expression] : cases) {
    auto argument = floatOf(text);
    ASSERT_TRUE(argument.isOk()) << text << ": " << argument.status().toString();
    ASSERT_TRUE(argument->floatExpression) << text;
    EXPECT_EQ(argument->floatExpression->toString(), expression) << text;
  }
}

TEST(ManifestAttributes, FloatArgumentsThatHaveNoValueAreErrors) {
  auto message = [](const std::string &text, const std::function<void(PluginNode &)> &change = {}) {
    auto argument = floatOf(text, change);
    return argument.isOk() ? "" : argument.status().message();
  };
  EXPECT_THAT(
      message("scale * 2.0"),
      HasSubstr("argument 'scale * 2.0': attribute 'scale' is None, which is no number, for "
                "node op_1"));
  EXPECT_THAT(message("1.0 / (X.shape[1] - 8)"),
              HasSubstr("argument '1.0 / (X.shape[1] - 8)' has the value inf, no finite value of "
                        "float32"));
  EXPECT_THAT(message("eps", [](PluginNode &node) { node.attributes["eps"] = 1e300; }),
              HasSubstr("has the value 1e+300, no finite value of float32"));
  EXPECT_THAT(message("f64(eps)", [](PluginNode &node) { node.attributes["eps"] = 1e300; }),
              IsEmpty());
  // An infinite attribute is what the model says.
  EXPECT_THAT(message("eps",
                      [](PluginNode &node) {
                        node.attributes["eps"] = -std::numeric_limits<double>::infinity();
                      }),
              IsEmpty());
  const std::pair<const char *, const char *> mistakes[] = {
      {"1.0 // 2", "write int(a // b)"},
      {"f32(1.0 / Z)", "'Z' names no input, output, attribute or constexpr"},
      {"1.0 / mode", "attribute 'mode' is string; 'mode' is no number"},
      {"f32(X)", "a tensor has .shape[i]"},
      {"f32(int(eps))", "attribute 'eps' is float"},
      {"factor", "may be an int or a float; write f32(factor) or i32(factor)"},
      {"f64()", "expected a number, a name or '('"}};
  for (const auto &[text, expected] : mistakes) {
    auto result =
        readManifest("op.toml", manifest("", "grid = [1]\nargs = [\"" + std::string(text) + "\"]"));
    ASSERT_FALSE(result.isOk()) << text;
    EXPECT_THAT(result.status().message(), HasSubstr(expected)) << text;
  }
}

TEST(ManifestAttributes, ListsAreTuplesOfKernelsAndNoneIsNone) {
  auto plugin = readOne(manifest("", "grid = [1]\nconstexprs = { PADS = { attribute = \"pads\" }, "
                                     "AXIS = { attribute = \"axis\" }, NAMES = { attribute = "
                                     "\"names\" }, T = { attribute = \"out\" }, SIZES = [1, 2], "
                                     "FACTORS = [0.5, 2], EMPTY = [], ON = [true] }"));
  auto implementation = plugin->implement(nodeOf(*plugin));
  ASSERT_TRUE(implementation.isOk()) << implementation.status().toString();
  const auto &constexprs = implementation->launches[0].kernel.constexprs;
  EXPECT_EQ(constexprs.at("PADS"), ConstexprValue(std::vector<int64_t>{3, -4}));
  EXPECT_EQ(constexprs.at("AXIS"), ConstexprValue());
  EXPECT_EQ(constexprs.at("NAMES"), ConstexprValue(std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(constexprs.at("T"), ConstexprValue(DataType::Float16));
  EXPECT_EQ(constexprs.at("SIZES"), ConstexprValue(std::vector<int64_t>{1, 2}));
  EXPECT_EQ(constexprs.at("FACTORS"), ConstexprValue(std::vector<double>{0.5, 2}));
  EXPECT_EQ(constexprs.at("EMPTY"), ConstexprValue(std::vector<bool>()));
  EXPECT_EQ(constexprs.at("ON"), ConstexprValue(std::vector<bool>{true}));
  auto mixed = readManifest("op.toml", manifest("", "grid = [1]\nconstexprs = { A = [1, \"b\"] }"));
  ASSERT_FALSE(mixed.isOk());
  EXPECT_THAT(mixed.status().message(), HasSubstr("'A' is a list of several kinds"));
}

TEST(ManifestAttributes, ShapesAndStridesAreAnArgumentForEachDimension) {
  auto plugin = readOne(manifest(
      "",
      "grid = [1]\nargs = [\"shape(X)\", \"strides(Y)\", \"i64(shape(X))\", \"u64(X.strides)\"]"));
  auto implementation = plugin->implement(nodeOf(*plugin));
  ASSERT_TRUE(implementation.isOk()) << implementation.status().toString();
  std::vector<std::string> arguments;
  for (const LaunchArgument &argument : implementation->launches[0].arguments)
    arguments.push_back(std::string(dataTypeName(argument.dtype)) + " " +
                        argument.expression.toString());
  EXPECT_THAT(arguments, ElementsAre("int32 s0", "int32 8", "int32 8", "int32 1", "int64 s0",
                                     "int64 8", "uint64 8", "uint64 1"));
}

TEST(ManifestLaunches, ProgramsOfSeveralBlocksAreRefusedAndClustersOfProgramsAreNot) {
  EXPECT_TRUE(readManifest("op.toml", manifest("", "grid = [1]\nnum_ctas = 1")).isOk());
  EXPECT_TRUE(readManifest("op.toml", manifest("", "grid = [4]\ncluster = [2, 2]")).isOk());
  auto result = readManifest("op.toml", manifest("", "grid = [1]\nnum_ctas = 2"));
  ASSERT_FALSE(result.isOk());
  EXPECT_THAT(result.status().message(),
              HasSubstr("'cluster' has the blocks of several programs start together"));
}

TEST(ManifestChoice, ReadsTargetsAndStaticShapes) {
  auto plugin = readOne(
      manifest("targets = [\"cuda\", \"cpu:x86-64-v3\"]\nstatic_shapes = true", "grid = [1]"));
  EXPECT_THAT(plugin->targets(), ElementsAre("cuda", "cpu:x86-64-v3"));
  EXPECT_TRUE(plugin->takesStaticShapesOnly());
  for (const auto &[key, message] :
       {std::pair("targets = [\"gpu\"]", "in 'targets': 'gpu' is no target"),
        {"targets = [1]", "'targets' is an integer; expected a string"},
        {"static_shapes = 1", "'static_shapes' is an integer; expected a boolean"}}) {
    auto result = readManifest("op.toml", manifest(key, "grid = [1]"));
    ASSERT_FALSE(result.isOk()) << key;
    EXPECT_THAT(result.status().message(), HasSubstr(message));
  }
}

} // namespace
} // namespace inlay
