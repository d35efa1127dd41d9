// Convolutions by cuDNN, whose mock works on the memory of the CUDA driver's mock.
#include "runtime/devices/cuda/CudaLibraryFunction.h"
#include "runtime/devices/cuda/CudaTestFixture.h"
#include "runtime/devices/cuda/CudnnMock.h"

#include <cmath>

namespace inlay {
namespace {

using Sizes = ConvolutionSizes<int64_t>;

/// Twelve rows and nine columns; a part of the padding behind is seen only.
Sizes smallSizes() {
  Sizes sizes;
  sizes.images = 2, sizes.groups = 3, sizes.channels = 2, sizes.filters = 6;
  sizes.height = 12, sizes.width = 9;
  sizes.kernelHeight = 3, sizes.kernelWidth = 2;
  sizes.strideHeight = 2, sizes.strideWidth = 1;
  sizes.paddingHeight = 1, sizes.paddingWidth = 1;
  sizes.dilationHeight = 1, sizes.dilationWidth = 3;
  sizes.outHeight = 6, sizes.outWidth = 8;
  return sizes;
}

class CudnnTest : public CudaDeviceTest {
protected:
  void SetUp() override {
    CudaDeviceTest::SetUp();
    ::setenv("INLAY_CUDNN", INLAY_TEST_CUDNN_MOCK, 1);
    Result<DynamicLibrary> library = DynamicLibrary::open(INLAY_TEST_CUDNN_MOCK);
    ASSERT_TRUE(library.isOk()) << library.status().toString();
    mockLibrary_.emplace(std::move(*library));
    cudnn_ = reinterpret_cast<decltype(&inlayCudnnMockState)>(
        mockLibrary_->find("inlayCudnnMockState"))();
    *cudnn_ = {};
    Result<std::shared_ptr<const Cudnn>> opened = Cudnn::open();
    ASSERT_TRUE(opened.isOk()) << opened.status().toString();
    library_ = *opened;
    x_ = numbers(smallSizes().numelInput(), 7, 13);
    w_ = numbers(smallSizes().numelWeight(), 5, 11);
    d_.assign(static_cast<size_t>(smallSizes().numelOutput()), NAN);
  }
  void TearDown() override {
    call_.reset();
    function_.reset();
    library_.reset();
    ::unsetenv("INLAY_CUDNN");
    EXPECT_EQ(cudnn_->liveHandles, 0);
    EXPECT_EQ(cudnn_->liveDescriptors, 0);
    CudaDeviceTest::TearDown();
  }
  static std::vector<float> numbers(int64_t count, int64_t step, int64_t most) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(static_cast<float>(i * step % most - most / 2));
    return values;
  }

  Status prepare(LibraryFunctionId id = LibraryFunctionId::CudnnConvolution,
                 DataType dtype = DataType::Float32) {
    call_.reset();
    function_ = createCudnnConvolution(library_, libraryFunction(id), dtype);
    arguments_ = {&pointers_[0], &pointers_[1], &pointers_[2], &pointers_[3]};
    sizes_.forEach([&](const char *, int64_t &size) { arguments_.push_back(&size); });
    auto call = function_->prepare(arguments_.data());
    if (!call.isOk())
      return call.status();
    call_ = std::move(*call);
    return {};
  }
  Status run(CudaStream stream = nullptr) {
    return static_cast<const CudaLibraryCall &>(*call_).run(arguments_.data(), stream);
  }

