// What the runtime needs of a device. One implementation per folder; the table of them is in
// Device.cpp.
#pragma once

#include "base/Status.h"
#include "engine/EngineFile.h"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace inlay {

/// A queue of a device's work: a CUstream, or what the device makes of it. May be null on devices
/// that run at once.
using Stream = void *;

/// A point in a stream's work, to measure from or to.
using Event = void *;

/// Work of a stream that was recorded once and can be launched again as a whole: a CUgraphExec.
using Graph = void *;

/// What a device is, for people and for choosing code.
struct DeviceInfo {
  std::string device; // canonical name, "cuda:0"
  std::string name;   // "NVIDIA H200"
  std::string target; // the best target to build for, "cuda:sm_90a"
  uint64_t memoryBytes = 0;
  int32_t numCores = 0;
  int32_t driverVersion = 0; // cuda: 1000 * major + 10 * minor
};

/// Code of one kernel, ready to launch on the device that loaded it. Freed before that device.
class LoadedKernel {
public:
  virtual ~LoadedKernel() = default;
  /// Threads per block along x, y, z; 0 on devices without blocks.
  virtual std::array<uint32_t, 3> block() const { return {}; }
  /// True for one that stands for no code: its launches need a call that was made ready.
  virtual bool isLibraryFunction() const { return false; }
  /// The target of the image that was loaded, "cuda:sm_90a"; empty on devices that load none.
  const std::string &target() const { return target_; }
  void setTarget(std::string_view target) { target_ = target; }

private:
  std::string target_;
};

/// The dynamic shared memory that a kernel's image asks for.
inline constexpr uint32_t kImageShared = UINT32_MAX;

/// What a library has made ready for the sizes of one launch of a function of its own, so that a
/// launch only executes. Freed before the kernel.
class PreparedCall {
public:
  virtual ~PreparedCall() = default;
  /// Memory of the device that it holds, beside the plan's; what calls share counts in each.
  virtual uint64_t memoryBytes() const { return 0; }
};

/// One launch, made ready ahead of time. No extent of the grid is 0.
struct LaunchRecord {
  const LoadedKernel *kernel = nullptr;
  uint32_t grid[3] = {1, 1, 1};
  void **arguments = nullptr; // for each parameter the address of its value
  /// A bit for each of the first 64 arguments: it is the address of memory that nobody changes as
  /// long as the kernel is loaded, and is known already when a call is made ready.
  uint64_t constantArguments = 0;
  uint64_t workBytes = 0;              // size of all buffers it is given: a measure of its work
  uint32_t block[3] = {0, 0, 0};       // threads per block; all 0: what the kernel's image says
  uint32_t sharedBytes = kImageShared; // dynamic shared memory per block
  const PreparedCall *call = nullptr;  // of a kernel that is a library's function
};

enum class CopyDirection : uint8_t { HostToDevice, DeviceToHost, DeviceToDevice };

/// Memory that was allocated and not freed again.
struct MemoryUse {
  uint64_t nowBytes = 0;
  uint64_t peakBytes = 0; // the most at any time
};

/// A device opened for one engine. All functions may be called from several threads at once.
class Device {
public:
  virtual ~Device() = default;

