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
    Result<std::unique_ptr<Device>> device = createDevice("cpu");
    ASSERT_TRUE(device.isOk()) << device.status().toString();
    device_ = std::move(*device);
  }
  std::unique_ptr<Device> device_; // goes after all that has its memory
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
      LaunchRecord record;
      record.arguments = arguments.data();
      auto prepared = multiply->prepare(record, 3, *device_);
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

using Convolution = ConvolutionSizes<int64_t>;

using Triple = std::array<int64_t, 3>;

/// Calls `visit` with the places in a box, in order.
template <typename Visit>
void forEachPlace(const Triple &box, Visit visit) {
  for (int64_t z = 0; z < box[0]; ++z)
    for (int64_t y = 0; y < box[1]; ++y)
      for (int64_t x = 0; x < box[2]; ++x)
        visit(Triple{z, y, x});
}
int64_t placeIn(const Triple &box, const Triple &place) {
  return (place[0] * box[1] + place[1]) * box[2] + place[2];
}
Triple boxOf(const Convolution &sizes, int64_t ConvolutionDimension<int64_t>::*member) {
  return {sizes.dims[0].*member, sizes.dims[1].*member, sizes.dims[2].*member};
}

/// In double.
std::vector<double> convolve(const Convolution &sizes, const std::vector<float> &x,
                             const std::vector<float> &w, const std::vector<float> *bias) {
  using Dimension = ConvolutionDimension<int64_t>;
  std::vector<double> result;
  const Triple box = boxOf(sizes, &Dimension::size), window = boxOf(sizes, &Dimension::kernel);
  for (int64_t image = 0; image < sizes.images; ++image)
    for (int64_t filter = 0; filter < sizes.filters; ++filter)
      forEachPlace(boxOf(sizes, &Dimension::out), [&](const Triple &out) {
        double sum = bias ? double{(*bias)[static_cast<size_t>(filter)]} : 0;
        const int64_t group = filter / (sizes.filters / sizes.groups);
        for (int64_t channel = 0; channel < sizes.channels; ++channel)
          forEachPlace(window, [&](const Triple &tap) {
            Triple seen;
            for (size_t i = 0; i < 3; ++i) {
              const Dimension &dim = sizes.dims[i];
              seen[i] = out[i] * dim.stride + tap[i] * dim.dilation - dim.padding;
              if (seen[i] < 0 || seen[i] >= dim.size)
                return;
            }
            const int64_t volume = (image * sizes.groups + group) * sizes.channels + channel;
            const int64_t weight = filter * sizes.channels + channel;
            sum += double{x[static_cast<size_t>(volume * sizes.volume() + placeIn(box, seen))]} *
                   w[static_cast<size_t>(weight * sizes.taps() + placeIn(window, tap))];
          });
        result.push_back(sum);
      });
  return result;
}

/// Images, groups, channels and filters of a group, size, kernel, stride, padding, dilation; the
/// last dimension is a little larger.
Convolution convolutionOf(int64_t images, int64_t groups, int64_t channels, int64_t filters,
                          int64_t size, int64_t kernel, int64_t stride, int64_t padding,
                          int64_t dilation) {
  Convolution sizes;
  sizes.images = images, sizes.groups = groups, sizes.channels = channels;
  sizes.filters = groups * filters;
  for (size_t i = 1; i < 3; ++i) {
    ConvolutionDimension<int64_t> &dim = sizes.dims[i];
    dim = {size + (i == 2 ? 3 : 0), 1, kernel, stride, padding, dilation};
    dim.out = (dim.size + 2 * padding - dim.reach()) / stride + 1;
  }
  return sizes;
}

/// The same over `depth` planes.
Convolution inDepth(Convolution sizes, ConvolutionDimension<int64_t> depth) {
  sizes.numDims = 3;
  depth.out = (depth.size + 2 * depth.padding - depth.reach()) / depth.stride + 1;
  sizes.dims[0] = depth;
  return sizes;
}

std::vector<float> randomFloats(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float &value : values)
    value = std::uniform_real_distribution<float>(-1, 1)(random);
  return values;
}

