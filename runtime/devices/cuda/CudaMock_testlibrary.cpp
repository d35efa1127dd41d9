#include "runtime/devices/cuda/CudaMock.h"
#include "runtime/devices/cuda/CudaTypes.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>

using namespace inlay;

namespace {

constexpr CudaResult kErrorInvalidValue = 1;
constexpr CudaResult kErrorInvalidContext = 201;
constexpr CudaResult kErrorNotFound = 500;

CudaMockState state;
std::mutex mutex;
thread_local CudaContext currentContext = nullptr;

/// A handle that counts among the live ones; entry names are those that a kernel's code has here.
struct Handle {
  std::string entry;
};

template <typename T>
CudaResult makeHandle(T *handle, int &count, const char *entry = "") {
  *handle = reinterpret_cast<T>(new Handle{entry});
  ++count;
  return 0;
}

template <typename T>
CudaResult freeHandle(T handle, int &count) {
  delete reinterpret_cast<Handle *>(handle);
  --count;
  return 0;
}

bool isFailing(const char *function) { return state.failingFunction == function; }

/// y = x + bias[0] * scale over n elements, 256 per program.
void runTestKernel(void **arguments, unsigned numPrograms) {
  const float *x = *static_cast<const float **>(arguments[0]);
  const int32_t n = *static_cast<int32_t *>(arguments[1]);
  float *y = *static_cast<float **>(arguments[2]);
  const float bias = **static_cast<const float **>(arguments[3]);
  const float scale = *static_cast<float *>(arguments[4]);
  for (int32_t i = 0; i < n && i < static_cast<int32_t>(256 * numPrograms); ++i)
    y[i] = x[i] + bias * scale;
}

/// Work of a stream that was recorded and not run.
using Work = std::vector<std::function<void()>>;
std::map<const void *, Work> recordings; // by stream

/// Does work at once, or records it if the stream is being recorded.
CudaResult enqueue(const void *stream, std::function<void()> work) {
  if (auto recording = recordings.find(stream); recording != recordings.end())
    recording->second.push_back(std::move(work));
  else
    work();
  return 0;
}

CudaResult noteLaunch(CudaMockLaunch launch, void **arguments) {
  const size_t sizesBytes[5] = {8, 4, 8, 8, 4};
  for (int i = 0; i < 5; ++i)
    std::memcpy(&launch.arguments[i], arguments[i], sizesBytes[i]);
  const void *stream = launch.stream;
  return enqueue(stream, [launch = std::move(launch)]() mutable {
    void *own[5];
    for (int i = 0; i < 5; ++i)
      own[i] = &launch.arguments[i];
    runTestKernel(own, launch.grid[0]);
    state.launches.push_back(launch);
  });
}

} // namespace

#define MOCK(name, ...)                                                                            \
  extern "C" __attribute__((visibility("default"))) CudaResult name(__VA_ARGS__)
/// The start of every function: it fails if it is to, or if no context is current.
#define BEGIN                                                                                      \
  std::lock_guard lock(mutex);                                                                     \
  ++state.numCalls;                                                                                \
  if (isFailing(__func__))                                                                         \
  return state.failure
#define BEGIN_IN_CONTEXT                                                                           \
  BEGIN;                                                                                           \
  if (!currentContext)                                                                             \
  return kErrorInvalidContext

extern "C" __attribute__((visibility("default"))) CudaMockState *inlayCudaMockState() {
  return &state;
}

