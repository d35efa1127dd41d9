#include "compiler/transforms/graph/ConvertPrecision.h"

#include "compiler/operators/BuiltinPlugins.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// One f32 vector type stands for T, one f16 for H.
std::string expand(std::string text) {
  text = std::regex_replace(text, std::regex(R"(\bT\b)"), R"(!graph.tensor<["4"], "float32">)");
  return std::regex_replace(text, std::regex(R"(\bH\b)"), R"(!graph.tensor<["4"], "float16">)");
}

std::string model(const std::string &body, const std::string &output = "y") {
  return expand(
      "graph.model @m inputs [\"x\"] [\"\"] outputs [\"y\"] [\"\"] symbols [] checks [] {\n"
      "^bb0(%x: T):\n" +
      body + "  graph.output %" + output + " : T\n}\n");
}

std::string unary(const std::string &op, const std::string &to, const std::string &from,
                  const std::string &arguments = "") {
  return "  %" + to + " = graph.call \"" + op + "\" node \"" + to + "\" (%" + from +
         ") names [\"self\"] arguments {" + arguments + "} : (T) -> T\n";
}

class ConvertPrecision : public testing::Test {
protected:
  ConvertPrecision() {
    context_.loadDialect<graph::GraphDialect>();
    EXPECT_TRUE(addBuiltinPlugins(plugins_).isOk());
    options_.type = DataType::Float16;
  }
  Result<PrecisionOutcome> convert(const std::string &text, bool isRefittable = false) {
    module_ = mlir::parseSourceString<mlir::ModuleOp>(text, &context_);
    EXPECT_TRUE(module_) << text;
    graph::ModelOp graph = *module_->getOps<graph::ModelOp>().begin();
    if (isRefittable)
      graph->setAttr(graph::kRefittableAttribute, mlir::UnitAttr::get(&context_));
    return convertPrecision(graph, plugins_, {}, targets_, options_);
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
  PrecisionOptions options_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
};

TEST_F(ConvertPrecision, CastsAtTheBordersOnly) {
  auto outcome = convert(model(unary("aten::relu", "a", "x") + unary("aten::neg", "y", "a")));
  ASSERT_TRUE(outcome.isOk()) << outcome.status().toString();
  EXPECT_EQ(outcome->numConverted, 2u);
  EXPECT_EQ(outcome->numCasts, 2u);
  EXPECT_TRUE(outcome->kept.empty());
  EXPECT_THAT(
      printed(),
      HasSubstr(expand(R"("aten::neg" node "y"(%1) names ["self"] arguments {} : (H) -> H)")));
}

TEST_F(ConvertPrecision, SensitiveOperatorsStayAndShareTheirCasts) {
  auto outcome = convert(model(unary("aten::relu", "a", "x") + unary("aten::exp", "b", "a") +
                               unary("aten::log", "c", "a") + unary("aten::neg", "y", "b")));
  ASSERT_TRUE(outcome.isOk()) << outcome.status().toString();
  EXPECT_EQ(outcome->numConverted, 2u);
  EXPECT_EQ(outcome->numCasts, 4u); // x, a for exp and log, b, y
  ASSERT_EQ(outcome->kept.size(), 2u);
  EXPECT_EQ(outcome->kept[0].opName, "aten::exp");
  EXPECT_EQ(outcome->kept[0].reason, "by default");
}

TEST_F(ConvertPrecision, UsersMayKeepOperatorsAndNodes) {
  options_.keepFp32 = {"aten::relu", "y"};
  auto outcome = convert(model(unary("aten::relu", "a", "x") + unary("aten::neg", "b", "a") +
                               unary("aten::neg", "y", "b")));
  ASSERT_TRUE(outcome.isOk()) << outcome.status().toString();
  EXPECT_EQ(outcome->numConverted, 1u);
  ASSERT_EQ(outcome->kept.size(), 2u);
  EXPECT_EQ(outcome->kept[0].reason, "'y' was asked for");
  options_.keepFp32 = {"aten::rellu"};
  EXPECT_THAT(convert(model(unary("aten::relu", "y", "x"))).status().message(),
              HasSubstr("'aten::rellu' is to stay in float32, but the model has no such operator"));
}

std::string scaled(const std::string &value) {
  return model(
      "  %w = graph.constant \"w\" dense<" + value +
      "> : tensor<4xf32> : T\n  %y = graph.call \"aten::mul.Tensor\" node \"mul\" (%x, %w) "
      "names [\"self\", \"other\"] arguments {} : (T, T) -> T\n");
}

TEST_F(ConvertPrecision, WeightsAreConvertedUnlessTheyAreToBeReplaced) {
  auto outcome = convert(scaled("[1.0, 2.0, 3.0, 4.0]"));
  ASSERT_TRUE(outcome.isOk()) << outcome.status().toString();
  EXPECT_EQ(outcome->weightBytesBefore, 16u);
  EXPECT_EQ(outcome->weightBytesAfter, 8u);
  EXPECT_EQ(outcome->numCasts, 2u);
  EXPECT_THAT(printed(), HasSubstr("0x40000000003C004000420044")); // 1, 2, 3, 4 in float16
  for (const char *splat : {"2.0", "0.0"}) {
    outcome = convert(scaled(splat));
    ASSERT_TRUE(outcome.isOk()) << outcome.status().toString();
    EXPECT_EQ(outcome->weightBytesAfter, 8u);
  }
  outcome = convert(scaled("2.0"), true);
  ASSERT_TRUE(outcome.isOk()) << outcome.status().toString();
  EXPECT_EQ(outcome->weightBytesAfter, 16u);
  EXPECT_EQ(outcome->numCasts, 3u);
}

TEST_F(ConvertPrecision, NumbersBeyondTheTypeStay) {
  auto outcome = convert(scaled("[1.0, -1.0e6, 3.0, 4.0]"));
  ASSERT_TRUE(outcome.isOk()) << outcome.status().toString();
  ASSERT_EQ(outcome->kept.size(), 1u);
  EXPECT_EQ(outcome->kept[0].reason, "'w' holds 1e+06, which float16 cannot");
  const std::string clamp =
      model(unary("aten::clamp", "y", "x", "min = -1.0e9 : f64, max = 1.0 : f64"));
  outcome = convert(clamp);
  ASSERT_TRUE(outcome.isOk()) << outcome.status().toString();
  ASSERT_EQ(outcome->kept.size(), 1u);
  EXPECT_EQ(outcome->kept[0].reason, "its argument 'min' is -1e+09, which float16 cannot be");
  options_.type = DataType::BFloat16;
  EXPECT_TRUE(convert(clamp)->kept.empty());
  EXPECT_TRUE(convert(scaled("[1.0, -1.0e6, 3.0, 4.0]"))->kept.empty());
}

TEST_F(ConvertPrecision, StateKeepsItsType) {
  auto outcome = convert(expand(R"(
graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: T):
  %s = graph.constant "s" dense<0.0> : tensor<4xf32> : T
  %y = graph.call "aten::add.Tensor" node "add" (%s, %x) names ["self", "other"] arguments {} : (T, T) -> T
  graph.update %s with %y : T, T
  graph.output %y : T
})"));
  ASSERT_TRUE(outcome.isOk()) << outcome.status().toString();
  EXPECT_EQ(outcome->weightBytesAfter, 16u);
  EXPECT_EQ(outcome->numConverted, 1u);
}

