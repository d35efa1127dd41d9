#include "compiler/driver/Profiles.h"

#include "compiler/driver/Context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::HasSubstr;

constexpr const char *kGraph = R"(
graph.model @m inputs ["X", "W"] ["", ""] outputs ["Y"] [""]
    symbols [{name = "s0", min = 1 : i64, max = 4096 : i64, opt = 8 : i64},
             {name = "s1", min = 2 : i64, max = 9223372036854775807 : i64, opt = 16 : i64}] checks [] {
^bb0(%x: !graph.tensor<["s0", "s1"], "float32">, %w: !graph.tensor<["s1", "2*s0", "3"], "float32">):
  graph.output %x : !graph.tensor<["s0", "s1"], "float32">
}
)";

constexpr const char *kPlan = R"(
plan.program @m {
  plan.symbol "s0" in 1 to 4096 opt 8 from 0 dim 0
  plan.symbol "s1" in 2 to 9223372036854775807 opt 16 from 0 dim 1
  plan.input "X" "float32" ["s0", "s1"] in @X
  plan.output "Y" "float32" ["s0", "s1"] in @Y
  plan.buffer @X input "4*s0*s1"
  plan.buffer @Y output "4*s0*s1"
  plan.copy @X to @Y
}
)";

class ProfilesTest : public testing::Test {
protected:
  ProfilesTest() : context_(createContext()) {}

  /// Applies profiles to an op of a module's text; the text of the result, or the error.
  template <typename Op>
  std::string apply(const char *text, const std::vector<std::string> &texts) {
    std::vector<ShapeProfile> profiles;
    for (const std::string &profile : texts) {
      Result<ShapeProfile> parsed = parseProfile(profile);
      if (!parsed.isOk())
        return parsed.status().toString();
      profiles.push_back(std::move(*parsed));
    }
    auto module = parseModule(*context_, "test", text);
    if (!module.isOk())
      return module.status().toString();
    Status status = applyProfiles(*(**module).getOps<Op>().begin(), profiles);
    return status.isOk() ? printOperation(**module) : status.toString();
  }
  std::string onGraph(const std::vector<std::string> &texts) {
    return apply<graph::ModelOp>(kGraph, texts);
  }
  std::string onPlan(const std::vector<std::string> &texts) {
    return apply<plan::ProgramOp>(kPlan, texts);
  }

  std::unique_ptr<mlir::MLIRContext> context_;
};

TEST_F(ProfilesTest, NarrowTheSymbolsOfAGraph) {
  EXPECT_THAT(
      onGraph({"X:0=1,64,1024 s1=2,32,64"}),
      testing::AllOf(HasSubstr(R"({max = 1024 : i64, min = 1 : i64, name = "s0", opt = 64 : i64})"),
                     HasSubstr(R"({max = 64 : i64, min = 2 : i64, name = "s1", opt = 32 : i64})")));
  // Dimensions that are not named keep the model's range; one size fixes a symbol.
  EXPECT_THAT(
      onGraph({"W:0=7"}),
      testing::AllOf(HasSubstr(R"({max = 4096 : i64, min = 1 : i64, name = "s0", opt = 8 : i64})"),
                     HasSubstr(R"({max = 7 : i64, min = 7 : i64, name = "s1", opt = 7 : i64})")));
}

TEST_F(ProfilesTest, OfAPlanAreKeptAndEnclosed) {
  const std::string text = onPlan({"s0=8,16,32;X:1=4,4,4", "s0=100,200,300"});
  EXPECT_THAT(text, HasSubstr(R"(plan.symbol "s0" in 8 to 300 opt 16)"));
  EXPECT_THAT(text, HasSubstr(R"(plan.symbol "s1" in 2 to 9223372036854775807 opt 4)"));
  auto module = parseModule(*context_, "again", text);
  ASSERT_TRUE(module.isOk()) << module.status().toString();
  const auto profiles = profilesOf(*(**module).getOps<plan::ProgramOp>().begin());
  ASSERT_TRUE(profiles.isOk()) << profiles.status().toString();
  EXPECT_THAT(*profiles,
              testing::ElementsAre(testing::ElementsAre(8, 16, 32, 4, 4, 4),
                                   testing::ElementsAre(100, 200, 300, 2, 16, INT64_MAX)));
}

TEST_F(ProfilesTest, OfAnotherFormAreRefused) {
  auto module = parseModule(*context_, "test", kPlan);
  ASSERT_TRUE(module.isOk());
  plan::ProgramOp program = *(**module).getOps<plan::ProgramOp>().begin();
  EXPECT_TRUE(profilesOf(program).isOk());
  mlir::Builder builder(context_.get());
  for (mlir::Attribute bad :
       {mlir::Attribute(builder.getUnitAttr()),
        mlir::Attribute(builder.getArrayAttr(builder.getUnitAttr())),
        mlir::Attribute(builder.getArrayAttr(builder.getDenseI64ArrayAttr({1, 2, 3})))}) {
    program->setAttr("plan.profiles", bad);
    EXPECT_THAT(profilesOf(program).status().toString(),
                HasSubstr("plan.profiles of the plan is of another form: expected arrays of i64, "
                          "three numbers for each of its 2 symbols"));
  }
}

TEST_F(ProfilesTest, ErrorsNameTheDimensionWhatWasFoundAndExpected) {
  const std::pair<std::vector<std::string>, const char *> cases[] = {
      {{""}, "a profile without dimensions"},
      {{"X:0"}, "'X:0' is no dimension of a profile; expected DIM=MIN,OPT,MAX or DIM=SIZE"},
      {{"=1"}, "'=1' is no dimension"},
      {{"s0=1,2"}, "'s0=1,2' is no dimension"},
      {{"s0=1,x,3"}, "'s0=1,x,3' is no dimension"},
      {{"s0=-1"}, "'s0=-1' is no dimension"},
      {{"s0=1,2,99999999999999999999"}, "is no dimension"},
      {{"s0=5,4,9"}, "'s0=5,4,9' has min 5, opt 4 and max 9; expected min <= opt <= max"},
      {{"s2=1"},
       "the model has no dimension 's2'; name one as INPUT:DIM or by "
       "its symbol; inputs: 'X' of rank 2, 'W' of rank 3; symbols: 's0', 's1'"},
      {{"s0=1", "Z:0=1"}, "symbols: 's0', 's1', while reading profile 2"},
      {{"X:2=1"}, "the model has no dimension 'X:2'"},
      {{"X:a=1"}, "the model has no dimension 'X:a'"},
      {{"W:1=4"}, "dimension 1 of input 'W' is 2*s0, which a profile cannot change"},
      {{"W:2=3"}, "dimension 2 of input 'W' is 3, which a profile cannot change"},
      {{"X:0=1,8,5000"}, "'X:0' (s0) is to have 1 to 5000; the model takes 1 to 4096"},
      {{"s1=1,8,16"}, "'s1' (s1) is to have 1 to 16; the model takes 2 to any size"},
      {{"X:1=4,4,4 W:0=4,4,8"},
       "'X:1' and 'W:0' are the same dimension, s1; it is given two ranges, 4 to 4 and 4 to 8"}};
  for (const auto &[texts, message] : cases)
    EXPECT_THAT(onGraph(texts), HasSubstr(message)) << testing::PrintToString(texts);
}

} // namespace
} // namespace inlay
