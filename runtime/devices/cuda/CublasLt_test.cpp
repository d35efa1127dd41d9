// Products by cuBLASLt, whose mock works on the memory of the CUDA driver's mock.
#include "runtime/devices/LibraryTestEngine.h"
#include "runtime/devices/cuda/CublasLtMock.h"
#include "runtime/devices/cuda/CudaLibraryFunction.h"
#include "runtime/devices/cuda/CudaTestFixture.h"

#include <cmath>

namespace inlay {
namespace {

class CublasLtTest : public CudaDeviceTest {
protected:
  void SetUp() override {
    CudaDeviceTest::SetUp();
    ::setenv("INLAY_CUBLASLT", INLAY_TEST_CUBLASLT_MOCK, 1);
    Result<DynamicLibrary> library = DynamicLibrary::open(INLAY_TEST_CUBLASLT_MOCK);
    ASSERT_TRUE(library.isOk()) << library.status().toString();
    cublasLtLibrary_.emplace(std::move(*library));
    cublasLt_ = reinterpret_cast<decltype(&inlayCublasLtMockState)>(
        cublasLtLibrary_->find("inlayCublasLtMockState"))();
    *cublasLt_ = {};
  }
  void TearDown() override {
    ::unsetenv("INLAY_CUBLASLT");
    EXPECT_EQ(cublasLt_->liveHandles, 0);
    EXPECT_EQ(cublasLt_->liveObjects, 0);
    CudaDeviceTest::TearDown();
  }
  static TestEngine makeEngine(LibraryFunctionId id = LibraryFunctionId::CublasLtMatmul) {
    return addLibraryTactic(makeCudaEngine(), id);
  }

