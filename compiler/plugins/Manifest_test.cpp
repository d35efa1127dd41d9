#include "compiler/plugins/Manifest.h"

#include "base/File.h"
#include "base/TemporaryFolder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fmt/format.h>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// A manifest of one plugin "my::op"; each test changes some keys.
std::string manifest(std::string_view plugin, std::string_view launch) {
  return "[[plugin]]\nop = \"my::op\"\n" + std::string(plugin) + "\n[[plugin.launch]]\n" +
         std::string(launch) + "\n";
}

constexpr std::string_view kPlugin = "inputs = [\"X\"]\noutputs = [{ name = \"Y\", like = \"X\" }]";
constexpr std::string_view kLaunch = "kernel = \"k.py:f\"\ngrid = [1]";

TensorSpec tensor(DataType dtype, std::vector<Expr> shape) { return {dtype, std::move(shape)}; }

PluginNode nodeWith(std::vector<TensorSpec> inputs) {
  PluginNode node;
  node.opName = "my::op";
  node.nodeName = "op_1";
  node.inputs = std::move(inputs);
  return node;
}

/// The only plugin of a manifest text that must be right.
std::unique_ptr<PluginDefinition> readOne(const std::string &text) {
  auto definitions = readManifest("folder/op.toml", text);
  EXPECT_TRUE(definitions.isOk()) << definitions.status().toString();
  return definitions.isOk() ? std::move(definitions->front()) : nullptr;
}

TEST(Manifest, ReadsNamesAttributesAndDefaults) {
  auto plugin = readOne(manifest(R"toml(inputs = ["X", "W"]
attributes = [
  { name = "eps", type = "float", default = 1 },
  { name = "pads", type = "int[]", default = [1, -2] },
  { name = "scales", type = "float[]", default = [1, 0.5] },
  { name = "mode", type = "string", optional = true },
  { name = "out", type = "dtype", default = "bfloat16" },
  { name = "factor", type = "number", default = 0.5 },
]
outputs = [{ name = "Y", like = "X" }])toml",
                                 kLaunch));
  EXPECT_EQ(plugin->opName(), "my::op");
  EXPECT_EQ(plugin->origin(), "folder/op.toml:1");
  EXPECT_FALSE(plugin->takesAllTensors());
  EXPECT_THAT(plugin->inputNames(), ElementsAre("X", "W"));
  ASSERT_THAT(plugin->attributes(), SizeIs(6));
  EXPECT_EQ(plugin->attributes()[0].defaultValue, AttributeValue(1.0));
  EXPECT_EQ(plugin->attributes()[1].defaultValue, AttributeValue(std::vector<int64_t>{1, -2}));
  EXPECT_EQ(plugin->attributes()[2].defaultValue, AttributeValue(std::vector<double>{1, 0.5}));
  EXPECT_EQ(plugin->attributes()[3].defaultValue, std::nullopt);
  EXPECT_TRUE(plugin->attributes()[3].isOptional);
  EXPECT_EQ(plugin->attributes()[4].defaultValue, AttributeValue(DataType::BFloat16));
  EXPECT_EQ(plugin->attributes()[5].kind, AttributeKind::Number);
}

