#include "compiler/transforms/graph/Partition.h"

#include "compiler/operators/BuiltinPlugins.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace inlay::graph {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char *kType = R"(!graph.tensor<["4"], "float32">)";

std::string unary(const std::string &op, const std::string &to, const std::string &from) {
  return fmt::format("  %{0} = graph.call \"{2}\" node \"{0}\" (%{1}) names [\"self\"] arguments "
                     "{{}} : ({3}) -> {3}\n",
                     to, from, op, kType);
}

std::string add(const std::string &to, const std::string &left, const std::string &right) {
  return fmt::format("  %{0} = graph.call \"aten::add.Tensor\" node \"{0}\" (%{1}, %{2}) names "
                     "[\"self\", \"other\"] arguments {{}} : ({3}, {3}) -> {3}\n",
                     to, left, right, kType);
}

std::string model(const std::string &body, const std::string &output = "y") {
  return fmt::format(
      "graph.model @m inputs [\"x\"] [\"\"] outputs [\"out\"] [\"\"] symbols [] checks "
      "[] {{\n^bb0(%x: {0}):\n{1}  graph.output %{2} : {0}\n}}\n",
      kType, body, output);
}

class PartitionTest : public testing::Test {
protected:
  PartitionTest() {
    context_.loadDialect<GraphDialect>();
    EXPECT_TRUE(addBuiltinPlugins(plugins_).isOk());
    options_.allowsHostSegments = true;
  }
  Result<Partition> divide(const std::string &text) {
    module_ = mlir::parseSourceString<mlir::ModuleOp>(text, &context_);
    EXPECT_TRUE(module_) << text;
    return partitionCalls(graph(), plugins_, {}, targets_, options_);
  }
  ModelOp graph() { return *module_->getOps<ModelOp>().begin(); }

  /// "host: a b | device: y", by the blocks' first calls.
  static std::string textOf(const Result<Partition> &partition) {
    if (!partition.isOk())
      return partition.status().message();
    std::string text;
    for (const PartitionBlock &block : partition->blocks) {
      text += fmt::format("{}{}:", text.empty() ? "" : " | ", block.isHost ? "host" : "device");
      for (CallOp call : block.calls)
        text += " " + call.getNode().str();
    }
    return text;
  }
  std::string printed() {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module_->print(stream);
    return text;
  }

  mlir::MLIRContext context_;
  PluginRegistry plugins_;
  std::vector<std::string> targets_ = {"cpu:x86-64-v3"};
  PartitionOptions options_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
};

TEST_F(PartitionTest, WhatNoPluginServesIsOnTheHost) {
  const auto partition = divide(model(unary("aten::relu", "a", "x") + unary("my::f", "b", "a") +
                                      unary("my::g", "c", "b") + unary("aten::neg", "y", "c")));
  EXPECT_EQ(textOf(partition), "device: a | host: b c | device: y");
  EXPECT_EQ(partition->blocks[1].function, "segment::m_0");
  EXPECT_EQ(partition->services.lookup(partition->blocks[1].calls[0]).reason, "there is no plugin");
  ASSERT_EQ(partition->blocks[1].inputs.size(), 1u);
  EXPECT_EQ(nameOf(partition->blocks[1].inputs[0]), "a");
  EXPECT_EQ(nameOf(partition->blocks[1].outputs[0]), "c");
}

TEST_F(PartitionTest, AFullEngineHasNoHostSegments) {
  options_.allowsHostSegments = false;
  EXPECT_EQ(textOf(divide(model(unary("my::f", "y", "x")))), "device: y");
  options_.excluded = {"aten::relu"};
  EXPECT_THAT(textOf(divide(model(unary("aten::relu", "y", "x")))),
              HasSubstr("'aten::relu' is to be excluded, but the engine is required to be full"));
  options_.excluded = {};
  options_.minBlockCalls = 2;
  EXPECT_THAT(textOf(divide(model(unary("aten::relu", "y", "x")))),
              HasSubstr("blocks of fewer than 2 calls"));
}

