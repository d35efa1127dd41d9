// Matrix products by cuBLASLt. It counts by columns, so that a product of matrices that lie by rows
// is asked for transposed: dᵀ = bᵀ · aᵀ, with the operands swapped.
#include "base/Error.h"
#include "runtime/devices/cuda/CudaLibraryFunction.h"

#include <algorithm>

namespace inlay {
namespace {

using Sizes = MatmulSizes<int64_t>;

/// What every tensor is aligned to.
constexpr uint32_t kAlignmentBytes = 16;
constexpr uint64_t kWorkspaceBytes = kCublasLtWorkspaceBytes; // a buffer of the plan

std::optional<int> typeOf(DataType dtype) {
  switch (dtype) {
  case DataType::Float16:
    return cublas::kFloat16;
  case DataType::BFloat16:
    return cublas::kBFloat16;
  case DataType::Float32:
    return cublas::kFloat32;
  case DataType::Float64:
    return cublas::kFloat64;
  default:
    return std::nullopt;
  }
}

class MatmulCall final : public CudaLibraryCall {
public:
  MatmulCall(std::shared_ptr<const CublasLt> library, bool hasBias, bool isDouble, bool allowsTf32)
      : library_(std::move(library)), hasBias_(hasBias), isDouble_(isDouble),
        allowsTf32_(allowsTf32) {}
  ~MatmulCall() override {
    for (CublasLtLayout layout : {first_, second_, result_})
      if (layout)
        (void)library_->layoutDestroy(layout);
    if (operation_)
      (void)library_->operationDestroy(operation_);
  }

  Status prepare(const Sizes &sizes, int type) {
    INLAY_TRY(
        library_->check(library_->operationCreate(&operation_,
                                                  isDouble_     ? cublas::kCompute64F
                                                  : allowsTf32_ ? cublas::kComputeTf32
                                                                : cublas::kCompute32F,
                                                  isDouble_ ? cublas::kFloat64 : cublas::kFloat32),
                        "cublasLtMatmulDescCreate"));
    const bool isBTransposed = sizes.bColumn != 1, isATransposed = sizes.aColumn != 1;
    INLAY_TRY(setTranspose(cublas::kOperationTransposeA, isBTransposed));
    INLAY_TRY(setTranspose(cublas::kOperationTransposeB, isATransposed));
    if (hasBias_)
      INLAY_TRY(library_->check(library_->operationSet(operation_, cublas::kOperationEpilogue,
                                                       &cublas::kEpilogueBias,
                                                       sizeof(cublas::kEpilogueBias)),
                                "setting the bias"));
    INLAY_TRY(createLayout(first_, type, isBTransposed ? sizes.k : sizes.n,
                           isBTransposed ? sizes.n : sizes.k,
                           isBTransposed ? sizes.bColumn : sizes.bRow, sizes.batch, sizes.bBatch));
    INLAY_TRY(createLayout(second_, type, isATransposed ? sizes.m : sizes.k,
                           isATransposed ? sizes.k : sizes.m,
                           isATransposed ? sizes.aColumn : sizes.aRow, sizes.batch, sizes.aBatch));
    INLAY_TRY(
        createLayout(result_, type, sizes.n, sizes.m, sizes.n, sizes.batch, sizes.m * sizes.n));
    return chooseAlgorithm();
  }

  Status run(void *const *arguments, CudaStream stream) const override {
    const auto address = [&](size_t index) {
      return *static_cast<void *const *>(arguments[index]);
    };
    size_t next = 2;
    if (hasBias_) {
      const void *bias = address(next++);
      INLAY_TRY(library_->check(
          library_->operationSet(operation_, cublas::kOperationBiasPointer, &bias, sizeof(bias)),
          "setting the bias"));
    }
    void *result = address(next), *workspace = address(next + 1);
    constexpr float kOne = 1, kZero = 0;
    constexpr double kDoubleOne = 1, kDoubleZero = 0;
    const void *one = isDouble_ ? static_cast<const void *>(&kDoubleOne) : &kOne;
    const void *zero = isDouble_ ? static_cast<const void *>(&kDoubleZero) : &kZero;
    return library_->check(library_->matmul(library_->handle(), operation_, one, address(1), first_,
                                            address(0), second_, zero, result, result_, result,
                                            result_, &algorithm_, workspace, kWorkspaceBytes,
                                            stream),
                           "cublasLtMatmul");
  }

private:
  Status setTranspose(int attribute, bool isTransposed) {
    const int value = isTransposed ? cublas::kTranspose : 0;
    return library_->check(library_->operationSet(operation_, attribute, &value, sizeof(value)),
                           "setting a transposition");
  }

