#include "runtime/devices/cuda/CudaDevice.h"

#include "base/Error.h"
#include "base/Log.h"
#include "engine/LibraryFunctions.h"
#include "runtime/devices/cuda/CudaDriver.h"
#include "runtime/devices/cuda/CudaImage.h"
#include "runtime/devices/cuda/CudaLibraryFunction.h"

#include <array>
#include <atomic>
#include <cstring>

namespace inlay {
namespace {

/// Dynamic shared memory beyond this must be asked for per function.
constexpr uint32_t kDefaultSharedBytes = 48 * 1024;
constexpr unsigned kWarpSize = 32;
/// Blocks that a cluster may have on every GPU with clusters.
constexpr unsigned kPortableClusterBlocks = 8;

CudaAddress toAddress(const void *memory) { return reinterpret_cast<CudaAddress>(memory); }

class CudaKernel final : public LoadedKernel {
public:
  CudaKernel(std::shared_ptr<const CudaDriver> driver, CudaContext context, CudaModule module)
      : driver_(std::move(driver)), context_(context), module_(module) {}
  ~CudaKernel() override {
    // The driver may have shut down already when the process ends; nothing is left to free then.
    if (driver_->ctxSetCurrent(context_) == 0)
      (void)driver_->moduleUnload(module_);
  }

  std::array<uint32_t, 3> block() const override { return threads; }

  CudaFunction function = nullptr;
  std::array<unsigned, 3> threads{}; // of a block
  unsigned sharedBytes = 0;
  unsigned blocksPerProgram = 1;
  /// The dynamic shared memory that launches may ask for without telling the driver first.
  mutable std::atomic<unsigned> allowedSharedBytes = kDefaultSharedBytes;
  std::array<cuda::LaunchAttribute, 3> attributes{}; // the first numAttributes
  unsigned numAttributes = 0;

  cuda::LaunchAttribute &addAttribute(int id) {
    cuda::LaunchAttribute &attribute = attributes[numAttributes++];
    attribute.id = id;
    return attribute;
  }

private:
  std::shared_ptr<const CudaDriver> driver_;
  CudaContext context_;
  CudaModule module_;
};

class CudaDevice final : public Device {
public:
  CudaDevice(std::shared_ptr<const CudaDriver> driver, CudaDeviceHandle handle)
      : driver_(std::move(driver)), handle_(handle) {}
  ~CudaDevice() override {
    if (!context_)
      return;
    if (driver_->ctxSetCurrent(context_) == 0)
      libraries_.reset(); // while there is a context
    (void)driver_->devicePrimaryCtxRelease(handle_);
  }

  Status initialize(uint32_t ordinal) {
    char name[256] = {};
    size_t totalBytes = 0;
    INLAY_TRY(driver_->check(driver_->deviceGetName(name, sizeof(name) - 1, handle_),
                             "reading the GPU's name"));
    INLAY_TRY(driver_->check(driver_->deviceTotalMem(&totalBytes, handle_),
                             "reading the GPU's memory size"));
    INLAY_TRY(readAttribute(cuda::kAttributeComputeCapabilityMajor, major_));
    INLAY_TRY(readAttribute(cuda::kAttributeComputeCapabilityMinor, minor_));
    INLAY_TRY(readAttribute(cuda::kAttributeMultiprocessorCount, info_.numCores));
    INLAY_TRY(readAttribute(cuda::kAttributeMaxSharedBytesPerBlockOptIn, maxSharedBytes_));
    info_.device = fmt::format("cuda:{}", ordinal);
    info_.name = name;
    info_.target = cudaTargetName(major_, minor_);
    info_.memoryBytes = totalBytes;
    info_.driverVersion = driver_->version();
    return {};
  }
  Status retainContext() {
    return driver_->check(driver_->devicePrimaryCtxRetain(&context_, handle_),
                          "creating the GPU's primary context");
  }

  bool usesHostMemory() const override { return false; }
  bool takesCallerStreams() const override { return true; }

