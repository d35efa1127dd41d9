#include "runtime/devices/cpu/OneDnn.h"

#include "base/Error.h"
#include "base/Log.h"
#include "runtime/devices/VendorLibrary.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace inlay {
namespace {

// Values of the library's enumerations, the same in versions 2 and 3.
constexpr int kOutOfMemory = 1;
constexpr int kUnimplemented = 3;
constexpr int kCpu = 1;
constexpr unsigned kStreamInOrder = 1;
constexpr int kScratchpadOfCaller = 1;
constexpr int kStrictMath = 0;
constexpr int kQueryScratchpad = 136, kQueryArgument = 255, kQueryName = 8;
constexpr int kAnyLayout = 1;
constexpr int kForwardInference = 96, kConvolutionDirect = 1;
constexpr int kArgumentSource = 1, kArgumentDestination = 17, kArgumentWeights = 33,
              kArgumentBias = 41, kArgumentScratchpad = 80;
/// How the library was built to use threads.
constexpr unsigned kSequential = 1, kOpenMp = 2;

/// Version 2 has its callers hold descriptors: 696 bytes of a layout, up to 4336 of an operation,
/// as its last version declares them. They are given more, and their bytes are the library's own.
constexpr size_t kLayoutBytes = 2048, kOperationBytes = 16384;

constexpr const char *kNames[] = {"libdnnl.so.3", "libdnnl.so.2"};

/// The beginning of dnnl_version_t, the same in both versions.
struct Version {
  int major, minor, patch;
  const char *hash;
  unsigned cpuRuntime;
};

const char *statusName(DnnlStatus status) {
  constexpr const char *kStatusNames[] = {"success",       "out of memory", "invalid arguments",
                                          "unimplemented", "iterator ends", "runtime error",
                                          "not required"};
  return status >= 0 && status < static_cast<int>(std::size(kStatusNames)) ? kStatusNames[status]
                                                                           : "unknown";
}

/// None for types that the library has no products of, or none with sums in float32.
std::optional<int> typeOf(DataType dtype) {
  switch (dtype) {
  case DataType::Float16:
    return 1;
  case DataType::BFloat16:
    return 2;
  case DataType::Float32:
    return 3;
  default:
    return std::nullopt;
  }
}

template <typename Function>
Status findInto(const DynamicLibrary &library, const char *symbol, Function *&function) {
  function = reinterpret_cast<Function *>(library.find(symbol));
  return function ? Status() : incompatible("{} has no function '{}'", library.name(), symbol);
}

} // namespace

/// A description of an operand, made for the version that is loaded.
struct OneDnn::Layout {
  explicit Layout(const OneDnn &own) : library(own) {}
  Layout(const Layout &) = delete;
  ~Layout() {
    if (object)
      (void)library.layoutDestroy(object);
  }
  const DnnlLayout *get() const {
    return object ? object : reinterpret_cast<const DnnlLayout *>(bytes.data());
  }

  const OneDnn &library;
  DnnlLayout *object = nullptr;                                          // version 3
  alignas(std::max_align_t) std::array<std::byte, kLayoutBytes> bytes{}; // version 2
};

Result<std::shared_ptr<const OneDnn>> OneDnn::open() {
  INLAY_ASSIGN(DynamicLibrary library,
               openVendorLibrary("oneDNN", EnvironmentVariable::OneDnn, kNames));
  std::shared_ptr<OneDnn> opened(new OneDnn(std::move(library)));
  INLAY_TRY(opened->findSymbols(), fmt::format("opening {}", opened->library_.name()));
  INLAY_TRY(opened->check(opened->engineCreate(&opened->engine_, kCpu, 0), "dnnl_engine_create"));
  INLAY_TRY(
      opened->check(opened->attributesCreate(&opened->attributes_), "dnnl_primitive_attr_create"));
  // Memory is ours, and float32 is not computed in less.
  INLAY_TRY(opened->check(opened->attributesSetScratchpad(opened->attributes_, kScratchpadOfCaller),
                          "dnnl_primitive_attr_set_scratchpad_mode"));
  INLAY_TRY(opened->check(opened->attributesSetMathMode(opened->attributes_, kStrictMath),
                          "dnnl_primitive_attr_set_fpmath_mode"));
  INLAY_LOG(Cpu, Info, "{} is used", opened->description_);
  return std::shared_ptr<const OneDnn>(std::move(opened));
}

