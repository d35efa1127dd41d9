#include "compiler/driver/KernelTool.h"

#include "base/File.h"
#include "base/TemporaryFolder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(ConstexprsTest, ReadsEveryKindOfValue) {
  auto values =
      parseConstexprs({"BLOCK_SIZE=256", "NEGATIVE = -3", "HEX=0x10", "EPS=1e-5", "FLAG=True",
                       "OFF=False", "NOTHING=None", "ACT='relu'", "TYPE=tl.float16", "OTHER=bf16"});
  ASSERT_TRUE(values.isOk()) << values.status().toString();
  EXPECT_EQ(values->at("BLOCK_SIZE"), ConstexprValue(int64_t{256}));
  EXPECT_EQ(values->at("NEGATIVE"), ConstexprValue(int64_t{-3}));
  EXPECT_EQ(values->at("HEX"), ConstexprValue(int64_t{16}));
  EXPECT_EQ(values->at("EPS"), ConstexprValue(1e-5));
  EXPECT_EQ(values->at("FLAG"), ConstexprValue(true));
  EXPECT_EQ(values->at("OFF"), ConstexprValue(false));
  EXPECT_EQ(values->at("NOTHING"), ConstexprValue(std::monostate()));
  EXPECT_EQ(values->at("ACT"), ConstexprValue(std::string("relu")));
  EXPECT_EQ(values->at("TYPE"), ConstexprValue(DataType::Float16));
  EXPECT_EQ(values->at("OTHER"), ConstexprValue(DataType::BFloat16));
}

TEST(ConstexprsTest, TextIsReadAsTheSameValue) {
  for (const ConstexprValue &value :
       {ConstexprValue(std::monostate()), ConstexprValue(true), ConstexprValue(int64_t{-7}),
        ConstexprValue(2.0), ConstexprValue(1e-30), ConstexprValue(std::string("relu")),
        ConstexprValue(DataType::Float16), ConstexprValue(DataType::Float8E4M3FN)}) {
    auto read = parseConstexprs({"X=" + constexprText(value)});
    ASSERT_TRUE(read.isOk()) << read.status().toString();
    EXPECT_EQ(read->at("X"), value) << constexprText(value);
  }
  auto read = parseConstexprs({"A=tl.float8e4nv", "B=tl.float8e5", "C=tl.int1"});
  ASSERT_TRUE(read.isOk()) << read.status().toString();
  EXPECT_EQ(read->at("A"), ConstexprValue(DataType::Float8E4M3FN));
  EXPECT_EQ(read->at("B"), ConstexprValue(DataType::Float8E5M2));
  EXPECT_EQ(read->at("C"), ConstexprValue(DataType::Bool));
}

class KernelConfigTest : public ::testing::Test {
protected:
  void SetUp() override {
    request_.path = folder_.path("test.py");
    request_.function = "k";
    ASSERT_TRUE(
        writeFileAtomically(
            request_.path,
            "import triton\n"
            "@triton.autotune([triton.Config({'B': b}, num_warps=w, num_stages=2) for b in [16, "
            "32] for w in [2, 8]], key=['n'])\n"
            "@triton.jit\ndef k(n, B: tl.constexpr, C: tl.constexpr):\n    pass\n")
            .isOk());
  }
  TemporaryFolder folder_;
  KernelToolRequest request_;
};

TEST_F(KernelConfigTest, IsChosenByIndexOrValues) {
  request_.constexprs = {"C=1"};
  request_.config = "1";
  ASSERT_TRUE(applyKernelConfig(request_).isOk());
  EXPECT_THAT(request_.constexprs, ::testing::ElementsAre("C=1", "B=16"));
  EXPECT_EQ(request_.numWarps, 8);
  EXPECT_EQ(request_.numStages, 2);
  EXPECT_TRUE(request_.config.empty());
  // What is given counts more.
  request_.constexprs = {"B=64"};
  request_.config = "B=32, num_warps=2";
  ASSERT_TRUE(applyKernelConfig(request_).isOk());
  EXPECT_THAT(request_.constexprs, ::testing::ElementsAre("B=64"));
  EXPECT_EQ(request_.numWarps, 2);
}

TEST_F(KernelConfigTest, ErrorsListWhatThereIs) {
  auto fail = [&](const std::string &config) {
    request_.config = config;
    return applyKernelConfig(request_).message();
  };
  EXPECT_THAT(fail("4"), ::testing::HasSubstr("there are 4, counted from 0; its configurations "
                                              "are:\n  0: B=16 num_warps=2 num_stages=2\n"));
  EXPECT_THAT(fail("B=16"), ::testing::HasSubstr("several have these values"));
  EXPECT_THAT(fail("B=17"), ::testing::HasSubstr("none has these values"));
  EXPECT_THAT(fail("D=1"), ::testing::HasSubstr("none has these values"));
  EXPECT_THAT(fail("B"), ::testing::HasSubstr("expected NAME=VALUE"));
}

TEST(ConstexprsTest, NamesWhatItCannotRead) {
  auto message = [](std::vector<std::string> entries) {
    return parseConstexprs(entries).status().toString();
  };
  EXPECT_EQ(
      message({"BLOCK_SIZE"}),
      "INVALID_ARGUMENT: constexpr 'BLOCK_SIZE': expected NAME=VALUE, for example BLOCK_SIZE=256");
  EXPECT_EQ(message({"1B=2"}),
            "INVALID_ARGUMENT: constexpr '1B=2': expected NAME=VALUE, for example BLOCK_SIZE=256");
  EXPECT_EQ(message({"A=1", "A=2"}), "INVALID_ARGUMENT: constexpr 'A' is given twice");
  for (const char *entry : {"A=", "A=--1", "A=0x", "A=relu", "A='x", "A=99999999999999999999x"})
    EXPECT_EQ(message({entry}),
              "INVALID_ARGUMENT: constexpr '" + std::string(entry) +
                  "': expected an int, a float, True, False, None, a quoted string or a dtype such "
                  "as tl.float16 after '='");
}

} // namespace
} // namespace inlay
