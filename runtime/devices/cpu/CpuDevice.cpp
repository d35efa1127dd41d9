#include "runtime/devices/cpu/CpuDevice.h"

#include "base/DynamicLibrary.h"
#include "base/Error.h"
#include "base/Log.h"
#include "engine/LibraryFunctions.h"
#include "runtime/devices/cpu/CpuFeatures.h"
#include "runtime/devices/cpu/CpuLibraryFunction.h"
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
/// Of an image that asks for scratch memory, which no other thread uses meanwhile.
using CpuEntryWithScratch = void (*)(const void *const *arguments, const uint32_t *grid,
                                     uint64_t begin, uint64_t end, void *scratch);

/// Launches that touch fewer bytes run on the calling thread: waking others takes longer.
constexpr uint64_t kInlineWorkBytes = 64 * 1024;
/// Chunks per thread, so that a slow thread is helped by the others.
constexpr uint64_t kChunksPerThread = 8;
constexpr uint64_t kAllocationAlignmentBytes = 4096;

class CpuKernel final : public LoadedKernel {
public:
  CpuKernel(DynamicLibrary library, void *entry, uint64_t scratchBytes)
      : library_(std::move(library)), entry_(entry), scratchBytes_(scratchBytes) {}

  void run(const LaunchRecord &record, uint64_t begin, uint64_t end, void *scratch) const {
    if (scratchBytes_ == 0)
      reinterpret_cast<CpuEntry>(entry_)(record.arguments, record.grid, begin, end);
    else
      reinterpret_cast<CpuEntryWithScratch>(entry_)(record.arguments, record.grid, begin, end,
                                                    scratch);
  }
  uint64_t scratchBytes() const { return scratchBytes_; }

private:
  DynamicLibrary library_;
  void *entry_;
  uint64_t scratchBytes_;
};

/// Threads to use, and scratch memory for each of them: streams run at once, and a thread is in one
/// launch at a time.
struct CpuStream {
  uint32_t numThreads;
  std::byte *scratch = nullptr;
  uint64_t scratchBytesPerThread = 0;

  void *scratchOf(uint32_t place) const {
    return scratch ? scratch + place * scratchBytesPerThread : nullptr;
  }
};

class CpuDevice final : public Device {
public:
  CpuDevice() {
    info_.device = "cpu";
    info_.numCores = static_cast<int32_t>(defaultNumThreads());
    const std::string brand = cpuBrand();
    info_.name = fmt::format("{}{}{}, {} threads", brand, brand.empty() ? "" : ", ",
                             kCpuLevelNames[cpuLevel()], info_.numCores);
    info_.target = fmt::format("cpu:{}", kCpuLevelNames[cpuLevel()]);
    info_.memoryBytes = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  }

  bool usesHostMemory() const override { return true; }
  bool takesCallerStreams() const override { return false; }
  Status makeCurrent() override { return {}; }

  Result<void *> allocateMemory(uint64_t sizeBytes) override {
    const uint64_t total = (sizeBytes + kAllocationAlignmentBytes - 1) / kAllocationAlignmentBytes *
                           kAllocationAlignmentBytes;
    void *memory =
        total < sizeBytes ? nullptr : std::aligned_alloc(kAllocationAlignmentBytes, total);
    if (!memory)
      return outOfMemory("cannot allocate {} bytes of host memory", sizeBytes);
    return memory;
  }
  void freeMemory(void *memory) override { std::free(memory); }

  Status copy(void *target, const void *source, uint64_t sizeBytes, CopyDirection,
              Stream) override {
    std::memmove(target, source, sizeBytes);
    return {};
  }

  Result<std::unique_ptr<LoadedKernel>> loadKernel(const EngineFile &file,
                                                   const fb::Kernel &kernel) override {
    if (isLibraryFunction(kernel))
      return libraries_.load(kernel);
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
    auto loaded = std::make_unique<CpuKernel>(std::move(library), entry, best->scratch_bytes());
    loaded->setTarget(best->target()->string_view());
    return std::unique_ptr<LoadedKernel>(std::move(loaded));
  }

