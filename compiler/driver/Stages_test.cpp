#include "compiler/driver/Stages.h"

#include "base/File.h"
#include "base/TemporaryFolder.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

namespace inlay {
namespace {

TEST(StagesTest, EveryStageIsFoundByItsName) {
  std::set<std::string_view> names;
  for (const StageInfo &info : allStages()) {
    EXPECT_EQ(findStage(info.name), info.stage);
    EXPECT_EQ(&stageInfo(info.stage), &info);
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
  }
  EXPECT_EQ(findStage("object"), std::nullopt);
}

TEST(StagesTest, NamesDumpFilesByNumberKernelAndTarget) {
  EXPECT_EQ(stageFileName({Stage::Graph, "", "", ""}), "01-graph.mlir");
  EXPECT_EQ(stageFileName({Stage::Tile, "add_one_kernel", "", ""}), "03-tile.add_one_kernel.mlir");
  EXPECT_EQ(stageFileName({Stage::Ptx, "add_one_kernel", "cuda:sm_90a", ""}),
            "06-ptx.add_one_kernel.cuda-sm_90a.ptx");
}

TEST(StagesTest, DumpsIntoANewFolder) {
  const TemporaryFolder temporary;
  const std::string folder = temporary.path("new");
  StageDump dump = dumpToFolder(folder);
  ASSERT_TRUE(dump({Stage::Plan, "", "", "the plan"}).isOk());
  Result<std::string> text = readFile(folder + "/02-plan.mlir");
  ASSERT_TRUE(text.isOk()) << text.status().toString();
  EXPECT_EQ(*text, "the plan");
}

TEST(StagesTest, SaysWhyAFolderCannotBeMade) {
  StageDump dump = dumpToFolder("/dev/null/stages");
  EXPECT_EQ(dump({Stage::Plan, "", "", ""}).toString(),
            "INVALID_ARGUMENT: cannot create the folder '/dev/null/stages' for stage dumps: Not a "
            "directory");
}

} // namespace
} // namespace inlay
