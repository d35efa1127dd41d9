// For tests of the CUDA device: the driver that is made for them, and tensors for its kernel.
#pragma once

#include "base/DynamicLibrary.h"
#include "runtime/core/TestContext.h"
#include "runtime/devices/cuda/CudaMock.h"

#include <cstdlib>
#include <cstring>
#include <optional>

namespace inlay {

class CudaDeviceTest : public testing::Test {
protected:
  void SetUp() override {
    ::setenv("INLAY_CUDA_DRIVER", INLAY_TEST_CUDA_MOCK, 1);
    Result<DynamicLibrary> library = DynamicLibrary::open(INLAY_TEST_CUDA_MOCK);
    ASSERT_TRUE(library.isOk()) << library.status().toString();
    library_.emplace(std::move(*library)); // stays loaded, and so does its state
    mock_ = reinterpret_cast<decltype(&inlayCudaMockState)>(library_->find("inlayCudaMockState"))();
    *mock_ = {};
  }
  void TearDown() override {
    ::unsetenv("INLAY_CUDA_DRIVER");
    EXPECT_EQ(mock_->liveAllocations, 0);
    EXPECT_EQ(mock_->liveContexts, 0);
    EXPECT_EQ(mock_->liveEvents, 0);
    EXPECT_EQ(mock_->liveGraphs, 0);
    EXPECT_EQ(mock_->liveModules, 0);
    EXPECT_EQ(mock_->liveStreams, 0);
  }

  /// A test engine that adds 1: bias[0] * 0.5.
  static TestEngine makeCudaEngine() {
    TestEngine test = makeTestEngine();
    const float bias[] = {2, 0};
    std::memcpy(test.segments[2].data(), bias, sizeof(bias));
    return test;
  }
  static Status createContext(TestEngine test = makeCudaEngine()) {
    return ExecutionContext::create(loadTestEngine(std::move(test)), "cuda", {0}).status();
  }
  void failAt(const char *function, int failure = 1) {
    mock_->failingFunction = function;
    mock_->failure = failure;
  }

  std::optional<DynamicLibrary> library_;
  CudaMockState *mock_ = nullptr;
};

inline constexpr int64_t kShape[] = {300};

/// 300 floats, from 0 on and from 1 on, bound to x and z.
struct Bound {
  explicit Bound(ExecutionContext &context, bool isOnDevice = false) {
    EXPECT_OK(context.bindInput(0, {x->data(), DataType::Float32, kShape, isOnDevice}));
    EXPECT_OK(context.bindOutput(0, {z->data(), DataType::Float32, kShape, isOnDevice}));
  }
  bool isResultRight() const {
    for (size_t i = 0; i < 300; ++i)
      if (z->floats()[i] != static_cast<float>(i) + 1)
        return false;
    return true;
  }
  std::unique_ptr<TestMemory> x = countingFloats(300), z = countingFloats(300, 7);
};

} // namespace inlay
