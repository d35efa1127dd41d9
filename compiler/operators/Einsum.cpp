// Sums of products over any dimensions (einsum), and histograms.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/ProductTiles.h"
#include "compiler/operators/Products.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <cctype>
#include <limits>

namespace inlay {
namespace {

/// Dimensions of the output, and those that are summed over.
constexpr size_t kMostKept = 5, kMostSummed = 3;

/// A label of an equation: its letter, or for the i-th dimension from the end that an ellipsis
/// stands for kEllipsis + i.
using Label = int;
constexpr Label kEllipsis = 1000;

/// What a label stands for: a size, and how far each operand advances along it, and the output,
/// which is not known at first.
struct LabelledDimension {
  Label label;
  Expr size = 1;
  std::array<Expr, 3> steps{Expr(0), Expr(0), Expr(0)};
};
constexpr size_t kOutput = 2; // among the steps

/// The labels of one operand or of the output; an ellipsis is kEllipsis.
Result<std::vector<Label>> readLabels(std::string_view text, std::string_view equation) {
  std::vector<Label> labels;
  while (!text.empty()) {
    const bool isEllipsis = text.starts_with("...");
    if (!isEllipsis && !std::isalpha(static_cast<unsigned char>(text[0])))
      return invalidArgument("equation '{}' has '{}'; expected letters, ',', '->' and '...'",
                             equation, text.substr(0, 1));
    labels.push_back(isEllipsis ? kEllipsis : text[0]);
    text.remove_prefix(isEllipsis ? 3 : 1);
  }
  return labels;
}

class Equation {
public:
  std::vector<LabelledDimension> kept, summed;
  std::vector<PluginRequirement> requirements;

  Status read(const PluginNode &node) {
    INLAY_TRY(split(textOf(node, "equation")));
    if (operands_.size() != node.inputs.size() || operands_.empty())
      return invalidArgument("equation '{}' is of {} operands, and there are {}",
                             textOf(node, "equation"), operands_.size(), node.inputs.size());
    for (size_t i = 0; i < operands_.size(); ++i)
      INLAY_TRY(addOperand(i, node.inputs[i].shape));
    return sort();
  }

private:
  Status split(std::string_view equation) {
    std::string text;
    std::ranges::copy_if(equation, std::back_inserter(text), [](char c) { return c != ' '; });
    const size_t arrow = text.find("->");
    std::string_view left = std::string_view(text).substr(0, arrow);
    for (size_t comma = 0; comma != std::string_view::npos;) {
      comma = left.find(',');
      INLAY_ASSIGN(auto labels, readLabels(left.substr(0, comma), equation));
      operands_.push_back(std::move(labels));
      if (comma != std::string_view::npos)
        left.remove_prefix(comma + 1);
    }
    if (arrow == std::string::npos)
      return {};
    INLAY_ASSIGN(output_, readLabels(std::string_view(text).substr(arrow + 2), equation));
    return {};
  }

  LabelledDimension &dimensionOf(Label label) {
    const auto found = std::ranges::find(dimensions_, label, &LabelledDimension::label);
    return found == dimensions_.end() ? dimensions_.emplace_back(LabelledDimension{label}) : *found;
  }

  Status addOperand(size_t operand, const std::vector<Expr> &shape) {
    std::vector<Label> labels = operands_[operand];
    const auto ellipsis = std::ranges::find(labels, kEllipsis);
    const bool hasEllipsis = ellipsis != labels.end();
    if (hasEllipsis ? labels.size() > shape.size() + 1 : labels.size() != shape.size())
      return invalidArgument("operand {} has the shape {}, but {} labels in the equation", operand,
                             shapeText(shape), labels.size());
    if (hasEllipsis) {
      const size_t count = shape.size() + 1 - labels.size();
      ellipsisRank_ = std::max(ellipsisRank_, count);
      std::vector<Label> expanded(count);
      for (size_t i = 0; i < count; ++i)
        expanded[i] = kEllipsis + static_cast<Label>(count - 1 - i);
      labels.insert(labels.erase(ellipsis), expanded.begin(), expanded.end());
    }
    const std::vector<Expr> strides = denseStrides(shape);
    for (size_t dim = 0; dim < shape.size(); ++dim) {
      LabelledDimension &dimension = dimensionOf(labels[dim]);
      ++numUses_[labels[dim]];
      if (isOne(shape[dim]))
        continue;
      if (!isOne(dimension.size) && !(dimension.size == shape[dim]))
        requirements.push_back({equal(dimension.size, shape[dim]),
                                fmt::format("sizes {} and {} of one label are equal",
                                            dimension.size.toString(), shape[dim].toString())});
      dimension.size = shape[dim];
      dimension.steps[operand] = dimension.steps[operand] + strides[dim];
    }
    return {};
  }

