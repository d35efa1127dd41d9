// Which tactics contexts take, on the null device. The grid of a launch tells its tactic: 1, 2 or 3
// programs.
#include "runtime/core/CountAllocations.h"
#include "runtime/core/TestContext.h"

namespace inlay {
namespace {

using testing::ElementsAre;

class Tactics : public testing::Test {
protected:
  void makeContext(TestEngine test = makeTacticTestEngine(), uint32_t profile = 0) {
    auto engine = loadTestEngine(std::move(test));
    auto context = ExecutionContext::create(engine, "null", {0, 0, false, profile});
    ASSERT_TRUE(context.isOk()) << context.status().toString();
    context_ = std::move(*context);
    EXPECT_OK(context_->setProfiler([&](const ProfiledStep &step) {
      if (step.kind == ProfiledStep::Kind::Launch)
        launched_.push_back(step.grid[0]);
    }));
  }
  void bind(int64_t n, size_t offsetBytes = 0) {
    const int64_t shape[] = {n};
    EXPECT_OK(context_->bindInput(0, {address(x_, offsetBytes), DataType::Float32, shape, true}));
    EXPECT_OK(context_->bindOutput(0, {z_.data(), DataType::Float32, shape, true}));
  }
  /// The grids of all launches of one run.
  std::vector<uint32_t> run() {
    launched_.clear();
    EXPECT_OK(context_->run(nullptr));
    return launched_;
  }
  static void *address(const TestMemory &memory, size_t offsetBytes) {
    return static_cast<std::byte *>(memory.data()) + offsetBytes;
  }

  std::unique_ptr<ExecutionContext> context_;
  std::vector<uint32_t> launched_;
  TestMemory x_{8192}, z_{8192};
};

TEST_F(Tactics, FollowSizesAndAddresses) {
  makeContext();
  bind(100);
  EXPECT_THAT(run(), ElementsAre(1));
  bind(99);
  EXPECT_THAT(run(), ElementsAre(3));
  bind(96);
  EXPECT_THAT(run(), ElementsAre(2));
  bind(96, 16); // the same shape elsewhere
  EXPECT_THAT(run(), ElementsAre(3));
  bind(96, 128);
  EXPECT_THAT(run(), ElementsAre(2));
  bind(1000);
  EXPECT_THAT(run(), ElementsAre(1));
}

TEST_F(Tactics, TakeTheFirstOrderThatFitsTheProfile) {
  for (uint32_t profile : {0u, 1u, 2u}) {
    TestEngine test = makeTacticTestEngine();
    addTestProfile(test.engine, 1, 16, 1000);
    addTestProfile(test.engine, 1, 500, 1000);
    auto forProfile = std::make_unique<fb::TacticOrderT>();
    forProfile->profile = 2;
    forProfile->tactics = {1, 2};
    auto &orders = test.engine.choices[0]->orders;
    orders.insert(orders.begin(), std::move(forProfile));
    auto forCuda = std::make_unique<fb::TacticOrderT>();
    forCuda->target = "cuda"; // the null device loads no code for it
    forCuda->tactics = {2};
    orders.insert(orders.begin(), std::move(forCuda));
    makeContext(std::move(test), profile);
    bind(112);
    EXPECT_THAT(run(), ElementsAre(profile == 2 ? 2u : 1u)) << profile;
    bind(99);
    EXPECT_THAT(run(), ElementsAre(3)) << profile;
  }
}

TEST_F(Tactics, ThatAreNotTakenNeedNoPossibleGrid) {
  TestEngine test = makeTacticTestEngine();
  const uint32_t tooMany = appendConstant(test.engine, int64_t{1} << 40);
  test.engine.steps[1]->kind.AsLaunch()->grid[0] = tooMany;
  makeContext(std::move(test));
  bind(99);
  EXPECT_THAT(run(), ElementsAre(3));
  bind(96);
  EXPECT_THAT(context_->run(nullptr),
              IsError(StatusCode::OutOfRange, "kernel 'add_one_kernel' of plugin 'my::add_one' "
                                              "(node 'add_one_1'), tactic 'wide': its grid has"));
}

TEST_F(Tactics, ThatAreNotTakenNeedNoMemory) {
  TestEngine test = makeTacticTestEngine();
  auto workspace = std::make_unique<fb::BufferT>();
  workspace->kind = fb::BufferKind::Workspace;
  workspace->size_bytes = appendConstant(test.engine, int64_t{1} << 60);
  workspace->last_step = 3;
  test.engine.buffers.push_back(std::move(workspace));
  test.engine.steps[1]->kind.AsLaunch()->arguments[3]->index = 4; // of "wide"
  makeContext(std::move(test));
  bind(99);
  EXPECT_THAT(run(), ElementsAre(3));
  EXPECT_LT(context_->statistics().plannedBytes, 1000u);
  bind(96);
  EXPECT_THAT(context_->run(nullptr),
              IsError(StatusCode::OutOfMemory, "cannot allocate 1152921504606"));
}

TEST_F(Tactics, AllocateNothingInRuns) {
  makeContext();
  EXPECT_OK(context_->setProfiler(nullptr));
  const int64_t shape[] = {96};
  bind(96);
  EXPECT_OK(context_->run(nullptr));
  const uint64_t before = numAllocations;
  for (size_t offset : {0, 16, 64, 32}) {
    EXPECT_OK(context_->bindInput(0, {address(x_, offset), DataType::Float32, shape, true}));
    EXPECT_OK(context_->run(nullptr));
  }
  EXPECT_EQ(numAllocations, before);
}

} // namespace
} // namespace inlay
