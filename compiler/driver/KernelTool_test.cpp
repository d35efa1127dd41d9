#include "compiler/driver/KernelTool.h"

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
