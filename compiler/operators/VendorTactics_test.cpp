// Which products are offered to libraries, and how.
#include "compiler/operators/BuiltinPlugins.h"
#include "compiler/operators/ConvolutionForm.h"
#include "compiler/plugins/NodeBinder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Le;
using testing::Optional;

const Expr kRows = Expr::symbol("s0");

TensorSpec tensor(std::vector<Expr> shape, DataType dtype = DataType::Float32) {
  return {dtype, std::move(shape)};
}

class VendorTactics : public testing::Test {
protected:
  VendorTactics() { EXPECT_TRUE(addBuiltinPlugins(registry_).isOk()); }

  PluginImplementation implement(const std::string &op,
                                 const std::vector<NodeArgument> &arguments) {
    std::vector<std::string> names;
    for (const NodeArgument &argument : arguments)
      if (std::holds_alternative<TensorSpec>(argument.value))
        names.push_back(argument.name);
    const auto plugins = registry_.candidates(op, names);
    Result<PluginNode> node = bindNode(*plugins.at(0), op, "n", arguments, {});
    EXPECT_TRUE(node.isOk()) << node.status().toString();
    Result<PluginDescription> description = plugins.at(0)->describe(*node);
    EXPECT_TRUE(description.isOk()) << description.status().toString();
    node->outputs = description->outputs;
    node->libraries = libraries_;
    node->targets = targets_;
    node->allowsTf32 = allowsTf32_;
    Result<PluginImplementation> implementation = plugins.at(0)->implement(*node);
    EXPECT_TRUE(implementation.isOk()) << implementation.status().toString();
    return *implementation;
  }
  static std::vector<std::string> namesOf(const PluginImplementation &implementation) {
    std::vector<std::string> names;
    for (const PluginTactic &tactic : implementation.tactics)
      names.push_back(tactic.name);
    return names;
  }
  PluginImplementation linear(DataType dtype = DataType::Float32) {
    return implement("aten::linear", {{"input", tensor({kRows, 512}, dtype)},
                                      {"weight", tensor({256, 512}, dtype)},
                                      {"bias", tensor({256}, dtype)}});
  }
  PluginImplementation convolution(DataType dtype, bool hasBias, int64_t groups = 1) {
    std::vector<NodeArgument> arguments{{"input", tensor({kRows, 32 * groups, 28, 20}, dtype)},
                                        {"weight", tensor({64 * groups, 32, 3, 5}, dtype)},
                                        {"stride", AttributeValue(std::vector<int64_t>{2, 1})},
                                        {"padding", AttributeValue(std::vector<int64_t>{1, 2})},
                                        {"groups", AttributeValue(groups)}};
    if (hasBias)
      arguments.insert(arguments.begin() + 2, {"bias", tensor({64 * groups}, dtype)});
    return implement("aten::conv2d", arguments);
  }
  static std::vector<std::string> launchesOf(const PluginImplementation &implementation,
                                             uint32_t tactic) {
    std::vector<std::string> names;
    for (const PluginLaunch &launch : implementation.launches)
      if (launch.tactic == tactic)
        names.push_back(launch.name());
    return names;
  }
  /// An argument of a launch by its text; the sizes of a library's function have their names.
  static Expr size(const PluginLaunch &launch, std::string_view name) {
    for (const LaunchArgument &argument : launch.arguments)
      if (argument.kind == LaunchArgument::Kind::Integer && argument.text == name)
        return argument.expression;
    ADD_FAILURE() << "no size " << name;
    return Expr(-1);
  }

  PluginRegistry registry_;
  LibraryUse libraries_{true, {}};
  std::vector<std::string> targets_{"cuda:sm_90a", "cpu:x86-64-v3", "cpu:x86-64-v4"};
  bool allowsTf32_ = false;
};

