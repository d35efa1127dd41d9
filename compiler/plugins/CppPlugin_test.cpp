#include "compiler/plugins/CppPlugin.h"
#include "compiler/plugins/NodeBinder.h"
#include "compiler/plugins/PluginFiles.h"
#include "compiler/plugins/PluginLibrary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <functional>

namespace inlay {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kLibrary = INLAY_TEST_PLUGINS ".so";
const TensorSpec kX{DataType::Float32, {Expr::symbol("s0"), Expr(8)}};
const TensorSpec kY{DataType::Float16, {Expr(8)}};

class CppPluginLibrary : public testing::Test {
protected:
  void SetUp() override {
    Status status = addPluginLibrary(registry_, kLibrary);
    ASSERT_TRUE(status.isOk()) << status.message();
  }

  /// A node of an operator with X and, if asked, Y, described.
  Result<PluginNode> node(const std::string &op,
                          const std::vector<NodeArgument> &arguments = {{"X", kX}}) {
    const PluginDefinition *plugin = registry_.find(op);
    if (!plugin)
      return Status(StatusCode::NotFound, op);
    return bindNode(*plugin, op, "node_1", arguments, {});
  }

  std::string describeError(const std::string &op) {
    auto bound = node(op);
    if (!bound.isOk())
      return "not bound: " + bound.status().message();
    return registry_.find(op)->describe(*bound).status().message();
  }

  std::string implementError(const std::string &op) {
    auto bound = node(op);
    if (!bound.isOk())
      return "not bound: " + bound.status().message();
    bound->outputs = {kX};
    return registry_.find(op)->implement(*bound).status().message();
  }

