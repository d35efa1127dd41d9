#include "compiler/operators/OperatorSchema.h"

#include "compiler/operators/StandardOperator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

OperatorSchema parse(std::string_view text) {
  Result<OperatorSchema> schema = parseOperatorSchema(text);
  EXPECT_TRUE(schema.isOk()) << schema.status().toString();
  return schema.isOk() ? *schema : OperatorSchema();
}

TEST(OperatorSchema, ReadsTensorsAndAttributesWithDefaults) {
  const OperatorSchema schema =
      parse("aten::f.x(Tensor(a!) self, Tensor? other, Tensor(a -> *)[] list, *, Scalar alpha=1, "
            "SymInt[2] stride=1, int[1] dims=[], float eps=1e-05, str mode=\"a,b\", bool? on=None, "
            "ScalarType? dtype=None, MemoryFormat memory_format=0) -> (Tensor(a!), Tensor)");
  EXPECT_EQ(schema.opName, "aten::f.x");
  ASSERT_EQ(schema.arguments.size(), 11u);
  EXPECT_EQ(schema.arguments[0].kind, SchemaArgument::Kind::Tensor);
  EXPECT_FALSE(schema.arguments[0].isOptional);
  EXPECT_TRUE(schema.arguments[1].isOptional);
  EXPECT_EQ(schema.arguments[2].kind, SchemaArgument::Kind::TensorList);
  const auto value = [&](size_t i) { return *schema.arguments[i].attribute.defaultValue; };
  EXPECT_EQ(schema.arguments[3].attribute.kind, AttributeKind::SizeNumber);
  EXPECT_EQ(value(3), AttributeValue(int64_t{1}));
  EXPECT_EQ(schema.arguments[4].attribute.kind, AttributeKind::SizeList);
  EXPECT_EQ(value(4), AttributeValue(std::vector<int64_t>{1}));
  EXPECT_EQ(value(5), AttributeValue(std::vector<int64_t>{}));
  EXPECT_EQ(value(6), AttributeValue(1e-05));
  EXPECT_EQ(value(7), AttributeValue("a,b"));
  EXPECT_EQ(value(8), AttributeValue());
  EXPECT_EQ(schema.arguments[9].attribute.kind, AttributeKind::DataType);
  EXPECT_TRUE(schema.arguments[10].attribute.isOptional);
}

TEST(OperatorSchema, RefusesWhatIsNone) {
  for (const char *text : {"aten::f", "aten::f(Tensor self)", "aten::f(Foo x) -> Tensor",
                           "aten::f(self) -> Tensor", "aten::f(int x=a) -> Tensor"})
    EXPECT_THAT(parseOperatorSchema(text).status().message(), HasSubstr("schema '")) << text;
}

TEST(StandardOperator, HasAPluginForEachChoiceOfTensors) {
  OperatorDefinitions definitions;
  addOperator(definitions, "aten::f(Tensor self, Tensor other, Tensor? bias=None) -> Tensor",
              {[](const PluginNode &) { return PluginDescription(); }, {}}, {"other"});
  std::vector<std::string> inputs;
  for (const auto &definition : definitions) {
    std::string text;
    for (const std::string &name : definition->inputNames())
      text += name + " ";
    inputs.push_back(text);
  }
  EXPECT_THAT(inputs, ElementsAre("self other bias ", "self other ", "self bias ", "self "));
}

} // namespace
} // namespace inlay
