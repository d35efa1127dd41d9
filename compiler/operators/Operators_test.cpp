// What standard operators say of nodes, good and bad, at build time. What their kernels compute is
// checked by tests/operators.
#include "compiler/operators/BuiltinPlugins.h"
#include "compiler/operators/EmbeddedFiles.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/StandardOperator.h"
#include "compiler/plugins/NodeBinder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <set>

namespace inlay {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Expr kRows = Expr::symbol("s0"), kColumns = Expr::symbol("s1");

TensorSpec floats(std::vector<Expr> shape) { return {DataType::Float32, std::move(shape)}; }

class Operators : public testing::Test {
protected:
  Operators() { EXPECT_TRUE(addBuiltinPlugins(registry_).isOk()); }

  /// What the plugin of an operator says of a node.
  Result<PluginDescription> describe(const std::string &op,
                                     const std::vector<NodeArgument> &arguments) {
    std::vector<std::string> names;
    for (const NodeArgument &argument : arguments)
      if (std::holds_alternative<TensorSpec>(argument.value))
        names.push_back(argument.name);
    const auto plugins = registry_.candidates(op, names);
    EXPECT_FALSE(plugins.empty()) << op;
    Result<PluginNode> node = bindNode(*plugins.at(0), op, "n", arguments, {});
    if (!node.isOk())
      return std::move(node).status();
    node->symbolRanges["s0"] = {2, 100};
    return plugins.at(0)->describe(*node);
  }

  std::string errorOf(const std::string &op, const std::vector<NodeArgument> &arguments) {
    const auto description = describe(op, arguments);
    return description.isOk() ? "no error" : description.status().message();
  }

