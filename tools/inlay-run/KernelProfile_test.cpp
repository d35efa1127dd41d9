#include "tools/inlay-run/KernelProfile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace inlay::tools {
namespace {

inlay_profiled_step_t step(uint32_t index, const char *name, const char *node, double us,
                           inlay_step_kind_t kind = INLAY_STEP_LAUNCH) {
  inlay_profiled_step_t made = {};
  made.struct_size = sizeof(made);
  made.kind = kind;
  made.index = index;
  made.name = name;
  made.plugin = kind == INLAY_STEP_LAUNCH ? "my::op" : "";
  made.node = node;
  made.begin_us = 5;
  made.end_us = 5 + us;
  return made;
}

TEST(KernelProfile, AddsUpTheStepsOfRuns) {
  KernelProfile profile;
  for (int run = 0; run < 3; ++run) {
    profile.add(step(0, "add", "add_1", 1));
    profile.add(step(1, "add", "add_2", 2)); // the same kernel for another node
    profile.add(step(2, "add", "add_2", 2));
    profile.add(step(3, "Y", "", 10, INLAY_STEP_COPY_OUT));
  }
  EXPECT_EQ(profile.numRuns(), 3u);
  EXPECT_DOUBLE_EQ(profile.totalUs(), 45);
  const std::vector<KernelProfile::Row> rows = profile.rows();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].kind, INLAY_STEP_COPY_OUT);
  EXPECT_EQ(rows[1].node, "add_2");
  EXPECT_EQ(rows[1].calls, 6u);
  EXPECT_DOUBLE_EQ(rows[1].totalUs, 12);
  EXPECT_DOUBLE_EQ(rows[1].meanUs(), 2);
  EXPECT_THAT(profile.text(), testing::HasSubstr("copy out Y"));
  EXPECT_THAT(profile.text(), testing::HasSubstr("15.00 us a run"));
  EXPECT_THAT(profile.json(), testing::HasSubstr("\"kernel\": \"add\", \"kind\": \"launch\", "
                                                 "\"plugin\": \"my::op\", \"node\": \"add_2\", "
                                                 "\"calls\": 6, \"total_us\": 12.000"));
}

TEST(KernelProfile, PrintedSharesAddUp) {
  for (size_t numRows : {1, 2, 3, 7, 11, 333, 1999}) {
    KernelProfile profile;
    for (size_t i = 0; i < numRows; ++i)
      profile.add(step(static_cast<uint32_t>(i), "k", std::to_string(i).c_str(),
                       1.0 + static_cast<double>(i % 5) / 7));
    const std::vector<uint32_t> shares = KernelProfile::sharesInTenths(profile.rows());
    EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), 0u), 1000u) << numRows;
  }
}

TEST(KernelProfile, NoTimeHasNoShares) {
  KernelProfile profile;
  profile.add(step(0, "add", "add_1", 0));
  EXPECT_THAT(KernelProfile::sharesInTenths(profile.rows()), testing::ElementsAre(0));
  EXPECT_THAT(profile.json(), testing::HasSubstr("\"share\": 0.000000000"));
}

} // namespace
} // namespace inlay::tools
