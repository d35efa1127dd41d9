#include "compiler/frontends/pt2/InlineWrappers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay::pt2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Argument ref(const std::string &name) { return Argument{TensorRef{name}}; }

Node makeNode(const std::string &target, const std::string &name, const std::string &input) {
  Node node;
  node.target = "torch.ops." + target;
  node.name = name;
  node.inputs = {{"self", ref(input)}};
  node.outputs = {ref(name)};
  return node;
}

/// A wrapper of the given graph around x that returns `result`.
Node makeWrapper(const std::string &name, Graph graph, const std::string &result) {
  Node node;
  node.target = "torch.ops.higher_order.wrap_with_set_grad_enabled";
  node.name = name;
  node.inputs = {
      {"", Argument{false}},
      {"", Argument{GraphArgument{"body", std::make_shared<const Graph>(std::move(graph))}}},
      {"", ref("x")}};
  node.outputs = {ref(result)};
  return node;
}

/// inner(a) = neg(a), with an entry in tensor_values and a symbolic size.
Graph makeInner() {
  Graph graph;
  graph.inputs = {ref("a")};
  graph.nodes = {makeNode("aten.neg.default", "n", "a")};
  graph.nodes[0].inputs.push_back({"sizes", Argument{SymInts{SymIntRef{"k"}, int64_t{2}}}});
  graph.outputs = {ref("n")};
  graph.tensors.emplace("n", TensorMeta());
  graph.symInts.emplace("k", Expr::symbol("s0"));
  return graph;
}

std::string nameOf(const Argument &argument) {
  const auto *tensor = std::get_if<TensorRef>(&argument.value);
  return tensor ? tensor->name : "?";
}

TEST(InlineWrappers, NodesOfTheGraphTakeTheWrappersPlace) {
  ExportedProgram program;
  program.nodes = {makeWrapper("w", makeInner(), "getitem"),
                   makeNode("aten.exp.default", "e", "getitem")};
  program.graphOutputs = {ref("e"), ref("getitem")};
  ASSERT_TRUE(inlineWrappers(program).isOk());
  ASSERT_EQ(program.nodes.size(), 2u);
  EXPECT_EQ(program.nodes[0].name, "w.n");
  EXPECT_EQ(nameOf(program.nodes[0].inputs[0].argument), "x");
  const auto &sizes = std::get<SymInts>(program.nodes[0].inputs[1].argument.value);
  EXPECT_EQ(std::get<SymIntRef>(sizes[0]).name, "w.k");
  EXPECT_EQ(nameOf(program.nodes[0].outputs[0]), "w.n");
  EXPECT_EQ(nameOf(program.nodes[1].inputs[0].argument), "w.n");
  EXPECT_EQ(nameOf(program.graphOutputs[1]), "w.n");
  EXPECT_TRUE(program.tensors.contains("w.n"));
  EXPECT_TRUE(program.symInts.contains("w.k"));
}

TEST(InlineWrappers, WrappersInWrappers) {
  Graph outer;
  outer.inputs = {ref("x")};
  outer.nodes = {makeWrapper("v", makeInner(), "r")};
  outer.outputs = {ref("r")};
  ExportedProgram program;
  program.nodes = {makeWrapper("w", std::move(outer), "getitem")};
  program.graphOutputs = {ref("getitem")};
  ASSERT_TRUE(inlineWrappers(program).isOk());
  ASSERT_EQ(program.nodes.size(), 1u);
  EXPECT_EQ(program.nodes[0].name, "w.v.n");
  EXPECT_EQ(nameOf(program.nodes[0].inputs[0].argument), "x");
  EXPECT_EQ(nameOf(program.graphOutputs[0]), "w.v.n");
}

TEST(InlineWrappers, AutocastIsInlinedOnlyWhereItIsOff) {
  for (bool isEnabled : {false, true}) {
    ExportedProgram program;
    Node node = makeWrapper("w", makeInner(), "getitem");
    node.target = "torch.ops.higher_order.wrap_with_autocast";
    node.inputs.erase(node.inputs.begin());
    node.inputs.insert(node.inputs.begin(), {{"", Argument{std::string("cuda")}},
                                             {"", Argument{DataType::Float16}},
                                             {"", Argument{isEnabled}},
                                             {"", Argument{true}}});
    program.nodes = {node};
    ASSERT_TRUE(inlineWrappers(program).isOk());
    ASSERT_EQ(program.nodes.size(), 1u);
    EXPECT_EQ(program.nodes[0].name, isEnabled ? "w" : "w.n");
    EXPECT_EQ(program.nodes[0].problem.empty(), !isEnabled);
  }
}