  /// The output's labels: those that are written, or the ellipsis and what is there once.
  std::vector<Label> outputLabels() const {
    std::vector<Label> labels;
    const auto addEllipsis = [&] {
      for (size_t i = ellipsisRank_; i-- > 0;)
        labels.push_back(kEllipsis + static_cast<Label>(i));
    };
    if (output_) {
      for (Label label : *output_)
        if (label == kEllipsis)
          addEllipsis();
        else
          labels.push_back(label);
      return labels;
    }
    addEllipsis();
    for (const auto &[label, count] : numUses_)
      if (label < kEllipsis && count == 1)
        labels.push_back(label);
    return labels;
  }

  Status sort() {
    const std::vector<Label> labels = outputLabels();
    for (Label label : labels) {
      if (std::ranges::find(dimensions_, label, &LabelledDimension::label) == dimensions_.end() ||
          std::ranges::count(labels, label) != 1)
        return invalidArgument("label '{}' of the output is there twice, or in no operand",
                               static_cast<char>(label));
      kept.push_back(dimensionOf(label));
    }
    for (const LabelledDimension &dimension : dimensions_)
      if (std::ranges::find(labels, dimension.label) == labels.end())
        summed.push_back(dimension);
    return {};
  }

  std::vector<std::vector<Label>> operands_;
  std::optional<std::vector<Label>> output_;
  std::vector<LabelledDimension> dimensions_;
  std::map<Label, int> numUses_;
  size_t ellipsisRank_ = 0;
};

/// The same dimensions, those that are walked like one as one, after as many of size 1 as make
/// `count`. Errors: Unimplemented if there are more.
Result<std::vector<LabelledDimension>> merged(const std::vector<LabelledDimension> &dimensions,
                                              size_t count) {
  std::vector<LabelledDimension> result;
  for (const LabelledDimension &dimension : dimensions) {
    if (isOne(dimension.size))
      continue;
    const auto isContinued = [&](const LabelledDimension &outer) {
      return std::ranges::equal(outer.steps, dimension.steps, [&](const Expr &o, const Expr &i) {
        return o == i * dimension.size;
      });
    };
    if (!result.empty() && isContinued(result.back()))
      result.back() = {0, result.back().size * dimension.size, dimension.steps};
    else
      result.push_back(dimension);
  }
  if (result.size() > count)
    return unimplemented("the equation has {} dimensions of one kind that lie apart in memory; at "
                         "most {} are supported",
                         result.size(), count);
  result.insert(result.begin(), count - result.size(), LabelledDimension{0});
  return result;
}

// -- as a product of matrices

using Dimensions = std::vector<LabelledDimension>;

/// The dimensions of an equation of two operands: those of a only, of b only, of both, and those
/// that are summed over. Three each, with a 1 for each that is missing in front.
struct EquationProduct {
  Dimensions rows, columns, batches, sums;
};

constexpr size_t kProductDims = 3;

Expr sizeOf(const Dimensions &dimensions) {
  Expr size(1);
  for (const LabelledDimension &dimension : dimensions)
    size = size * dimension.size;
  return size;
}

/// None for an equation that is no product of two matrices of more than a row or column, or whose
/// dimensions lie too far apart.
std::optional<EquationProduct> findProduct(const PluginNode &node, const Equation &equation) {
  if (node.inputs.size() != 2)
    return std::nullopt;
  Dimensions rows, columns, batches;
  const std::vector<Expr> strides = denseStrides(node.outputs[0].shape);
  for (size_t dim = 0; dim < equation.kept.size(); ++dim) {
    LabelledDimension dimension = equation.kept[dim];
    dimension.steps[kOutput] = strides[dim];
    const bool isOfA = dimension.steps[0] != Expr(0), isOfB = dimension.steps[1] != Expr(0);
    (isOfA && isOfB ? batches : isOfB ? columns : rows).push_back(std::move(dimension));
  }
  EquationProduct product;
  using Pair = std::pair<const Dimensions *, Dimensions *>;
  for (const auto &[from, to] :
       {Pair(&rows, &product.rows), Pair(&columns, &product.columns),
        Pair(&batches, &product.batches), Pair(&equation.summed, &product.sums)}) {
    Result<Dimensions> found = merged(*from, kProductDims);
    if (!found.isOk())
      return std::nullopt;
    *to = std::move(*found);
  }
  if (isOne(sizeOf(product.rows)) || isOne(sizeOf(product.columns)))
    return std::nullopt;
  return product;
}

/// Offsets within a tensor fit 32 bits.
bool isSmall(const PluginNode &node, const TensorSpec &tensor) {
  const Interval bounds = boundsIn(node, tensor.numel());
  return bounds.max && *bounds.max <= std::numeric_limits<int32_t>::max();
}

PluginImplementation implementAsProduct(const PluginNode &node, const EquationProduct &product) {
  const DataType dtype = node.inputs[0].dtype;
  const ProductSize size{sizeOf(product.batches), sizeOf(product.rows), sizeOf(product.columns),
                         sizeOf(product.sums), dtype};
  const ProductTiles tiles = chooseTiles(node, size);
  const bool areSmall = isSmall(node, node.inputs[0]) && isSmall(node, node.inputs[1]) &&
                        isSmall(node, node.outputs[0]);
  LaunchBuilder launch("contraction.py", "product_kernel");
  launch.input(0).input(1).output(0);
  // Known strides say what is contiguous, and whether an operand is to be transposed.
  launch.size("m", size.m, true).size("n", size.n, true).size("k", size.k, true);
  const std::pair<std::string_view, const Dimensions *> groups[] = {{"batch", &product.batches},
                                                                    {"m", &product.rows},
                                                                    {"n", &product.columns},
                                                                    {"k", &product.sums}};
  for (const auto &[name, dimensions] : groups)
    for (size_t dim = 1; dim < kProductDims; ++dim)
      launch.size(fmt::format("{}_{}", name, dim), (*dimensions)[dim].size, true);
  const auto addSteps = [&](std::string_view name, const Dimensions &dimensions,
                            std::string_view tensor, size_t step) {
    for (size_t dim = 0; dim < kProductDims; ++dim) {
      const Expr &value = dimensions[dim].steps[step];
      if (areSmall)
        launch.size(fmt::format("{}_{}_{}", name, tensor, dim), value, value.isConstant());
      else
        launch.wideSize(value);
    }
  };
  addSteps("batch", product.batches, "a", 0);
  addSteps("batch", product.batches, "b", 1);
  addSteps("batch", product.batches, "out", kOutput);
  addSteps("m", product.rows, "a", 0);
  addSteps("m", product.rows, "out", kOutput);
  addSteps("n", product.columns, "b", 1);
  addSteps("n", product.columns, "out", kOutput);
  addSteps("k", product.sums, "a", 0);
  addSteps("k", product.sums, "b", 1);
  addPrecision(launch, precisionOf(node, dtype));
  launch.constant("SUM", sumTypeOf(dtype))
      .constant("OFFSET", areSmall ? DataType::Int32 : DataType::Int64)
      .constant("TILE_M", tiles.m)
      .constant("TILE_N", tiles.n)
      .constant("TILE_K", tiles.k)
      .warps(tiles.warps)
      .stages(tiles.stages);
  return launch.over(size.count * ceilDiv(size.m, tiles.m) * ceilDiv(size.n, tiles.n));
}

// -- the operators

constexpr size_t kOperandsOfOneKernel = 2;

Result<PluginDescription> describeEinsum(const PluginNode &node) {
  if (node.inputs.size() > kOperandsOfOneKernel)
    return describeContractions(node);
  INLAY_TRY(checkOneType(node));
  for (const std::string &name : node.inputNames)
    INLAY_TRY(checkFloat(node, name));
  Equation equation;
  INLAY_TRY(equation.read(node));
  PluginDescription description;
  description.outputs.push_back({node.inputs[0].dtype, {}});
  for (const LabelledDimension &dimension : equation.kept)
    description.outputs[0].shape.push_back(dimension.size);
  description.requirements = std::move(equation.requirements);
  return description;
}

Result<PluginImplementation> implementEinsum(const PluginNode &node) {
  return node.inputs.size() > kOperandsOfOneKernel ? implementContractions(node)
                                                   : implementContraction(node);
}

} // namespace

Result<PluginImplementation> implementContraction(const PluginNode &node) {
  Equation equation;
  INLAY_TRY(equation.read(node));
  if (const std::optional<EquationProduct> product = findProduct(node, equation))
    return implementAsProduct(node, *product);
  INLAY_ASSIGN(const auto kept, merged(equation.kept, kMostKept));
  INLAY_ASSIGN(const auto summed, merged(equation.summed, kMostSummed));
  Expr numel(1), depth(1);
  for (const LabelledDimension &dimension : kept)
    numel = numel * dimension.size;
  for (const LabelledDimension &dimension : summed)
    depth = depth * dimension.size;
  const int64_t block = tileFor(numel, 1, 32, 32), chunk = tileFor(depth, 1, 32, 32);
  LaunchBuilder launch("contraction.py", "contract_kernel");
  launch.input(0)
      .optionalInput("b_ptr", node.inputs.size() > 1 ? std::optional(1u) : std::nullopt)
      .output(0)
      .sizes({numel, depth});
  const auto addAll = [&](const std::vector<LabelledDimension> &dimensions) {
    for (size_t dim = 1; dim < dimensions.size(); ++dim)
      launch.sizes({dimensions[dim].size});
    for (size_t operand = 0; operand < 2; ++operand)
      for (const LabelledDimension &dimension : dimensions)
        launch.wideSize(dimension.steps[operand]);
  };
  addAll(kept);
  addAll(summed);
  launch.constant("SUM", sumTypeOf(node.inputs[0].dtype))
      .constant("BLOCK", block)
      .constant("CHUNK", chunk);
  return launch.over(ceilDiv(numel, block));
}

namespace {

Result<std::pair<double, double>> histogramRange(const PluginNode &node) {
  INLAY_ASSIGN(const double least, constantNumber(node, "min"));
  INLAY_ASSIGN(const double most, constantNumber(node, "max"));
  if (!(least < most))
    return unimplemented("a histogram from {} to {} has the range of its data, which is not "
                         "supported; expected min < max",
                         least, most);
  return std::pair(least, most);
}

Result<PluginDescription> describeHistogram(const PluginNode &node) {
  INLAY_TRY(histogramRange(node).status());
  if (integerOf(node, "bins") < 1)
    return invalidArgument("bins is {}; expected at least 1", integerOf(node, "bins"));
  PluginDescription description;
  description.outputs.push_back({inputOf(node, "self").dtype, {Expr(integerOf(node, "bins"))}});
  return description;
}

Result<PluginImplementation> implementHistogram(const PluginNode &node) {
  INLAY_ASSIGN(const auto range, histogramRange(node));
  const TensorSpec &self = inputOf(node, "self");
  const Expr bins = integerOf(node, "bins");
  const int64_t block = tileFor(bins, 1, 16, 16);
  LaunchBuilder launch("contraction.py", "histogram_kernel");
  launch.input(inputIndex(node, "self"))
      .output(0)
      .sizes({self.numel(), bins})
      .constant("LEAST", range.first)
      .constant("MOST", range.second)
      .constant("SUM", sumTypeOf(self.dtype))
      .constant("BINS", block)
      .constant("BLOCK", int64_t{128});
  return launch.over(ceilDiv(bins, block));
}

} // namespace

void addEinsumOperators(OperatorDefinitions &definitions) {
  addOperator(definitions,
              "aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor",
              {describeEinsum, implementEinsum, "", {}, {.multipliesOnTensorCores = true}});
  addOperator(definitions,
              "aten::histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor",
              {describeHistogram, implementHistogram});
}

} // namespace inlay