/// Parts of images, groups, rows and filters, with windows of all kinds; weights that are packed
/// once, and those that may change.
TEST_F(OneDnnTest, Convolves) {
  for (const Convolution &shape :
       {convolutionOf(1, 1, 3, 24, 40, 7, 2, 3, 1), convolutionOf(1, 1, 32, 64, 30, 1, 1, 0, 1),
        convolutionOf(1, 1, 96, 80, 7, 3, 1, 1, 1), convolutionOf(1, 1, 40, 33, 28, 3, 2, 1, 1),
        convolutionOf(5, 1, 17, 24, 14, 3, 1, 1, 1), convolutionOf(2, 64, 1, 1, 20, 3, 1, 1, 1),
        convolutionOf(1, 144, 1, 1, 12, 5, 2, 2, 1), convolutionOf(1, 4, 16, 24, 17, 3, 1, 2, 2),
        convolutionOf(1, 1, 24, 16, 18, 3, 3, 0, 1), convolutionOf(1, 1, 64, 48, 5, 5, 1, 4, 1),
        convolutionOf(1, 1, 1, 1, 1, 1, 1, 0, 1), convolutionOf(1, 1, 48, 64, 12, 1, 2, 0, 1),
        inDepth(convolutionOf(1, 1, 16, 32, 9, 3, 1, 1, 1), {6, 1, 3, 1, 1, 1}),
        inDepth(convolutionOf(2, 2, 3, 20, 8, 2, 2, 0, 1), {7, 1, 3, 2, 0, 2}),
        inDepth(convolutionOf(1, 20, 1, 1, 6, 3, 1, 1, 1), {5, 1, 3, 1, 1, 1}),
        inDepth(convolutionOf(1, 1, 24, 40, 8, 1, 1, 0, 1), {4, 1, 1, 1, 0, 1})})
    for (const bool hasBias : {false, true})
      for (const uint32_t numThreads : {1u, 3u, 8u})
        for (const bool isConstant : {false, true}) {
          Convolution sizes = shape;
          std::vector<float> x = randomFloats(sizes.numelInput(), 1),
                             w = randomFloats(sizes.numelWeight(), 2),
                             bias = randomFloats(sizes.filters, 3),
                             d(static_cast<size_t>(sizes.numelOutput()), NAN);
          void *pointers[] = {x.data(), w.data(), hasBias ? bias.data() : d.data(), d.data()};
          std::vector<void *> arguments{&pointers[0], &pointers[1], &pointers[2]};
          if (hasBias)
            arguments.push_back(&pointers[3]);
          sizes.forEach([&](const char *, int64_t &size) { arguments.push_back(&size); });
          const auto function = createOneDnnConvolution(
              library_,
              libraryFunction(sizes.numDims == 3
                                  ? (hasBias ? LibraryFunctionId::OneDnnConvolution3dBias
                                             : LibraryFunctionId::OneDnnConvolution3d)
                                  : (hasBias ? LibraryFunctionId::OneDnnConvolutionBias
                                             : LibraryFunctionId::OneDnnConvolution)),
              DataType::Float32);
          LaunchRecord record;
          record.arguments = arguments.data();
          record.constantArguments = isConstant ? 2 : 0;
          auto prepared = function->prepare(record, numThreads, *device_);
          ASSERT_TRUE(prepared.isOk()) << prepared.status().toString();
          const auto &call = static_cast<const CpuLibraryCall &>(**prepared);
          EXPECT_EQ(device_->memoryUse().nowBytes, call.memoryBytes());
          const uint64_t programs = call.numPrograms();
          EXPECT_LE(programs, std::max<uint64_t>(numThreads, static_cast<uint64_t>(sizes.images)));
          // As threads would: each part at a place of its own.
          for (uint64_t i = 0; i < programs; ++i)
            EXPECT_OK(call.run(arguments.data(), static_cast<uint32_t>(i % numThreads), i, i + 1));
          const std::vector<double> expected = convolve(sizes, x, w, hasBias ? &bias : nullptr);
          double worst = 0;
          for (size_t i = 0; i < expected.size(); ++i) {
            const double error = std::abs(expected[i] - double{d[i]});
            worst = error <= worst ? worst : error; // also for NaN
          }
          EXPECT_LT(worst, 1e-5 * static_cast<double>(sizes.channels * sizes.taps()))
              << sizes.numDims << " dimensions, " << sizes.images << " images, " << sizes.groups
              << " groups of " << sizes.channels << " channels, " << sizes.filters << " filters, "
              << sizes.dims[1].size << " rows, kernel " << sizes.dims[1].kernel << ", "
              << numThreads << " threads, bias " << hasBias;
        }
}

/// Two contexts of an engine hold a large convolution's packed weights once.
TEST_F(OneDnnTest, SharesPackedWeights) {
  Convolution sizes = convolutionOf(1, 1, 512, 512, 7, 3, 1, 1, 1);
  std::vector<float> x = randomFloats(sizes.numelInput(), 1),
                     w = randomFloats(sizes.numelWeight(), 2),
                     d(static_cast<size_t>(sizes.numelOutput()));
  void *pointers[] = {x.data(), w.data(), d.data()};
  std::vector<void *> arguments{&pointers[0], &pointers[1], &pointers[2]};
  sizes.forEach([&](const char *, int64_t &size) { arguments.push_back(&size); });
  const auto function = createOneDnnConvolution(
      library_, libraryFunction(LibraryFunctionId::OneDnnConvolution), DataType::Float32);
  LaunchRecord record;
  record.arguments = arguments.data();
  record.constantArguments = 2;
  const auto weightBytes = static_cast<uint64_t>(sizes.numelWeight()) * 4;
  auto first = function->prepare(record, 1, *device_);
  ASSERT_TRUE(first.isOk()) << first.status().toString();
  const uint64_t one = device_->memoryUse().nowBytes;
  EXPECT_GE(one, weightBytes);
  auto second = function->prepare(record, 1, *device_);
  ASSERT_TRUE(second.isOk());
  EXPECT_LT(device_->memoryUse().nowBytes, one + weightBytes / 2);
  first->reset();
  second->reset();
  EXPECT_EQ(device_->memoryUse().nowBytes, 0u);
}

TEST_F(OneDnnTest, RefusesWhatItDoesNot) {
  const auto multiply = createOneDnnMatmul(
      library_, libraryFunction(LibraryFunctionId::OneDnnMatmul), DataType::Float64);
  MatmulSizes<int64_t> sizes{4, 4, 4, 1, 4, 1, 0, 4, 1, 0};
  void *none = nullptr;
  std::vector<void *> arguments{&none, &none, &none};
  sizes.forEach([&](const char *, int64_t &size) { arguments.push_back(&size); });
  LaunchRecord record;
  record.arguments = arguments.data();
  EXPECT_THAT(multiply->prepare(record, 1, *device_).status(),
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
