// Convolutions by cuDNN: one operation, for which the library is asked for its best engine among
// those that give the same in every run and compute as exactly as Inlay's kernels.
#include "base/Error.h"
#include "runtime/devices/cuda/CudaLibraryFunction.h"

#include <algorithm>
#include <array>
#include <vector>

namespace inlay {
namespace {

using Sizes = ConvolutionSizes<int64_t>;
using Dimension = ConvolutionDimension<int64_t>;

/// What every tensor is aligned to.
constexpr int64_t kAlignmentBytes = 16;
constexpr size_t kMaxConfigs = 32; // that are asked for

std::optional<int> typeOf(DataType dtype) {
  switch (dtype) {
  case DataType::Float16:
    return cudnn::kFloat16;
  case DataType::BFloat16:
    return cudnn::kBFloat16;
  case DataType::Float32:
    return cudnn::kFloat32;
  case DataType::Float64:
    return cudnn::kFloat64;
  default:
    return std::nullopt;
  }
}

/// How exact a convolution has to be.
struct Exactness {
  bool isFloat32 = false;
  bool allowsTf32 = false;

  bool admits(std::span<const int> notes) const {
    return std::ranges::none_of(notes, [&](int note) {
      switch (note) {
      case cudnn::Nondeterministic:
      case cudnn::DownConvertsInputs:
      case cudnn::ReducedPrecisionReduction:
      case cudnn::Fft:
      case cudnn::WinogradTile6x6:
      case cudnn::WinogradTile13x13:
        return true;
      case cudnn::TensorCore:
        return isFloat32 && !allowsTf32;
      case cudnn::Winograd: // sums of 16-bit numbers are no longer exact in 16 bits
      case cudnn::WinogradTile4x4:
        return !isFloat32;
      default:
        return false;
      }
    });
  }
};

class ConvolutionCall final : public CudaLibraryCall {
public:
  explicit ConvolutionCall(std::shared_ptr<const Cudnn> library) : library_(std::move(library)) {}

  Status prepare(const Sizes &sizes, DataType dtype, int type, bool allowsTf32) {
    INLAY_TRY(createGraph(sizes, type, dtype == DataType::Float64));
    const Exactness exactness{dtype == DataType::Float32, allowsTf32};
    const int64_t workspaceBytes = cudnnWorkspaceBytes(sizes, dataTypeSizeBytes(dtype));
    for (const int mode : {cudnn::kHeuristicA, cudnn::kHeuristicFallback}) {
      INLAY_ASSIGN(const bool isFound, findPlan(mode, exactness, workspaceBytes));
      if (isFound)
        return {};
    }
    return unimplemented("{} has no engine for this convolution that gives the same in every run, "
                         "in at most {} bytes of memory",
                         library_->description(), workspaceBytes);
  }

  Status run(void *const *arguments, CudaStream stream) const override {
    Pointers pointers{};
    for (size_t i = 0; i < pointers.size(); ++i)
      pointers[i] = *static_cast<void *const *>(arguments[i]);
    if (pointers != packed_)
      INLAY_TRY(pack(pointers));
    return library_->run(plan_.handle(), pack_.handle(), stream);
  }

private:
  using Pointers = std::array<void *, 4>; // x, w, d, workspace

  Result<CudnnDescriptor> create(cudnn::Kind kind) const {
    return CudnnDescriptor::create(library_, kind);
  }

  /// `sizes` of images, channels and each of the dimensions, dense.
  Result<CudnnDescriptor> createTensor(int64_t id, int type,
                                       const std::vector<int64_t> &sizes) const {
    std::vector<int64_t> strides(sizes.size(), 1);
    for (size_t i = sizes.size() - 1; i-- > 0;)
      strides[i] = strides[i + 1] * sizes[i + 1];
    INLAY_ASSIGN(CudnnDescriptor tensor, create(cudnn::Tensor));
    INLAY_TRY(tensor.set(cudnn::TensorDataType, cudnn::DataType, type));
    INLAY_TRY(tensor.set(cudnn::TensorSizes, cudnn::Int64, std::span(sizes)));
    INLAY_TRY(
        tensor.set<int64_t>(cudnn::TensorStrides, cudnn::Int64, std::span(std::as_const(strides))));
    INLAY_TRY(tensor.set(cudnn::TensorId, cudnn::Int64, id));
    INLAY_TRY(tensor.set(cudnn::TensorAlignment, cudnn::Int64, kAlignmentBytes));
    INLAY_TRY(tensor.finish());
    return tensor;
  }