TEST_F(VendorTactics, StandBeforeOurOwn) {
  const PluginImplementation made = linear(DataType::Float16);
  EXPECT_THAT(namesOf(made), ElementsAre("oneDNN", "cuBLASLt", "inlay"));
  ASSERT_EQ(made.launches.size(), 3u);
  EXPECT_EQ(made.launches[0].name(), "onednn.matmul_bias");
  EXPECT_EQ(made.launches[1].name(), "cublasLt.matmul_bias");
  EXPECT_EQ(made.launches[2].name(), "matmul_kernel");
  for (uint32_t i = 0; i < 3; ++i)
    EXPECT_EQ(made.launches[i].tactic, i);
  EXPECT_EQ(made.libraryOf(0), "oneDNN");
  EXPECT_EQ(made.libraryOf(2), "");
  const PluginLaunch &launch = made.launches[1];
  EXPECT_EQ(size(launch, "m"), kRows);
  EXPECT_EQ(size(launch, "n"), Expr(256));
  EXPECT_EQ(size(launch, "k"), Expr(512));
  EXPECT_EQ(size(launch, "bRow"), Expr(1)); // the weight is transposed
  EXPECT_EQ(size(launch, "bColumn"), Expr(512));
  // a, b, bias, d, workspace
  ASSERT_EQ(made.workspaces.size(), 1u);
  EXPECT_EQ(made.workspaces[0].sizeBytes, Expr(32 << 20));
  EXPECT_EQ(launch.arguments[4].kind, LaunchArgument::Kind::Workspace);
}

TEST_F(VendorTactics, FollowARuleUnlessTheyAreMeasured) {
  libraries_.measured = {"cuda"};
  const PluginImplementation made = linear();
  ASSERT_EQ(made.tactics[0].conditions.size(), 1u);
  EXPECT_EQ(made.tactics[0].conditions[0], lessEqual(Expr(1 << 18), kRows * 256 * 512));
  EXPECT_THAT(made.tactics[1].conditions, IsEmpty());
}

TEST_F(VendorTactics, OfGpusInFloat32AreForThoseWhoMeasure) {
  targets_ = {"cuda:sm_90a"};
  EXPECT_THAT(namesOf(linear()), IsEmpty());
  EXPECT_THAT(linear().workspaces, IsEmpty());
  for (DataType dtype : {DataType::Float16, DataType::BFloat16, DataType::Float64}) {
    const PluginImplementation made = linear(dtype);
    ASSERT_THAT(namesOf(made), ElementsAre("cuBLASLt", "inlay"));
    const int64_t least = int64_t{1} << (dtype == DataType::Float64 ? 24 : 31);
    EXPECT_THAT(made.tactics[0].conditions, ElementsAre(lessEqual(Expr(least), kRows * 256 * 512)));
  }
  libraries_.measured = {"cuda"};
  EXPECT_THAT(namesOf(linear()), ElementsAre("cuBLASLt", "inlay"));
}

TEST_F(VendorTactics, AreForTheTargetsOfTheBuild) {
  targets_ = {"cpu:x86-64-v2"};
  EXPECT_THAT(namesOf(linear()), ElementsAre("oneDNN", "inlay"));
  EXPECT_THAT(linear().workspaces, IsEmpty());
  EXPECT_THAT(namesOf(linear(DataType::Float64)), IsEmpty());
  targets_ = {"cuda:sm_80"};
  EXPECT_THAT(namesOf(linear(DataType::Float64)), ElementsAre("cuBLASLt", "inlay"));
  libraries_.isAllowed = false;
  EXPECT_THAT(namesOf(linear()), IsEmpty());
}

TEST_F(VendorTactics, TakeBatchesOfOneDimensionAndRowsAsBias) {
  targets_ = {"cpu:x86-64-v3"};
  const auto product = [&](std::vector<Expr> a, std::vector<Expr> b) {
    return implement("aten::matmul",
                     {{"self", tensor(std::move(a))}, {"other", tensor(std::move(b))}});
  };
  // Batches of attention are one dimension.
  const PluginImplementation attention = product({4, 8, kRows, 64}, {4, 8, 64, kRows});
  ASSERT_THAT(namesOf(attention), ElementsAre("oneDNN", "inlay"));
  EXPECT_EQ(size(attention.launches[0], "batch"), Expr(32));
  EXPECT_EQ(size(attention.launches[0], "aBatch"), kRows * 64);
  EXPECT_THAT(namesOf(product({4, 1, kRows, 64}, {1, 8, 64, 16})), IsEmpty());
  const auto add = [&](std::vector<Expr> c, double alpha, double beta) {
    return namesOf(implement("aten::addmm", {{"self", tensor(std::move(c))},
                                             {"mat1", tensor({kRows, 64})},
                                             {"mat2", tensor({64, 32})},
                                             {"alpha", AttributeValue(alpha)},
                                             {"beta", AttributeValue(beta)}}));
  };
  EXPECT_THAT(add({32}, 1, 1), ElementsAre("oneDNN", "inlay"));
  EXPECT_THAT(add({kRows, 32}, 1, 0), ElementsAre("oneDNN", "inlay")); // C is not read
  EXPECT_THAT(add({kRows, 32}, 1, 1), IsEmpty());
  EXPECT_THAT(add({32}, 2, 1), IsEmpty());
}

