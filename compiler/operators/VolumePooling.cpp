// Pooling of one and three dimensions, and adaptive maxima of one to three. Other pools of two
// dimensions have kernels of their own: Pooling.cpp.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr size_t kMostDims = 3;
constexpr std::string_view kLetters = "DHW";
/// One value for each dimension; those that a node does not have are in front.
using Triple = std::array<int64_t, kMostDims>;

struct VolumePool {
  size_t dims = 0;
  Expr volumes; // how many
  std::array<Expr, kMostDims> size{Expr(1), Expr(1), Expr(1)}, out{Expr(1), Expr(1), Expr(1)};
  Triple kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  std::vector<PluginRequirement> requirements;
};

/// The dimensions that an operator pools, as the last digit in its name says.
size_t pooledDims(const PluginNode &node) {
  const std::string_view name = node.opName;
  return static_cast<size_t>(name[name.find("pool") + 4] - '0');
}

Result<VolumePool> readSizes(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "self"));
  VolumePool pool;
  pool.dims = pooledDims(node);
  const std::vector<Expr> &shape = inputOf(node, "self").shape;
  if (shape.size() != pool.dims + 1 && shape.size() != pool.dims + 2)
    return invalidArgument("'self' has rank {}; expected {} or {}", shape.size(), pool.dims + 1,
                           pool.dims + 2);
  pool.volumes = productOf(std::span(shape).first(shape.size() - pool.dims));
  std::copy(shape.end() - static_cast<std::ptrdiff_t>(pool.dims), shape.end(),
            pool.size.end() - static_cast<std::ptrdiff_t>(pool.dims));
  return pool;
}

/// With ceil_mode a window may begin in the input or the padding in front of it, and end beyond.
Expr pooledSize(const VolumePool &pool, size_t dim, bool isCeil) {
  const int64_t reach = pool.dilation[dim] * (pool.kernel[dim] - 1) + 1, stride = pool.stride[dim];
  const int64_t change = 2 * pool.padding[dim] - reach + (isCeil ? stride - 1 : 0);
  const Expr pooled = floorDiv(pool.size[dim] + Expr(change), stride) + Expr(1);
  if (!isCeil)
    return pooled;
  const Expr lastBegin = (pooled - Expr(1)) * Expr(stride);
  return select(lessEqual(pool.size[dim] + Expr(pool.padding[dim]), lastBegin), pooled - Expr(1),
                pooled);
}

Result<VolumePool> readPool(const PluginNode &node) {
  INLAY_ASSIGN(VolumePool pool, readSizes(node));
  INLAY_TRY(readDimensions(node, "kernel_size", pool.dims, 1, pool.kernel));
  pool.stride = pool.kernel;
  if (!integersOf(node, "stride").empty())
    INLAY_TRY(readDimensions(node, "stride", pool.dims, 1, pool.stride));
  INLAY_TRY(readDimensions(node, "padding", pool.dims, 0, pool.padding));
  if (hasAttribute(node, "dilation"))
    INLAY_TRY(readDimensions(node, "dilation", pool.dims, 1, pool.dilation));
  for (size_t dim = kMostDims - pool.dims; dim < kMostDims; ++dim) {
    if (2 * pool.padding[dim] > pool.kernel[dim])
      return invalidArgument("padding has the element {}, more than half of the window's {}",
                             pool.padding[dim], pool.kernel[dim]);
    pool.out[dim] = pooledSize(pool, dim, boolOf(node, "ceil_mode"));
    pool.requirements.push_back(
        {lessEqual(1, pool.out[dim]), "the padded input is at least as large as the window"});
  }
  return pool;
}

Result<VolumePool> readAdaptive(const PluginNode &node) {
  INLAY_ASSIGN(VolumePool pool, readSizes(node));
  Triple sizes{1, 1, 1};
  INLAY_TRY(readDimensions(node, "output_size", pool.dims, 0, sizes));
  for (size_t dim = 0; dim < kMostDims; ++dim)
    pool.out[dim] = Expr(sizes[dim]);
  pool.requirements.push_back({lessEqual(1, productOf(pool.size)), "the input is not empty"});
  return pool;
}

PluginDescription describe(const PluginNode &node, VolumePool pool, bool hasIndices) {
  const TensorSpec &self = inputOf(node, "self");
  std::vector<Expr> shape = self.shape;
  const auto dims = static_cast<std::ptrdiff_t>(pool.dims);
  std::copy(pool.out.end() - dims, pool.out.end(), shape.end() - dims);
  PluginDescription description;
  description.outputs.push_back({self.dtype, shape});
  if (hasIndices)
    description.outputs.push_back({DataType::Int64, std::move(shape)});
  description.requirements = std::move(pool.requirements);
  return description;
}

template <bool isAdaptive, bool hasIndices>
Result<PluginDescription> describePool(const PluginNode &node) {
  INLAY_ASSIGN(VolumePool pool, isAdaptive ? readAdaptive(node) : readPool(node));
  return describe(node, std::move(pool), hasIndices);
}

PluginImplementation overVolumes(LaunchBuilder &launch, const VolumePool &pool) {
  const Expr pixels = productOf(pool.out);
  const int64_t tile = tileFor(pixels, 1, 256, 256);
  return launch.constant("TILE", tile)
      .warps(tile >= 128 ? 4 : 1)
      .over(pool.volumes * ceilDiv(pixels, tile));
}