  PluginRegistry registry_;
};

TEST_F(CppPluginLibrary, DescribesOutputsWithAttributesAndRequirements) {
  auto bound = node("test::scale", {{"X", kX}, {"Y", kY}, {"pads", std::vector<int64_t>{3, 5}}});
  ASSERT_TRUE(bound.isOk()) << bound.status().message();
  auto description = registry_.find("test::scale")->describe(*bound);
  ASSERT_TRUE(description.isOk()) << description.status().message();
  ASSERT_EQ(description->outputs.size(), 2u);
  EXPECT_EQ(description->outputs[0].dtype, DataType::Float32);
  EXPECT_EQ(description->outputs[0].shape[0].toString(), "2*s0 + 5");
  EXPECT_EQ(description->outputs[0].shape[1].toString(), "8");
  EXPECT_EQ(description->outputs[1].dtype, DataType::Bool);
  ASSERT_EQ(description->requirements.size(), 1u);
  EXPECT_EQ(description->requirements[0].message, "the last sizes differ");
  EXPECT_EQ(description->requirements[0].condition.constantValue(), 1);
}

TEST_F(CppPluginLibrary, SaysWhichNodesAVariantServes) {
  const std::vector<std::string> x = {"X"};
  auto candidates = registry_.candidates("test::choice", x);
  ASSERT_EQ(candidates.size(), 2u);
  EXPECT_EQ(candidates[0]->variant(), "vector");
  EXPECT_EQ(candidates[0]->priority(), 2);
  EXPECT_FALSE(candidates[0]->takesStaticShapesOnly());
  EXPECT_EQ(candidates[1]->variant(), "static");
  EXPECT_TRUE(candidates[1]->takesStaticShapesOnly());
  EXPECT_THAT(candidates[1]->targets(), ElementsAre("cuda", "cpu:x86-64-v3"));

  auto bound = bindNode(*candidates[0], "test::choice", "node_1", {{"X", kX}}, {kX});
  ASSERT_TRUE(bound.isOk()) << bound.status().message();
  auto conditions = candidates[0]->conditions(*bound);
  ASSERT_TRUE(conditions.isOk()) << conditions.status().message();
  ASSERT_EQ(conditions->size(), 2u);
  EXPECT_EQ((*conditions)[0].condition.constantValue(), 1); // 8*s0 % 4 == 0
  EXPECT_EQ((*conditions)[1].condition.toString(), "1 < s0");
  EXPECT_EQ((*conditions)[1].message, "there is one row only");
  bound->attributes["mode"] = std::string("exact");
  EXPECT_EQ(candidates[0]->conditions(*bound).status().message(),
            "node node_1 (test::choice, plugin at " + kLibrary + "): the mode is not fast");
  bound->outputs[0].dtype = DataType::Float16;
  EXPECT_THAT(candidates[0]->conditions(*bound).status().message(),
              HasSubstr("its types are float32 -> float16; the plugin takes float32 -> float32; "
                        "float16 -> float16"));

  bound->targets = {"cpu:x86-64-v3", "cuda:sm_90a"};
  auto two = candidates[1]->conditions(*bound);
  ASSERT_TRUE(two.isOk());
  EXPECT_EQ((*two)[0].condition.constantValue(), 0);
  EXPECT_EQ((*two)[0].message, "what .when returns: 0");
}

TEST_F(CppPluginLibrary, MayRemoveAndReplaceItsOwn) {
  EXPECT_EQ(registry_.find("test::removed"), nullptr);
  const std::vector<std::string> none;
  std::vector<std::pair<std::string, int64_t>> found;
  for (const PluginDefinition *plugin : registry_.candidates("test::replaced", none))
    found.emplace_back(plugin->variant(), plugin->priority());
  EXPECT_THAT(found, ElementsAre(std::pair("a", 7), std::pair("b", 0)));
}

TEST_F(CppPluginLibrary, FloatArgumentsMayBeExpressionsAndConstexprsLists) {
  auto bound = node("test::choice");
  ASSERT_TRUE(bound.isOk());
  bound->outputs = {kX};
  auto implementation = registry_.find("test::choice")->implement(*bound);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().message();
  const PluginLaunch &launch = implementation->launches[0];
  EXPECT_EQ(launch.kernel.constexprs.at("PADS"), ConstexprValue(std::vector<int64_t>{1, 2}));
  ASSERT_TRUE(launch.arguments[0].floatExpression);
  EXPECT_EQ(launch.arguments[0].floatExpression->toString(), "(1.0 / sqrt(s0))");
  EXPECT_FALSE(launch.arguments[1].floatExpression);
  EXPECT_EQ(launch.arguments[1].value, 0.1 * -2.5);
  EXPECT_EQ(launch.arguments[1].dtype, DataType::Float64);
  EXPECT_THAT(implementError("test::infinite"), HasSubstr("is inf, which is not finite"));
}

/// Registers what `fill` adds and removes.
Status registerWith(PluginRegistry &registry,
                    const std::function<void(const inlay_plugin_host_v1 *)> &fill,
                    const std::string &origin) {
  return addCppPlugins(registry, fill, {origin, "", nullptr});
}

inlay_plugin_definition_v1 definitionNamed(const char *op, const char *variant = nullptr) {
  inlay_plugin_definition_v1 definition{};
  definition.size_bytes = sizeof(definition);
  definition.op_name = op;
  definition.variant = variant;
  definition.describe =
      definition.implement = [](void *, const inlay_plugin_host_v1 *, inlay_plugin_node_t *) {};
  return definition;
}

TEST(CppPlugins, AreReplacedAfterTheyAreRemoved) {
  PluginRegistry registry;
  const auto add = [](const inlay_plugin_host_v1 *host) {
    const auto a = definitionNamed("my::a"), b = definitionNamed("my::b", "fast");
    host->add_plugin(host->registration, &a);
    host->add_plugin(host->registration, &b);
  };
  ASSERT_TRUE(registerWith(registry, add, "first").isOk());
  EXPECT_THAT(registerWith(registry, add, "second").message(), HasSubstr("defined at first"));
  const auto replace = [](const inlay_plugin_host_v1 *host) {
    host->remove_plugin(host->registration, "my::a", nullptr);
    host->remove_plugin(host->registration, "my::b.default", "fast");
    const auto a = definitionNamed("my::a");
    host->add_plugin(host->registration, &a);
  };
  ASSERT_TRUE(registerWith(registry, replace, "third").isOk());
  EXPECT_THAT(registry.opNames(), ElementsAre("my::a"));
  EXPECT_EQ(registry.find("my::a")->origin(), "third");
}

TEST(CppPlugins, ARegistrationThatFailsRemovesAndAddsNothing) {
  PluginRegistry registry;
  ASSERT_TRUE(registerWith(
                  registry,
                  [](const inlay_plugin_host_v1 *host) {
                    const auto a = definitionNamed("my::a"), b = definitionNamed("my::b");
                    host->add_plugin(host->registration, &a);
                    host->add_plugin(host->registration, &b);
                  },
                  "first")
                  .isOk());
  // The third plugin is a duplicate: what came before it is given up too.
  Status status = registerWith(
      registry,
      [](const inlay_plugin_host_v1 *host) {
        host->remove_plugin(host->registration, "my::a", "");
        for (const char *op : {"my::c", "my::a", "my::b"}) {
          const auto definition = definitionNamed(op);
          host->add_plugin(host->registration, &definition);
        }
      },
      "second");
  EXPECT_EQ(status.code(), StatusCode::AlreadyExists);
  EXPECT_THAT(registry.opNames(), ElementsAre("my::a", "my::b"));
  EXPECT_EQ(registry.find("my::a")->origin(), "first");
  status = registerWith(
      registry,
      [](const inlay_plugin_host_v1 *host) {
        const auto definition = definitionNamed("my::c");
        host->add_plugin(host->registration, &definition);
        host->remove_plugin(host->registration, "my::a", "slow");
      },
      "second");
  EXPECT_THAT(status.message(), HasSubstr("operator 'my::a' has no plugin of variant 'slow'"));
  EXPECT_THAT(registry.opNames(), ElementsAre("my::a", "my::b"));
}

TEST(CppPlugins, OfOlderHeadersAndWithMistakesInWhatTheyServe) {
  PluginRegistry registry;
  const auto addOne = [&](inlay_plugin_definition_v1 definition) {
    return registerWith(
        registry,
        [&](const inlay_plugin_host_v1 *host) {
          host->add_plugin(host->registration, &definition);
        },
        "lib.so");
  };
  auto old = definitionNamed("my::old", "what lies behind is not read");
  old.size_bytes = offsetof(inlay_plugin_definition_v1, variant);
  ASSERT_TRUE(addOne(old).isOk());
  EXPECT_EQ(registry.find("my::old")->variant(), "");
  EXPECT_THAT(addOne(definitionNamed("my::a", "no name")).message(),
              HasSubstr("the variant 'no name' is no name"));
  const char *badTypes[] = {"FP32|FP16*BF16"}, *badTargets[] = {"gpu"};
  auto types = definitionNamed("my::a");
  types.types = badTypes;
  types.num_types = 1;
  EXPECT_THAT(addOne(types).message(), HasSubstr("plugin my::a: in types: "));
  auto targets = definitionNamed("my::a");
  targets.targets = badTargets;
  targets.num_targets = 1;
  EXPECT_THAT(addOne(targets).message(), HasSubstr("'gpu' is no target"));
  targets.targets = nullptr;
  EXPECT_THAT(addOne(targets).message(), HasSubstr("plugin my::a: targets is null"));
  EXPECT_THAT(registry.opNames(), ElementsAre("my::old"));
}

TEST_F(CppPluginLibrary, ListsLaunchesWithEveryKindOfArgument) {
  auto bound =
      node("test::scale", {{"X", kX}, {"Y", kY}, {"alpha", int64_t{3}}, {"limit", int64_t{9}}});
  ASSERT_TRUE(bound.isOk()) << bound.status().message();
  bound->outputs = {kX, kX};
  auto implementation = registry_.find("test::scale")->implement(*bound);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().message();
  ASSERT_EQ(implementation->workspaces.size(), 1u);
  EXPECT_EQ(implementation->workspaces[0].name, "scratch");
  EXPECT_EQ(implementation->workspaces[0].dtype, DataType::Float32);
  EXPECT_EQ(implementation->workspaces[0].sizeBytes.toString(), "32*s0");

  ASSERT_EQ(implementation->launches.size(), 2u);
  const PluginLaunch &first = implementation->launches[0];
  EXPECT_EQ(first.kernel.path,
            std::filesystem::path(kLibrary).parent_path().string() + "/kernels/scale.py");
  EXPECT_EQ(first.kernel.function, "fast");
  EXPECT_EQ(first.kernel.numWarps, 8);
  EXPECT_EQ(first.kernel.constexprs.at("BLOCK"), ConstexprValue(int64_t{128}));
  EXPECT_EQ(first.kernel.constexprs.at("LIMIT"), ConstexprValue(int64_t{9}));
  EXPECT_EQ(first.kernel.constexprs.at("T"), ConstexprValue(DataType::Float16));
  EXPECT_EQ(first.grid[0].toString(), "ceildiv(8*s0, 128)");
  EXPECT_EQ(first.grid[1].toString(), "2");
  EXPECT_EQ(first.grid[2].toString(), "1");
  using Kind = LaunchArgument::Kind;
  std::vector<std::pair<Kind, DataType>> kinds;
  for (const LaunchArgument &argument : first.arguments)
    kinds.emplace_back(argument.kind, argument.dtype);
  EXPECT_EQ(kinds[0].first, Kind::Input);
  EXPECT_EQ(first.arguments[1].index, 1u);
  EXPECT_EQ(kinds[2], std::pair(Kind::Workspace, DataType::Float32));
  EXPECT_EQ(kinds[3], std::pair(Kind::Integer, DataType::Int64));
  EXPECT_EQ(kinds[4], std::pair(Kind::Integer, DataType::Int32));
  EXPECT_EQ(kinds[5], std::pair(Kind::Float, DataType::Float32));
  EXPECT_EQ(first.arguments[5].value, 3.0);
  EXPECT_EQ(kinds[6], std::pair(Kind::Integer, DataType::Bool));
  EXPECT_EQ(kinds[8].first, Kind::Output);
  EXPECT_EQ(first.arguments[8].index, 1u);

  const PluginLaunch &second = implementation->launches[1];
  EXPECT_EQ(second.kernel.source, "text");
  EXPECT_THAT(second.kernel.path, HasSubstr("inline.py"));
}

TEST_F(CppPluginLibrary, ListsFilesOfKernelsAndWhatTheirLaunchesNeed) {
  auto bound = node("test::files", {{"X", kX}});
  ASSERT_TRUE(bound.isOk()) << bound.status().message();
  bound->outputs = {kX};
  auto implementation = registry_.find("test::files")->implement(*bound);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().message();
  const PluginLaunch &launch = implementation->launches.front();
  const std::string folder = std::filesystem::path(kLibrary).parent_path().string();
  ASSERT_EQ(launch.files.size(), 2u);
  EXPECT_EQ(launch.files[0].path, folder + "/k.ptx");
  EXPECT_EQ(launch.files[0].entry, "add");
  EXPECT_EQ(launch.files[0].target, "");
  EXPECT_EQ(launch.files[1].path, folder + "/kernels/k.so");
  EXPECT_EQ(launch.files[1].entry, "");
  EXPECT_EQ(launch.files[1].target, "cpu:x86-64-v3");
  EXPECT_EQ(launch.kernel.function, "");
  EXPECT_EQ((*launch.block)[0].toString(), "64");
  EXPECT_EQ((*launch.block)[1].toString(), "2");
  EXPECT_EQ((*launch.block)[2].toString(), "1");
  EXPECT_EQ(launch.sharedBytes->toString(), "32*s0");
  EXPECT_THAT(launch.cluster, testing::ElementsAre(2, 1, 1));
  EXPECT_TRUE(launch.isCooperative);
  EXPECT_FALSE(launch.isProgrammatic);
}

TEST_F(CppPluginLibrary, ListsTacticsAndReadsConfigurations) {
  auto bound = node("test::tactics");
  ASSERT_TRUE(bound.isOk()) << bound.status().message();
  bound->outputs = {kX};
  bound->readAutotune = [](const TritonKernel &kernel) -> Result<std::vector<KernelConfigValues>> {
    EXPECT_EQ(kernel.function, "k");
    return std::vector<KernelConfigValues>{{{{"BLOCK", int64_t{64}}}, 2, 1},
                                           {{{"BLOCK", int64_t{128}}, {"FAST", true}}}};
  };
  auto implementation = registry_.find("test::tactics")->implement(*bound);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().message();
  const auto &[workspaces, launches, tactics] = *implementation;
  ASSERT_EQ(tactics.size(), 3u);
  EXPECT_EQ(tactics[0].name, "wide");
  ASSERT_EQ(tactics[0].conditions.size(), 1u);
  EXPECT_EQ(tactics[0].conditions[0].toString(), "0 == 8*s0 % 16");
  ASSERT_EQ(tactics[0].alignments.size(), 2u);
  EXPECT_EQ(tactics[0].alignments[0].bytes, 64);
  EXPECT_TRUE(tactics[0].alignments[1].isOfOutput);
  EXPECT_EQ(tactics[1].name, "BLOCK=64, num_warps=2, num_stages=1");
  EXPECT_EQ(tactics[2].name, "BLOCK=128, FAST=True, num_warps=4, num_stages=3");
  ASSERT_EQ(launches.size(), 4u);
  EXPECT_EQ(launches[0].tactic, std::nullopt);
  EXPECT_EQ(launches[3].tactic, 2u);
  EXPECT_EQ(launches[3].grid[0], Expr(128));
  EXPECT_EQ(launches[2].kernel.numWarps, 2);
  bound->readAutotune = [](const TritonKernel &) -> Result<std::vector<KernelConfigValues>> {
    return Status(StatusCode::InvalidArgument, "it has no autotuner");
  };
  EXPECT_THAT(registry_.find("test::tactics")->implement(*bound).status().message(),
              HasSubstr("configurations: it has no autotuner"));
}

TEST_F(CppPluginLibrary, SaysWhichInputAnOutputIs) {
  auto bound = node("test::in_place", {{"X", kX}, {"Y", kY}});
  ASSERT_TRUE(bound.isOk()) << bound.status().message();
  auto description = registry_.find("test::in_place")->describe(*bound);
  ASSERT_TRUE(description.isOk()) << description.status().message();
  EXPECT_THAT(description->aliasedInputs, testing::ElementsAre(testing::Pair(1u, 1u)));
  EXPECT_EQ(description->outputs[1].shape, kY.shape);
  bound->outputs = {kX, kY};
  EXPECT_THAT(registry_.find("test::in_place")->implement(*bound).status().message(),
              HasSubstr("aliased() was called for an output; only inputs can be aliased"));
}

TEST_F(CppPluginLibrary, DescribesSizesThatKernelsCompute) {
  auto bound = node("test::sizes", {{"X", kX}});
  ASSERT_TRUE(bound.isOk()) << bound.status().message();
  auto description = registry_.find("test::sizes")->describe(*bound);
  ASSERT_TRUE(description.isOk()) << description.status().message();
  ASSERT_EQ(description->sizes.size(), 1u);
  const ComputedSize &size = description->sizes[0];
  EXPECT_EQ(size.name, "count");
  EXPECT_EQ(size.dtype, DataType::Int64);
  EXPECT_EQ(size.bound, kX.numel());
  EXPECT_EQ(size.opt, floorDiv(kX.numel(), 2));
  EXPECT_EQ(description->outputs[0].shape[0], size.symbol());
  EXPECT_EQ(description->outputs[1].dtype, DataType::Int64);
  EXPECT_THAT(description->sizeOutputs, testing::ElementsAre(testing::Pair(1u, 0u)));
  EXPECT_THAT(symbolsOf(description->requirements[0].condition),
              testing::ElementsAre("size.count"));
  bound->outputs = description->outputs;
  bound->sizes = description->sizes;
  auto implementation = registry_.find("test::sizes")->implement(*bound);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().message();
  const LaunchArgument &argument = implementation->launches[0].arguments[1];
  EXPECT_EQ(argument.kind, LaunchArgument::Kind::Size);
  EXPECT_EQ(argument.dtype, DataType::Int64);
  EXPECT_THAT(describeError("test::bad_size"),
              HasSubstr("size 'count' is float32; expected int32 or int64"));
  EXPECT_THAT(implementError("test::bad_size"), HasSubstr("the plugin describes no size 'count'"));
}

TEST_F(CppPluginLibrary, WithoutInputNamesTakesAllTensors) {
  auto bound = node("test::all", {{"a", kX}, {"b", kY}, {"c", kX}});
  ASSERT_TRUE(bound.isOk()) << bound.status().message();
  bound->outputs = {kX};
  auto implementation = registry_.find("test::all")->implement(*bound);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().message();
  EXPECT_EQ(implementation->launches.size(), 3u);
}

TEST_F(CppPluginLibrary, WhatAPluginThrowsIsTheErrorOfItsNode) {
  EXPECT_THAT(describeError("test::throws"),
              AllOf(HasSubstr("node node_1 (test::throws, plugin at "), HasSubstr(kLibrary),
                    HasSubstr("only float16 of test::throws")));
  EXPECT_THAT(implementError("test::throws"), HasSubstr("an exception that is no std::exception"));
}

TEST_F(CppPluginLibrary, MistakesAreNamed) {
  EXPECT_THAT(describeError("test::missing_input"),
              HasSubstr("there is no input 5; the node has 1"));
  EXPECT_THAT(implementError("test::missing_input"),
              HasSubstr("the plugin declares no attribute 'nothing'"));
  EXPECT_THAT(describeError("test::bad_expression"),
              AllOf(HasSubstr("dimension 0 of output 0"), HasSubstr("s0 +")));
  EXPECT_THAT(implementError("test::bad_expression"), HasSubstr("launches no kernel"));
  EXPECT_THAT(describeError("test::bad_kind"),
              HasSubstr("the value of an attribute is not a string"));
  EXPECT_THAT(implementError("test::bad_kind"), HasSubstr("a grid has 4 extents; expected 1 to 3"));
  EXPECT_THAT(implementError("test::bad_warps"),
              HasSubstr("num_warps is 3; expected a power of two from 1 to 32"));
  EXPECT_THAT(implementError("test::bad_file"), HasSubstr("k.txt' is no file of kernels"));
  EXPECT_THAT(implementError("test::block_of_source"),
              HasSubstr("launch of k: block and shared memory are for kernels in files"));
  EXPECT_THAT(implementError("test::twice"), HasSubstr("constexpr 'B' is given twice"));
  EXPECT_THAT(implementError("test::unknown_symbol"), HasSubstr("s9"));
  EXPECT_THAT(implementError("test::workspaces"), HasSubstr("there are two workspaces 'a'"));
}

TEST(PluginLibrary, FaultyLibrariesAddNothing) {
  const std::pair<std::string, std::string> cases[] = {
      {INLAY_TEST_PLUGINS "Empty.so", "no plugin was added"},
      {INLAY_TEST_PLUGINS "Throwing.so", "no licence"},
      {INLAY_TEST_PLUGINS "Absent.so", "No such file"},
      {"tests/plugins/sample.toml", "invalid ELF header"},
  };
  for (const auto &[path, expected] : cases) {
    PluginRegistry registry;
    Status status = addPluginLibrary(registry, path);
    EXPECT_FALSE(status.isOk()) << path;
    EXPECT_THAT(status.message(), AllOf(HasSubstr(expected), HasSubstr(path)));
    EXPECT_THAT(registry.opNames(), IsEmpty());
  }
}

TEST(PluginLibrary, TheSameLibraryTwiceIsRefused) {
  PluginRegistry registry;
  ASSERT_TRUE(addPluginLibrary(registry, kLibrary).isOk());
  const auto names = registry.opNames();
  Status status = addPluginLibrary(registry, kLibrary);
  EXPECT_EQ(status.code(), StatusCode::AlreadyExists);
  EXPECT_EQ(registry.opNames(), names);
}

TEST(PluginFiles, TheEndingTellsTheKind) {
  PluginRegistry registry;
  EXPECT_TRUE(addPluginFile(registry, kLibrary).isOk());
  EXPECT_TRUE(addPluginFile(registry, "examples/add_one/add_one.toml").isOk());
  EXPECT_NE(registry.find("my::add_one"), nullptr);
  EXPECT_THAT(addPluginFile(registry, "plugin.txt").message(),
              HasSubstr("plugin 'plugin.txt' is neither a manifest (.toml) nor a library (.so)"));
}

// -- The C interface, given wrong things.

/// What registering one definition says; counts how often its `user` was destroyed.
std::string registered(inlay_plugin_definition_v1 definition, int *destroyed = nullptr) {
  int count = 0;
  definition.user = destroyed ? destroyed : &count;
  definition.destroy = [](void *user) { ++*static_cast<int *>(user); };
  PluginRegistry registry;
  Status status = addCppPlugins(
      registry,
      [&](const inlay_plugin_host_v1 *host) { host->add_plugin(host->registration, &definition); },
      {"test", {}, nullptr});
  return status.isOk() ? "" : status.message();
}

inlay_plugin_definition_v1 definitionOf(const char *name) {
  inlay_plugin_definition_v1 definition{};
  definition.size_bytes = sizeof(definition);
  definition.op_name = name;
  definition.describe = [](void *, const inlay_plugin_host_v1 *, inlay_plugin_node_t *) {};
  definition.implement = [](void *, const inlay_plugin_host_v1 *, inlay_plugin_node_t *) {};
  return definition;
}

TEST(PluginAbi, MalformedDefinitionsAreRefused) {
  int destroyed = 0;
  EXPECT_EQ(registered(definitionOf("my::op"), &destroyed), "");
  EXPECT_EQ(destroyed, 1) << "destroyed with the registry";

  EXPECT_THAT(registered(definitionOf(nullptr)), HasSubstr("op_name"));
  EXPECT_THAT(registered(definitionOf("noname")), HasSubstr("noname"));
  auto definition = definitionOf("my::op");
  definition.size_bytes = 8;
  EXPECT_THAT(registered(definition), HasSubstr("inlay_plugin_definition_v1"));
  definition = definitionOf("my::op");
  definition.describe = nullptr;
  destroyed = 0;
  EXPECT_THAT(registered(definition, &destroyed), HasSubstr("plugin my::op has no describe"));
  EXPECT_EQ(destroyed, 1) << "a refused definition is destroyed too";
  definition = definitionOf("my::op");
  definition.implement = nullptr;
  EXPECT_THAT(registered(definition), HasSubstr("implementation"));
  const char *names[] = {"X", "X"};
  definition = definitionOf("my::op");
  definition.input_names = names;
  definition.num_inputs = 2;
  EXPECT_THAT(registered(definition), HasSubstr("the name 'X' is used twice"));
  inlay_plugin_value_v1 text{};
  text.kind = INLAY_PLUGIN_VALUE_STRING;
  text.text = "a";
  inlay_plugin_attribute_v1 attribute{"alpha", INLAY_PLUGIN_VALUE_FLOAT, 0, &text};
  definition = definitionOf("my::op");
  definition.attributes = &attribute;
  definition.num_attributes = 1;
  EXPECT_THAT(registered(definition), AllOf(HasSubstr("alpha"), HasSubstr("expected float")));
  attribute.default_value = nullptr;
  attribute.kind = 99;
  EXPECT_THAT(registered(definition), HasSubstr("99"));
}

TEST_F(CppPluginLibrary, HostFunctionsStandBesideKernelsOrAlone) {
  const PluginDefinition *both = registry_.find("test::both");
  ASSERT_NE(both, nullptr);
  EXPECT_TRUE(both->hasAot());
  EXPECT_TRUE(both->hasJit());
  EXPECT_EQ(both->policy(), ImplementationPolicy::PreferJit);
  auto bound = node("test::both");
  ASSERT_TRUE(bound.isOk()) << bound.status().message();
  bound->outputs = {kX};
  auto bytes = both->hostWorkspace(*bound);
  ASSERT_TRUE(bytes.isOk()) << bytes.status().message();
  ASSERT_TRUE(bytes->has_value());
  EXPECT_EQ((*bytes)->toString(), "32*s0");

  const PluginDefinition *alone = registry_.find("test::host");
  ASSERT_NE(alone, nullptr);
  EXPECT_FALSE(alone->hasAot());
  EXPECT_TRUE(alone->hasJit());
  EXPECT_EQ(alone->policy(), std::nullopt);
  bytes = alone->hostWorkspace(*bound);
  ASSERT_TRUE(bytes.isOk());
  EXPECT_FALSE(bytes->has_value());
  EXPECT_FALSE(registry_.find("test::scale")->hasJit());
}

} // namespace
} // namespace inlay
