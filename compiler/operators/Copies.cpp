// Operators that copy elements to other places: padding, triangles, and writing into a part.
#include "compiler/operators/LoopKernel.h"
#include "compiler/operators/Pointwise.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/TypePromotion.h"
#include "compiler/operators/Views.h"

#include "base/Error.h"

#include <algorithm>

namespace inlay {
namespace {

const TensorSpec &selfOf(const PluginNode &node) { return *findInput(node, "self"); }

// -- padding

/// How many elements come before each dimension and after it; from the last dimension on.
struct Padding {
  std::vector<Expr> before, after;
};

Result<Padding> paddingOf(const PluginNode &node) {
  const size_t rank = selfOf(node).shape.size();
  const std::vector<Expr> pad = sizesOf(node, "pad");
  if (pad.size() % 2 != 0 || pad.size() / 2 > rank)
    return invalidArgument("pad has {} entries for a tensor of rank {}, expected two for each "
                           "dimension that is padded",
                           pad.size(), rank);
  Padding padding{std::vector<Expr>(rank, Expr(0)), std::vector<Expr>(rank, Expr(0))};
  for (size_t i = 0; i < pad.size() / 2; ++i) {
    padding.before[rank - 1 - i] = pad[2 * i];
    padding.after[rank - 1 - i] = pad[2 * i + 1];
  }
  return padding;
}

/// Elements that a dimension must have for padding that repeats its own elements.
Status addPaddingRequirements(const PluginNode &node, const Padding &padding, std::string_view mode,
                              std::vector<PluginRequirement> &requirements) {
  if (mode == "constant")
    return {};
  if (mode != "reflect" && mode != "replicate" && mode != "circular")
    return invalidArgument("the mode is '{}', expected 'constant', 'reflect', 'replicate' or "
                           "'circular'",
                           mode);
  const std::vector<Expr> &shape = selfOf(node).shape;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    const Expr most = max(padding.before[dim], padding.after[dim]);
    if (most == Expr(0))
      continue;
    const Expr least = mode == "reflect"    ? less(most, shape[dim])
                       : mode == "circular" ? lessEqual(most, shape[dim])
                                            : less(Expr(0), shape[dim]);
    requirements.push_back(
        {least, fmt::format("dimension {} of size {} has the elements that a "
                            "padding of {} and {} ({}) takes",
                            dim, shape[dim].toString(), padding.before[dim].toString(),
                            padding.after[dim].toString(), mode)});
  }
  return {};
}

std::string padMode(const PluginNode &node) {
  return node.attributes.contains("mode") ? textOf(node, "mode") : "constant";
}

Result<PluginDescription> describePad(const PluginNode &node) {
  INLAY_ASSIGN(const Padding padding, paddingOf(node));
  const TensorSpec &self = selfOf(node);
  PluginDescription description;
  TensorSpec output{self.dtype, {}};
  for (size_t dim = 0; dim < self.shape.size(); ++dim) {
    const Expr size = self.shape[dim] + padding.before[dim] + padding.after[dim];
    output.shape.push_back(size);
    description.requirements.push_back(
        {lessEqual(Expr(0), size),
         fmt::format("dimension {} has a size of 0 or more after padding, "
                     "but it is {}",
                     dim, size.toString())});
  }
  INLAY_TRY(addPaddingRequirements(node, padding, padMode(node), description.requirements));
  description.outputs = {std::move(output)};
  return description;
}

/// Loads what lies inside the input; elsewhere a constant.
void loadPadded(const PluginNode &node, const Padding &padding, LoopKernel &kernel) {
  const std::vector<Expr> &shape = selfOf(node).shape;
  StridedAccess access{Expr(0), denseStrides(shape)};
  std::string condition;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    const Expr &before = padding.before[dim], &after = padding.after[dim];
    access.offset = access.offset - before * access.strides[dim];
    const auto add = [&](const std::string &text) {
      condition += (condition.empty() ? "(" : " & (") + text + ")";
    };
    if (before != Expr(0))
      add(fmt::format("{} >= {}", kernel.coordinate(dim), kernel.integer(before)));
    if (after != Expr(0))
      add(fmt::format("{} < {}", kernel.coordinate(dim), kernel.integer(before + shape[dim])));
  }
  OperatorNumber value{int64_t{0}, {}};
  if (!isNone(node, "value"))
    value = numberOf(node, "value");
  kernel.number("fill", value, selfOf(node).dtype);
  const std::string inside = condition.empty() ? "in_range" : condition;
  kernel.load("x", 0, std::move(access), inside, "0");
  kernel.line(fmt::format("x = tl.where({}, x, fill)", inside));
}

