#include "compiler/conversions/graph-to-plan/NodeChecks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class FakePlugin : public PluginDefinition {
public:
  FakePlugin() {
    opName_ = "my::op";
    origin_ = "op.toml:3";
  }
  Result<PluginDescription> describe(const PluginNode &) const override {
    return PluginDescription();
  }
  Result<PluginImplementation> implement(const PluginNode &) const override {
    return PluginImplementation();
  }
};

Expr expr(std::string_view text) {
  Result<Expr> parsed = parseExpr(text);
  EXPECT_TRUE(parsed.isOk()) << text;
  return parsed.isOk() ? *parsed : Expr(0);
}

TensorSpec tensor(DataType dtype, std::vector<std::string_view> shape) {
  TensorSpec spec;
  spec.dtype = dtype;
  for (std::string_view dimension : shape)
    spec.shape.push_back(expr(dimension));
  return spec;
}

class NodeChecksTest : public testing::Test {
protected:
  NodeChecksTest() {
    symbols_.add("s0", {1, 4096, 128});
    symbols_.add("s1", {4, INT64_MAX, 16});
    symbols_.add("fixed", {64, 64, 64});
    node_.opName = "my::op";
    node_.nodeName = "op_1";
    node_.inputs = {tensor(DataType::Float32, {"s0", "8"})};
    node_.outputs = {tensor(DataType::Float32, {"s0", "s1 + 7"})};
  }

  Status checkDescribed(TensorSpec output) {
    PluginDescription description;
    description.outputs.push_back(std::move(output));
    return checkOutputs(plugin_, node_, description, symbols_, runTime_);
  }

  FakePlugin plugin_;
  PluginNode node_;
  ShapeSymbols symbols_;
  std::vector<PluginRequirement> runTime_;
};

TEST_F(NodeChecksTest, AcceptsOutputsThatAgree) {
  EXPECT_TRUE(checkDescribed(tensor(DataType::Float32, {"s0", "7 + s1"})).isOk());
  EXPECT_THAT(runTime_, IsEmpty());
}

TEST_F(NodeChecksTest, NamesWhatContradictsTheModel) {
  const std::string head = "INVALID_ARGUMENT: node op_1 (my::op, plugin at op.toml:3): output 0";
  EXPECT_EQ(checkDescribed(tensor(DataType::Float16, {"s0", "s1 + 7"})).toString(),
            head + " is described as float16, but the model recorded float32");
  EXPECT_EQ(
      checkDescribed(tensor(DataType::Float32, {"s0"})).toString(),
      head +
          " is described with shape [s0] (rank 1), but the model recorded [s0, s1 + 7] (rank 2)");
  EXPECT_EQ(
      checkDescribed(tensor(DataType::Float32, {"s0", "s1"})).toString(),
      head + ": dimension 1 is described as s1, but the model recorded s1 + 7; shapes [s0, s1] and "
             "[s0, s1 + 7]");
  EXPECT_EQ(checkOutputs(plugin_, node_, {}, symbols_, runTime_).toString(),
            "INVALID_ARGUMENT: node op_1 (my::op, plugin at op.toml:3): the plugin describes 0 "
            "outputs, but the "
            "model's operator has 1");
}

TEST_F(NodeChecksTest, ChecksAtRunTimeWhatBuildTimeCannotTell) {
  // Equal at 1, 128 and 4096, but not at 3.
  node_.outputs = {tensor(DataType::Float32, {"s0"})};
  EXPECT_TRUE(checkDescribed(tensor(DataType::Float32, {"s0 if s0 % 2 == 0 else 1"})).isOk());
  ASSERT_THAT(runTime_, SizeIs(1));
  EXPECT_THAT(runTime_[0].message,
              testing::StartsWith("node op_1 (my::op): output 0: dimension 0 is "));
}

TEST_F(NodeChecksTest, DecidesRequirementsByTheRanges) {
  auto check = [&](std::string_view condition) {
    return checkRequirements(plugin_, node_, {{expr(condition), "the author's message"}}, symbols_,
                             runTime_);
  };
  EXPECT_TRUE(check("s0 <= 4096").isOk());
  EXPECT_TRUE(check("1").isOk());
  EXPECT_THAT(runTime_, IsEmpty());
  EXPECT_EQ(check("s1 < 4").toString(),
            "INVALID_ARGUMENT: node op_1 (my::op, plugin at op.toml:3): the author's message");
  EXPECT_TRUE(check("s0 % 2 == 0").isOk());
  ASSERT_THAT(runTime_, SizeIs(1));
  EXPECT_EQ(runTime_[0].condition, expr("s0 % 2 == 0"));
  EXPECT_EQ(runTime_[0].message, "node op_1 (my::op): the author's message");
}

