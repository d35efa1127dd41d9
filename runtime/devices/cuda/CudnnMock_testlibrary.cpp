#include "runtime/devices/cuda/CudnnMock.h"
#include "runtime/devices/cuda/CudnnTypes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

using namespace inlay;

namespace {

CudnnMockState state;
constexpr CudnnStatus kBadParameter = 2000, kNotSupported = 3000, kExecutionFailed = 5000;

size_t sizeOf(int type) {
  switch (type) {
  case cudnn::Handle:
  case cudnn::Pointer:
  case cudnn::Descriptor:
  case cudnn::Int64:
  case cudnn::Double:
    return 8;
  default:
    return 4;
  }
}

struct Values {
  int type = 0;
  std::vector<char> bytes;
};

struct Descriptor {
  int kind = 0;
  bool isFinished = false;
  int engine = -1; // of a configuration, an engine or a plan
  std::map<int, Values> attributes;

  template <typename T>
  std::vector<T> get(int attribute) const {
    const auto found = attributes.find(attribute);
    std::vector<T> values;
    if (found == attributes.end())
      return values;
    values.resize(found->second.bytes.size() / sizeof(T));
    std::memcpy(values.data(), found->second.bytes.data(), found->second.bytes.size());
    return values;
  }
  Descriptor *descriptor(int attribute) const {
    const auto values = get<Descriptor *>(attribute);
    return values.size() == 1 ? values[0] : nullptr;
  }
};

const CudnnMockEngine &engineAt(int index) {
  const auto at = static_cast<size_t>(index);
  return at < state.engines.size() ? state.engines[at]
                                   : state.fallbacks.at(at - state.engines.size());
}

/// x, w or d of the operation, dense; one of two dimensions gets a depth of 1.
struct Tensor {
  int64_t id = 0;
  std::vector<int64_t> sizes;
  float *data = nullptr;