TEST_F(ConvertPrecision, TypesThatTheModelAsksForStay) {
  auto outcome =
      convert(model(unary("aten::_to_copy", "y", "x", "dtype = #graph.dtype<\"float32\">")));
  ASSERT_TRUE(outcome.isOk()) << outcome.status().toString();
  EXPECT_THAT(printed(), HasSubstr("\"aten::_to_copy\" node \"y\""));
}

TEST(PrecisionPolicy, ReadsItsNames) {
  EXPECT_FALSE(parsePrecision("keep")->isOn());
  EXPECT_EQ(parsePrecision("fp16")->type, DataType::Float16);
  EXPECT_EQ(parsePrecision("bf16")->type, DataType::BFloat16);
  EXPECT_TRUE(parsePrecision("tf32")->allowsTf32);
  EXPECT_EQ(parsePrecision("tf32")->type, std::nullopt);
  EXPECT_THAT(parsePrecision("half").status().message(),
              HasSubstr("precision is 'half'; expected keep, fp16, bf16 or tf32"));
  const PrecisionOptions options{DataType::Float16};
  EXPECT_EQ(whyKept(options, "aten::softmax.int", "n"), "by default");
  EXPECT_EQ(whyKept(options, "aten::mm", "n"), "");
  EXPECT_THAT(whyKept(options, "my::mm", "n"), HasSubstr("the plugin's"));
}

} // namespace
} // namespace inlay