/// Programs for rectangles of the output's layers; lines are cut into longer pieces.
PluginImplementation overLayers(LaunchBuilder &launch, const VolumePool &pool) {
  constexpr int64_t kElements = 512;
  const int64_t columns = isOne(pool.out[1]) ? tileFor(pool.out[2], 1, kElements, 256)
                                             : tileFor(pool.out[2], 1, 64, 32);
  const int64_t rows = tileFor(pool.out[1], 1, kElements / columns, kElements / columns);
  return launch.constant("TILE_H", rows)
      .constant("TILE_W", columns)
      .warps(rows * columns >= 256 ? 4 : 1)
      .over(pool.volumes * pool.out[0] * ceilDiv(pool.out[1], rows) *
            ceilDiv(pool.out[2], columns));
}

/// A window is moved over the input.
void addSizes(LaunchBuilder &launch, const VolumePool &pool) {
  launch.sizes({pool.size[0], pool.size[1], pool.size[2], pool.out[0], pool.out[1], pool.out[2]});
}

void addWindow(LaunchBuilder &launch, const VolumePool &pool, bool hasDilation) {
  const auto add = [&](std::string_view name, const Triple &values) {
    for (size_t dim = 0; dim < kMostDims; ++dim)
      launch.constant(fmt::format("{}_{}", name, kLetters[dim]), values[dim]);
  };
  add("KERNEL", pool.kernel);
  add("STRIDE", pool.stride);
  add("PADDING", pool.padding);
  if (hasDilation)
    add("DILATION", pool.dilation);
}

std::optional<uint32_t> indexOutput(const PluginNode &node) {
  return node.outputs.size() > 1 ? std::optional(1u) : std::nullopt;
}

Result<PluginImplementation> implementMax(const PluginNode &node) {
  INLAY_ASSIGN(const VolumePool pool, readPool(node));
  LaunchBuilder launch("volume_pooling.py", "max_pool_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  launch.optionalOutput("index_ptr", indexOutput(node));
  addSizes(launch, pool);
  launch.constant("SUM", sumTypeOf(inputOf(node, "self").dtype));
  addWindow(launch, pool, true);
  return overLayers(launch, pool);
}

Result<PluginImplementation> implementAverage(const PluginNode &node) {
  INLAY_ASSIGN(const VolumePool pool, readPool(node));
  int64_t divisor = 0;
  if (hasAttribute(node, "divisor_override") && !isNone(node, "divisor_override")) {
    divisor = integerOf(node, "divisor_override");
    if (divisor == 0)
      return invalidArgument("divisor_override is 0");
  }
  LaunchBuilder launch("volume_pooling.py", "average_pool_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  addSizes(launch, pool);
  launch.constant("COUNTS_PADDING", boolOf(node, "count_include_pad"))
      .constant("DIVISOR", divisor)
      .constant("SUM", sumTypeOf(inputOf(node, "self").dtype));
  addWindow(launch, pool, false);
  return overLayers(launch, pool);
}

template <bool isMax>
Result<PluginImplementation> implementAdaptive(const PluginNode &node) {
  INLAY_ASSIGN(const VolumePool pool, readAdaptive(node));
  LaunchBuilder launch("volume_pooling.py", "adaptive_pool_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  launch.optionalOutput("index_ptr", indexOutput(node));
  launch.sizes({pool.size[0], pool.size[1], pool.size[2], productOf(pool.size)})
      .sizes({pool.out[0], pool.out[1], pool.out[2], productOf(pool.out)});
  // A window that begins and ends between elements sees one more.
  for (size_t dim = 0; dim < kMostDims; ++dim) {
    const int64_t out = std::max<int64_t>(*pool.out[dim].constantValue(), 1);
    launch.sizes({out == 1 ? pool.size[dim] : ceilDiv(pool.size[dim], out) + Expr(1)});
  }
  launch.constant("IS_MAX", isMax).constant("SUM", sumTypeOf(inputOf(node, "self").dtype));
  return overVolumes(launch, pool);
}

} // namespace

void addVolumePoolingOperators(OperatorDefinitions &definitions) {
  for (int dims : {1, 3}) {
    const std::string window =
        fmt::format("Tensor self, int[{0}] kernel_size, int[{0}] stride=[], int[{0}] padding=0, "
                    "{1}bool ceil_mode=False",
                    dims, "{}");
    const std::string dilated =
        fmt::format(fmt::runtime(window), fmt::format("int[{}] dilation=1, ", dims));
    const std::string plain = fmt::format(fmt::runtime(window), "");
    addOperator(definitions, fmt::format("aten::max_pool{}d({}) -> Tensor", dims, dilated),
                {describePool<false, false>, implementMax});
    addOperator(
        definitions,
        fmt::format("aten::max_pool{}d_with_indices({}) -> (Tensor, Tensor)", dims, dilated),
        {describePool<false, true>, implementMax});
    addOperator(definitions,
                fmt::format("aten::avg_pool{}d({}, bool count_include_pad=True{}) -> Tensor", dims,
                            plain, dims == 3 ? ", int? divisor_override=None" : ""),
                {describePool<false, false>, implementAverage});
    for (std::string_view prefix : {"", "_"})
      if (dims == 3 || prefix.empty())
        addOperator(definitions,
                    fmt::format("aten::{0}adaptive_avg_pool{1}d(Tensor self, SymInt[{1}] "
                                "output_size) -> Tensor",
                                prefix, dims),
                    {describePool<true, false>, implementAdaptive<false>});
  }
  for (int dims : {1, 2, 3})
    addOperator(definitions,
                fmt::format("aten::adaptive_max_pool{0}d(Tensor self, int[{0}] output_size) -> "
                            "(Tensor, Tensor)",
                            dims),
                {describePool<true, true>, implementAdaptive<true>});
}

} // namespace inlay