  Result<uint64_t> prepareLaunches(const LoadedKernel &kernel, Stream stream) override {
    CpuStream &own = *static_cast<CpuStream *>(stream);
    const uint64_t wanted = kernel.isLibraryFunction()
                                ? 0 // a call has its own
                                : static_cast<const CpuKernel &>(kernel).scratchBytes();
    if (wanted <= own.scratchBytesPerThread)
      return uint64_t{0};
    // Whole pages each, so that threads share no cache line.
    const uint64_t perThread = (wanted + kAllocationAlignmentBytes - 1) /
                               kAllocationAlignmentBytes * kAllocationAlignmentBytes;
    uint64_t total = 0;
    if (perThread < wanted || __builtin_mul_overflow(perThread, own.numThreads, &total))
      return outOfMemory("cannot allocate {} bytes of scratch memory for each of {} threads",
                         wanted, own.numThreads);
    INLAY_ASSIGN(void *memory, allocate(total),
                 fmt::format("allocating {} bytes of scratch memory for each of {} threads", wanted,
                             own.numThreads));
    const uint64_t before = own.scratchBytesPerThread * own.numThreads;
    free(own.scratch);
    own.scratch = static_cast<std::byte *>(memory);
    own.scratchBytesPerThread = perThread;
    return total - before;
  }

  Result<std::unique_ptr<PreparedCall>> prepareCall(const LaunchRecord &record,
                                                    Stream stream) override {
    return static_cast<const CpuLibraryFunction *>(record.kernel)
        ->prepare(record, static_cast<const CpuStream *>(stream)->numThreads, *this);
  }

  Status launch(const LaunchRecord &record, Stream stream) override {
    if (record.call)
      return launchCall(record, static_cast<const CpuStream *>(stream)->numThreads);
    const uint64_t count = uint64_t{record.grid[0]} * record.grid[1];
    uint64_t programs = 0;
    if (__builtin_mul_overflow(count, uint64_t{record.grid[2]}, &programs))
      return outOfRange("a grid of {} x {} x {} programs is too large for the CPU", record.grid[0],
                        record.grid[1], record.grid[2]);
    const CpuStream &own = *static_cast<const CpuStream *>(stream);
    const CpuKernel &kernel = *static_cast<const CpuKernel *>(record.kernel);
    if (kernel.scratchBytes() > own.scratchBytesPerThread) [[unlikely]]
      return failedPrecondition("a kernel with {} bytes of scratch memory was launched on a stream "
                                "that is not prepared for it",
                                kernel.scratchBytes());
    const uint32_t numThreads = own.numThreads;
    if (programs == 1 || numThreads == 1 || record.workBytes < kInlineWorkBytes) {
      kernel.run(record, 0, programs, own.scratch);
      return {};
    }
    struct Loop {
      const CpuKernel &kernel;
      const LaunchRecord &record;
      const CpuStream &stream;
    } loop{kernel, record, own};
    const uint64_t chunk = std::max<uint64_t>(1, programs / (numThreads * kChunksPerThread));
    pool_.run(
        programs, chunk, numThreads,
        [](void *data, uint32_t place, uint64_t begin, uint64_t end) {
          const Loop &self = *static_cast<const Loop *>(data);
          self.kernel.run(self.record, begin, end, self.stream.scratchOf(place));
        },
        &loop);
    return {};
  }

  Result<Stream> createStream(int32_t numThreads) override {
    const uint32_t count = numThreads > 0 ? static_cast<uint32_t>(numThreads) : defaultNumThreads();
    pool_.ensureWorkers(count - 1);
    return Stream(new CpuStream{count});
  }
  void destroyStream(Stream stream) override {
    free(static_cast<CpuStream *>(stream)->scratch);
    delete static_cast<CpuStream *>(stream);
  }
  Status synchronize(Stream) override { return {}; }

private:
  Status launchCall(const LaunchRecord &record, uint32_t numThreads) {
    const auto &call = *static_cast<const CpuLibraryCall *>(record.call);
    const uint64_t programs = call.numPrograms();
    if (programs == 1 || numThreads == 1)
      return call.run(record.arguments, 0, 0, programs);
    struct Loop {
      const CpuLibraryCall &call;
      void *const *arguments;
      std::mutex mutex;
      Status failure; // the first
    } loop{call, record.arguments, {}, {}};
    pool_.run(
        programs, 1, static_cast<uint32_t>(std::min<uint64_t>(numThreads, programs)),
        [](void *data, uint32_t place, uint64_t begin, uint64_t end) {
          Loop &self = *static_cast<Loop *>(data);
          Status status = self.call.run(self.arguments, place, begin, end);
          if (status.isOk()) [[likely]]
            return;
          const std::lock_guard lock(self.mutex);
          if (self.failure.isOk())
            self.failure = std::move(status);
        },
        &loop);
    return std::move(loop.failure);
  }

  CpuLibraries libraries_;
  ThreadPool pool_;
};

} // namespace

Result<std::unique_ptr<Device>> createCpuDevice(uint32_t) {
  return std::unique_ptr<Device>(std::make_unique<CpuDevice>());
}

Result<DeviceInfo> describeCpuDevice(uint32_t) { return CpuDevice().info(); }

Result<uint32_t> countCpuDevices() { return 1u; }

} // namespace inlay