Status OneDnn::findSymbols() {
  const Version *(*version)() = nullptr;
  INLAY_TRY(findInto(library_, "dnnl_version", version));
  const Version &found = *version();
  major_ = found.major;
  description_ =
      fmt::format("oneDNN {}.{}.{} ({})", found.major, found.minor, found.patch, library_.name());
  if (major_ != 2 && major_ != 3)
    return incompatible("it is {}; versions 2 and 3 can be used", description_);
  if (found.cpuRuntime == kOpenMp) {
    // The handle finds what the library itself is linked to.
    INLAY_TRY(findInto(library_, "omp_set_num_threads", setNumThreads));
    INLAY_TRY(findInto(library_, "omp_get_max_threads", maxThreads));
  } else if (found.cpuRuntime != kSequential) {
    return incompatible("it was built for threads of kind {}, which cannot be kept to one; builds "
                        "with OpenMP or without threads can be used",
                        found.cpuRuntime);
  }
#define INLAY_ONEDNN_SYMBOL(member, name, parameters)                                              \
  INLAY_TRY(findInto(library_, name, this->member));
#define INLAY_ONEDNN2_SYMBOL(member, name, parameters)                                             \
  if (major_ == 2)                                                                                 \
    INLAY_TRY(findInto(library_, name, this->member));
#define INLAY_ONEDNN3_SYMBOL(member, name, parameters)                                             \
  if (major_ == 3)                                                                                 \
    INLAY_TRY(findInto(library_, name, this->member));
#include "runtime/devices/cpu/OneDnnSymbols.def"
#undef INLAY_ONEDNN_SYMBOL
#undef INLAY_ONEDNN2_SYMBOL
#undef INLAY_ONEDNN3_SYMBOL
  INLAY_TRY(findInto(library_, "dnnl_primitive_desc_query_md", descriptorQuery));
  INLAY_TRY(findInto(library_, "dnnl_memory_desc_equal", areLayoutsEqual));
  return findInto(library_, "dnnl_memory_desc_get_size", layoutSizeBytes);
}

OneDnn::~OneDnn() {
  if (attributes_)
    (void)attributesDestroy(attributes_);
  if (engine_)
    (void)engineDestroy(engine_);
}

Status OneDnn::check(DnnlStatus status, const char *what) const {
  switch (status) {
  case 0:
    return {};
  case kOutOfMemory:
    return outOfMemory("{} of {} failed", what, description_);
  case kUnimplemented:
    return unimplemented("{} has no {} for this", description_, what);
  default:
    return deviceError("{} of {} failed: {} ({})", what, description_, statusName(status), status);
  }
}

Result<std::unique_ptr<OneDnn::Layout>> OneDnn::createLayout(DataType dtype,
                                                             const OneDnnTensor &tensor) const {
  const std::optional<int> type = typeOf(dtype);
  if (!type)
    return unimplemented("{} is not used for {}", description_, dataTypeName(dtype));
  auto layout = std::make_unique<Layout>(*this);
  const auto rank = static_cast<int>(tensor.sizes.size());
  const int64_t *sizes = tensor.sizes.data(), *strides = tensor.strides.data();
  void *bytes = layout->bytes.data();
  DnnlStatus status = 0;
  if (tensor.strides.empty())
    status = major_ == 3 ? layoutCreateByTag(&layout->object, rank, sizes, *type, kAnyLayout)
                         : layoutInitByTag(bytes, rank, sizes, *type, kAnyLayout);
  else
    status = major_ == 3 ? layoutCreate(&layout->object, rank, sizes, *type, strides)
                         : layoutInit(bytes, rank, sizes, *type, strides);
  INLAY_TRY(check(status, "a layout"));
  return layout;
}

