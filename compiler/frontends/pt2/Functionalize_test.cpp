#include "compiler/frontends/pt2/Functionalize.h"

#include "compiler/frontends/pt2/NodeText.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay::pt2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A program over float32[4] tensors: inputs x (user) and b (a buffer "cache"), nodes as given.
class Functionalize : public testing::Test {
protected:
  Functionalize() {
    program_.inputSpecs = {{InputKind::Buffer, "b", "cache", true, true},
                           {InputKind::User, "x", "", true, true}};
    program_.graphInputs = {ref("b"), ref("x")};
    declare("b");
    declare("x");
  }

  static Argument ref(const std::string &name) { return Argument{TensorRef{name}}; }
  void declare(const std::string &name, DataType type = DataType::Float32) {
    TensorMeta meta;
    meta.dtype = type;
    meta.sizes = {Expr(4)};
    meta.strides = {Expr(1)};
    program_.tensors.insert_or_assign(name, meta);
  }
  /// Adds result = target(arguments…), each a name of a tensor.
  Node &node(const std::string &target, const std::string &result,
             const std::vector<std::string> &tensors) {
    Node node;
    node.target = "torch.ops." + target;
    node.name = result;
    for (size_t i = 0; i < tensors.size(); ++i)
      node.inputs.push_back({i == 0 ? "self" : "other", ref(tensors[i])});
    if (!result.empty()) {
      node.outputs = {ref(result)};
      declare(result);
    }
    program_.nodes.push_back(std::move(node));
    return program_.nodes.back();
  }
  void output(const std::string &name) {
    program_.graphOutputs.push_back(ref(name));
    program_.outputSpecs.push_back({true, "user_output", ""});
  }

  static std::string nameOf(const Argument &argument) {
    if (const auto *tensor = std::get_if<TensorRef>(&argument.value))
      return tensor->name;
    if (const auto *number = std::get_if<int64_t>(&argument.value))
      return std::to_string(*number);
    return "?";
  }
  /// "y = aten::add.Tensor(self=x, other=b)", or the problem.
  std::vector<std::string> nodes() const {
    std::vector<std::string> texts;
    for (const Node &node : program_.nodes) {
      if (!node.problem.empty()) {
        texts.push_back("problem: " + node.problem);
        continue;
      }
      std::string text, separator;
      for (const Argument &output : node.outputs) {
        text += separator + nameOf(output);
        separator = ", ";
      }
      text += " = " + opNameOf(node.target) + "(";
      separator.clear();
      for (const NamedArgument &input : node.inputs) {
        text += separator + input.name + "=" + nameOf(input.argument);
        separator = ", ";
      }
      texts.push_back(text + ")");
    }
    return texts;
  }
  /// "user_output y", "buffer_mutation cache add_".
  std::vector<std::string> outputs() const {
    std::vector<std::string> texts;
    for (size_t i = 0; i < program_.graphOutputs.size(); ++i) {
      const OutputSpec &spec = program_.outputSpecs[i];
      texts.push_back(spec.kind + (spec.target.empty() ? "" : " " + spec.target) + " " +
                      nameOf(program_.graphOutputs[i]));
    }
    return texts;
  }

  ExportedProgram program_;
};

TEST_F(Functionalize, LaterUsesOfAChangedTensorUseItsNewValue) {
  node("aten.neg.default", "y", {"x"});
  node("aten.relu_.default", "relu_", {"y"});
  node("aten.add_.Tensor", "add_", {"relu_", "x"}); // the same tensor under its other name
  node("aten.mul.Tensor", "mul", {"y", "relu_"});
  output("y");
  output("mul");
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre("y = aten::neg(self=x)", "relu_ = aten::relu(self=y)",
                                   "add_ = aten::add.Tensor(self=relu_, other=x)",
                                   "mul = aten::mul.Tensor(self=add_, other=add_)"));
  EXPECT_THAT(outputs(), ElementsAre("user_output add_", "user_output mul"));
}

TEST_F(Functionalize, DropoutsArgumentHasAnotherNameOutOfPlace) {
  node("aten.neg.default", "y", {"x"});
  node("aten.dropout_.default", "dropout_", {"y"});
  output("dropout_");
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre("y = aten::neg(self=x)", "dropout_ = aten::dropout(input=y)"));
}