  std::optional<DynamicLibrary> cublasLtLibrary_;
  CublasLtMockState *cublasLt_ = nullptr;
};

TEST_F(CublasLtTest, IsTakenOnTheStreamOfTheRun) {
  for (const bool hasBias : {false, true}) {
    auto context =
        makeTestContext(loadTestEngine(makeEngine(hasBias ? LibraryFunctionId::CublasLtMatmulBias
                                                          : LibraryFunctionId::CublasLtMatmul)),
                        "cuda:0");
    for (const int64_t rows : {1, 5, 100})
      EXPECT_EQ(runLibraryEngine(*context, rows * kTestColumns, hasBias), Taken::Library) << rows;
    EXPECT_EQ(cublasLt_->stream, context->stream());
  }
  EXPECT_TRUE(mock_->launches.empty());
  // Exact float32, and sums that do not depend on the order in which blocks end.
  EXPECT_EQ(cublasLt_->computeType, 68);
  EXPECT_EQ(cublasLt_->scaleType, 0);
  EXPECT_EQ(cublasLt_->reductions, 2u);
  EXPECT_EQ(cublasLt_->alignmentBytes, 16u);
  EXPECT_EQ(cublasLt_->workspaceBytes, 32u << 20);
}

TEST_F(CublasLtTest, IsPreparedWhenSizesChangeOnly) {
  auto context = makeTestContext(loadTestEngine(makeEngine()), "cuda:0");
  const auto run = [&](int64_t rows) {
    EXPECT_EQ(runLibraryEngine(*context, rows * kTestColumns, false), Taken::Library);
  };
  run(5);
  run(5); // elsewhere
  run(5);
  EXPECT_EQ(cublasLt_->numSearches, 1);
  EXPECT_EQ(cublasLt_->numProducts, 3);
  run(6);
  EXPECT_EQ(cublasLt_->numSearches, 2);
}

TEST_F(CublasLtTest, LeavesSizesThatItRefusesToOwnKernels) {
  cublasLt_->refuses = true;
  auto context = makeTestContext(loadTestEngine(makeEngine()), "cuda:0");
  EXPECT_EQ(runLibraryEngine(*context, 5 * kTestColumns, false), Taken::Own);
  EXPECT_EQ(cublasLt_->numSearches, 1);
  EXPECT_LT(context->statistics().plannedBytes, 1u << 20); // no workspace for it
  cublasLt_->refuses = false;
  EXPECT_EQ(runLibraryEngine(*context, 6 * kTestColumns, false), Taken::Library);
  EXPECT_GE(context->statistics().plannedBytes, 32u << 20);
}

TEST_F(CublasLtTest, NamesTheLaunchThatFails) {
  auto context = makeTestContext(loadTestEngine(makeEngine()), "cuda:0");
  const Bound bound(*context);
  EXPECT_OK(context->run(nullptr));
  cublasLt_->failure = 14;
  EXPECT_THAT(context->run(nullptr),
              IsError(StatusCode::DeviceError,
                      "cublasLtMatmul of cuBLASLt 12.8.4 (" INLAY_TEST_CUBLASLT_MOCK
                      ") failed with status 14, while running step 0, kernel 'cublasLt.matmul' of "
                      "plugin 'aten::linear' (node 'linear'), tactic 'library'"));
}

TEST_F(CublasLtTest, OwnKernelsStandInForMissingOnes) {
  for (const char *path : {"none", "/no/such/libcublasLt.so", INLAY_TEST_CUDA_MOCK}) {
    ::setenv("INLAY_CUBLASLT", path, 1);
    auto context = makeTestContext(loadTestEngine(makeEngine()), "cuda:0");
    EXPECT_EQ(runLibraryEngine(*context, 5 * kTestColumns, false), Taken::Own) << path;
  }
}

/// All forms of operands, against products in double.
TEST_F(CublasLtTest, MultipliesMatricesHoweverTheyLie) {
  auto library = CublasLt::open();
  ASSERT_TRUE(library.isOk()) << library.status().toString();
  const auto multiply = createCublasLtMatmul(
      *library, libraryFunction(LibraryFunctionId::CublasLtMatmul), DataType::Float32);
  std::vector<float> a(4096), b(4096), workspace(1);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<float>(i * 7 % 13) - 6;
    b[i] = static_cast<float>(i * 5 % 11) - 5;
  }
  for (const auto &[m, n, k, batch] : {std::array<int64_t, 4>{1, 1, 1, 1},
                                       {3, 5, 7, 1},
                                       {1, 6, 4, 1},
                                       {6, 1, 4, 1},
                                       {6, 4, 1, 1},
                                       {5, 6, 7, 3}})
    for (const uint32_t form : {0u, 1u, 2u, 3u, 4u, 8u, 15u}) {
      MatmulSizes<int64_t> sizes;
      sizes.m = m, sizes.n = n, sizes.k = k, sizes.batch = batch;
      sizes.aRow = form & 1 ? 1 : k, sizes.aColumn = form & 1 ? m : 1;
      sizes.bRow = form & 2 ? 1 : n, sizes.bColumn = form & 2 ? k : 1;
      sizes.aBatch = form & 4 ? 0 : m * k, sizes.bBatch = form & 8 ? 0 : k * n;
      std::vector<float> d(static_cast<size_t>(batch * m * n), NAN);
      void *pointers[] = {a.data(), b.data(), d.data(), workspace.data()};
      std::vector<void *> arguments{&pointers[0], &pointers[1], &pointers[2], &pointers[3]};
      sizes.forEach([&](const char *, int64_t &size) { arguments.push_back(&size); });
      auto call = multiply->prepare(arguments.data());
      ASSERT_TRUE(call.isOk()) << call.status().toString();
      EXPECT_OK(static_cast<const CudaLibraryCall &>(**call).run(arguments.data(), nullptr));
      for (int64_t i = 0; i < batch * m * n; ++i) {
        const int64_t group = i / (m * n), row = i / n % m, column = i % n;
        float sum = 0; // exact: small integers
        for (int64_t j = 0; j < k; ++j)
          sum +=
              a[static_cast<size_t>(group * sizes.aBatch + row * sizes.aRow + j * sizes.aColumn)] *
              b[static_cast<size_t>(group * sizes.bBatch + j * sizes.bRow +
                                    column * sizes.bColumn)];
        ASSERT_EQ(d[static_cast<size_t>(i)], sum)
            << m << " x " << n << " x " << k << ", batch " << batch << ", form " << form;
      }
    }
}

} // namespace
} // namespace inlay
