// The few types and values of the CUDA driver's interface that Inlay uses, so that no CUDA header
// is needed.
#pragma once

#include <cstdint>

namespace inlay {

using CudaResult = int; // 0 is success
using CudaDeviceHandle = int;
using CudaAddress = uint64_t;
using CudaContext = struct CudaContextTag *;
using CudaModule = struct CudaModuleTag *;
using CudaFunction = struct CudaFunctionTag *;
using CudaStream = struct CudaStreamTag *;
using CudaEvent = struct CudaEventTag *;
using CudaGraph = struct CudaGraphTag *;
using CudaGraphExec = struct CudaGraphExecTag *;

namespace cuda {
// Values of the driver's enumerations.
inline constexpr CudaResult kErrorOutOfMemory = 2;
inline constexpr CudaResult kErrorNoDevice = 100;
inline constexpr CudaResult kErrorNoBinaryForGpu = 209;
inline constexpr CudaResult kErrorUnsupportedPtxVersion = 222;
inline constexpr int kAttributeMultiprocessorCount = 16;
inline constexpr int kAttributeComputeCapabilityMajor = 75;
inline constexpr int kAttributeComputeCapabilityMinor = 76;
inline constexpr int kAttributeMaxSharedBytesPerBlockOptIn = 97;
inline constexpr int kFunctionAttributeMaxDynamicSharedBytes = 8;
inline constexpr int kJitErrorLogBuffer = 5;
inline constexpr int kJitErrorLogBufferSizeBytes = 6;
inline constexpr int kFunctionAttributeNonPortableCluster = 14;
inline constexpr unsigned kStreamNonBlocking = 1;
inline constexpr int kCaptureThreadLocal = 1;
inline constexpr int kCaptureNone = 0;

/// CUlaunchAttribute: what a launch asks for beyond grid and block.
struct LaunchAttribute {
  enum Id : int { Cooperative = 2, ClusterDimension = 4, ProgrammaticStreamSerialization = 6 };
  alignas(8) int id;
  alignas(8) union {
    char pad[64];
    unsigned extents[3]; // ClusterDimension
    int isOn;            // the others
  } value;
};
static_assert(sizeof(LaunchAttribute) == 72);

/// CUlaunchConfig.
struct LaunchConfiguration {
  unsigned grid[3];
  unsigned block[3];
  unsigned sharedBytes;
  CudaStream stream;
  const LaunchAttribute *attributes;
  unsigned numAttributes;
};
static_assert(sizeof(LaunchConfiguration) == 56);
} // namespace cuda

} // namespace inlay
