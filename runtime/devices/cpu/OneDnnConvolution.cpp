// Convolutions by oneDNN. Threads are the device's own: each runs the library on a part of the
// output. The library is fast on layouts of its own, into which a part of the input is copied
// before and out of which the result is copied behind; weights that never change are copied once.
#include "base/Error.h"
#include "runtime/devices/cpu/CpuLibraryFunction.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <ranges>
#include <set>

namespace inlay {
namespace {

using Sizes = ConvolutionSizes<int64_t>;
using Dimension = ConvolutionDimension<int64_t>;

/// A part with fewer multiplications is not worth another thread, or another call.
constexpr int64_t kLeastPartWork = 256 * 1024;
/// Parts of filters and groups are multiples of the library's blocks of channels.
constexpr int64_t kGranule = 16;
/// From so many pixels on, a convolution of single pixels is faster as a product of the matrices as
/// they lie than in the library's layout with copies before and behind.
constexpr int64_t kLeastPlainPixels = 128;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// What the output is cut along, so that threads can share it. Slices are along the outermost
/// dimension: rows of planes.
enum class Axis : uint8_t { Images, Groups, Slices, Filters };

struct Cut {
  Axis axis = Axis::Images;
  int64_t size = 1; // along the axis
  int64_t part = 1; // of that, the last one may be smaller

