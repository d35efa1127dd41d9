#include "runtime/devices/null/NullDevice.h"

#include "base/Error.h"

#include <cstdlib>
#include <cstring>

namespace inlay {
namespace {

/// Each allocation starts with its size, in a block of this length.
constexpr uint64_t kPrefixBytes = 256;

class NullKernel final : public LoadedKernel {
public:
  explicit NullKernel(std::shared_ptr<NullDeviceCounters> counters)
      : counters_(std::move(counters)) {
    ++counters_->kernelLoads;
  }
  ~NullKernel() override { ++counters_->kernelUnloads; }

private:
  std::shared_ptr<NullDeviceCounters> counters_;
};

} // namespace

NullDevice::NullDevice() : counters_(std::make_shared<NullDeviceCounters>()) {
  info_.device = info_.name = info_.target = "null";
}

Result<void *> NullDevice::allocateMemory(uint64_t sizeBytes) {
  const uint64_t total = (sizeBytes + 2 * kPrefixBytes - 1) / kPrefixBytes * kPrefixBytes;
  void *block = total < sizeBytes ? nullptr : std::aligned_alloc(kPrefixBytes, total);
  if (!block)
    return outOfMemory("cannot allocate {} bytes of host memory", sizeBytes);
  std::memcpy(block, &sizeBytes, sizeof(sizeBytes));
  ++counters_->allocations;
  counters_->liveBytes += sizeBytes;
  return static_cast<void *>(static_cast<char *>(block) + kPrefixBytes);
}

void NullDevice::freeMemory(void *memory) {
  char *block = static_cast<char *>(memory) - kPrefixBytes;
  uint64_t sizeBytes = 0;
  std::memcpy(&sizeBytes, block, sizeof(sizeBytes));
  ++counters_->frees;
  counters_->liveBytes -= sizeBytes;
  std::free(block);
}

Status NullDevice::copy(void *target, const void *source, uint64_t sizeBytes, CopyDirection,
                        Stream) {
  ++counters_->copies;
  std::memmove(target, source, sizeBytes);
  return {};
}

Result<std::unique_ptr<LoadedKernel>> NullDevice::loadKernel(const EngineFile &,
                                                             const fb::Kernel &) {
  return std::unique_ptr<LoadedKernel>(std::make_unique<NullKernel>(counters_));
}

Status NullDevice::launch(const LaunchRecord &, Stream) {
  ++counters_->launches;
  return {};
}

Result<Stream> NullDevice::createStream(int32_t) { return Stream(nullptr); }

void NullDevice::destroyStream(Stream) {}

Status NullDevice::synchronize(Stream) {
  ++counters_->synchronizations;
  return {};
}

Result<std::unique_ptr<Device>> createNullDevice(uint32_t) {
  return std::unique_ptr<Device>(std::make_unique<NullDevice>());
}

Result<DeviceInfo> describeNullDevice(uint32_t) { return NullDevice().info(); }

Result<uint32_t> countNullDevices() { return 1u; }

} // namespace inlay
