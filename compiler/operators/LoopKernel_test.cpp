#include "compiler/operators/LoopKernel.h"

#include "compiler/operators/Shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const Expr kRows = Expr::symbol("s0");

/// A node "x + y" of two inputs of given shapes.
PluginNode nodeOf(std::vector<Expr> x, std::vector<Expr> y, std::vector<Expr> out) {
  PluginNode node;
  node.inputNames = {"x", "y"};
  node.inputs = {{DataType::Float32, std::move(x)}, {DataType::Float32, std::move(y)}};
  node.outputs = {{DataType::Float32, std::move(out)}};
  return node;
}

PluginImplementation sumOf(const PluginNode &node) {
  const std::vector<Expr> &domain = node.outputs[0].shape;
  LoopKernel kernel(node, "sum", domain);
  kernel.load("x", 0, broadcastAccess(node.inputs[0].shape, domain));
  kernel.load("y", 1, broadcastAccess(node.inputs[1].shape, domain));
  kernel.store(0, denseAccess(domain), "x + y");
  PluginImplementation implementation;
  EXPECT_TRUE(kernel.appendTo(implementation).isOk());
  return implementation;
}

std::string textOf(const PluginNode &node) {
  const PluginImplementation implementation = sumOf(node);
  return implementation.launches.empty() ? "" : implementation.launches[0].kernel.source;
}

TEST(LoopKernel, TensorsOfOneShapeHavePlainOffsets) {
  const std::string text = textOf(nodeOf({4, 8}, {4, 8}, {4, 8}));
  EXPECT_THAT(text, HasSubstr("x = tl.load(x_ptr + offsets, mask=in_range)\n"));
  EXPECT_THAT(text, HasSubstr("y = tl.load(y_ptr + offsets, mask=in_range)\n"));
  EXPECT_THAT(text, HasSubstr("tl.store(out_ptr + offsets, x + y, mask=in_range)\n"));
  EXPECT_THAT(text, Not(HasSubstr("i0")));
  // Sizes are arguments, so that other shapes share the text.
  EXPECT_EQ(text, textOf(nodeOf({2, 3, 5}, {2, 3, 5}, {2, 3, 5})));
}

TEST(LoopKernel, DimensionsThatAllTensorsWalkAlikeAreOne) {
  const std::string text = textOf(nodeOf({2, 3, 4, 5}, {3, 1, 1}, {2, 3, 4, 5}));
  EXPECT_THAT(text, HasSubstr("    i1 = offsets // 20 % 3\n"));
  EXPECT_THAT(text, HasSubstr("y = tl.load(y_ptr + i1, mask=in_range)\n"));
  EXPECT_THAT(text, HasSubstr("x = tl.load(x_ptr + offsets, mask=in_range)\n"));
}

TEST(LoopKernel, LongRunsAreTilesOfRowsAndColumns) {
  const PluginNode node = nodeOf({kRows, 3, 768}, {3, 768}, {kRows, 3, 768});
  const std::string text = textOf(node);
  EXPECT_THAT(text, HasSubstr("rows = program // 5 * ROWS + tl.arange(0, ROWS)[:, None]\n"));
  EXPECT_THAT(text, HasSubstr("i1 = program % 5 * COLUMNS + tl.arange(0, COLUMNS)[None, :]\n"));
  EXPECT_THAT(text, HasSubstr("in_range = (rows < num_rows) & (i1 < 2304)\n"));
  EXPECT_THAT(text, HasSubstr("y = tl.load(y_ptr + i1, mask=in_range)\n"));
  const PluginLaunch launch = sumOf(node).launches.at(0);
  EXPECT_EQ(launch.kernel.constexprs.at("ROWS"), ConstexprValue(int64_t{2}));
  EXPECT_EQ(launch.kernel.constexprs.at("COLUMNS"), ConstexprValue(int64_t{512}));
  EXPECT_EQ(launch.grid[0], ceilDiv(kRows, Expr(2)) * Expr(5));
  // Few elements of the tiles are beyond the end of a run; short runs are no tiles.
  EXPECT_EQ(sumOf(nodeOf({9, 40}, {40}, {9, 40})).launches.at(0).kernel.constexprs.at("COLUMNS"),
            ConstexprValue(int64_t{32}));
  EXPECT_THAT(textOf(nodeOf({9, 31}, {31}, {9, 31})), HasSubstr("i1 = offsets % 31\n"));
}

