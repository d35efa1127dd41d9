// Convolutions by cuDNN, whose mock works on the memory of the CUDA driver's mock.
#include "runtime/devices/cuda/CudaLibraryFunction.h"
#include "runtime/devices/cuda/CudaTestFixture.h"
#include "runtime/devices/cuda/CudnnMock.h"

#include <cmath>

namespace inlay {
namespace {

using Sizes = ConvolutionSizes<int64_t>;
using Triple = std::array<int64_t, 3>;

/// Twelve rows and nine columns; a part of the padding behind is seen only.
Sizes smallSizes() {
  Sizes sizes;
  sizes.images = 2, sizes.groups = 3, sizes.channels = 2, sizes.filters = 6;
  sizes.dims[1].size = 12, sizes.dims[2].size = 9;
  sizes.dims[1].kernel = 3, sizes.dims[2].kernel = 2;
  sizes.dims[1].stride = 2, sizes.dims[2].stride = 1;
  sizes.dims[1].padding = 1, sizes.dims[2].padding = 1;
  sizes.dims[1].dilation = 1, sizes.dims[2].dilation = 3;
  sizes.dims[1].out = 6, sizes.dims[2].out = 8;
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

/// The element that an output's place sees through a tap; none in the padding.
std::optional<int64_t> seen(const Sizes &sizes, const Triple &out, const Triple &tap) {
  int64_t index = 0;
  for (size_t i = 0; i < 3; ++i) {
    const ConvolutionDimension<int64_t> &dim = sizes.dims[i];
    const int64_t at = out[i] * dim.stride + tap[i] * dim.dilation - dim.padding;
    if (at < 0 || at >= dim.size)
      return std::nullopt;
    index = index * dim.size + at;
  }
  return index;
}
Triple placeIn(const Sizes &sizes, int64_t ConvolutionDimension<int64_t>::*member, int64_t index) {
  const int64_t width = sizes.dims[2].*member, height = sizes.dims[1].*member;
  return {index / (width * height), index / width % height, index % width};
}

TEST_F(CudnnTest, ConvolvesOnTheStreamOfTheRun) {
  using Dimension = ConvolutionDimension<int64_t>;
  for (const LibraryFunctionId id :
       {LibraryFunctionId::CudnnConvolution, LibraryFunctionId::CudnnConvolution3d}) {
    if (id == LibraryFunctionId::CudnnConvolution3d) {
      sizes_.numDims = 3;
      sizes_.dims[0] = {5, 3, 3, 2, 1, 1};
      x_ = numbers(sizes_.numelInput(), 7, 13);
      w_ = numbers(sizes_.numelWeight(), 5, 11);
      d_.assign(static_cast<size_t>(sizes_.numelOutput()), NAN);
    }
    pointers_[0] = x_.data(), pointers_[1] = w_.data(), pointers_[2] = d_.data();
    ASSERT_TRUE(prepare(id).isOk());
    const auto stream = reinterpret_cast<CudaStream>(&workspace_);
    EXPECT_OK(run(stream));
    EXPECT_EQ(cudnn_->stream, stream);
    EXPECT_EQ(cudnn_->computeType, cudnn::kFloat32);
    EXPECT_EQ(cudnn_->alignmentBytes, 16);
    for (int64_t at = 0; at < sizes_.numelOutput(); ++at) {
      const int64_t filter = at / sizes_.outVolume() % sizes_.filters;
      const int64_t image = at / sizes_.outVolume() / sizes_.filters;
      const Triple out = placeIn(sizes_, &Dimension::out, at % sizes_.outVolume());
      float sum = 0; // exact: small integers
      for (int64_t channel = 0; channel < sizes_.channels; ++channel)
        for (int64_t tap = 0; tap < sizes_.taps(); ++tap)
          if (const auto place = seen(sizes_, out, placeIn(sizes_, &Dimension::kernel, tap))) {
            const int64_t first = image * sizes_.groups * sizes_.channels;
            const int64_t volume = first + filter / 2 * sizes_.channels + channel;
            const int64_t weight = (filter * sizes_.channels + channel) * sizes_.taps() + tap;
            sum += x_[static_cast<size_t>(volume * sizes_.volume() + *place)] *
                   w_[static_cast<size_t>(weight)];
          }
      ASSERT_EQ(d_[static_cast<size_t>(at)], sum) << at << " of " << sizes_.numDims << " dims";
    }
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
  sizes_.dims[1].out = 5; // the mock takes float32, and sizes that fit
  EXPECT_THAT(prepare(), IsError(StatusCode::Unimplemented,
                                 "cuDNN 9.19.0 (" INLAY_TEST_CUDNN_MOCK
                                 ") does not do this: cudnnBackendFinalize gives status 3000"));
  sizes_.dims[1].out = 6;
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
