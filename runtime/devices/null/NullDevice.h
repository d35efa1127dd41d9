// A device that runs nothing and counts everything: for tests, and to see what a run would do.
#pragma once

#include "runtime/devices/Device.h"

#include <atomic>

namespace inlay {

/// What was asked of a null device so far.
struct NullDeviceCounters {
  std::atomic<uint64_t> allocations{0};
  std::atomic<uint64_t> frees{0};
  std::atomic<uint64_t> liveBytes{0};
  std::atomic<uint64_t> kernelLoads{0};
  std::atomic<uint64_t> kernelUnloads{0};
  std::atomic<uint64_t> launches{0};
  std::atomic<uint64_t> copies{0};
  std::atomic<uint64_t> synchronizations{0};
};

/// Memory is host memory, but tensors are staged as on a GPU; copies are made, kernels are not run.
class NullDevice final : public Device {
public:
  NullDevice();
  /// Lives on after the device, so that what its end frees can be seen.
  std::shared_ptr<const NullDeviceCounters> counters() const { return counters_; }

  bool runsWork() const override { return false; }
  bool usesHostMemory() const override { return false; }
  Status makeCurrent() override { return {}; }
  Result<void *> allocateMemory(uint64_t sizeBytes) override;
  void freeMemory(void *memory) override;
  Status copy(void *target, const void *source, uint64_t sizeBytes, CopyDirection direction,
              Stream stream) override;
  Result<std::unique_ptr<LoadedKernel>> loadKernel(const EngineFile &file,
                                                   const fb::Kernel &kernel) override;
  Status launch(const LaunchRecord &record, Stream stream) override;
  Result<Stream> createStream(int32_t numThreads) override;
  void destroyStream(Stream stream) override;
  Status synchronize(Stream stream) override;
  bool takesCallerStreams() const override { return true; }

private:
  std::shared_ptr<NullDeviceCounters> counters_;
};

Result<std::unique_ptr<Device>> createNullDevice(uint32_t ordinal);
Result<DeviceInfo> describeNullDevice(uint32_t ordinal);
Result<uint32_t> countNullDevices();

} // namespace inlay
