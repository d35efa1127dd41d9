// Pointwise operators behind products and convolutions, as text of kernels and as tactics.
#include "compiler/operators/Tails.h"

#include "compiler/operators/BuiltinPlugins.h"
#include "compiler/plugins/NodeBinder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Expr kRows = Expr::symbol("s0");

TensorSpec tensor(std::vector<Expr> shape, DataType dtype = DataType::Float32) {
  return {dtype, std::move(shape)};
}

class Tails : public testing::Test {
protected:
  Tails() { EXPECT_TRUE(addBuiltinPlugins(registry_).isOk()); }

  GroupMember member(const std::string &op, const std::vector<NodeArgument> &arguments,
                     std::vector<GroupValue> inputs) {
    std::vector<std::string> names;
    for (const NodeArgument &argument : arguments)
      if (std::holds_alternative<TensorSpec>(argument.value))
        names.push_back(argument.name);
    const PluginDefinition *plugin = registry_.candidates(op, names).at(0);
    Result<PluginNode> node = bindNode(*plugin, op, "n", arguments, {});
    EXPECT_TRUE(node.isOk()) << node.status().toString();
    Result<PluginDescription> description = plugin->describe(*node);
    EXPECT_TRUE(description.isOk()) << description.status().toString();
    node->outputs = description->outputs;
    node->targets = targets_;
    return {plugin, *node, std::move(inputs)};
  }

  /// relu(linear(x0, x1) + x2), x2 of a shape and type.
  OperatorGroup group(const TensorSpec &product, const TensorSpec &added) {
    OperatorGroup made;
    made.kind = GroupKind::Tail;
    made.inputs = {tensor({product.shape[0], 64}), tensor({product.shape[1], 64}), added};
    made.members.push_back(member("aten::linear",
                                  {{"input", made.inputs[0]}, {"weight", made.inputs[1]}},
                                  {{{}, 0}, {{}, 1}}));
    made.members.push_back(
        member("aten::add.Tensor", {{"self", product}, {"other", added}}, {{0, 0}, {{}, 2}}));
    made.members.push_back(
        member("aten::relu", {{"self", made.members[1].node.outputs[0]}}, {{1, 0}}));
    made.results = {{2, 0}};
    made.symbolRanges["s0"] = {1, most_};
    return made;
  }
  PluginImplementation implement(const OperatorGroup &made) {
    PluginNode node = groupNode(made, "n");
    node.targets = targets_;
    node.libraries = libraries_;
    Result<PluginImplementation> implementation = makeGroupPlugin(made)->implement(node);
    EXPECT_TRUE(implementation.isOk()) << implementation.status().toString();
    return implementation.isOk() ? *implementation : PluginImplementation();
  }

  PluginRegistry registry_;
  LibraryUse libraries_;
  std::vector<std::string> targets_{"cpu:x86-64-v3"};
  int64_t most_ = 1024;
};

TEST_F(Tails, ViewsInLoopsHaveTheShapeThatTheModelKnows) {
  // The last of each line minus all: how many the slice has is an expression, of which the model
  // knows that it is 1.
  const Expr length = floorDiv(kRows + Expr(16), floorDiv(kRows, Expr(16)));
  OperatorGroup made;
  made.kind = GroupKind::Pointwise;
  made.inputs = {tensor({4, length})};
  made.members.push_back(member("aten::slice.Tensor",
                                {{"self", made.inputs[0]},
                                 {"dim", AttributeValue(int64_t{1})},
                                 {"start", AttributeValue(int64_t{-1})}},
                                {{{}, 0}}));
  made.members[0].node.outputs[0].shape = {4, 1};
  made.members.push_back(member("aten::sub.Tensor",
                                {{"self", tensor({4, 1})}, {"other", made.inputs[0]}},
                                {{0, 0}, {{}, 0}}));
  made.results = {{1, 0}};
  const std::string source = implement(made).launches.at(0).kernel.source;
  EXPECT_THAT(source, HasSubstr("x0_1 = tl.load(x0_ptr + i0 * size0 + size1, mask=in_range)"));
}