TEST(LoopKernel, OneElementIsReadOnce) {
  EXPECT_THAT(textOf(nodeOf({4, 8}, {1, 1}, {4, 8})),
              HasSubstr("y = tl.broadcast_to(tl.load(y_ptr), [BLOCK])\n"));
}

TEST(LoopKernel, OperandsMayHaveAnyNameOfASchema) {
  PluginNode node = nodeOf({4}, {4}, {4});
  node.inputNames = {"mask", "other"};
  LoopKernel kernel(node, "keep", node.outputs[0].shape);
  kernel.load("mask", 0, denseAccess(node.outputs[0].shape));
  kernel.store(0, denseAccess(node.outputs[0].shape), "mask");
  PluginImplementation implementation;
  EXPECT_TRUE(kernel.appendTo(implementation).isOk());
  EXPECT_THAT(implementation.launches.at(0).kernel.source,
              HasSubstr("    mask = tl.load(mask_ptr + offsets, mask=in_range)\n"
                        "    tl.store(out_ptr + offsets, mask, mask=in_range)\n"));
  EXPECT_DEATH(kernel.load("in_range", 0, denseAccess(node.outputs[0].shape)), "in_range");
}

TEST(LoopKernel, AnEmptyLoopLaunchesNothing) {
  EXPECT_THAT(sumOf(nodeOf({0, 8}, {0, 8}, {0, 8})).launches, IsEmpty());
}

TEST(LoopKernel, OffsetsAreAsWideAsTheSizesNeed) {
  constexpr const char *kWide = "tl.program_id(0).to(tl.int64) * BLOCK";
  EXPECT_THAT(textOf(nodeOf({4, 8}, {8}, {4, 8})), Not(HasSubstr(kWide)));
  const Expr most(int64_t{1} << 31);
  EXPECT_THAT(textOf(nodeOf({most}, {most}, {most})), HasSubstr(kWide));
  PluginNode node = nodeOf({kRows, 8}, {8}, {kRows, 8});
  EXPECT_THAT(textOf(node), HasSubstr(kWide));
  EXPECT_EQ(sumOf(node).launches[0].arguments.back().dtype, DataType::Int64);
  node.symbolRanges["s0"] = {1, 1000};
  EXPECT_THAT(textOf(node), Not(HasSubstr(kWide)));
  EXPECT_EQ(sumOf(node).launches[0].arguments.back().dtype, DataType::Int32);
}

TEST(LoopKernel, SizesThatChangeAreParameters) {
  PluginNode node = nodeOf({kRows, 8, Expr::symbol("s1")}, {8, 1}, {kRows, 8, Expr::symbol("s1")});
  node.targets = {"cuda:sm_90a"};
  const std::string text = textOf(node);
  EXPECT_THAT(text, HasSubstr("i1 = offsets // s1 % 8\n"));
  EXPECT_THAT(text,
              HasSubstr("def sum_kernel(x_ptr, y_ptr, out_ptr, numel, s1, BLOCK: tl.constexpr):"));
  EXPECT_EQ(sumOf(node).launches[0].grid[0].toString(),
            ceilDiv(kRows * Expr(8) * Expr::symbol("s1"), Expr(1024)).toString());
}

TEST(LoopKernel, DivideByRowsOnCpusWhereSizesChange) {
  const PluginNode node =
      nodeOf({kRows, 8, Expr::symbol("s1")}, {8, 1}, {kRows, 8, Expr::symbol("s1")});
  EXPECT_THAT(textOf(node), HasSubstr("i1 = rows % 8\n"));
  EXPECT_EQ(
      sumOf(node).launches[0].grid[0].toString(),
      (ceilDiv(kRows * Expr(8), Expr(32)) * ceilDiv(Expr::symbol("s1"), Expr(32))).toString());
  EXPECT_THAT(textOf(nodeOf({kRows, 8, 16}, {8, 1}, {kRows, 8, 16})), HasSubstr("i1 = rows % 8\n"));
  EXPECT_THAT(textOf(nodeOf({kRows, 8, 4}, {8, 1}, {kRows, 8, 4})),
              HasSubstr("i1 = offsets // 4 % 8\n"));
  EXPECT_THAT(textOf(nodeOf({4, 8, 16}, {8, 1}, {4, 8, 16})),
              HasSubstr("i1 = offsets // 16 % 8\n"));
}