TEST(Manifest, TacticsAndConfigurationsAreTacticsOfTheImplementation) {
  auto plugin = readOne(R"toml([[plugin]]
op = "my::op"
inputs = ["X"]
outputs = [{ name = "Y", like = "X" }]

[[plugin.tactic]]
name = "wide"
guard = ["X.numel % 16 == 0", "X.shape[0] > 4"]
aligned = { X = 64, Y = 32 }
[[plugin.tactic.launch]]
kernel = "k.py:f"
constexprs = { WIDE = true }
configs = [{ BLOCK = 128, num_warps = 8 }, { BLOCK = 256, num_stages = 2 }]
grid = ["ceildiv(X.numel, BLOCK)"]
[[plugin.tactic.launch]]
kernel = "k.py:g"
grid = [1]

[[plugin.tactic]]
name = "any"
[[plugin.tactic.launch]]
kernel = "k.py:h"
configs = "autotune"
grid = ["X.numel * PER"]
)toml");
  PluginNode node = nodeWith({tensor(DataType::Float16, {Expr::symbol("s0")})});
  node.outputs = node.inputs;
  node.readAutotune = [](const TritonKernel &kernel) -> Result<std::vector<KernelConfigValues>> {
    EXPECT_EQ(kernel.path, "folder/k.py");
    EXPECT_EQ(kernel.function, "h");
    return std::vector<KernelConfigValues>{{{{"PER", int64_t{2}}}, 2, 1}, {{{"PER", int64_t{4}}}}};
  };
  auto implementation = plugin->implement(node);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().toString();
  const auto &[workspaces, launches, tactics] = *implementation;
  ASSERT_THAT(tactics, SizeIs(4));
  EXPECT_EQ(tactics[0].name, "wide; BLOCK=128, num_warps=8");
  EXPECT_EQ(tactics[1].name, "wide; BLOCK=256, num_stages=2");
  EXPECT_EQ(tactics[2].name, "any; PER=2, num_warps=2, num_stages=1");
  EXPECT_EQ(tactics[3].name, "any; PER=4, num_warps=4, num_stages=3");
  ASSERT_THAT(tactics[1].conditions, SizeIs(2));
  EXPECT_EQ(tactics[1].conditions[0].toString(), "0 == s0 % 16");
  ASSERT_THAT(tactics[1].alignments, SizeIs(2));
  EXPECT_EQ(tactics[1].alignments[0].bytes, 64);
  EXPECT_TRUE(tactics[1].alignments[1].isOfOutput);
  EXPECT_THAT(tactics[2].conditions, SizeIs(0));
  ASSERT_THAT(launches, SizeIs(6)); // two for each configuration of "wide"
  EXPECT_EQ(launches[0].kernel.numWarps, 8);
  EXPECT_EQ(launches[2].kernel.numStages, 2);
  EXPECT_EQ(launches[2].tactic, 1u);
  EXPECT_EQ(launches[3].kernel.function, "g");
  EXPECT_EQ(launches[3].tactic, 1u);
  EXPECT_EQ(launches[2].grid[0].toString(), "ceildiv(s0, 256)");
  EXPECT_EQ(launches[2].kernel.constexprs.at("WIDE"), ConstexprValue(true));
  EXPECT_EQ(launches[5].grid[0].toString(), "4*s0");
}

TEST(Manifest, ReadsFilesOfKernelsAndWhatTheirLaunchesNeed) {
  auto plugin = readOne(manifest(
      R"toml(inputs = ["X"]
attributes = [{ name = "eps", type = "float" }]
outputs = [{ name = "Y", like = "X" }])toml",
      R"toml(images = { "cuda:sm_80" = "k.ptx:f", cuda = "k.cu:ns::f<float>", cpu = "k.so" }
grid = ["X.shape[0]"]
block = ["min(X.shape[1], 256)", 2]
shared_bytes = "4 * X.shape[1]"
cluster = [2, 2]
cooperative = true
args = ["X.shape", "f64(eps)", "i64(Y.strides)", true, "Y", "X"])toml"));
  PluginNode node = nodeWith({tensor(DataType::Float16, {Expr::symbol("s0"), Expr::symbol("s1")})});
  node.outputs = node.inputs;
  node.attributes["eps"] = 0.25;
  auto implementation = plugin->implement(node);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().toString();
  const PluginLaunch &launch = implementation->launches.front();
  EXPECT_EQ(launch.kernel.function, "");
  EXPECT_EQ(launch.name(), "ns::f<float>");
  std::vector<std::string> files;
  for (const KernelFile &file : launch.files)
    files.push_back(file.path + " " + file.entry + " " + file.target);
  EXPECT_THAT(files, ElementsAre("folder/k.so  cpu", "folder/k.cu ns::f<float> cuda",
                                 "folder/k.ptx f cuda:sm_80"));
  EXPECT_EQ((*launch.block)[0].toString(), "min(256, s1)");
  EXPECT_EQ((*launch.block)[1].toString(), "2");
  EXPECT_EQ((*launch.block)[2].toString(), "1");
  EXPECT_EQ(launch.sharedBytes->toString(), "4*s1");
  EXPECT_THAT(launch.cluster, ElementsAre(2, 2, 1));
  EXPECT_TRUE(launch.isCooperative);
  EXPECT_FALSE(launch.isProgrammatic);
  std::vector<std::string> arguments;
  for (const LaunchArgument &argument : launch.arguments)
    arguments.push_back(fmt::format("{} {} {}", static_cast<int>(argument.kind),
                                    dataTypeName(argument.dtype), argument.expression.toString()));
  EXPECT_THAT(arguments, ElementsAre("3 int32 s0", "3 int32 s1", "4 float64 0", "3 int64 s1",
                                     "3 int64 1", "3 bool 1", "1 int32 0", "0 int32 0"));
}