  int64_t numParts() const { return ceilDiv(size, part); }
};

Dimension &outermost(Sizes &sizes) { return sizes.dims[sizes.dims.size() - sizes.numDims]; }
const Dimension &outermost(const Sizes &sizes) { return sizes.ownDims().front(); }
/// Elements of one slice of the input or the output.
int64_t sliceOf(const Sizes &sizes, int64_t Dimension::*member) {
  int64_t elements = 1;
  for (const Dimension &dim : sizes.ownDims().subspan(1))
    elements *= dim.*member;
  return elements;
}

/// The input's slices that an output's slices see: the first and one behind the last, which may lie
/// in the padding.
std::array<int64_t, 2> slicesSeen(const Dimension &dim, int64_t firstSlice, int64_t numSlices) {
  const int64_t first = firstSlice * dim.stride - dim.padding;
  return {first, first + (numSlices - 1) * dim.stride + dim.reach()};
}

/// False if some part would see nothing but padding, which the library does not take for an input.
bool canBeCutBySlices(const Dimension &dim, int64_t part) {
  for (int64_t slice = 0; slice < dim.out; slice += part) {
    const auto [first, end] = slicesSeen(dim, slice, std::min(part, dim.out - slice));
    if (end <= 0 || first >= dim.size)
      return false;
  }
  return true;
}

/// A product of matrices that stays one when its images or its filters are cut.
bool isPlainProduct(const Sizes &sizes, int64_t numThreads) {
  return sizes.groups == 1 &&
         std::ranges::all_of(sizes.dims,
                             [](const Dimension &dim) {
                               return dim.kernel == 1 && dim.stride == 1 && dim.padding == 0;
                             }) &&
         sizes.outVolume() >= kLeastPlainPixels &&
         (sizes.images == 1 || sizes.images >= numThreads);
}

int64_t threadsFor(const Sizes &sizes, uint32_t numThreads) {
  return std::clamp<int64_t>(sizes.work() / kLeastPartWork, 1, int64_t{numThreads});
}

Cut cutOf(const Sizes &sizes, int64_t threads, bool isPlain) {
  const int64_t work = sizes.work();
  const auto partOf = [&](int64_t size, int64_t granule) {
    return std::min(size, ceilDiv(ceilDiv(size, threads), granule) * granule);
  };
  // Images one by one stay in the caches between the copies and the library.
  if (sizes.images >= threads) {
    const int64_t together = ceilDiv(kLeastPartWork, std::max<int64_t>(work / sizes.images, 1));
    return {Axis::Images, sizes.images, std::min(together, partOf(sizes.images, 1))};
  }
  if (sizes.groups >= threads * kGranule || (sizes.channels > 1 && sizes.groups >= threads))
    return {Axis::Groups, sizes.groups, partOf(sizes.groups, sizes.channels > 1 ? 1 : kGranule)};
  const Dimension &outer = outermost(sizes);
  const int64_t slices = partOf(outer.out, 1);
  const bool isWorthIt = slices >= (sizes.numDims == 2 ? 4 : 1) || sizes.groups > 1;
  if (!isPlain && isWorthIt && canBeCutBySlices(outer, slices))
    return {Axis::Slices, outer.out, slices};
  if (sizes.groups == 1)
    return {Axis::Filters, sizes.filters, partOf(sizes.filters, kGranule)};
  return {Axis::Images, sizes.images, sizes.images};
}

/// One part: its own sizes, and where its operands begin, in elements.
struct Part {
  Sizes sizes;
  int64_t paddingBehind = 0; // along the outermost dimension
  int64_t x = 0, w = 0, bias = 0, d = 0;
};

Part partOf(const Sizes &whole, const Cut &cut, int64_t index) {
  const int64_t begin = index * cut.part, size = std::min(cut.part, cut.size - begin);
  Part part{whole};
  const int64_t filtersPerGroup = whole.filters / whole.groups;
  const int64_t filter = whole.channels * whole.taps();
  const Dimension &wholeOuter = outermost(whole);
  Dimension &outer = outermost(part.sizes);
  const auto takeFilters = [&](int64_t first, int64_t count) {
    part.sizes.filters = count;
    part.w = first * filter;
    part.bias = first;
    part.d = first * whole.outVolume();
  };
  int64_t firstSlice = 0;
  switch (cut.axis) {
  case Axis::Images:
    part.sizes.images = size;
    part.x = begin * whole.groups * whole.channels * whole.volume();
    part.d = begin * whole.filters * whole.outVolume();
    break;
  case Axis::Groups:
    part.sizes.groups = size;
    part.x = begin * whole.channels * whole.volume();
    takeFilters(begin * filtersPerGroup, size * filtersPerGroup);
    break;
  case Axis::Filters:
    takeFilters(begin, size);
    break;
  case Axis::Slices:
    firstSlice = begin;
    outer.out = size;
    part.d = begin * sliceOf(whole, &Dimension::out);
    break;
  }
  const auto [first, end] = slicesSeen(wholeOuter, firstSlice, outer.out);
  const int64_t firstInside = std::max<int64_t>(first, 0);
  part.x += firstInside * sliceOf(whole, &Dimension::size);
  outer.size = std::min(end, wholeOuter.size) - firstInside;
  outer.padding = firstInside - first;
  part.paddingBehind = std::max<int64_t>(end - wholeOuter.size, 0);
  return part;
}

/// Weights as the library lays them out.
struct PackedWeights {
  std::unique_ptr<OneDnnPrimitive> copy; // that made them; knows the layout
  DeviceMemory memory;
};

/// Packed weights of one kernel's launches, which share those that are alike.
class PackedWeightsCache {
public:
  /// Weights at an address, laid out by `copy`. Errors: OutOfMemory, DeviceError.
  Result<std::shared_ptr<const PackedWeights>>
  get(void *weights, std::unique_ptr<OneDnnPrimitive> copy, Device &device) {
    const std::lock_guard lock(mutex_);
    std::erase_if(packed_, [](const auto &known) { return known.second.expired(); });
    const auto [begin, end] = packed_.equal_range(weights);
    for (auto known = begin; known != end; ++known)
      if (auto found = known->second.lock(); found && found->copy->isLike(*copy))
        return found;
    auto made = std::make_shared<PackedWeights>();
    INLAY_ASSIGN(made->memory, DeviceMemory::allocate(device, copy->sizeBytes(1)),
                 "allocating a convolution's weights as oneDNN lays them out");
    INLAY_TRY(copy->reserve(1, device));
    void *const addresses[] = {weights, made->memory.data()};
    INLAY_TRY(copy->run(0, addresses));
    made->copy = std::move(copy);
    packed_.emplace(weights, made);
    return std::shared_ptr<const PackedWeights>(std::move(made));
  }

private:
  std::mutex mutex_;
  std::multimap<void *, std::weak_ptr<const PackedWeights>> packed_; // by address
};

/// What is done for parts of the same sizes.
struct Program {
  std::unique_ptr<OneDnnPrimitive> convolution;
  std::unique_ptr<OneDnnPrimitive> copyInput, copyWeights, copyOutput; // null: it lies as it should
};

struct PlannedPart {
  Part part;
  const Program *program = nullptr;
  std::shared_ptr<const PackedWeights> weights; // if they are packed once
};

class ConvolutionCall final : public CpuLibraryCall {
public:
  ConvolutionCall(const Sizes &sizes, bool hasBias, DataType dtype)
      : whole_(sizes), hasBias_(hasBias), dtype_(dtype),
        elementBytes_(static_cast<size_t>(dataTypeSizeBytes(dtype))) {}