  const DeviceInfo &info() const { return info_; }
  /// True if host memory is this device's memory, so that no tensor needs staging.
  virtual bool usesHostMemory() const = 0;
  /// False for a device that only pretends to: host functions are not called for it.
  virtual bool runsWork() const { return true; }
  /// Makes the device usable by the calling thread; before anything below.
  virtual Status makeCurrent() = 0;
  /// Memory aligned to 256 bytes at least; `sizeBytes` is not 0. Errors: OutOfMemory.
  Result<void *> allocate(uint64_t sizeBytes);
  /// Null is nothing.
  void free(void *memory);
  /// Of all that was allocated here: for contexts, constants, callers' tensors.
  MemoryUse memoryUse() const;
  /// Copies in the stream's order; host memory may be reused only after synchronize.
  virtual Status copy(void *target, const void *source, uint64_t sizeBytes, CopyDirection direction,
                      Stream stream) = 0;
  /// Loads the best image the device can run. Errors: Incompatible naming the kernel, the device
  /// and the images there are; DeviceError. For a function of a library also NotFound,
  /// Incompatible: why it cannot be called here.
  virtual Result<std::unique_ptr<LoadedKernel>> loadKernel(const EngineFile &file,
                                                           const fb::Kernel &kernel) = 0;
  /// Makes memory ready that launches of the kernel on this stream need beside their arguments, so
  /// that launching allocates nothing; before the first launch, and not during one. Gives the bytes
  /// that were allocated, which the stream owns. Errors: OutOfMemory.
  virtual Result<uint64_t> prepareLaunches(const LoadedKernel &kernel, Stream stream);
  /// Has a library make ready what a launch of its function needs for the record's scalar
  /// arguments, on this stream. Addresses are not known yet, but for those of constants. Null on
  /// devices that need nothing.
  /// Errors: Unimplemented if the library does not do these sizes or types, which is no fault;
  /// OutOfMemory, DeviceError.
  virtual Result<std::unique_ptr<PreparedCall>> prepareCall(const LaunchRecord &record,
                                                            Stream stream);
  virtual Status launch(const LaunchRecord &record, Stream stream) = 0;
  /// Makes a stream; `numThreads` matters to the CPU only, 0 is its default.
  virtual Result<Stream> createStream(int32_t numThreads) = 0;
  virtual void destroyStream(Stream stream) = 0;
  virtual Status synchronize(Stream stream) = 0;
  /// True if callers may bring streams of their own.
  virtual bool takesCallerStreams() const = 0;

  /// True if the device records graphs; the functions below are for devices that do.
  virtual bool recordsGraphs() const { return false; }
  /// What is put into the stream from here on is recorded, not run; other threads are not
  /// disturbed. Errors: Unimplemented, DeviceError.
  virtual Status beginGraph(Stream stream);
  /// Ends the recording, also one in which something failed. Errors as beginGraph.
  virtual Result<Graph> endGraph(Stream stream);
  virtual Status launchGraph(Graph graph, Stream stream);
  /// Work in flight is not disturbed.
  virtual void destroyGraph(Graph graph);
  /// True if the caller is recording this stream into a graph of its own.
  virtual Result<bool> isRecording(Stream stream);

  /// Events measure a device's own time; a device that runs at once has that of the host's clock,
  /// which these do.
  virtual Result<Event> createEvent();
  virtual void destroyEvent(Event event);
  /// Marks the point that the stream has reached.
  virtual Status record(Event event, Stream stream);
  /// Waits for `end` and gives the microseconds between two recorded events.
  virtual Result<double> elapsedUs(Event start, Event end);

protected:
  virtual Result<void *> allocateMemory(uint64_t sizeBytes) = 0;
  virtual void freeMemory(void *memory) = 0;

  DeviceInfo info_;

private:
  mutable std::mutex memoryMutex_;
  std::unordered_map<void *, uint64_t> sizesBytes_; // of what is allocated
  MemoryUse memoryUse_;
};

/// The canonical name: "cuda" is "cuda:0". Errors: InvalidArgument naming what is possible.
Result<std::string> canonicalDeviceName(std::string_view name);
/// Opens a device by canonical name. Errors: DeviceError (no driver, no such device).
Result<std::unique_ptr<Device>> createDevice(const std::string &name);
/// Describes a device without starting work on it. Errors as createDevice.
Result<DeviceInfo> describeDevice(const std::string &name);
/// Number of devices of a kind, "cpu", "cuda" or "null". Errors as createDevice.
Result<uint32_t> countDevices(std::string_view kind);

/// The targets of a kernel's images, "cuda:sm_80, cpu:x86-64-v3", or "none", for messages.
std::string describeImages(const fb::Kernel &kernel);

} // namespace inlay