TEST(InlineWrappers, CountsMustFit) {
  ExportedProgram program;
  program.nodes = {makeWrapper("w", makeInner(), "getitem")};
  program.nodes[0].inputs.push_back({"", ref("y")});
  Status status = inlineWrappers(program);
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("found 2 operands, expected as many as its graph has "
                                          "inputs, 1"));
  program.nodes = {makeWrapper("w", makeInner(), "getitem")};
  program.nodes[0].outputs.push_back(ref("more"));
  status = inlineWrappers(program);
  EXPECT_THAT(status.message(), HasSubstr("found 2 results"));
}

/// cond(p, neg, exp, [x]), or with other operators.
Node makeCond(const std::string &ifTrue, const std::string &ifFalse) {
  const auto branch = [](const std::string &target) {
    auto graph = std::make_shared<Graph>();
    graph->inputs = {ref("a")};
    graph->nodes = {makeNode(target, "n", "a")};
    graph->outputs = {ref("n")};
    graph->tensors.emplace("n", TensorMeta());
    return Argument{GraphArgument{"branch", graph}};
  };
  Node node;
  node.target = "torch.ops.higher_order.cond";
  node.name = "c";
  node.inputs = {{"", ref("p")},
                 {"", branch(ifTrue)},
                 {"", branch(ifFalse)},
                 {"", Argument{std::vector<TensorRef>{{"x"}}}}};
  node.outputs = {ref("getitem")};
  return node;
}

TEST(InlineWrappers, BothBranchesOfCondAreComputedAndOneIsChosen) {
  ExportedProgram program;
  program.nodes = {makeCond("aten.neg.default", "aten.exp.default")};
  program.graphOutputs = {ref("getitem")};
  ASSERT_TRUE(inlineWrappers(program).isOk());
  ASSERT_EQ(program.nodes.size(), 3u);
  EXPECT_EQ(program.nodes[0].name, "c.true.n");
  EXPECT_EQ(nameOf(program.nodes[0].inputs[0].argument), "x");
  EXPECT_EQ(program.nodes[1].name, "c.false.n");
  const Node &where = program.nodes[2];
  EXPECT_EQ(where.target, "torch.ops.aten.where.self");
  EXPECT_EQ(nameOf(where.inputs[0].argument), "p");
  EXPECT_EQ(nameOf(where.inputs[1].argument), "c.true.n");
  EXPECT_EQ(nameOf(where.inputs[2].argument), "c.false.n");
  EXPECT_EQ(nameOf(program.graphOutputs[0]), nameOf(where.outputs[0]));
  EXPECT_TRUE(program.tensors.contains(nameOf(where.outputs[0])));
}

TEST(InlineWrappers, AConstantPredicateLeavesOneBranch) {
  for (bool isTrue : {true, false}) {
    ExportedProgram program;
    program.nodes = {makeCond("aten.neg.default", "aten.exp.default")};
    program.nodes[0].inputs[0].argument = Argument{isTrue};
    program.graphOutputs = {ref("getitem")};
    ASSERT_TRUE(inlineWrappers(program).isOk());
    ASSERT_EQ(program.nodes.size(), 1u);
    EXPECT_EQ(program.nodes[0].target,
              isTrue ? "torch.ops.aten.neg.default" : "torch.ops.aten.exp.default");
  }
}

TEST(InlineWrappers, CondIsRefusedWhereBothBranchesMustNotRun) {
  const auto problemOf = [](Node node) {
    ExportedProgram program;
    program.nodes = {std::move(node)};
    EXPECT_TRUE(inlineWrappers(program).isOk());
    return program.nodes.at(0).problem;
  };
  EXPECT_THAT(problemOf(makeCond("aten.neg.default", "aten.add_.Tensor")),
              HasSubstr("a branch with torch.ops.aten.add_.Tensor"));
  EXPECT_THAT(problemOf(makeCond("aten._assert_async.msg", "aten.exp.default")),
              HasSubstr("_assert_async"));
  Node bySizes = makeCond("aten.neg.default", "aten.exp.default");
  bySizes.inputs[0].argument = Argument{SymBoolRef{"b"}};
  EXPECT_THAT(problemOf(bySizes), HasSubstr("is decided by sizes"));
  Node shapes = makeCond("aten.neg.default", "aten.exp.default");
  auto other =
      std::make_shared<Graph>(*std::get<GraphArgument>(shapes.inputs[2].argument.value).graph);
  other->tensors.at("n").sizes = {Expr(3)};
  shapes.inputs[2].argument = Argument{GraphArgument{"branch", other}};
  EXPECT_THAT(problemOf(shapes), HasSubstr("whose type or shape depends on the branch"));
}

} // namespace
} // namespace inlay::pt2