  float &at(int64_t a, int64_t b, const std::array<int64_t, 3> &place) const {
    int64_t index = a * sizes[1] + b;
    for (size_t i = 0; i < 3; ++i)
      index = index * sizes[2 + i] + place[i];
    return data[index];
  }
};

bool readTensor(const Descriptor *from, Tensor &tensor) {
  if (!from || from->get<int>(cudnn::TensorDataType) != std::vector<int>{cudnn::kFloat32})
    return false;
  tensor.id = from->get<int64_t>(cudnn::TensorId).at(0);
  tensor.sizes = from->get<int64_t>(cudnn::TensorSizes);
  const auto strides = from->get<int64_t>(cudnn::TensorStrides);
  int64_t dense = 1;
  for (size_t i = tensor.sizes.size(); i-- > 0; dense *= tensor.sizes[i])
    if (strides.at(i) != dense)
      return false;
  if (tensor.sizes.size() == 4)
    tensor.sizes.insert(tensor.sizes.begin() + 2, 1);
  return tensor.sizes.size() == 5;
}

struct Operation {
  Tensor x, w, d;
  std::vector<int64_t> strides, dilations, before;
};

/// False for what the real library refuses, too.
bool readOperation(const Descriptor &from, Operation &operation) {
  const Descriptor *window = from.descriptor(cudnn::ForwardConvolution);
  if (!window || !readTensor(from.descriptor(cudnn::ForwardInput), operation.x) ||
      !readTensor(from.descriptor(cudnn::ForwardWeights), operation.w) ||
      !readTensor(from.descriptor(cudnn::ForwardOutput), operation.d))
    return false;
  operation.strides = window->get<int64_t>(cudnn::ConvolutionStrides);
  operation.dilations = window->get<int64_t>(cudnn::ConvolutionDilations);
  operation.before = window->get<int64_t>(cudnn::ConvolutionPaddingBefore);
  auto behind = window->get<int64_t>(cudnn::ConvolutionPaddingBehind);
  if (window->get<int64_t>(cudnn::ConvolutionDimensions) == std::vector<int64_t>{2}) {
    for (std::vector<int64_t> *values : {&operation.strides, &operation.dilations})
      values->insert(values->begin(), 1);
    for (std::vector<int64_t> *values : {&operation.before, &behind})
      values->insert(values->begin(), 0);
  }
  for (size_t i = 0; i < 3; ++i) {
    const int64_t reach = (operation.w.sizes[2 + i] - 1) * operation.dilations[i] + 1;
    const int64_t padded = operation.x.sizes[2 + i] + operation.before[i] + behind.at(i);
    if ((padded - reach) / operation.strides[i] + 1 != operation.d.sizes[2 + i])
      return false;
  }
  state.computeType = window->get<int>(cudnn::ConvolutionComputeType).at(0);
  return from.get<float>(cudnn::ForwardAlpha) == std::vector<float>{1} &&
         from.get<float>(cudnn::ForwardBeta) == std::vector<float>{0} &&
         operation.x.sizes[0] == operation.d.sizes[0] &&
         operation.w.sizes[0] == operation.d.sizes[1] &&
         operation.x.sizes[1] % operation.w.sizes[1] == 0;
}

using Triple = std::array<int64_t, 3>;

/// Calls `visit` with the places in a box of sizes[2], sizes[3] and sizes[4], in order.
template <typename Visit>
void forEachPlace(const Tensor &tensor, Visit visit) {
  for (int64_t z = 0; z < tensor.sizes[2]; ++z)
    for (int64_t y = 0; y < tensor.sizes[3]; ++y)
      for (int64_t x = 0; x < tensor.sizes[4]; ++x)
        visit(Triple{z, y, x});
}

/// What an element of the output sees through a tap; false if it is in the padding.
bool see(const Operation &operation, const Triple &out, const Triple &tap, Triple &seen) {
  for (size_t i = 0; i < 3; ++i) {
    seen[i] = out[i] * operation.strides[i] + tap[i] * operation.dilations[i] - operation.before[i];
    if (seen[i] < 0 || seen[i] >= operation.x.sizes[2 + i])
      return false;
  }
  return true;
}

void convolve(const Operation &operation) {
  const Tensor &x = operation.x, &w = operation.w, &d = operation.d;
  const int64_t perGroup = w.sizes[0] / (x.sizes[1] / w.sizes[1]);
  for (int64_t image = 0; image < d.sizes[0]; ++image)
    for (int64_t filter = 0; filter < d.sizes[1]; ++filter)
      forEachPlace(d, [&](const Triple &out) {
        float sum = 0;
        for (int64_t channel = 0; channel < w.sizes[1]; ++channel)
          forEachPlace(w, [&](const Triple &tap) {
            Triple seen;
            if (see(operation, out, tap, seen))
              sum += x.at(image, filter / perGroup * w.sizes[1] + channel, seen) *
                     w.at(filter, channel, tap);
          });
        d.at(image, filter, out) = sum;
      });
}

Descriptor &of(CudnnDescriptorHandle handle) { return *static_cast<Descriptor *>(handle); }

} // namespace

#define MOCK(name, ...)                                                                            \
  extern "C" __attribute__((visibility("default"))) CudnnStatus name(__VA_ARGS__)

extern "C" __attribute__((visibility("default"))) CudnnMockState *inlayCudnnMockState() {
  return &state;
}
extern "C" __attribute__((visibility("default"))) size_t cudnnGetVersion() { return 91900; }