/// Loads the element of the input that stands for one beyond its border.
void loadRepeated(const PluginNode &node, const Padding &padding, LoopKernel &kernel) {
  const std::vector<Expr> &shape = selfOf(node).shape;
  const std::vector<Expr> strides = denseStrides(shape);
  const std::string mode = padMode(node);
  std::string index;
  for (size_t dim = 0; dim < shape.size(); ++dim) {
    std::string at = kernel.coordinate(dim);
    const std::string size = kernel.integer(shape[dim]);
    if (padding.before[dim] != Expr(0) || padding.after[dim] != Expr(0)) {
      const std::string shifted = fmt::format("{} - {}", at, kernel.integer(padding.before[dim]));
      if (mode == "replicate")
        at = fmt::format("tl.minimum(tl.maximum({}, 0), {} - 1)", shifted, size);
      else if (mode == "circular")
        at = fmt::format("(({} + {}) % {})", shifted, size, size);
      else
        at = fmt::format("(({0} - 1) - tl.abs(({0} - 1) - tl.abs({1})))", size, shifted);
    }
    index += fmt::format("{}{} * {}", index.empty() ? "" : " + ", at, kernel.integer(strides[dim]));
  }
  kernel.loadAt("x", 0, index.empty() ? "offsets" : index);
}