MOCK(cuInit, unsigned flags) {
  BEGIN;
  return flags == 0 ? 0 : kErrorInvalidValue;
}
MOCK(cuDriverGetVersion, int *version) {
  BEGIN;
  *version = state.cudaVersion;
  return 0;
}
MOCK(cuGetErrorName, CudaResult error, const char **name) {
  *name = error == cuda::kErrorOutOfMemory ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_MOCK";
  return state.knowsErrors ? 0 : kErrorInvalidValue;
}
MOCK(cuGetErrorString, CudaResult, const char **text) {
  *text = "the mock was told to fail";
  return state.knowsErrors ? 0 : kErrorInvalidValue;
}
MOCK(cuDeviceGetCount, int *count) {
  BEGIN;
  *count = state.numDevices;
  return 0;
}
MOCK(cuDeviceGet, CudaDeviceHandle *device, int ordinal) {
  BEGIN;
  *device = 40 + ordinal;
  return ordinal < state.numDevices ? 0 : kErrorInvalidValue;
}
MOCK(cuDeviceGetName, char *name, int length, CudaDeviceHandle device) {
  BEGIN;
  std::strncpy(name, device == 40 ? "Mock GPU 0" : "Mock GPU 1", static_cast<size_t>(length));
  return 0;
}
MOCK(cuDeviceGetAttribute, int *value, int attribute, CudaDeviceHandle) {
  BEGIN;
  switch (attribute) {
  case cuda::kAttributeComputeCapabilityMajor:
    *value = state.major;
    return 0;
  case cuda::kAttributeComputeCapabilityMinor:
    *value = state.minor;
    return 0;
  case cuda::kAttributeMultiprocessorCount:
    *value = 132;
    return 0;
  case cuda::kAttributeMaxSharedBytesPerBlockOptIn:
    *value = state.maxSharedBytesOptIn;
    return 0;
  }
  return kErrorInvalidValue;
}
MOCK(cuDeviceTotalMem_v2, size_t *bytes, CudaDeviceHandle) {
  BEGIN;
  *bytes = size_t{80} << 30;
  return 0;
}
MOCK(cuDevicePrimaryCtxRetain, CudaContext *context, CudaDeviceHandle device) {
  BEGIN;
  *context = reinterpret_cast<CudaContext>(static_cast<uintptr_t>(device));
  ++state.liveContexts;
  return 0;
}
MOCK(cuDevicePrimaryCtxRelease_v2, CudaDeviceHandle) {
  BEGIN;
  --state.liveContexts;
  return 0;
}
MOCK(cuCtxSetCurrent, CudaContext context) {
  BEGIN;
  currentContext = context;
  return 0;
}
#ifndef INLAY_CUDA_MOCK_WITHOUT_MEM_ALLOC
MOCK(cuMemAlloc_v2, CudaAddress *address, size_t bytes) {
  BEGIN_IN_CONTEXT;
  void *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  *address = reinterpret_cast<CudaAddress>(memory);
  ++state.liveAllocations;
  return memory ? 0 : cuda::kErrorOutOfMemory;
}
#endif
MOCK(cuMemFree_v2, CudaAddress address) {
  BEGIN_IN_CONTEXT;
  std::free(reinterpret_cast<void *>(address));
  --state.liveAllocations;
  return 0;
}
MOCK(cuMemcpyHtoDAsync_v2, CudaAddress target, const void *source, size_t bytes,
     CudaStream stream) {
  BEGIN_IN_CONTEXT;
  return enqueue(stream, [=] {
    std::memmove(reinterpret_cast<void *>(target), source, bytes);
    ++state.numCopies;
  });
}
MOCK(cuMemcpyDtoHAsync_v2, void *target, CudaAddress source, size_t bytes, CudaStream stream) {
  BEGIN_IN_CONTEXT;
  return enqueue(stream, [=] {
    std::memmove(target, reinterpret_cast<const void *>(source), bytes);
    ++state.numCopies;
  });
}
MOCK(cuMemcpyDtoDAsync_v2, CudaAddress target, CudaAddress source, size_t bytes,
     CudaStream stream) {
  BEGIN_IN_CONTEXT;
  return enqueue(stream, [=] {
    std::memmove(reinterpret_cast<void *>(target), reinterpret_cast<const void *>(source), bytes);
    ++state.numCopies;
  });
}
MOCK(cuModuleLoadDataEx, CudaModule *module, const void *image, unsigned numOptions, int *options,
     void **values) {
  BEGIN_IN_CONTEXT;
  // PTX is read up to its zero byte, as the driver does.
  const char *text = static_cast<const char *>(image);
  state.images.emplace_back(text, strnlen(text, 64));
  if (isFailing("module")) { // fails after it has written its log
    for (unsigned i = 0; i < numOptions; ++i)
      if (options[i] == cuda::kJitErrorLogBuffer)
        std::strcpy(static_cast<char *>(values[i]), state.jitLog.c_str());
    return state.failure;
  }
  return makeHandle(module, state.liveModules);
}
MOCK(cuModuleUnload, CudaModule module) {
  BEGIN_IN_CONTEXT;
  return freeHandle(module, state.liveModules);
}
MOCK(cuModuleGetFunction, CudaFunction *function, CudaModule module, const char *name) {
  BEGIN_IN_CONTEXT;
  if (std::strcmp(name, "add_one_kernel") != 0)
    return kErrorNotFound;
  auto *handle = reinterpret_cast<Handle *>(module);
  handle->entry = name;
  *function = reinterpret_cast<CudaFunction>(handle);
  return 0;
}
MOCK(cuFuncSetAttribute, CudaFunction, int attribute, int value) {
  BEGIN_IN_CONTEXT;
  state.funcAttributes.push_back(attribute);
  state.funcAttributes.push_back(value);
  return 0;
}
MOCK(cuLaunchKernel, CudaFunction function, unsigned gridX, unsigned gridY, unsigned gridZ,
     unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes, CudaStream stream,
     void **arguments, void **extra) {
  BEGIN_IN_CONTEXT;
  if (extra)
    return kErrorInvalidValue;
  return noteLaunch({reinterpret_cast<Handle *>(function)->entry,
                     {gridX, gridY, gridZ},
                     {blockX, blockY, blockZ},
                     sharedBytes,
                     stream,
                     {},
                     {}},
                    arguments);
}
MOCK(cuLaunchKernelEx, const cuda::LaunchConfiguration *configuration, CudaFunction function,
     void **arguments, void **extra) {
  BEGIN_IN_CONTEXT;
  if (extra)
    return kErrorInvalidValue;
  const cuda::LaunchConfiguration &c = *configuration;
  CudaMockLaunch launch{reinterpret_cast<Handle *>(function)->entry,
                        {c.grid[0], c.grid[1], c.grid[2]},
                        {c.block[0], c.block[1], c.block[2]},
                        c.sharedBytes,
                        c.stream,
                        {},
                        {}};
  for (unsigned i = 0; i < c.numAttributes; ++i) {
    const cuda::LaunchAttribute &attribute = c.attributes[i];
    auto &extents = launch.attributes[attribute.id];
    std::memcpy(extents.data(), attribute.value.extents, sizeof(extents));
  }
  return noteLaunch(std::move(launch), arguments);
}
MOCK(cuStreamCreate, CudaStream *stream, unsigned flags) {
  BEGIN_IN_CONTEXT;
  return flags == cuda::kStreamNonBlocking ? makeHandle(stream, state.liveStreams)
                                           : kErrorInvalidValue;
}
MOCK(cuStreamDestroy_v2, CudaStream stream) {
  BEGIN_IN_CONTEXT;
  return freeHandle(stream, state.liveStreams);
}
MOCK(cuStreamSynchronize, CudaStream stream) {
  BEGIN_IN_CONTEXT;
  state.synchronized.push_back(stream);
  return 0;
}
MOCK(cuEventCreate, CudaEvent *event, unsigned) {
  BEGIN_IN_CONTEXT;
  return makeHandle(event, state.liveEvents);
}
MOCK(cuEventDestroy_v2, CudaEvent event) {
  BEGIN_IN_CONTEXT;
  return freeHandle(event, state.liveEvents);
}
MOCK(cuEventRecord, CudaEvent event, CudaStream) {
  BEGIN_IN_CONTEXT;
  return event ? 0 : kErrorInvalidValue;
}
MOCK(cuEventSynchronize, CudaEvent event) {
  BEGIN_IN_CONTEXT;
  return event ? 0 : kErrorInvalidValue;
}
MOCK(cuEventElapsedTime, float *milliseconds, CudaEvent start, CudaEvent end) {
  BEGIN_IN_CONTEXT;
  *milliseconds = 0.5f;
  return start && end ? 0 : kErrorInvalidValue;
}
MOCK(cuStreamBeginCapture_v2, CudaStream stream, int mode) {
  BEGIN_IN_CONTEXT;
  if (mode != cuda::kCaptureThreadLocal || !recordings.try_emplace(stream).second)
    return kErrorInvalidValue;
  return 0;
}
MOCK(cuStreamEndCapture, CudaStream stream, CudaGraph *graph) {
  std::lock_guard lock(mutex);
  auto recording = recordings.find(stream);
  if (recording == recordings.end())
    return kErrorInvalidValue;
  auto *work = new Work(std::move(recording->second));
  recordings.erase(recording);
  if (isFailing(__func__)) { // ends it all the same
    delete work;
    return state.failure;
  }
  *graph = reinterpret_cast<CudaGraph>(work);
  ++state.liveGraphs;
  return 0;
}
MOCK(cuStreamIsCapturing, CudaStream stream, int *status) {
  BEGIN_IN_CONTEXT;
  *status = recordings.count(stream) ? 1 : cuda::kCaptureNone;
  return 0;
}
MOCK(cuGraphInstantiateWithFlags, CudaGraphExec *exec, CudaGraph graph, unsigned long long) {
  BEGIN_IN_CONTEXT;
  *exec = reinterpret_cast<CudaGraphExec>(new Work(*reinterpret_cast<Work *>(graph)));
  ++state.liveGraphs;
  ++state.numInstantiated;
  return 0;
}
MOCK(cuGraphLaunch, CudaGraphExec exec, CudaStream stream) {
  BEGIN_IN_CONTEXT;
  ++state.numGraphLaunches;
  return enqueue(stream, [exec] {
    for (const auto &work : *reinterpret_cast<Work *>(exec))
      work();
  });
}
MOCK(cuGraphExecDestroy, CudaGraphExec exec) {
  BEGIN_IN_CONTEXT;
  delete reinterpret_cast<Work *>(exec);
  --state.liveGraphs;
  return 0;
}
MOCK(cuGraphDestroy, CudaGraph graph) {
  BEGIN;
  delete reinterpret_cast<Work *>(graph);
  --state.liveGraphs;
  return 0;
}