TEST_F(VendorTactics, ConvolveWithAndWithoutBias) {
  libraries_.measured = {"cuda"};
  const PluginImplementation made = convolution(DataType::Float32, true, 4);
  ASSERT_THAT(namesOf(made), ElementsAre("oneDNN", "cuDNN", "inlay"));
  EXPECT_THAT(launchesOf(made, 0), ElementsAre("onednn.convolution_bias"));
  EXPECT_THAT(launchesOf(made, 1), ElementsAre("cudnn.convolution", "bias_kernel"));
  const PluginLaunch &launch = made.launches[0];
  for (const auto &[name, value] : std::map<std::string, Expr>{{"images", kRows},
                                                               {"groups", 4},
                                                               {"channels", 32},
                                                               {"filters", 256},
                                                               {"height", 28},
                                                               {"width", 20},
                                                               {"outHeight", 14},
                                                               {"outWidth", 20},
                                                               {"kernelHeight", 3},
                                                               {"kernelWidth", 5},
                                                               {"strideHeight", 2},
                                                               {"strideWidth", 1},
                                                               {"paddingHeight", 1},
                                                               {"paddingWidth", 2},
                                                               {"dilationHeight", 1},
                                                               {"dilationWidth", 1}})
    EXPECT_EQ(size(launch, name), value) << name;
  // The bias is added from a workspace into the output.
  const PluginLaunch &behind = made.launches[2];
  std::vector<LaunchArgument::Kind> kinds;
  for (const LaunchArgument &argument : behind.arguments)
    kinds.push_back(argument.kind);
  EXPECT_THAT(kinds, testing::Contains(LaunchArgument::Kind::Output));
  EXPECT_THAT(kinds, testing::Contains(LaunchArgument::Kind::Workspace));
  EXPECT_THAT(launchesOf(convolution(DataType::Float32, false), 1),
              ElementsAre("cudnn.convolution"));
}

TEST_F(VendorTactics, OfGpusConvolveLargeImagesWhereNothingIsMeasured) {
  targets_ = {"cuda:sm_90a"};
  EXPECT_THAT(namesOf(convolution(DataType::Float32, false)), IsEmpty());
  const PluginImplementation made = convolution(DataType::Float16, false);
  ASSERT_THAT(namesOf(made), ElementsAre("cuDNN", "inlay"));
  EXPECT_THAT(made.tactics[0].conditions,
              ElementsAre(lessEqual(Expr(int64_t{1} << 31), kRows * 64 * 14 * 20 * 32 * 15)));
  const auto plain =
      implement("aten::conv2d", {{"input", tensor({kRows, 32, 28, 20}, DataType::Float16)},
                                 {"weight", tensor({256, 32, 3, 3}, DataType::Float16)}});
  ASSERT_THAT(namesOf(plain), ElementsAre("cuDNN", "inlay"));
  EXPECT_THAT(plain.tactics[0].conditions,
              ElementsAre(lessEqual(Expr(int64_t{1} << 33), kRows * 256 * 26 * 18 * 32 * 9)));
  const auto depthwise =
      implement("aten::conv2d", {{"input", tensor({1, 64, 56, 56}, DataType::Float16)},
                                 {"weight", tensor({64, 1, 3, 3}, DataType::Float16)},
                                 {"groups", AttributeValue(int64_t{64})}});
  EXPECT_THAT(namesOf(depthwise), IsEmpty());
}