TEST_F(Functionalize, FlooredQuotientsOverloadHasNoNameOutOfPlace) {
  node("aten.clone.default", "c", {"x"});
  node("aten.floor_divide_.Tensor", "d", {"c"});
  output("d");
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre("c = aten::clone(self=x)", "d = aten::floor_divide(self=c)"));
}

TEST_F(Functionalize, ChangedBuffersAndInputsBecomeMutations) {
  node("aten.add_.Tensor", "add_", {"b", "x"});
  node("aten.mul_.Tensor", "mul_", {"x", "b"});
  output("mul_");
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre("add_ = aten::add.Tensor(self=b, other=x)",
                                   "mul_ = aten::mul.Tensor(self=x, other=add_)"));
  EXPECT_THAT(outputs(), ElementsAre("user_output mul_", "buffer_mutation cache add_",
                                     "user_input_mutation x mul_"));
}

TEST_F(Functionalize, SlicesAndSelectionsArePutBack) {
  node("aten.slice.Tensor", "s", {"b"});
  program_.nodes.back().inputs.push_back({"dim", Argument{int64_t{0}}});
  node("aten.select.int", "e", {"s"});
  program_.nodes.back().inputs.push_back({"index", Argument{int64_t{3}}});
  node("aten.copy_.default", "copy_", {"e", "x"});
  node("aten.neg.default", "y", {"b"});
  output("y");
  functionalize(program_);
  EXPECT_THAT(nodes(),
              ElementsAre("s = aten::slice.Tensor(self=b, dim=0)",
                          "e = aten::select.int(self=s, index=3)",
                          "copy_ = aten::copy(self=e, other=x)",
                          "copy_.into.s = aten::select_scatter(self=s, src=copy_, index=3)",
                          "copy_.into.b = aten::slice_scatter(self=b, src=copy_.into.s, dim=0)",
                          "y = aten::neg(self=copy_.into.b)"));
  EXPECT_THAT(outputs(), ElementsAre("user_output y", "buffer_mutation cache copy_.into.b"));
  EXPECT_EQ(program_.tensors.at("copy_.into.b").sizes.size(), 1u);
}

TEST_F(Functionalize, AViewMayBeChangedWhenNothingElseOfItIsUsedLater) {
  node("aten.neg.default", "y", {"x"});
  node("aten.view.default", "v", {"y"});
  node("aten.relu_.default", "relu_", {"v"});
  output("relu_");
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre("y = aten::neg(self=x)", "v = aten::view(self=y)",
                                   "relu_ = aten::relu(self=v)"));
}

TEST_F(Functionalize, ChangesThatOtherViewsSeeAreProblems) {
  node("aten.neg.default", "y", {"x"});
  node("aten.view.default", "v", {"y"});
  node("aten.relu_.default", "relu_", {"v"});
  node("aten.transpose.int", "t", {"y"});
  node("aten.relu_.default", "relu__1", {"y"});
  output("t");
  functionalize(program_);
  EXPECT_THAT(nodes(),
              ElementsAre("y = aten::neg(self=x)", "v = aten::view(self=y)",
                          HasSubstr("changes 'v' in place, which is a view of 'y' (by aten::view)"),
                          "t = aten::transpose.int(self=y)",
                          HasSubstr("changes 'y' in place while 't', which may be a view")));
}

TEST_F(Functionalize, ChangesOfTypeAndShapeAreProblems) {
  node("aten.neg.default", "y", {"x"});
  declare("y", DataType::Float16);
  node("aten.add_.Tensor", "add_", {"y", "x"});
  node("aten.resize_.default", "resize_", {"y"});
  node("aten.unsqueeze_.default", "unsqueeze_", {"x"});
  node("aten.detach.default", "d", {"y"});
  node("aten.t_.default", "t_", {"y"});
  node("aten.set_.source_Tensor", "", {"y", "x"});
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre("y = aten::neg(self=x)",
                                   HasSubstr("changes a tensor of float16 in place with an "
                                             "argument 'other' of float32"),
                                   HasSubstr("changes the shape"),
                                   HasSubstr("changes the shape of the model's input"),
                                   HasSubstr("a detached copy of the same memory"),
                                   HasSubstr("no single tensor")));
}

TEST_F(Functionalize, ATensorMayBecomeAViewOfItself) {
  node("aten.neg.default", "y", {"x"});
  node("aten.unsqueeze_.default", "u", {"y"});
  node("aten.relu_.default", "r", {"y"});
  node("aten.squeeze_.dim", "s", {"u"});
  node("aten.mul.Tensor", "m", {"y", "r"});
  output("u");
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre("y = aten::neg(self=x)", "u = aten::unsqueeze(self=y)",
                                   "r = aten::relu(self=u)", "s = aten::squeeze.dim(self=r)",
                                   "m = aten::mul.Tensor(self=s, other=s)"));
  EXPECT_THAT(outputs(), ElementsAre("user_output s"));
}