MOCK(cudnnCreate, CudnnHandle *handle) {
  *handle = reinterpret_cast<CudnnHandle>(&state);
  ++state.liveHandles;
  return 0;
}
MOCK(cudnnDestroy, CudnnHandle) {
  --state.liveHandles;
  return 0;
}
MOCK(cudnnSetStream, CudnnHandle, CudaStream stream) {
  state.stream = stream;
  return 0;
}
MOCK(cudnnBackendCreateDescriptor, int kind, CudnnDescriptorHandle *handle) {
  *handle = new Descriptor{kind, false, -1, {}};
  ++state.liveDescriptors;
  return 0;
}
MOCK(cudnnBackendDestroyDescriptor, CudnnDescriptorHandle handle) {
  delete &of(handle);
  --state.liveDescriptors;
  return 0;
}
MOCK(cudnnBackendSetAttribute, CudnnDescriptorHandle handle, int attribute, int type, int64_t count,
     const void *elements) {
  Descriptor &descriptor = of(handle);
  if (descriptor.isFinished)
    return kBadParameter;
  Values &values = descriptor.attributes[attribute];
  values.type = type;
  const auto *bytes = static_cast<const char *>(elements);
  values.bytes.assign(bytes, bytes + static_cast<size_t>(count) * sizeOf(type));
  if (attribute == cudnn::TensorAlignment)
    state.alignmentBytes = descriptor.get<int64_t>(attribute).at(0);
  return 0;
}
MOCK(cudnnBackendFinalize, CudnnDescriptorHandle handle) {
  Descriptor &descriptor = of(handle);
  // What it is made of must be finished.
  for (const auto &[attribute, values] : descriptor.attributes)
    if (values.type == cudnn::Descriptor)
      for (const Descriptor *part : descriptor.get<Descriptor *>(attribute))
        if (!part->isFinished && part->kind != cudnn::EngineConfig)
          return kBadParameter;
  Operation operation;
  if (descriptor.kind == cudnn::ConvolutionForward && !readOperation(descriptor, operation))
    return kNotSupported;
  if (descriptor.kind == cudnn::EngineHeuristic)
    ++state.numSearches;
  if (descriptor.kind == cudnn::VariantPack)
    ++state.numPacks;
  if (descriptor.kind == cudnn::ExecutionPlan) {
    descriptor.engine = descriptor.descriptor(cudnn::PlanConfig)->engine;
    if (engineAt(descriptor.engine).isRefused)
      return kNotSupported;
    state.engine = descriptor.engine;
    // A plan that lives on keeps the operation.
    Descriptor *config = descriptor.descriptor(cudnn::PlanConfig);
    descriptor.attributes[cudnn::HeuristicGraph] = config->attributes[cudnn::HeuristicGraph];
  }
  descriptor.isFinished = true;
  return 0;
}
MOCK(cudnnBackendGetAttribute, CudnnDescriptorHandle handle, int attribute, int type,
     int64_t wanted, int64_t *count, void *elements) {
  const Descriptor &descriptor = of(handle);
  const auto give = [&](const auto &values) {
    using T = typename std::decay_t<decltype(values)>::value_type;
    *count = static_cast<int64_t>(values.size());
    if (sizeof(T) != sizeOf(type))
      return kBadParameter;
    std::copy_n(values.begin(), std::min(wanted, *count), static_cast<T *>(elements));
    return CudnnStatus(0);
  };
  switch (attribute) {
  case cudnn::HeuristicResults: {
    const bool isFallback =
        descriptor.get<int>(cudnn::HeuristicModeOf).at(0) == cudnn::kHeuristicFallback;
    const auto &engines = isFallback ? state.fallbacks : state.engines;
    *count = static_cast<int64_t>(engines.size());
    auto *configs = static_cast<Descriptor **>(elements);
    for (int64_t i = 0; i < std::min(wanted, *count); ++i) {
      configs[i]->engine =
          static_cast<int>(i + (isFallback ? static_cast<int64_t>(state.engines.size()) : 0));
      configs[i]->attributes[cudnn::HeuristicGraph] =
          descriptor.attributes.at(cudnn::HeuristicGraph);
    }
    return 0;
  }
  case cudnn::ConfigEngine:
    (*static_cast<Descriptor **>(elements))->engine = descriptor.engine;
    *count = 1;
    return 0;
  case cudnn::EngineNotes:
    return give(engineAt(descriptor.engine).notes);
  case cudnn::PlanWorkspaceBytes:
    return give(std::vector<int64_t>{engineAt(descriptor.engine).workspaceBytes});
  }
  return kBadParameter;
}
MOCK(cudnnBackendExecute, CudnnHandle, CudnnDescriptorHandle planHandle,
     CudnnDescriptorHandle packHandle) {
  ++state.numRuns;
  if (state.failure)
    return state.failure;
  const Descriptor &plan = of(planHandle), &pack = of(packHandle);
  Operation operation;
  const Descriptor *graph = plan.descriptor(cudnn::HeuristicGraph);
  if (!plan.isFinished || !pack.isFinished || !graph ||
      !readOperation(*graph->descriptor(cudnn::GraphOperations), operation))
    return kExecutionFailed;
  const auto ids = pack.get<int64_t>(cudnn::PackIds);
  const auto pointers = pack.get<float *>(cudnn::PackPointers);
  const auto workspace = pack.get<void *>(cudnn::PackWorkspace);
  for (Tensor *tensor : {&operation.x, &operation.w, &operation.d}) {
    const auto found = std::ranges::find(ids, tensor->id);
    if (found == ids.end())
      return kExecutionFailed;
    tensor->data = pointers.at(static_cast<size_t>(found - ids.begin()));
  }
  if (workspace.size() != 1 || !workspace[0])
    return kExecutionFailed;
  convolve(operation);
  return 0;
}
