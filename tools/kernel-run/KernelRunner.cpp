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
    if (isPointer != std::holds_alternative<NpyTensor>(arguments[i]))
      return invalidArgument("parameter '{}' of kernel '{}' takes a {}, but is given a {}",
                             parameterName(kernel, i), kernel.name()->string_view(),
                             isPointer ? "tensor" : "number", isPointer ? "number" : "tensor");
  }
  return {};
}

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

Status KernelRunner::run(const EngineFile &engine, std::vector<KernelArgument> &arguments,
                         std::array<uint32_t, 3> grid) {
  if (engine.engine().kernels()->size() != 1)
    return invalidArgument("the engine holds {} kernels; expected one",
                           engine.engine().kernels()->size());
  const fb::Kernel &kernel = *engine.engine().kernels()->Get(0);
  INLAY_TRY(checkArguments(kernel, arguments));
  INLAY_ASSIGN(const std::unique_ptr<LoadedKernel> loaded, device_->loadKernel(engine, kernel));
  std::vector<GuardedTensor> tensors;
  std::vector<uint64_t> values(arguments.size());
  std::vector<void *> addresses;
  LaunchRecord record;
  for (size_t i = 0; i < arguments.size(); ++i) {
    addresses.push_back(&values[i]);
    if (const auto *scalar = std::get_if<uint64_t>(&arguments[i])) {
      values[i] = *scalar;
      continue;
    }
    const NpyTensor &tensor = std::get<NpyTensor>(arguments[i]);
    INLAY_ASSIGN(GuardedTensor guarded, GuardedTensor::create(*device_, stream_, tensor));
    values[i] = reinterpret_cast<uint64_t>(guarded.address());
    record.workBytes += tensor.data.size();
    tensors.push_back(std::move(guarded));
  }
  record.kernel = loaded.get();
  std::copy(grid.begin(), grid.end(), record.grid);
  record.arguments = addresses.data();
  if (grid[0] != 0 && grid[1] != 0 && grid[2] != 0)
    INLAY_TRY(device_->launch(record, stream_));
  INLAY_TRY(device_->synchronize(stream_));
  size_t next = 0;
  for (size_t i = 0; i < arguments.size(); ++i)
    if (auto *tensor = std::get_if<NpyTensor>(&arguments[i]))
      INLAY_TRY(tensors[next++].readBack(stream_, *tensor, parameterName(kernel, i)));
  return {};
}

} // namespace inlay::tools
