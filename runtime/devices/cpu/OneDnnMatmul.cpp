// Matrix products by oneDNN. Threads are the device's own: each runs the library on a part of the
// product.
#include "base/Error.h"
#include "runtime/devices/cpu/CpuLibraryFunction.h"

#include <algorithm>
#include <array>

namespace inlay {
namespace {

using Sizes = MatmulSizes<int64_t>;

/// A product with fewer multiplications is left to one thread: waking others takes longer.
constexpr double kLeastPerThread = 64 * 1024;
/// Parts are multiples of so many rows or columns: the library's inner tiles are.
constexpr int64_t kRowGranule = 8, kColumnGranule = 16;

/// What a product is cut along, so that threads can share it.
enum class Axis : uint8_t { Batch, Rows, Columns };

struct Cut {
  Axis axis = Axis::Batch;
  int64_t size = 1; // along the axis
  int64_t part = 1; // of that, the last one may be smaller

  int64_t numParts() const { return (size + part - 1) / part; }
  int64_t rest() const { return size - (numParts() - 1) * part; }
};

Cut cutOf(const Sizes &sizes, uint32_t numThreads) {
  const double work = static_cast<double>(sizes.m) * static_cast<double>(sizes.n) *
                      static_cast<double>(sizes.k) * static_cast<double>(sizes.batch);
  const auto wanted = static_cast<int64_t>(
      std::clamp(work / kLeastPerThread, 1.0, static_cast<double>(numThreads)));
  const auto partOf = [&](int64_t size, int64_t granule) {
    const int64_t part = (size + wanted - 1) / wanted;
    return std::min(size, (part + granule - 1) / granule * granule);
  };
  if (sizes.batch >= wanted)
    return {Axis::Batch, sizes.batch, partOf(sizes.batch, 1)};
  // Each thread reads the whole of the matrix that is not cut.
  if (sizes.m >= sizes.n)
    return {Axis::Rows, sizes.m, partOf(sizes.m, kRowGranule)};
  return {Axis::Columns, sizes.n, partOf(sizes.n, kColumnGranule)};
}

Sizes partOf(Sizes sizes, const Cut &cut, int64_t size) {
  (cut.axis == Axis::Batch ? sizes.batch : cut.axis == Axis::Rows ? sizes.m : sizes.n) = size;
  return sizes;
}

/// How many elements each operand advances from one part to the next.
struct Steps {
  int64_t a = 0, b = 0, bias = 0, d = 0;
};

Steps stepsOf(const Sizes &sizes, const Cut &cut) {
  switch (cut.axis) {
  case Axis::Batch:
    return {cut.part * sizes.aBatch, cut.part * sizes.bBatch, 0, cut.part * sizes.m * sizes.n};
  case Axis::Rows:
    return {cut.part * sizes.aRow, 0, 0, cut.part * sizes.n};
  case Axis::Columns:
    return {0, cut.part * sizes.bColumn, cut.part, cut.part};
  }
  return {};
}

class MatmulCall final : public CpuLibraryCall {
public:
  MatmulCall(const Sizes &sizes, const Cut &cut, size_t elementBytes, bool hasBias)
      : cut_(cut), steps_(stepsOf(sizes, cut)), elementBytes_(elementBytes), hasBias_(hasBias) {}

  Status prepare(const OneDnn &library, const Sizes &whole, DataType dtype, uint32_t numThreads,
                 Device &device) {
    const auto places = static_cast<uint32_t>(std::min<int64_t>(cut_.numParts(), numThreads));
    INLAY_ASSIGN(main_, create(library, whole, partOf(whole, cut_, cut_.part), dtype));
    INLAY_TRY(main_->reserve(places, device));
    if (cut_.rest() == cut_.part)
      return {};
    INLAY_ASSIGN(rest_, create(library, whole, partOf(whole, cut_, cut_.rest()), dtype));
    return rest_->reserve(places, device);
  }

  uint64_t numPrograms() const override { return static_cast<uint64_t>(cut_.numParts()); }
  uint64_t memoryBytes() const override {
    return main_->scratchBytes() + (rest_ ? rest_->scratchBytes() : 0);
  }