TEST(Manifest, DescribesOutputsFromInputsAndAttributes) {
  auto plugin = readOne(manifest(R"toml(inputs = ["X"]
attributes = [{ name = "pads", type = "int[]" }]
outputs = [
  { name = "Y", shape = ["X.shape[0] + pads[0]", "X.shape[-1] * pads.len", 7], dtype = "X.dtype" },
  { name = "Z", like = "X", dtype = "int64" },
]
require = [{ that = "Y.numel > X.rank", message = "too small" }])toml",
                                 kLaunch));
  PluginNode node = nodeWith({tensor(DataType::Float16, {Expr::symbol("s0"), Expr::symbol("s1")})});
  node.attributes["pads"] = std::vector<int64_t>{3, 4};
  auto description = plugin->describe(node);
  ASSERT_TRUE(description.isOk()) << description.status().toString();
  ASSERT_THAT(description->outputs, SizeIs(2));
  EXPECT_EQ(description->outputs[0].dtype, DataType::Float16);
  EXPECT_THAT(description->outputs[0].shape,
              ElementsAre(*parseExpr("s0 + 3"), *parseExpr("2*s1"), Expr(7)));
  EXPECT_EQ(description->outputs[1].dtype, DataType::Int64);
  EXPECT_THAT(description->outputs[1].shape, ElementsAre(Expr::symbol("s0"), Expr::symbol("s1")));
  ASSERT_THAT(description->requirements, SizeIs(1));
  EXPECT_EQ(description->requirements[0].condition, *parseExpr("(s0 + 3)*(2*s1)*7 > 2"));
  EXPECT_EQ(description->requirements[0].message, "too small");
}

TEST(Manifest, ImplementsLaunchesWithEveryKindOfArgument) {
  auto plugin = readOne(manifest(R"toml(inputs = ["X"]
attributes = [{ name = "eps", type = "float" }, { name = "axis", type = "int" }]
outputs = [{ name = "Y", like = "X" }]
workspaces = [{ name = "partial", bytes = "4 * X.shape[0]", dtype = "float32" }])toml",
                                 R"toml(kernel = "sub/k.py:f"
constexprs = { BLOCK = 128, AXIS = { attribute = "axis" }, TWICE = { expr = "2 * axis" }, T = { dtype = "X" }, NAME = "a", ON = true }
num_warps = 8
num_stages = 2
grid = ["ceildiv(X.numel, BLOCK)", "X.shape[0]"]
args = ["X", "partial", "Y", "X.numel", "i64(X.numel + TWICE)", "u32(axis)", "eps", "f64(eps)", 1.5, "f64(2)", 3])toml"));
  PluginNode node = nodeWith({tensor(DataType::Float32, {Expr::symbol("s0"), Expr(8)})});
  node.attributes["eps"] = 0.25;
  node.attributes["axis"] = int64_t{1};
  node.outputs = node.inputs;
  auto implementation = plugin->implement(node);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().toString();
  ASSERT_THAT(implementation->workspaces, SizeIs(1));
  EXPECT_EQ(implementation->workspaces[0].sizeBytes, *parseExpr("4*s0"));
  ASSERT_THAT(implementation->launches, SizeIs(1));
  const PluginLaunch &launch = implementation->launches[0];
  EXPECT_EQ(launch.kernel.path, "folder/sub/k.py");
  EXPECT_EQ(launch.kernel.function, "f");
  EXPECT_EQ(launch.kernel.numWarps, 8);
  EXPECT_EQ(launch.kernel.numStages, 2);
  const std::map<std::string, ConstexprValue> constexprs = {
      {"BLOCK", int64_t{128}},  {"AXIS", int64_t{1}},       {"TWICE", int64_t{2}},
      {"T", DataType::Float32}, {"NAME", std::string("a")}, {"ON", true}};
  EXPECT_EQ(launch.kernel.constexprs, constexprs);
  EXPECT_THAT(launch.grid,
              ElementsAre(*parseExpr("ceildiv(8*s0, 128)"), Expr::symbol("s0"), Expr(1)));

  std::vector<std::string> arguments;
  for (const LaunchArgument &argument : launch.arguments)
    switch (argument.kind) {
    case LaunchArgument::Kind::Input:
      arguments.push_back("input");
      break;
    case LaunchArgument::Kind::Output:
      arguments.push_back("output");
      break;
    case LaunchArgument::Kind::Workspace:
      arguments.push_back("workspace of " + std::string(dataTypeName(argument.dtype)));
      break;
    case LaunchArgument::Kind::Size:
      arguments.push_back("size of " + std::string(dataTypeName(argument.dtype)));
      break;
    case LaunchArgument::Kind::Integer:
      arguments.push_back(std::string(dataTypeName(argument.dtype)) + " " +
                          argument.expression.toString());
      break;
    case LaunchArgument::Kind::Float:
      arguments.push_back(std::string(dataTypeName(argument.dtype)) + " " +
                          std::to_string(argument.value));
      break;
    }
  EXPECT_THAT(arguments,
              ElementsAre("input", "workspace of float32", "output", "int32 8*s0", "int64 8*s0 + 2",
                          "uint32 1", "float32 0.250000", "float64 0.250000", "float32 1.500000",
                          "float64 2.000000", "int32 3"));
}

