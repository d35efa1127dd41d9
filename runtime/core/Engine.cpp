#include "runtime/core/Engine.h"

#include "base/Error.h"
#include "base/Log.h"
#include "engine/ComputedSizes.h"
#include "engine/LibraryFunctions.h"

#include <algorithm>
#include <optional>

namespace inlay {
namespace {

/// The interval of each step of the expression program, from the ranges of the symbols. Each step
/// is bounded on its own, so the work is linear however the steps refer to each other.
std::vector<Interval> intervalsOf(const EngineFile &file) {
  static constexpr const char *kOperandNames[] = {"a", "b", "c"};
  std::vector<Interval> intervals;
  for (const ExprInstruction &step : file.expressions()) {
    if (step.kind == ExprKind::Constant) {
      intervals.push_back({step.value, step.value});
    } else if (step.kind == ExprKind::Symbol) {
      const fb::Symbol *symbol = file.engine().symbols()->Get(static_cast<uint32_t>(step.value));
      intervals.push_back({symbol->min(), symbol->max()});
    } else {
      const uint32_t operands[] = {step.a, step.b, step.c};
      std::vector<Expr> symbols;
      for (int i = 0; i < expressionArity(static_cast<uint8_t>(step.kind)); ++i)
        symbols.push_back(Expr::symbol(kOperandNames[i]));
      intervals.push_back(boundsOf(Expr::make(step.kind, symbols), [&](std::string_view name) {
        return intervals[operands[name[0] - 'a']];
      }));
    }
  }
  return intervals;
}

/// Values of all steps at the sizes to tune for; empty if they cannot be computed.
std::vector<int64_t> optimalValues(const EngineFile &file) {
  std::vector<int64_t> symbols;
  for (const fb::Symbol *symbol : *file.engine().symbols())
    symbols.push_back(symbol->opt());
  std::vector<int64_t> values(file.expressions().size());
  if (!evaluateProgram(file.expressions(), symbols, values).isOk())
    values.clear();
  return values;
}

} // namespace

Result<std::shared_ptr<Engine>> Engine::create(EngineFile file) {
  std::shared_ptr<Engine> engine(new Engine(std::move(file)));
  INLAY_ASSIGN(engine->hostFunctions_,
               HostFunctionTable::find(engine->metadata(), HostFunctions::ofProcess()));
  engine->describeTensors();
  return engine;
}

void Engine::describeTensors() {
  const std::vector<Interval> intervals = intervalsOf(file_);
  const std::vector<int64_t> optimal = optimalValues(file_);
  const std::vector<uint32_t> computed = lastComputedSymbols(metadata());
  const auto describe = [&](const fb::Tensor &tensor) {
    TensorDescription description;
    description.name = tensor.name()->string_view();
    description.dtype = static_cast<DataType>(tensor.dtype());
    description.buffer = tensor.buffer();
    for (uint32_t index : *tensor.shape()) {
      const ExprInstruction &step = file_.expressions()[index];
      DimDescription dim;
      dim.min = std::max<int64_t>(0, intervals[index].min.value_or(0));
      dim.max = intervals[index].max.value_or(INT64_MAX);
      dim.opt = optimal.empty() ? dim.min
                                : std::clamp(optimal[index], dim.min, std::max(dim.min, dim.max));
      if (step.kind == ExprKind::Symbol)
        dim.symbol = metadata().symbols()->Get(static_cast<uint32_t>(step.value))->name()->c_str();
      else if (dim.min == dim.max)
        dim.size = dim.min;
      description.dims.push_back(dim);
      description.dependsOnData = description.dependsOnData || computed[index] != 0;
    }
    return description;
  };
  for (const fb::Tensor *tensor : *metadata().inputs())
    inputs_.push_back(describe(*tensor));
  for (const fb::Tensor *tensor : *metadata().outputs())
    outputs_.push_back(describe(*tensor));
}

Result<std::shared_ptr<DeviceEngine>> Engine::onDevice(const std::string &deviceName) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<DeviceEngine> &found = devices_[deviceName];
  if (!found) {
    INLAY_ASSIGN(found, DeviceEngine::create(file_, deviceName, newConstants_));
  }
  return found;
}