TEST_F(PartitionTest, OperatorsOverloadsAndNodesAreExcluded) {
  const std::string text = model(unary("aten::relu", "a", "x") + add("b", "a", "a") +
                                 unary("aten::neg", "c", "b") + unary("aten::relu", "y", "c"));
  const std::map<std::string, std::string> expected = {
      {"aten::relu", "host: a | device: b c | host: y"},
      {"aten::relu.default", "host: a | device: b c | host: y"},
      {"aten::add", "device: a | host: b | device: c y"},
      {"aten::add.Tensor", "device: a | host: b | device: c y"},
      {"c", "device: a b | host: c | device: y"}};
  for (const auto &[name, blocks] : expected) {
    options_.excluded = {name};
    EXPECT_EQ(textOf(divide(text)), blocks) << name;
  }
  options_.excluded = {"c"};
  const auto partition = divide(text);
  EXPECT_EQ(partition->services.lookup(partition->blocks[1].calls[0]).reason, "'c' is excluded");
}

TEST_F(PartitionTest, AnExcludedNameThatThereIsNotIsAnErrorWithNearOnes) {
  const std::string text = model(unary("aten::relu", "y", "x"));
  options_.excluded = {"aten::relu6"};
  EXPECT_THAT(textOf(divide(text)), AllOf(HasSubstr("'aten::relu6' is to be excluded"),
                                          HasSubstr("it has 'aten::relu'")));
  options_.excluded = {"aten::add.Tensor"};
  EXPECT_THAT(textOf(divide(text)),
              AllOf(HasSubstr("no such operator and no such node"), Not(HasSubstr("it has"))));
  options_.excluded = {"aten::relu.Scalar"};
  EXPECT_FALSE(divide(text).isOk());
}

TEST_F(PartitionTest, AValueThatComesBackKeepsSegmentsApart) {
  // f -> relu -> g and f -> g: with both in one segment relu would have to run in its middle.
  const std::string body = unary("my::f", "a", "x") + unary("aten::relu", "b", "a");
  const std::string join = fmt::format("  %y = graph.call \"my::g\" node \"y\" (%a, %b) names "
                                       "[\"p\", \"q\"] arguments {{}} : ({0}, {0}) -> {0}\n",
                                       kType);
  EXPECT_EQ(textOf(divide(model(body + join))), "host: a | device: b | host: y");
  options_.minBlockCalls = 2;
  EXPECT_EQ(textOf(divide(model(body + join))), "host: a b y");
}

TEST_F(PartitionTest, SmallBlocksGoToTheHostSegmentsBesideThem) {
  const std::string text = model(unary("aten::relu", "a", "x") + unary("my::f", "b", "a") +
                                 unary("aten::neg", "c", "b") + unary("my::f", "d", "c") +
                                 unary("aten::relu", "e", "d") + unary("aten::neg", "y", "e"));
  options_.minBlockCalls = 2;
  const auto partition = divide(text);
  EXPECT_EQ(textOf(partition), "host: a b c d | device: e y");
  EXPECT_EQ(partition->services.lookup(partition->blocks[0].calls[2]).reason,
            "it is in a block of 1 call, fewer than 2");
  options_.minBlockCalls = 3;
  EXPECT_EQ(textOf(divide(text)), "host: a b c d e y");
  // Without a host segment beside it a block stays, however small.
  EXPECT_EQ(textOf(divide(model(unary("aten::relu", "y", "x")))), "device: y");
}

TEST_F(PartitionTest, DeadStandardCallsGoAndOthersStay) {
  const std::string text =
      model(unary("aten::no_such", "a", "x") + unary("aten::no_such", "b", "a") +
            unary("my::f", "c", "x") + unary("aten::relu", "y", "x"));
  const auto partition = divide(text);
  EXPECT_EQ(textOf(partition), "host: c | device: y");
  outlineHostSegments(graph(), *partition);
  EXPECT_TRUE(mlir::succeeded(mlir::verify(*module_)));
  EXPECT_THAT(printed(), Not(HasSubstr("aten::no_such")));
}

