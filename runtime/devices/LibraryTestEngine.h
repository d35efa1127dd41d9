// The test engine with a rival for its launch: a function of a library.
#pragma once

#include "base/LibraryFunctions.h"
#include "runtime/core/TestContext.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace inlay {

/// Columns of x, which is seen as a matrix, and of the product.
inline constexpr int64_t kTestColumns = 8;

inline float testWeight(int64_t row, int64_t column) {
  return static_cast<float>(row - column) * 0.25f;
}
inline float testBias(int64_t column) { return static_cast<float>(column) - 2; }

/// What the library is to compute of x: x · wᵀ (+ bias).
inline std::vector<float> expectedProduct(const float *x, int64_t numElements, bool hasBias) {
  std::vector<float> result(static_cast<size_t>(numElements));
  for (int64_t i = 0; i < numElements; ++i) {
    const int64_t row = i / kTestColumns, column = i % kTestColumns;
    float sum = hasBias ? testBias(column) : 0;
    for (int64_t k = 0; k < kTestColumns; ++k)
      sum += x[row * kTestColumns + k] * testWeight(column, k);
    result[static_cast<size_t>(i)] = sum;
  }
  return result;
}

/// Gives a test engine, which adds 1, a choice: first a product by the function, then its own
/// launch. x has a multiple of kTestColumns elements.
inline TestEngine addLibraryTactic(TestEngine test, LibraryFunctionId id) {
  fb::EngineT &engine = test.engine;
  const LibraryFunction &function = libraryFunction(id);
  const auto add = [&](ExprKind kind, uint32_t a, uint32_t b, int64_t value) {
    engine.expressions.emplace_back(static_cast<uint8_t>(kind), a, b, 0, value);
    return static_cast<uint32_t>(engine.expressions.size() - 1);
  };
  const auto constant = [&](int64_t value) { return add(ExprKind::Constant, 0, 0, value); };
  const auto addBuffer = [&](fb::BufferKind kind, int64_t sizeBytes, uint32_t segment) {
    auto buffer = std::make_unique<fb::BufferT>();
    buffer->kind = kind;
    buffer->size_bytes = constant(sizeBytes);
    buffer->segment = segment;
    engine.buffers.push_back(std::move(buffer));
    return static_cast<uint32_t>(engine.buffers.size() - 1);
  };
  const auto addConstant = [&](const std::vector<float> &values) {
    test.segments.emplace_back(values.size() * sizeof(float));
    std::memcpy(test.segments.back().data(), values.data(), test.segments.back().size());
    return addBuffer(fb::BufferKind::Constant, static_cast<int64_t>(test.segments.back().size()),
                     static_cast<uint32_t>(test.segments.size() - 1));
  };
  std::vector<float> weights, bias;
  for (int64_t row = 0; row < kTestColumns; ++row) {
    bias.push_back(testBias(row));
    for (int64_t column = 0; column < kTestColumns; ++column)
      weights.push_back(testWeight(row, column));
  }
  test.segments.emplace_back(); // of the image

  auto kernel = std::make_unique<fb::KernelT>();
  auto image = std::make_unique<fb::ImageT>();
  kernel->name = image->entry = function.name;
  image->target = function.family;
  image->format = fb::ImageFormat::LibraryFunction;
  image->segment = static_cast<uint32_t>(test.segments.size() - 1);
  kernel->images.push_back(std::move(image));
  fb::LaunchT launch;
  const auto addArgument = [&](std::string name, fb::ParameterKind kind, uint32_t index) {
    auto parameter = std::make_unique<fb::ParameterT>();
    const bool isPointer = kind == fb::ParameterKind::Pointer;
    parameter->name = std::move(name);
    parameter->kind = kind;
    parameter->dtype = static_cast<uint8_t>(isPointer ? DataType::Float32 : DataType::Int64);
    kernel->parameters.push_back(std::move(parameter));
    auto argument = std::make_unique<fb::ArgumentT>();
    argument->kind = isPointer ? fb::ArgumentKind::Buffer : fb::ArgumentKind::Expression;
    argument->index = index;
    launch.arguments.push_back(std::move(argument));
  };
  const std::string pointers = " " + std::string(function.pointers) + " ";
  addArgument("a", fb::ParameterKind::Pointer, 0);
  addArgument("b", fb::ParameterKind::Pointer, addConstant(weights));
  if (pointers.find(" bias ") != std::string::npos)
    addArgument("bias", fb::ParameterKind::Pointer, addConstant(bias));
  addArgument("d", fb::ParameterKind::Pointer, 1);
  if (pointers.find(" workspace ") != std::string::npos)
    addArgument("workspace", fb::ParameterKind::Pointer,
                addBuffer(fb::BufferKind::Workspace, kCublasLtWorkspaceBytes, UINT32_MAX));
  MatmulSizes<uint32_t> sizes;
  const uint32_t columns = constant(kTestColumns), one = constant(1), zero = constant(0);
  sizes.m = add(ExprKind::FloorDiv, engine.inputs[0]->shape[0], columns, 0);
  sizes.n = sizes.k = sizes.aRow = sizes.bColumn = columns;
  sizes.batch = sizes.aColumn = sizes.bRow = one;
  sizes.aBatch = sizes.bBatch = zero;
  sizes.forEach([&](const char *name, uint32_t index) {
    addArgument(name, fb::ParameterKind::Scalar, index);
  });
  engine.kernels.push_back(std::move(kernel));

  launch.kernel = static_cast<uint32_t>(engine.kernels.size() - 1);
  launch.grid = {one, one, one};
  launch.plugin = "aten::linear";
  launch.node = "linear";
  launch.choice = 0;
  auto step = std::make_unique<fb::StepT>();
  step->kind.Set(std::move(launch));
  engine.steps[0]->kind.AsLaunch()->choice = 0;
  engine.steps[0]->kind.AsLaunch()->tactic = 1;
  engine.steps.insert(engine.steps.begin(), std::move(step));
  auto choice = std::make_unique<fb::ChoiceT>();
  for (const char *name : {"library", "own"}) {
    auto tactic = std::make_unique<fb::TacticT>();
    tactic->name = name;
    choice->tactics.push_back(std::move(tactic));
  }
  auto order = std::make_unique<fb::TacticOrderT>();
  order->tactics = {0, 1};
  choice->orders.push_back(std::move(order));
  engine.choices.push_back(std::move(choice));
  for (const std::unique_ptr<fb::BufferT> &buffer : engine.buffers)
    buffer->last_step = 2;
  return test;
}

