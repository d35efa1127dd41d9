#include "runtime/devices/Device.h"

#include "base/Error.h"
#include "runtime/devices/cpu/CpuDevice.h"
#include "runtime/devices/cuda/CudaDevice.h"
#include "runtime/devices/null/NullDevice.h"

#include <charconv>
#include <chrono>

#include <algorithm>

namespace inlay {
namespace {

/// A kind of device.
struct DeviceKind {
  std::string_view name;
  Result<std::unique_ptr<Device>> (*create)(uint32_t ordinal);
  Result<DeviceInfo> (*describe)(uint32_t ordinal);
  Result<uint32_t> (*count)();
  bool isNumbered; // named "kind:N"
};

constexpr DeviceKind kDeviceKinds[] = {
    {"cpu", createCpuDevice, describeCpuDevice, countCpuDevices, false},
    {"cuda", createCudaDevice, describeCudaDevice, countCudaDevices, true},
    {"null", createNullDevice, describeNullDevice, countNullDevices, false},
};

const DeviceKind *findKind(std::string_view name) {
  for (const DeviceKind &kind : kDeviceKinds)
    if (kind.name == name)
      return &kind;
  return nullptr;
}

struct ParsedName {
  const DeviceKind *kind;
  uint32_t ordinal;
};

Result<ParsedName> parseName(std::string_view name) {
  const size_t colon = name.find(':');
  ParsedName parsed{findKind(name.substr(0, colon)), 0};
  bool isValid = parsed.kind != nullptr;
  if (isValid && colon != std::string_view::npos) {
    const char *end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + colon + 1, end, parsed.ordinal);
    isValid = parsed.kind->isNumbered && error == std::errc() && stop == end;
  }
  if (!isValid)
    return invalidArgument(
        "unknown device '{}'; expected \"cpu\", \"cuda:N\" with a number N from 0 "
        "on, or \"null\"",
        name);
  return parsed;
}

using Clock = std::chrono::steady_clock;

Clock::time_point &timeOf(Event event) { return *static_cast<Clock::time_point *>(event); }

} // namespace

Result<std::unique_ptr<PreparedCall>> Device::prepareCall(const LaunchRecord &, Stream) {
  return std::unique_ptr<PreparedCall>();
}

Result<void *> Device::allocate(uint64_t sizeBytes) {
  INLAY_ASSIGN(void *memory, allocateMemory(sizeBytes));
  const std::lock_guard lock(memoryMutex_);
  sizesBytes_[memory] = sizeBytes;
  memoryUse_.nowBytes += sizeBytes;
  memoryUse_.peakBytes = std::max(memoryUse_.peakBytes, memoryUse_.nowBytes);
  return memory;
}

void Device::free(void *memory) {
  if (!memory)
    return;
  {
    const std::lock_guard lock(memoryMutex_);
    const auto found = sizesBytes_.find(memory);
    if (found != sizesBytes_.end()) {
      memoryUse_.nowBytes -= found->second;
      sizesBytes_.erase(found);
    }
  }
  freeMemory(memory);
}

MemoryUse Device::memoryUse() const {
  const std::lock_guard lock(memoryMutex_);
  return memoryUse_;
}

Result<uint64_t> Device::prepareLaunches(const LoadedKernel &, Stream) { return uint64_t{0}; }

Status Device::beginGraph(Stream) { return unimplemented("{} records no graphs", info_.device); }
Result<Graph> Device::endGraph(Stream) {
  return unimplemented("{} records no graphs", info_.device);
}
Status Device::launchGraph(Graph, Stream) {
  return unimplemented("{} records no graphs", info_.device);
}
void Device::destroyGraph(Graph) {}
Result<bool> Device::isRecording(Stream) { return false; }

Result<Event> Device::createEvent() { return Event(new Clock::time_point()); }
void Device::destroyEvent(Event event) { delete static_cast<Clock::time_point *>(event); }
Status Device::record(Event event, Stream) {
  timeOf(event) = Clock::now();
  return {};
}
Result<double> Device::elapsedUs(Event start, Event end) {
  return std::chrono::duration<double, std::micro>(timeOf(end) - timeOf(start)).count();
}

Result<std::string> canonicalDeviceName(std::string_view name) {
  INLAY_ASSIGN(const ParsedName parsed, parseName(name));
  std::string canonical(parsed.kind->name);
  if (parsed.kind->isNumbered)
    canonical += ":" + std::to_string(parsed.ordinal);
  return canonical;
}

Result<std::unique_ptr<Device>> createDevice(const std::string &name) {
  INLAY_ASSIGN(const ParsedName parsed, parseName(name));
  return parsed.kind->create(parsed.ordinal);
}

Result<DeviceInfo> describeDevice(const std::string &name) {
  INLAY_ASSIGN(const ParsedName parsed, parseName(name));
  return parsed.kind->describe(parsed.ordinal);
}

Result<uint32_t> countDevices(std::string_view kind) {
  const DeviceKind *found = findKind(kind);
  if (!found)
    return invalidArgument("unknown kind of device '{}'; expected \"cpu\", \"cuda\" or \"null\"",
                           kind);
  return found->count();
}

std::string describeImages(const fb::Kernel &kernel) {
  std::string text;
  for (const fb::Image *image : *kernel.images()) {
    if (!text.empty())
      text += ", ";
    text += image->target()->string_view();
    if (image->format() == fb::ImageFormat::LibraryFunction)
      text += fmt::format(" (library function '{}')", image->entry()->string_view());
    else if (image->format() != fb::ImageFormat::X86SharedObject)
      text += image->format() == fb::ImageFormat::Ptx ? " (PTX)" : " (cubin)";
  }
  return text.empty() ? "none" : text;
}

} // namespace inlay