TEST(Manifest, OrdersArgumentsAsTheTutorialDoesIfNoneAreListed) {
  auto plugin = readOne(manifest(kPlugin, "kernel = \"k.py:f\"\ngrid = [1]\n"
                                          "extra_args = [\"X.numel\", 2.0]"));
  PluginNode node = nodeWith({tensor(DataType::Float32, {Expr(6)})});
  node.outputs = node.inputs;
  auto implementation = plugin->implement(node);
  ASSERT_TRUE(implementation.isOk());
  std::vector<std::string> texts;
  for (const LaunchArgument &argument : implementation->launches[0].arguments)
    texts.push_back(argument.text);
  EXPECT_THAT(texts, ElementsAre("X", "X.numel", "2", "Y"));
}

/// What describing or implementing `plugin` for a node says; both, whichever fails first.
std::string refusalOf(const PluginDefinition &plugin, const PluginNode &node) {
  auto description = plugin.describe(node);
  if (!description.isOk())
    return description.status().toString();
  PluginNode described = node;
  described.outputs = description->outputs;
  return plugin.implement(described).status().toString();
}

TEST(Manifest, RefusesNodesItCannotServe) {
  auto plugin = readOne(manifest(R"toml(inputs = ["X"]
attributes = [{ name = "pads", type = "int[]" }, { name = "scale", type = "number" }]
outputs = [{ name = "Y", shape = ["X.shape[1] + pads[1]"], dtype = "X.dtype" }]
dtypes = { X = ["float32", "float16"] })toml",
                                 R"toml(kernel = "k.py:f"
constexprs = { N = { expr = "X.shape[1]" } }
grid = [1]
args = ["f64(scale)"])toml"));
  PluginNode node = nodeWith({tensor(DataType::Float32, {Expr(3), Expr(4)})});
  node.attributes["pads"] = std::vector<int64_t>{1, 2};
  node.attributes["scale"] = int64_t{3};
  EXPECT_EQ(refusalOf(*plugin, node), "OK");

  PluginNode wrongType = node;
  wrongType.inputs[0].dtype = DataType::Int32;
  EXPECT_EQ(refusalOf(*plugin, wrongType),
            "INVALID_ARGUMENT: node op_1 (my::op, plugin at folder/op.toml:1): input 'X' is int32; "
            "the plugin takes float32, float16");
  PluginNode wrongRank = node;
  wrongRank.inputs[0].shape.pop_back();
  EXPECT_EQ(refusalOf(*plugin, wrongRank),
            "INVALID_ARGUMENT: folder/op.toml:5:35: in 'X.shape[1] + pads[1]': X.shape has 1 "
            "elements; index 1 is outside, for node op_1 (my::op)");
  PluginNode shortList = node;
  shortList.attributes["pads"] = std::vector<int64_t>{1};
  EXPECT_EQ(refusalOf(*plugin, shortList),
            "INVALID_ARGUMENT: folder/op.toml:5:35: in 'X.shape[1] + pads[1]': pads has 1 "
            "elements; index 1 is outside, for node op_1 (my::op)");
  PluginNode dynamic = node;
  dynamic.inputs[0].shape[1] = Expr::symbol("s0");
  EXPECT_EQ(refusalOf(*plugin, dynamic),
            "INVALID_ARGUMENT: folder/op.toml:9:29: a constexpr must be known when the engine is "
            "built; 'X.shape[1]' is s0 for node op_1 (my::op)");
  PluginNode inexact = node;
  inexact.attributes["scale"] = (int64_t{1} << 53) + 1;
  EXPECT_EQ(refusalOf(*plugin, inexact),
            "OUT_OF_RANGE: folder/op.toml:11:9: argument 'f64(scale)': scale is 9007199254740993, "
            "beyond the integers that a float64 holds exactly (2^53), for node op_1 (my::op)");
}

TEST(Manifest, AddsAllPluginsOfAFileOrNone) {
  const TemporaryFolder folder;
  const std::string path = folder.path("test.toml");
  const std::string good = manifest(kPlugin, kLaunch);
  ASSERT_TRUE(writeFileAtomically(path, good + good).isOk());
  PluginRegistry registry;
  EXPECT_EQ(addManifest(registry, path).toString(),
            "ALREADY_EXISTS: plugin at " + path +
                ":8: operator 'my::op' already has a plugin for " +
                "these tensor arguments, defined at " + path + ":1");
  EXPECT_THAT(registry.opNames(), SizeIs(0));
  ASSERT_TRUE(writeFileAtomically(path, good).isOk());
  EXPECT_TRUE(addManifest(registry, path).isOk());
  EXPECT_THAT(registry.opNames(), ElementsAre("my::op"));
  std::filesystem::remove(path);
  const Status missing = addManifest(registry, path);
  EXPECT_EQ(missing.code(), StatusCode::NotFound);
  EXPECT_THAT(missing.message(), HasSubstr(path));
}