/// An environment variable, as long as it lives.
class TestVariable {
public:
  TestVariable(const char *name, const char *value) : name_(name) { ::setenv(name, value, 1); }
  TestVariable(const TestVariable &) = delete;
  ~TestVariable() { ::unsetenv(name_); }

private:
  const char *name_;
};

/// What an engine of addLibraryTactic did with x.
enum class Taken { Library, Own, Neither };

inline Taken runLibraryEngine(ExecutionContext &context, int64_t numElements, bool hasBias) {
  const auto x = countingFloats(static_cast<size_t>(numElements)),
             z = countingFloats(static_cast<size_t>(numElements), -7);
  const int64_t shape[] = {numElements};
  EXPECT_OK(context.bindInput(0, {x->data(), DataType::Float32, shape, false}));
  EXPECT_OK(context.bindOutput(0, {z->data(), DataType::Float32, shape, false}));
  EXPECT_OK(context.run(nullptr));
  const std::vector<float> product = expectedProduct(x->floats(), numElements, hasBias);
  bool isProduct = true, isOwn = true;
  for (size_t i = 0; i < product.size(); ++i) {
    const float tolerance = 1e-5f * std::max(1.0f, std::abs(x->floats()[i]) * 8);
    isProduct = isProduct && std::abs(z->floats()[i] - product[i]) <= tolerance;
    isOwn = isOwn && z->floats()[i] == x->floats()[i] + 1;
  }
  return isProduct ? Taken::Library : isOwn ? Taken::Own : Taken::Neither;
}

} // namespace inlay