TEST_F(PartitionTest, OutliningMakesSegments) {
  const auto partition = divide(model(unary("my::f", "a", "x") + unary("aten::relu", "b", "a") +
                                      unary("my::g", "c", "b") + add("y", "c", "a")));
  EXPECT_EQ(textOf(partition), "host: a | device: b | host: c | device: y");
  outlineHostSegments(graph(), *partition);
  ASSERT_TRUE(mlir::succeeded(mlir::verify(*module_)));
  EXPECT_THAT(printed(), AllOf(HasSubstr("graph.segment \"segment::m_0\""),
                               HasSubstr("names [\"x\"] -> [\"a\"]"),
                               HasSubstr("graph.segment \"segment::m_1\""),
                               HasSubstr("names [\"b\"] -> [\"c\"]")));
  // What is a segment already stays one, and its text is read back.
  const std::string once = printed();
  const auto again = divide(once);
  EXPECT_EQ(textOf(again), "device: b | device: y");
  EXPECT_EQ(printed(), once);
}

/// Two blocks of one side that a value goes between, and that could be one: no value leaves the
/// first and comes to the second through others. Empty if there are none.
std::string findMergeable(const Partition &partition) {
  const size_t count = partition.blocks.size();
  llvm::DenseMap<mlir::Operation *, size_t> blockOf;
  for (size_t i = 0; i < count; ++i)
    for (CallOp call : partition.blocks[i].calls)
      blockOf[call] = i;
  std::vector<std::set<size_t>> next(count);
  for (size_t i = 0; i < count; ++i)
    for (mlir::Value output : partition.blocks[i].outputs)
      for (mlir::Operation *user : output.getUsers())
        if (blockOf.contains(user) && blockOf.lookup(user) != i)
          next[i].insert(blockOf.lookup(user));
  const auto leadsTo = [&](size_t from, size_t to) {
    std::vector<size_t> pending{from};
    std::set<size_t> seen;
    while (!pending.empty()) {
      const size_t at = pending.back();
      pending.pop_back();
      if (at == to)
        return true;
      if (seen.insert(at).second)
        pending.insert(pending.end(), next[at].begin(), next[at].end());
    }
    return false;
  };
  for (size_t from = 0; from < count; ++from)
    for (size_t to : next[from])
      if (partition.blocks[from].isHost == partition.blocks[to].isHost &&
          llvm::none_of(next[from],
                        [&](size_t other) { return other != to && leadsTo(other, to); }))
        return fmt::format("blocks {} and {}", from, to);
  return "";
}

/// Blocks of a random graph: none can be run only after part of itself, none could be greater, and
/// the same graph always has the same.
TEST_F(PartitionTest, RandomGraphsStayRunnable) {
  std::mt19937 random(20261127);
  for (int round = 0; round < 200; ++round) {
    std::string body;
    std::vector<std::string> values = {"x"};
    const auto pick = [&] { return values[random() % values.size()]; };
    for (int i = 0; i < 14; ++i) {
      const std::string name = fmt::format("v{}", i);
      body += random() % 2 ? add(name, pick(), pick())
                           : unary(random() % 3 ? "my::f" : "aten::relu", name, pick());
      values.push_back(name);
    }
    options_.minBlockCalls = 1 + random() % 4;
    const std::string text = model(body, "v13");
    const auto partition = divide(text);
    const std::string blocks = textOf(partition);
    EXPECT_EQ(findMergeable(*partition), "") << text << blocks;
    EXPECT_EQ(textOf(divide(text)), blocks);
    const auto again = partitionCalls(graph(), plugins_, {}, targets_, options_);
    outlineHostSegments(graph(), *again);
    // A segment that needs what comes after a part of it has no place in any order.
    ASSERT_TRUE(mlir::succeeded(mlir::verify(*module_))) << text << blocks;
    const std::string once = printed();
    const auto third = divide(text);
    outlineHostSegments(graph(), *third);
    EXPECT_EQ(printed(), once);
  }
}

} // namespace
} // namespace inlay::graph