struct Refusal {
  const char *name;
  std::string text;
  const char *message; // all of it, from the position on
};

class ManifestRefusals : public testing::TestWithParam<Refusal> {};

TEST_P(ManifestRefusals, NamesPlaceAndReason) {
  auto definitions = readManifest("op.toml", GetParam().text);
  ASSERT_FALSE(definitions.isOk());
  EXPECT_EQ(definitions.status().code(), StatusCode::InvalidArgument);
  EXPECT_EQ(definitions.status().message(), std::string("op.toml:") + GetParam().message);
}

std::string withPlugin(std::string_view keys) { return manifest(keys, kLaunch); }
std::string withKey(std::string_view key) {
  return manifest(std::string(kPlugin) + "\n" + std::string(key), kLaunch);
}
std::string withLaunch(std::string_view keys) { return manifest(kPlugin, keys); }

/// A plugin with one tactic that has these keys.
std::string withTactic(std::string_view tactic) {
  return "[[plugin]]\nop = \"my::op\"\n" + std::string(kPlugin) + "\n[[plugin.tactic]]\n" +
         std::string(tactic) + "\n";
}
std::string withArgs(std::string_view args) {
  return withLaunch(std::string(kLaunch) + "\nargs = " + std::string(args));
}

const Refusal kRefusals[] = {
    {"Syntax", "[[plugin]]\nop = \n",
     "2:6: Error while parsing key-value pair: expected value, saw '\\n'"},
    {"CommentForTableName", "[# a comment",
     "1:2: Error while parsing key: expected bare key starting character or string delimiter, saw "
     "'#'"},
    {"UnknownKey", withKey("outputz = []"),
     "5:1: unknown key 'outputz' in [[plugin]]; did you mean 'outputs'?"},
    {"UnknownTopKey", "plugins = []\n",
     "1:1: unknown key 'plugins' in a manifest; did you mean 'plugin'?"},
    {"UnknownLaunchKey", withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nnum_warp = 4"),
     "8:1: unknown key 'num_warp' in a launch; did you mean 'num_warps'?"},
    {"NoPlugin", "", "1:1: key 'plugin' is missing"},
    {"NoPluginInList", "plugin = []\n", "1:10: a manifest has at least one plugin"},
    {"PluginIsNoTable", "plugin = [1]\n", "1:11: 'plugin' is an integer; expected a table"},
    {"NoOp", "[[plugin]]\ninputs = []\n", "1:1: key 'op' is missing"},
    {"OpIsNoString", "[[plugin]]\nop = 3\n", "2:6: 'op' is an integer; expected a string"},
    {"NoLaunch", "[[plugin]]\nop = \"my::op\"\n" + std::string(kPlugin),
     "1:1: key 'launch' is missing"},
    {"NoLaunchInList", "[[plugin]]\nop = \"my::op\"\nlaunch = []\n" + std::string(kPlugin),
     "3:10: a plugin has at least one launch"},
    {"NoOutput", withPlugin("inputs = [\"X\"]\noutputs = []"),
     "4:11: a plugin has at least one output"},
    {"InputIsNoName", withPlugin("inputs = [\"X.y\"]\noutputs = []"),
     "3:11: 'X.y' is no name; expected letters, digits and '_'"},
    {"NameTwice", withPlugin("inputs = [\"X\", \"X\"]\noutputs = []"),
     "3:16: the name 'X' is used twice in this plugin"},
    {"OutputNameOfInput",
     withPlugin("inputs = [\"X\"]\noutputs = [{ name = \"X\", like = \"X\" }]"),
     "4:12: the name 'X' is used twice in this plugin"},
    {"LikeNothing", withPlugin("inputs = [\"X\"]\noutputs = [{ name = \"Y\", like = \"Z\" }]"),
     "4:33: 'Z' is no input of this plugin"},
    {"LikeAndShape",
     withPlugin("inputs = [\"X\"]\noutputs = [{ name = \"Y\", like = \"X\", shape = [1] }]"),
     "4:12: output 'Y' needs either 'like', 'shape', 'aliased' or 'size'"},
    {"AliasedAndLike",
     withPlugin("inputs = [\"X\"]\noutputs = [{ name = \"Y\", like = \"X\", aliased = \"X\" }]"),
     "4:12: output 'Y' needs either 'like', 'shape', 'aliased' or 'size'"},
    {"SizeType", withKey("sizes = [{ name = \"n\", dtype = \"float32\", max = 4 }]"),
     "5:32: size 'n' is float32; expected int32 or int64"},
    {"SizeWithoutMax", withKey("sizes = [{ name = \"n\" }]"), "5:10: key 'max' is missing"},
    {"SizeNameOfInput", withKey("sizes = [{ name = \"X\", max = 4 }]"),
     "5:10: the name 'X' is used twice in this plugin"},
    {"SizeOfSize", withKey("sizes = [{ name = \"n\", max = \"m\" }]"),
     "5:30: in expression 'm': 'm' names no input, output, attribute or constexpr of this plugin"},
    {"OutputOfNoSize", withPlugin("inputs = [\"X\"]\noutputs = [{ name = \"Y\", size = \"n\" }]"),
     "4:33: 'n' is no size of this plugin"},
    {"AliasedTwice",
     withPlugin("inputs = [\"X\"]\noutputs = [{ name = \"Y\", aliased = \"X\" }, "
                "{ name = \"Z\", aliased = \"X\" }]"),
     "4:67: outputs 'Y' and 'Z' are both aliased to input 'X'"},
    {"AliasedToNothing",
     withPlugin("inputs = [\"X\"]\noutputs = [{ name = \"Y\", aliased = \"Q\" }]"),
     "4:36: 'Q' is no input of this plugin"},
    {"ShapeWithoutType", withPlugin("inputs = [\"X\"]\noutputs = [{ name = \"Y\", shape = [1] }]"),
     "4:12: output 'Y' needs 'dtype' beside 'shape'"},
    {"UnknownType",
     withPlugin("inputs = [\"X\"]\noutputs = [{ name = \"Y\", like = \"X\", dtype = \"float3\" }]"),
     "4:46: 'float3' is no dtype; write \"float32\" or \"X.dtype\", say"},
    {"UnknownAllowedType", withKey("dtypes = { X = [\"float33\"] }"),
     "5:17: 'float33' is no dtype; expected \"float32\", \"int64\" or another"},
    {"UnknownCombination", withKey("types = [\"FP32, FP33\"]"),
     "5:10: in 'types': 'FP33' is no type; expected \"FP32\", \"INT64\", \"float32\" or another"},
    {"CombinationOfTooFew", withKey("types = [\"FP32\"]"),
     "5:10: in 'types': 'FP32' has 1 entries; the plugin has 2 inputs and outputs"},
    {"NoCombination", withKey("types = []"),
     "5:9: 'types' is empty; expected at least one combination"},
    {"VariantIsNoName", withKey("variant = \"a b\""),
     "5:11: 'a b' is no name; expected letters, digits and '_'"},
    {"PriorityIsNoInteger", withKey("priority = \"high\""),
     "5:12: 'priority' is a string; expected an integer"},
    {"ConditionOfNothing", withKey("when = [\"Z.numel > 0\"]"),
     "5:9: in expression 'Z.numel > 0': 'Z.numel' names no input, output, attribute or constexpr "
     "of "
     "this plugin"},
    {"AllowedTypesOfNothing", withKey("dtypes = { Q = [\"float32\"] }"),
     "5:16: 'Q' is no input of this plugin"},
    {"UnknownAttributeType", withKey("attributes = [{ name = \"a\", type = \"integer\" }]"),
     "5:15: attribute 'a' has unknown type 'integer'; expected bool, int, float, number, string, "
     "dtype, device, layout, memory_format, bool[], int[], float[] or string[]"},
    {"DefaultOfWrongType",
     withKey("attributes = [{ name = \"a\", type = \"int\", default = 1.5 }]"),
     "5:53: the default of attribute 'a' is a float; expected int"},
    {"DefaultOfWrongElement",
     withKey("attributes = [{ name = \"a\", type = \"int[]\", default = [1, \"x\"] }]"),
     "5:59: the default of attribute 'a' is a string; expected int"},
    {"DefaultIsNoType",
     withKey("attributes = [{ name = \"a\", type = \"dtype\", default = \"f\" }]"),
     "5:55: the default of attribute 'a' is a string; expected dtype"},
    {"FloatIsNoBool", withKey("attributes = [{ name = \"a\", type = \"float\", default = true }]"),
     "5:55: the default of attribute 'a' is a boolean; expected float"},
    {"BadExpression", withKey("require = [{ that = \"X.numel + * 2\" }]"),
     "5:21: in expression 'X.numel + * 2': column 11: found '*', expected an integer, a name or "
     "'('\n  X.numel + * 2\n            ^"},
    {"UnknownName", withKey("require = [{ that = \"X.numel > n\" }]"),
     "5:21: in expression 'X.numel > n': 'n' names no input, output, attribute or constexpr of "
     "this plugin"},
    {"TensorIsNoInteger", withKey("require = [{ that = \"X > 1\" }]"),
     "5:21: in expression 'X > 1': 'X' is no integer; a tensor has .shape[i], .numel, .rank and "
     ".size_bytes"},
    {"UnknownProperty", withKey("require = [{ that = \"X.size > 1\" }]"),
     "5:21: in expression 'X.size > 1': 'X.size' is no integer; a tensor has .shape[i], .numel, "
     ".rank and .size_bytes"},
    {"FloatInExpression",
     withKey("attributes = [{ name = \"a\", type = \"float\" }]\nrequire = [{ that = \"a > 1\" }]"),
     "6:21: in expression 'a > 1': attribute 'a' is float; 'a' is no integer"},
    {"ExpressionIsFloat", withKey("require = [{ that = 1.5 }]"),
     "5:21: 'that' is a float; expected an integer or an expression in a string"},
    {"NoCondition", withKey("require = [{ message = \"m\" }]"), "5:12: key 'that' is missing"},
    {"WorkspaceWithoutSize", withKey("workspaces = [{ name = \"w\" }]"),
     "5:15: key 'bytes' is missing"},
    {"WorkspaceType", withKey("workspaces = [{ name = \"w\", bytes = 4, dtype = \"q\" }]"),
     "5:48: 'q' is no dtype; expected \"float32\", \"int64\" or another"},
    {"KernelWithoutFunction", withLaunch("kernel = \"k.py\"\ngrid = [1]"),
     "6:10: 'k.py' names no kernel; expected \"FILE.py:FUNCTION\""},
    {"NoKernel", withLaunch("grid = [1]"), "5:1: key 'kernel' is missing"},
    {"NoGrid", withLaunch("kernel = \"k.py:f\""), "5:1: key 'grid' is missing"},
    {"FourExtents", withLaunch("kernel = \"k.py:f\"\ngrid = [1, 1, 1, 1]"),
     "7:8: 'grid' has 4 extents; expected 1 to 3"},
    {"Warps", withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nnum_warps = 3"),
     "8:13: num_warps is 3; expected a power of two from 1 to 32"},
    {"TooManyWarps", withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nnum_warps = 64"),
     "8:13: num_warps is 64; expected a power of two from 1 to 32"},
    {"ConstexprKind",
     withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nconstexprs = { B = 1979-05-27 }"),
     "8:20: 'B' is a date or time; expected a number, a boolean, a string, a list, or one of { "
     "expr = … "
     "}, { attribute = … }, { dtype = … }"},
    {"ConstexprSource",
     withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nconstexprs = { B = { atribute = \"a\" } }"),
     "8:22: unknown key 'atribute' in a constexpr; did you mean 'attribute'?"},
    {"ConstexprAttribute",
     withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nconstexprs = { B = { attribute = \"a\" } }"),
     "8:20: 'a' is no attribute of this plugin"},
    {"ArgumentUnknown", withArgs("[\"X\", \"n\"]"),
     "8:14: in expression 'n': 'n' names no input, output, attribute or constexpr of this plugin"},
    {"ArgumentCastOfText", withArgs("[\"f32(X)\"]"),
     "8:9: in expression 'f32(X)': 'X' is no integer; a tensor has .shape[i], .numel, .rank and "
     ".size_bytes"},
    {"ArgumentKind", withArgs("[[1]]"),
     "8:9: 'args' is an array; expected a number, a boolean, a name or an expression"},
    {"FileKind", withLaunch("kernel = \"k.txt:f\"\ngrid = [1]"),
     "6:10: 'k.txt' is no file of kernels; expected .py, .ptx, .cubin, .json (beside a .ptx or "
     ".cubin of Triton's), .cu, .o or .so"},
    {"CudaSourceWithoutKernel", withLaunch("kernel = \"k.cu\"\ngrid = [1]"),
     "6:10: 'k.cu' names no kernel; expected \"FILE.cu:FUNCTION\""},
    {"ImageFamily", withLaunch("images = { cpu = \"k.ptx:f\" }\ngrid = [1]"),
     "6:18: 'k.ptx' is for 'cpu', but .ptx files are for targets 'cuda' and 'cuda:…'"},
    {"ImageNone", withLaunch("images = {}\ngrid = [1]"),
     "6:10: 'images' is empty; expected a file for at least one target"},
    {"BlockOfSource", withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nblock = [1]"),
     "8:9: 'block' is for kernels that were compiled elsewhere; the compiler chooses it for "
     "kernels "
     "in the Triton language"},
    {"WarpsOfFile", withLaunch("kernel = \"k.ptx:f\"\ngrid = [1]\nnum_warps = 4"),
     "8:13: 'num_warps' is for kernels in the Triton language; this launch has none; give 'block'"},
    {"FourBlockExtents", withLaunch("kernel = \"k.ptx:f\"\ngrid = [1]\nblock = [1, 1, 1, 1]"),
     "8:9: 'block' has 4 extents; expected 1 to 3"},
    {"ClusterTooLarge", withLaunch("kernel = \"k.ptx:f\"\ngrid = [1]\ncluster = [4, 5]"),
     "8:11: 'cluster' is 1 to 3 numbers of blocks, at most 16 in all"},
    {"CooperativeKind", withLaunch("kernel = \"k.ptx:f\"\ngrid = [1]\ncooperative = 1"),
     "8:15: 'cooperative' is an integer; expected a boolean"},
    {"ShapeOfNothing", withArgs("[\"W.shape\"]"),
     "8:9: in expression 'W.shape': 'W.shape' names no input, output, attribute or "
     "constexpr of this plugin"},
    {"ConfigsOfFile", withLaunch("kernel = \"k.ptx:f\"\ngrid = [1]\nconfigs = \"autotune\""),
     "8:11: 'configs' is for kernels in the Triton language; this launch has none"},
    {"ConfigsWord", withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nconfigs = \"tune\""),
     "8:11: 'configs' is 'tune'; expected \"autotune\" or a list of tables"},
    {"ConfigsNone", withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nconfigs = []"),
     "8:11: 'configs' is an array; expected \"autotune\" or a list of tables that is not empty"},
    {"ConfigsDiffer",
     withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nconfigs = [{ A = 1 }, { A = 2, B = 1 }]"),
     "8:23: this configuration has A, B; the first one has A"},
    {"ConfigTwice", withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nconfigs = [{ A = 1 }, { A = 1 }]"),
     "8:23: the configuration 'A=1' is there twice"},
    {"ConfigAndConstexpr",
     withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nconstexprs = { A = 1 }\nconfigs = [{ A = 2 }]"),
     "9:18: 'A' is given by 'constexprs' and by a configuration"},
    {"ConfigWarps", withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nconfigs = [{ num_warps = 3 }]"),
     "8:26: num_warps is 3; expected a power of two from 1 to 32"},
    {"WarpsBesideAutotune",
     withLaunch("kernel = \"k.py:f\"\ngrid = [1]\nnum_warps = 4\nconfigs = \"autotune\""),
     "8:13: 'num_warps' comes from the kernel's configurations"},
    {"LaunchAndTactic",
     withLaunch("kernel = \"k.py:f\"\ngrid = [1]\n[[plugin.tactic]]\nname = \"a\""),
     "8:1: a plugin has either launches or tactics with launches of their own"},
    {"TacticWithoutLaunch", withTactic("name = \"a\""), "5:1: key 'launch' is missing"},
    {"TacticWithoutName", withTactic("guard = []"), "5:1: key 'name' is missing"},
    {"TacticName", withTactic("name = \"a b\""),
     "6:8: 'a b' is no name; expected letters, digits and '_'"},
    {"TacticTwice",
     withTactic("name = \"a\"\n[[plugin.tactic.launch]]\nkernel = \"k.py:f\"\ngrid = [1]\n"
                "[[plugin.tactic]]\nname = \"a\""),
     "11:8: two tactics of this plugin are named 'a'"},
    {"TacticGuard", withTactic("name = \"a\"\nguard = [\"Z.numel\"]"),
     "7:10: in expression 'Z.numel': 'Z.numel' names no input, output, attribute or constexpr of "
     "this plugin"},
    {"TacticAlignment", withTactic("name = \"a\"\naligned = { X = 24 }"),
     "7:17: the alignment of 'X' is a number of bytes, a power of two up to 4096"},
    {"TacticAlignmentOfNothing", withTactic("name = \"a\"\naligned = { Z = 32 }"),
     "7:17: in 'aligned': 'Z' is no input or output of this plugin"},
    {"ArgsAndExtraArgs", withArgs("[\"X\"]\nextra_args = [1]"),
     "9:14: 'extra_args' goes without 'args': 'args' lists every argument"},
};

INSTANTIATE_TEST_SUITE_P(All, ManifestRefusals, testing::ValuesIn(kRefusals),
                         [](const auto &tested) { return std::string(tested.param.name); });

} // namespace
} // namespace inlay
