#include "compiler/prebuilt/TritonMetadata.h"

#include "base/File.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::HasSubstr;

TEST(TritonMetadata, ReadsWhatTriton36Wrote) {
  Result<std::string> text = readFile("tests/prebuilt/matmul_fp16.sm90.json");
  ASSERT_TRUE(text.isOk());
  Result<TritonMetadata> metadata = readTritonMetadata(*text);
  ASSERT_TRUE(metadata.isOk()) << metadata.status().toString();
  EXPECT_EQ(metadata->name, "matmul_kernel");
  EXPECT_EQ(metadata->numWarps, 4u);
  EXPECT_EQ(metadata->sharedBytes, 32768u);
  EXPECT_EQ(metadata->numBlocksPerCluster, 1u);
  EXPECT_EQ(metadata->globalScratchBytes, 0u);
  EXPECT_EQ(metadata->maxRegisters, 0u);
}

TEST(TritonMetadata, ReadsAllThatALaunchNeeds) {
  Result<TritonMetadata> metadata = readTritonMetadata(
      R"({"name": "k", "num_warps": 8, "shared": 70000, "num_ctas": 2, "maxnreg": 96, "global_scratch_size": 512,
          "global_scratch_align": 128, "profile_scratch_size": 16, "launch_cooperative_grid": true, "launch_pdl": true})");
  ASSERT_TRUE(metadata.isOk()) << metadata.status().toString();
  EXPECT_EQ(metadata->numWarps, 8u);
  EXPECT_EQ(metadata->sharedBytes, 70000u);
  EXPECT_EQ(metadata->numBlocksPerCluster, 2u);
  EXPECT_EQ(metadata->maxRegisters, 96u);
  EXPECT_EQ(metadata->globalScratchBytes, 512u);
  EXPECT_EQ(metadata->globalScratchAlignment, 128u);
  EXPECT_EQ(metadata->profileScratchBytes, 16u);
  EXPECT_TRUE(metadata->isCooperative);
  EXPECT_TRUE(metadata->isProgrammatic);
}

TEST(TritonMetadata, ReadsTheClusterOfOlderVersions) {
  EXPECT_EQ(readTritonMetadata(R"({"num_warps": 4, "shared": 0, "cluster_dims": [4, 1, 1]})")
                ->numBlocksPerCluster,
            4u);
}

TEST(TritonMetadata, RefusesWhatItCannotServe) {
  const std::pair<const char *, const char *> cases[] = {
      {"[1]", "no JSON object"},
      {"{", "no JSON object"},
      {R"({"name": "k"})", "lacks 'num_warps' or 'shared'"},
      {R"({"num_warps": "4", "shared": 0})",
       "'num_warps' is \"4\"; expected a number from 1 to 64"},
      {R"({"num_warps": 4, "shared": -1})", "'shared' is -1"},
      {R"({"num_warps": 4, "shared": 0, "launch_pdl": 1})",
       "'launch_pdl' is 1; expected true or false"},
      {R"({"num_warps": 4, "shared": 0, "name": 7})", "'name' is 7; expected a text"},
      {R"({"num_warps": 4, "shared": 0, "warp_size": 64})", "warps have 64 threads"},
      {R"({"num_warps": 4, "shared": 0, "tmem_size": 128})", "tensor memory"},
      {R"({"num_warps": 4, "shared": 0, "tensordesc_meta": [{}]})", "1 tensor descriptors"}};
  for (const auto &[text, message] : cases) {
    Result<TritonMetadata> metadata = readTritonMetadata(text);
    ASSERT_FALSE(metadata.isOk()) << text;
    EXPECT_THAT(metadata.status().message(), HasSubstr(message)) << text;
  }
}

} // namespace
} // namespace inlay
