// The few types and values of cuDNN's backend interface that Inlay uses; they are the same in
// versions 8 and 9.
#pragma once

#include "runtime/devices/cuda/CudaTypes.h"

#include <cstddef>
#include <cstdint>

namespace inlay {

using CudnnStatus = int; // 0 is success
using CudnnHandle = struct CudnnHandleTag *;
using CudnnDescriptorHandle = void *;

namespace cudnn {

// cudnnDataType_t.
inline constexpr int kFloat32 = 0, kFloat64 = 1, kFloat16 = 2, kBFloat16 = 9;
inline constexpr int kCrossCorrelation = 1; // cudnnConvolutionMode_t
// cudnnBackendHeurMode_t: what the library thinks best, and what works for most sizes.
inline constexpr int kHeuristicFallback = 2, kHeuristicA = 3;

/// cudnnBackendDescriptorType_t.
enum Kind : int {
  Convolution = 1,
  Engine = 2,
  EngineConfig = 3,
  EngineHeuristic = 4,
  ExecutionPlan = 5,
  ConvolutionForward = 10,
  OperationGraph = 15,
  VariantPack = 16,
  Tensor = 17,
};

/// cudnnBackendAttributeType_t.
enum Type : int {
  Handle = 0,
  DataType = 1,
  Int64 = 3,
  Float = 4,
  Double = 5,
  Pointer = 6,
  ConvolutionMode = 7,
  HeuristicMode = 8,
  NumericalNote = 11,
  Descriptor = 15,
};

/// cudnnBackendAttributeName_t.
enum Attribute : int {
  ConvolutionComputeType = 100,
  ConvolutionModeOf = 101,
  ConvolutionDilations = 102,
  ConvolutionStrides = 103,
  ConvolutionPaddingBehind = 104,
  ConvolutionPaddingBefore = 105,
  ConvolutionDimensions = 106,
  HeuristicModeOf = 200,
  HeuristicGraph = 201,
  HeuristicResults = 202,
  ConfigEngine = 300,
  PlanHandle = 400,
  PlanConfig = 401,
  PlanWorkspaceBytes = 402,
  ForwardAlpha = 700,
  ForwardBeta = 701,
  ForwardConvolution = 702,
  ForwardWeights = 703,
  ForwardInput = 704,
  ForwardOutput = 705,
  GraphHandle = 800,
  GraphOperations = 801,
  TensorAlignment = 900,
  TensorDataType = 901,
  TensorSizes = 902,
  TensorStrides = 903,
  TensorId = 906,
  PackIds = 1000,
  PackPointers = 1001,
  PackWorkspace = 1003,
  EngineNotes = 1303,
};

/// cudnnBackendNumericalNote_t: how an engine computes.
enum Note : int {
  TensorCore = 0,
  DownConvertsInputs = 1,
  ReducedPrecisionReduction = 2,
  Fft = 3,
  Nondeterministic = 4,
  Winograd = 5,
  WinogradTile4x4 = 6,
  WinogradTile6x6 = 7,
  WinogradTile13x13 = 8,
};
inline constexpr int64_t kMaxNotes = 32;

} // namespace cudnn
} // namespace inlay
