// The few types and values of cuBLASLt's interface that Inlay uses; they are the same in versions
// 11 to 13.
#pragma once

#include "runtime/devices/cuda/CudaTypes.h"

#include <cstddef>
#include <cstdint>

namespace inlay {

using CublasStatus = int; // 0 is success
using CublasLtHandle = struct CublasLtHandleTag *;
using CublasLtOperation = struct CublasLtOperationTag *;
using CublasLtLayout = struct CublasLtLayoutTag *;
using CublasLtPreference = struct CublasLtPreferenceTag *;

/// cublasLtMatmulAlgo_t: the library's own bytes.
struct CublasLtAlgorithm {
  uint64_t data[8];
};
static_assert(sizeof(CublasLtAlgorithm) == 64);

/// cublasLtMatmulHeuristicResult_t.
struct CublasLtCandidate {
  CublasLtAlgorithm algorithm;
  size_t workspaceBytes;
  CublasStatus state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(CublasLtCandidate) == 96);

namespace cublas {
inline constexpr CublasStatus kAllocationFailed = 3;
inline constexpr CublasStatus kInvalidValue = 7;
inline constexpr CublasStatus kArchitectureMismatch = 8;
inline constexpr CublasStatus kNotSupported = 15;

// cudaDataType, cublasComputeType_t. Sums are float32 without tensor cores' shortened numbers for
// float32 operands, unless they may be rounded to TF32; float64 for float64.
inline constexpr int kFloat32 = 0, kFloat64 = 1, kFloat16 = 2, kBFloat16 = 14;
inline constexpr int kCompute32F = 68, kCompute64F = 70, kComputeTf32 = 77;

inline constexpr int kTranspose = 1; // cublasOperation_t; 0 is none
inline constexpr uint32_t kEpilogueBias = 4;
/// Partial sums are kept in the workspace in the type of sums, and added in a step of their own:
/// the result is the same in every run.
inline constexpr uint32_t kReductionInComputeType = 2;

// Attributes.
inline constexpr int kOperationTransposeA = 3, kOperationTransposeB = 4, kOperationEpilogue = 7,
                     kOperationBiasPointer = 8;
inline constexpr int kLayoutBatchCount = 5, kLayoutBatchStride = 6;
inline constexpr int kPreferenceWorkspaceBytes = 1, kPreferenceReductions = 3,
                     kPreferenceAlignmentA = 5, kPreferenceAlignmentB = 6,
                     kPreferenceAlignmentC = 7, kPreferenceAlignmentD = 8;
} // namespace cublas

} // namespace inlay