Result<std::unique_ptr<OneDnnPrimitive>>
OneDnn::createPrimitive(DataType dtype,
                        std::span<const std::pair<int, const OneDnnTensor *>> operands,
                        const char *what, const CreateDescriptor &create) const {
  const OneDnnSingleThread singleThread(*this);
  std::unique_ptr<OneDnnPrimitive> primitive(new OneDnnPrimitive(shared_from_this()));
  std::vector<std::unique_ptr<Layout>> owned;
  std::vector<const DnnlLayout *> layouts;
  std::vector<int> indices;
  for (const auto &[index, tensor] : operands) {
    INLAY_ASSIGN(owned.emplace_back(), createLayout(dtype, *tensor));
    layouts.push_back(owned.back()->get());
    indices.push_back(index);
  }
  DnnlPrimitiveDescriptor descriptor = nullptr;
  INLAY_TRY(check(create(layouts, &descriptor), what));
  INLAY_TRY(primitive->finish(descriptor, std::move(indices)));
  const char *name = nullptr;
  if (descriptorQueryValue(descriptor, kQueryName, 0, &name) == 0 && name &&
      std::string_view(name).starts_with("ref"))
    return unimplemented("{} has its reference implementation only of this {}", description_, what);
  return primitive;
}

Result<std::unique_ptr<OneDnnPrimitive>>
OneDnn::createMatmul(DataType dtype, const OneDnnTensor &a, const OneDnnTensor &b,
                     const std::optional<OneDnnTensor> &bias, const OneDnnTensor &d) const {
  std::vector<std::pair<int, const OneDnnTensor *>> operands{{kArgumentSource, &a},
                                                             {kArgumentWeights, &b}};
  if (bias)
    operands.emplace_back(kArgumentBias, &*bias);
  operands.emplace_back(kArgumentDestination, &d);
  return createPrimitive(
      dtype, operands, "matrix product",
      [&](std::span<const DnnlLayout *const> layouts, DnnlPrimitiveDescriptor *descriptor) {
        const DnnlLayout *biasLayout = bias ? layouts[2] : nullptr;
        if (major_ == 3)
          return matmulCreate(descriptor, engine_, layouts[0], layouts[1], biasLayout,
                              layouts.back(), attributes_);
        alignas(std::max_align_t) std::array<std::byte, kOperationBytes> operation{};
        const DnnlStatus status =
            matmulInit(operation.data(), layouts[0], layouts[1], biasLayout, layouts.back());
        return status
                   ? status
                   : descriptorCreate(descriptor, operation.data(), attributes_, engine_, nullptr);
      });
}

Result<std::unique_ptr<OneDnnPrimitive>>
OneDnn::createConvolution(DataType dtype, const OneDnnTensor &x, const OneDnnTensor &w,
                          const std::optional<OneDnnTensor> &bias, const OneDnnTensor &d,
                          const OneDnnWindow &window) const {
  std::vector<std::pair<int, const OneDnnTensor *>> operands{{kArgumentSource, &x},
                                                             {kArgumentWeights, &w}};
  if (bias)
    operands.emplace_back(kArgumentBias, &*bias);
  operands.emplace_back(kArgumentDestination, &d);
  std::vector<int64_t> skipped; // the library counts what lies between two elements of a window
  for (const int64_t dilation : window.dilations)
    skipped.push_back(dilation - 1);
  return createPrimitive(
      dtype, operands, "convolution",
      [&](std::span<const DnnlLayout *const> layouts, DnnlPrimitiveDescriptor *descriptor) {
        const DnnlLayout *biasLayout = bias ? layouts[2] : nullptr;
        const int64_t *strides = window.strides.data(), *before = window.paddingBefore.data(),
                      *behind = window.paddingBehind.data();
        if (major_ == 3)
          return convolutionCreate(descriptor, engine_, kForwardInference, kConvolutionDirect,
                                   layouts[0], layouts[1], biasLayout, layouts.back(), strides,
                                   skipped.data(), before, behind, attributes_);
        alignas(std::max_align_t) std::array<std::byte, kOperationBytes> operation{};
        const DnnlStatus status = convolutionInit(
            operation.data(), kForwardInference, kConvolutionDirect, layouts[0], layouts[1],
            biasLayout, layouts.back(), strides, skipped.data(), before, behind);
        return status
                   ? status
                   : descriptorCreate(descriptor, operation.data(), attributes_, engine_, nullptr);
      });
}

OneDnnPrimitive::OneDnnPrimitive(std::shared_ptr<const OneDnn> library)
    : library_(std::move(library)) {}

Status OneDnnPrimitive::finish(DnnlPrimitiveDescriptor descriptor, std::vector<int> indices) {
  descriptor_ = descriptor;
  indices_ = std::move(indices);
  for (const int index : indices_)
    layouts_.push_back(library_->descriptorQuery(descriptor_, kQueryArgument, index));
  return library_->check(library_->primitiveCreate(&primitive_, descriptor_),
                         "dnnl_primitive_create");
}

