#include "tools/kernel-run/KernelRunner.h"

#include "base/Error.h"

#include <algorithm>
#include <cstring>

namespace inlay::tools {
namespace {

/// Before and after each tensor; a multiple of the alignment that kernels are promised.
constexpr uint64_t kGuardBytes = 256;
constexpr std::byte kGuardValue{0xA5};

/// A tensor in device memory between two guards.
class GuardedTensor {
public:
  static Result<GuardedTensor> create(Device &device, Stream stream, const NpyTensor &tensor) {
    std::vector<std::byte> bytes(tensor.data.size() + 2 * kGuardBytes, kGuardValue);
    std::copy(tensor.data.begin(), tensor.data.end(), bytes.begin() + kGuardBytes);
    INLAY_ASSIGN(void *memory, device.allocate(bytes.size()));
    GuardedTensor guarded(device, static_cast<std::byte *>(memory));
    INLAY_TRY(device.copy(memory, bytes.data(), bytes.size(), CopyDirection::HostToDevice, stream));
    INLAY_TRY(device.synchronize(stream));
    return guarded;
  }
  GuardedTensor(GuardedTensor &&other) noexcept
      : device_(other.device_), memory_(std::exchange(other.memory_, nullptr)) {}
  ~GuardedTensor() {
    if (memory_)
      device_.free(memory_);
  }

  void *address() const { return memory_ + kGuardBytes; }

  /// Copies the tensor back and looks at the guards.
  Status readBack(Stream stream, NpyTensor &tensor, std::string_view name) const {
    std::vector<std::byte> bytes(tensor.data.size() + 2 * kGuardBytes);
    INLAY_TRY(
        device_.copy(bytes.data(), memory_, bytes.size(), CopyDirection::DeviceToHost, stream));
    INLAY_TRY(device_.synchronize(stream));
    const auto begin = bytes.begin() + kGuardBytes,
               end = begin + static_cast<ptrdiff_t>(tensor.data.size());
    const auto isTouched = [](std::byte value) { return value != kGuardValue; };
    if (const auto first = std::find_if(bytes.begin(), begin, isTouched); first != begin)
      return outOfRange("the kernel wrote before the start of '{}' ({} bytes before it)", name,
                        begin - first);
    if (const auto first = std::find_if(end, bytes.end(), isTouched); first != bytes.end())
      return outOfRange("the kernel wrote behind the end of '{}' ({} bytes behind it)", name,
                        first - end);
    std::copy(begin, end, tensor.data.begin());
    return {};
  }

private:
  GuardedTensor(Device &device, std::byte *memory) : device_(device), memory_(memory) {}

  Device &device_;
  std::byte *memory_;
};

std::string parameterName(const fb::Kernel &kernel, size_t index) {
  return kernel.parameters()->Get(static_cast<uint32_t>(index))->name()->str();
}

Status checkArguments(const fb::Kernel &kernel, const std::vector<KernelArgument> &arguments) {
  if (kernel.parameters()->size() != arguments.size())
    return invalidArgument("kernel '{}' takes {} arguments, not {}", kernel.name()->string_view(),
                           kernel.parameters()->size(), arguments.size());
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool isPointer =
        kernel.parameters()->Get(static_cast<uint32_t>(i))->kind() == fb::ParameterKind::Pointer;
    if (isPointer == std::holds_alternative<uint64_t>(arguments[i]))
      return invalidArgument("parameter '{}' of kernel '{}' takes a {}, but is given a {}",
                             parameterName(kernel, i), kernel.name()->string_view(),
                             isPointer ? "tensor" : "number", isPointer ? "number" : "tensor");
  }
  return {};
}

/// What a launch is given, in device memory.
class DeviceArguments {
public:
  DeviceArguments(Device &device, Stream stream) : device_(device), stream_(stream) {}
  DeviceArguments(const DeviceArguments &) = delete;

  Status place(const std::vector<KernelArgument> &arguments) {
    values_.resize(arguments.size());
    for (size_t i = 0; i < arguments.size(); ++i) {
      addresses_.push_back(&values_[i]);
      if (const auto *scalar = std::get_if<uint64_t>(&arguments[i])) {
        values_[i] = *scalar;
      } else if (const auto *tensor = std::get_if<NpyTensor>(&arguments[i])) {
        INLAY_ASSIGN(values_[i], placeTensor(*tensor));
      } else {
        INLAY_ASSIGN(values_[i], placeTable(std::get<TensorTable>(arguments[i])));
      }
    }
    return {};
  }

