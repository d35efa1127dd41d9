#include "engine/OutputVerifier.h"

#include "base/DataType.h"
#include "base/Error.h"
#include "engine/ComputedSizes.h"

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

namespace inlay {
namespace {

constexpr uint32_t kAbsent = std::numeric_limits<uint32_t>::max();

Status verifyRead(const fb::Engine &engine, uint32_t index, const fb::ReadSize &read) {
  const auto dtype = static_cast<DataType>(read.dtype());
  if (dtype != DataType::Int32 && dtype != DataType::Int64)
    return dataLoss("steps[{}] reads a size of dtype {}; expected int32 or int64", index,
                    read.dtype());
  const fb::Buffer &buffer = *engine.buffers()->Get(read.buffer());
  const fb::ExprInstruction &size = *engine.expressions()->Get(buffer.size_bytes());
  if (size.kind() != static_cast<uint8_t>(ExprKind::Constant) ||
      size.value() != dataTypeSizeBytes(dtype))
    return dataLoss("steps[{}] reads a size from buffer {}, which is not of {} bytes", index,
                    read.buffer(), dataTypeSizeBytes(dtype));
  return {};
}

Status verifySizes(const fb::Engine &engine) {
  const std::vector<uint32_t> last = lastComputedSymbols(engine);
  std::vector<uint32_t> computed;
  for (uint32_t i = 0; i < engine.symbols()->size(); ++i) {
    const uint32_t bound = engine.symbols()->Get(i)->bound();
    if (bound == kAbsent)
      continue;
    if (last[bound] > i)
      return dataLoss("symbols[{}] has a bound that needs symbol {}, which is read later", i,
                      last[bound] - 1);
    computed.push_back(i);
  }
  size_t next = 0;
  for (uint32_t i = 0; i < engine.steps()->size(); ++i) {
    const fb::ReadSize *read = engine.steps()->Get(i)->kind_as_ReadSize();
    if (!read)
      continue;
    if (next == computed.size() || read->symbol() != computed[next])
      return dataLoss("steps[{}] reads symbol {}; expected {}", i, read->symbol(),
                      next == computed.size() ? "none" : std::to_string(computed[next]));
    INLAY_TRY(verifyRead(engine, i, *read));
    ++next;
  }
  if (next != computed.size())
    return dataLoss("symbols[{}] has a bound, and no step reads it", computed[next]);
  for (const fb::Tensor *input : *engine.inputs())
    for (uint32_t dim : *input->shape())
      if (last[dim])
        return dataLoss("input '{}' has a dimension that needs symbol {}, which a kernel computes",
                        input->name()->string_view(), last[dim] - 1);
  return {};
}

bool usesBuffer(const fb::Step &step, uint32_t buffer) {
  const auto isIt = [&](const auto *use) { return use->buffer() == buffer; };
  if (const fb::Copy *copy = step.kind_as_Copy())
    return copy->source() == buffer || copy->target() == buffer;
  if (const fb::ReadSize *read = step.kind_as_ReadSize())
    return read->buffer() == buffer;
  if (const fb::HostCall *call = step.kind_as_HostCall())
    return call->workspace() == buffer || std::ranges::any_of(*call->inputs(), isIt) ||
           std::ranges::any_of(*call->outputs(), isIt);
  return std::ranges::any_of(*step.kind_as_Launch()->arguments(), [&](const auto *argument) {
    return argument->kind() == fb::ArgumentKind::Buffer && argument->index() == buffer;
  });
}

/// True if the output's first step is a copy of the input, and no later one uses the input.
bool isUpdate(const fb::Engine &engine, uint32_t input, uint32_t output) {
  bool isCopied = false;
  for (const fb::Step *step : *engine.steps()) {
    if (isCopied && usesBuffer(*step, input))
      return false;
    if (isCopied || !usesBuffer(*step, output))
      continue;
    const fb::Copy *copy = step->kind_as_Copy();
    isCopied = copy && copy->source() == input && copy->target() == output;
    if (!isCopied)
      return false;
  }
  return isCopied;
}

Status verifyUpdates(const fb::Engine &engine) {
  std::set<uint32_t> updated;
  for (const fb::Tensor *input : *engine.inputs())
    if (input->updated_input() != kAbsent)
      return dataLoss("input '{}' says that it updates an input; only outputs do",
                      input->name()->string_view());
  for (const fb::Tensor *output : *engine.outputs()) {
    const uint32_t index = output->updated_input();
    if (index == kAbsent)
      continue;
    if (index >= engine.inputs()->size() || !updated.insert(index).second)
      return dataLoss("output '{}' updates input {}, which is not there or is updated by another",
                      output->name()->string_view(), index);
    const fb::Tensor &input = *engine.inputs()->Get(index);
    if (!isUpdate(engine, input.buffer(), output->buffer()))
      return dataLoss("output '{}' updates input '{}', but its first step is no copy of it, or a "
                      "later one uses the input",
                      output->name()->string_view(), input.name()->string_view());
  }
  return {};
}

} // namespace

Status verifyOutputs(const fb::Engine &engine) {
  INLAY_TRY(verifySizes(engine));
  return verifyUpdates(engine);
}

} // namespace inlay
