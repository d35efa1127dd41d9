// Products by oneDNN, which a machine that runs these tests has installed (Debian's libdnnl2), and
// what happens without it.
#include "runtime/devices/LibraryTestEngine.h"
#include "runtime/devices/cpu/CpuLibraryFunction.h"
#include "runtime/devices/cpu/CpuTestEngine.h"

#include <cmath>
#include <random>

namespace inlay {
namespace {

TestEngine makeEngine(LibraryFunctionId id = LibraryFunctionId::OneDnnMatmul) {
  return addLibraryTactic(makeCpuEngine(), id);
}

class OneDnnTest : public testing::Test {
protected:
  void SetUp() override {
    Result<std::shared_ptr<const OneDnn>> library = OneDnn::open();
    if (!library.isOk())
      GTEST_SKIP() << library.status().toString();
    library_ = *library;
  }
  std::shared_ptr<const OneDnn> library_;
};

TEST_F(OneDnnTest, IsTakenForAllSizesAndThreads) {
  for (const bool hasBias : {false, true}) {
    auto engine = loadTestEngine(makeEngine(hasBias ? LibraryFunctionId::OneDnnMatmulBias
                                                    : LibraryFunctionId::OneDnnMatmul));
    for (const int32_t numThreads : {1, 2, 3}) {
      auto context = makeTestContext(engine, "cpu", numThreads);
      for (const int64_t rows : {1, 5, 16, 100, 5000, 5})
        EXPECT_EQ(runLibraryEngine(*context, rows * kTestColumns, hasBias), Taken::Library)
            << rows << " rows, " << numThreads << " threads";
    }
  }
}

TEST_F(OneDnnTest, GivesTheSameInEveryRun) {
  auto context = makeTestContext(loadTestEngine(makeEngine()), "cpu", 2);
  constexpr int64_t kElements = 4096 * kTestColumns;
  std::mt19937 random(7);
  TestMemory x(kElements * 4), first(kElements * 4), again(kElements * 4);
  for (int64_t i = 0; i < kElements; ++i)
    x.floats()[i] = std::uniform_real_distribution<float>(-1, 1)(random);
  const int64_t shape[] = {kElements};
  EXPECT_OK(context->bindInput(0, {x.data(), DataType::Float32, shape, false}));
  for (const TestMemory *z : {&first, &again}) {
    EXPECT_OK(context->bindOutput(0, {z->data(), DataType::Float32, shape, false}));
    EXPECT_OK(context->run(nullptr));
  }
  EXPECT_EQ(std::memcmp(first.data(), again.data(), kElements * 4), 0);
}

/// Products with random operands in all forms, in the sizes' order m, n, k, batch.
TEST_F(OneDnnTest, MultipliesMatricesHoweverTheyLie) {
  const LibraryFunction &function = libraryFunction(LibraryFunctionId::OneDnnMatmul);
  const auto multiply = createOneDnnMatmul(library_, function, DataType::Float32);
  std::mt19937 random(11);
  std::vector<float> a(64 * 1024), b(64 * 1024);
  for (std::vector<float> *values : {&a, &b})
    for (float &value : *values)
      value = std::uniform_real_distribution<float>(-1, 1)(random);
  for (const auto &[m, n, k, batch] : {std::array<int64_t, 4>{1, 1, 1, 1},
                                       {3, 5, 7, 1},
                                       {100, 33, 65, 1},
                                       {17, 90, 20, 5},
                                       {4, 130, 64, 1},
                                       {130, 4, 64, 1},
                                       {8, 8, 8, 70}})
    for (const uint32_t form : {0u, 1u, 2u, 3u, 4u, 7u, 8u, 11u}) {
      MatmulSizes<int64_t> sizes;
      sizes.m = m, sizes.n = n, sizes.k = k, sizes.batch = batch;
      const bool isATransposed = form & 1, isBTransposed = form & 2;
      sizes.aRow = isATransposed ? 1 : k, sizes.aColumn = isATransposed ? m : 1;
      sizes.bRow = isBTransposed ? 1 : n, sizes.bColumn = isBTransposed ? k : 1;
      sizes.aBatch = form & 4 ? 0 : m * k, sizes.bBatch = form & 8 ? 0 : k * n;
      std::vector<float> d(static_cast<size_t>(batch * m * n), NAN);
      void *pointers[] = {a.data(), b.data(), d.data()};
      std::vector<void *> arguments{&pointers[0], &pointers[1], &pointers[2]};
      sizes.forEach([&](const char *, int64_t &size) { arguments.push_back(&size); });
      auto prepared = multiply->prepare(arguments.data(), 3);
      ASSERT_TRUE(prepared.isOk()) << prepared.status().toString();
      const auto &call = static_cast<const CpuLibraryCall &>(**prepared);
      EXPECT_OK(call.run(arguments.data(), 0, 0, call.numPrograms()));
      double worst = 0;
      for (int64_t i = 0; i < batch * m * n; ++i) {
        const int64_t group = i / (m * n), row = i / n % m, column = i % n;
        double sum = 0;
        for (int64_t j = 0; j < k; ++j)
          sum += double{a[static_cast<size_t>(group * sizes.aBatch + row * sizes.aRow +
                                              j * sizes.aColumn)]} *
                 b[static_cast<size_t>(group * sizes.bBatch + j * sizes.bRow +
                                       column * sizes.bColumn)];
        const double error = std::abs(sum - d[static_cast<size_t>(i)]);
        worst = error <= worst ? worst : error; // also for NaN
      }
      EXPECT_LT(worst, 1e-5 * static_cast<double>(k))
          << m << " x " << n << " x " << k << ", batch " << batch << ", form " << form;
    }
}

TEST_F(OneDnnTest, RefusesWhatItDoesNot) {
  const auto multiply = createOneDnnMatmul(
      library_, libraryFunction(LibraryFunctionId::OneDnnMatmul), DataType::Float64);
  MatmulSizes<int64_t> sizes{4, 4, 4, 1, 4, 1, 0, 4, 1, 0};
  void *none = nullptr;
  std::vector<void *> arguments{&none, &none, &none};
  sizes.forEach([&](const char *, int64_t &size) { arguments.push_back(&size); });
  EXPECT_THAT(multiply->prepare(arguments.data(), 1).status(),
              IsError(StatusCode::Unimplemented, "is not used for float64"));
}

TEST(VendorLibraries, OwnKernelsStandInForMissingOnes) {
  for (const char *path : {"none", "/no/such/libdnnl.so"}) {
    const TestVariable variable("INLAY_ONEDNN", path);
    auto context = makeTestContext(loadTestEngine(makeEngine()), "cpu", 2);
    EXPECT_EQ(runLibraryEngine(*context, 100 * kTestColumns, false), Taken::Own) << path;
  }
  // A library that is something else.
  const TestVariable variable("INLAY_ONEDNN", "libm.so.6");
  EXPECT_THAT(OneDnn::open().status(),
              IsError(StatusCode::Incompatible, "has no function 'dnnl_version'"));
}

TEST(VendorLibraries, OfOtherDevicesAndUnknownOnesAreNotTaken) {
  TestEngine other = makeEngine(LibraryFunctionId::CublasLtMatmul);
  TestEngine unknown = makeEngine();
  unknown.engine.kernels[1]->images[0]->entry = "onednn.softmax";
  TestEngine parameters = makeEngine();
  parameters.engine.kernels[1]->parameters[5]->dtype = static_cast<uint8_t>(DataType::Int32);
  for (TestEngine *test : {&other, &unknown, &parameters}) {
    auto context = makeTestContext(loadTestEngine(std::move(*test)), "cpu", 1);
    EXPECT_EQ(runLibraryEngine(*context, 100 * kTestColumns, false), Taken::Own);
  }
}

/// Engines made to measure a library alone need it.
TEST(VendorLibraries, AreNeededByLaunchesOutsideChoices) {
  const TestVariable variable("INLAY_ONEDNN", "none");
  TestEngine test = makeEngine();
  test.engine.choices.clear();
  test.engine.steps[0]->kind.AsLaunch()->choice = UINT32_MAX;
  test.engine.steps.erase(test.engine.steps.begin() + 1);
  for (const std::unique_ptr<fb::BufferT> &buffer : test.engine.buffers)
    buffer->last_step = 1;
  EXPECT_THAT(
      ExecutionContext::create(loadTestEngine(std::move(test)), "cpu", {}).status(),
      IsError(StatusCode::NotFound,
              "INLAY_ONEDNN is set to none, so that oneDNN is not used, while loading kernel "
              "'onednn.matmul' of plugin 'aten::linear' (node 'linear')"));
}

} // namespace
} // namespace inlay
