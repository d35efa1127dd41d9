// Pooling over planes.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Lines.h"
#include "compiler/operators/Planes.h"
#include "compiler/operators/Shapes.h"

namespace inlay {
namespace {

/// The size of a plane, and the product of the dimensions in front of it.
struct Planes {
  Expr count, height, width;
};

Result<Planes> planesOf(const PluginNode &node, std::string_view name) {
  const std::vector<Expr> &shape = inputOf(node, name).shape;
  if (shape.size() != 3 && shape.size() != 4)
    return invalidArgument("'{}' has rank {}; expected 3 or 4", name, shape.size());
  return Planes{productOf(std::span(shape).first(shape.size() - 2)), shape[shape.size() - 2],
                shape.back()};
}

std::vector<Expr> withPlanes(std::vector<Expr> shape, const Expr &height, const Expr &width) {
  shape[shape.size() - 2] = height;
  shape.back() = width;
  return shape;
}

struct Pool {
  Planes planes;
  Window window;
  Expr outHeight, outWidth;
  std::vector<PluginRequirement> requirements;
};

/// PyTorch's size of a pool's output: with ceil_mode a window may begin in the input or the padding
/// in front of it, and end beyond.
Expr pooledSize(const Expr &size, const Window &window, size_t dim, bool isCeil) {
  const int64_t reach = window.dilation[dim] * (window.kernel[dim] - 1) + 1,
                stride = window.stride[dim];
  const Expr pooled =
      floorDiv(size + Expr(2 * window.padding[dim] - reach + (isCeil ? stride - 1 : 0)), stride) +
      Expr(1);
  if (!isCeil)
    return pooled;
  const Expr lastBegin = (pooled - Expr(1)) * Expr(stride);
  return select(lessEqual(size + Expr(window.padding[dim]), lastBegin), pooled - Expr(1), pooled);
}

Result<Pool> readPool(const PluginNode &node) {
  Pool pool;
  INLAY_TRY(checkFloat(node, "self"));
  INLAY_ASSIGN(pool.planes, planesOf(node, "self"));
  INLAY_ASSIGN(pool.window.kernel, constantPair(node, "kernel_size"));
  if (integersOf(node, "stride").empty()) {
    pool.window.stride = pool.window.kernel;
  } else {
    INLAY_ASSIGN(pool.window.stride, constantPair(node, "stride"));
  }
  INLAY_ASSIGN(pool.window.padding, constantPair(node, "padding"));
  if (hasAttribute(node, "dilation")) {
    INLAY_ASSIGN(pool.window.dilation, constantPair(node, "dilation"));
  }
  INLAY_TRY(checkWindow(pool.window));
  for (size_t dim = 0; dim < 2; ++dim)
    if (2 * pool.window.padding[dim] > pool.window.kernel[dim])
      return invalidArgument("the padding in dimension {} is {}, more than half of the window's {}",
                             dim, pool.window.padding[dim], pool.window.kernel[dim]);
  const bool isCeil = boolOf(node, "ceil_mode");
  pool.outHeight = pooledSize(pool.planes.height, pool.window, 0, isCeil);
  pool.outWidth = pooledSize(pool.planes.width, pool.window, 1, isCeil);
  for (const Expr &size : {pool.outHeight, pool.outWidth})
    pool.requirements.push_back(
        {lessEqual(1, size), "the padded input is at least as large as the window"});
  return pool;
}

PluginDescription describePool(const PluginNode &node, Pool pool) {
  PluginDescription description;
  description.outputs.push_back(
      {inputOf(node, "self").dtype,
       withPlanes(inputOf(node, "self").shape, pool.outHeight, pool.outWidth)});
  description.requirements = std::move(pool.requirements);
  return description;
}

Result<PluginDescription> describePlainPool(const PluginNode &node) {
  INLAY_ASSIGN(Pool pool, readPool(node));
  return describePool(node, std::move(pool));
}

Result<PluginDescription> describePoolWithIndices(const PluginNode &node) {
  INLAY_ASSIGN(PluginDescription description, describePlainPool(node));
  description.outputs.push_back({DataType::Int64, description.outputs[0].shape});
  return description;
}

LaunchBuilder &addSizes(LaunchBuilder &launch, const Pool &pool) {
  return launch.sizes({pool.planes.height, pool.planes.width, pool.outHeight, pool.outWidth});
}

Result<PluginImplementation> implementMax(const PluginNode &node) {
  INLAY_ASSIGN(const Pool pool, readPool(node));
  LaunchBuilder launch("pooling.py", "max_pool_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  launch.optionalOutput("index_ptr", node.outputs.size() > 1 ? std::optional(1u) : std::nullopt);
  addSizes(launch, pool).constant("SUM", sumTypeOf(inputOf(node, "self").dtype));
  addWindow(launch, pool.window, true);
  return overPlanes(launch, pool.planes.count, pool.outHeight, pool.outWidth);
}

Result<PluginImplementation> implementAverage(const PluginNode &node) {
  INLAY_ASSIGN(const Pool pool, readPool(node));
  int64_t divisor = 0;
  if (!isNone(node, "divisor_override")) {
    divisor = integerOf(node, "divisor_override");
    if (divisor == 0)
      return invalidArgument("divisor_override is 0");
  }
  LaunchBuilder launch("pooling.py", "average_pool_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  addSizes(launch, pool)
      .constant("COUNTS_PADDING", boolOf(node, "count_include_pad"))
      .constant("DIVISOR", divisor)
      .constant("SUM", sumTypeOf(inputOf(node, "self").dtype));
  addWindow(launch, pool.window, false);
  return overPlanes(launch, pool.planes.count, pool.outHeight, pool.outWidth);
}

Result<PluginDescription> describeAdaptive(const PluginNode &node) {
  INLAY_TRY(checkFloat(node, "self"));
  INLAY_ASSIGN(const Planes planes, planesOf(node, "self"));
  INLAY_ASSIGN(const auto sizes, constantPair(node, "output_size"));
  if (sizes[0] < 0 || sizes[1] < 0)
    return invalidArgument("output_size is [{}, {}]; expected no negative size", sizes[0],
                           sizes[1]);
  PluginDescription description;
  description.outputs.push_back(
      {inputOf(node, "self").dtype, withPlanes(inputOf(node, "self").shape, sizes[0], sizes[1])});
  description.requirements.push_back(
      {lessEqual(1, planes.height * planes.width), "the planes are not empty"});
  return description;
}

Result<PluginImplementation> implementAdaptive(const PluginNode &node) {
  INLAY_ASSIGN(const Planes planes, planesOf(node, "self"));
  INLAY_ASSIGN(const auto sizes, constantPair(node, "output_size"));
  const DataType dtype = inputOf(node, "self").dtype;
  if (sizes[0] == 1 && sizes[1] == 1)
    return meanOfRows(inputIndex(node, "self"), dtype, planes.count, planes.height * planes.width);
  LaunchBuilder launch("pooling.py", "adaptive_average_pool_kernel");
  launch.input(inputIndex(node, "self")).output(0);
  launch.sizes({planes.height, planes.width, Expr(sizes[0]), Expr(sizes[1])});
  // A window that begins and ends between elements sees one more.
  for (const auto &[size, out] : {std::pair(planes.height, sizes[0]), {planes.width, sizes[1]}})
    launch.sizes({ceilDiv(size, std::max<int64_t>(out, 1)) + Expr(1)});
  launch.constant("SUM", sumTypeOf(dtype));
  return overPlanes(launch, planes.count, Expr(sizes[0]), Expr(sizes[1]));
}

} // namespace

void addPoolingOperators(OperatorDefinitions &definitions) {
  addOperator(definitions,
              "aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] "
              "padding=0, int[2] dilation=1, bool ceil_mode=False) -> Tensor",
              {describePlainPool, implementMax});
  addOperator(definitions,
              "aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], "
              "int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
              {describePoolWithIndices, implementMax});
  addOperator(definitions,
              "aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] "
              "padding=0, bool ceil_mode=False, bool count_include_pad=True, int? "
              "divisor_override=None) -> Tensor",
              {describePlainPool, implementAverage});
  for (std::string_view schema :
       {"aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor",
        "aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor"})
    addOperator(definitions, schema, {describeAdaptive, implementAdaptive});
}

} // namespace inlay
