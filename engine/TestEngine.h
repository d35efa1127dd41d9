// A small valid engine for tests: one kernel with two images, a constant, a copy and a check.
#pragma once

#include "engine/EngineLayout.h"

#include <cstring>
#include <limits>
#include <memory>

namespace inlay {

struct TestEngine {
  fb::EngineT engine;
  std::vector<std::vector<std::byte>> segments;
};

inline std::vector<std::byte> bytesOf(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline std::unique_ptr<fb::TensorT> makeTestTensor(std::string name, std::vector<uint32_t> shape,
                                                   uint32_t buffer) {
  auto tensor = std::make_unique<fb::TensorT>();
  tensor->name = std::move(name);
  tensor->dtype = 12; // float32
  tensor->shape = std::move(shape);
  tensor->buffer = buffer;
  return tensor;
}

/// y = x + 1 over n floats by one launch, z = y by a copy, n checked to be at most 1000.
inline TestEngine makeTestEngine() {
  TestEngine test;
  fb::EngineT &engine = test.engine;
  engine.producer = "test";
  engine.name = "add_one";
  ExprProgramBuilder program({"n"});
  const Expr n = Expr::symbol("n");
  auto add = [&](const Expr &expr) { return *program.add(expr); };
  auto symbol = std::make_unique<fb::SymbolT>();
  symbol->name = "n";
  symbol->min = 1;
  symbol->max = std::numeric_limits<int64_t>::max();
  symbol->opt = 64;
  engine.symbols.push_back(std::move(symbol));
  auto addBuffer = [&](fb::BufferKind kind, const Expr &sizeBytes, uint32_t first, uint32_t last) {
    auto buffer = std::make_unique<fb::BufferT>();
    buffer->kind = kind;
    buffer->size_bytes = add(sizeBytes);
    buffer->first_step = first;
    buffer->last_step = last;
    engine.buffers.push_back(std::move(buffer));
  };
  addBuffer(fb::BufferKind::Input, 4 * n, 0, 1);
  addBuffer(fb::BufferKind::Intermediate, 4 * n, 0, 1);
  addBuffer(fb::BufferKind::Output, 4 * n, 0, 1);
  addBuffer(fb::BufferKind::Constant, Expr(8), 0, 1);
  engine.buffers[3]->segment = 2;
  engine.inputs.push_back(makeTestTensor("x", {add(n)}, 0));
  engine.outputs.push_back(makeTestTensor("z", {add(n)}, 2));

  auto kernel = std::make_unique<fb::KernelT>();
  kernel->name = "add_one_kernel";
  kernel->source = "add_one.py:add_one_kernel";
  const std::tuple<const char *, fb::ParameterKind, uint8_t> parameters[] = {
      {"x_ptr", fb::ParameterKind::Pointer, 12},
      {"n", fb::ParameterKind::Scalar, 4},
      {"y_ptr", fb::ParameterKind::Pointer, 12},
      {"bias_ptr", fb::ParameterKind::Pointer, 12},
      {"scale", fb::ParameterKind::Scalar, 12}};
  for (const auto &[name, kind, dtype] : parameters) {
    auto parameter = std::make_unique<fb::ParameterT>();
    parameter->name = name;
    parameter->kind = kind;
    parameter->dtype = dtype;
    kernel->parameters.push_back(std::move(parameter));
  }
  auto addImage = [&](const char *target, fb::ImageFormat format, uint32_t segment) {
    auto image = std::make_unique<fb::ImageT>();
    image->target = target;
    image->format = format;
    image->segment = segment;
    image->entry = "add_one_kernel";
    image->num_warps = 4;
    kernel->images.push_back(std::move(image));
  };
  addImage("cuda:sm_80", fb::ImageFormat::Ptx, 0);
  addImage("cpu:x86-64-v3", fb::ImageFormat::X86SharedObject, 1);
  kernel->images[0]->ptx_version = 75;
  engine.kernels.push_back(std::move(kernel));
  test.segments = {bytesOf(".version 7.5\n"), bytesOf("\177ELF not really"), bytesOf("8 bytes.")};

  fb::LaunchT launch;
  launch.grid = {add(ceilDiv(n, 256)), add(1), add(1)};
  const std::tuple<fb::ArgumentKind, uint32_t, double> arguments[] = {
      {fb::ArgumentKind::Buffer, 0, 0},
      {fb::ArgumentKind::Expression, add(n), 0},
      {fb::ArgumentKind::Buffer, 1, 0},
      {fb::ArgumentKind::Buffer, 3, 0},
      {fb::ArgumentKind::Float, 0, 0.5}};
  for (const auto &[kind, index, value] : arguments) {
    auto argument = std::make_unique<fb::ArgumentT>();
    argument->kind = kind;
    argument->index = index;
    argument->value = value;
    launch.arguments.push_back(std::move(argument));
  }
  launch.plugin = "my::add_one";
  launch.node = "add_one_1";
  auto launchStep = std::make_unique<fb::StepT>();
  launchStep->kind.Set(std::move(launch));
  engine.steps.push_back(std::move(launchStep));
  fb::CopyT copy;
  copy.source = 1;
  copy.target = 2;
  auto copyStep = std::make_unique<fb::StepT>();
  copyStep->kind.Set(std::move(copy));
  engine.steps.push_back(std::move(copyStep));

  auto check = std::make_unique<fb::CheckT>();
  check->condition = add(lessEqual(n, 1000));
  check->message = "n is at most 1000";
  engine.checks.push_back(std::move(check));
  for (const ExprInstruction &step : program.instructions())
    engine.expressions.emplace_back(static_cast<uint8_t>(step.kind), step.a, step.b, step.c,
                                    step.value);
  auto record = std::make_unique<fb::KeyValueT>();
  record->key = "targets";
  record->value = "cuda,cpu";
  engine.build_record.push_back(std::move(record));
  return test;
}

/// Makes the number of elements that the launch of a test engine writes a size "u" of at most n,
/// read from a further input "count" of one int32: steps 1 and 2 copy and read it, step 3 is the
/// copy to z.
inline TestEngine makeSizeTestEngine() {
  TestEngine test = makeTestEngine();
  fb::EngineT &engine = test.engine;
  const auto add = [&](ExprKind kind, uint32_t a, uint32_t b, int64_t value) {
    engine.expressions.emplace_back(static_cast<uint8_t>(kind), a, b, 0, value);
    return static_cast<uint32_t>(engine.expressions.size() - 1);
  };
  const uint32_t n = engine.inputs[0]->shape[0];
  const uint32_t u = add(ExprKind::Symbol, 0, 0, 1), four = add(ExprKind::Constant, 0, 0, 4);
  const uint32_t sizeBytes = add(ExprKind::Mul, four, u, 0);
  auto symbol = std::make_unique<fb::SymbolT>();
  symbol->name = "u";
  symbol->max = std::numeric_limits<int64_t>::max();
  symbol->opt = 32;
  symbol->bound = n;
  engine.symbols.push_back(std::move(symbol));
  engine.outputs[0]->shape = {u};
  engine.buffers[1]->size_bytes = engine.buffers[2]->size_bytes = sizeBytes;
  for (fb::BufferKind kind : {fb::BufferKind::Input, fb::BufferKind::Intermediate}) {
    auto buffer = std::make_unique<fb::BufferT>();
    buffer->kind = kind;
    buffer->size_bytes = four;
    engine.buffers.push_back(std::move(buffer));
  }
  for (const std::unique_ptr<fb::BufferT> &buffer : engine.buffers)
    buffer->last_step = 3;
  engine.inputs.push_back(makeTestTensor("count", {}, 4));
  engine.inputs[1]->dtype = 4; // int32
  fb::CopyT copy;
  copy.source = 4;
  copy.target = 5;
  auto copyStep = std::make_unique<fb::StepT>();
  copyStep->kind.Set(std::move(copy));
  fb::ReadSizeT read;
  read.symbol = 1;
  read.buffer = 5;
  read.dtype = 4;
  read.plugin = "my::select";
  read.node = "select_1";
  auto readStep = std::make_unique<fb::StepT>();
  readStep->kind.Set(std::move(read));
  engine.steps.insert(engine.steps.begin() + 1, std::move(readStep));
  engine.steps.insert(engine.steps.begin() + 1, std::move(copyStep));
  return test;
}

/// Gives the launch of a test engine two rivals, of a choice between the tactics "large" (n >=
/// 100), "wide" (n a multiple of 16, x aligned to 64 bytes) and "any", on grids of 1, 2 and 3
/// programs; steps 0 to 2 launch them, step 3 is the copy to z.
inline TestEngine makeTacticTestEngine() {
  TestEngine test = makeTestEngine();
  fb::EngineT &engine = test.engine;
  const auto add = [&](ExprKind kind, uint32_t a, uint32_t b, int64_t value) {
    engine.expressions.emplace_back(static_cast<uint8_t>(kind), a, b, 0, value);
    return static_cast<uint32_t>(engine.expressions.size() - 1);
  };
  const auto constant = [&](int64_t value) { return add(ExprKind::Constant, 0, 0, value); };
  const uint32_t n = engine.inputs[0]->shape[0];
  auto choice = std::make_unique<fb::ChoiceT>();
  choice->plugin = "my::add_one";
  choice->node = "add_one_1";
  for (const char *name : {"large", "wide", "any"}) {
    auto tactic = std::make_unique<fb::TacticT>();
    tactic->name = name;
    choice->tactics.push_back(std::move(tactic));
  }
  choice->tactics[0]->condition = add(ExprKind::LessEqual, constant(100), n, 0);
  choice->tactics[1]->condition =
      add(ExprKind::Equal, add(ExprKind::Mod, n, constant(16), 0), constant(0), 0);
  auto alignment = std::make_unique<fb::AlignmentT>();
  alignment->buffer = 0;
  alignment->bytes = 64;
  choice->tactics[1]->alignments.push_back(std::move(alignment));
  auto order = std::make_unique<fb::TacticOrderT>();
  order->tactics = {0, 1, 2};
  choice->orders.push_back(std::move(order));
  engine.choices.push_back(std::move(choice));
  for (uint32_t i = 0; i < 3; ++i) {
    fb::LaunchT launch = *engine.steps[i]->kind.AsLaunch();
    launch.choice = 0;
    launch.tactic = i;
    launch.grid = {constant(i + 1), constant(1), constant(1)};
    auto step = std::make_unique<fb::StepT>();
    step->kind.Set(std::move(launch));
    if (i < 2)
      engine.steps.insert(engine.steps.begin() + i, std::move(step));
    else
      engine.steps[2] = std::move(step);
  }
  for (const std::unique_ptr<fb::BufferT> &buffer : engine.buffers)
    buffer->last_step = 3;
  return test;
}

/// Has the tactic "large" of makeTacticTestEngine call a library instead, as kernel 1.
inline TestEngine makeLibraryTestEngine() {
  TestEngine test = makeTacticTestEngine();
  auto kernel = std::make_unique<fb::KernelT>(*test.engine.kernels[0]);
  kernel->name = "library";
  kernel->images.resize(1);
  fb::ImageT &image = *kernel->images[0];
  image = {};
  image.target = "cuda";
  image.format = fb::ImageFormat::LibraryFunction;
  image.entry = "vendor.add_one";
  image.segment = static_cast<uint32_t>(test.segments.size());
  test.segments.emplace_back();
  test.engine.kernels.push_back(std::move(kernel));
  test.engine.steps[0]->kind.AsLaunch()->kernel = 1;
  return test;
}

/// z is what the run before was given as x, two floats; first the eight bytes of the state's
/// segment.
inline TestEngine makeStateTestEngine() {
  TestEngine test;
  fb::EngineT &engine = test.engine;
  engine.producer = "test";
  engine.name = "delay";
  engine.expressions.emplace_back(static_cast<uint8_t>(ExprKind::Constant), 0, 0, 0, 8);
  engine.expressions.emplace_back(static_cast<uint8_t>(ExprKind::Constant), 0, 0, 0, 2);
  for (fb::BufferKind kind :
       {fb::BufferKind::Input, fb::BufferKind::Output, fb::BufferKind::State}) {
    auto buffer = std::make_unique<fb::BufferT>();
    buffer->kind = kind;
    buffer->last_step = 1;
    engine.buffers.push_back(std::move(buffer));
  }
  engine.buffers[2]->segment = 0;
  test.segments = {bytesOf("8 bytes.")};
  engine.inputs.push_back(makeTestTensor("x", {1}, 0));
  engine.outputs.push_back(makeTestTensor("z", {1}, 1));
  for (const auto &[source, target] : {std::pair(2u, 1u), std::pair(0u, 2u)}) {
    fb::CopyT copy;
    copy.source = source;
    copy.target = target;
    auto step = std::make_unique<fb::StepT>();
    step->kind.Set(std::move(copy));
    engine.steps.push_back(std::move(step));
  }
  return test;
}

/// Makes the constant of a test engine a weight "bias", and gives it one more that nothing uses.
inline TestEngine makeRefittableTestEngine() {
  TestEngine test = makeTestEngine();
  for (const char *name : {"bias", "count"}) {
    auto weight = std::make_unique<fb::WeightT>();
    weight->name = name;
    weight->dtype = 12; // float32
    weight->shape = {2};
    test.engine.weights.push_back(std::move(weight));
  }
  test.engine.weights[0]->buffer = 3;
  return test;
}

/// Lets z be the memory of x: first a copy of x, then written by the launch.
inline TestEngine makeUpdateTestEngine() {
  TestEngine test = makeTestEngine();
  fb::EngineT &engine = test.engine;
  std::swap(engine.steps[0], engine.steps[1]);
  engine.steps[0]->kind.AsCopy()->source = 0;
  engine.steps[1]->kind.AsLaunch()->arguments[0]->index = 2;
  engine.outputs[0]->updated_input = 0;
  return test;
}

/// Gives the test engine a profile for its symbol n.
inline void addTestProfile(fb::EngineT &engine, int64_t min, int64_t opt, int64_t max) {
  auto range = std::make_unique<fb::ProfileRangeT>();
  range->min = min;
  range->opt = opt;
  range->max = max;
  auto profile = std::make_unique<fb::ProfileT>();
  profile->ranges.push_back(std::move(range));
  engine.profiles.push_back(std::move(profile));
}

} // namespace inlay