  /// Copies all tensors back, in the order in which they were placed.
  Status readBack(const fb::Kernel &kernel, std::vector<KernelArgument> &arguments) const {
    size_t next = 0;
    for (size_t i = 0; i < arguments.size(); ++i) {
      const std::string name = parameterName(kernel, i);
      if (auto *tensor = std::get_if<NpyTensor>(&arguments[i]))
        INLAY_TRY(tensors_[next++].readBack(stream_, *tensor, name));
      if (auto *table = std::get_if<TensorTable>(&arguments[i])) {
        for (size_t item = 0; item < table->tensors.size(); ++item)
          INLAY_TRY(tensors_[next++].readBack(stream_, table->tensors[item],
                                              fmt::format("{}[{}]", name, item)));
        ++next; // the table itself
      }
    }
    return {};
  }

  void **addresses() { return addresses_.data(); }
  uint64_t sizeBytes() const { return sizeBytes_; }

private:
  Result<uint64_t> placeTensor(const NpyTensor &tensor) {
    INLAY_ASSIGN(GuardedTensor guarded, GuardedTensor::create(device_, stream_, tensor));
    const auto address = reinterpret_cast<uint64_t>(guarded.address());
    sizeBytes_ += tensor.data.size();
    tensors_.push_back(std::move(guarded));
    return address;
  }

  Result<uint64_t> placeTable(const TensorTable &table) {
    NpyTensor addresses{DataType::Int64, {static_cast<int64_t>(table.tensors.size())}, {}};
    for (const NpyTensor &tensor : table.tensors) {
      INLAY_ASSIGN(const uint64_t address, placeTensor(tensor));
      const auto bytes = std::as_bytes(std::span(&address, 1));
      addresses.data.insert(addresses.data.end(), bytes.begin(), bytes.end());
    }
    return placeTensor(addresses);
  }

  Device &device_;
  Stream stream_;
  std::vector<GuardedTensor> tensors_;
  std::vector<uint64_t> values_;
  std::vector<void *> addresses_;
  uint64_t sizeBytes_ = 0;
};

} // namespace

Result<KernelRunner> KernelRunner::open(const std::string &device) {
  INLAY_ASSIGN(const std::string name, canonicalDeviceName(device));
  INLAY_ASSIGN(std::unique_ptr<Device> opened, createDevice(name));
  KernelRunner runner(std::move(opened));
  INLAY_TRY(runner.device_->makeCurrent());
  INLAY_ASSIGN(runner.stream_, runner.device_->createStream(0));
  return runner;
}

KernelRunner::~KernelRunner() {
  if (device_ && stream_)
    device_->destroyStream(stream_);
}

Status KernelRunner::measure(const LaunchRecord &record, std::span<double> timesUs) {
  INLAY_ASSIGN(const Event start, device_->createEvent());
  Result<Event> end = device_->createEvent();
  const auto measureOne = [&](double &us) -> Status {
    INLAY_TRY(device_->record(start, stream_));
    INLAY_TRY(device_->launch(record, stream_));
    INLAY_TRY(device_->record(*end, stream_));
    INLAY_ASSIGN(us, device_->elapsedUs(start, *end));
    return {};
  };
  Status outcome = end.isOk() ? Status() : end.status();
  for (double &us : timesUs)
    if (outcome.isOk())
      outcome = measureOne(us);
  device_->destroyEvent(start);
  if (end.isOk())
    device_->destroyEvent(*end);
  return outcome;
}

Status KernelRunner::run(const EngineFile &engine, std::vector<KernelArgument> &arguments,
                         std::array<uint32_t, 3> grid, std::span<double> timesUs) {
  if (engine.engine().kernels()->size() != 1)
    return invalidArgument("the engine holds {} kernels; expected one",
                           engine.engine().kernels()->size());
  const fb::Kernel &kernel = *engine.engine().kernels()->Get(0);
  INLAY_TRY(checkArguments(kernel, arguments));
  INLAY_ASSIGN(const std::unique_ptr<LoadedKernel> loaded, device_->loadKernel(engine, kernel));
  INLAY_TRY(device_->prepareLaunches(*loaded, stream_).status());
  DeviceArguments placed(*device_, stream_);
  INLAY_TRY(placed.place(arguments));
  LaunchRecord record{
      .kernel = loaded.get(), .arguments = placed.addresses(), .workBytes = placed.sizeBytes()};
  std::copy(grid.begin(), grid.end(), record.grid);
  const bool hasPrograms = grid[0] != 0 && grid[1] != 0 && grid[2] != 0;
  if (hasPrograms)
    INLAY_TRY(device_->launch(record, stream_));
  INLAY_TRY(device_->synchronize(stream_));
  INLAY_TRY(placed.readBack(kernel, arguments));
  return hasPrograms ? measure(record, timesUs) : Status();
}

} // namespace inlay::tools
