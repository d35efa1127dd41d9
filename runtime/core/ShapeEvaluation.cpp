#include "runtime/core/ShapeEvaluation.h"

#include "base/Error.h"

namespace inlay {

std::string formatShape(std::span<const int64_t> shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

ShapeEvaluation::ShapeEvaluation(const Engine &engine)
    : engine_(engine), symbols_(engine.metadata().symbols()->size()),
      values_(engine.file().expressions().size()) {}

std::string ShapeEvaluation::describeSymbols() const {
  std::string text;
  for (uint32_t i = 0; i < symbols_.size(); ++i)
    text += fmt::format("{}{} = {}", i ? ", " : "",
                        engine_.metadata().symbols()->Get(i)->name()->string_view(), symbols_[i]);
  return text.empty() ? "no symbols" : text;
}

Status ShapeEvaluation::evaluate(std::span<const BoundShape> shapes) {
  const fb::Engine &metadata = engine_.metadata();
  for (uint32_t i = 0; i < symbols_.size(); ++i) {
    const fb::Symbol &symbol = *metadata.symbols()->Get(i);
    symbols_[i] = shapes[symbol.input()][symbol.dim()];
  }
  if (Status status = evaluateProgram(engine_.file().expressions(), symbols_, values_);
      !status.isOk())
    return std::move(status).withContext("computing sizes with " + describeSymbols());
  for (uint32_t i = 0; i < shapes.size(); ++i) {
    const fb::Tensor &tensor = *metadata.inputs()->Get(i);
    for (uint32_t d = 0; d < shapes[i].size(); ++d)
      if (const int64_t expected = values_[tensor.shape()->Get(d)]; shapes[i][d] != expected)
        return invalidArgument("input '{}' has shape {}: dimension {} is {}, expected {} ({})",
                               tensor.name()->string_view(), formatShape(shapes[i]), d,
                               shapes[i][d], expected, describeSymbols());
  }
  for (const fb::Check *check : *metadata.checks())
    if (values_[check->condition()] == 0)
      return invalidArgument("the inputs' shapes do not fit the engine: {} ({})",
                             check->message()->string_view(), describeSymbols());
  return {};
}

} // namespace inlay
