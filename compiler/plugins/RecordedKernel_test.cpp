#include "compiler/plugins/RecordedKernel.h"

#include "compiler/plugins/NodeBinder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

const std::string kHash(64, 'a');

RecordedKernelSource source(std::string hash = "") {
  RecordedKernelSource source;
  source.kernel.path = "k.py";
  source.kernel.function = "scale";
  source.kernel.constexprs = {{"BLOCK", int64_t{128}}};
  source.hash = std::move(hash);
  source.origin = "k.toml:1";
  return source;
}

/// A launch scale(x, count, factor, y) that writes y, as an importer gives it.
std::vector<NodeArgument> launchArguments(std::vector<std::string> types) {
  const TensorSpec tensor{DataType::Float32, {Expr::symbol("s0")}};
  return {{"args[0]", tensor},
          {"args[1]", SizeArgument{{Expr::symbol("s0")}, false}},
          {"args[2]", AttributeValue(2.5)},
          {"args[3]", tensor},
          {"name", AttributeValue("scale_" + kHash)},
          {"grid", SizeArgument{{ceilDiv(Expr::symbol("s0"), 128), Expr(1), Expr(1)}, true}},
          {"output_indices", AttributeValue(std::vector<int64_t>{3})},
          {"num_warps", AttributeValue(int64_t{8})},
          {"kernel_param_names",
           AttributeValue(std::vector<std::string>{"x_ptr", "count", "factor", "y_ptr"})},
          {"kernel_param_types", AttributeValue(std::move(types))}};
}

PluginNode bound(const PluginDefinition &plugin, std::vector<std::string> types) {
  auto node = bindNode(plugin, std::string(kRecordedLaunchOp), "launch",
                       launchArguments(std::move(types)), {});
  EXPECT_TRUE(node.isOk()) << node.status().toString();
  return std::move(*node);
}

TEST(RecordedKernel, IsLaunchedAsTheModelSays) {
  const auto plugin = makeRecordedKernelPlugin(source());
  const PluginNode node = bound(*plugin, {"*fp32", "i64", "fp32", "*fp32"});
  ASSERT_TRUE(plugin->conditions(node).isOk());
  auto description = plugin->describe(node);
  ASSERT_TRUE(description.isOk()) << description.status().toString();
  EXPECT_EQ(description->aliasedInputs, (std::map<uint32_t, uint32_t>{{0, 1}}));
  auto implementation = plugin->implement(node);
  ASSERT_TRUE(implementation.isOk()) << implementation.status().toString();
  const PluginLaunch &launch = implementation->launches.at(0);
  EXPECT_EQ(launch.kernel.numWarps, 8);
  EXPECT_EQ(launch.grid[0].toString(), ceilDiv(Expr::symbol("s0"), 128).toString());
  ASSERT_THAT(launch.arguments, SizeIs(4));
  EXPECT_EQ(launch.arguments[0].kind, LaunchArgument::Kind::Input);
  EXPECT_EQ(launch.arguments[1].dtype, DataType::Int64);
  EXPECT_EQ(launch.arguments[1].expression.toString(), "s0");
  EXPECT_EQ(launch.arguments[2].value, 2.5);
  EXPECT_EQ(launch.arguments[3].kind, LaunchArgument::Kind::Output);
}

TEST(RecordedKernel, ServesItsOwnKernelOnly) {
  const std::vector<std::string> types = {"*fp32", "i32", "fp32", "*fp32"};
  const auto same = makeRecordedKernelPlugin(source("aaa")),
             other = makeRecordedKernelPlugin(source("b"));
  EXPECT_TRUE(same->conditions(bound(*same, types)).isOk());
  EXPECT_THAT(other->conditions(bound(*other, types)).status().message(),
              HasSubstr("this is 'scale_b'"));
  EXPECT_EQ(recordedKernelName("scale_" + kHash), "scale");
  EXPECT_EQ(recordedKernelName("scale_down"), "scale_down");
}

TEST(RecordedKernel, RefusesTypesThatTheArgumentsDoNotHave) {
  const auto plugin = makeRecordedKernelPlugin(source());
  const auto errorOf = [&](std::vector<std::string> types) {
    return plugin->implement(bound(*plugin, std::move(types))).status().message();
  };
  EXPECT_THAT(errorOf({"i32", "i32", "fp32", "*fp32"}), HasSubstr("passes a tensor"));
  EXPECT_THAT(errorOf({"*fp32", "*i32", "fp32", "*fp32"}), HasSubstr("'*i32' and a number"));
  EXPECT_THAT(errorOf({"*fp32", "i32", "i32", "*fp32"}), HasSubstr("2.5 for int32"));
  EXPECT_THAT(errorOf({"*fp32", "fp32", "fp32", "*fp32"}), HasSubstr("for float32"));
  EXPECT_THAT(errorOf({"*fp32"}), HasSubstr("has 4 entries, 'kernel_param_types' 1"));
}

} // namespace
} // namespace inlay