  Status makeCurrent() override {
    return driver_->check(driver_->ctxSetCurrent(context_), "cuCtxSetCurrent");
  }

  Result<void *> allocateMemory(uint64_t sizeBytes) override {
    CudaAddress address = 0;
    if (const CudaResult result = driver_->memAlloc(&address, sizeBytes)) {
      if (result == cuda::kErrorOutOfMemory)
        return outOfMemory("cannot allocate {} bytes on {} ({}): {}", sizeBytes, info_.device,
                           info_.name, driver_->describe(result));
      return driver_->check(result, "cuMemAlloc");
    }
    return reinterpret_cast<void *>(address);
  }
  void freeMemory(void *memory) override {
    if (driver_->ctxSetCurrent(context_) == 0)
      (void)driver_->memFree(toAddress(memory));
  }

  Status copy(void *target, const void *source, uint64_t sizeBytes, CopyDirection direction,
              Stream stream) override {
    const auto queue = static_cast<CudaStream>(stream);
    switch (direction) {
    case CopyDirection::HostToDevice:
      return driver_->check(driver_->memcpyHtoDAsync(toAddress(target), source, sizeBytes, queue),
                            "cuMemcpyHtoDAsync");
    case CopyDirection::DeviceToHost:
      return driver_->check(driver_->memcpyDtoHAsync(target, toAddress(source), sizeBytes, queue),
                            "cuMemcpyDtoHAsync");
    case CopyDirection::DeviceToDevice:
      break;
    }
    return driver_->check(
        driver_->memcpyDtoDAsync(toAddress(target), toAddress(source), sizeBytes, queue),
        "cuMemcpyDtoDAsync");
  }

  Result<std::unique_ptr<LoadedKernel>> loadKernel(const EngineFile &file,
                                                   const fb::Kernel &kernel) override {
    if (isLibraryFunction(kernel))
      return libraries_->load(kernel);
    const fb::Image *image = chooseCudaImage(kernel, major_, minor_);
    if (!image)
      return incompatible(
          "kernel '{}' has no code for {} ({}, compute capability {}.{}); the engine "
          "holds: {}; {}",
          kernel.name()->string_view(), info_.device, info_.name, major_, minor_,
          describeImages(kernel),
          major_ < kOldestCudaMajor
              ? fmt::format("this GPU is too old: {}.0 is the oldest that Inlay builds for",
                            kOldestCudaMajor)
              : fmt::format("build it with --target {}", info_.target));
    if (image->shared_bytes() > static_cast<uint32_t>(maxSharedBytes_))
      return incompatible("kernel '{}' needs {} bytes of shared memory; {} ({}) has {} per block",
                          kernel.name()->string_view(), image->shared_bytes(), info_.device,
                          info_.name, maxSharedBytes_);
    INLAY_ASSIGN(const CudaModule module, loadModule(file, kernel, *image));
    auto loaded = std::make_unique<CudaKernel>(driver_, context_, module);
    setLaunch(*loaded, *image);
    loaded->setTarget(image->target()->string_view());
    const std::string context = fmt::format("loading kernel '{}'", kernel.name()->string_view());
    INLAY_TRY(driver_->check(
                  driver_->moduleGetFunction(&loaded->function, module, image->entry()->c_str()),
                  "finding the kernel's entry"),
              context + " with entry '" + image->entry()->str() + "'");
    INLAY_TRY(allowShared(*loaded, loaded->sharedBytes), context);
    if (image->cluster() && numBlocks(*image->cluster()) > kPortableClusterBlocks)
      INLAY_TRY(driver_->check(driver_->funcSetAttribute(
                                   loaded->function, cuda::kFunctionAttributeNonPortableCluster, 1),
                               "allowing the kernel's large clusters"),
                context);
    INLAY_LOG(Cuda, Debug, "kernel {}: {} for {}", kernel.name()->string_view(),
              image->target()->string_view(), info_.name);
    return std::unique_ptr<LoadedKernel>(std::move(loaded));
  }