  Status createLayout(CublasLtLayout &layout, int type, int64_t rows, int64_t columns,
                      int64_t leading, int64_t batch, int64_t batchStride) {
    // The distance of a single column is not looked at, but has to be possible.
    INLAY_TRY(library_->check(library_->layoutCreate(&layout, type, static_cast<uint64_t>(rows),
                                                     static_cast<uint64_t>(columns),
                                                     std::max(leading, rows)),
                              "cublasLtMatrixLayoutCreate"));
    if (batch == 1)
      return {};
    const auto count = static_cast<int32_t>(batch);
    INLAY_TRY(library_->check(
        library_->layoutSet(layout, cublas::kLayoutBatchCount, &count, sizeof(count)),
        "setting the number of batches"));
    return library_->check(
        library_->layoutSet(layout, cublas::kLayoutBatchStride, &batchStride, sizeof(batchStride)),
        "setting the distance of batches");
  }

  Status chooseAlgorithm() {
    CublasLtPreference preference = nullptr;
    INLAY_TRY(
        library_->check(library_->preferenceCreate(&preference), "cublasLtMatmulPreferenceCreate"));
    Status status = setPreferences(preference);
    CublasLtCandidate candidate{};
    int found = 0;
    if (status.isOk())
      status = library_->check(library_->findAlgorithms(library_->handle(), operation_, first_,
                                                        second_, result_, result_, preference, 1,
                                                        &candidate, &found),
                               "cublasLtMatmulAlgoGetHeuristic");
    (void)library_->preferenceDestroy(preference);
    INLAY_TRY(std::move(status));
    if (found < 1 || candidate.state != 0 || candidate.workspaceBytes > kWorkspaceBytes)
      return unimplemented("{} has no algorithm for these sizes", library_->description());
    algorithm_ = candidate.algorithm;
    return {};
  }

  Status setPreferences(CublasLtPreference preference) const {
    const auto set = [&](int attribute, const auto &value) {
      return library_->check(library_->preferenceSet(preference, attribute, &value, sizeof(value)),
                             "cublasLtMatmulPreferenceSetAttribute");
    };
    INLAY_TRY(set(cublas::kPreferenceWorkspaceBytes, kWorkspaceBytes));
    INLAY_TRY(set(cublas::kPreferenceReductions, cublas::kReductionInComputeType));
    for (int attribute : {cublas::kPreferenceAlignmentA, cublas::kPreferenceAlignmentB,
                          cublas::kPreferenceAlignmentC, cublas::kPreferenceAlignmentD})
      INLAY_TRY(set(attribute, kAlignmentBytes));
    return {};
  }

  std::shared_ptr<const CublasLt> library_;
  bool hasBias_, isDouble_, allowsTf32_;
  CublasLtOperation operation_ = nullptr;
  CublasLtLayout first_ = nullptr, second_ = nullptr, result_ = nullptr;
  CublasLtAlgorithm algorithm_{};
};

class CublasLtMatmul final : public CudaLibraryFunction {
public:
  CublasLtMatmul(std::shared_ptr<const CublasLt> library, const LibraryFunction &function,
                 DataType dtype)
      : library_(std::move(library)), numPointers_(numPointers(function)),
        hasBias_(function.id == LibraryFunctionId::CublasLtMatmulBias ||
                 function.id == LibraryFunctionId::CublasLtMatmulBiasTf32),
        allowsTf32_(function.id == LibraryFunctionId::CublasLtMatmulTf32 ||
                    function.id == LibraryFunctionId::CublasLtMatmulBiasTf32),
        dtype_(dtype) {}

  Result<std::unique_ptr<PreparedCall>> prepare(void *const *arguments) const override {
    Sizes sizes;
    readSizes(arguments, numPointers_, sizes);
    const std::optional<int> type = typeOf(dtype_);
    if (!type)
      return unimplemented("{} is not used for {}", library_->description(), dataTypeName(dtype_));
    if (sizes.k < 1 || sizes.batch > INT32_MAX)
      return unimplemented("{} is not asked for a product of {} matrices of {} x {} x {}",
                           library_->description(), sizes.batch, sizes.m, sizes.n, sizes.k);
    auto call =
        std::make_unique<MatmulCall>(library_, hasBias_, dtype_ == DataType::Float64, allowsTf32_);
    INLAY_TRY(call->prepare(sizes, *type));
    return std::unique_ptr<PreparedCall>(std::move(call));
  }

private:
  std::shared_ptr<const CublasLt> library_;
  uint32_t numPointers_;
  bool hasBias_, allowsTf32_;
  DataType dtype_;
};

} // namespace

std::unique_ptr<CudaLibraryFunction> createCublasLtMatmul(std::shared_ptr<const CublasLt> library,
                                                          const LibraryFunction &function,
                                                          DataType dtype) {
  return std::make_unique<CublasLtMatmul>(std::move(library), function, dtype);
}

} // namespace inlay
