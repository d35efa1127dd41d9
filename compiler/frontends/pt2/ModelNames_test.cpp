#include "compiler/frontends/pt2/ModelNames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay::pt2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string tree(std::string_view type, std::string_view context, std::string_view children) {
  return R"({"type": "builtins.)" + std::string(type) + R"(", "context": ")" +
         std::string(context) + R"(", "children_spec": [)" + std::string(children) + "]}";
}

/// forward(x, pair, *, mask) gives {'sum': a, 'parts': [b, 3]} and changes x.
ExportedProgram program() {
  ExportedProgram made;
  const std::string pair = tree("list", "null", "{}, {}");
  made.inSpec =
      "[1, " +
      tree("tuple", "null",
           tree("tuple", "null", "{}, " + pair) + ", " + tree("dict", R"([\"mask\"])", "{}")) +
      "]";
  made.outSpec = "[1, " + tree("dict", R"([\"sum\", \"parts\"])", "{}, " + pair) + "]";
  made.argumentNames = {"x", "pair"};
  for (const char *name : {"arg0", "arg1", "arg2", "arg3"})
    made.inputSpecs.push_back({.kind = InputKind::User, .name = name, .fullName = ""});
  made.inputSpecs[1].kind = InputKind::Literal;
  made.graphOutputs = {{TensorRef{"new_x"}}, {TensorRef{"a"}}, {TensorRef{"b"}}, {int64_t(3)}};
  made.outputSpecs.resize(4);
  made.outputSpecs[0] = {false, "user_input_mutation", "arg0"};
  return made;
}

TEST(ModelNames, AreThoseOfArgumentsAndKeys) {
  const Result<ModelNames> names = nameModel(program());
  ASSERT_TRUE(names.isOk()) << names.status().toString();
  EXPECT_THAT(names->inputNames, ElementsAre("x", "pair[1]", "mask"));
  EXPECT_THAT(names->inputPaths, ElementsAre("[0][0]", "[0][1][1]", "[1]['mask']"));
  EXPECT_THAT(names->outputNames, ElementsAre("sum", "b", "x"));
  EXPECT_THAT(names->outputPaths, ElementsAre("['sum']", "['parts'][0]", ""));
  EXPECT_THAT(names->changedInputs, ElementsAre(0));
  EXPECT_EQ(names->inputsInGuards.at("mask"), "arg3");
  ASSERT_EQ(names->plainOutputs.size(), 1u);
  EXPECT_EQ(names->plainOutputs[0].index, 3u);
  EXPECT_EQ(names->plainOutputs[0].path, "['parts'][1]");
}

TEST(ModelNames, AreTheGraphsWithoutTreesAndUnique) {
  ExportedProgram plain = program();
  plain.inSpec = plain.outSpec = "";
  plain.inputSpecs[2].name = "arg0";
  plain.inputSpecs[3].name = "";
  const Result<ModelNames> names = nameModel(plain);
  ASSERT_TRUE(names.isOk()) << names.status().toString();
  EXPECT_THAT(names->inputNames, ElementsAre("arg0", "arg0_1", "input"));
  EXPECT_THAT(names->outputNames, ElementsAre("a", "b", "arg0"));
}

TEST(ModelNames, PathsOutsideTheArgumentsGiveTheGraphsNames) {
  ExportedProgram few = program();
  few.argumentNames = {"x"};
  const Result<ModelNames> names = nameModel(few);
  ASSERT_TRUE(names.isOk()) << names.status().toString();
  EXPECT_THAT(names->inputNames, ElementsAre("x", "arg2", "mask"));
}

TEST(ModelNames, ErrorsNameTheTree) {
  ExportedProgram broken = program();
  broken.outSpec = "[1, ";
  const Status status = nameModel(broken).status();
  EXPECT_EQ(status.code(), StatusCode::DataLoss);
  EXPECT_THAT(status.toString(), HasSubstr("reading the outputs' tree specification"));
}

} // namespace
} // namespace inlay::pt2