TEST_F(Functionalize, OtherViewsOfATensorThatBecomesOneStay) {
  node("aten.neg.default", "y", {"x"});
  node("aten.view.default", "v", {"y"});
  node("aten.t_.default", "t_", {"y"});
  node("aten.mul.Tensor", "m", {"y", "v"});
  node("aten.relu_.default", "r", {"y"});
  output("v");
  functionalize(program_);
  EXPECT_THAT(nodes(),
              ElementsAre("y = aten::neg(self=x)", "v = aten::view(self=y)", "t_ = aten::t(self=y)",
                          "m = aten::mul.Tensor(self=t_, other=v)",
                          HasSubstr("changes 't_' in place while 'v', which may be a view")));
}

TEST_F(Functionalize, AliasesDisappearAndCopiesStay) {
  node("aten.lift_fresh_copy.default", "c", {"b"});
  node("aten.detach_.default", "d", {"c"});
  node("aten.relu_.default", "relu_", {"d"});
  node("aten.alias.default", "a", {"c"});
  output("a");
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre("c = aten::clone(self=b)", "relu_ = aten::relu(self=c)"));
  EXPECT_THAT(outputs(), ElementsAre("user_output relu_"));
}

TEST_F(Functionalize, UsersOperatorsReturnWhatTheyChange) {
  node("aten.clone.default", "c", {"x"});
  node("my.inc_.default", "", {"c"}).name = "inc_";
  node("my.relu_.default", "relu_", {"c"});
  output("c");
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre("c = aten::clone(self=x)", "inc_ = my::inc_(self=c)",
                                   "relu_ = my::relu_(self=inc_)"));
  EXPECT_THAT(outputs(), ElementsAre("user_output relu_"));

  node("my.both.default", "", {"x", "b"});
  program_.nodes.erase(program_.nodes.begin(), program_.nodes.end() - 1);
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre(HasSubstr("changes some of its 2 tensors")));
}

TEST_F(Functionalize, AutoFunctionalizedOperatorsAreUnpacked) {
  Node &call = node("higher_order.auto_functionalized_v2", "out", {});
  call.inputs = {{"", Argument{std::string("torch.ops.my.inc_.default")}},
                 {"scale", Argument{int64_t{2}}},
                 {"_X_base_index", Argument{int64_t{0}}},
                 {"_X_alias", Argument{true}},
                 {"_all_bases", Argument{std::vector<TensorRef>{{"x"}}}}};
  call.outputs = {Argument{NoneArgument()}, ref("out")};
  output("out");
  functionalize(program_);
  EXPECT_THAT(nodes(), ElementsAre("out = my::inc_(scale=2, X=x)"));
  EXPECT_THAT(outputs(), ElementsAre("user_output out"));

  for (const NamedArgument &bad : {NamedArgument{"_X_base_index", Argument{int64_t{1}}},
                                   NamedArgument{"_X_size", Argument{int64_t{0}}}}) {
    program_.nodes.clear();
    Node &again = node("higher_order.auto_functionalized_v2", "out2", {});
    again.inputs = {{"", Argument{std::string("torch.ops.my.inc_.default")}},
                    bad,
                    {"_all_bases", Argument{std::vector<TensorRef>{{"x"}}}}};
    functionalize(program_);
    EXPECT_THAT(nodes(), ElementsAre(HasSubstr("changes a view ('" + bad.name + "')")));
  }
}

/// Names that make no sense end in problems or pass; nothing loops.
TEST_F(Functionalize, NamesInCirclesEnd) {
  node("aten.view.default", "v", {"w"});
  node("aten.view.default", "w", {"v"});
  node("aten.view.default", "v", {"v"});
  node("aten.relu_.default", "v", {"v"});
  node("aten.relu_.default", "w", {"v"});
  node("aten.relu_.default", "w", {"nowhere"});
  node("aten.detach.default", "v", {"w"});
  node("aten.relu_.default", "r", {"w"});
  output("r");
  functionalize(program_);
  EXPECT_GE(program_.nodes.size(), 6u);
}

} // namespace
} // namespace inlay::pt2