  /// `weights` is null if they may change.
  Status prepare(const OneDnn &library, PackedWeightsCache &cache, void *weights,
                 uint32_t numThreads, Device &device) {
    const int64_t threads = threadsFor(whole_, numThreads);
    isPlain_ = isPlainProduct(whole_, threads);
    const Cut cut = cutOf(whole_, threads, isPlain_);
    const auto places = static_cast<uint32_t>(std::min<int64_t>(cut.numParts(), numThreads));
    for (int64_t i = 0; i < cut.numParts(); ++i) {
      PlannedPart planned{partOf(whole_, cut, i), nullptr, nullptr};
      const Part &part = planned.part;
      std::unique_ptr<Program> &program = programs_[{
          part.sizes.images, part.sizes.groups, part.sizes.filters, outermost(part.sizes).size,
          outermost(part.sizes).out, outermost(part.sizes).padding, part.paddingBehind}];
      if (!program) {
        INLAY_ASSIGN(program, createProgram(library, part, weights != nullptr));
        INLAY_TRY(reserve(*program, places, device));
      }
      planned.program = program.get();
      if (weights) {
        INLAY_ASSIGN(planned.weights, pack(cache, part, *program, weights, device));
      }
      parts_.push_back(std::move(planned));
    }
    INLAY_ASSIGN(scratch_, DeviceMemory::allocate(device, scratchBytesPerPlace() * places));
    return {};
  }

  uint64_t numPrograms() const override { return parts_.size(); }

  uint64_t memoryBytes() const override {
    uint64_t sum = scratch_.sizeBytes();
    for (const auto &[key, program] : programs_)
      for (const auto *primitive : {&program->convolution, &program->copyInput,
                                    &program->copyWeights, &program->copyOutput})
        sum += *primitive ? (*primitive)->scratchBytes() : 0;
    std::set<const PackedWeights *> shared;
    for (const PlannedPart &part : parts_)
      if (part.weights && shared.insert(part.weights.get()).second)
        sum += part.weights->memory.sizeBytes();
    return sum;
  }

  Status run(void *const *arguments, uint32_t place, uint64_t begin, uint64_t end) const override {
    for (uint64_t i = begin; i < end; ++i)
      INLAY_TRY(runPart(arguments, place, parts_[i]));
    return {};
  }

private:
  Status runPart(void *const *arguments, uint32_t place, const PlannedPart &planned) const {
    const auto address = [&](size_t index, int64_t offset) -> void * {
      return *static_cast<std::byte *const *>(arguments[index]) +
             offset * static_cast<int64_t>(elementBytes_);
    };
    const Part &part = planned.part;
    const Program &program = *planned.program;
    std::byte *scratch = static_cast<std::byte *>(scratch_.data()) + scratchBytesPerPlace() * place;
    void *x = address(0, part.x), *w = address(1, part.w);
    void *d = address(hasBias_ ? 3 : 2, part.d), *result = d;
    if (program.copyInput) {
      void *const addresses[] = {x, scratch};
      INLAY_TRY(program.copyInput->run(place, addresses));
      x = scratch;
    }
    if (planned.weights) {
      w = planned.weights->memory.data();
    } else if (program.copyWeights) {
      void *const addresses[] = {w, scratch + inputBytes_};
      INLAY_TRY(program.copyWeights->run(place, addresses));
      w = addresses[1];
    }
    if (program.copyOutput)
      result = scratch + inputBytes_ + weightBytes_;
    void *addresses[4] = {x, w};
    size_t count = 2;
    if (hasBias_)
      addresses[count++] = address(2, part.bias);
    addresses[count++] = result;
    INLAY_TRY(program.convolution->run(place, std::span(addresses).first(count)));
    if (!program.copyOutput)
      return {};
    void *const copied[] = {result, d};
    return program.copyOutput->run(place, copied);
  }