Status Engine::refit(std::span<const NewWeight> weights, bool isComplete) {
  INLAY_ASSIGN(const std::vector<uint32_t> rows, matchWeights(file_, weights, isComplete));
  NewConstants changed;
  for (size_t i = 0; i < weights.size(); ++i)
    if (const uint32_t buffer = metadata().weights()->Get(rows[i])->buffer();
        buffer < metadata().buffers()->size())
      changed[buffer].assign(weights[i].bytes.begin(), weights[i].bytes.end());
  std::lock_guard lock(mutex_);
  for (const auto &[name, device] : devices_)
    if (device)
      INLAY_TRY(device->replaceConstants(changed), "refitting on " + name);
  for (auto &[buffer, bytes] : changed)
    newConstants_[buffer] = std::move(bytes);
  return {};
}

Result<std::shared_ptr<DeviceEngine>> DeviceEngine::create(const EngineFile &file,
                                                           const std::string &deviceName,
                                                           const NewConstants &newConstants) {
  INLAY_ASSIGN(std::unique_ptr<Device> device, createDevice(deviceName));
  INLAY_TRY(device->makeCurrent());
  std::shared_ptr<DeviceEngine> loaded(new DeviceEngine(std::move(device)));
  for (const fb::Kernel *kernel : *file.engine().kernels()) {
    Result<std::unique_ptr<LoadedKernel>> code = loaded->device().loadKernel(file, *kernel);
    if (!code.isOk() && !isLibraryFunction(*kernel))
      return std::move(code).status();
    loaded->whyMissing_.push_back(code.isOk() ? Status() : code.status());
    loaded->kernels_.push_back(code.isOk() ? std::move(*code) : nullptr);
    if (!loaded->kernels_.back())
      INLAY_LOG(Engine, Info, "{}: kernel '{}' is not taken on {}: {}",
                file.engine().name()->string_view(), kernel->name()->string_view(), deviceName,
                loaded->whyMissing_.back().message());
  }
  INLAY_TRY(loaded->loadConstants(file, newConstants));
  return loaded;
}

Status DeviceEngine::replaceConstants(const NewConstants &newConstants) {
  INLAY_TRY(device_->makeCurrent());
  INLAY_ASSIGN(const Stream stream, device_->createStream(1));
  Status outcome;
  for (const auto &[buffer, bytes] : newConstants)
    if (outcome.isOk() && constants_[buffer])
      outcome = device_->copy(constants_[buffer], bytes.data(), bytes.size(),
                              CopyDirection::HostToDevice, stream);
  if (outcome.isOk())
    outcome = device_->synchronize(stream);
  device_->destroyStream(stream);
  return outcome;
}

Status DeviceEngine::loadConstants(const EngineFile &file, const NewConstants &newConstants) {
  constants_.resize(file.engine().buffers()->size());
  std::optional<Stream> stream;
  Status outcome;
  for (uint32_t i = 0; i < constants_.size() && outcome.isOk(); ++i) {
    const fb::Buffer &buffer = *file.engine().buffers()->Get(i);
    const bool hasBytes =
        buffer.kind() == fb::BufferKind::Constant || buffer.kind() == fb::BufferKind::State;
    if (!hasBytes || file.segment(buffer.segment()).empty())
      continue;
    const auto replaced = newConstants.find(i);
    const std::span<const std::byte> bytes = replaced == newConstants.end()
                                                 ? file.segment(buffer.segment())
                                                 : std::span<const std::byte>(replaced->second);
    const bool isAligned =
        reinterpret_cast<uintptr_t>(bytes.data()) % std::min(buffer.alignment_bytes(), 64u) == 0;
    // The file is read-only: weights that may be replaced are copied.
    if (device_->usesHostMemory() && isAligned && !file.engine().weights()) {
      constants_[i] = const_cast<std::byte *>(bytes.data()); // verified: no step writes it
      continue;
    }
    Result<void *> memory = device_->allocate(bytes.size());
    if (!memory.isOk())
      return std::move(memory).status().withContext("loading the engine's constants");
    owned_.push_back(*memory);
    ownedBytes_ += bytes.size();
    constants_[i] = *memory;
    if (!stream) {
      INLAY_ASSIGN(stream, device_->createStream(1));
    }
    outcome =
        device_->copy(*memory, bytes.data(), bytes.size(), CopyDirection::HostToDevice, *stream);
  }
  if (stream) {
    if (outcome.isOk())
      outcome = device_->synchronize(*stream);
    device_->destroyStream(*stream);
  }
  return std::move(outcome).withContext("loading the engine's constants");
}

DeviceEngine::~DeviceEngine() {
  for (void *memory : owned_)
    device_->free(memory);
}

} // namespace inlay