TEST(LoopKernel, BringsTheFunctionsThatItsLinesCall) {
  const PluginNode node = nodeOf({4}, {4}, {4});
  LoopKernel kernel(node, "act", node.outputs[0].shape);
  kernel.load("x", 0, denseAccess(node.outputs[0].shape));
  kernel.store(0, denseAccess(node.outputs[0].shape), "hard_swish(x)");
  PluginImplementation implementation;
  EXPECT_TRUE(kernel.appendTo(implementation).isOk());
  ASSERT_THAT(implementation.launches, SizeIs(1));
  const std::string &text = implementation.launches[0].kernel.source;
  for (const char *name : {"def hard_swish(", "def relu6(", "def positive_part(", "def smaller("})
    EXPECT_THAT(text, HasSubstr(name));
  EXPECT_THAT(text, Not(HasSubstr("def gelu(")));
}

TEST(LoopKernel, NumbersAreOfTheTypeThatIsAskedFor) {
  const PluginNode node = nodeOf({4}, {4}, {4});
  LoopKernel kernel(node, "fill", node.outputs[0].shape);
  kernel.number("a", {AttributeValue(int64_t{3}), {}}, DataType::Float32);
  kernel.number("b", {AttributeValue(2.75), {}}, DataType::Int32);
  kernel.number("c", {AttributeValue(-INFINITY), {}}, DataType::Float64);
  kernel.number("d", {AttributeValue(2.0), {}}, DataType::Bool);
  kernel.number("e", {AttributeValue(), kRows}, DataType::Float32);
  kernel.store(0, denseAccess(node.outputs[0].shape), "a");
  PluginImplementation implementation;
  EXPECT_TRUE(kernel.appendTo(implementation).isOk());
  const std::string &text = implementation.launches.at(0).kernel.source;
  for (const char *line :
       {"a = tl.full([BLOCK], 3.0, tl.float32)", "b = tl.full([BLOCK], 2, tl.int32)",
        "c = tl.full([BLOCK], -float('inf'), tl.float64)", "d = tl.full([BLOCK], True, tl.int1)",
        "e = tl.broadcast_to(e_value.to(tl.float32), [BLOCK])"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(LoopKernel, RefusesNumbersThatTheirTypeCannotHold) {
  const PluginNode node = nodeOf({4}, {4}, {4});
  const auto errorOf = [&](const AttributeValue &value, DataType type) {
    LoopKernel kernel(node, "fill", node.outputs[0].shape);
    kernel.number("a", {value, {}}, type);
    kernel.store(0, denseAccess(node.outputs[0].shape), "a");
    PluginImplementation implementation;
    const Status status = kernel.appendTo(implementation);
    return status.isOk() ? std::string() : std::string(status.message());
  };
  EXPECT_EQ(errorOf(AttributeValue(double{NAN}), DataType::Int64),
            "the number nan is no value of int64, in which it is computed with");
  EXPECT_THAT(errorOf(AttributeValue(double{INFINITY}), DataType::UInt8),
              HasSubstr("no value of uint8"));
  EXPECT_THAT(errorOf(AttributeValue(int64_t{128}), DataType::Int8), HasSubstr("no value of int8"));
  EXPECT_EQ(errorOf(AttributeValue(int64_t{-128}), DataType::Int8), "");
  EXPECT_EQ(errorOf(AttributeValue(int64_t{-1}), DataType::UInt8), "");
  EXPECT_EQ(errorOf(AttributeValue(INT64_MIN), DataType::Int64), "");
  EXPECT_EQ(errorOf(AttributeValue(double{INFINITY}), DataType::Float16), "");
}

} // namespace
} // namespace inlay
