#include "runtime/devices/cuda/CublasLtMock.h"
#include "runtime/devices/cuda/CublasLtTypes.h"

#include <cstring>

using namespace inlay;

namespace {

CublasLtMockState state;
constexpr CublasStatus kExecutionFailed = 13;

} // namespace

namespace inlay {

struct CublasLtOperationTag {
  int32_t transposeA = 0, transposeB = 0;
  uint32_t epilogue = 1;
  const float *bias = nullptr;
};
struct CublasLtLayoutTag {
  uint64_t rows = 0, columns = 0;
  int64_t leading = 0, batchStride = 0;
  int32_t batchCount = 1;
};
struct CublasLtPreferenceTag {};

} // namespace inlay

namespace {

/// Element (row, column) of op(matrix), which lies by columns.
float at(const float *matrix, const CublasLtLayoutTag &layout, bool isTransposed, uint64_t row,
         uint64_t column) {
  const uint64_t leading = static_cast<uint64_t>(layout.leading);
  return isTransposed ? matrix[row * leading + column] : matrix[column * leading + row];
}

template <typename T>
CublasStatus make(T **object) {
  *object = new T();
  ++state.liveObjects;
  return 0;
}

template <typename T>
CublasStatus give(T *object) {
  delete object;
  --state.liveObjects;
  return 0;
}

template <typename T>
CublasStatus copyTo(T &field, const void *value, size_t sizeBytes) {
  if (sizeBytes != sizeof(T))
    return cublas::kInvalidValue;
  std::memcpy(&field, value, sizeBytes);
  return 0;
}

} // namespace

#define MOCK(name, ...)                                                                            \
  extern "C" __attribute__((visibility("default"))) CublasStatus name(__VA_ARGS__)

extern "C" __attribute__((visibility("default"))) CublasLtMockState *inlayCublasLtMockState() {
  return &state;
}
extern "C" __attribute__((visibility("default"))) size_t cublasLtGetVersion() { return 120804; }

MOCK(cublasLtCreate, CublasLtHandle *handle) {
  *handle = reinterpret_cast<CublasLtHandle>(&state);
  ++state.liveHandles;
  return 0;
}
MOCK(cublasLtDestroy, CublasLtHandle) {
  --state.liveHandles;
  return 0;
}
MOCK(cublasLtMatmulDescCreate, CublasLtOperation *operation, int computeType, int scaleType) {
  state.computeType = computeType;
  state.scaleType = scaleType;
  return make(operation);
}
MOCK(cublasLtMatmulDescSetAttribute, CublasLtOperation operation, int attribute, const void *value,
     size_t sizeBytes) {
  switch (attribute) {
  case cublas::kOperationTransposeA:
    return copyTo(operation->transposeA, value, sizeBytes);
  case cublas::kOperationTransposeB:
    return copyTo(operation->transposeB, value, sizeBytes);
  case cublas::kOperationEpilogue:
    return copyTo(operation->epilogue, value, sizeBytes);
  case cublas::kOperationBiasPointer:
    return copyTo(operation->bias, value, sizeBytes);
  }
  return cublas::kInvalidValue;
}
MOCK(cublasLtMatmulDescDestroy, CublasLtOperation operation) { return give(operation); }
MOCK(cublasLtMatrixLayoutCreate, CublasLtLayout *layout, int type, uint64_t rows, uint64_t columns,
     int64_t leading) {
  if (type != cublas::kFloat32 || leading < static_cast<int64_t>(rows))
    return cublas::kInvalidValue;
  const CublasStatus status = make(layout);
  **layout = {rows, columns, leading, 0, 1};
  return status;
}
MOCK(cublasLtMatrixLayoutSetAttribute, CublasLtLayout layout, int attribute, const void *value,
     size_t sizeBytes) {
  return attribute == cublas::kLayoutBatchCount    ? copyTo(layout->batchCount, value, sizeBytes)
         : attribute == cublas::kLayoutBatchStride ? copyTo(layout->batchStride, value, sizeBytes)
                                                   : cublas::kInvalidValue;
}
MOCK(cublasLtMatrixLayoutDestroy, CublasLtLayout layout) { return give(layout); }
MOCK(cublasLtMatmulPreferenceCreate, CublasLtPreference *preference) { return make(preference); }
MOCK(cublasLtMatmulPreferenceSetAttribute, CublasLtPreference, int attribute, const void *value,
     size_t sizeBytes) {
  return attribute == cublas::kPreferenceWorkspaceBytes
             ? copyTo(state.workspaceBytes, value, sizeBytes)
         : attribute == cublas::kPreferenceReductions
             ? copyTo(state.reductions, value, sizeBytes)
             : copyTo(state.alignmentBytes, value, sizeBytes);
}
MOCK(cublasLtMatmulPreferenceDestroy, CublasLtPreference preference) { return give(preference); }
MOCK(cublasLtMatmulAlgoGetHeuristic, CublasLtHandle, CublasLtOperation, CublasLtLayout,
     CublasLtLayout, CublasLtLayout, CublasLtLayout, CublasLtPreference, int,
     CublasLtCandidate *candidates, int *found) {
  ++state.numSearches;
  *found = 0;
  if (state.refuses)
    return cublas::kNotSupported;
  candidates[0] = {};
  candidates[0].algorithm.data[0] = 4711;
  *found = 1;
  return 0;
}
MOCK(cublasLtMatmul, CublasLtHandle, CublasLtOperation operation, const void *alpha, const void *a,
     CublasLtLayout aLayout, const void *b, CublasLtLayout bLayout, const void *beta, const void *,
     CublasLtLayout, void *d, CublasLtLayout dLayout, const CublasLtAlgorithm *algorithm,
     void *workspace, size_t workspaceBytes, CudaStream stream) {
  ++state.numProducts;
  state.stream = stream;
  if (state.failure)
    return state.failure;
  if (algorithm->data[0] != 4711 || !workspace || workspaceBytes != state.workspaceBytes ||
      *static_cast<const float *>(alpha) != 1 || *static_cast<const float *>(beta) != 0)
    return kExecutionFailed;
  const uint64_t depth = operation->transposeA ? aLayout->rows : aLayout->columns;
  for (int32_t batch = 0; batch < dLayout->batchCount; ++batch) {
    const auto *left = static_cast<const float *>(a) + batch * aLayout->batchStride;
    const auto *right = static_cast<const float *>(b) + batch * bLayout->batchStride;
    float *result = static_cast<float *>(d) + batch * dLayout->batchStride;
    for (uint64_t column = 0; column < dLayout->columns; ++column)
      for (uint64_t row = 0; row < dLayout->rows; ++row) {
        float sum = operation->epilogue == cublas::kEpilogueBias ? operation->bias[row] : 0;
        for (uint64_t k = 0; k < depth; ++k)
          sum += at(left, *aLayout, operation->transposeA, row, k) *
                 at(right, *bLayout, operation->transposeB, k, column);
        result[column * static_cast<uint64_t>(dLayout->leading) + row] = sum;
      }
  }
  return 0;
}
