#include "compiler/prebuilt/X86Code.h"

#include "base/File.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace inlay {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(X86Code, ReadsObjectsAndSharedObjects) {
  for (const char *path : {INLAY_TEST_CPU_OBJECT, INLAY_TEST_CPU_LIBRARY}) {
    Result<std::string> bytes = readFile(path);
    ASSERT_TRUE(bytes.isOk()) << bytes.status().toString();
    Result<X86Code> code = X86Code::read(*bytes);
    ASSERT_TRUE(code.isOk()) << code.status().toString();
    EXPECT_EQ(code->isRelocatable, path == std::string(INLAY_TEST_CPU_OBJECT));
    EXPECT_THAT(code->functions, Contains("add_one_kernel"));
    EXPECT_THAT(code->functions, Contains("plain_kernel"));
    EXPECT_EQ(code->findSignature("add_one_kernel"), "*fp32, i32, *fp32");
    EXPECT_EQ(code->findSignature("plain_kernel"), std::nullopt);
  }
}

TEST(X86Code, SurvivesDamage) {
  Result<std::string> good = readFile(INLAY_TEST_CPU_LIBRARY);
  ASSERT_TRUE(good.isOk());
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string bad = *good;
    for (int k = 0; k < 8; ++k)
      bad[random() % bad.size()] = static_cast<char>(random());
    (void)X86Code::read(bad);
    (void)X86Code::read(bad.substr(0, random() % bad.size()));
  }
  EXPECT_THAT(X86Code::read("no").status().message(), HasSubstr("no 64-bit little-endian ELF"));
  Result<std::string> cubin = readFile("tests/prebuilt/add_one_fp32.sm90.cubin");
  EXPECT_THAT(X86Code::read(*cubin).status().message(), HasSubstr("for machine 190"));
}

} // namespace
} // namespace inlay