  Result<CudnnDescriptor> createWindow(const Sizes &sizes, int sumType) const {
    std::vector<int64_t> strides, dilations, before, behind;
    for (const Dimension &dim : sizes.ownDims()) {
      strides.push_back(dim.stride);
      dilations.push_back(dim.dilation);
      before.push_back(dim.padding);
      behind.push_back(paddingBehind(dim));
    }
    INLAY_ASSIGN(CudnnDescriptor window, create(cudnn::Convolution));
    INLAY_TRY(window.set(cudnn::ConvolutionDimensions, cudnn::Int64,
                         static_cast<int64_t>(sizes.numDims)));
    INLAY_TRY(window.set(cudnn::ConvolutionComputeType, cudnn::DataType, sumType));
    INLAY_TRY(
        window.set(cudnn::ConvolutionModeOf, cudnn::ConvolutionMode, cudnn::kCrossCorrelation));
    for (const auto &[attribute, values] : {std::pair(cudnn::ConvolutionStrides, &strides),
                                            std::pair(cudnn::ConvolutionDilations, &dilations),
                                            std::pair(cudnn::ConvolutionPaddingBefore, &before),
                                            std::pair(cudnn::ConvolutionPaddingBehind, &behind)})
      INLAY_TRY(window.set<int64_t>(attribute, cudnn::Int64, std::span(std::as_const(*values))));
    INLAY_TRY(window.finish());
    return window;
  }

  /// A tensor's sizes: two numbers, then one of each dimension.
  static std::vector<int64_t> shapeOf(const Sizes &sizes, int64_t first, int64_t second,
                                      int64_t Dimension::*member) {
    std::vector<int64_t> shape{first, second};
    for (const Dimension &dim : sizes.ownDims())
      shape.push_back(dim.*member);
    return shape;
  }

  Status createGraph(const Sizes &sizes, int type, bool isDouble) {
    INLAY_ASSIGN(x_, createTensor(kIds[0], type,
                                  shapeOf(sizes, sizes.images, sizes.groups * sizes.channels,
                                          &Dimension::size)));
    INLAY_ASSIGN(w_,
                 createTensor(kIds[1], type,
                              shapeOf(sizes, sizes.filters, sizes.channels, &Dimension::kernel)));
    INLAY_ASSIGN(d_, createTensor(kIds[2], type,
                                  shapeOf(sizes, sizes.images, sizes.filters, &Dimension::out)));
    INLAY_ASSIGN(window_, createWindow(sizes, isDouble ? cudnn::kFloat64 : cudnn::kFloat32));
    INLAY_ASSIGN(operation_, create(cudnn::ConvolutionForward));
    INLAY_TRY(operation_.set(cudnn::ForwardConvolution, window_));
    INLAY_TRY(operation_.set(cudnn::ForwardInput, x_));
    INLAY_TRY(operation_.set(cudnn::ForwardWeights, w_));
    INLAY_TRY(operation_.set(cudnn::ForwardOutput, d_));
    for (const auto &[attribute, factor] :
         {std::pair(cudnn::ForwardAlpha, 1.0), std::pair(cudnn::ForwardBeta, 0.0)})
      INLAY_TRY(isDouble ? operation_.set(attribute, cudnn::Double, factor)
                         : operation_.set(attribute, cudnn::Float, static_cast<float>(factor)));
    INLAY_TRY(operation_.finish());
    INLAY_ASSIGN(graph_, create(cudnn::OperationGraph));
    INLAY_TRY(graph_.set(cudnn::GraphOperations, operation_));
    INLAY_TRY(graph_.set(cudnn::GraphHandle, cudnn::Handle, library_->handle()));
    return graph_.finish();
  }

