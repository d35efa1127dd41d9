// Lines and planes brought to another size: by the nearest element, or between two, four or 16.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Planes.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <cmath>

namespace inlay {
namespace {

/// By dimension, rows and columns: sizes, and the factor that the node gives, if any.
struct Resampling {
  std::string_view input;
  size_t dims; // 1: one row
  Expr planes;
  std::array<Expr, 2> size, outSize;
  std::array<std::optional<double>, 2> factor;
};

/// floor(size * factor).
Result<Expr> scaledSize(const Expr &size, double factor) {
  if (!(factor > 0))
    return invalidArgument("a scale factor is {}; expected a positive one", factor);
  if (const std::optional<int64_t> value = size.constantValue())
    return Expr(static_cast<int64_t>(std::floor(static_cast<double>(*value) * factor)));
  if (factor == std::floor(factor))
    return size * Expr(static_cast<int64_t>(factor));
  if (1 / factor == std::floor(1 / factor))
    return floorDiv(size, static_cast<int64_t>(1 / factor));
  return unimplemented(
      "size {} times {} is no expression of integers; expected a factor that is an "
      "integer or the inverse of one",
      size.toString(), factor);
}

std::optional<double> findFactor(const PluginNode &node, std::string_view name) {
  return !hasAttribute(node, name) || isNone(node, name) ? std::nullopt
                                                         : std::optional(floatOf(node, name));
}

Result<Resampling> readResampling(const PluginNode &node) {
  Resampling result;
  result.input = findInput(node, "input") ? "input" : "self";
  INLAY_TRY(checkFloat(node, result.input));
  const std::vector<Expr> &shape = inputOf(node, result.input).shape;
  result.dims = node.opName.find("1d") != std::string::npos ? 1 : 2;
  if (shape.size() != 2 + result.dims)
    return invalidArgument("'{}' has rank {}; expected {}", result.input, shape.size(),
                           2 + result.dims);
  result.planes = shape[0] * shape[1];
  result.size = {result.dims == 1 ? Expr(1) : shape[2], shape.back()};
  result.outSize = {Expr(1), Expr(1)};
  if (result.dims == 1)
    result.factor = {std::nullopt, findFactor(node, "scales")};
  else
    result.factor = {findFactor(node, "scales_h"), findFactor(node, "scales_w")};
  const size_t first = 2 - result.dims;
  if (const std::vector<Expr> sizes = sizesOf(node, "output_size"); !sizes.empty()) {
    if (sizes.size() != result.dims)
      return invalidArgument("output_size has {} elements; expected {}", sizes.size(), result.dims);
    std::ranges::copy(sizes, result.outSize.begin() + static_cast<std::ptrdiff_t>(first));
    return result;
  }
  const auto *factors =
      hasAttribute(node, "scale_factors")
          ? std::get_if<std::vector<double>>(&node.attributes.find("scale_factors")->second)
          : nullptr;
  if (!factors || factors->size() != result.dims)
    return invalidArgument("neither output_size nor scale_factors of {} numbers are given",
                           result.dims);
  for (size_t dim = first; dim < 2; ++dim) {
    result.factor[dim] = (*factors)[dim - first];
    INLAY_ASSIGN(result.outSize[dim], scaledSize(result.size[dim], (*factors)[dim - first]));
  }
  return result;
}

/// True if every element of the output is one of the input: a step is 1, and starts at 0.
bool keepsSize(const Resampling &read) {
  for (size_t dim = 0; dim < 2; ++dim)
    if (read.size[dim] != read.outSize[dim] || read.factor[dim].value_or(1) != 1)
      return false;
  return true;
}

Result<PluginDescription> describe(const PluginNode &node) {
  INLAY_ASSIGN(const Resampling read, readResampling(node));
  PluginDescription description;
  TensorSpec out = inputOf(node, read.input);
  if (read.dims == 2)
    out.shape[2] = read.outSize[0];
  out.shape.back() = read.outSize[1];
  description.outputs.push_back(std::move(out));
  if (keepsSize(read))
    description.sharedInputs.emplace(0, inputIndex(node, read.input));
  for (size_t dim = 0; dim < 2; ++dim)
    description.requirements.push_back(
        {logicalAnd(lessEqual(1, read.size[dim]), lessEqual(1, read.outSize[dim])),
         "the planes are not empty"});
  return description;
}

FloatExpr quotient(const Expr &a, const Expr &b) {
  return FloatExpr::make(FloatKind::Divide, {FloatExpr(a), FloatExpr(b)});
}

/// How far one goes in the input for a step in the output.
FloatExpr stepOf(const Resampling &read, size_t dim, bool alignsCorners) {
  if (alignsCorners)
    return FloatExpr::make(FloatKind::Select,
                           {FloatExpr(less(1, read.outSize[dim])),
                            quotient(read.size[dim] - Expr(1), max(read.outSize[dim] - Expr(1), 1)),
                            FloatExpr(0.0)});
  if (read.factor[dim] && *read.factor[dim] > 0)
    return FloatExpr(1 / *read.factor[dim]);
  return quotient(read.size[dim], read.outSize[dim]);
}

Result<PluginImplementation> implement(const PluginNode &node, std::string_view kernel) {
  INLAY_ASSIGN(const Resampling read, readResampling(node));
  if (keepsSize(read))
    return PluginImplementation();
  const bool isBetween = hasAttribute(node, "align_corners");
  const bool alignsCorners = isBetween && boolOf(node, "align_corners");
  LaunchBuilder launch("pooling.py", kernel);
  launch.input(inputIndex(node, read.input))
      .output(0)
      .sizes({read.size[0], read.size[1], read.outSize[0], read.outSize[1]})
      .number(stepOf(read, 0, alignsCorners))
      .number(stepOf(read, 1, alignsCorners));
  if (isBetween)
    launch.constant("ALIGNS_CORNERS", alignsCorners)
        .constant("SUM", sumTypeOf(inputOf(node, read.input).dtype));
  return overPlanes(launch, read.planes, read.outSize[0], read.outSize[1]);
}

/// Antialiased: columns first, into a workspace, then rows. `interpolation` is how many elements
/// the filter spans where nothing is made smaller.
Result<PluginImplementation> implementAntialiased(const PluginNode &node, int64_t interpolation) {
  INLAY_ASSIGN(const Resampling read, readResampling(node));
  if (keepsSize(read))
    return PluginImplementation();
  const DataType sum = sumTypeOf(inputOf(node, read.input).dtype);
  const bool alignsCorners = boolOf(node, "align_corners");
  const auto pass = [&](LaunchBuilder &launch, size_t dim) {
    const Expr &height = dim == 1 ? read.size[0] : read.outSize[0];
    launch.sizes({read.size[0], dim == 1 ? read.size[1] : read.outSize[1], height, read.outSize[1]})
        .number(stepOf(read, dim, alignsCorners))
        .constant("IS_ALONG_ROWS", dim == 1)
        .constant("INTERPOLATION", interpolation)
        .constant("SUM", sum);
    return overPlanes(launch, read.planes, height, read.outSize[1]);
  };
  LaunchBuilder columns("pooling.py", "antialias_kernel"), rows("pooling.py", "antialias_kernel");
  columns.input(inputIndex(node, read.input)).workspace(0, sum);
  rows.workspace(0, sum).output(0);
  PluginImplementation implementation = pass(columns, 1);
  implementation.launches.push_back(pass(rows, 0).launches[0]);
  implementation.workspaces = {
      {"columns", sum,
       read.planes * read.size[0] * read.outSize[1] * Expr(dataTypeSizeBytes(sum))}};
  return implementation;
}

} // namespace

void addResamplingOperators(OperatorDefinitions &definitions) {
  const auto functions = [](std::string_view kernel) {
    return OperatorFunctions{describe,
                             [kernel](const PluginNode &node) { return implement(node, kernel); }};
  };
  for (const auto &[name, interpolation] :
       {std::pair("bilinear", int64_t{2}), std::pair("bicubic", int64_t{4})}) {
    const OperatorFunctions antialiased{describe, [interpolation](const PluginNode &node) {
                                          return implementAntialiased(node, interpolation);
                                        }};
    addOperator(definitions,
                fmt::format("aten::_upsample_{}2d_aa.vec(Tensor input, SymInt[]? output_size, bool "
                            "align_corners, float[]? scale_factors) -> Tensor",
                            name),
                antialiased);
    addOperator(definitions,
                fmt::format("aten::_upsample_{}2d_aa(Tensor self, SymInt[2] output_size, bool "
                            "align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
                            name),
                antialiased);
  }
  for (int dims : {1, 2}) {
    const std::string scales =
        dims == 1 ? "float? scales=None" : "float? scales_h=None, float? scales_w=None";
    const auto add = [&](std::string_view name, std::string_view aligns, std::string_view kernel) {
      addOperator(definitions,
                  fmt::format("aten::upsample_{}{}d.vec(Tensor input, SymInt[]? output_size, "
                              "{}float[]? scale_factors) -> Tensor",
                              name, dims, aligns),
                  functions(kernel));
      addOperator(definitions,
                  fmt::format("aten::upsample_{}{}d(Tensor self, SymInt[{}] output_size, {}{}) -> "
                              "Tensor",
                              name, dims, dims, aligns, scales),
                  functions(kernel));
    };
    add("nearest", "", "nearest_kernel");
    add(dims == 1 ? "linear" : "bilinear", "bool align_corners, ", "bilinear_kernel");
    if (dims == 2)
      add("bicubic", "bool align_corners, ", "bicubic_kernel");
  }
}

} // namespace inlay