TEST_F(Tails, AreFunctionsOfTheKernel) {
  const PluginImplementation made = implement(group(tensor({kRows, 32}), tensor({32})));
  ASSERT_EQ(made.launches.size(), 1u);
  const PluginLaunch &launch = made.launches[0];
  EXPECT_EQ(launch.name(), "matmul_kernel");
  EXPECT_FALSE(launch.kernel.constexprs.contains("TAIL"));
  const std::string &source = launch.kernel.source;
  EXPECT_THAT(source, HasSubstr("def tail(value, offsets, in_range, x2_ptr):"));
  EXPECT_THAT(source, HasSubstr("v0 = value.to(tl.float32)"));
  EXPECT_THAT(source, HasSubstr("offsets = offsets.to(tl.int32)"));
  EXPECT_THAT(source, HasSubstr("tail(total, offsets, inside, x2_ptr)"));
  EXPECT_THAT(source, HasSubstr("import libdevice"));
  EXPECT_THAT(source, Not(HasSubstr("TAIL")));
  EXPECT_EQ(launch.arguments.back().kind, LaunchArgument::Kind::Input);
  EXPECT_EQ(launch.arguments.back().index, 2u);
}

TEST_F(Tails, HaveWideOffsetsWhereResultsMayBeLarge) {
  most_ = int64_t{1} << 40;
  const PluginImplementation made = implement(group(tensor({kRows, 32}), tensor({32})));
  EXPECT_THAT(made.launches.at(0).kernel.source, HasSubstr("offsets = offsets.to(tl.int64)"));
}

TEST_F(Tails, AreAppliedWherePartsOfSumsArePutTogether) {
  targets_ = {"cuda:sm_90a"};
  OperatorGroup deep = group(tensor({64, 64}), tensor({64, 64}));
  deep.inputs[0] = deep.members[0].node.inputs[0] = tensor({64, 1 << 16});
  deep.inputs[1] = deep.members[0].node.inputs[1] = tensor({64, 1 << 16});
  const PluginImplementation made = implement(deep);
  ASSERT_EQ(made.launches.size(), 2u);
  EXPECT_TRUE(made.launches[0].kernel.constexprs.contains("TAIL"));
  EXPECT_EQ(made.launches[1].name(), "finish_kernel");
  EXPECT_THAT(made.launches[1].kernel.source, HasSubstr("tail(total, at, inside, x2_ptr)"));
}

TEST_F(Tails, StandBehindLibraries) {
  targets_ = {"cuda:sm_90a", "cpu:x86-64-v3"};
  libraries_.isAllowed = true;
  libraries_.measured = {"cuda"}; // float32 is our kernels' there where nothing is measured
  const PluginImplementation made = implement(group(tensor({kRows, 32}), tensor({kRows, 32})));
  ASSERT_EQ(made.tactics.size(), 3u);
  EXPECT_EQ(made.libraryOf(0), "oneDNN");
  EXPECT_EQ(made.libraryOf(1), "cuBLASLt");
  EXPECT_EQ(made.libraryOf(2), "");
  std::vector<std::string> names[3];
  for (const PluginLaunch &launch : made.launches)
    names[launch.tactic.value()].push_back(launch.name());
  EXPECT_THAT(names[0], ElementsAre("onednn.matmul", "add_relu_kernel"));
  EXPECT_THAT(names[1], ElementsAre("cublasLt.matmul", "add_relu_kernel"));
  EXPECT_THAT(names[2], ElementsAre("matmul_kernel"));
  // The library writes to memory from which the kernel behind it reads.
  ASSERT_EQ(made.workspaces.size(), 2u);
  EXPECT_EQ(made.workspaces[0].sizeBytes, kRows * 128);
  for (const PluginLaunch &launch : made.launches)
    if (launch.tactic != 2) {
      const auto isProduct = [](const LaunchArgument &argument) {
        return argument.kind == LaunchArgument::Kind::Workspace && argument.index == 0;
      };
      EXPECT_EQ(std::ranges::count_if(launch.arguments, isProduct), 1) << launch.name();
    }
}