  Result<std::unique_ptr<PreparedCall>> prepareCall(const LaunchRecord &record, Stream) override {
    return static_cast<const CudaLibraryFunction *>(record.kernel)->prepare(record.arguments);
  }

  Status launch(const LaunchRecord &record, Stream stream) override {
    if (record.call)
      return static_cast<const CudaLibraryCall *>(record.call)
          ->run(record.arguments, static_cast<CudaStream>(stream));
    const auto &kernel = *static_cast<const CudaKernel *>(record.kernel);
    const unsigned *block = record.block[0] ? record.block : kernel.threads.data();
    const unsigned sharedBytes =
        record.sharedBytes == kImageShared ? kernel.sharedBytes : record.sharedBytes;
    if (sharedBytes > kernel.allowedSharedBytes) [[unlikely]]
      INLAY_TRY(allowShared(kernel, sharedBytes));
    if (kernel.numAttributes == 0 && kernel.blocksPerProgram == 1)
      return driver_->check(driver_->launchKernel(kernel.function, record.grid[0], record.grid[1],
                                                  record.grid[2], block[0], block[1], block[2],
                                                  sharedBytes, static_cast<CudaStream>(stream),
                                                  record.arguments, nullptr),
                            "cuLaunchKernel");
    return launchWithAttributes(kernel, record, block, sharedBytes,
                                static_cast<CudaStream>(stream));
  }

  Result<Stream> createStream(int32_t) override {
    CudaStream stream = nullptr;
    INLAY_TRY(
        driver_->check(driver_->streamCreate(&stream, cuda::kStreamNonBlocking), "cuStreamCreate"));
    return Stream(stream);
  }
  void destroyStream(Stream stream) override {
    if (driver_->ctxSetCurrent(context_) == 0)
      (void)driver_->streamDestroy(static_cast<CudaStream>(stream));
  }
  Status synchronize(Stream stream) override {
    return driver_->check(driver_->streamSynchronize(static_cast<CudaStream>(stream)),
                          "waiting for the GPU");
  }
  bool recordsGraphs() const override { return true; }
  Status beginGraph(Stream stream) override {
    // Calls of other threads that a recording could not take stay allowed.
    return driver_->check(
        driver_->streamBeginCapture(static_cast<CudaStream>(stream), cuda::kCaptureThreadLocal),
        "cuStreamBeginCapture");
  }
  Result<Graph> endGraph(Stream stream) override {
    CudaGraph graph = nullptr;
    INLAY_TRY(driver_->check(driver_->streamEndCapture(static_cast<CudaStream>(stream), &graph),
                             "cuStreamEndCapture"));
    CudaGraphExec executable = nullptr;
    Status status =
        driver_->check(driver_->graphInstantiate(&executable, graph, 0), "cuGraphInstantiate");
    (void)driver_->graphDestroy(graph);
    INLAY_TRY(std::move(status));
    return Graph(executable);
  }
  Status launchGraph(Graph graph, Stream stream) override {
    return driver_->check(
        driver_->graphLaunch(static_cast<CudaGraphExec>(graph), static_cast<CudaStream>(stream)),
        "cuGraphLaunch");
  }
  void destroyGraph(Graph graph) override {
    if (driver_->ctxSetCurrent(context_) == 0)
      (void)driver_->graphExecDestroy(static_cast<CudaGraphExec>(graph));
  }
  Result<bool> isRecording(Stream stream) override {
    int status = cuda::kCaptureNone;
    INLAY_TRY(driver_->check(driver_->streamIsCapturing(static_cast<CudaStream>(stream), &status),
                             "cuStreamIsCapturing"));
    return status != cuda::kCaptureNone;
  }
  Result<Event> createEvent() override {
    CudaEvent event = nullptr;
    INLAY_TRY(driver_->check(driver_->eventCreate(&event, 0), "cuEventCreate"));
    return Event(event);
  }
  void destroyEvent(Event event) override {
    if (driver_->ctxSetCurrent(context_) == 0)
      (void)driver_->eventDestroy(static_cast<CudaEvent>(event));
  }
  Status record(Event event, Stream stream) override {
    return driver_->check(
        driver_->eventRecord(static_cast<CudaEvent>(event), static_cast<CudaStream>(stream)),
        "cuEventRecord");
  }
  Result<double> elapsedUs(Event start, Event end) override {
    float milliseconds = 0;
    INLAY_TRY(driver_->check(driver_->eventSynchronize(static_cast<CudaEvent>(end)),
                             "waiting for the GPU"));
    INLAY_TRY(driver_->check(driver_->eventElapsedTime(&milliseconds, static_cast<CudaEvent>(start),
                                                       static_cast<CudaEvent>(end)),
                             "cuEventElapsedTime"));
    return 1000.0 * static_cast<double>(milliseconds);
  }

private:
  static unsigned numBlocks(const flatbuffers::Vector<uint32_t> &cluster) {
    return cluster.Get(0) * cluster.Get(1) * cluster.Get(2);
  }

