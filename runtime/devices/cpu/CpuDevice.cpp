#include "runtime/devices/cpu/CpuDevice.h"

#include "base/DynamicLibrary.h"
#include "base/Error.h"
#include "base/Log.h"
#include "runtime/devices/cpu/CpuFeatures.h"
#include "runtime/devices/cpu/ThreadPool.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace inlay {
namespace {

/// Entry of a CPU kernel: runs the programs begin to end (exclusive) of the flattened grid.
using CpuEntry = void (*)(const void *const *arguments, const uint32_t *grid, uint64_t begin,
                          uint64_t end);

/// Launches that touch fewer bytes run on the calling thread: waking others takes longer.
constexpr uint64_t kInlineWorkBytes = 64 * 1024;
/// Chunks per thread, so that a slow thread is helped by the others.
constexpr uint64_t kChunksPerThread = 8;
constexpr uint64_t kAllocationAlignmentBytes = 4096;

class CpuKernel final : public LoadedKernel {
public:
  CpuKernel(DynamicLibrary library, CpuEntry entry) : library_(std::move(library)), entry(entry) {}

private:
  DynamicLibrary library_;

public:
  const CpuEntry entry;
};

struct CpuStream {
  uint32_t numThreads;
};

class CpuDevice final : public Device {
public:
  CpuDevice() {
    info_.device = "cpu";
    info_.numCores = static_cast<int32_t>(defaultNumThreads());
    info_.name = fmt::format("{}, {} threads", kCpuLevelNames[cpuLevel()], info_.numCores);
    info_.target = fmt::format("cpu:{}", kCpuLevelNames[cpuLevel()]);
    info_.memoryBytes = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  }

  bool usesHostMemory() const override { return true; }
  bool takesCallerStreams() const override { return false; }
  Status makeCurrent() override { return {}; }

  Result<void *> allocate(uint64_t sizeBytes) override {
    const uint64_t total = (sizeBytes + kAllocationAlignmentBytes - 1) / kAllocationAlignmentBytes *
                           kAllocationAlignmentBytes;
    void *memory =
        total < sizeBytes ? nullptr : std::aligned_alloc(kAllocationAlignmentBytes, total);
    if (!memory)
      return outOfMemory("cannot allocate {} bytes of host memory", sizeBytes);
    return memory;
  }
  void free(void *memory) override { std::free(memory); }

  Status copy(void *target, const void *source, uint64_t sizeBytes, CopyDirection,
              Stream) override {
    std::memmove(target, source, sizeBytes);
    return {};
  }

  Result<std::unique_ptr<LoadedKernel>> loadKernel(const EngineFile &file,
                                                   const fb::Kernel &kernel) override {
    const fb::Image *best = nullptr;
    int bestLevel = -1;
    for (const fb::Image *image : *kernel.images()) {
      if (image->format() != fb::ImageFormat::X86SharedObject)
        continue;
      for (int level = 0; level <= cpuLevel(); ++level)
        if (level > bestLevel &&
            image->target()->string_view() == fmt::format("cpu:{}", kCpuLevelNames[level])) {
          best = image;
          bestLevel = level;
        }
    }
    if (!best)
      return incompatible("kernel '{}' has no code for this processor ({}); the engine holds: {}; "
                          "build it with --target cpu",
                          kernel.name()->string_view(), kCpuLevelNames[cpuLevel()],
                          describeImages(kernel));
    INLAY_ASSIGN(DynamicLibrary library,
                 DynamicLibrary::fromBytes(file.segment(best->segment()), kernel.name()->str()));
    void *entry = library.find(best->entry()->c_str());
    if (!entry)
      return dataLoss("the code of kernel '{}' for {} has no entry '{}'",
                      kernel.name()->string_view(), best->target()->string_view(),
                      best->entry()->string_view());
    INLAY_LOG(Cpu, Debug, "kernel {}: {}", kernel.name()->string_view(),
              best->target()->string_view());
    return std::unique_ptr<LoadedKernel>(
        std::make_unique<CpuKernel>(std::move(library), reinterpret_cast<CpuEntry>(entry)));
  }

  Status launch(const LaunchRecord &record, Stream stream) override {
    const uint64_t count = uint64_t{record.grid[0]} * record.grid[1];
    uint64_t programs = 0;
    if (__builtin_mul_overflow(count, uint64_t{record.grid[2]}, &programs))
      return outOfRange("a grid of {} x {} x {} programs is too large for the CPU", record.grid[0],
                        record.grid[1], record.grid[2]);
    const uint32_t numThreads = static_cast<const CpuStream *>(stream)->numThreads;
    const CpuEntry entry = static_cast<const CpuKernel *>(record.kernel)->entry;
    if (programs == 1 || numThreads == 1 || record.workBytes < kInlineWorkBytes) {
      entry(record.arguments, record.grid, 0, programs);
      return {};
    }
    struct Loop {
      CpuEntry entry;
      const LaunchRecord &record;
    } loop{entry, record};
    const uint64_t chunk = std::max<uint64_t>(1, programs / (numThreads * kChunksPerThread));
    pool_.run(
        programs, chunk, numThreads,
        [](void *data, uint64_t begin, uint64_t end) {
          const Loop &self = *static_cast<const Loop *>(data);
          self.entry(self.record.arguments, self.record.grid, begin, end);
        },
        &loop);
    return {};
  }

  Result<Stream> createStream(int32_t numThreads) override {
    const uint32_t count = numThreads > 0 ? static_cast<uint32_t>(numThreads) : defaultNumThreads();
    pool_.ensureWorkers(count - 1);
    return Stream(new CpuStream{count});
  }
  void destroyStream(Stream stream) override { delete static_cast<CpuStream *>(stream); }
  Status synchronize(Stream) override { return {}; }

private:
  ThreadPool pool_;
};

} // namespace

Result<std::unique_ptr<Device>> createCpuDevice(uint32_t) {
  return std::unique_ptr<Device>(std::make_unique<CpuDevice>());
}

Result<DeviceInfo> describeCpuDevice(uint32_t) { return CpuDevice().info(); }

Result<uint32_t> countCpuDevices() { return 1u; }

} // namespace inlay