Result<PluginImplementation> implementPad(const PluginNode &node) {
  INLAY_ASSIGN(const Padding padding, paddingOf(node));
  const std::vector<Expr> &domain = node.outputs[0].shape;
  LoopKernel kernel(node, "pad", domain);
  if (padMode(node) == "constant")
    loadPadded(node, padding, kernel);
  else
    loadRepeated(node, padding, kernel);
  kernel.store(0, denseAccess(domain), "x");
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

Result<PluginDescription> describeLikeSelf(const PluginNode &node) {
  PluginDescription description;
  description.outputs = {selfOf(node)};
  return description;
}

// -- triangles

template <bool isUpper>
Result<PluginImplementation> implementTriangle(const PluginNode &node) {
  const TensorSpec &self = selfOf(node);
  const size_t rank = self.shape.size();
  LoopKernel kernel(node, isUpper ? "triu" : "tril", self.shape);
  const std::string row = kernel.coordinate(rank - 2), column = kernel.coordinate(rank - 1);
  // Diagonals beyond the matrix are alike.
  const std::string diagonal = kernel.integer(
      max(-self.shape[rank - 2], min(*findSize(node, "diagonal"), self.shape[rank - 1])));
  kernel.load("x", 0, denseAccess(self.shape));
  kernel.number("zero", {int64_t{0}, {}}, self.dtype);
  kernel.store(0, denseAccess(self.shape),
               fmt::format("tl.where({} - {} {} {}, x, zero)", column, row,
                           isUpper ? ">=" : "<=", diagonal));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

Result<PluginDescription> describeTriangle(const PluginNode &node) {
  if (selfOf(node).shape.size() < 2)
    return invalidArgument("a tensor of rank {} has no triangle, expected 2 or more",
                           selfOf(node).shape.size());
  return describeLikeSelf(node);
}

// -- writing into a part

/// The part of the input that `src` takes the place of.
Result<StridedViews> scatteredPart(const PluginNode &node) {
  if (node.attributes.contains("stride"))
    return stridedView(node);
  StridedViews views{{wholeView(selfOf(node))}, {}};
  StridedView &view = views.views[0];
  if (view.shape.empty())
    return invalidArgument("a tensor of rank 0 has no parts");
  INLAY_ASSIGN(const size_t dim, dimensionOf(integerOf(node, "dim"), view.shape.size()));
  if (node.attributes.contains("index")) {
    INLAY_ASSIGN(const Expr index, selectedIndex(node, view.shape[dim], views.requirements));
    view.offset = index * view.strides[dim];
    view.shape.erase(view.shape.begin() + static_cast<std::ptrdiff_t>(dim));
    view.strides.erase(view.strides.begin() + static_cast<std::ptrdiff_t>(dim));
    return views;
  }
  INLAY_ASSIGN(const SliceRange range, sliceRangeOf(node, view.shape[dim]));
  view.offset = range.start * view.strides[dim];
  view.shape[dim] = sliceLength(node, range);
  view.strides[dim] = view.strides[dim] * range.step;
  return views;
}

Result<PluginDescription> describeScatter(const PluginNode &node) {
  INLAY_ASSIGN(StridedViews part, scatteredPart(node));
  const TensorSpec &source = *findInput(node, "src");
  const std::vector<Expr> &shape = part.views[0].shape;
  PluginDescription description;
  description.requirements = std::move(part.requirements);
  if (source.shape.size() != shape.size())
    return invalidArgument("src has the shape {}, the part that it is written to {}",
                           shapeText(source.shape), shapeText(shape));
  for (size_t dim = 0; dim < shape.size(); ++dim)
    if (source.shape[dim] != shape[dim])
      description.requirements.push_back(
          {equal(source.shape[dim], shape[dim]),
           fmt::format("src has the shape {}, as the part that it is written to, {}",
                       shapeText(source.shape), shapeText(shape))});
  description.outputs = {selfOf(node)};
  description.aliasedInputs.emplace(0, inputIndex(node, "self"));
  return description;
}

Result<PluginImplementation> implementScatter(const PluginNode &node) {
  INLAY_ASSIGN(StridedViews part, scatteredPart(node));
  const TensorSpec &source = *findInput(node, "src");
  LoopKernel kernel(node, "scatter", source.shape);
  kernel.load("x", inputIndex(node, "src"), denseAccess(source.shape));
  kernel.store(0, {part.views[0].offset, part.views[0].strides},
               converted("x", source.dtype, node.outputs[0].dtype));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

Result<Moves> movesOfScatter(const PluginNode &node) {
  INLAY_ASSIGN(StridedViews part, scatteredPart(node));
  const TensorSpec &self = selfOf(node), &source = *findInput(node, "src");
  return Moves{{{inputIndex(node, "self"), wholeView(self), 0, wholeView(self)},
                {inputIndex(node, "src"), wholeView(source), 0, part.views[0]}}};
}

// -- differences of neighbours

/// The tensors of `diff` that lie one behind the other along the dimension, with their starts.
struct DiffParts {
  size_t dim = 0;
  std::vector<uint32_t> inputs;
  std::vector<Expr> starts;
  Expr size;
};

Result<DiffParts> diffPartsOf(const PluginNode &node) {
  const size_t rank = selfOf(node).shape.size();
  if (rank == 0)
    return invalidArgument("a tensor of rank 0 has no differences");
  if (integerOf(node, "n") != 1)
    return unimplemented("differences of order {} are not supported, expected n = 1",
                         integerOf(node, "n"));
  DiffParts parts;
  INLAY_ASSIGN(parts.dim, dimensionOf(integerOf(node, "dim"), rank));
  for (std::string_view name : {"prepend", "self", "append"}) {
    const TensorSpec *input = findInput(node, name);
    if (!input)
      continue;
    if (input->shape.size() != rank || input->dtype != selfOf(node).dtype)
      return invalidArgument("'{}' is {}{}, self {}{}; expected one type and rank", name,
                             dataTypeName(input->dtype), shapeText(input->shape),
                             dataTypeName(selfOf(node).dtype), shapeText(selfOf(node).shape));
    parts.inputs.push_back(inputIndex(node, name));
    parts.starts.push_back(parts.size);
    parts.size = parts.size + input->shape[parts.dim];
  }
  return parts;
}

Result<PluginDescription> describeDiff(const PluginNode &node) {
  INLAY_ASSIGN(const DiffParts parts, diffPartsOf(node));
  PluginDescription description;
  description.outputs = {selfOf(node)};
  const Interval bounds = boundsIn(node, parts.size - Expr(1));
  description.outputs[0].shape[parts.dim] =
      bounds.min && *bounds.min >= 0 ? parts.size - Expr(1) : max(Expr(0), parts.size - Expr(1));
  return description;
}

Result<PluginImplementation> implementDiff(const PluginNode &node) {
  INLAY_ASSIGN(const DiffParts parts, diffPartsOf(node));
  const TensorSpec &output = node.outputs[0];
  LoopKernel kernel(node, "diff", output.shape);
  const std::string at = kernel.coordinate(parts.dim);
  for (int64_t step : {0, 1}) {
    const std::string variable = step == 0 ? "left" : "right";
    for (size_t i = 0; i < parts.inputs.size(); ++i) {
      const TensorSpec &input = node.inputs[parts.inputs[i]];
      StridedAccess access = broadcastAccess(input.shape, output.shape);
      access.strides[parts.dim] = denseStrides(input.shape)[parts.dim];
      access.offset = (Expr(step) - parts.starts[i]) * access.strides[parts.dim];
      const Expr start = parts.starts[i] - Expr(step);
      const std::string condition = fmt::format("({} >= {}) & ({} < {})", at, kernel.integer(start),
                                                at, kernel.integer(start + input.shape[parts.dim]));
      const std::string name = i == 0 ? variable : fmt::format("{}{}", variable, i);
      kernel.load(name, parts.inputs[i], std::move(access), condition, "0");
      if (i != 0)
        kernel.line(fmt::format("{} = tl.where({}, {}, {})", variable, condition, name, variable));
    }
  }
  const DataType computed = computeType(output.dtype);
  const std::string difference =
      output.dtype == DataType::Bool
          ? "(left ^ right)"
          : fmt::format("({} - {})", converted("right", output.dtype, computed),
                        converted("left", output.dtype, computed));
  kernel.store(0, denseAccess(output.shape), converted(difference, computed, output.dtype));
  PluginImplementation implementation;
  INLAY_TRY(kernel.appendTo(implementation));
  return implementation;
}

} // namespace

void addCopyOperators(OperatorDefinitions &definitions) {
  const auto add = [&](std::string_view schema, OperatorFunctions functions) {
    addOperator(definitions, schema, std::move(functions));
  };
  add("aten::pad(Tensor self, SymInt[] pad, str mode=\"constant\", float? value=None) -> Tensor",
      {describePad, implementPad});
  add("aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor",
      {describePad, implementPad});
  add("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor",
      {describeTriangle, implementTriangle<false>});
  add("aten::triu(Tensor self, SymInt diagonal=0) -> Tensor",
      {describeTriangle, implementTriangle<true>});
  const OperatorFunctions scatter{
      describeScatter, implementScatter, "", {}, {.moves = movesOfScatter}};
  add("aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? "
      "end=None, "
      "SymInt step=1) -> Tensor",
      scatter);
  add("aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor", scatter);
  add("aten::as_strided_scatter(Tensor self, Tensor src, SymInt[] size, SymInt[] stride, SymInt? "
      "storage_offset=None) -> Tensor",
      scatter);
  add("aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> "
      "Tensor",
      {describeDiff, implementDiff});
}

} // namespace inlay