TEST_F(VendorTactics, ConvolveVolumes) {
  libraries_.measured = {"cuda"};
  const std::vector<NodeArgument> arguments{
      {"input", tensor({kRows, 8, 9, 28, 20})},
      {"weight", tensor({6, 8, 2, 3, 5})},
      {"bias", tensor({6})},
      {"stride", AttributeValue(std::vector<int64_t>{3, 2, 1})},
      {"padding", AttributeValue(std::vector<int64_t>{0, 1, 2})},
      {"dilation", AttributeValue(std::vector<int64_t>{2, 1, 1})}};
  const PluginImplementation made = implement("aten::conv3d", arguments);
  ASSERT_THAT(namesOf(made), ElementsAre("oneDNN", "cuDNN", "inlay"));
  EXPECT_THAT(launchesOf(made, 0), ElementsAre("onednn.convolution_3d_bias"));
  EXPECT_THAT(launchesOf(made, 1), ElementsAre("cudnn.convolution_3d", "bias_kernel"));
  for (const auto &[name, value] : std::map<std::string, Expr>{{"images", kRows},
                                                               {"filters", 6},
                                                               {"height", 28},
                                                               {"depth", 9},
                                                               {"outDepth", 3},
                                                               {"kernelDepth", 2},
                                                               {"strideDepth", 3},
                                                               {"paddingDepth", 0},
                                                               {"dilationDepth", 2}})
    EXPECT_EQ(size(made.launches[0], name), value) << name;
  allowsTf32_ = true;
  EXPECT_THAT(launchesOf(implement("aten::conv3d", arguments), 1),
              ElementsAre("cudnn.convolution_3d_tf32", "bias_kernel"));
}

/// What is copied at a time is limited: to whole images, or to pixels of one.
TEST_F(VendorTactics, ConvolveInPartsOfLimitedMemory) {
  targets_ = {"cuda:sm_90a"};
  const auto partsOf = [&](const std::string &kernel, int64_t images, int64_t size,
                           int64_t stride) {
    const PluginImplementation made =
        implement("aten::conv2d", {{"input", tensor({images, 64, size, size})},
                                   {"weight", tensor({64, 64, 3, 3})},
                                   {"stride", AttributeValue(std::vector<int64_t>{stride, stride})},
                                   {"padding", AttributeValue(std::vector<int64_t>{1, 1})}});
    for (const Workspace &workspace : made.workspaces)
      if (workspace.name == "unfolded" || workspace.name == "widened")
        EXPECT_THAT(workspace.sizeBytes.constantValue(),
                    Optional(Le(kMostConvolutionWorkspaceBytes)));
    return std::ranges::count(made.launches, kernel, &PluginLaunch::name);
  };
  EXPECT_EQ(partsOf("unfold_kernel", 32, 112, 2), 1); // 231 MB
  EXPECT_EQ(partsOf("unfold_kernel", 64, 112, 2), 2);
  EXPECT_EQ(partsOf("unfold_kernel", 100, 112, 2), 3);
  EXPECT_EQ(partsOf("unfold_kernel", 2, 800, 2), 2 * 2); // 369 MB an image
  EXPECT_EQ(partsOf("unfold_kernel", 1, 8000, 2), 0);    // 37 GB: windows are gathered
  EXPECT_EQ(partsOf("widen_kernel", 100, 56, 1), 1);     // 249 MB
  EXPECT_EQ(partsOf("widen_kernel", 110, 56, 1), 2);
  EXPECT_EQ(partsOf("unfold_kernel", 1, 16, 1), 1);   // little
  EXPECT_EQ(partsOf("unfold_kernel", 4000, 7, 1), 2); // rows of much padding
}

TEST_F(VendorTactics, RoundToTf32WhereThatIsAllowed) {
  targets_ = {"cuda:sm_90a"};
  libraries_.measured = {"cuda"};
  allowsTf32_ = true;
  EXPECT_EQ(linear().launches[0].name(), "cublasLt.matmul_bias_tf32");
  EXPECT_EQ(convolution(DataType::Float32, false).launches[0].name(), "cudnn.convolution_tf32");
  EXPECT_EQ(convolution(DataType::Float16, false).launches[0].name(), "cudnn.convolution");
  EXPECT_EQ(linear(DataType::Float64).launches[0].name(), "cublasLt.matmul_bias");
  // Where nothing is measured, for large ones.
  libraries_.measured = {};
  EXPECT_THAT(linear().tactics.at(0).conditions,
              ElementsAre(lessEqual(Expr(int64_t{1} << 28), kRows * 256 * 512)));
  EXPECT_THAT(convolution(DataType::Float32, false).tactics.at(0).conditions,
              ElementsAre(lessEqual(Expr(int64_t{3} << 28), kRows * 64 * 14 * 20 * 32 * 15)));
}

} // namespace
} // namespace inlay
