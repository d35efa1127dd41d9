// oneDNN, opened at run time: matrix products and convolutions on the CPU, each on the thread that
// asks for it.
#pragma once

#include "base/DataType.h"
#include "base/DynamicLibrary.h"
#include "base/Status.h"
#include "runtime/devices/DeviceMemory.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inlay {

using DnnlStatus = int; // 0 is success
using DnnlEngine = struct DnnlEngineTag *;
using DnnlStream = struct DnnlStreamTag *;
using DnnlAttributes = struct DnnlAttributesTag *;
using DnnlPrimitiveDescriptor = struct DnnlPrimitiveDescriptorTag *;
using DnnlPrimitive = struct DnnlPrimitiveTag *;
using DnnlMemory = struct DnnlMemoryTag *;
struct DnnlLayout; // dnnl_memory_desc

/// dnnl_exec_arg_t.
struct DnnlArgument {
  int index;
  DnnlMemory memory;
};

/// An operand: sizes and strides in elements. Without strides the library lays it out as suits it.
struct OneDnnTensor {
  std::vector<int64_t> sizes, strides;
};

/// How a window moves over the last dimensions of its input; all have an element for each of them.
struct OneDnnWindow {
  std::vector<int64_t> strides, dilations, paddingBefore, paddingBehind;
};

class OneDnnPrimitive;

/// The library's functions and its engine for the CPU. Immutable, safe to share between threads.
class OneDnn : public std::enable_shared_from_this<OneDnn> {
public:
  /// Opens the library that INLAY_ONEDNN names, or libdnnl.so.3 or .2. Errors: NotFound (it is not
  /// there), Incompatible (its version, a function it lacks, threads that cannot be kept to one).
  static Result<std::shared_ptr<const OneDnn>> open();
  ~OneDnn();

  /// "oneDNN 2.6.3 (libdnnl.so.2)".
  const std::string &description() const { return description_; }

  /// d = a · b (+ bias), all of one type, sums in float32; the last two dimensions are those of the
  /// matrices, bias has the rank of d. Errors: Unimplemented if the library does not do it.
  Result<std::unique_ptr<OneDnnPrimitive>> createMatmul(DataType dtype, const OneDnnTensor &a,
                                                        const OneDnnTensor &b,
                                                        const std::optional<OneDnnTensor> &bias,
                                                        const OneDnnTensor &d) const;
  /// d = x convolved with w (+ bias), all of one type, sums in float32: x has images, channels and
  /// the dimensions of the window, w filters, channels and the window, with the groups in front if
  /// it has one dimension more. Errors: as createMatmul.
  Result<std::unique_ptr<OneDnnPrimitive>>
  createConvolution(DataType dtype, const OneDnnTensor &x, const OneDnnTensor &w,
                    const std::optional<OneDnnTensor> &bias, const OneDnnTensor &d,
                    const OneDnnWindow &window) const;

private:
  friend class OneDnnPrimitive;
  friend class OneDnnSingleThread;
  struct Layout;
  explicit OneDnn(DynamicLibrary library) : library_(std::move(library)) {}
  Status findSymbols();
  Status check(DnnlStatus status, const char *what) const;
  Result<std::unique_ptr<Layout>> createLayout(DataType dtype, const OneDnnTensor &tensor) const;
  /// Makes the descriptor of an operation from the layouts of its operands.
  using CreateDescriptor = std::function<DnnlStatus(std::span<const DnnlLayout *const> layouts,
                                                    DnnlPrimitiveDescriptor *descriptor)>;
  /// `operands` have the library's numbers of arguments.
  Result<std::unique_ptr<OneDnnPrimitive>>
  createPrimitive(DataType dtype, std::span<const std::pair<int, const OneDnnTensor *>> operands,
                  const char *what, const CreateDescriptor &create) const;

#define INLAY_ONEDNN_SYMBOL(member, name, parameters) DnnlStatus(*member) parameters = nullptr;
#define INLAY_ONEDNN2_SYMBOL INLAY_ONEDNN_SYMBOL
#define INLAY_ONEDNN3_SYMBOL INLAY_ONEDNN_SYMBOL
#include "runtime/devices/cpu/OneDnnSymbols.def"
#undef INLAY_ONEDNN_SYMBOL
#undef INLAY_ONEDNN2_SYMBOL
#undef INLAY_ONEDNN3_SYMBOL
  const DnnlLayout *(*descriptorQuery)(const DnnlPrimitiveDescriptorTag *, int what,
                                       int index) = nullptr;
  size_t (*layoutSizeBytes)(const DnnlLayout *) = nullptr;
  int (*areLayoutsEqual)(const DnnlLayout *, const DnnlLayout *) = nullptr;
  // Of OpenMP, which most builds use; null for one that has no threads.
  void (*setNumThreads)(int) = nullptr;
  int (*maxThreads)() = nullptr;

  DynamicLibrary library_;
  std::string description_;
  int major_ = 0;
  DnnlEngine engine_ = nullptr;
  DnnlAttributes attributes_ = nullptr;
};

/// While it lives, what this thread asks of oneDNN runs on this thread alone.
class OneDnnSingleThread {
public:
  explicit OneDnnSingleThread(const OneDnn &library) : library_(library) {
    if (!library_.setNumThreads)
      return;
    before_ = library_.maxThreads();
    library_.setNumThreads(1);
  }
  ~OneDnnSingleThread() {
    if (library_.setNumThreads)
      library_.setNumThreads(before_);
  }
  OneDnnSingleThread(const OneDnnSingleThread &) = delete;

private:
  const OneDnn &library_;
  int before_ = 1;
};

/// An operation of fixed sizes, with operands and scratch memory for each of several threads that
/// run it at once.
class OneDnnPrimitive {
public:
  ~OneDnnPrimitive();
  OneDnnPrimitive(const OneDnnPrimitive &) = delete;

  /// Makes it ready for threads at places 0 to below `count`. Errors: OutOfMemory, DeviceError.
  Status reserve(uint32_t count, Device &device);
  /// Runs on operands at these addresses, in the order in which they were given when it was
  /// created, by the thread at a place. Errors: DeviceError.
  Status run(uint32_t place, std::span<void *const> addresses) const;

  /// The size of an operand as it lies here.
  uint64_t sizeBytes(size_t operand) const;
  enum class Direction : uint8_t { Into, OutOf };
  /// A copy of an operand that lies as `plain` into its layout here, or out of it; of two operands,
  /// the source first. Null if they lie alike. Errors: Unimplemented.
  Result<std::unique_ptr<OneDnnPrimitive>>
  createCopy(size_t operand, DataType dtype, const OneDnnTensor &plain, Direction direction) const;
  /// True if all operands lie as those of the other.
  bool isLike(const OneDnnPrimitive &other) const;
  /// The scratch memory of all places.
  uint64_t scratchBytes() const;

private:
  friend class OneDnn;
  explicit OneDnnPrimitive(std::shared_ptr<const OneDnn> library);
  /// `indices` are the operands as the library counts arguments.
  Status finish(DnnlPrimitiveDescriptor descriptor, std::vector<int> indices);

  /// What one thread uses.
  struct Place {
    DnnlStream stream = nullptr;
    std::vector<DnnlArgument> arguments; // the operands, then the scratch memory
    DeviceMemory scratch;
  };
  std::shared_ptr<const OneDnn> library_;
  DnnlPrimitiveDescriptor descriptor_ = nullptr;
  DnnlPrimitive primitive_ = nullptr;
  std::vector<int> indices_;
  std::vector<const DnnlLayout *> layouts_; // of the operands; the descriptor's
  std::vector<Place> places_;
};

} // namespace inlay