  /// What an image says of how it is launched.
  static void setLaunch(CudaKernel &kernel, const fb::Image &image) {
    kernel.threads = {kWarpSize * image.num_warps(), 1, 1};
    for (uint32_t i = 0; image.block() && i < 3; ++i)
      kernel.threads[i] = image.block()->Get(i);
    kernel.sharedBytes = image.shared_bytes();
    kernel.blocksPerProgram = image.blocks_per_program();
    if (image.cluster()) {
      cuda::LaunchAttribute &attribute =
          kernel.addAttribute(cuda::LaunchAttribute::ClusterDimension);
      for (uint32_t i = 0; i < 3; ++i)
        attribute.value.extents[i] = image.cluster()->Get(i);
    }
    if (image.is_cooperative())
      kernel.addAttribute(cuda::LaunchAttribute::Cooperative).value.isOn = 1;
    if (image.is_programmatic())
      kernel.addAttribute(cuda::LaunchAttribute::ProgrammaticStreamSerialization).value.isOn = 1;
  }

  /// Asks the driver for dynamic shared memory beyond what it gives unasked.
  Status allowShared(const CudaKernel &kernel, unsigned sharedBytes) const {
    if (sharedBytes <= kernel.allowedSharedBytes)
      return {};
    if (sharedBytes > static_cast<unsigned>(maxSharedBytes_))
      return incompatible("a launch needs {} bytes of shared memory; {} ({}) has {} per block",
                          sharedBytes, info_.device, info_.name, maxSharedBytes_);
    INLAY_TRY(driver_->check(
        driver_->funcSetAttribute(kernel.function, cuda::kFunctionAttributeMaxDynamicSharedBytes,
                                  static_cast<int>(sharedBytes)),
        "raising the kernel's shared memory"));
    kernel.allowedSharedBytes = sharedBytes;
    return {};
  }

  Status launchWithAttributes(const CudaKernel &kernel, const LaunchRecord &record,
                              const unsigned *block, unsigned sharedBytes,
                              CudaStream stream) const {
    const uint64_t blocks = uint64_t{record.grid[0]} * kernel.blocksPerProgram;
    if (blocks > INT32_MAX)
      return outOfRange("a grid of {} programs in x has {} blocks; possible are {}", record.grid[0],
                        blocks, INT32_MAX);
    const cuda::LaunchConfiguration configuration{
        {static_cast<unsigned>(blocks), record.grid[1], record.grid[2]},
        {block[0], block[1], block[2]},
        sharedBytes,
        stream,
        kernel.attributes.data(),
        kernel.numAttributes};
    return driver_->check(
        driver_->launchKernelEx(&configuration, kernel.function, record.arguments, nullptr),
        "cuLaunchKernelEx");
  }

  Status readAttribute(int attribute, int &value) {
    return driver_->check(driver_->deviceGetAttribute(&value, attribute, handle_),
                          "cuDeviceGetAttribute");
  }