LaunchArgument integer(std::string_view text, DataType dtype = DataType::Int32) {
  LaunchArgument argument;
  argument.kind = LaunchArgument::Kind::Integer;
  argument.expression = expr(text);
  argument.dtype = dtype;
  argument.text = text;
  return argument;
}

LaunchArgument tensorArgument(LaunchArgument::Kind kind, uint32_t index) {
  LaunchArgument argument;
  argument.kind = kind;
  argument.index = index;
  argument.text = "T";
  return argument;
}

TEST_F(NodeChecksTest, RefusesValuesOutsideTheirRange) {
  auto check = [&](std::array<Expr, 3> grid, std::vector<LaunchArgument> arguments) {
    PluginLaunch launch;
    launch.kernel.function = "kernel";
    launch.grid = grid;
    launch.arguments = std::move(arguments);
    PluginImplementation implementation;
    implementation.launches.push_back(launch);
    return checkLaunchValues(plugin_, node_, implementation, symbols_).toString();
  };
  const std::string head = "node op_1 (my::op, plugin at op.toml:3): launch of kernel: ";
  std::array<Expr, 3> one{Expr(1), Expr(1), Expr(1)};
  EXPECT_EQ(check(one, {integer("2147483647"), integer("s1*65536"),
                        integer("2147483648", DataType::Int64)}),
            "OK");
  EXPECT_EQ(check({expr("s1"), Expr(0), Expr(65535)}, {}), "OK");
  EXPECT_EQ(check({Expr(1), Expr(65536), Expr(1)}, {}),
            "OUT_OF_RANGE: " + head + "grid axis y is 65536, outside 0 to 65535");
  EXPECT_EQ(check({expr("0 - s0"), Expr(1), Expr(1)}, {}),
            "OUT_OF_RANGE: " + head + "grid axis x is -1*s0, outside 0 to 2147483647");
  EXPECT_EQ(check(one, {integer("2147483648")}),
            "OUT_OF_RANGE: " + head +
                "argument '2147483648' has the value 2147483648, outside the range of int32, "
                "-2147483648 to 2147483647; pass it as int64");
  EXPECT_EQ(check(one, {integer("0 - s0", DataType::UInt8)}),
            "OUT_OF_RANGE: " + head +
                "argument '0 - s0' has the value -1*s0, outside the range of uint8, 0 to 255");
  EXPECT_EQ(check(one, {tensorArgument(LaunchArgument::Kind::Input, 1)}),
            "INVALID_ARGUMENT: " + head + "argument 'T' is input 1, but there are 1");
  EXPECT_EQ(check(one, {tensorArgument(LaunchArgument::Kind::Workspace, 0)}),
            "INVALID_ARGUMENT: " + head + "argument 'T' is workspace 0, but there are 0");
}

TEST_F(NodeChecksTest, SpecialisesForKnownDivisors) {
  PluginLaunch launch;
  LaunchArgument eps;
  eps.kind = LaunchArgument::Kind::Float;
  eps.dtype = DataType::Float32;
  launch.arguments = {tensorArgument(LaunchArgument::Kind::Input, 0),
                      integer("s0"),
                      integer("16*s0"),
                      integer("4096", DataType::Int64),
                      integer("fixed*s0"),
                      integer("8*s0"),
                      integer("1"),
                      integer("1", DataType::Int64),
                      integer("1", DataType::Bool),
                      eps,
                      tensorArgument(LaunchArgument::Kind::Output, 0)};
  EXPECT_THAT(launchSignature(node_, launch, symbols_),
              ElementsAre("*fp32:16", "i32", "i32:16", "i64:16", "i32:16", "i32", "i32:1", "i64:1",
                          "i1", "fp32", "*fp32:16"));
  // A file's parameters are what they are.
  launch.files.emplace_back();
  EXPECT_EQ(launchSignature(node_, launch, symbols_)[6], "i32");
}