  /// Takes the first configuration of those that the library offers that is admitted.
  Result<bool> findPlan(int mode, const Exactness &exactness, int64_t workspaceBytes) {
    INLAY_ASSIGN(CudnnDescriptor heuristic, create(cudnn::EngineHeuristic));
    INLAY_TRY(heuristic.set(cudnn::HeuristicGraph, graph_));
    INLAY_TRY(heuristic.set(cudnn::HeuristicModeOf, cudnn::HeuristicMode, mode));
    if (!heuristic.finish().isOk())
      return false;
    std::vector<CudnnDescriptor> configs;
    std::vector<CudnnDescriptorHandle> handles;
    for (size_t i = 0; i < kMaxConfigs; ++i) {
      INLAY_ASSIGN(configs.emplace_back(), create(cudnn::EngineConfig));
      handles.push_back(configs.back().handle());
    }
    int64_t count = 0;
    INLAY_TRY(heuristic.get<CudnnDescriptorHandle>(cudnn::HeuristicResults, cudnn::Descriptor,
                                                   std::span(handles), count));
    configs.resize(std::min(static_cast<size_t>(count), configs.size()));
    for (CudnnDescriptor &config : configs) {
      INLAY_ASSIGN(const bool isAdmitted, admits(exactness, config));
      if (!isAdmitted)
        continue;
      INLAY_ASSIGN(CudnnDescriptor plan, create(cudnn::ExecutionPlan));
      INLAY_TRY(plan.set(cudnn::PlanHandle, cudnn::Handle, library_->handle()));
      INLAY_TRY(plan.set(cudnn::PlanConfig, config));
      if (!plan.finish().isOk())
        continue; // an offer that does not do these sizes after all
      int64_t bytes = 0;
      INLAY_TRY(
          plan.get<int64_t>(cudnn::PlanWorkspaceBytes, cudnn::Int64, std::span(&bytes, 1), count));
      if (bytes > workspaceBytes)
        continue;
      config_ = std::move(config);
      plan_ = std::move(plan);
      return true;
    }
    return false;
  }

  Result<bool> admits(const Exactness &exactness, const CudnnDescriptor &config) const {
    INLAY_ASSIGN(const CudnnDescriptor engine, create(cudnn::Engine));
    CudnnDescriptorHandle handle = engine.handle();
    int64_t count = 0;
    INLAY_TRY(config.get<CudnnDescriptorHandle>(cudnn::ConfigEngine, cudnn::Descriptor,
                                                std::span(&handle, 1), count));
    std::array<int, cudnn::kMaxNotes> notes{};
    INLAY_TRY(engine.get<int>(cudnn::EngineNotes, cudnn::NumericalNote, std::span(notes), count));
    return exactness.admits(
        std::span(notes).first(std::min(static_cast<size_t>(count), notes.size())));
  }

  /// Where tensors lie. Memory stays where it is from run to run, so that this is rare.
  Status pack(const Pointers &pointers) const {
    INLAY_ASSIGN(CudnnDescriptor pack, create(cudnn::VariantPack));
    INLAY_TRY(pack.set<int64_t>(cudnn::PackIds, cudnn::Int64, std::span(kIds)));
    INLAY_TRY(pack.set<void *>(cudnn::PackPointers, cudnn::Pointer, std::span(pointers).first(3)));
    INLAY_TRY(pack.set(cudnn::PackWorkspace, cudnn::Pointer, pointers[3]));
    INLAY_TRY(pack.finish());
    pack_ = std::move(pack);
    packed_ = pointers;
    return {};
  }

  static constexpr std::array<int64_t, 3> kIds{'x', 'w', 'd'};
  std::shared_ptr<const Cudnn> library_;
  CudnnDescriptor x_, w_, d_, window_, operation_, graph_, config_, plan_;
  mutable CudnnDescriptor pack_; // of the last run
  mutable Pointers packed_{};
};

class CudnnConvolution final : public CudaLibraryFunction {
public:
  CudnnConvolution(std::shared_ptr<const Cudnn> library, const LibraryFunction &function,
                   DataType dtype)
      : library_(std::move(library)), numPointers_(numPointers(function)),
        numDims_(numDims(function)),
        allowsTf32_(function.id == LibraryFunctionId::CudnnConvolutionTf32 ||
                    function.id == LibraryFunctionId::CudnnConvolution3dTf32),
        dtype_(dtype) {}

  Result<std::unique_ptr<PreparedCall>> prepare(void *const *arguments) const override {
    Sizes sizes;
    sizes.numDims = numDims_;
    readSizes(arguments, numPointers_, sizes);
    const std::optional<int> type = typeOf(dtype_);
    if (!type)
      return unimplemented("{} is not used for {}", library_->description(), dataTypeName(dtype_));
    auto call = std::make_unique<ConvolutionCall>(library_);
    INLAY_TRY(call->prepare(sizes, dtype_, *type, allowsTf32_));
    return std::unique_ptr<PreparedCall>(std::move(call));
  }

private:
  std::shared_ptr<const Cudnn> library_;
  uint32_t numPointers_;
  size_t numDims_;
  bool allowsTf32_;
  DataType dtype_;
};

} // namespace

std::unique_ptr<CudaLibraryFunction> createCudnnConvolution(std::shared_ptr<const Cudnn> library,
                                                            const LibraryFunction &function,
                                                            DataType dtype) {
  return std::make_unique<CudnnConvolution>(std::move(library), function, dtype);
}

} // namespace inlay