  Status run(void *const *arguments, uint32_t place, uint64_t begin, uint64_t end) const override {
    for (uint64_t part = begin; part < end; ++part) {
      std::array<void *, 4> addresses{};
      size_t count = 0;
      const auto add = [&](int64_t step) {
        auto *base = *static_cast<std::byte *const *>(arguments[count]);
        addresses[count++] =
            base + static_cast<int64_t>(part) * step * static_cast<int64_t>(elementBytes_);
      };
      add(steps_.a);
      add(steps_.b);
      if (hasBias_)
        add(steps_.bias);
      add(steps_.d);
      const bool isRest = rest_ && part + 1 == numPrograms();
      INLAY_TRY((isRest ? *rest_ : *main_).run(place, std::span(addresses).first(count)));
    }
    return {};
  }

private:
  /// `whole` gives the strides of the result.
  Result<std::unique_ptr<OneDnnPrimitive>> create(const OneDnn &library, const Sizes &whole,
                                                  const Sizes &part, DataType dtype) const {
    // A matrix that all of a batch share is one.
    const OneDnnTensor a{{part.aBatch ? part.batch : 1, part.m, part.k},
                         {std::max<int64_t>(part.aBatch, 1), part.aRow, part.aColumn}};
    const OneDnnTensor b{{part.bBatch ? part.batch : 1, part.k, part.n},
                         {std::max<int64_t>(part.bBatch, 1), part.bRow, part.bColumn}};
    const OneDnnTensor d{{part.batch, part.m, part.n}, {whole.m * whole.n, whole.n, 1}};
    const OneDnnTensor bias{{1, 1, part.n}, {whole.n, whole.n, 1}};
    if (part.batch > 1)
      return library.createMatmul(dtype, a, b, hasBias_ ? std::optional(bias) : std::nullopt, d);
    const auto matrix = [](const OneDnnTensor &tensor) {
      return OneDnnTensor{{tensor.sizes.begin() + 1, tensor.sizes.end()},
                          {tensor.strides.begin() + 1, tensor.strides.end()}};
    };
    return library.createMatmul(dtype, matrix(a), matrix(b),
                                hasBias_ ? std::optional(matrix(bias)) : std::nullopt, matrix(d));
  }

  Cut cut_;
  Steps steps_;
  size_t elementBytes_;
  bool hasBias_;
  std::unique_ptr<OneDnnPrimitive> main_, rest_;
};

class OneDnnMatmul final : public CpuLibraryFunction {
public:
  OneDnnMatmul(std::shared_ptr<const OneDnn> library, const LibraryFunction &function,
               DataType dtype)
      : library_(std::move(library)), numPointers_(numPointers(function)),
        hasBias_(function.id == LibraryFunctionId::OneDnnMatmulBias), dtype_(dtype) {}

  Result<std::unique_ptr<PreparedCall>> prepare(const LaunchRecord &record, uint32_t numThreads,
                                                Device &device) const override {
    Sizes sizes;
    readSizes(record.arguments, numPointers_, sizes);
    if (sizes.m < 1 || sizes.n < 1 || sizes.k < 1 || sizes.batch < 1)
      return unimplemented("{} is not asked for a product of {} matrices of {} x {} x {}",
                           library_->description(), sizes.batch, sizes.m, sizes.n, sizes.k);
    auto call = std::make_unique<MatmulCall>(
        sizes, cutOf(sizes, numThreads), static_cast<size_t>(dataTypeSizeBytes(dtype_)), hasBias_);
    INLAY_TRY(call->prepare(*library_, sizes, dtype_, numThreads, device));
    return std::unique_ptr<PreparedCall>(std::move(call));
  }

private:
  std::shared_ptr<const OneDnn> library_;
  uint32_t numPointers_;
  bool hasBias_;
  DataType dtype_;
};

} // namespace

std::unique_ptr<CpuLibraryFunction> createOneDnnMatmul(std::shared_ptr<const OneDnn> library,
                                                       const LibraryFunction &function,
                                                       DataType dtype) {
  return std::make_unique<OneDnnMatmul>(std::move(library), function, dtype);
}

} // namespace inlay