TEST_F(NodeChecksTest, SpecialisesForWhatATacticIsGuardedBy) {
  PluginLaunch launch;
  launch.arguments = {integer("s0"), integer("s1"), integer("8*s0")};
  const Expr conditions[] = {expr("s0 % 32 == 0 and s1 > 4"), expr("s1 % 8 == 0")};
  EXPECT_THAT(launchSignature(node_, launch, symbols_, conditions),
              ElementsAre("i32:16", "i32", "i32"));
}

TEST_F(NodeChecksTest, DecidesTactics) {
  PluginImplementation implementation;
  implementation.tactics = {
      {"never", {expr("s0 > 5000")}, {}},
      {"sometimes", {expr("s0 > 0"), expr("s0 % 4 == 0"), expr("s0 < 9")}, {}},
      {"aligned", {}, {{true, 0, 32}}},
      {"always", {expr("s0 > 0")}, {}}};
  auto decided = decideTactics(plugin_, node_, implementation, symbols_);
  ASSERT_TRUE(decided.isOk()) << decided.status().toString();
  ASSERT_THAT(*decided, SizeIs(4));
  EXPECT_TRUE((*decided)[0].isImpossible);
  ASSERT_TRUE((*decided)[1].condition);
  EXPECT_EQ((*decided)[1].condition->toString(), expr("s0 % 4 == 0 and s0 < 9").toString());
  EXPECT_FALSE((*decided)[2].condition || (*decided)[3].condition);

  const std::string head = "INVALID_ARGUMENT: node op_1 (my::op, plugin at op.toml:3): ";
  const auto refuses = [&](std::string_view expected) {
    return testing::Property("status", &Result<std::vector<DecidedTactic>>::status,
                             testing::Property(&Status::toString, head + std::string(expected)));
  };
  const auto decide = [&] { return decideTactics(plugin_, node_, implementation, symbols_); };
  implementation.tactics.pop_back();
  EXPECT_THAT(decide(), refuses("none of its 3 tactics can be taken for all sizes and addresses; "
                                "one tactic needs no guard"));
  implementation.tactics = {{"a", {}, {}}, {"a", {}, {}}};
  EXPECT_THAT(decide(), refuses("tactic 1 has the name 'a', which is empty or taken"));
  implementation.tactics = {{"a", {}, {{false, 3, 32}}}};
  EXPECT_THAT(decide(), refuses("tactic 'a' asks for the alignment of input 3, but there are 1"));
  implementation.tactics = {{"a", {}, {{false, 0, 33}}}};
  EXPECT_THAT(decide(), refuses("tactic 'a' asks for input 0 to be aligned to 33 bytes; expected a "
                                "power of two up to 4096"));
  implementation.tactics = {{"a", {}, {}}};
  implementation.launches.emplace_back().tactic = 1;
  implementation.launches.back().kernel.function = "f";
  EXPECT_THAT(decide(), refuses("a launch of f belongs to tactic 1, but there are 1"));
}

TEST_F(NodeChecksTest, ViewsHaveTheTypeAndTheElementsOfTheirInput) {
  const auto check = [&](TensorSpec output, uint32_t input = 0) {
    node_.outputs = {std::move(output)};
    PluginDescription description;
    description.outputs = node_.outputs;
    description.sharedInputs.emplace(0, input);
    runTime_.clear();
    return checkViews(plugin_, node_, description, symbols_, runTime_);
  };
  node_.inputNames = {"X"};
  EXPECT_TRUE(check(tensor(DataType::Float32, {"8*s0"})).isOk());
  EXPECT_THAT(runTime_, IsEmpty());
  EXPECT_TRUE(check(tensor(DataType::Float32, {"s1", "2"})).isOk());
  ASSERT_THAT(runTime_, SizeIs(1));
  EXPECT_EQ(runTime_[0].message,
            "node op_1 (my::op): output 0 has 2*s1 elements, but is a view of 'X', which has 8*s0");
  EXPECT_EQ(check(tensor(DataType::Float16, {"8*s0"})).message(),
            "node op_1 (my::op, plugin at op.toml:3): output 0 is a view of input 'X', which is "
            "float32, but it is float16");
  EXPECT_FALSE(check(tensor(DataType::Float32, {"8*s0"}), 1).isOk());
  EXPECT_FALSE(check(tensor(DataType::Float32, {"7"})).isOk()); // 8 or more
}

} // namespace
} // namespace inlay