  /// A tensor's sizes: two numbers, then one of each dimension; its last dimensions are dense in
  /// the whole tensor, of which `part` is one.
  OneDnnTensor tensorOf(const Sizes &part, int64_t Dimension::*member, int64_t first,
                        int64_t second) const {
    OneDnnTensor tensor{{first, second}, {}};
    int64_t stride = 1;
    for (const Dimension &dim : part.ownDims())
      tensor.sizes.push_back(dim.*member);
    for (const Dimension &dim : std::views::reverse(whole_.ownDims())) {
      tensor.strides.insert(tensor.strides.begin(), stride);
      stride *= dim.*member;
    }
    tensor.strides.insert(tensor.strides.begin(), stride);
    return tensor;
  }
  OneDnnTensor inputOf(const Sizes &part) const {
    OneDnnTensor input = tensorOf(part, &Dimension::size, part.images, part.groups * part.channels);
    input.strides.insert(input.strides.begin(), whole_.groups * whole_.channels * whole_.volume());
    return input;
  }
  OneDnnTensor outputOf(const Sizes &part) const {
    OneDnnTensor output = tensorOf(part, &Dimension::out, part.images, part.filters);
    output.strides.insert(output.strides.begin(),
                          (part.images == 1 ? part.filters : whole_.filters) * whole_.outVolume());
    return output;
  }
  OneDnnTensor weightsOf(const Sizes &part) const {
    OneDnnTensor weights = tensorOf(part, &Dimension::kernel, part.filters, part.channels);
    const int64_t filter = part.channels * part.taps();
    weights.strides.insert(weights.strides.begin(), filter);
    if (whole_.groups > 1) {
      weights.sizes[0] = part.filters / part.groups;
      weights.sizes.insert(weights.sizes.begin(), part.groups);
      weights.strides.insert(weights.strides.begin(), weights.sizes[1] * filter);
    }
    return weights;
  }
  static OneDnnWindow windowOf(const Part &part) {
    OneDnnWindow window;
    for (const Dimension &dim : part.sizes.ownDims()) {
      window.strides.push_back(dim.stride);
      window.dilations.push_back(dim.dilation);
      window.paddingBefore.push_back(dim.padding);
      window.paddingBehind.push_back(paddingBehind(dim));
    }
    window.paddingBehind.front() = part.paddingBehind;
    return window;
  }

  Result<std::unique_ptr<Program>> createProgram(const OneDnn &library, const Part &part,
                                                 bool packsOnce) const {
    const Sizes &sizes = part.sizes;
    const OneDnnTensor x = inputOf(sizes), w = weightsOf(sizes), d = outputOf(sizes);
    const auto free = [](const OneDnnTensor &tensor) { return OneDnnTensor{tensor.sizes, {}}; };
    const auto bias = hasBias_ ? std::optional(OneDnnTensor{{sizes.filters}, {1}}) : std::nullopt;
    auto program = std::make_unique<Program>();
    INLAY_ASSIGN(program->convolution,
                 library.createConvolution(dtype_, isPlain_ ? x : free(x), free(w), bias,
                                           isPlain_ ? d : free(d), windowOf(part)));
    const OneDnnPrimitive &convolution = *program->convolution;
    using Direction = OneDnnPrimitive::Direction;
    INLAY_ASSIGN(program->copyInput, convolution.createCopy(0, dtype_, x, Direction::Into));
    if (!packsOnce) {
      INLAY_ASSIGN(program->copyWeights, convolution.createCopy(1, dtype_, w, Direction::Into));
    }
    INLAY_ASSIGN(program->copyOutput,
                 convolution.createCopy(hasBias_ ? 3 : 2, dtype_, d, Direction::OutOf));
    return program;
  }

