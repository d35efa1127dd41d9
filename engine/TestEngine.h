// A small valid engine for tests: one kernel with two images, a constant, a copy and a check.
#pragma once

#include "engine/EngineFile.h"

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

} // namespace inlay