  std::optional<DynamicLibrary> mockLibrary_;
  CudnnMockState *cudnn_ = nullptr;
  std::shared_ptr<const Cudnn> library_;
  std::unique_ptr<CudaLibraryFunction> function_;
  std::unique_ptr<PreparedCall> call_;
  Sizes sizes_ = smallSizes();
  std::vector<float> x_, w_, d_;
  float workspace_ = 0;
  void *pointers_[4] = {nullptr, nullptr, nullptr, &workspace_};
  std::vector<void *> arguments_;
};

TEST_F(CudnnTest, ConvolvesOnTheStreamOfTheRun) {
  pointers_[0] = x_.data(), pointers_[1] = w_.data(), pointers_[2] = d_.data();
  ASSERT_TRUE(prepare().isOk());
  const auto stream = reinterpret_cast<CudaStream>(&workspace_);
  EXPECT_OK(run(stream));
  EXPECT_EQ(cudnn_->stream, stream);
  EXPECT_EQ(cudnn_->computeType, cudnn::kFloat32);
  EXPECT_EQ(cudnn_->alignmentBytes, 16);
  size_t next = 0;
  for (int64_t image = 0; image < 2; ++image)
    for (int64_t filter = 0; filter < 6; ++filter)
      for (int64_t row = 0; row < 6; ++row)
        for (int64_t column = 0; column < 8; ++column) {
          float sum = 0; // exact: small integers
          for (int64_t channel = 0; channel < 2; ++channel)
            for (int64_t i = 0; i < 3; ++i)
              for (int64_t j = 0; j < 2; ++j) {
                const int64_t y = row * 2 + i - 1, z = column + j * 3 - 1;
                if (y < 0 || y >= 12 || z < 0 || z >= 9)
                  continue;
                const int64_t plane = image * 6 + filter / 2 * 2 + channel;
                sum += x_[static_cast<size_t>((plane * 12 + y) * 9 + z)] *
                       w_[static_cast<size_t>(((filter * 2 + channel) * 3 + i) * 2 + j)];
              }
          ASSERT_EQ(d_[next++], sum) << image << ' ' << filter << ' ' << row << ' ' << column;
        }
}

TEST_F(CudnnTest, PacksAddressesWhenTheyChangeOnly) {
  pointers_[0] = x_.data(), pointers_[1] = w_.data(), pointers_[2] = d_.data();
  ASSERT_TRUE(prepare().isOk());
  EXPECT_OK(run());
  EXPECT_OK(run());
  EXPECT_EQ(cudnn_->numPacks, 1);
  std::vector<float> other(d_.size());
  pointers_[2] = other.data();
  EXPECT_OK(run());
  EXPECT_EQ(cudnn_->numPacks, 2);
  EXPECT_EQ(other, d_);
  EXPECT_EQ(cudnn_->numRuns, 3);
  EXPECT_EQ(cudnn_->numSearches, 1);
}

/// Engines whose results differ from run to run, or are less exact than our kernels', are not
/// taken.
TEST_F(CudnnTest, TakesExactEngines) {
  using enum cudnn::Note;
  const auto engineFor = [&](LibraryFunctionId id) {
    cudnn_->engine = -1;
    EXPECT_OK(prepare(id));
    return cudnn_->engine;
  };
  cudnn_->engines = {{{Nondeterministic}},
                     {{TensorCore, DownConvertsInputs}},
                     {{ReducedPrecisionReduction}},
                     {{Fft}},
                     {{TensorCore}},
                     {{Winograd, WinogradTile13x13}},
                     {{Winograd, WinogradTile4x4}}};
  EXPECT_EQ(engineFor(LibraryFunctionId::CudnnConvolution), 6);
  EXPECT_EQ(engineFor(LibraryFunctionId::CudnnConvolutionTf32), 4);
  cudnn_->engines.resize(4);
  EXPECT_THAT(prepare(), IsError(StatusCode::Unimplemented, "has no engine for this convolution"));
  // What works for most sizes is asked for last.
  cudnn_->fallbacks = {{}};
  EXPECT_EQ(engineFor(LibraryFunctionId::CudnnConvolution), 4);
}

TEST_F(CudnnTest, TakesEnginesThatFit) {
  const int64_t most = cudnnWorkspaceBytes(sizes_, 4);
  cudnn_->engines = {{{}, most + 1}, {{}, 0, true}, {{}, most}};
  ASSERT_TRUE(prepare().isOk());
  EXPECT_EQ(cudnn_->engine, 2);
}

TEST_F(CudnnTest, SaysWhatItDoesNot) {
  EXPECT_THAT(prepare(LibraryFunctionId::CudnnConvolution, DataType::Int32),
              IsError(StatusCode::Unimplemented, "is not used for int32"));
  sizes_.outHeight = 5; // the mock takes float32, and sizes that fit
  EXPECT_THAT(prepare(), IsError(StatusCode::Unimplemented,
                                 "cuDNN 9.19.0 (" INLAY_TEST_CUDNN_MOCK
                                 ") does not do this: cudnnBackendFinalize gives status 3000"));
  sizes_.outHeight = 6;
  ASSERT_TRUE(prepare().isOk());
  cudnn_->failure = 5001;
  EXPECT_THAT(run(), IsError(StatusCode::DeviceError, "cudnnBackendExecute of cuDNN 9.19.0"));
}

TEST_F(CudnnTest, SaysWhyItIsNotThere) {
  for (const auto &[path, code, message] :
       {std::tuple("none", StatusCode::NotFound, "INLAY_CUDNN is set to none"),
        std::tuple("/no/such/libcudnn.so", StatusCode::NotFound, "INLAY_CUDNN names '/no/such"),
        std::tuple(INLAY_TEST_CUDA_MOCK, StatusCode::Incompatible,
                   "has no function 'cudnnCreate'")}) {
    ::setenv("INLAY_CUDNN", path, 1);
    EXPECT_THAT(Cudnn::open().status(), IsError(code, message));
  }
}

} // namespace
} // namespace inlay
