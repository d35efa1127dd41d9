#include "tools/inlay/DeviceTimer.h"

#include "base/Error.h"
#include "runtime/core/ExecutionContext.h"
#include "runtime/devices/cpu/OneDnn.h"
#include "runtime/devices/cuda/CublasLt.h"
#include "runtime/devices/cuda/Cudnn.h"
#include "tools/tensorio/NpyTensor.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace inlay::tools {
namespace {

/// More than any tactic asks for.
constexpr size_t kAlignmentBytes = 4096;
/// How long a round of runs is to take, and how many rounds there are: the fastest one counts,
/// since others only disturb.
constexpr double kRoundUs = 5000;
constexpr int kNumRounds = 5;
constexpr uint32_t kMaxRuns = 1000;

struct FreeMemory {
  void operator()(void *memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, FreeMemory>;

void fillRandom(void *memory, uint64_t sizeBytes, DataType dtype) {
  std::minstd_rand random; // the same numbers every time
  std::uniform_real_distribution<float> distribution(-1.0F, 1.0F);
  const auto fill = [&](auto convert) {
    using T = decltype(convert(0.0F));
    for (uint64_t at = 0; at + sizeof(T) <= sizeBytes; at += sizeof(T)) {
      const T value = convert(distribution(random));
      std::memcpy(static_cast<std::byte *>(memory) + at, &value, sizeof(T));
    }
  };
  if (dtype == DataType::Float32)
    fill([](float x) { return x; });
  else if (dtype == DataType::Float64)
    fill([](float x) { return static_cast<double>(x); });
  else if (dtype == DataType::Float16)
    fill(toFloat16);
  else if (dtype == DataType::BFloat16)
    fill(toBFloat16);
}

/// Binds memory to input `index` at the sizes that the engine is tuned for.
Result<Memory> bindInput(ExecutionContext &context, uint32_t index) {
  const TensorDescription &input = context.engine().inputs()[index];
  std::vector<int64_t> shape;
  for (const DimDescription &dim : input.dims) {
    if (dim.size < 0 && !dim.symbol)
      return unimplemented("input '{}' has a computed size, which is measured at none", input.name);
    shape.push_back(dim.size >= 0 ? dim.size : dim.opt);
  }
  INLAY_ASSIGN(const int64_t sizeBytes, computeSizeBytes(input.dtype, shape));
  const auto size = static_cast<uint64_t>(sizeBytes);
  const uint64_t rounded = std::max<uint64_t>(
      kAlignmentBytes, (size + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes);
  Memory memory(std::aligned_alloc(kAlignmentBytes, rounded));
  if (!memory)
    return outOfMemory("cannot allocate {} bytes for '{}'", rounded, input.name);
  std::memset(memory.get(), 0, rounded);
  fillRandom(memory.get(), size, input.dtype);
  INLAY_TRY(context.bindInput(index, {memory.get(), input.dtype, shape, false}));
  return memory;
}

} // namespace

Result<std::unique_ptr<DeviceTimer>> DeviceTimer::create(std::string_view device) {
  INLAY_ASSIGN(const std::string name, canonicalDeviceName(device));
  INLAY_ASSIGN(DeviceInfo info, describeDevice(name));
  return std::unique_ptr<DeviceTimer>(new DeviceTimer(std::move(info)));
}

std::string DeviceTimer::family() const { return info_.device.substr(0, info_.device.find(':')); }

std::string DeviceTimer::libraryVersion() const {
  if (libraryVersion_)
    return *libraryVersion_;
  libraryVersion_.emplace();
  if (family() == "cuda") {
    for (const Result<std::string> &version : {CublasLt::findVersion(), Cudnn::findVersion()})
      if (version.isOk())
        *libraryVersion_ += (libraryVersion_->empty() ? "" : ", ") + *version;
  } else if (const auto library = OneDnn::open(); library.isOk()) {
    libraryVersion_ = (*library)->description();
  }
  return *libraryVersion_;
}

Result<double> DeviceTimer::measureUs(std::span<const std::byte> bytes) {
  INLAY_ASSIGN(EngineFile file,
               EngineFile::fromBytes(std::vector<std::byte>(bytes.begin(), bytes.end())));
  INLAY_ASSIGN(const std::shared_ptr<Engine> engine, Engine::create(std::move(file)));
  INLAY_ASSIGN(const std::unique_ptr<ExecutionContext> context,
               ExecutionContext::create(engine, info_.device));
  std::vector<Memory> memory;
  for (uint32_t i = 0; i < engine->inputs().size(); ++i) {
    INLAY_ASSIGN(memory.emplace_back(), bindInput(*context, i));
  }
  INLAY_ASSIGN(double fastest, context->measureUs(1));
  const auto runs = static_cast<uint32_t>(
      std::clamp(kRoundUs / std::max(fastest, 1.0), 1.0, static_cast<double>(kMaxRuns)));
  for (int round = 0; round < kNumRounds; ++round) {
    INLAY_ASSIGN(const double us, context->measureUs(runs));
    fastest = std::min(fastest, us);
  }
  return fastest;
}

} // namespace inlay::tools
