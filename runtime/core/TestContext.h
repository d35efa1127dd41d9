// Engines and contexts for the runtime's tests, made from engine/TestEngine.h.
#pragma once

#include "engine/TestEngine.h"
#include "runtime/core/ExecutionContext.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <vector>

namespace inlay {

/// Matches an error Status by its code and a part of its message.
MATCHER_P2(IsError, code, text, "") {
  *result_listener << "which is " << arg.toString();
  return arg.code() == code && arg.message().find(text) != std::string::npos;
}

/// Fails the test with the message if a Status is an error.
#define EXPECT_OK(expression)                                                                      \
  do {                                                                                             \
    const ::inlay::Status inlayTestStatus = (expression);                                          \
    EXPECT_TRUE(inlayTestStatus.isOk()) << inlayTestStatus.toString();                             \
  } while (false)

/// The bytes of an engine file.
inline std::vector<std::byte> writeTestEngine(TestEngine test) {
  Result<std::vector<std::byte>> bytes = writeEngineFile(std::move(test.engine), test.segments);
  INLAY_CHECK(bytes.isOk(), bytes.status().toString());
  return std::move(*bytes);
}

inline std::shared_ptr<Engine> loadTestEngine(TestEngine test = makeTestEngine()) {
  Result<EngineFile> file = EngineFile::fromBytes(writeTestEngine(std::move(test)));
  INLAY_CHECK(file.isOk(), file.status().toString());
  return std::move(*Engine::create(std::move(*file)));
}

inline std::unique_ptr<ExecutionContext>
makeTestContext(const std::shared_ptr<Engine> &engine, std::string_view device,
                int32_t numThreads = 0, uint32_t maxGraphs = 0, bool isDebug = false) {
  auto context = ExecutionContext::create(engine, device, {numThreads, maxGraphs, isDebug});
  INLAY_CHECK(context.isOk(), context.status().toString());
  return std::move(*context);
}

/// The expression `value` at the end of an engine's program; its index.
inline uint32_t appendConstant(fb::EngineT &engine, int64_t value) {
  engine.expressions.emplace_back(static_cast<uint8_t>(ExprKind::Constant), 0, 0, 0, value);
  return static_cast<uint32_t>(engine.expressions.size() - 1);
}

/// The expression `a kind b` of two others at the end of an engine's program; its index.
inline uint32_t appendExpression(fb::EngineT &engine, ExprKind kind, uint32_t a, uint32_t b) {
  engine.expressions.emplace_back(static_cast<uint8_t>(kind), a, b, 0, 0);
  return static_cast<uint32_t>(engine.expressions.size() - 1);
}

/// Memory for tensors, aligned to 64 bytes and filled with one byte's value.
class TestMemory {
public:
  explicit TestMemory(size_t sizeBytes, int fill = 0)
      : data_(std::aligned_alloc(64, (sizeBytes + 127) / 64 * 64)) {
    std::memset(data_, fill, sizeBytes);
  }
  TestMemory(const TestMemory &) = delete;
  ~TestMemory() { std::free(data_); }
  void *data() const { return data_; }
  float *floats() const { return static_cast<float *>(data_); }

private:
  void *data_;
};

/// Memory of `count` floats counting from `first`.
inline std::unique_ptr<TestMemory> countingFloats(size_t count, float first = 0) {
  auto memory = std::make_unique<TestMemory>(count * sizeof(float));
  for (size_t i = 0; i < count; ++i)
    memory->floats()[i] = first + static_cast<float>(i);
  return memory;
}

} // namespace inlay