  Result<CudaModule> loadModule(const EngineFile &file, const fb::Kernel &kernel,
                                const fb::Image &image) {
    const std::span<const std::byte> bytes = file.segment(image.segment());
    // The driver reads PTX up to a zero byte, which the segment does not have.
    const std::string code(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    std::array<char, 8192> log{};
    int options[] = {cuda::kJitErrorLogBuffer, cuda::kJitErrorLogBufferSizeBytes};
    void *values[] = {log.data(), reinterpret_cast<void *>(log.size() - 1)};
    CudaModule module = nullptr;
    const CudaResult result = driver_->moduleLoadDataEx(&module, code.data(), 2, options, values);
    if (result == 0)
      return module;
    const std::string what = fmt::format("kernel '{}' ({})", kernel.name()->string_view(),
                                         image.target()->string_view());
    if (result == cuda::kErrorUnsupportedPtxVersion)
      return incompatible("{} is PTX of ISA version {}.{}, newer than the NVIDIA driver reads (its "
                          "CUDA version is {}.{}): update the driver, or build a cubin with ptxas "
                          "installed",
                          what, image.ptx_version() / 10, image.ptx_version() % 10,
                          info_.driverVersion / 1000, info_.driverVersion % 1000 / 10);
    const std::string logText = log[0] ? fmt::format("; the driver's log: {}", log.data()) : "";
    if (result == cuda::kErrorNoBinaryForGpu)
      return incompatible("{} does not run on {} ({}, compute capability {}.{}): {}{}", what,
                          info_.device, info_.name, major_, minor_, driver_->describe(result),
                          logText);
    if (result == cuda::kErrorOutOfMemory)
      return outOfMemory("loading {} failed: {}{}", what, driver_->describe(result), logText);
    return deviceError("loading {} failed: {}{}", what, driver_->describe(result), logText);
  }

  std::shared_ptr<const CudaDriver> driver_;
  CudaDeviceHandle handle_;
  CudaContext context_ = nullptr;
  std::unique_ptr<CudaLibraries> libraries_ = std::make_unique<CudaLibraries>();
  int major_ = 0, minor_ = 0, maxSharedBytes_ = 0;
};

Result<uint32_t> countWith(const CudaDriver &driver) {
  int count = 0;
  INLAY_TRY(driver.check(driver.deviceGetCount(&count), "cuDeviceGetCount"));
  return static_cast<uint32_t>(count);
}

/// A device that has no context yet.
Result<std::unique_ptr<CudaDevice>> openDevice(uint32_t ordinal) {
  INLAY_ASSIGN(std::shared_ptr<const CudaDriver> driver, CudaDriver::open());
  INLAY_ASSIGN(const uint32_t count, countWith(*driver));
  if (ordinal >= count)
    return deviceError("there is no device cuda:{}; the NVIDIA driver finds {} GPU{}", ordinal,
                       count, count == 1 ? "" : "s");
  CudaDeviceHandle handle = 0;
  INLAY_TRY(driver->check(driver->deviceGet(&handle, static_cast<int>(ordinal)), "cuDeviceGet"));
  auto device = std::make_unique<CudaDevice>(std::move(driver), handle);
  INLAY_TRY(device->initialize(ordinal));
  return device;
}

} // namespace

Result<std::unique_ptr<Device>> createCudaDevice(uint32_t ordinal) {
  INLAY_ASSIGN(std::unique_ptr<CudaDevice> device, openDevice(ordinal));
  INLAY_TRY(device->retainContext());
  return std::unique_ptr<Device>(std::move(device));
}

Result<DeviceInfo> describeCudaDevice(uint32_t ordinal) {
  INLAY_ASSIGN(const std::unique_ptr<CudaDevice> device, openDevice(ordinal));
  return device->info();
}

Result<uint32_t> countCudaDevices() {
  INLAY_ASSIGN(const std::shared_ptr<const CudaDriver> driver, CudaDriver::open());
  return countWith(*driver);
}

} // namespace inlay