  PluginRegistry registry_;
};

AttributeValue integers(std::vector<int64_t> values) { return values; }

TEST_F(Operators, BroadcastOnlyWhatIsKnownToBeOne) {
  auto sum =
      describe("aten::add.Tensor", {{"self", floats({kRows, 1, 4})}, {"other", floats({3, 1})}});
  ASSERT_TRUE(sum.isOk()) << sum.status().toString();
  EXPECT_EQ(sum->outputs[0].shape, (std::vector<Expr>{kRows, 3, 4}));
  EXPECT_THAT(sum->requirements, IsEmpty());
  sum = describe("aten::add.Tensor", {{"self", floats({kRows})}, {"other", floats({kColumns})}});
  ASSERT_TRUE(sum.isOk());
  ASSERT_THAT(sum->requirements, SizeIs(1));
  EXPECT_EQ(sum->requirements[0].condition, equal(kRows, kColumns));
  EXPECT_THAT(
      errorOf("aten::add.Tensor", {{"self", floats({2, 3})}, {"other", floats({2, 4})}}),
      HasSubstr(
          "sizes 3 and 4 differ, and neither is 1, while broadcasting shapes [2, 3] and [2, 4]"));
  // s0 is 2 to 100.
  EXPECT_THAT(errorOf("aten::add.Tensor", {{"self", floats({kRows})}, {"other", floats({200})}}),
              HasSubstr("sizes s0 and 200 differ"));
}

TEST_F(Operators, SayWhichTypesTheyDoNotTake) {
  const TensorSpec flags{DataType::Bool, {4}};
  EXPECT_EQ(errorOf("aten::neg", {{"self", flags}}), "the operator does not take bool");
  EXPECT_EQ(errorOf("aten::gelu", {{"self", floats({4})}, {"approximate", AttributeValue("fast")}}),
            "the operator does not take float32, approximate = 'fast'");
  EXPECT_THAT(errorOf("aten::bitwise_and.Tensor", {{"self", floats({4})}, {"other", floats({4})}}),
              HasSubstr("does not take float32"));
  EXPECT_THAT(errorOf("aten::copy", {{"self", floats({4})}, {"src", floats({2, 4})}}),
              HasSubstr("the operands broadcast to [2, 4], beyond 'self', which is [4]"));
}

TEST_F(Operators, ViewsInTheOrderOfTheirInputAreItsMemory) {
  const auto shares = [&](const std::string &op, const std::vector<NodeArgument> &arguments) {
    const auto description = describe(op, arguments);
    EXPECT_TRUE(description.isOk()) << op << ": " << description.status().toString();
    return description.isOk() && description->sharedInputs.contains(0);
  };
  const NodeArgument self{"self", floats({kRows, 1, 4})};
  EXPECT_TRUE(
      shares("aten::view", {self, {"size", SizeArgument{{kRows * Expr(2), Expr(2)}, true}}}));
  EXPECT_TRUE(shares("aten::permute", {self, {"dims", integers({1, 0, 2})}}));
  EXPECT_FALSE(shares("aten::permute", {self, {"dims", integers({2, 1, 0})}}));
  EXPECT_TRUE(
      shares("aten::slice.Tensor",
             {self, {"dim", AttributeValue(int64_t{2})}, {"end", AttributeValue(INT64_MAX)}}));
  EXPECT_FALSE(
      shares("aten::slice.Tensor",
             {self, {"dim", AttributeValue(int64_t{2})}, {"end", AttributeValue(int64_t{3})}}));
  EXPECT_TRUE(shares("aten::expand", {self, {"size", integers({-1, -1, 4})}}));
  EXPECT_FALSE(shares("aten::expand", {self, {"size", integers({-1, 3, 4})}}));
  EXPECT_TRUE(shares("aten::to.dtype", {self, {"dtype", AttributeValue(DataType::Float32)}}));
  EXPECT_FALSE(shares("aten::to.dtype", {self, {"dtype", AttributeValue(DataType::Float16)}}));
}

TEST_F(Operators, InferSizesThatCancel) {
  const auto view =
      describe("aten::view", {{"self", floats({kRows, 12, kColumns})},
                              {"size", SizeArgument{{kRows, Expr(-1), Expr(4)}, true}}});
  ASSERT_TRUE(view.isOk()) << view.status().toString();
  EXPECT_EQ(view->outputs[0].shape[1], floorDiv(Expr(12) * kColumns, Expr(4)));
  const auto flat = describe("aten::view", {{"self", floats({kRows, 12, kColumns})},
                                            {"size", SizeArgument{{kRows, Expr(-1)}, true}}});
  ASSERT_TRUE(flat.isOk());
  EXPECT_EQ(flat->outputs[0].shape[1], Expr(12) * kColumns);
}

TEST_F(Operators, SlicesStayWithinTheDimension) {
  const auto length = [&](int64_t start, int64_t end) {
    const auto slice = describe("aten::slice.Tensor", {{"self", floats({kRows})},
                                                       {"start", AttributeValue(start)},
                                                       {"end", AttributeValue(end)}});
    EXPECT_TRUE(slice.isOk()) << slice.status().toString();
    return slice.isOk() ? slice->outputs[0].shape[0].toString() : "";
  };
  EXPECT_EQ(length(0, INT64_MAX), "s0");
  EXPECT_EQ(length(1, INT64_MAX), (kRows - Expr(1)).toString());
  EXPECT_EQ(length(-2, INT64_MAX), "2"); // s0 is at least 2
  EXPECT_EQ(length(0, 200), "s0");       // and at most 100
  EXPECT_EQ(length(-3, INT64_MAX), (kRows - max(Expr(0), kRows - Expr(3))).toString());
}

TEST_F(Operators, ErrorsOfShapesNameWhatIsWrong) {
  const auto number = [](int64_t value) { return AttributeValue(value); };
  const NodeArgument self{"self", floats({2, 6})}, scalar{"self", floats({})};
  EXPECT_THAT(errorOf("aten::view", {self, {"size", integers({5, 2})}}),
              HasSubstr("the shape [5, 2] has 10 elements, expected the 12 of [2, 6]"));
  EXPECT_THAT(errorOf("aten::view", {self, {"size", integers({-1, -1})}}),
              HasSubstr("more than one -1"));
  EXPECT_THAT(errorOf("aten::view", {self, {"size", integers({0, -1})}}),
              HasSubstr("stands for no size"));
  EXPECT_THAT(errorOf("aten::permute", {self, {"dims", integers({0, 0})}}),
              HasSubstr("dimension 0 is there twice"));
  EXPECT_THAT(errorOf("aten::permute", {self, {"dims", integers({0})}}),
              HasSubstr("dims has 1 entries for a tensor of rank 2"));
  EXPECT_THAT(errorOf("aten::transpose.int", {self, {"dim0", number(0)}, {"dim1", number(2)}}),
              HasSubstr("dimension 2 is outside -2 to 1"));
  for (const char *op : {"aten::select.int", "aten::slice.Tensor", "aten::unbind.int",
                         "aten::chunk", "aten::split.Tensor"}) {
    std::vector<NodeArgument> arguments = {scalar, {"dim", number(0)}};
    if (std::string_view(op) == "aten::select.int")
      arguments.push_back({"index", number(0)});
    if (std::string_view(op) == "aten::chunk")
      arguments.push_back({"chunks", number(2)});
    if (std::string_view(op) == "aten::split.Tensor")
      arguments.push_back({"split_size", number(2)});
    EXPECT_THAT(errorOf(op, arguments), HasSubstr("a tensor of rank 0 has no parts")) << op;
  }
  EXPECT_THAT(errorOf("aten::select.int", {self, {"dim", number(1)}, {"index", number(6)}}),
              HasSubstr("expected that index 6 is within a dimension of size 6"));
  EXPECT_THAT(errorOf("aten::slice.Tensor", {self, {"step", number(0)}}),
              HasSubstr("the step of a slice is 0"));
  EXPECT_THAT(errorOf("aten::split.Tensor", {self, {"split_size", number(0)}}),
              HasSubstr("the size of a part is 0"));
  EXPECT_THAT(errorOf("aten::unbind.int", {{"self", floats({kRows})}}),
              HasSubstr("unbound into s0 tensors"));
  EXPECT_THAT(errorOf("aten::expand", {self, {"size", integers({3, 6})}}),
              HasSubstr("dimension 0 of size 2 cannot be expanded to 3"));
  EXPECT_THAT(errorOf("aten::tril", {{"self", floats({3})}}), HasSubstr("rank 1 has no triangle"));
  EXPECT_THAT(
      errorOf("aten::pad", {self, {"pad", integers({1, 1})}, {"mode", AttributeValue("odd")}}),
      HasSubstr("the mode is 'odd'"));
  EXPECT_THAT(errorOf("aten::cat", {{"tensors[0]", floats({2})}, {"tensors[1]", floats({2, 2})}}),
              HasSubstr("they differ in rank"));
  EXPECT_THAT(errorOf("aten::cat", {}), HasSubstr("no tensors"));
  EXPECT_THAT(errorOf("aten::unflatten.int", {scalar, {"dim", number(0)}, {"sizes", integers({})}}),
              HasSubstr("rank 0 has no dimension to unflatten"));
  EXPECT_THAT(errorOf("aten::arange.start_step",
                      {{"start", number(0)}, {"end", number(3)}, {"step", number(0)}}),
              HasSubstr("the step of a range is 0"));
  EXPECT_THAT(errorOf("aten::diff", {self, {"n", number(2)}}), HasSubstr("order 2"));
  EXPECT_THAT(errorOf("aten::dropout", {{"input", floats({2})},
                                        {"p", AttributeValue(0.5)},
                                        {"train", AttributeValue(true)}}),
              HasSubstr("training mode"));
}

/// Names in front of an opening bracket that no module is in front of.
std::set<std::string> namesCalled(std::string_view text) {
  std::set<std::string> names;
  for (size_t open = text.find('('); open != std::string_view::npos;
       open = text.find('(', open + 1)) {
    size_t begin = open;
    while (begin > 0 &&
           (std::isalnum(static_cast<unsigned char>(text[begin - 1])) || text[begin - 1] == '_'))
      --begin;
    if (begin < open && (begin == 0 || text[begin - 1] != '.'))
      names.emplace(text.substr(begin, open - begin));
  }
  return names;
}

TEST(PointwiseOperators, CallFunctionsThatThereAre) {
  for (const PointwiseOperator &op : pointwiseOperators())
    for (const PointwiseBody &body : op.bodies)
      for (const std::string &name : namesCalled(body.text))
        EXPECT_THAT(functionsCalledIn(body.text), HasSubstr("def " + name + "(")) << op.schemas[0];
}

} // namespace
} // namespace inlay