/// A convolution's bias is added by the kernel behind the library, in the dimension of channels.
TEST_F(Tails, AddTheBiasOfAConvolution) {
  targets_ = {"cuda:sm_90a", "cpu:x86-64-v3"};
  libraries_.isAllowed = true;
  libraries_.measured = {"cuda"};
  OperatorGroup made;
  made.kind = GroupKind::Tail;
  made.inputs = {tensor({24}), tensor({2, 8, 14, 10}), tensor({24, 8, 3, 3})};
  made.members.push_back(
      member("aten::conv2d",
             {{"input", made.inputs[1]}, {"weight", made.inputs[2]}, {"bias", made.inputs[0]}},
             {{{}, 1}, {{}, 2}, {{}, 0}}));
  const TensorSpec result = made.members[0].node.outputs[0];
  made.members.push_back(member("aten::relu", {{"self", result}}, {{0, 0}}));
  made.results = {{1, 0}};
  const PluginImplementation implementation = implement(made);
  std::vector<std::string> names[3];
  for (const PluginLaunch &launch : implementation.launches)
    names[launch.tactic.value()].push_back(launch.name());
  EXPECT_THAT(names[0], ElementsAre("onednn.convolution", "relu_kernel"));
  EXPECT_THAT(names[1], ElementsAre("cudnn.convolution", "relu_kernel"));
  for (const PluginLaunch &launch : implementation.launches) {
    if (launch.name() == "relu_kernel") {
      EXPECT_THAT(launch.kernel.source, HasSubstr("bias = tl.load(x0_ptr + "));
      EXPECT_THAT(launch.kernel.source, HasSubstr("bias.to(tl.float32)"));
    } else if (launch.library) {
      EXPECT_EQ(launch.arguments[0].index, 1u);
      EXPECT_EQ(launch.arguments[1].index, 2u);
      EXPECT_EQ(launch.arguments[2].kind, LaunchArgument::Kind::Workspace);
    }
  }
}

TEST_F(Tails, AreOfTheShapeOfTheProduct) {
  OperatorGroup made = group(tensor({1, 32}), tensor({8, 32}));
  EXPECT_THAT(
      checkGroup(made).message(),
      HasSubstr("takes a value of shape [1, 32] from another of the group, expected [8, 32]"));
  made = group(tensor({kRows, 32}), tensor({32}));
  made.members[0] = member("aten::relu", {{"self", tensor({kRows, 32})}}, {{{}, 0}});
  EXPECT_THAT(checkGroup(made).message(), HasSubstr("(aten::relu) takes no tail"));
}

TEST_F(Tails, TakeViewsInTheOrderOfTheProduct) {
  OperatorGroup made = group(tensor({kRows, 32}), tensor({32}));
  made.members.resize(1);
  made.members.push_back(member("aten::view",
                                {{"self", made.members[0].node.outputs[0]},
                                 {"size", SizeArgument{{Expr(1), kRows, Expr(32)}, true}}},
                                {{0, 0}}));
  made.members.push_back(member(
      "aten::add.Tensor", {{"self", made.members[1].node.outputs[0]}, {"other", made.inputs[2]}},
      {{1, 0}, {{}, 2}}));
  made.results = {{2, 0}};
  EXPECT_TRUE(checkGroup(made).isOk()) << checkGroup(made).message();
  EXPECT_THAT(implement(made).launches.at(0).kernel.source,
              HasSubstr("tl.load(x2_ptr + i1, mask=in_range)"));
}

} // namespace
} // namespace inlay