uint64_t OneDnnPrimitive::sizeBytes(size_t operand) const {
  return library_->layoutSizeBytes(layouts_[operand]);
}

Result<std::unique_ptr<OneDnnPrimitive>> OneDnnPrimitive::createCopy(size_t operand, DataType dtype,
                                                                     const OneDnnTensor &plain,
                                                                     Direction direction) const {
  INLAY_ASSIGN(const std::unique_ptr<OneDnn::Layout> outside, library_->createLayout(dtype, plain));
  if (library_->areLayoutsEqual(outside->get(), layouts_[operand]))
    return std::unique_ptr<OneDnnPrimitive>();
  const OneDnnSingleThread singleThread(*library_);
  std::unique_ptr<OneDnnPrimitive> copy(new OneDnnPrimitive(library_));
  const bool isInto = direction == Direction::Into;
  DnnlPrimitiveDescriptor descriptor = nullptr;
  INLAY_TRY(library_->check(
      library_->reorderCreate(&descriptor, isInto ? outside->get() : layouts_[operand],
                              library_->engine_, isInto ? layouts_[operand] : outside->get(),
                              library_->engine_, library_->attributes_),
      "copy of an operand"));
  INLAY_TRY(copy->finish(descriptor, {kArgumentSource, kArgumentDestination}));
  return copy;
}

bool OneDnnPrimitive::isLike(const OneDnnPrimitive &other) const {
  return std::ranges::equal(layouts_, other.layouts_,
                            [&](const DnnlLayout *ours, const DnnlLayout *theirs) {
                              return library_->areLayoutsEqual(ours, theirs) != 0;
                            });
}

uint64_t OneDnnPrimitive::scratchBytes() const {
  uint64_t sum = 0;
  for (const Place &place : places_)
    sum += place.scratch.sizeBytes();
  return sum;
}

Status OneDnnPrimitive::reserve(uint32_t count, Device &device) {
  const DnnlLayout *scratch = library_->descriptorQuery(descriptor_, kQueryScratchpad, 0);
  const size_t scratchBytes = scratch ? library_->layoutSizeBytes(scratch) : 0;
  for (uint32_t i = 0; i < count; ++i) {
    Place &place = places_.emplace_back();
    INLAY_TRY(
        library_->check(library_->streamCreate(&place.stream, library_->engine_, kStreamInOrder),
                        "dnnl_stream_create"));
    const auto add = [&](int index, const DnnlLayout *layout, void *data) {
      DnnlArgument &argument = place.arguments.emplace_back(DnnlArgument{index, nullptr});
      return library_->check(
          library_->memoryCreate(&argument.memory, layout, library_->engine_, data),
          "dnnl_memory_create");
    };
    for (size_t operand = 0; operand < indices_.size(); ++operand)
      INLAY_TRY(add(indices_[operand], layouts_[operand], nullptr));
    if (scratchBytes == 0)
      continue;
    INLAY_ASSIGN(place.scratch, DeviceMemory::allocate(device, scratchBytes),
                 fmt::format("allocating what {} asks for", library_->description()));
    INLAY_TRY(add(kArgumentScratchpad, scratch, place.scratch.data()));
  }
  return {};
}

Status OneDnnPrimitive::run(uint32_t index, std::span<void *const> addresses) const {
  const Place &place = places_[index];
  const OneDnnSingleThread singleThread(*library_);
  for (size_t i = 0; i < addresses.size(); ++i)
    if (const DnnlStatus status = library_->memorySetData(place.arguments[i].memory, addresses[i]))
      return library_->check(status, "dnnl_memory_set_data_handle");
  return library_->check(library_->primitiveExecute(primitive_, place.stream,
                                                    static_cast<int>(place.arguments.size()),
                                                    place.arguments.data()),
                         "dnnl_primitive_execute");
}

OneDnnPrimitive::~OneDnnPrimitive() {
  for (Place &place : places_) {
    for (const DnnlArgument &argument : place.arguments)
      if (argument.memory)
        (void)library_->memoryDestroy(argument.memory);
    if (place.stream)
      (void)library_->streamDestroy(place.stream);
  }
  if (primitive_)
    (void)library_->primitiveDestroy(primitive_);
  if (descriptor_)
    (void)library_->descriptorDestroy(descriptor_);
}

} // namespace inlay