  Status reserve(Program &program, uint32_t places, Device &device) {
    constexpr uint64_t kAlignmentBytes = 256; // threads share no line of a cache
    const auto rounded = [](uint64_t bytes) {
      return (bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
    };
    INLAY_TRY(program.convolution->reserve(places, device));
    if (program.copyInput) {
      INLAY_TRY(program.copyInput->reserve(places, device));
      inputBytes_ = std::max(inputBytes_, rounded(program.convolution->sizeBytes(0)));
    }
    if (program.copyWeights) {
      INLAY_TRY(program.copyWeights->reserve(places, device));
      weightBytes_ = std::max(weightBytes_, rounded(program.convolution->sizeBytes(1)));
    }
    if (program.copyOutput) {
      INLAY_TRY(program.copyOutput->reserve(places, device));
      outputBytes_ =
          std::max(outputBytes_, rounded(program.convolution->sizeBytes(hasBias_ ? 3 : 2)));
    }
    return {};
  }

  /// Null if the weights lie as the library wants them.
  Result<std::shared_ptr<const PackedWeights>> pack(PackedWeightsCache &cache, const Part &part,
                                                    const Program &program, void *weights,
                                                    Device &device) const {
    INLAY_ASSIGN(auto copy, program.convolution->createCopy(1, dtype_, weightsOf(part.sizes),
                                                            OneDnnPrimitive::Direction::Into));
    if (!copy)
      return std::shared_ptr<const PackedWeights>();
    return cache.get(static_cast<std::byte *>(weights) +
                         part.w * static_cast<int64_t>(elementBytes_),
                     std::move(copy), device);
  }

  uint64_t scratchBytesPerPlace() const { return inputBytes_ + weightBytes_ + outputBytes_; }

  Sizes whole_;
  bool hasBias_;
  DataType dtype_;
  size_t elementBytes_;
  bool isPlain_ = false; // operands are used as they lie
  std::map<std::array<int64_t, 7>, std::unique_ptr<Program>> programs_; // by a part's sizes
  std::vector<PlannedPart> parts_;
  uint64_t inputBytes_ = 0, weightBytes_ = 0, outputBytes_ = 0; // in a place's scratch memory
  DeviceMemory scratch_;
};

class OneDnnConvolution final : public CpuLibraryFunction {
public:
  OneDnnConvolution(std::shared_ptr<const OneDnn> library, const LibraryFunction &function,
                    DataType dtype)
      : library_(std::move(library)), numPointers_(numPointers(function)),
        numDims_(numDims(function)),
        hasBias_(function.id == LibraryFunctionId::OneDnnConvolutionBias ||
                 function.id == LibraryFunctionId::OneDnnConvolution3dBias),
        dtype_(dtype) {}

  Result<std::unique_ptr<PreparedCall>> prepare(const LaunchRecord &record, uint32_t numThreads,
                                                Device &device) const override {
    Sizes sizes;
    sizes.numDims = numDims_;
    readSizes(record.arguments, numPointers_, sizes);
    bool isWhole = true;
    sizes.forEach([&](std::string_view name, int64_t &size) {
      isWhole = isWhole && size >= (name.starts_with("padding") ? 0 : 1);
    });
    if (!isWhole || sizes.filters % sizes.groups != 0)
      return unimplemented("{} is not asked for a convolution of {} images of {} x {} x {} x {} "
                           "with {} filters in {} groups",
                           library_->description(), sizes.images, sizes.channels * sizes.groups,
                           sizes.dims[0].size, sizes.dims[1].size, sizes.dims[2].size,
                           sizes.filters, sizes.groups);
    constexpr uint64_t kWeights = uint64_t{1} << 1;
    void *weights = record.constantArguments & kWeights
                        ? *static_cast<void *const *>(record.arguments[1])
                        : nullptr;
    auto call = std::make_unique<ConvolutionCall>(sizes, hasBias_, dtype_);
    INLAY_TRY(call->prepare(*library_, packed_, weights, numThreads, device));
    return std::unique_ptr<PreparedCall>(std::move(call));
  }

private:
  std::shared_ptr<const OneDnn> library_;
  uint32_t numPointers_;
  size_t numDims_;
  bool hasBias_;
  DataType dtype_;
  mutable PackedWeightsCache packed_; // locks itself
};

} // namespace

std::unique_ptr<CpuLibraryFunction> createOneDnnConvolution(std::shared_ptr<const OneDnn> library,
                                                            const LibraryFunction &function,
                                                            DataType dtype) {
  return std::make_unique<OneDnnConvolution>(std::move(library), function, dtype);
}

} // namespace inlay
